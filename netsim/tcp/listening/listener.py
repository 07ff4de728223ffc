"""A socket in LISTEN: RFC 9293 3.10.7.2, the SYN queue and the accept queue.

The order in which a SYN is checked is that of Linux's tcp_conn_request. The docstring of this package describes how a
connection passes through both queues.
"""

from collections import deque
from typing import Any

from netsim.tcp.actions import Dropped, Moved, Signal
from netsim.tcp.clauses import (
    ACCEPT_QUEUE_FULL,
    EVICTED,
    LISTEN_1_RST,
    LISTEN_2_ACK,
    LISTEN_3_SYN,
    LISTEN_4_OTHER,
    MAY_2,
    OPEN,
    SYN_COOKIE,
    SYN_QUEUE_FULL,
    SYN_WITH_FIN,
)
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.connection import accepted, allocate, dropped, end, enter
from netsim.tcp.errors import ConnectionReset
from netsim.tcp.host_context import HostContext
from netsim.tcp.listening.counterfactual import answer_syn
from netsim.tcp.listening.fast_open import fast_open_arrives, is_fast_open
from netsim.tcp.listening.syn_cookies import SynCookies
from netsim.tcp.listening.syn_queue import RandomDrop, RecycleOldest, SynCache, SynQueue
from netsim.tcp.output import send_reset_for, send_syn
from netsim.tcp.recovery.ecn import negotiate_ecn
from netsim.tcp.segment import ACK, ECE, FIN, HALF, MASK, RST, SYN, FourTuple, Segment
from netsim.tcp.segment_arrives.authentication import refused_by_mac
from netsim.tcp.segment_arrives.checks import eight_checks
from netsim.tcp.segment_arrives.options import negotiate
from netsim.tcp.segment_arrives.time_wait import first_beyond
from netsim.tcp.state import CLOSED, LEADS_TO, LISTEN, SYN_RECEIVED, TIME_WAIT, State
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT

_new = tuple.__new__  # half the price of Signal(...)


def syn_queue_limit(config: TcpConfig, backlog: int) -> int:
    """The number of slots of the SYN queue, at least one, for a LISTEN with ``backlog``."""
    limit = config.max_syn_backlog
    if limit is not None and config.max_syn_backlog_rule == "reserve-quarter":
        limit = None if config.syn_cookies != "off" else limit - (limit >> 2)
    return max(1, (backlog if limit is None else min(backlog, limit)) + config.backlog_slack)


def _evicting_queue(ctx: HostContext[Tcb], config: TcpConfig, limit: int) -> SynQueue | None:
    """The SYN queue of a configuration in which a new SYN evicts an older entry; None if the new SYN is dropped."""
    if config.syncache_hashsize is not None:
        return SynCache(config.syncache_hashsize, config.syncache_bucketlimit, ctx.secret())
    if config.syn_queue_full == "recycle-oldest":
        return RecycleOldest(limit)
    if config.syn_queue_full == "random-drop":
        return RandomDrop(limit, ctx.stream("SYN queue"))
    return None


