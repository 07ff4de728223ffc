"""Retransmission schedules as lists of intervals, in seconds."""

from netsim.theory._domain import check_count, check_positive


def backoff_intervals(*, rto: float, retries: int, ceiling: float | None = None) -> tuple[float, ...]:
    """Seconds to wait after each of the `retries` + 1 transmissions: T, 2T, 4T, ... (RFC 6298 5.5).

    No interval exceeds `ceiling`. At the end of the last one the sender times out, so without a ceiling their sum,
    the lifetime of an unanswered SYN-RECEIVED entry, is T (2^(m + 1) - 1): 63 s for T = 1 s and 5 retries.

    Raises:
        ValueError: rto <= 0, ceiling <= 0, or retries outside [0, 1000].
    """
    check_positive("rto", rto)
    check_count("retries", retries, high=1000)  # 2^1000 s is finite, 2^1024 s is not
    if ceiling is not None:
        check_positive("ceiling", ceiling)
    intervals = (rto * 2.0**i for i in range(retries + 1))
    return tuple(intervals if ceiling is None else (min(interval, ceiling) for interval in intervals))
