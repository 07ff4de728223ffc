"""A socket in LISTEN: the SYN queue, the accept queue, SYN cookies, and RFC 9293 3.10.7.2.

A half-open connection is a record of its own in SYN-RECEIVED, counted against the SYN queue; once ESTABLISHED it waits
in the accept queue until the user takes it. The order of the checks is that of Linux's tcp_conn_request.
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
from netsim.tcp.listening.fast_open import speaks_early, take_early_text
from netsim.tcp.listening.syn_cookies import CookieJar
from netsim.tcp.listening.syn_queue import RandomDrop, RecycleOldest, SynCache, SynQueue
from netsim.tcp.output import send_reset_for, send_syn
from netsim.tcp.recovery.ecn import negotiate_ecn
from netsim.tcp.segment import ACK, ECE, FIN, RST, SYN, FourTuple, Segment
from netsim.tcp.segment_arrives.authentication import refused_by_mac
from netsim.tcp.segment_arrives.checks import in_later_states
from netsim.tcp.segment_arrives.options import negotiate
from netsim.tcp.segment_arrives.time_wait import first_beyond
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.state import CLOSED, LEADS_TO, LISTEN, SYN_RECEIVED, TIME_WAIT, State
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT

_new = tuple.__new__  # half the price of Signal(...)


def syn_queue_limit(config: TcpConfig, backlog: int) -> int:
    """How many half-open entries there may be before the queue counts as full; at least one."""
    most = config.max_syn_backlog
    if most is not None and config.max_syn_backlog_rule == "reserve-quarter":
        most = None if config.syn_cookies != "off" else most - (most >> 2)
    return max(1, (backlog if most is None else min(backlog, most)) + config.backlog_slack)


def _queue(ctx: HostContext[Tcb], config: TcpConfig, limit: int) -> SynQueue | None:
    """What lets old entries give way; None where new ones do."""
    if config.syncache_hashsize is not None:
        return SynCache(config.syncache_hashsize, config.syncache_bucketlimit, ctx.secret())
    if config.syn_queue_full == "recycle-oldest":
        return RecycleOldest(limit)
    if config.syn_queue_full == "random-drop":
        return RandomDrop(limit, ctx.stream("SYN queue"))
    return None


class Listener:
    """A passive OPEN. ``half_open`` counts records in SYN-RECEIVED; ``accept_queue`` holds those ESTABLISHED.

    ``young`` counts the half-open records whose SYN-ACK no timer has repeated yet.

    ``flow`` is the local socket with the remote one unspecified. The changes of its own state are told as those of
    record 0.
    """

    __slots__ = (
        "_accept_limit",
        "_cookies",
        "_queue",
        "_syn_limit",
        "accept_queue",
        "backlog",
        "config",
        "ctx",
        "deferred",
        "early",
        "flow",
        "half_open",
        "id",
        "owner",
        "state",
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
        self.half_open = self.young = 0
        self._accept_limit = max(1, self.backlog + config.backlog_slack)
        self._syn_limit = syn_queue_limit(config, self.backlog)
        self._queue = _queue(ctx, config, self._syn_limit)
        self._cookies = CookieJar(ctx, config) if config.syn_cookies != "off" else None
        self.accept_queue: deque[Tcb] = deque()
        self.deferred: list[Tcb] = []  # TCP_DEFER_ACCEPT: the peer has our SYN-ACK, its text is awaited
        self.early: list[Tcb] = []  # Fast Open: in the accept queue, or accepted, before they are ESTABLISHED
        self.enter(LISTEN, OPEN)

    def enter(self, new: State, clause: str) -> None:
        """Change the state of the listener itself; AssertionError if no such edge exists."""
        old = self.state
        assert new in LEADS_TO[old][clause], f"no edge {old} -> {new} by {clause}"
        self.state = new
        if self.ctx.record:
            self.ctx.actions.append(Moved(self.id, self.flow, old, new, clause))

    @property
    def port(self) -> int:
        """The local port."""
        return self.flow.sport

    @property
    def accept_queue_full(self) -> bool:
        """Whether one more completed connection would not fit."""
        return len(self.accept_queue) >= self._accept_limit

    def segment_arrives(self, segment: Segment, now: int, previous: Tcb | None = None) -> Tcb | None:
        """3.10.7.2: RST, ACK, SYN, other; the new record if a SYN, or the ACK of a cookie, was taken.

        ``previous`` is this end's old record in TIME-WAIT, if the SYN may reopen it (MAY-2).
        """
        flags = segment.flags
        key = self.config.authentication_key
        reason = refused_by_mac(segment, key, self.ctx.counters) if key is not None else ""
        if reason:
            return self._drop(segment, reason)
        if flags & RST:
            return self._drop(segment, LISTEN_1_RST)
        if flags & ACK:
            if self._cookies is not None and not flags & SYN and self._cookies.expects(now):
                return self._cookie_returns(self._cookies, segment, now)
            send_reset_for(self.ctx, segment)
            return self._drop(segment, LISTEN_2_ACK)
        if not flags & SYN:
            return self._drop(segment, LISTEN_4_OTHER)
        if flags & FIN and self.config.syn_fin == "drop":
            return self._drop(segment, SYN_WITH_FIN)
        return self._syn_arrives(segment, now, previous)

    def _syn_arrives(self, segment: Segment, now: int, previous: Tcb | None) -> Tcb | None:
        """Into the SYN queue, or a cookie, or nothing; a peer in TIME-WAIT is a real one and needs no place."""
        config, counters = self.config, self.ctx.counters
        full = self._queue is None and self.half_open >= self._syn_limit
        cookies = self._cookies if full or config.syn_cookies == "always" else None
        if previous is not None:
            full, cookies = False, None
        if cookies is not None:
            counters.TcpExtTCPReqQFullDoCookies += 1
        elif full:
            if config.max_syn_backlog_rule == "ceiling" or self.half_open >= self._accept_limit:
                counters.TcpExtTCPReqQFullDrop += 1  # the quarter kept for others has no counter of its own
            counters.TcpExtListenDrops += 1
            return self._drop(segment, SYN_QUEUE_FULL)
        if len(self.accept_queue) >= self._accept_limit:
            counters.TcpExtListenOverflows += 1
            counters.TcpExtListenDrops += 1
            return self._drop(segment, ACCEPT_QUEUE_FULL)
        if cookies is not None:
            cookies.answer(segment, now)
            return None
        if self._queue is not None:
            victim = self._queue.victim(segment.flow.reverse())
            if victim is not None:
                end(victim, EVICTED, None)
        return self._open(segment, now, previous)

    def admit(self, tcb: Tcb, segment: Segment, now: int) -> bool:
        """Whether the third segment may make ``tcb`` ESTABLISHED; a full accept queue ignores it, or resets."""
        if len(self.accept_queue) < self._accept_limit or tcb in self.early:
            return True
        self.ctx.counters.TcpExtListenOverflows += 1
        self.ctx.counters.TcpExtListenDrops += 1
        if self.config.abort_on_overflow:
            send_reset_for(self.ctx, segment, tcb)  # net/ipv4/tcp_minisocks.c, tcp_check_req: as for no connection
            end(tcb, ACCEPT_QUEUE_FULL, ConnectionReset())
        dropped(tcb, segment, ACCEPT_QUEUE_FULL)
        return False

    def complete(self, tcb: Tcb) -> None:
        """``tcb`` is ESTABLISHED: into the accept queue. Its SYN was no old duplicate: TIME-WAIT before it is over."""
        previous, tcb.previous = tcb.previous, None
        if previous is not None and previous.state is TIME_WAIT:
            end(previous, MAY_2, None)
        self.ctx.counters.TcpPassiveOpens += 1
        if self.early and tcb in self.early:
            return self.early.remove(tcb)
        self.accept_queue.append(tcb)
        if self.owner is not None and self.owner.waiting:
            self.ctx.actions.append(_new(Signal, (self.owner, False)))

    def left(self, tcb: Tcb) -> None:
        """``tcb`` is half-open no more."""
        self.half_open -= 1
        if tcb.transmissions == 1:
            self.young -= 1
        if self._queue is not None:
            self._queue.remove(tcb)

    def synack_goes_unanswered(self, tcb: Tcb, limit: int) -> bool:
        """The SYN-ACK timer rang: whether ``tcb`` may send one more, of ``limit`` in all if there is no pruning."""
        if self.config.synack_pruning and 2 * self.half_open > max(8, self.backlog):
            # reqsk_timer_handler: half of the room is for young entries.
            young = 2 * self.young
            while limit > 3 and self.half_open >= young:
                limit -= 1
                young *= 2
        if tcb.transmissions >= limit:
            return False
        if tcb.transmissions == 1:
            self.young -= 1
        return True

    def _joins(self, tcb: Tcb) -> None:
        self.half_open += 1
        self.young += 1
        tcb.transmissions = 1
        if self._queue is not None:
            self._queue.add(tcb)

    def _open(self, segment: Segment, now: int, previous: Tcb | None) -> Tcb:
        ctx, config = self.ctx, self.config
        if previous is not None:
            ctx.counters.TcpExtTWRecycled += 1
        origin = LISTEN if previous is None else TIME_WAIT
        tcb = allocate(ctx, config, segment.flow.reverse(), segment.flow, origin, now)
        tcb.listener = self
        tcb.previous = previous  # it waits on: should the SYN be an old duplicate after all, it is back (MAY-2)
        linux = config.time_wait_reuse == "sequence-or-timestamp"
        if previous is not None and (linux or not 0 < (tcb.iss - previous.snd_nxt) & MASK < HALF):
            # RFC 1122 4.2.2.13: a new ISS beyond all numbers of the old connection.
            tcb.iss = tcb.snd_una = tcb.snd_nxt = first_beyond(previous)
        tcb.irs = segment.seq
        tcb.rcv_nxt = (segment.seq + 1) & MASK
        negotiate(tcb, segment.options, now)
        if segment.flags & ECE:
            negotiate_ecn(tcb, segment)
        tcb.snd_wnd = tcb.max_snd_wnd = segment.window
        tcb.snd_wl1 = segment.seq
        if ctx.record:
            accepted(tcb, segment, "SYN", LISTEN_3_SYN)
        enter(tcb, SYN_RECEIVED, LISTEN_3_SYN if previous is None else MAY_2)
        self._joins(tcb)
        cookie = None
        if config.fast_open in ("server", "both") and speaks_early(config, segment):
            cookie = take_early_text(self, tcb, segment)
            wait = config.ns.fast_open_synack_wait
            if wait is not None and tcb in self.early:
                tcb.arm(REXMT, now, wait)
                return tcb
        elif segment.payload or segment.flags & FIN:
            self._take_text(tcb, segment)
        tcb.arm(REXMT, now, config.ns.synack_intervals[0])
        if config.handshake == "three-way":
            send_syn(tcb, now, b"", cookie)
        else:
            answer_syn(tcb, now)
        return tcb

    def _take_text(self, tcb: Tcb, segment: Segment) -> None:
        """Text on the SYN: kept for later, taken at once, or left for the peer to send again."""
        policy = self.config.syn_data
        if policy == "queue-active-open":
            return  # the peer will send them again
        text = segment.payload[: tcb.rcv_wnd] if policy != "drop" else b""
        if text and policy == "queue":
            tcb.syn_data = text
        elif text:
            tcb.rcv_buffer = bytearray(text)
            tcb.rcv_nxt = (tcb.rcv_nxt + len(text)) & MASK
            tcb.rcv_wnd -= len(text)
        if segment.flags & FIN and len(text) == len(segment.payload):
            tcb.peer_fin = (segment.seq + 1 + len(text)) & MASK

    def _cookie_returns(self, cookies: CookieJar, segment: Segment, now: int) -> Tcb | None:
        """An ACK of no record: the record that its cookie stands for, made up at once and taken to ESTABLISHED."""
        options = cookies.read(segment, now)
        if options is None:
            send_reset_for(self.ctx, segment)
            return self._drop(segment, LISTEN_2_ACK)
        if len(self.accept_queue) >= self._accept_limit:
            self.ctx.counters.TcpExtListenOverflows += 1
            self.ctx.counters.TcpExtListenDrops += 1
            return self._drop(segment, ACCEPT_QUEUE_FULL)
        iss = (segment.ack - 1) & MASK
        tcb = allocate(self.ctx, self.config, segment.flow.reverse(), segment.flow, LISTEN, now, iss)
        tcb.listener = self
        tcb.irs, tcb.rcv_nxt = (segment.seq - 1) & MASK, segment.seq
        tcb.last_ack_sent = segment.seq
        tcb.snd_nxt = segment.ack
        tcb.syn_answered_at = now  # when the SYN-ACK went out is forgotten: no RTT sample from it (Karn)
        negotiate(tcb, options, now)
        enter(tcb, SYN_RECEIVED, SYN_COOKIE)
        self._joins(tcb)
        in_later_states(tcb, segment, now)
        return tcb

    def _drop(self, segment: Segment, clause: str) -> Tcb | None:
        if self.ctx.record:
            self.ctx.actions.append(Dropped(0, segment, clause))
        return None
