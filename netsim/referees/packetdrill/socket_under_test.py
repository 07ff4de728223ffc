"""The socket under test: its numbers on the wire and in the script, and the translation between them.

A SYN segment has the script's numbers as written, and its ISN is the script's own. Every other segment counts from the
ISN, so that 1 is the first byte of data. Time stamps are translated by the pairs that were seen
(google/packetdrill, run_packet.c).
"""

from dataclasses import dataclass, field
from typing import Final

from netsim.referees.packetdrill.language.options import blocks, find_time_stamps, time_stamps
from netsim.referees.packetdrill.language.script import Option, TcpPacket
from netsim.referees.packetdrill.option_layout import OptionStyle, layout
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.segment import ACK, MASK, SYN, ExperimentalCookie, FourTuple, Options, Segment

# RFC 3168 5, by the names that scripts use.
CODEPOINTS: Final = {"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3}
_NAMES: Final = ((), ("ect1",), ("ect0",), ("ce",))


@dataclass(slots=True)
class SocketUnderTest:
    """``flow`` is the four-tuple as our end sends it; None until a packet or a connect determines it.

    ``local_isn`` and ``remote_isn`` are (script's, wire's), or None before the SYN. ``stamps`` maps the script's time
    stamps to the wire's; ``stamp_origin`` is the first pair of them. ``cookies`` maps the script's Fast Open cookies to
    the wire's, hexadecimal: those that this host generates depend on its key.
    """

    flow: FourTuple | None = None
    local_isn: tuple[int, int] | None = None
    remote_isn: tuple[int, int] | None = None
    stamps: dict[int, int] = field(default_factory=dict)
    stamp_origin: tuple[int, int] | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    def _local_offset(self, flags: int) -> int:
        script, wire = self.local_isn or (0, 0)
        return wire - script if flags & SYN else wire

    def _remote_offset(self, flags: int) -> int:
        script, wire = self.remote_isn or (0, 0)
        return wire - script if flags & SYN else wire

    def to_wire(self, packet: TcpPacket) -> Segment:
        """The segment that an inbound packet of the script is on the wire."""
        assert self.flow is not None
        assert packet.window is not None
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
            ecn=_codepoint(packet),
        )

    def _options(self, packet: TcpPacket) -> Options | None:
        if not packet.options:
            return None
        found = Options()
        for option in packet.options:
            match option.name:
                case "mss":
                    found.mss = option.values[0]
                case "wscale":
                    found.wscale = option.values[0]
                case "sackOK":
                    found.sack_permitted = True
                case "TS":
                    found.ts_val, found.ts_ecr = option.values[0], self._echo(option, packet.line)
                    if found.ts_val is None:
                        raise Unsupported(packet.line, "an inbound time stamp without a value")
                case "FO":
                    found.cookie = bytes.fromhex(self.cookies.get(option.data, option.data))
                case "FOEXP":
                    found.cookie = ExperimentalCookie.fromhex(self.cookies.get(option.data, option.data))
                case "sack":
                    offset = self._local_offset(packet.flags)
                    found.sack = tuple(((a + offset) & MASK, (b + offset) & MASK) for a, b in blocks(option))
        return found

    def _echo(self, option: Option, line: int) -> int:
        echo = option.values[1]
        if echo is None:
            raise Unsupported(line, "an inbound time stamp without an echo")
        if option.literal or echo == 0:
            return echo
        if echo not in self.stamps:
            raise Failure(line, f"ecr {echo} echoes no time stamp that the script has seen")
        return self.stamps[echo]

    def learn(self, expected: TcpPacket, segment: Segment) -> None:
        """Learn from an outbound segment which wire number a number of the script stands for."""
        if expected.flags & segment.flags & SYN and self.local_isn is None:
            self.local_isn = (expected.seq or 0, segment.seq)
        self._learn_cookie(expected, segment)
        stamp, options = find_time_stamps(expected.options), segment.options
        val = stamp.values[0] if stamp is not None else None
        if val is None or options is None or options.ts_val is None:
            return
        if self.stamp_origin is None:
            self.stamp_origin = (val, options.ts_val)
        self.stamps[val] = options.ts_val

    def _learn_cookie(self, expected: TcpPacket, segment: Segment) -> None:
        """A SYN,ACK of this host shows the cookie that the script writes in another way."""
        written = next((o.data for o in expected.options or () if o.name in ("FO", "FOEXP") and o.data), "")
        made = segment.options.cookie if segment.options is not None else None
        if made and not expected.flags & ~(SYN | ACK) & 0xFF and expected.flags & ACK and len(written) == 2 * len(made):
            self.cookies[written] = made.hex()

    def to_script(self, segment: Segment, style: OptionStyle) -> TcpPacket:
        """What the host sent, with the script's numbers."""
        flags = segment.flags
        options = tuple(self._option_in_script(option) for option in layout(segment.options, style))
        return TcpPacket(
            direction=">",
            flags=flags,
            seq=(segment.seq - self._local_offset(flags)) & MASK,
            length=len(segment.payload),
            ack=(segment.ack - self._remote_offset(flags)) & MASK if flags & ACK else segment.ack,
            window=segment.window,
            urgent=segment.urgent,
            options=options,
            ip=tuple((name, "") for name in _NAMES[segment.ecn]),
        )

    def _option_in_script(self, option: Option) -> Option:
        if option.name == "sack":
            offset = self._remote_offset(0)
            return Option("sack", tuple((edge - offset) & MASK for edge in option.values if edge is not None))
        if option.name in ("FO", "FOEXP"):
            script = {wire: script for script, wire in self.cookies.items()}
            return Option(option.name, data=script.get(option.data, option.data))
        if option.name == "TS" and self.stamp_origin is not None and option.values[0] is not None:
            origin, wire = self.stamp_origin
            return time_stamps((option.values[0] - wire + origin) & MASK, option.values[1])
        return option


def _codepoint(packet: TcpPacket) -> int:
    """The ECN codepoint of an inbound packet, by its name or as the low bits of the whole field."""
    for name, value in packet.ip:
        if name in CODEPOINTS:
            return CODEPOINTS[name]
        if name in ("tos", "class"):
            return int(value, 0) & 3
    return 0