class Listener:
    """A passive OPEN. ``flow`` is its local socket, with the remote one unspecified.

    ``syn_queue_length`` counts its connections in SYN-RECEIVED, and ``young`` those of them whose SYN-ACK has not been
    retransmitted by the timer. ``accept_queue`` holds ESTABLISHED connections until the user accepts them. ``deferred``
    are SYN-RECEIVED entries that wait for data after the final ACK (TCP_DEFER_ACCEPT). ``fast_open_pending`` are those
    that Fast Open has put into the accept queue before they were ESTABLISHED. A trace shows the listener as number 0.
    """

    __slots__ = (
        "_accept_limit",
        "_cookies",
        "_evicting_queue",
        "_syn_limit",
        "accept_queue",
        "backlog",
        "config",
        "ctx",
        "deferred",
        "fast_open_pending",
        "flow",
        "id",
        "owner",
        "state",
        "syn_queue_length",
        "young",
    )

    def __init__(
        self, ctx: HostContext[Tcb], config: TcpConfig, flow: FourTuple, backlog: int, owner: Any = None
    ) -> None:
        self.ctx = ctx
        self.config = config
        self.flow = flow
        self.id = 0
        self.state: State = CLOSED
        self.backlog = min(backlog, config.somaxconn)
        self.owner = owner
        self.syn_queue_length = self.young = 0
        self._accept_limit = max(1, self.backlog + config.backlog_slack)
        self._syn_limit = syn_queue_limit(config, self.backlog)
        self._evicting_queue = _evicting_queue(ctx, config, self._syn_limit)
        self._cookies = SynCookies(ctx, config) if config.syn_cookies != "off" else None
        self.accept_queue: deque[Tcb] = deque()
        self.deferred: list[Tcb] = []
        self.fast_open_pending: list[Tcb] = []
        self.enter(LISTEN, OPEN)

    def enter(self, new: State, clause: str) -> None:
        """Change the state of the listener itself; AssertionError if ``clause`` allows no such transition."""
        old = self.state
        assert new in LEADS_TO[old][clause], f"no edge {old} -> {new} by {clause}"
        self.state = new
        if self.ctx.tracing:
            self.ctx.actions.append(Moved(self.id, self.flow, old, new, clause))

    @property
    def port(self) -> int:
        """The local port."""
        return self.flow.sport

    @property
    def accept_queue_full(self) -> bool:
        """Whether the accept queue has no room for one more connection."""
        return len(self.accept_queue) >= self._accept_limit

    def segment_arrives(self, segment: Segment, now: int, previous: Tcb | None = None) -> Tcb | None:
        """3.10.7.2: RST, ACK, SYN, other. Returns the new connection, if a SYN or the ACK of a cookie created one.

        ``previous`` is the old connection in TIME-WAIT, if the SYN may open a new one out of it (MAY-2).
        """
        flags = segment.flags
        key = self.config.authentication_key
        reason = refused_by_mac(segment, key, self.ctx.counters) if key is not None else ""
        if reason:
            return self._drop(segment, reason)
        # "First, check for a RST: ... An incoming RST should be ignored. Return."
        if flags & RST:
            return self._drop(segment, LISTEN_1_RST)
        # "Second, check for an ACK: Any acknowledgment is bad if it arrives on a connection still in the LISTEN state."
        if flags & ACK:
            if self._cookies is not None and not flags & SYN and self._cookies.recently_sent(now):
                return self._cookie_returns(self._cookies, segment, now)
            send_reset_for(self.ctx, segment)
            return self._drop(segment, LISTEN_2_ACK)
        # "Fourth, other data or control: This should not be reached. Drop the segment and return."
        if not flags & SYN:
            return self._drop(segment, LISTEN_4_OTHER)
        # "Third, check for a SYN"
        if flags & FIN and self.config.syn_fin == "drop":
            return self._drop(segment, SYN_WITH_FIN)
        return self._syn_arrives(segment, now, previous)

    def _syn_arrives(self, segment: Segment, now: int, previous: Tcb | None) -> Tcb | None:
        """Create a SYN-RECEIVED entry, or answer with a cookie, or drop the SYN.

        A SYN for a connection in TIME-WAIT needs no free slot: the peer is known to be real.
        """
        config, counters = self.config, self.ctx.counters
        full = self._evicting_queue is None and self.syn_queue_length >= self._syn_limit
        cookies = self._cookies if full or config.syn_cookies == "always" else None
        if previous is not None:
            full, cookies = False, None
        if cookies is not None:
            counters.TcpExtTCPReqQFullDoCookies += 1
        elif full:
            if config.max_syn_backlog_rule == "ceiling" or self.syn_queue_length >= self._accept_limit:
                counters.TcpExtTCPReqQFullDrop += 1  # Linux counts no drop in the quarter that it reserves
            counters.TcpExtListenDrops += 1
            return self._drop(segment, SYN_QUEUE_FULL)
        if len(self.accept_queue) >= self._accept_limit:
            counters.TcpExtListenOverflows += 1
            counters.TcpExtListenDrops += 1
            return self._drop(segment, ACCEPT_QUEUE_FULL)
        if cookies is not None:
            cookies.send_synack(segment, now)
            return None
        if self._evicting_queue is not None:
            entry = self._evicting_queue.to_evict(segment.flow.reverse())
            if entry is not None:
                end(entry, EVICTED, None)
        return self._create_entry(segment, now, previous)

    def admit(self, tcb: Tcb, segment: Segment) -> bool:
        """Whether ``segment``, the handshake's final ACK, may make ``tcb`` ESTABLISHED.

        If the accept queue is full, the ACK is ignored, or the connection is reset.
        """
        if len(self.accept_queue) < self._accept_limit or tcb in self.fast_open_pending:
            return True
        self.ctx.counters.TcpExtListenOverflows += 1
        self.ctx.counters.TcpExtListenDrops += 1
        if self.config.abort_on_overflow:
            send_reset_for(self.ctx, segment, tcb)  # net/ipv4/tcp_minisocks.c, tcp_check_req: as for no connection
            end(tcb, ACCEPT_QUEUE_FULL, ConnectionReset())
        dropped(tcb, segment, ACCEPT_QUEUE_FULL)
        return False

    def handshake_completes(self, tcb: Tcb) -> None:
        """``tcb`` has entered ESTABLISHED: append it to the accept queue.

        Its SYN was no old duplicate, so the connection in TIME-WAIT that it came out of ends (MAY-2).
        """
        previous, tcb.previous = tcb.previous, None
        if previous is not None and previous.state is TIME_WAIT:
            end(previous, MAY_2, None)
        self.ctx.counters.TcpPassiveOpens += 1
        if self.fast_open_pending and tcb in self.fast_open_pending:
            return self.fast_open_pending.remove(tcb)
        self.accept_queue.append(tcb)
        if self.owner is not None and self.owner.waiting:
            self.ctx.actions.append(_new(Signal, (self.owner, False)))

    def _joins_syn_queue(self, tcb: Tcb) -> None:
        self.syn_queue_length += 1
        self.young += 1
        tcb.transmissions = 1
        if self._evicting_queue is not None:
            self._evicting_queue.add(tcb)

    def leaves_syn_queue(self, tcb: Tcb) -> None:
        """``tcb`` has left SYN-RECEIVED: free its slot."""
        self.syn_queue_length -= 1
        if tcb.transmissions == 1:
            self.young -= 1
        if self._evicting_queue is not None:
            self._evicting_queue.remove(tcb)

    def may_retransmit_synack(self, tcb: Tcb, limit: int) -> bool:
        """Whether the SYN-ACK of ``tcb`` may be retransmitted now that its timer has expired.

        Without pruning, ``limit`` transmissions are allowed in all. With it, the limit falls while the SYN queue is
        more than half full, so that half of the slots stay free for young entries (reqsk_timer_handler).
        """
        if self.config.synack_pruning and 2 * self.syn_queue_length > max(8, self.backlog):
            young = 2 * self.young
            while limit > 3 and self.syn_queue_length >= young:
                limit -= 1
                young *= 2
        if tcb.transmissions >= limit:
            return False
        if tcb.transmissions == 1:
            self.young -= 1
        return True

    def _create_entry(self, segment: Segment, now: int, previous: Tcb | None) -> Tcb:
        """Create the connection in SYN-RECEIVED that the SYN in ``segment`` opens, and answer the SYN."""
        ctx, config = self.ctx, self.config
        if previous is not None:
            ctx.counters.TcpExtTWRecycled += 1
        origin = LISTEN if previous is None else TIME_WAIT
        tcb = allocate(ctx, config, segment.flow.reverse(), segment.flow, origin, now)
        tcb.listener = self
        if previous is not None:
            self._open_out_of_time_wait(tcb, previous)
        tcb.irs = segment.seq
        tcb.rcv_nxt = (segment.seq + 1) & MASK
        negotiate(tcb, segment.options, now)
        if segment.flags & ECE:
            negotiate_ecn(tcb, segment)
        tcb.snd_wnd = tcb.max_snd_wnd = segment.window
        tcb.snd_wl1 = segment.seq
        if ctx.tracing:
            accepted(tcb, segment, "SYN", LISTEN_3_SYN)
        enter(tcb, SYN_RECEIVED, LISTEN_3_SYN if previous is None else MAY_2)
        self._joins_syn_queue(tcb)
        cookie = None
        if config.fast_open in ("server", "both") and is_fast_open(config, segment):
            cookie = fast_open_arrives(self, tcb, segment)
            delay = config.ns.fast_open_synack_wait
            if delay is not None and tcb in self.fast_open_pending:
                tcb.arm(REXMT, now, delay)
                return tcb
        elif segment.payload or segment.flags & FIN:
            self._syn_data_arrives(tcb, segment)
        tcb.arm(REXMT, now, config.ns.synack_intervals[0])
        if config.handshake == "three-way":
            send_syn(tcb, now, b"", cookie)
        else:
            answer_syn(tcb, now)
        return tcb

    def _open_out_of_time_wait(self, tcb: Tcb, previous: Tcb) -> None:
        """Keep the old connection until the handshake completes, and choose an ISS beyond all its sequence numbers.

        Should the SYN prove to be an old duplicate, the connection returns to TIME-WAIT (RFC 1122 4.2.2.13).
        """
        tcb.previous = previous
        linux = self.config.time_wait_reuse == "sequence-or-timestamp"
        if linux or not 0 < (tcb.iss - previous.snd_nxt) & MASK < HALF:
            tcb.iss = tcb.snd_una = tcb.snd_nxt = first_beyond(previous)

    def _syn_data_arrives(self, tcb: Tcb, segment: Segment) -> None:
        """Data on the SYN, by ``syn_data``: queued until ESTABLISHED, accepted, or left for the peer to retransmit."""
        policy = self.config.syn_data
        if policy == "queue-active-open":
            return
        data = segment.payload[: tcb.rcv_wnd] if policy != "drop" else b""
        if data and policy == "queue":
            tcb.syn_data = data
        elif data:
            tcb.rcv_buffer = bytearray(data)
            tcb.rcv_nxt = (tcb.rcv_nxt + len(data)) & MASK
            tcb.rcv_wnd -= len(data)
        if segment.flags & FIN and len(data) == len(segment.payload):
            tcb.peer_fin = (segment.seq + 1 + len(data)) & MASK

    def _cookie_returns(self, cookies: SynCookies, segment: Segment, now: int) -> Tcb | None:
        """An ACK for no connection: if it returns a valid cookie, create the connection, which becomes ESTABLISHED."""
        options = cookies.check(segment, now)
        if options is None:
            send_reset_for(self.ctx, segment)
            return self._drop(segment, LISTEN_2_ACK)
        if self.accept_queue_full:
            self.ctx.counters.TcpExtListenOverflows += 1
            self.ctx.counters.TcpExtListenDrops += 1
            return self._drop(segment, ACCEPT_QUEUE_FULL)
        iss = (segment.ack - 1) & MASK
        tcb = allocate(self.ctx, self.config, segment.flow.reverse(), segment.flow, LISTEN, now, iss)
        tcb.listener = self
        tcb.irs, tcb.rcv_nxt = (segment.seq - 1) & MASK, segment.seq
        tcb.last_ack_sent = segment.seq
        tcb.snd_nxt = segment.ack
        tcb.syn_answered_at = now  # no RTT sample: the time at which the SYN-ACK was sent is not stored (Karn)
        negotiate(tcb, options, now)
        enter(tcb, SYN_RECEIVED, SYN_COOKIE)
        self._joins_syn_queue(tcb)
        eight_checks(tcb, segment, now)
        return tcb

    def _drop(self, segment: Segment, clause: str) -> Tcb | None:
        if self.ctx.tracing:
            self.ctx.actions.append(Dropped(0, segment, clause))
        return None
