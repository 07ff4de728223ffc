"""Defences of a SYN queue: what eviction of old entries, and SYN cookies, mean for a legitimate client.

With eviction every SYN gets an entry, and the question is whether this entry still exists one round trip R later, when
the handshake's final ACK arrives. The formulas are exact for a full queue and spoofed SYNs that are a Poisson process
of rate lambda (RFC 4987 3.4 and 3.5). With SYN cookies (3.6) the server keeps nothing: the questions are whether the
cookie that the client returns is still valid, and whether a guessed one is accepted. Rates are per second, times in
seconds.
"""

import math

from netsim.theory._domain import check_count, check_non_negative, check_positive
from netsim.theory.stale import SEQUENCE_SPACE


def p_survives_random_drop(*, attack_rate: float, rtt: float, slots: int) -> float:
    """P(an entry lives one RTT) when each new SYN evicts one of the B entries at random: e^(-lambda R / B).

    Raises:
        ValueError: a negative rate or rtt, or slots < 1.
    """
    check_count("slots", slots, low=1)
    return math.exp(-_newcomers(attack_rate, rtt) / slots)


def p_survives_oldest_drop(*, attack_rate: float, rtt: float, slots: int) -> float:
    """P(an entry lives one RTT) when each new SYN evicts the oldest of B entries: P(Pois(lambda R) <= B - 1).

    Raises:
        ValueError: a negative rate or rtt, or slots < 1.
    """
    check_count("slots", slots, low=1)
    return _poisson_cdf(slots - 1, _newcomers(attack_rate, rtt))


def p_survives_bucket_drop(*, attack_rate: float, rtt: float, buckets: int, bucket_size: int) -> float:
    """P(an entry lives one RTT) in a SYN cache of H hashed buckets of b: P(Pois(lambda R / H) <= b - 1).

    A new SYN evicts the oldest entry of its own bucket (Lemon, BSDCon 2002; FreeBSD: 512 buckets of 30).

    Raises:
        ValueError: a negative rate or rtt, or buckets or bucket_size < 1.
    """
    check_count("buckets", buckets, low=1)
    check_count("bucket_size", bucket_size, low=1)
    return _poisson_cdf(bucket_size - 1, _newcomers(attack_rate, rtt) / buckets)


def p_cookie_valid(*, age: float, period: float = 60.0, periods: int = 2) -> float:
    """P(a SYN cookie still counts as valid `age` seconds after it was made): clip(n - x / P, 0, 1).

    A cookie carries the number of the period in which it was made and is valid during n of them, that one
    included; its making falls anywhere in it. Defaults: Linux, 60 s and 2 (net/ipv4/syncookies.c), so it lives
    60 to 120 s.

    Raises:
        ValueError: a negative age, period <= 0, or periods < 1.
    """
    check_non_negative("age", age)
    check_positive("period", period)
    check_count("periods", periods, low=1)
    return min(max(periods - age / period, 0.0), 1.0)


def p_cookie_forged(*, periods: int = 2, mss_values: int = 4, modulus: int = SEQUENCE_SPACE) -> float:
    """P(an ACK with a guessed number passes as the answer to a cookie): n m / 2^32, 2^-29 for the defaults.

    One acceptable number for each valid period and each MSS that a cookie can encode; Linux knows 2 and 4.

    Raises:
        ValueError: an argument < 1, or more acceptable numbers than there are.
    """
    check_count("periods", periods, low=1)
    check_count("mss_values", mss_values, low=1)
    check_count("periods * mss_values", periods * mss_values, high=modulus)
    return periods * mss_values / modulus


def synacks_per_spoofed_syn(*, retries: int) -> int:
    """SYN-ACKs that one spoofed SYN draws from a server that holds its entry to the end: 1 + m; a cookie draws one.

    Raises:
        ValueError: negative retries.
    """
    check_count("retries", retries)
    return 1 + retries


def _newcomers(attack_rate: float, rtt: float) -> float:
    """Mean number of spoofed SYNs in one round trip."""
    check_non_negative("attack_rate", attack_rate)
    check_non_negative("rtt", rtt)
    return attack_rate * rtt


def _poisson_cdf(count: int, mean: float) -> float:
    from scipy.special import pdtr

    return float(pdtr(count, mean))
