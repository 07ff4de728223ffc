"""A socket in LISTEN: the SYN queue, the accept queue, and RFC 9293 3.10.7.2.

A half-open connection is a record of its own in SYN-RECEIVED, counted against the SYN queue; once ESTABLISHED it waits
in the accept queue until the user takes it.
"""

from collections import deque
from typing import Any

from netsim.tcp.actions import Dropped, Signal
from netsim.tcp.authentication import refused_by_mac
from netsim.tcp.config import TcpConfig
from netsim.tcp.connection import accepted, allocate, dropped, end, enter
from netsim.tcp.context import Context
from netsim.tcp.errors import ConnectionReset
from netsim.tcp.fast_open import take_early_text
from netsim.tcp.handshake import answer_syn
from netsim.tcp.options import negotiate
from netsim.tcp.output import send_abort, send_reset_for, send_syn
from netsim.tcp.segment import ACK, FIN, RST, SYN, FourTuple, Segment
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, TIME_WAIT, State
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT

_FIRST = "3.10.7.2, first: RST"
_SECOND = "3.10.7.2, second: ACK"
_THIRD = "3.10.7.2, third: SYN"
_FOURTH = "3.10.7.2, fourth: other"
_REOPEN = "3.6.1: MAY-2"
_SYN_QUEUE = "listener: SYN queue full"
_ACCEPT_QUEUE = "listener: accept queue full"
_SYN_FIN = "listener: SYN with FIN"
_REOPEN_STEP = 65_537  # how far a new ISS lies beyond the old connection's last number: net/ipv4/tcp_minisocks.c


