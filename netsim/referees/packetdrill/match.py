"""Whether what the host sent is what the script expects: fields, options, aggregation, time."""

from netsim.referees.packetdrill.host_under_test import Emitted
from netsim.referees.packetdrill.language.options import CARRIED, stamps, stamps_in, text, unknown_to_all
from netsim.referees.packetdrill.language.script import AE, Option, TcpPacket
from netsim.referees.packetdrill.socket_under_test import CODEPOINTS
from netsim.referees.packetdrill.verdict import Unsupported
from netsim.tcp.segment import ACK, CWR, FIN, PSH, Segment
from netsim.tcp.seq import HALF, MASK

_TTL = ("ttl", "hlim")
_TOS = ("tos", "class")
_MAY_DIFFER = ~(FIN | PSH | CWR)


def require_supported(packet: TcpPacket) -> None:
    """Unsupported for what the TCP core's segments cannot carry."""
    for name, value in packet.ip:
        if name not in CODEPOINTS and name not in ("ect01", *_TTL, *_TOS):
            raise Unsupported(packet.line, f"the IP header's {name} {value}".rstrip())
    if packet.flags & AE or packet.ace is not None:
        raise Unsupported(packet.line, "accurate ECN")
    for option in packet.options or ():
        if option.name not in CARRIED and not (packet.direction == "<" and unknown_to_all(option)):
            raise Unsupported(packet.line, f"the TCP option {text(option)}")
    if packet.literal and packet.direction == ">":
        raise Unsupported(packet.line, "absolute sequence numbers")


def differences(expected: TcpPacket, got: TcpPacket) -> list[str]:
    """The names of the fields that differ. Time stamps are compared by ``stamps_differ``, echoes not at all."""
    names = [name for name in ("flags", "length", "ack", "urgent") if getattr(expected, name) != getattr(got, name)]
    if expected.seq is not None and expected.seq != got.seq:
        names.append("seq")
    if expected.window is not None and expected.window != got.window:
        names.append("window")
    if expected.options is not None and _shape(expected.options) != _shape(got.options or ()):
        names.append("options")
    wanted = {name for name, value in expected.ip if not value}
    wanted |= {"ect0", "ect1"} if "ect01" in wanted else set()
    if wanted and not wanted & ({name for name, value in got.ip if not value} or {"noecn"}):
        names.append("ECN codepoint")
    return names


def header(expected: TcpPacket, emitted: Emitted) -> tuple[tuple[str, str], ...]:
    """What the IP header has in the fields that the script names with a value, in the script's own notation."""
    found = []
    for name, value in expected.ip:
        if name in (*_TTL, *_TOS):
            got = emitted.ttl if name in _TTL else emitted.tos | emitted.segment.ecn
            found.append((name, hex(got) if value.startswith("0x") else str(got)))
    return tuple(found)


def header_differs(expected: TcpPacket, found: tuple[tuple[str, str], ...]) -> bool:
    """Whether one of those fields is not what the script wants."""
    wanted = [int(value, 0) for name, value in expected.ip if name in (*_TTL, *_TOS)]
    return wanted != [int(value, 0) for _, value in found]


def _shape(options: tuple[Option, ...]) -> tuple[Option, ...]:
    return tuple(stamps(None, None) if option.name == "TS" else option for option in options)


def stamp_difference(expected: TcpPacket, got: TcpPacket) -> int:
    """By how many ticks the time stamps differ; 0 where the script gives none."""
    wanted, seen = stamps_in(expected.options), stamps_in(got.options)
    if wanted is None or seen is None or wanted.values[0] is None or seen.values[0] is None:
        return 0
    behind = (wanted.values[0] - seen.values[0]) & MASK
    return behind if behind < HALF else MASK + 1 - behind


def joined(one: Emitted, other: Emitted, largest: int) -> Emitted | None:
    """Two consecutive segments as one, as a host that leaves segmentation to its interface would send them.

    None if they do not fit together: all but the last must have one size (``largest``), and the same acknowledgment,
    window and flags but for FIN, PSH and CWR. Headers are those of the last, number and CWR of the first.
    """
    first, last = one.segment, other.segment
    size = len(first.payload)
    if (
        not size
        or size % largest
        or not 0 < len(last.payload) <= largest
        or last.seq != (first.seq + size) & MASK
        or (first.flags ^ last.flags) & _MAY_DIFFER
        or (first.ack, first.window) != (last.ack, last.window)
        or not last.flags & ACK
    ):
        return None
    flags = last.flags & ~CWR | first.flags & CWR
    return Emitted(
        Segment(
            first.flow,
            first.seq,
            last.ack,
            flags,
            last.window,
            first.payload + last.payload,
            last.options,
            last.urgent,
            last.ecn,
        ),
        other.at,
        other.ttl,
        other.tos,
    )
