"""Whether an outbound segment is the one that the script expects: fields, options, IP header, aggregation."""

from netsim.referees.packetdrill.host_under_test import Emitted
from netsim.referees.packetdrill.language.options import (
    CARRIED,
    find_time_stamps,
    format_option,
    is_ignored_everywhere,
    time_stamps,
)
from netsim.referees.packetdrill.language.script import AE, Option, TcpPacket
from netsim.referees.packetdrill.socket_under_test import CODEPOINTS
from netsim.referees.packetdrill.verdict import Unsupported
from netsim.tcp.segment import ACK, CWR, FIN, HALF, MASK, PSH, Segment

_TTL = ("ttl", "hlim")
_TOS = ("tos", "class")
_SAME_FLAGS = ~(FIN | PSH | CWR)


def require_supported(packet: TcpPacket) -> None:
    """Unsupported if the packet has something that the segments of the TCP core do not have."""
    for name, value in packet.ip:
        if name not in CODEPOINTS and name not in ("ect01", *_TTL, *_TOS):
            raise Unsupported(packet.line, f"the IP header's {name} {value}".rstrip())
    if packet.flags & AE or packet.ace is not None:
        raise Unsupported(packet.line, "accurate ECN")
    for option in packet.options or ():
        if option.name not in CARRIED and not (packet.direction == "<" and is_ignored_everywhere(option)):
            raise Unsupported(packet.line, f"the TCP option {format_option(option)}")
    if packet.literal and packet.direction == ">":
        raise Unsupported(packet.line, "absolute sequence numbers")


def differences(expected: TcpPacket, got: TcpPacket) -> list[str]:
    """The names of the fields that differ. ``time_stamp_difference`` compares time stamps; echoes are not compared."""
    names = [name for name in ("flags", "length", "ack", "urgent") if getattr(expected, name) != getattr(got, name)]
    if expected.seq is not None and expected.seq != got.seq:
        names.append("seq")
    if expected.window is not None and expected.window != got.window:
        names.append("window")
    if expected.options is not None and _without_stamps(expected.options) != _without_stamps(got.options or ()):
        names.append("options")
    wanted = {name for name, value in expected.ip if not value}
    wanted |= {"ect0", "ect1"} if "ect01" in wanted else set()
    if wanted and not wanted & ({name for name, value in got.ip if not value} or {"noecn"}):
        names.append("ECN codepoint")
    return names


def ip_header(expected: TcpPacket, emitted: Emitted) -> tuple[tuple[str, str], ...]:
    """The IP header's values of the fields that the script gives a value, decimal or hexadecimal as in the script."""
    found = []
    for name, value in expected.ip:
        if name in (*_TTL, *_TOS):
            got = emitted.ttl if name in _TTL else emitted.tos | emitted.segment.ecn
            found.append((name, hex(got) if value.startswith("0x") else str(got)))
    return tuple(found)


def ip_header_differs(expected: TcpPacket, found: tuple[tuple[str, str], ...]) -> bool:
    """Whether a value of the IP header differs from the script's."""
    wanted = [int(value, 0) for name, value in expected.ip if name in (*_TTL, *_TOS)]
    return wanted != [int(value, 0) for _, value in found]


def _without_stamps(options: tuple[Option, ...]) -> tuple[Option, ...]:
    return tuple(time_stamps(None, None) if option.name == "TS" else option for option in options)


def time_stamp_difference(expected: TcpPacket, got: TcpPacket) -> int:
    """By how many ticks the time stamps differ; 0 where the script has none."""
    wanted, seen = find_time_stamps(expected.options), find_time_stamps(got.options)
    if wanted is None or seen is None or wanted.values[0] is None or seen.values[0] is None:
        return 0
    behind = (wanted.values[0] - seen.values[0]) & MASK
    return behind if behind < HALF else MASK + 1 - behind


def joined(one: Emitted, other: Emitted, largest: int) -> Emitted | None:
    """Two consecutive segments as one, as a host with segmentation offload would pass them to its interface.

    None if they do not fit together: all but the last must have the size ``largest``, and their acknowledgment, window
    and flags other than FIN, PSH and CWR must be the same. The header is that of the last segment, with the sequence
    number and CWR of the first.
    """
    first, last = one.segment, other.segment
    size = len(first.payload)
    if (
        not size
        or size % largest
        or not 0 < len(last.payload) <= largest
        or last.seq != (first.seq + size) & MASK
        or (first.flags ^ last.flags) & _SAME_FLAGS
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
