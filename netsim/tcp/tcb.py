"""The connection record: the variables of RFC 9293 3.3.1 and what the timers and options need beside them.

A ``Tcb`` is mutable, and only the modules of this package touch it. Large parts (buffers, queues, the RTT estimator)
are made on first use, because a flooded server holds a great many records that never get so far.
"""

from collections import deque
from typing import Any, Final, Protocol

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import TcpError
from netsim.tcp.host_context import HostContext
from netsim.tcp.recovery.congestion import Congestion
from netsim.tcp.recovery.reassembly import Reassembly
from netsim.tcp.recovery.rto import Estimator
from netsim.tcp.recovery.tcp_info import SendTimes
from netsim.tcp.recovery.variables import DelayedAcks, Ecn, Sent
from netsim.tcp.segment import MASK, FourTuple, Segment
from netsim.tcp.state import CLOSED, State
from netsim.tcp.timers import COUNT, NEVER

# The queue of whoever has sent nothing yet: one for all, told from a queue in use by ``is``, and never filled.
NO_SEGMENTS: Final[deque[Sent]] = deque(maxlen=0)


class PassiveOpen(Protocol):
    """What a connection in SYN-RECEIVED uses of the listener whose SYN queue holds it (netsim/tcp/listening)."""

    @property
    def ctx(self) -> "HostContext[Tcb]":
        """The host."""
        ...

    @property
    def config(self) -> TcpConfig:
        """The configuration that each accepted connection starts with."""
        ...

    @property
    def owner(self) -> Any:
        """The socket to signal, or None."""
        ...

    @property
    def accept_queue(self) -> "deque[Tcb]":
        """Connections that the user has not accepted yet."""
        ...

    deferred: "list[Tcb]"  # TCP_DEFER_ACCEPT: SYN-RECEIVED entries whose peer has sent its ACK and no data yet
    fast_open_pending: "list[Tcb]"  # Fast Open: connections in SYN-RECEIVED that the user can accept already

    def admit(self, tcb: "Tcb", segment: Segment, now: int) -> bool:
        """Whether ``segment``, the handshake's final ACK, may make ``tcb`` ESTABLISHED."""
        ...

    def handshake_completes(self, tcb: "Tcb") -> None:
        """``tcb`` is ESTABLISHED."""
        ...

    def leaves_syn_queue(self, tcb: "Tcb") -> None:
        """``tcb`` has left SYN-RECEIVED, and frees its slot in the SYN queue."""
        ...

    def may_retransmit_synack(self, tcb: "Tcb", limit: int) -> bool:
        """Whether the SYN-ACK of ``tcb`` may be retransmitted, if ``limit`` transmissions are allowed in all."""
        ...


