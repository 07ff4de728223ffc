"""ICMP errors about a connection's own segments: RFC 9293 3.9.2.2, with the checks of RFC 5927 and PMTU discovery.

Which errors are hard, and which of them end a connection, are policies; source quench and redirects are ignored
(MUST-55).
"""

from dataclasses import dataclass
from typing import Final, Literal

from netsim.tcp.clauses import ICMP_ERROR
from netsim.tcp.connection import end, enter, release, signal
from netsim.tcp.errors import ConnectionRefused, TcpError, Unreachable
from netsim.tcp.output import TS_BYTES, retransmit_lost
from netsim.tcp.recovery.queue import resegment
from netsim.tcp.segment import IP_TCP_HEADERS, MASK, FourTuple
from netsim.tcp.state import ESTABLISHED, LISTEN, SYN_RECEIVED
from netsim.tcp.tcb import Tcb

Kind = Literal[
    "net_unreachable",
    "host_unreachable",
    "protocol_unreachable",
    "port_unreachable",
    "frag_needed",
    "source_route_failed",
    "net_unknown",
    "host_unknown",
    "source_host_isolated",
    "net_prohibited",
    "host_prohibited",
    "net_unreachable_for_tos",
    "host_unreachable_for_tos",
    "packet_filtered",
    "precedence_violation",
    "precedence_cutoff",
    "ttl_exceeded",
    "reassembly_exceeded",
    "parameter_problem",
    "source_quench",
    "redirect",
]

_IPV6_MORE: Final = 20  # bytes by which the IPv6 header is longer: RFC 8200 3
_MINIMUM_MTU: Final = 68  # RFC 791 3.2

# The error numbers by which Linux reports them (net/ipv4/icmp.c, icmp_err_convert; net/ipv4/tcp_ipv4.c, tcp_v4_err).
_ERRNO: Final[dict[Kind, str]] = {
    "net_unreachable": "ENETUNREACH",
    "host_unreachable": "EHOSTUNREACH",
    "protocol_unreachable": "ENOPROTOOPT",
    "port_unreachable": "ECONNREFUSED",
    "source_route_failed": "EOPNOTSUPP",
    "net_unknown": "ENETUNREACH",
    "host_unknown": "EHOSTDOWN",
    "source_host_isolated": "ENONET",
    "net_prohibited": "ENETUNREACH",
    "host_prohibited": "EHOSTUNREACH",
    "net_unreachable_for_tos": "ENETUNREACH",
    "host_unreachable_for_tos": "EHOSTUNREACH",
    "packet_filtered": "EHOSTUNREACH",
    "precedence_violation": "EHOSTUNREACH",
    "precedence_cutoff": "EHOSTUNREACH",
    "ttl_exceeded": "EHOSTUNREACH",
    "reassembly_exceeded": "EHOSTUNREACH",
    "parameter_problem": "EPROTO",
}
_HARD: Final[dict[str, frozenset[Kind]]] = {
    "rfc9293": frozenset(
        {"protocol_unreachable", "port_unreachable"}
    ),  # SHLD-26; frag_needed is for path MTU discovery
    "unreachable-or-prohibited": frozenset(
        {
            "protocol_unreachable",
            "port_unreachable",
            "net_prohibited",
            "host_prohibited",
            "packet_filtered",
            "ttl_exceeded",
        }
    ),
}
_BSD_RETRANSMISSIONS: Final = 3  # sys/netinet/tcp_subr.c, tcp_notify


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An ICMP message that quotes one of our segments: its four-tuple as we wrote it, and its sequence number.

    ``mtu`` of the next hop that the segment was too large for, in bytes (RFC 1191 4); 0 if the message has none.
    """

    flow: FourTuple
    seq: int
    kind: Kind
    mtu: int = 0


def icmp_arrives(tcb: Tcb, message: IcmpError, now: int) -> None:
    """Act on an error about an outstanding segment; the message is old or forged otherwise (RFC 5927 4.1)."""
    if (message.seq - tcb.snd_una) & MASK >= (tcb.snd_nxt - tcb.snd_una) & MASK:
        return None
    if message.kind == "frag_needed":
        return _too_big(tcb, message.mtu, now) if tcb.config.pmtu_discovery else None
    errno = _ERRNO.get(message.kind)
    if errno is None:
        return None
    hard = message.kind in _HARD[tcb.config.icmp_hard]
    if _ends(tcb, hard=hard):
        return _abort(tcb, _error_of(tcb, message.kind, errno))
    tcb.soft_error = Unreachable(errno)
    return signal(tcb)


def _ends(tcb: Tcb, *, hard: bool) -> bool:
    config = tcb.config
    if tcb.state >= ESTABLISHED:
        return hard and config.icmp_synchronized == "hard"
    match config.icmp_opening:
        case "any":
            return True
        case "hard":
            return hard
        case "hard-or-repeated":
            repeated = tcb.soft_error is not None and tcb.transmissions > _BSD_RETRANSMISSIONS + 1
            return hard or repeated
        case "ignore":
            return False


def _error_of(tcb: Tcb, kind: Kind, errno: str) -> TcpError:
    prohibited = kind in _HARD["unreachable-or-prohibited"] and kind != "ttl_exceeded"
    if errno == "ECONNREFUSED" or (tcb.config.icmp_hard == "unreachable-or-prohibited" and prohibited):
        return ConnectionRefused()
    return Unreachable(errno)


def _abort(tcb: Tcb, error: TcpError) -> None:
    if tcb.state is SYN_RECEIVED and tcb.passive:
        enter(tcb, LISTEN, ICMP_ERROR)
        return release(tcb, None)
    if tcb.state < ESTABLISHED:
        tcb.ctx.counters.TcpAttemptFails += 1
    return end(tcb, ICMP_ERROR, error)


def _too_big(tcb: Tcb, mtu: int, now: int) -> None:
    """The path MTU is smaller: reduce the MSS, and retransmit what was too large immediately (RFC 1191 3, 6.4)."""
    headers = IP_TCP_HEADERS + (_IPV6_MORE if ":" in tcb.four_tuple.dst else 0) + (TS_BYTES if tcb.ts_ok else 0)
    mss = max(mtu, _MINIMUM_MTU) - headers
    if tcb.state < ESTABLISHED or not 0 < mss < tcb.snd_mss:
        return
    tcb.snd_mss = mss
    if tcb.congestion is not None:
        tcb.congestion.mss = mss
    if tcb.queue:
        resegment(tcb, mss)
    retransmit_lost(tcb, now)
