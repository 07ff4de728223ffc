"""Fast Open (RFC 7413): a client that presents the server's cookie has the data on its SYN delivered immediately.

The client requests a cookie with an empty option, stores one for each server, and sends it with data on its next SYN. A
valid cookie makes a connection that can be accepted, read and written in SYN-RECEIVED, which saves one round trip. Any
other SYN gets a valid cookie on its SYN-ACK and the usual handshake, and the client retransmits the data.

A server has at most ``fast_open_queue`` such connections at a time (5.1: PendingFastOpenRequests); beyond them it uses
the usual handshake. A retransmitted SYN or SYN-ACK carries neither data nor the option. There is no defence against a
SYN that the network duplicated: its data may be delivered twice (2.1).
"""

from collections import deque
from hashlib import blake2b
from typing import Final

from netsim.tcp.actions import Signal
from netsim.tcp.clauses import FAST_OPEN
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.connection import accepted
from netsim.tcp.host_context import HostContext
from netsim.tcp.output import output, send_syn
from netsim.tcp.recovery.variables import Sent
from netsim.tcp.segment import ACK, FIN, MASK, PSH, ExperimentalCookie, FourTuple, Segment
from netsim.tcp.state import SYN_RECEIVED
from netsim.tcp.tcb import PassiveOpen, Tcb
from netsim.tcp.timers import REXMT

_COOKIE_SIZES: Final = range(4, 17, 2)  # bytes; RFC 7413 4.1.1: others are ignored
_OPTION_ROOM: Final = 40  # bytes of options that a SYN may carry; its data leaves them free (RFC 7413 4.1.3)


def cookie_for(ctx: HostContext[Tcb], flow: FourTuple, size: int) -> bytes:
    """The server's cookie (``size`` bytes) for the client that wrote ``flow``: a hash of both addresses (4.1.2)."""
    text = f"|fast open|{flow.dst}|{flow.src}".encode()
    return blake2b(ctx.secret() + text, digest_size=size).digest()


def syn_data_room(ctx: HostContext[Tcb], config: TcpConfig, dst: str) -> int:
    """Bytes of data that a SYN to ``dst`` may carry: none without a cookie, unless the server needs none."""
    cookie, mss = ctx.cookies.get(dst, (b"", config.mss_default))
    return max(min(mss, config.mss) - _OPTION_ROOM, 0) if cookie or config.fast_open_without_cookie else 0


def send_fast_open_syn(tcb: Tcb, now: int) -> None:
    """The client's SYN (4.2.1): with data and cookie, or with a request for a cookie, or with data alone."""
    config = tcb.config
    cookie, _ = tcb.ctx.cookies.get(tcb.four_tuple.dst, (b"", 0))
    data = bytes((tcb.snd_buffer or b"")[: syn_data_room(tcb.ctx, config, tcb.four_tuple.dst)])
    send_syn(tcb, now, data=data, cookie=cookie if cookie or not (data or config.fast_open_without_cookie) else None)
    if data:
        tcb.ctx.counters.TcpExtTCPFastOpenActive += 1
        _queue_for_retransmission(tcb, data, now)


def send_before_final_ack(tcb: Tcb, now: int) -> None:
    """Send a server's data before the handshake's final ACK: on the SYN-ACK if that was delayed, else behind it."""
    if tcb.snd_nxt == tcb.iss:
        room = min(tcb.snd_mss - _OPTION_ROOM, tcb.snd_wnd)
        data = bytes(tcb.snd_buffer[: max(room, 0)]) if tcb.snd_buffer else b""
        tcb.arm(REXMT, now, tcb.config.ns.synack_intervals[0])
        send_syn(tcb, now, data=data)
        if data:
            _queue_for_retransmission(tcb, data, now)
    output(tcb, now)


def _queue_for_retransmission(tcb: Tcb, data: bytes, now: int) -> None:
    """``data`` was sent on our SYN: it has to be acknowledged like any other."""
    start = (tcb.iss + 1) & MASK
    tcb.queue = deque([Sent(start, len(data), ACK | PSH, now)])
    tcb.snd_nxt = (start + len(data)) & MASK


def store_cookie(tcb: Tcb, segment: Segment) -> None:
    """Store the cookie that a SYN-ACK carries, and the server's MSS, for the next SYN (4.1.3)."""
    options = segment.options
    if options is None or options.cookie is None or tcb.config.fast_open not in ("client", "both"):
        return
    if tcb.config.fast_open_without_cookie:
        tcb.ctx.cookies[tcb.four_tuple.dst] = (b"", options.mss or tcb.config.mss_default)  # no cookie was requested
    elif len(options.cookie) in _COOKIE_SIZES:
        tcb.ctx.cookies[tcb.four_tuple.dst] = (options.cookie, options.mss or tcb.config.mss_default)


def is_fast_open(config: TcpConfig, segment: Segment) -> bool:
    """Whether a SYN uses Fast Open in a form that the server knows: a cookie, a request for one, or data alone."""
    cookie = segment.options.cookie if segment.options is not None else None
    if cookie is not None and (config.fast_open_experimental or not isinstance(cookie, ExperimentalCookie)):
        return True
    return config.fast_open_cookie_optional and segment.payload != b""


def fast_open_arrives(listener: PassiveOpen, tcb: Tcb, segment: Segment) -> bytes | None:
    """The server's side (4.2.2): with a valid cookie the data is taken and the connection offered to ``accept``.

    Returns the cookie that the SYN-ACK must carry; None for a client that has a valid one.
    """
    ctx, config = listener.ctx, listener.config
    counters = ctx.counters
    cookie = cookie_for(ctx, segment.flow, config.fast_open_cookie)
    given = segment.options.cookie if segment.options is not None else None
    if given != cookie and not (segment.payload and config.fast_open_cookie_optional):
        counters.TcpExtTCPFastOpenCookieReqd += not given
        counters.TcpExtTCPFastOpenPassiveFail += bool(given)
        if given is None:
            return None
        return ExperimentalCookie(cookie) if isinstance(given, ExperimentalCookie) else cookie
    if len(listener.fast_open_pending) >= config.fast_open_queue:
        listener.fast_open_pending = [t for t in listener.fast_open_pending if t.state is SYN_RECEIVED]
    if len(listener.fast_open_pending) >= config.fast_open_queue:
        counters.TcpExtTCPFastOpenListenOverflow += 1
        return None
    counters.TcpExtTCPFastOpenPassive += 1
    data = segment.payload[: tcb.rcv_wnd]
    if data:
        tcb.rcv_buffer = bytearray(data)
        tcb.rcv_nxt = (tcb.rcv_nxt + len(data)) & MASK
        tcb.rcv_wnd -= len(data)
        if ctx.tracing:
            accepted(tcb, segment, "DATA", FAST_OPEN)
    if segment.flags & FIN and len(data) == len(segment.payload):
        tcb.peer_fin = tcb.rcv_nxt
    listener.fast_open_pending.append(tcb)
    listener.accept_queue.append(tcb)
    if listener.owner is not None:
        ctx.actions.append(Signal(listener.owner))
    return None