class Tcb:
    """Transmission control block. Sequence variables are ints modulo 2**32; times are ns; sizes are bytes."""

    __slots__ = (
        "ack_pending",  # text segments received and not acknowledged yet
        "ack_wanted",  # an ACK must go out when the current event ends
        "acked_at",  # when an unacceptable segment was last answered (rate limit)
        "backoff",  # retransmissions of the oldest segment so far
        "close_called",  # CLOSE was called: a FIN follows the last text
        "config",
        "congestion",  # the windows and loss recovery, or None before data is sent
        "ctx",  # what the connection shares with its stack
        "data_at",  # when text last arrived; at first, when the connection was ESTABLISHED
        "deadlines",  # timers.py
        "delayed_acks",  # recovery/delayed_ack.py, or None
        "ecn",  # Ecn, or None where it was not agreed on
        "error",  # what the user is told, once the connection has ended badly
        "fin_seq",  # number of our FIN once sent, else -1
        "flow",  # as this end writes it on segments
        "id",
        "irs",
        "iss",
        "keepalive",  # whether keep-alive is on
        "key",  # the flow as the peer writes it
        "last_ack_sent",
        "last_received_at",
        "listener",  # the LISTEN this record came from; None after an active OPEN
        "max_snd_wnd",
        "nodelay",
        "orphan",  # the user closed and reads no more
        "owner",  # the socket to signal, or None
        "peer_fin",  # number of the peer's FIN once seen, else -1
        "previous",  # the record in TIME-WAIT that this one was opened out of, or None
        "probe_end",  # SND.NXT when the last tail loss probe was sent, until that is known to be over; else -1
        "probes",  # keep-alive or zero-window probes unanswered
        "queue",  # segments sent and not acknowledged, oldest first
        "quick_acks",  # ACKs still to be sent at once
        "rcv_buffer",  # text in order that the user has not taken
        "rcv_nxt",
        "rcv_space",  # room for text received: the receive buffer's size
        "rcv_up",
        "rcv_wnd",
        "rcv_wscale",
        "reassembly",  # text out of order, or None
        "record_ends",  # sequence numbers behind the ends of records (MSG_EOR), or None
        "rto",  # current timeout, back-off included
        "rtt",  # Estimator, or None before the first sample
        "sack_ok",
        "scaling",  # both ends offered window scaling
        "scheduled",  # earliest wake-up known to the stack for this record
        "send_times",  # for TCP_INFO; None before the first SEND
        "sent_at",  # when the SYN or SYN-ACK was last sent
        "silent_since",  # when the first probe, or retransmission by timer, without an answer was sent
        "snd_buffer",  # text not acknowledged: sent or not
        "snd_mss",
        "snd_nxt",
        "snd_una",
        "snd_wl1",
        "snd_wl2",
        "snd_wnd",
        "snd_wscale",
        "soft_error",  # what ICMP told without ending the connection, or None
        "state",
        "syn_answered_at",  # when a repeated or crossing SYN was last answered; -NEVER: never
        "syn_data",  # text that came with a SYN and waits for ESTABLISHED
        "transmissions",  # SYNs or SYN-ACKs sent by OPEN or by timer
        "ts_ok",
        "ts_recent",
        "ts_recent_at",
        "wake",  # no timer rings before this
        "with_options",  # every segment carries more than the header: timestamps, ECN, or a MAC
    )

    def __init__(
        self, ctx: "HostContext[Tcb]", config: TcpConfig, flow: FourTuple, key: FourTuple, number: int
    ) -> None:
        self.ctx = ctx
        self.config = config
        self.flow = flow
        self.key = key
        self.id = number
        self.state: State = CLOSED
        self.listener: PassiveOpen | None = None
        self.owner: Any = None
        self.error: Exception | None = None
        self.soft_error: TcpError | None = None
        self.ecn: Ecn | None = None
        self.orphan = False
        self.iss = self.snd_una = self.snd_nxt = 0
        self.snd_wnd = self.snd_wl1 = self.snd_wl2 = self.max_snd_wnd = 0
        self.snd_mss = config.mss_default
        self.snd_wscale = self.rcv_wscale = 0
        self.irs = self.rcv_nxt = 0
        self.rcv_up = -1  # nothing urgent yet
        self.rcv_space = space = config.receive_buffer
        self.rcv_wnd = space if space < 65535 else 65535
        self.ts_ok = self.sack_ok = self.scaling = False
        self.with_options = config.authentication_key is not None
        self.ts_recent = self.ts_recent_at = 0
        self.last_ack_sent = 0
        self.snd_buffer: bytearray | None = None
        self.rcv_buffer: bytearray | None = None
        self.reassembly: Reassembly | None = None
        self.syn_data: bytes = b""
        self.queue: deque[Sent] = NO_SEGMENTS
        self.rtt: Estimator | None = None
        self.rto: int = config.ns.rto_initial
        self.backoff = 0
        self.transmissions = 0
        self.sent_at = 0
        self.congestion: Congestion | None = None
        self.close_called = False
        self.fin_seq = -1
        self.peer_fin = -1
        self.ack_wanted = False
        self.delayed_acks: DelayedAcks | None = None
        self.ack_pending = 0
        self.quick_acks = config.quick_acks
        self.keepalive = config.keepalive
        self.nodelay = not config.nagle
        self.probes = 0
        self.send_times: SendTimes | None = None
        self.record_ends: deque[int] | None = None
        self.data_at = 0
        self.probe_end = -1
        self.silent_since = 0
        self.previous: Tcb | None = None
        self.acked_at = self.syn_answered_at = self.last_received_at = -NEVER
        self.deadlines = [NEVER] * COUNT
        self.wake = self.scheduled = NEVER

    def arm(self, timer: int, now: int, delay: int) -> None:
        """Start one of the timers (timers.py), or start it again: it rings ``delay`` ns from ``now``."""
        config = self.config
        deadline = now + delay if config.timer_hz is None else self.ctx.deadline(now, delay, config)
        self.deadlines[timer] = deadline
        if deadline < self.wake:
            self.wake = deadline

    @property
    def passive(self) -> bool:
        """Whether this connection was opened by the peer's SYN: the origin of SYN-RECEIVED matters (3.10.7.4)."""
        return self.listener is not None

    def check(self) -> None:
        """The invariants of RFC 9293 3.3.1; AssertionError if we broke one."""
        assert (self.snd_nxt - self.snd_una) & MASK < 1 << 31, "SND.UNA =< SND.NXT"
        assert self.rcv_wnd >= 0, "RCV.WND >= 0"
        assert self.snd_wnd >= 0, "SND.WND >= 0"
