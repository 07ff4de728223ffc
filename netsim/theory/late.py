"""Probability that a segment outlives TIME-WAIT: it arrives only after the four-tuple may be used again.

A segment sent `age` seconds before TIME-WAIT began is late iff its delay exceeds tau + age, tau being the
length of TIME-WAIT. With a maximum `lifetime` in the network older copies vanish, so nothing is late once
tau + age >= lifetime: this is why RFC 9293 3.6.1 keeps TIME-WAIT for 2 MSL. Times are in seconds.
"""

import math
from collections.abc import Callable

from netsim.theory._domain import check_non_negative, check_positive


def p_late_exponential(*, time_wait: float, age: float, mean_delay: float, lifetime: float | None = None) -> float:
    """P(late) for an exponential delay: e^-((tau + age) / mu), less what exceeds the lifetime.

    Raises:
        ValueError: a negative time_wait, age or lifetime, or mean_delay <= 0.
    """
    check_positive("mean_delay", mean_delay)
    return _p_late(lambda t: math.exp(-t / mean_delay), time_wait=time_wait, age=age, lifetime=lifetime)


def p_late_pareto(
    *, time_wait: float, age: float, minimum: float, shape: float, lifetime: float | None = None
) -> float:
    """P(late) for a Pareto delay: ((tau + age) / xm)^-alpha, 1 below xm, less what exceeds the lifetime.

    Raises:
        ValueError: a negative time_wait, age or lifetime, or minimum or shape <= 0.
    """
    check_positive("minimum", minimum)
    check_positive("shape", shape)
    return _p_late(lambda t: (max(t, minimum) / minimum) ** -shape, time_wait=time_wait, age=age, lifetime=lifetime)


def _p_late(tail: Callable[[float], float], *, time_wait: float, age: float, lifetime: float | None) -> float:
    """P(tau + age < delay <= lifetime), where `tail(t)` = P(delay > t)."""
    check_non_negative("time_wait", time_wait)
    check_non_negative("age", age)
    late = tail(time_wait + age)
    if lifetime is None:
        return late
    check_non_negative("lifetime", lifetime)
    return max(0.0, late - tail(lifetime))
