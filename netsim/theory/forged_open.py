"""Guessing the ISN that a server selects for another host, after seeing one that it selected for oneself (Morris 1985).

The attacker opens a connection, waits, and forges the SYN of a host that the server trusts. Then the attacker must
acknowledge an ISN without having seen it. Its distance from the ISN of the first connection depends on the server's
policy, on the time between the two SYNs at the server, and on the connections that other hosts open meanwhile.

Sources: RFC 6528 2 and 3, RFC 1948 (after Morris 1985 and Bellovin 1989). Times are seconds, rates per second.
"""

import math
from collections import defaultdict

from netsim.theory._domain import check_count, check_non_negative, check_positive
from netsim.theory.stale import SEQUENCE_SPACE

_NEGLIGIBLE = 1e-12


def p_uniform_isn_guessed(guesses: int) -> float:
    """P(one of n different guesses is right) if the ISN is uniform to anyone without the key: n / 2^32. Exact.

    Raises:
        ValueError: guesses outside [0, 2^32].
    """
    check_count("guesses", guesses, high=SEQUENCE_SPACE)
    return guesses / SEQUENCE_SPACE


def clock_isn_guesses(guesses: int, *, rate: float, pause: float) -> range:
    """The best guesses of how far a clock of `rate` Hz has moved in about `pause` seconds: the nearest ones.

    Raises:
        ValueError: guesses outside [0, 2^32], rate <= 0, or pause < 0.
    """
    check_count("guesses", guesses, high=SEQUENCE_SPACE)
    check_positive("rate", rate)
    check_non_negative("pause", pause)
    first = math.ceil(rate * pause - guesses / 2)
    return range(first, first + guesses)


def p_clock_isn_guessed(guesses: int, *, rate: float, pause: float, jitter: float) -> float:
    """P(one of the best guesses is right): the ISN is a clock's reading, each of two segments late by U(0, jitter).

    The time between them is `pause` and a triangular error; the clock's phase is uniform. The number of ticks then is
    floor(phase + rate (pause + error)), and its distribution function an integral of the triangle's.

    Raises:
        ValueError: guesses outside [0, 2^32], rate <= 0, pause < 0, or jitter < 0.
    """
    check_non_negative("jitter", jitter)
    tried = clock_isn_guesses(guesses, rate=rate, pause=pause)
    middle, half = rate * pause, rate * jitter
    below = [_phase_and_triangle(edge - middle, half) for edge in (tried.start, tried.stop)]
    return min(max(below[1] - below[0], 0.0), 1.0)


def _phase_and_triangle(y: float, half: float) -> float:
    """P(U + X <= y) for U uniform in [0, 1] and X triangular in [-half, half]."""
    return _integral_of_cdf(y, half) - _integral_of_cdf(y - 1, half)


def _integral_of_cdf(x: float, half: float) -> float:
    if x <= -half:
        return 0.0
    if x >= half:
        return x
    edge = (half - abs(x)) ** 3 / (6 * half**2)
    return edge if x < 0 else x + edge


def counter_isn_guesses(
    *, per_second: int, per_connection: int, pause: float, background_rate: float
) -> dict[int, float]:
    """The distances by which a counter may have moved, the most likely first, each with its probability. Exact.

    It moves by `per_second` at each whole second, whose phase is unknown, and by `per_connection` at each opening: the
    attacker's own, and those of other hosts, which are Poisson with `background_rate` per second during `pause`.

    Raises:
        ValueError: per_second or per_connection outside [0, 2^32 - 1], pause < 0, or background_rate < 0.
    """
    check_count("per_second", per_second, high=SEQUENCE_SPACE - 1)
    check_count("per_connection", per_connection, high=SEQUENCE_SPACE - 1)
    check_non_negative("pause", pause)
    check_non_negative("background_rate", background_rate)
    whole, mean = math.floor(pause), background_rate * pause
    moved: dict[int, float] = defaultdict(float)
    for seconds, p_seconds in ((whole, 1 - (pause - whole)), (whole + 1, pause - whole)):
        k, p_k = 0, math.exp(-mean)
        while k <= mean or p_k > _NEGLIGIBLE:
            if p_seconds > 0:
                moved[(per_second * seconds + per_connection * (1 + k)) % SEQUENCE_SPACE] += p_seconds * p_k
            k += 1
            p_k *= mean / k
    return dict(sorted(moved.items(), key=lambda item: (-item[1], item[0])))


def p_counter_isn_guessed(
    guesses: int, *, per_second: int, per_connection: int, pause: float, background_rate: float
) -> float:
    """P(one of the best guesses is right) against a counter: see `counter_isn_guesses`.

    Raises:
        ValueError: guesses outside [0, 2^32], or a parameter outside its range.
    """
    check_count("guesses", guesses, high=SEQUENCE_SPACE)
    ranked = counter_isn_guesses(
        per_second=per_second, per_connection=per_connection, pause=pause, background_rate=background_rate
    )
    return min(math.fsum(list(ranked.values())[:guesses]), 1.0)
