"""Whether what the host sent is what the script expects: fields, options, aggregation, time."""

from netsim.packetdrill.exchange import Emitted
from netsim.packetdrill.script import AE, Option, TcpPacket, Timestamps
from netsim.packetdrill.subject import stamp_error
from netsim.packetdrill.verdict import Unsupported
from netsim.tcp.segment import ACK, CWR, FIN, PSH, Segment
from netsim.tcp.seq import MASK

_MAY_DIFFER = ~(FIN | PSH | CWR)


def require_supported(packet: TcpPacket) -> None:
    """Unsupported for what the TCP core's segments cannot carry."""
    for name, value in packet.ip:
        if name != "noecn":
            raise Unsupported(packet.line, f"the IP header's {name} {value}".rstrip())
    if packet.ports is not None:
        raise Unsupported(packet.line, "explicit ports")
    if packet.flags & AE:
        raise Unsupported(packet.line, "the flag A (accurate ECN)")
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
    return names


def _shape(options: tuple[Option, ...]) -> tuple[Option, ...]:
    return tuple(Timestamps(None, None) if isinstance(option, Timestamps) else option for option in options)


def stamp_difference(expected: TcpPacket, got: TcpPacket) -> int:
    """By how many ticks the time stamps differ; 0 where the script gives none."""
    stamps = [
        next((option for option in packet.options or () if isinstance(option, Timestamps)), None)
        for packet in (expected, got)
    ]
    if stamps[0] is None or stamps[1] is None or stamps[0].val is None:
        return 0
    return stamp_error(stamps[0], stamps[1])


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
            first.flow, first.seq, last.ack, flags, last.window, first.payload + last.payload, last.options, last.urgent
        ),
        other.at,
    )
