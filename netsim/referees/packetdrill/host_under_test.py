"""The host under test on a virtual clock: injects segments, collects what it sends, runs its timers."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from netsim.referees.packetdrill.icmp import icmp_error
from netsim.referees.packetdrill.language.script import IcmpPacket, TcpPacket
from netsim.referees.packetdrill.option_layout import packet_text
from netsim.referees.packetdrill.platform import Host
from netsim.referees.packetdrill.socket_under_test import Subject
from netsim.referees.packetdrill.verdict import Unsupported
from netsim.seeds import Seed
from netsim.tcp.actions import Action, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.listening.fast_open import cookie_for
from netsim.tcp.listening.listener import Listener
from netsim.tcp.segment import SYN, SYN_ACK, FourTuple, Segment
from netsim.tcp.seq import MASK
from netsim.tcp.stack import Stack
from netsim.tcp.state import State
from netsim.tcp.tcb import Tcb

DEFAULT_TTL = 64  # RFC 1700; net.ipv4.ip_default_ttl, net.inet.ip.ttl
FIRST_PORT = 32768  # the remote ports of passive connections, one after the other
MOST_STEPS = 200_000  # of time in one script; no real one needs a hundredth
_NEVER = 1 << 62
LOG_LINES = 8  # of the exchange that a verdict shows, if nobody asks for more


class Emitted(NamedTuple):
    """A segment that the host sent, when (ns), and with which Time to Live and Type of Service in its IP header."""

    segment: Segment
    at: int
    ttl: int = DEFAULT_TTL
    tos: int = 0


class Exchange:
    """``now`` in ns since the script began. ``subject`` is the one socket whose segments count."""

    def __init__(
        self, host: Host, *, local: str, remote: str, bind_port: int, connect_port: int, log_lines: int | None
    ) -> None:
        self.host = host
        self.local, self.remote = local, remote
        self.bind_port, self.connect_port = bind_port, connect_port
        self.stack = Stack(local, Seed(0).stream, host.config)
        self.ttl, self.tos = DEFAULT_TTL, 0  # of the script's socket, by its options
        self.cookie = ""  # what the script calls the Fast Open cookie of this host, hexadecimal
        self.now = 0
        self._steps = 0
        self.subject = Subject()
        self.passive = False  # the subject listens: the next inbound segment makes it a new connection
        self.muted = False  # the host's queueing discipline drops what it sends
        self.waiting: Callable[[], None] | None = None  # a blocked call that looks whether it can return
        self.watching: Callable[[], None] | None = None  # who looks at what has come and gone
        self.alarm = _NEVER  # when a call that waits for some time has waited long enough
        self._stale: list[Tcb | Listener] = []  # opened before a setting changed
        self.sent: deque[Emitted] = deque()
        self._lost: list[Emitted] = []  # sent by connections that the script did not look at any more
        self._log: deque[tuple[int, TcpPacket | IcmpPacket | Segment]] = deque(maxlen=log_lines)
        self._ports = FIRST_PORT
        self.fast_open_client = True  # the host lets clients open with text: net.ipv4.tcp_fastopen, bit 1
        self.delivered: dict[int, int] = {}  # segments of a connection that have arrived, as TCP_INFO counts them
        self.syn_data: set[int] = set()  # connections on which Fast Open's text was taken
        self._named: dict[FourTuple, Subject] = {}  # those that the script has named by their ports

    def advance(self, until: int) -> None:
        """Let time pass until ``until``; timers due then have run."""
        while self.step(until):
            pass
        self.now = max(self.now, until)

    def step(self, limit: int) -> bool:
        """Let time pass to the next timer, if that is no later than ``limit``."""
        deadline = self.next_event()
        if deadline > limit:
            return False
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise Unsupported(0, f"more than {MOST_STEPS} timers")
        self.now = max(self.now, deadline)
        if self.now >= self.alarm:
            self.alarm = _NEVER
        self.perform(self.stack.on_timer(self.now))
        self.settle()
        return True

    def next_event(self) -> int:
        """When the next timer rings, or a call that waits gives up."""
        return int(min(self.stack.next_deadline(), self.alarm))

    def settle(self) -> None:
        """After an input: a blocked call may return."""
        if self.watching is not None:
            self.watching()
        if self.waiting is not None:
            self.waiting()

    def configure(self, change: Callable[[TcpConfig], TcpConfig], *, live: bool) -> None:
        """A setting changes: for sockets opened from now on, or also for those there are (``live``)."""
        config = change(self.stack.config)
        opened: list[Tcb | Listener] = [*self.stack.connections.values(), *self.stack.listeners.values()]
        if live:
            for record in opened:
                record.config = change(record.config)
        elif config != self.stack.config:
            self._stale = opened
        self.stack.config = config

    def inject_icmp(self, packet: IcmpPacket) -> None:
        """An ICMP message about the subject's segments arrives now."""
        flow, isn = self.subject.flow, self.subject.local_isn
        if flow is None or isn is None:
            raise Unsupported(packet.line, "an ICMP message before the first segment that it could quote")
        self._log.append((self.now, packet))
        self.perform(self.stack.on_icmp(icmp_error(packet, flow, isn[1]), self.now))
        self.settle()

    def inject(self, packet: TcpPacket) -> None:
        """An inbound segment arrives now. Unsupported if a setting has changed since its connection was opened."""
        if packet.ports is not None:
            remote, port = packet.ports
            self.choose(FourTuple(self.local, port, self.remote, remote))
        else:
            self._choose_subject(self.bind_port)
        receiver = self.tcb or self.stack.listeners.get(self.bind_port)
        if receiver is not None and any(receiver is old for old in self._stale):
            raise Unsupported(packet.line, "a segment for a socket older than the last change of a sysctl")
        if self.cookie and self.subject.flow is not None:
            size = len(self.cookie) // 2
            self.subject.cookies[self.cookie] = cookie_for(self.stack.ctx, self.subject.flow.reverse(), size).hex()
        segment = self.subject.segment(packet)
        self._log.append((self.now, packet))
        before = self.tcb
        sent = before.snd_nxt if before is not None and before.queue and before.state is State.SYN_SENT else None
        missing = [one for one in before.queue if not one.sacked] if before is not None else []
        was = before.state if before is not None else State.CLOSED
        self.perform(self.stack.on_segment(segment, self.now))
        self._note_syn_data(segment, sent)
        if before is not None and was < State.ESTABLISHED:
            self.delivered[before.id] = 1  # the SYN, and the text on it
        elif before is not None:
            still = {id(one) for one in before.queue if not one.sacked}
            self.delivered[before.id] = self.delivered.get(before.id, 1) + sum(id(one) not in still for one in missing)
        self.settle()

    def _note_syn_data(self, segment: Segment, sent: int | None) -> None:
        """Text on a SYN was taken, by us or, up to ``sent``, by the peer: TCP_INFO remembers it."""
        tcb = self.tcb
        if tcb is None:
            return
        taken = bool(segment.payload) and segment.flags & SYN_ACK == SYN and (tcb.rcv_nxt - tcb.irs) & MASK > 1
        if taken or (sent is not None and tcb.snd_una == sent):
            self.syn_data.add(tcb.id)

    def choose(self, flow: FourTuple) -> None:
        """The connection that a packet names by its ports becomes the subject."""
        if self.subject.flow != flow:
            self.subject = self._named.get(flow) or Subject(flow)
        self._named[flow] = self.subject
        self.passive = False

    def _choose_subject(self, port: int) -> None:
        if self.passive or self.subject.flow is None:
            flow = FourTuple(self.local, port, self.remote, self._ports)
            self.subject = Subject(flow)
            self._ports += 1
            self.passive = False

    def next_sent(self, limit: float) -> Emitted | None:
        """The subject's next segment; waits for it until ``limit`` (ns), and gives up with None."""
        while True:
            emitted = self._take()
            if emitted is not None:
                return emitted
            if self.next_event() > limit or not self.step(self.next_event()):
                return None

    def _take(self) -> Emitted | None:
        """The subject's next segment among those sent. Those of connections that the script does not name are lost."""
        others = []
        found = None
        while self.sent and found is None:
            emitted = self.sent.popleft()
            if emitted.segment.flow == self.subject.flow:
                found = emitted
            elif emitted.segment.flow in self._named:
                others.append(emitted)
            else:
                self._lost.append(emitted)
        self.sent.extendleft(reversed(others))
        return found

    def perform(self, actions: list[Action]) -> None:
        """Send the segments that an input has caused."""
        for action in actions:
            if isinstance(action, Transmit) and not self.muted:
                self.sent.append(Emitted(action.segment, self.now, self.ttl, self.tos))
                self._log.append((self.now, action.segment))

    @property
    def left_over(self) -> list[Emitted]:
        """The segments that nothing expected, those of other connections among them."""
        return [*self._lost, *self.sent]

    @property
    def tcb(self) -> Tcb | None:
        """The subject's connection record, if there is one."""
        return self.stack.connections.get(self.subject.flow.reverse()) if self.subject.flow is not None else None

    @property
    def state(self) -> State:
        """The subject's state."""
        if self.tcb is not None:
            return self.tcb.state
        return State.LISTEN if self.passive else State.CLOSED

    def recent(self) -> tuple[str, ...]:
        """The last segments in both directions, as packetdrill lines."""
        return tuple(f"{at / 1e9:.6f} {self.shown(packet)}" for at, packet in self._log)

    def shown(self, packet: TcpPacket | IcmpPacket | Segment) -> str:
        """A packet in the script's words and numbers."""
        if not isinstance(packet, Segment):
            return packet_text(packet)
        flow = packet.flow
        named = self._named.get(flow)
        seen = (named or self.subject).observe(packet, self.host.style)
        return packet_text(replace(seen, ports=(flow.sport, flow.dport)) if named is not None else seen)
