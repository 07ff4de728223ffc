"""Fast Open (RFC 7413): text on the SYN is taken at once from a client that shows the server's cookie.

The client asks for a cookie with an empty option, keeps one for each server, and sends it with text on its next SYN.
A right cookie makes a connection that can be accepted, read and written in SYN-RECEIVED: one round trip is saved. Any
other SYN gets a right cookie on its SYN-ACK and the usual handshake, and the client sends the text again.

A server takes no more than ``fast_open_queue`` such connections at a time (5.1: PendingFastOpenRequests); beyond them
it goes by the usual handshake. A repeated SYN, or SYN-ACK, carries neither text nor option. There is no defence against
a SYN that the network copied: its text may be delivered twice (2.1).
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
from netsim.tcp.recovery.queue import Sent
from netsim.tcp.segment import ACK, FIN, PSH, ExperimentalCookie, FourTuple, Segment
from netsim.tcp.seq import MASK
from netsim.tcp.state import SYN_RECEIVED
from netsim.tcp.tcb import PassiveOpen, Tcb
from netsim.tcp.timers import REXMT

_COOKIE_SIZES: Final = range(4, 17, 2)  # bytes; RFC 7413 4.1.1: others are ignored
_OPTION_ROOM: Final = 40  # bytes of options that a SYN may carry; its text leaves them free (RFC 7413 4.1.3)


def cookie_for(ctx: HostContext[Tcb], flow: FourTuple, size: int) -> bytes:
    """The server's cookie for the client that wrote ``flow``: a keyed hash of both addresses (4.1.2)."""
    text = f"|fast open|{flow.dst}|{flow.src}".encode()
    return blake2b(ctx.secret() + text, digest_size=size).digest()


def first_room(ctx: HostContext[Tcb], config: TcpConfig, dst: str) -> int:
    """Bytes of text that a SYN to ``dst`` carries: none without a cookie, unless the server needs none."""
    cookie, mss = ctx.cookies.get(dst, (b"", config.mss_default))
    return max(min(mss, config.mss) - _OPTION_ROOM, 0) if cookie or config.fast_open_without_cookie else 0


def send_first_syn(tcb: Tcb, now: int) -> None:
    """The client's SYN (4.2.1): with text and cookie, or asking for a cookie, or with text alone."""
    config = tcb.config
    cookie, _ = tcb.ctx.cookies.get(tcb.flow.dst, (b"", 0))
    text = bytes((tcb.snd_buffer or b"")[: first_room(tcb.ctx, config, tcb.flow.dst)])
    send_syn(tcb, now, data=text, cookie=cookie if cookie or not (text or config.fast_open_without_cookie) else None)
    if text:
        tcb.ctx.counters.TcpExtTCPFastOpenActive += 1
        _note_sent(tcb, text, now)


def speak_early(tcb: Tcb, now: int) -> None:
    """The server has something to send before the third segment: on the SYN-ACK if that still waits, else behind it."""
    if tcb.snd_nxt == tcb.iss:
        room = min(tcb.snd_mss - _OPTION_ROOM, tcb.snd_wnd)
        text = bytes(tcb.snd_buffer[: max(room, 0)]) if tcb.snd_buffer else b""
        tcb.arm(REXMT, now, tcb.config.ns.synack_intervals[0])
        send_syn(tcb, now, data=text)
        if text:
            _note_sent(tcb, text, now)
    output(tcb, now)


def _note_sent(tcb: Tcb, text: bytes, now: int) -> None:
    """``text`` has gone out with our SYN: it is to be acknowledged like any other."""
    start = (tcb.iss + 1) & MASK
    tcb.queue = deque([Sent(start, len(text), ACK | PSH, now)])
    tcb.snd_nxt = (start + len(text)) & MASK


def learn_cookie(tcb: Tcb, segment: Segment) -> None:
    """A SYN-ACK brings a cookie: keep it, and the server's MSS, for the next SYN (4.1.3)."""
    options = segment.options
    if options is None or options.cookie is None or tcb.config.fast_open not in ("client", "both"):
        return
    if tcb.config.fast_open_without_cookie:
        tcb.ctx.cookies[tcb.flow.dst] = (b"", options.mss or tcb.config.mss_default)  # it has not asked for one
    elif len(options.cookie) in _COOKIE_SIZES:
        tcb.ctx.cookies[tcb.flow.dst] = (options.cookie, options.mss or tcb.config.mss_default)


def speaks_early(config: TcpConfig, segment: Segment) -> bool:
    """Whether a SYN is Fast Open's: with a cookie, or a request for one, that this server knows; or just with text."""
    cookie = segment.options.cookie if segment.options is not None else None
    if cookie is not None and (config.fast_open_experimental or not isinstance(cookie, ExperimentalCookie)):
        return True
    return config.fast_open_cookie_optional and segment.payload != b""


def take_early_text(listener: PassiveOpen, tcb: Tcb, segment: Segment) -> bytes | None:
    """The server's side (4.2.2): with a right cookie the text is taken and the connection offered to ``accept``.

    The cookie that the SYN-ACK is to carry; None where the client has a right one.
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
    if len(listener.early) >= config.fast_open_queue:
        listener.early = [t for t in listener.early if t.state is SYN_RECEIVED]
    if len(listener.early) >= config.fast_open_queue:
        counters.TcpExtTCPFastOpenListenOverflow += 1
        return None
    counters.TcpExtTCPFastOpenPassive += 1
    text = segment.payload[: tcb.rcv_wnd]
    if text:
        tcb.rcv_buffer = bytearray(text)
        tcb.rcv_nxt = (tcb.rcv_nxt + len(text)) & MASK
        tcb.rcv_wnd -= len(text)
        if ctx.record:
            accepted(tcb, segment, "DATA", FAST_OPEN)
    if segment.flags & FIN and len(text) == len(segment.payload):
        tcb.peer_fin = tcb.rcv_nxt
    listener.early.append(tcb)
    listener.accept_queue.append(tcb)
    if listener.owner is not None:
        ctx.actions.append(Signal(listener.owner))
    return None
