"""When does a clock-driven ISN alone keep two incarnations of a connection apart? RFC 1185, appendix.

The ISN is the reading of a clock that counts R per second, modulo 2^32 (Tomlinson). A connection that sends B bytes
per second for Tc seconds uses up sequence numbers at rate B while the clock runs on at rate R; then its four-tuple is
used again. It is slow or fast (B < R or not) and short or long: four cells. Only the slow and short one is protected
by the clock; waiting until every old segment has died (TIME-WAIT, and quiet time after a crash) protects all four.
Rates are per second, times in seconds.
"""

import math
from enum import Enum
from fractions import Fraction

from netsim.theory._domain import check_count, check_non_negative, check_positive, nanoseconds
from netsim.theory.stale import SEQUENCE_SPACE, clock_isn_advance


class IncarnationCell(Enum):
    """The four cells, by the labels of RFC 1185, and what goes wrong in each if old segments are still alive."""

    F1 = "slow, short"
    """B < R and Tc < 2^32 / R: nothing; old numbers lie behind the clock, which has not come round."""
    F2 = "slow, long"
    """B < R and Tc >= 2^32 / R: the clock has come round and may meet the numbers in use."""
    F3 = "fast, short"
    """B >= R and fewer than 2^32 bytes: the numbers have run ahead of the clock; the new ISN lies among them."""
    F4 = "fast, long"
    """B >= R and at least 2^32 bytes: the numbers have run ahead and come round, every number was in use."""

    @property
    def clock_suffices(self) -> bool:
        """Whether a clock-driven ISN keeps the incarnations apart without TIME-WAIT."""
        return self is IncarnationCell.F1


def incarnation_cell(
    *, rate: float, duration: float, clock_rate: float, modulus: int = SEQUENCE_SPACE
) -> IncarnationCell:
    """The cell of a connection that sends `rate` bytes per second for `duration` seconds (rate * duration in all).

    "Long" is a matter of the clock for a slow connection and of its bytes for a fast one. RFC 9293 3.4.1 has
    clock_rate 250,000 per second, whose turn takes 17,180 s.

    Raises:
        ValueError: a negative rate or duration, clock_rate <= 0, or modulus < 1.
    """
    check_non_negative("rate", rate)
    check_non_negative("duration", duration)
    check_positive("clock_rate", clock_rate)
    check_count("modulus", modulus, low=1)
    if rate < clock_rate:
        return IncarnationCell.F1 if clock_rate * duration < modulus else IncarnationCell.F2
    return IncarnationCell.F3 if rate * duration < modulus else IncarnationCell.F4


def old_bytes_acceptable(
    *,
    rate: float,
    duration: float,
    clock_rate: float,
    pause: float,
    lifetime: float,
    window: int,
    modulus: int = SEQUENCE_SPACE,
) -> bool:
    """Whether, `pause` seconds after the close, the new window holds a number of an old byte still in the network.

    Byte j of the old connection was sent j / B after its opening and lives for `lifetime`; those still alive are the
    last ones, after B (Tc + pause - lifetime). The new ISN is Tc + pause of clock ahead of the old one. This is exact
    at the moment of reopening; for the hazard during the first y bytes add y to the window. With pause >= lifetime
    the answer is no, in every cell: TIME-WAIT suffices. The slow and short cell needs a margin before the clock's
    full turn, R (Tc + lifetime) + W <= 2^32, beyond which the window reaches the old bytes from behind.

    Raises:
        ValueError: a negative argument, clock_rate <= 0, or window > modulus.
    """
    check_non_negative("rate", rate)
    check_non_negative("duration", duration)
    check_positive("clock_rate", clock_rate)
    check_non_negative("pause", pause)
    check_non_negative("lifetime", lifetime)
    check_count("modulus", modulus, low=1)
    check_count("window", window, high=modulus)
    closed, died = nanoseconds(duration), nanoseconds(duration) + nanoseconds(pause) - nanoseconds(lifetime)
    per_nanosecond = Fraction(rate) / nanoseconds(1)
    sent = math.ceil(per_nanosecond * closed)  # byte j is sent at j / B < Tc ...
    oldest = math.floor(per_nanosecond * died) + 1 if died >= 0 else 0  # ... and alive iff it was sent after `died`
    if oldest >= sent or window == 0:
        return False
    rcv_nxt = clock_isn_advance(rate=clock_rate, pause=duration + pause, modulus=modulus)
    # [oldest, sent) meets [rcv_nxt, rcv_nxt + window) on the circle iff one of them begins inside the other.
    return (oldest - rcv_nxt) % modulus < window or (rcv_nxt - oldest) % modulus < sent - oldest
