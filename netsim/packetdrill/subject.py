"""The socket under test: its numbers on the wire and in the script, and how one becomes the other.

SYN segments use the script's numbers as written, counted from the script's ISN; every other segment is relative to
the ISN, so that 1 is the first byte of text. Time stamps are mapped by what was seen (google/packetdrill,
run_packet.c).
"""

from dataclasses import dataclass, field

from netsim.packetdrill.script import AE, Mss, Opaque, Option, Sack, SackPermitted, TcpPacket, Timestamps, WindowScale
from netsim.packetdrill.verdict import Failure, Unsupported
from netsim.packetdrill.wire import Style, layout
from netsim.tcp.segment import ACK, SYN, FourTuple, Options, Segment
from netsim.tcp.seq import HALF, MASK


@dataclass(slots=True)
class Subject:
    """``flow`` as our end writes it; None until a packet or a connect settles it.

    ``local_isn`` and ``remote_isn`` are (script's, wire's), or None before the SYN. ``stamps`` maps the script's time
    stamps to the wire's; ``stamp_origin`` is the first pair of them.
    """

    flow: FourTuple | None = None
    local_isn: tuple[int, int] | None = None
    remote_isn: tuple[int, int] | None = None
    stamps: dict[int, int] = field(default_factory=dict)
    stamp_origin: tuple[int, int] | None = None

    def _local_offset(self, flags: int) -> int:
        script, wire = self.local_isn or (0, 0)
        return wire - script if flags & SYN else wire

    def _remote_offset(self, flags: int) -> int:
        script, wire = self.remote_isn or (0, 0)
        return wire - script if flags & SYN else wire

    def segment(self, packet: TcpPacket) -> Segment:
        """The wire's form of an inbound packet."""
        assert self.flow is not None
        assert packet.window is not None
        if packet.flags & AE:
            raise Unsupported(packet.line, "the flag A (accurate ECN)")
        flags = packet.flags
        if packet.seq is None:
            raise Unsupported(packet.line, "an inbound segment without a sequence number")
        if flags & SYN and self.remote_isn is None:
            self.remote_isn = (packet.seq, packet.seq)
        seq = packet.seq if packet.literal else (packet.seq + self._remote_offset(flags)) & MASK
        offset = self._local_offset(flags) if flags & ACK and not packet.literal else 0
        return Segment(
            flow=self.flow.reverse(),
            seq=seq,
            ack=(packet.ack + offset) & MASK,
            flags=flags,
            window=packet.window,
            payload=bytes(packet.length),
            options=self._options(packet),
            urgent=packet.urgent,
        )

    def _options(self, packet: TcpPacket) -> Options | None:
        if not packet.options:
            return None
        found = Options()
        for option in packet.options:
            match option:
                case Mss():
                    found.mss = option.value
                case WindowScale():
                    found.wscale = option.shift
                case SackPermitted():
                    found.sack_permitted = True
                case Timestamps():
                    found.ts_val, found.ts_ecr = option.val, self._echo(option, packet.line)
                    if option.val is None:
                        raise Unsupported(packet.line, "an inbound time stamp without a value")
                case Sack():
                    offset = self._local_offset(packet.flags)
                    found.sack = tuple(((a + offset) & MASK, (b + offset) & MASK) for a, b in option.blocks)
                case Opaque():
                    raise Unsupported(packet.line, f"the TCP option {option.kind}")
        return found

    def _echo(self, option: Timestamps, line: int) -> int:
        if option.ecr is None:
            raise Unsupported(line, "an inbound time stamp without an echo")
        if option.literal or option.ecr == 0:
            return option.ecr
        if option.ecr not in self.stamps:
            raise Failure(line, f"ecr {option.ecr} repeats no time stamp that the script has seen")
        return self.stamps[option.ecr]

    def learn(self, expected: TcpPacket, segment: Segment) -> None:
        """The first outbound SYN settles the local ISN, the first outbound time stamp the origin of the others."""
        if expected.flags & segment.flags & SYN and self.local_isn is None:
            self.local_isn = (expected.seq or 0, segment.seq)
        stamp = next((o for o in expected.options or () if isinstance(o, Timestamps)), None)
        options = segment.options
        if stamp is None or stamp.val is None or options is None or options.ts_val is None:
            return
        if self.stamp_origin is None:
            self.stamp_origin = (stamp.val, options.ts_val)
        self.stamps[stamp.val] = options.ts_val

    def observe(self, segment: Segment, style: Style) -> TcpPacket:
        """What the host sent, in the script's numbers."""
        flags = segment.flags
        options = tuple(self._in_script(option) for option in layout(segment.options, style))
        return TcpPacket(
            direction=">",
            flags=flags,
            seq=(segment.seq - self._local_offset(flags)) & MASK,
            length=len(segment.payload),
            ack=(segment.ack - self._remote_offset(flags)) & MASK if flags & ACK else segment.ack,
            window=segment.window,
            urgent=segment.urgent,
            options=options,
        )

    def _in_script(self, option: Option) -> Option:
        if isinstance(option, Sack):
            offset = self._remote_offset(0)
            return Sack(tuple(((a - offset) & MASK, (b - offset) & MASK) for a, b in option.blocks))
        if isinstance(option, Timestamps) and self.stamp_origin is not None and option.val is not None:
            script, wire = self.stamp_origin
            return Timestamps((option.val - wire + script) & MASK, option.ecr)
        return option


def stamp_error(expected: Timestamps, got: Timestamps) -> int:
    """By how many ticks two time stamps differ."""
    assert expected.val is not None
    assert got.val is not None
    behind = (expected.val - got.val) & MASK
    return behind if behind < HALF else MASK + 1 - behind
