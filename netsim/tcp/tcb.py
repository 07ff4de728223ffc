"""The transmission control block: the variables of RFC 9293 3.3.1 and those that timers and options need beside them.

A ``Tcb`` is mutable, and only the modules of this package change it. Large parts (buffers, queues, the RTT estimator)
are created on first use, because most connections of a flooded server never need them.
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

# The retransmission queue of every connection that has sent nothing yet: compared by ``is``, and never filled.
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

    def admit(self, tcb: "Tcb", segment: Segment) -> bool:
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
        "ack_pending",  # bytes of data received and not acknowledged yet
        "ack_wanted",  # an ACK must go out when the current event ends
        "acked_at",  # when an unacceptable segment was last answered (rate limit)
        "backoff",  # retransmissions of the oldest segment so far
        "close_called",  # CLOSE was called: a FIN follows the last data
        "config",
        "congestion",  # the windows and loss recovery, or None before data is sent
        "ctx",  # what all connections of the host share
        "data_at",  # when data last arrived; before that, when the connection became ESTABLISHED
        "deadlines",  # of each timer (timers.py)
        "delayed_acks",  # recovery/delayed_ack.py, or None
        "ecn",  # None if ECN was not negotiated
        "error",  # what calls raise after the connection has ended with an error
        "fin_seq",  # sequence number of our FIN once it was sent, else -1
        "four_tuple",  # as this host writes it on segments
        "id",
        "irs",
        "iss",
        "keepalive",  # whether keep-alive is on
        "last_ack_sent",
        "last_received_at",
        "listener",  # the passive OPEN that it came from; None after an active OPEN
        "max_snd_wnd",
        "nodelay",
        "orphan",  # the user has closed the socket and reads no more
        "owner",  # the socket to signal, or None
        "peer_fin",  # sequence number of the peer's FIN once it arrived, else -1
        "peer_four_tuple",  # as the peer writes it, the key in the table of connections
        "previous",  # the connection in TIME-WAIT that this one was opened out of, or None
        "probe_end",  # SND.NXT when the last tail loss probe was sent, until that is known to be over; else -1
        "probes",  # keep-alive or zero-window probes sent without an answer
        "queue",  # segments sent and not acknowledged, oldest first
        "quick_acks",  # the next ACKs, as many, are immediate
        "rcv_buffer",  # data in order that the user has not read
        "rcv_nxt",
        "rcv_space",  # size of the receive buffer
        "rcv_up",
        "rcv_wnd",
        "rcv_wscale",
        "reassembly",  # data out of order, or None
        "record_ends",  # sequence numbers behind the ends of records (MSG_EOR), or None
        "rto",  # current timeout, with back-off
        "rtt",  # Estimator, or None before the first sample
        "sack_ok",
        "scaling",  # both hosts offered window scaling
        "scheduled",  # the wake-up that the stack has set for this connection
        "send_times",  # for TCP_INFO; None before the first SEND
        "sent_at",  # when the SYN or SYN-ACK was last sent
        "silent_since",  # when the first of the probes, or retransmissions by timer, that have no answer was sent
        "snd_buffer",  # data not acknowledged, sent or not
        "snd_mss",
        "snd_nxt",
        "snd_una",
        "snd_wl1",
        "snd_wl2",
        "snd_wnd",
        "snd_wscale",
        "soft_error",  # the ICMP error that did not end the connection, or None
        "state",
        "syn_answered_at",  # when a retransmitted or crossing SYN was last answered; -NEVER: never
        "syn_data",  # data of the peer's SYN, to be delivered in ESTABLISHED
        "transmissions",  # SYNs or SYN-ACKs sent by OPEN or by timer
        "ts_ok",
        "ts_recent",
        "ts_recent_at",
        "wake",  # no timer expires before this
        "with_options",  # segments carry timestamps, ECN marks or a MAC
    )

    def __init__(
        self, ctx: "HostContext[Tcb]", config: TcpConfig, four_tuple: FourTuple, peer_four_tuple: FourTuple, number: int
    ) -> None:
        self.ctx = ctx
        self.config = config
        self.four_tuple = four_tuple
        self.peer_four_tuple = peer_four_tuple
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
        self.rcv_up = -1  # no urgent data yet
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
        """Arm one of the timers (timers.py), or arm it anew: it expires ``delay`` ns after ``now``."""
        config = self.config
        deadline = now + delay if config.timer_hz is None else self.ctx.deadline(now, delay, config)
        self.deadlines[timer] = deadline
        if deadline < self.wake:
            self.wake = deadline

    @property
    def passive(self) -> bool:
        """Whether the connection came from a passive OPEN, which decides where SYN-RECEIVED returns to (3.10.7.4)."""
        return self.listener is not None

    def check(self) -> None:
        """Check the invariants of RFC 9293 3.3.1; AssertionError if one does not hold."""
        assert (self.snd_nxt - self.snd_una) & MASK < 1 << 31, "SND.UNA =< SND.NXT"
        assert self.rcv_wnd >= 0, "RCV.WND >= 0"
        assert self.snd_wnd >= 0, "SND.WND >= 0"