class Listener:
    """A passive OPEN. ``half_open`` counts records in SYN-RECEIVED; ``accept_queue`` holds those ESTABLISHED.

    ``flow`` is the local socket with the remote one unspecified. The changes of its own state are told as those of
    record 0.
    """

    __slots__ = (
        "_accept_limit",
        "_syn_limit",
        "accept_queue",
        "backlog",
        "config",
        "ctx",
        "early",
        "flow",
        "half_open",
        "id",
        "listener",
        "owner",
        "state",
    )

    def __init__(self, ctx: Context, config: TcpConfig, flow: FourTuple, backlog: int, owner: Any = None) -> None:
        self.ctx = ctx
        self.config = config
        self.flow = flow
        self.id = 0
        self.listener: Listener | None = None
        self.state: State = CLOSED
        self.backlog = min(backlog, config.somaxconn)
        self.owner = owner
        self.half_open = 0
        slack, most = config.backlog_slack, config.max_syn_backlog
        self._accept_limit = max(1, self.backlog + slack)
        self._syn_limit = max(1, (self.backlog if most is None else min(self.backlog, most)) + slack)
        self.accept_queue: deque[Tcb] = deque()
        self.early: list[Tcb] = []  # Fast Open: in the accept queue, or accepted, before they are ESTABLISHED
        enter(self, LISTEN, "3.10.1: OPEN")

    @property
    def port(self) -> int:
        """The local port."""
        return self.flow.sport

    @property
    def accept_queue_full(self) -> bool:
        """Whether one more completed connection would not fit."""
        return len(self.accept_queue) >= self._accept_limit

    @property
    def syn_queue_full(self) -> bool:
        """Whether one more half-open connection would not fit."""
        return self.half_open >= self._syn_limit

    def segment_arrives(self, segment: Segment, now: int, previous: Tcb | None = None) -> Tcb | None:
        """3.10.7.2: RST, ACK, SYN, other; the new record if a SYN was taken.

        ``previous`` is this end's old record in TIME-WAIT, if the SYN may reopen it (MAY-2).
        """
        flags = segment.flags
        key = self.config.authentication_key
        reason = refused_by_mac(segment, key, self.ctx.counters) if key is not None else ""
        if reason:
            return self._drop(segment, reason)
        if flags & RST:
            return self._drop(segment, _FIRST)
        if flags & ACK:
            send_reset_for(self.ctx, segment)
            return self._drop(segment, _SECOND)
        if not flags & SYN:
            return self._drop(segment, _FOURTH)
        counters = self.ctx.counters
        if flags & FIN and self.config.syn_fin == "drop":
            return self._drop(segment, _SYN_FIN)
        if len(self.accept_queue) >= self._accept_limit:
            counters.TcpExtListenOverflows += 1
            counters.TcpExtListenDrops += 1
            return self._drop(segment, _ACCEPT_QUEUE)
        if self.half_open >= self._syn_limit:
            counters.TcpExtTCPReqQFullDrop += 1
            counters.TcpExtListenDrops += 1
            return self._drop(segment, _SYN_QUEUE)
        return self._open(segment, now, previous)

    def admit(self, tcb: Tcb, segment: Segment, now: int) -> bool:
        """Whether the third segment may make ``tcb`` ESTABLISHED; a full accept queue ignores it, or resets."""
        if len(self.accept_queue) < self._accept_limit or tcb in self.early:
            return True
        self.ctx.counters.TcpExtListenOverflows += 1
        if self.config.abort_on_overflow:
            send_abort(tcb)
            end(tcb, _ACCEPT_QUEUE, ConnectionReset())
        dropped(tcb, segment, _ACCEPT_QUEUE)
        return False

    def complete(self, tcb: Tcb) -> None:
        """``tcb`` is ESTABLISHED: into the accept queue. Its SYN was no old duplicate."""
        tcb.previous = None  # nor do records that follow one another hold each other for ever
        self.ctx.counters.TcpPassiveOpens += 1
        if self.early and tcb in self.early:
            return self.early.remove(tcb)
        self.accept_queue.append(tcb)
        if self.owner is not None:
            self.ctx.actions.append(Signal(self.owner))

    def _open(self, segment: Segment, now: int, previous: Tcb | None) -> Tcb:
        ctx, config = self.ctx, self.config
        if previous is not None:
            ctx.counters.TcpExtTWRecycled += 1
        origin = LISTEN if previous is None else TIME_WAIT
        tcb = allocate(ctx, config, segment.flow.reverse(), segment.flow, origin, now)
        tcb.listener = self
        tcb.previous = previous  # it waits on: should the SYN be an old duplicate after all, it is back (MAY-2)
        linux = config.time_wait_reuse == "linux"
        if previous is not None and (linux or not 0 < (tcb.iss - previous.snd_nxt) & MASK < HALF):
            # RFC 1122 4.2.2.13: a new ISS beyond all numbers of the old connection.
            tcb.iss = tcb.snd_una = tcb.snd_nxt = (previous.snd_nxt + _REOPEN_STEP) & MASK
        tcb.irs = segment.seq
        tcb.rcv_nxt = (segment.seq + 1) & MASK
        negotiate(tcb, segment.options, now)
        tcb.snd_wnd = tcb.max_snd_wnd = segment.window
        tcb.snd_wl1 = segment.seq
        if ctx.record:
            accepted(tcb, segment, "SYN", _THIRD)
        enter(tcb, SYN_RECEIVED, _THIRD if previous is None else _REOPEN)
        self.half_open += 1
        cookie = None
        options = segment.options
        if options is not None and options.cookie is not None and config.fast_open in ("server", "both"):
            cookie = take_early_text(self, tcb, segment)
        elif segment.payload or segment.flags & FIN:
            self._take_text(tcb, segment)
        tcb.transmissions = 1
        tcb.arm(REXMT, now, config.ns.synack_intervals[0])
        if config.handshake == "three-way":
            send_syn(tcb, now, cookie=cookie)
        else:
            answer_syn(tcb, now)
        return tcb

    def _take_text(self, tcb: Tcb, segment: Segment) -> None:
        """Text on the SYN: kept for later, taken at once, or left for the peer to send again."""
        policy = self.config.syn_data
        text = segment.payload[: tcb.rcv_wnd] if policy != "drop" else b""
        if text and policy == "hold":
            tcb.syn_text = text
        elif text:
            tcb.rcv_buffer = bytearray(text)
            tcb.rcv_nxt = (tcb.rcv_nxt + len(text)) & MASK
            tcb.rcv_wnd -= len(text)
        if segment.flags & FIN and len(text) == len(segment.payload):
            tcb.peer_fin = (segment.seq + 1 + len(text)) & MASK

    def _drop(self, segment: Segment, clause: str) -> Tcb | None:
        if self.ctx.record:
            self.ctx.actions.append(Dropped(0, segment, clause))
        return None
