"""The ICMP messages of a script as errors that the TCP core knows."""

from typing import Final, cast, get_args

from netsim.referees.packetdrill.language.script import IcmpPacket
from netsim.referees.packetdrill.verdict import Unsupported
from netsim.tcp.segment import MASK, FourTuple
from netsim.tcp.segment_arrives.icmp import IcmpError, Kind

# Names of ICMP (RFC 792, RFC 1122) and ICMPv6 (RFC 4443) for which the core has another one.
_CODES: Final[dict[str, Kind]] = {
    "no_route": "net_unreachable",
    "not_neighbour": "host_unreachable",
    "addr_unreachable": "host_unreachable",
    "address_unreachable": "host_unreachable",
    "admin_prohibited": "packet_filtered",
    "host_unreach_for_tos": "host_unreachable_for_tos",
    "net_unreach_for_tos": "net_unreachable_for_tos",
}
_KINDS: Final[dict[str, Kind]] = {
    "packet_too_big": "frag_needed",
    "parameter_problem": "parameter_problem",
    "parameter_prob": "parameter_problem",
    "source_quench": "source_quench",
    "redirect": "redirect",
}
_EXCEEDED: Final[dict[str | None, Kind]] = {
    None: "ttl_exceeded",
    "ttl_exceeded_in_transit": "ttl_exceeded",
    "exceeded_ttl": "ttl_exceeded",
    "exceeded_hop_limit": "ttl_exceeded",
    "exceeded_frag_time": "reassembly_exceeded",
    "frag_reass_exceeded": "reassembly_exceeded",
    "exceeded_fragtime": "reassembly_exceeded",
}


def icmp_error(packet: IcmpPacket, flow: FourTuple, isn: int) -> IcmpError:
    """The error about a segment of ``flow``, whose number counts from ``isn``. Unsupported if it is not known."""
    if packet.quoted != "tcp":
        raise Unsupported(packet.line, f"ICMP messages that quote {packet.quoted}")
    kind = _kind(packet)
    if kind is None:
        raise Unsupported(packet.line, f"the ICMP message {packet.kind} {packet.code or ''}".rstrip())
    return IcmpError(flow, (isn + (packet.seq or 0)) & MASK, kind, packet.mtu or 0)


def _kind(packet: IcmpPacket) -> Kind | None:
    if packet.kind in ("unreachable", "destination_unreachable"):
        known = packet.code in get_args(Kind)
        return cast(Kind, packet.code) if known else _CODES.get(packet.code or "net_unreachable")
    if packet.kind == "time_exceeded":
        return _EXCEEDED.get(packet.code)
    return _KINDS.get(packet.kind)
