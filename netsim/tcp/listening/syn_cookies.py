"""SYN cookies at work: the SYN-ACK that carries one, and the SYN that the ACK of it stands for (RFC 4987 3.6).

How a cookie is laid out is a policy, ``netsim/tcp/config/syn_cookie.py``.
"""

from typing import Final

from netsim.tcp.actions import Accepted, Transmit
from netsim.tcp.clauses import SYN_COOKIE
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.syn_cookie import key_of, options_of, stamped
from netsim.tcp.host_context import HostContext
from netsim.tcp.output import MAX_WINDOW, syn_options
from netsim.tcp.segment import ACK, MASK, SYN, Options, Segment
from netsim.tcp.segment_arrives.authentication import sign
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER

_PHASES: Final = 1920 * 32 * 10**9  # ns; a whole number of 60 s, of 64 s, and of 32 of the latter
_NONE: Final = Options()


class SynCookies:
    """Makes and checks the cookies of one listener. It keeps its key, its clock and when it last sent a cookie."""

    __slots__ = ("_config", "_ctx", "_key", "_phase", "_sent_at")

    def __init__(self, ctx: HostContext[Tcb], config: TcpConfig) -> None:
        self._ctx = ctx
        self._config = config
        self._sent_at = -NEVER
        self._key = b""
        self._phase = -1

    def _secret(self) -> tuple[bytes, int]:
        """The key, and what the host's clock read at simulated time 0 (ns): random, as the host was running before."""
        if self._phase < 0:
            key = self._config.syn_cookie_key
            self._key = key_of(key) if key is not None else self._ctx.secret()
            self._phase = int(self._ctx.stream("cookies").random() * _PHASES)
        return self._key, self._phase

    def recently_sent(self, now: int) -> bool:
        """Whether an ACK for no connection may return a cookie at all: one was sent not long ago."""
        recent = self._config.ns.syn_cookie_recent
        return recent is None or now - self._sent_at <= recent

    def send_synack(self, segment: Segment, now: int) -> None:
        """Answer a SYN by a SYN-ACK whose ISN is a cookie; it offers other options only if timestamps encode them."""
        ctx, config = self._ctx, self._config
        peer = segment.options if segment.options is not None else _NONE
        flow = segment.flow.reverse()
        key, phase = self._secret()
        mss = peer.mss or config.mss_default
        iss = config.syn_cookie.make(irs=segment.seq, flow=flow, mss=mss, now=now, key=key, phase=phase)
        if peer.ts_val is not None and config.timestamps and config.syn_cookie.stamps:
            scaling = peer.wscale is not None and config.window_scale is not None
            sack = config.sack and peer.sack_permitted
            clock = stamped(now // config.ns.ts_tick, min(peer.wscale or 0, 14) if scaling else None, sack=sack)
            stamp = (ctx.ts_clock(0, config) + clock) & MASK
            options = Options(config.mss, config.window_scale if scaling else None, sack, stamp, peer.ts_val)
        else:
            options = syn_options(config.mss, None, False)
        self._sent_at = now
        ctx.counters.TcpExtSyncookiesSent += 1
        ctx.counters.TcpOutSegs += 1
        if ctx.tracing:
            ctx.actions.append(Accepted(0, segment, "SYN", SYN_COOKIE))
        window = min(config.receive_buffer, MAX_WINDOW)
        synack = Segment(flow, iss, (segment.seq + 1) & MASK, SYN | ACK, window, b"", options)
        if config.authentication_key is not None:
            sign(synack, config.authentication_key)
        ctx.actions.append(Transmit(synack, 0))

    def check(self, segment: Segment, now: int) -> Options | None:
        """The options of the SYN that the cookie in ``segment`` stands for; None if the cookie is not valid."""
        ctx, config = self._ctx, self._config
        key, phase = self._secret()
        mss = config.syn_cookie.check(
            cookie=(segment.ack - 1) & MASK,
            irs=(segment.seq - 1) & MASK,
            flow=segment.flow.reverse(),
            now=now,
            key=key,
            phase=phase,
        )
        if mss is None:
            ctx.counters.TcpExtSyncookiesFailed += 1
            return None
        ctx.counters.TcpExtSyncookiesRecv += 1
        peer = segment.options
        if peer is None or peer.ts_val is None or not config.timestamps or not config.syn_cookie.stamps:
            return Options(mss)
        return options_of(((peer.ts_ecr or 0) - ctx.ts_clock(0, config)) & MASK, mss, peer.ts_val)
