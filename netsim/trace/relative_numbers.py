"""Relative sequence numbers: from 0 at the SYN, for each direction and incarnation of a connection."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from netsim.tcp.segment import ACK, HALF, MASK, RST, SYN, FourTuple
from netsim.trace.events import Packet


class Base(NamedTuple):
    """The number that counts as 0, and the incarnation of the connection that chose it (0: unknown)."""

    number: int
    incarnation: int


class Numbered(NamedTuple):
    """A packet's numbers, each with what it is counted from."""

    seq: int
    ack: int
    seq_base: Base
    ack_base: Base


ABSOLUTE: Final = Base(0, 0)
_Key = tuple[str, int]


@dataclass(slots=True)
class _Seen:
    packet: Packet
    time: int


class RelativeNumbers:
    """Finds the base of every number; it must get the packets in the order in which they are sent."""

    def __init__(self, *, relative: bool) -> None:
        self.relative = relative
        self.latest: dict[FourTuple, int] = {}  # newest incarnation that sent with this four-tuple
        self._iss: dict[_Key, Base] = {}
        self._irs: dict[_Key, Base] = {}
        self._current: dict[FourTuple, Base] = {}
        self._numbered: dict[int, Numbered] = {}
        self._seen: dict[str, _Seen] = {}

    def of(self, packet: Packet, time: int) -> Numbered:
        """The numbers of ``packet``, which its sender sends at ``time`` (ns), or which was sent before."""
        known = self._numbered.get(packet.number)
        if known is not None:
            return known
        segment = packet.segment
        self.latest[segment.flow] = max(packet.incarnation, self.latest.get(segment.flow, 0))
        seq_base, ack_base = self._answer(packet, time) or (self._own(packet), self._peers(packet))
        if not self.relative:
            seq_base, ack_base = Base(0, seq_base.incarnation), Base(0, ack_base.incarnation)
        numbered = Numbered(_count(segment.seq, seq_base), _count(segment.ack, ack_base), seq_base, ack_base)
        self._numbered[packet.number] = numbered
        return numbered

    def arrived(self, host: str, packet: Packet, time: int) -> None:
        """``packet`` arrives at ``host``: a RST that the host sends at this instant takes its numbers from it."""
        self._seen[host] = _Seen(packet, time)

    def took_syn(self, host: str, connection: int, packet: Packet) -> None:
        """``connection`` of ``host`` counts its peer's numbers from this SYN on."""
        self._irs[host, connection] = self.of(packet, packet.sent_at).seq_base

    def _own(self, packet: Packet) -> Base:
        """The sender's ISS; for a packet that no connection sent, that of the four-tuple it claims."""
        segment = packet.segment
        starts = segment.seq if segment.flags & SYN else (segment.seq - 1) & MASK
        if not packet.connection:
            fallback = ABSOLUTE if segment.flags & RST else Base(starts, 0)
            return Base(starts, 0) if segment.flags & SYN else self._current.get(segment.flow, fallback)
        base = self._iss.setdefault((packet.sender, packet.connection), Base(starts, packet.incarnation))
        self._current[segment.flow] = base
        return base

    def _peers(self, packet: Packet) -> Base:
        """The ISS that the sender believes its peer to have."""
        segment = packet.segment
        if not segment.flags & ACK:
            return ABSOLUTE
        key = packet.sender, packet.connection
        if packet.connection and key in self._irs:
            return self._irs[key]
        base = self._current.get(segment.flow.reverse(), Base((segment.ack - 1) & MASK, 0))
        return self._irs.setdefault(key, base) if packet.connection else base

    def _answer(self, packet: Packet, time: int) -> tuple[Base, Base] | None:
        """The bases of a RST that repeats the numbers of the segment it answers (RFC 9293 3.10.7.1), else None."""
        segment, seen = packet.segment, self._seen.get(packet.sender)
        if not segment.flags & RST or seen is None or seen.time != time:
            return None
        asked = seen.packet.segment
        if asked.flow != segment.flow.reverse():
            return None
        numbered = self.of(seen.packet, seen.packet.sent_at)
        if asked.flags & ACK:
            return (numbered.ack_base, numbered.seq_base) if segment.seq == asked.ack else None
        return (ABSOLUTE, numbered.seq_base) if segment.seq == 0 else None


def _count(number: int, base: Base) -> int:
    """``number`` from its base on; a number just before it is negative."""
    if base.number == 0:
        return number
    distance = (number - base.number) & MASK
    return distance if distance < HALF else distance - MASK - 1
