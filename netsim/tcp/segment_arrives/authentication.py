"""Authenticated segments, as in TCP-AO (RFC 5925): a MAC over the whole segment, with a key that both hosts know.

A segment whose MAC is missing or wrong has no effect and is not answered. The MAC is HMAC-SHA-1-96 (RFC 5926 3.2.1).

Simpler than the RFC: the key is used directly, and no traffic key is derived from it and the ISNs (RFC 5925 5.2), so
that a duplicate from an earlier incarnation with the same key passes; one key at a time; sequence numbers of 32 bits.
"""

import dataclasses
import hmac
from typing import Final

from netsim.tcp.clauses import NO_MAC, WRONG_MAC
from netsim.tcp.connection import dropped
from netsim.tcp.counters import Counters
from netsim.tcp.segment import Options, Segment
from netsim.tcp.tcb import Tcb

MAC_BYTES: Final = 12  # 96 bits
_NONE: Final = Options()


def mac_of(segment: Segment, key: str) -> bytes:
    """The MAC of a segment: over the addresses, the header with every option but the MAC itself, and the data."""
    options = segment.options or _NONE
    others = options if options.mac is None else dataclasses.replace(options, mac=None)
    head = (*segment.flow, segment.seq, segment.ack, segment.flags, segment.window, segment.urgent, others)
    return hmac.digest(key.encode(), repr(head).encode() + segment.payload, "sha1")[:MAC_BYTES]


def sign(segment: Segment, key: str) -> None:
    """Give a segment that is about to be sent its MAC."""
    segment.options = dataclasses.replace(segment.options or _NONE, mac=mac_of(segment, key))


def refused_by_mac(segment: Segment, key: str, counters: Counters) -> str:
    """The clause by which the MAC refuses this segment, or the empty string; counts it as Linux does."""
    mac = segment.options.mac if segment.options is not None else None
    if mac is None:
        counters.TcpExtTCPAORequired += 1
        return NO_MAC
    if not hmac.compare_digest(mac, mac_of(segment, key)):
        counters.TcpExtTCPAOBad += 1
        return WRONG_MAC
    counters.TcpExtTCPAOGood += 1
    return ""


def authentic(tcb: Tcb, segment: Segment) -> bool:
    """Whether the segment has the MAC that it must have, if any; before all other checks (RFC 5925 7.3)."""
    key = tcb.config.authentication_key
    reason = refused_by_mac(segment, key, tcb.ctx.counters) if key is not None else ""
    if reason:
        dropped(tcb, segment, reason)
    return not reason
