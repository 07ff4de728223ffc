"""Old copies after a four-tuple was used again: the chance that one of them is accepted, given one run's times.

What is random here is only which segments were copied and how late each copy is; when the originals arrived, and how
the new connection's RCV.NXT moved, is taken as given. Averaged over runs this is the probability itself, with far
less noise than counting acceptances. Times are seconds.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from netsim.theory.stale import SEQUENCE_SPACE, acceptable_sequences

MASK = SEQUENCE_SPACE - 1


@dataclass(frozen=True, slots=True)
class OldSegment:
    """A text segment of the old incarnation: when it arrived (s), its numbers."""

    arrived: float
    seq: int
    length: int
    ack: int


@dataclass(frozen=True, slots=True)
class NewConnection:
    """The receiver of the new incarnation.

    ``course`` lists (time, RCV.NXT) from the moment text can be accepted; old segments count from ``start`` on, when
    the sender opened its new connection; ``end`` is when text can no longer be accepted; ``window`` and
    ``max_snd_wnd`` are bytes; ``snd_nxt`` is its next number to send, all it sent being acknowledged.
    ``bounded_ack``: old ACKs are refused beyond MAX.SND.WND (RFC 5961 5), else taken (RFC 793).
    """

    course: Sequence[tuple[float, int]]
    start: float
    end: float
    window: int
    snd_nxt: int
    max_snd_wnd: int
    bounded_ack: bool

    def takes_ack(self, ack: int) -> bool:
        """Whether an old segment's acknowledgment lets its text through (RFC 9293 3.10.7.4, fifth)."""
        behind = (self.snd_nxt - ack) & MASK
        return behind <= self.max_snd_wnd if self.bounded_ack else behind <= SEQUENCE_SPACE // 2

    def takes_seq(self, segment: OldSegment, rcv_nxt: int) -> bool:
        """Whether its numbers are acceptable and bring new text (RFC 9293 3.10.7.4, first and seventh)."""
        offset = (segment.seq - rcv_nxt) & MASK
        last = (offset + segment.length - 1) & MASK
        return offset < self.window or last < self.window


def p_some_copy_accepted(
    segments: Sequence[OldSegment],
    connections: Sequence[NewConnection],
    *,
    duplicate: float,
    late: Callable[[float], float],
    random_isns: bool,
) -> float:
    """P(at least one copy is accepted) when each segment is copied with probability ``duplicate``.

    ``late(t)``: P(a copy comes more than t seconds after its original). ``random_isns``: both new ISNs are uniform
    and independent of the old ones, so the numbers are integrated out; else the given numbers decide.
    """
    log_none = 0.0
    for segment in segments:
        p = sum(_p_accepted(segment, connection, late, random_isns=random_isns) for connection in connections)
        log_none += math.log1p(-min(duplicate * p, 1 - 1e-15))
    return -math.expm1(log_none)


def _p_accepted(
    segment: OldSegment, connection: NewConnection, late: Callable[[float], float], *, random_isns: bool
) -> float:
    """P(a copy of ``segment`` is accepted by ``connection``), if there is a copy."""
    p = 0.0
    steps = [*connection.course, (connection.end, 0)]
    for (start, rcv_nxt), (stop, _) in itertools.pairwise(steps):
        start, stop = max(start, connection.start, segment.arrived), min(stop, connection.end)
        if start < stop:
            in_time = late(start - segment.arrived) - late(stop - segment.arrived)
            p += in_time * _p_numbers(segment, connection, rcv_nxt, random_isns=random_isns)
    return p


def _p_numbers(segment: OldSegment, connection: NewConnection, rcv_nxt: int, *, random_isns: bool) -> float:
    if not random_isns:
        return float(connection.takes_seq(segment, rcv_nxt) and connection.takes_ack(segment.ack))
    acks = connection.max_snd_wnd + 1 if connection.bounded_ack else SEQUENCE_SPACE // 2 + 1
    sequences = acceptable_sequences(length=segment.length, window=connection.window)
    return sequences / SEQUENCE_SPACE * acks / SEQUENCE_SPACE
