"""The host under test on a virtual clock: it receives the script's segments, and what it sends is collected.

No time passes but by ``advance`` and ``step``, which run the timers of the TCP stack that expire meanwhile. Each script
has one socket under test, whose outbound segments are compared with the script's. A script that writes ports before its
packets names several connections, and each of them becomes the socket under test when a packet names it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from netsim.referees.packetdrill.icmp import icmp_error
from netsim.referees.packetdrill.language.packets import format_packet
from netsim.referees.packetdrill.language.script import IcmpPacket, TcpPacket
from netsim.referees.packetdrill.platform import Platform
from netsim.referees.packetdrill.socket_under_test import SocketUnderTest
from netsim.referees.packetdrill.verdict import Unsupported
from netsim.seeds import Seed
from netsim.tcp.actions import Action, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.listening.fast_open import cookie_for
from netsim.tcp.listening.listener import Listener
from netsim.tcp.segment import MASK, SYN, SYN_ACK, FourTuple, Segment
from netsim.tcp.stack import Stack
from netsim.tcp.state import State
from netsim.tcp.tcb import Tcb

DEFAULT_TTL = 64  # RFC 1700; net.ipv4.ip_default_ttl, net.inet.ip.ttl
FIRST_REMOTE_PORT = 32768  # of passive connections; the next one has the next port
MAX_STEPS = 200_000  # timers that one script may run; real scripts need less than a hundredth of it
LOG_LINES = 8  # the packets that a verdict shows unless asked for more
_NEVER = 1 << 62


class Emitted(NamedTuple):
    """A segment that the host sent, when (ns), and with which Time to Live and Type of Service in its IP header."""

    segment: Segment
    at: int
    ttl: int = DEFAULT_TTL
    tos: int = 0


class HostUnderTest:
    """A TCP stack of a platform. ``now`` is the time since the script's start in ns."""

    def __init__(
        self, platform: Platform, *, local: str, remote: str, bind_port: int, connect_port: int, log_lines: int | None
    ) -> None:
        self.platform = platform
        self.local, self.remote = local, remote
        self.bind_port, self.connect_port = bind_port, connect_port
        self.stack = Stack(local, Seed(0).stream, platform.config)
        self.ttl, self.tos = DEFAULT_TTL, 0  # of outbound segments, by the options of the script's socket
        self.cookie = ""  # the script's name for the Fast Open cookie of this host, hexadecimal
        self.now = 0
        self.subject = SocketUnderTest()
        self.listening = False  # the socket under test is a listener: the next inbound segment opens a connection
        self.muted = False  # the host's queueing discipline drops all outbound packets
        self.on_settled: Callable[[], None] | None = None  # lets a blocked call try to return
        self.on_progress: Callable[[], None] | None = None  # updates the error queues
        self.call_deadline = _NEVER  # when a call that waits for a limited time must be tried again
        self.sent: deque[Emitted] = deque()
        self.fast_open_client = True  # net.ipv4.tcp_fastopen, bit 1: connections may be opened with data
        self.delivered: dict[int, int] = {}  # by connection: the segments that have been delivered (tcpi_delivered)
        self.syn_data: set[int] = set()  # the connections on which the data of a SYN was accepted
        self._steps = 0
        self._outdated: list[Tcb | Listener] = []  # opened before the last change of a sysctl
        self._unmatched: list[Emitted] = []  # sent by connections that the script does not name
        self._log: deque[tuple[int, TcpPacket | IcmpPacket | Segment]] = deque(maxlen=log_lines)
        self._next_port = FIRST_REMOTE_PORT
        self._named: dict[FourTuple, SocketUnderTest] = {}  # the connections that the script names by their ports

    # Time

    def advance(self, until: int) -> None:
        """Let time pass until ``until``; the timers that expire by then run."""
        while self.step(until):
            pass
        self.now = max(self.now, until)

    def step(self, limit: int) -> bool:
        """Let time pass to the next timer if that expires no later than ``limit``, and run it; else return False."""
        deadline = self.next_event()
        if deadline > limit:
            return False
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Unsupported(0, f"more than {MAX_STEPS} timers")
        self.now = max(self.now, deadline)
        if self.now >= self.call_deadline:
            self.call_deadline = _NEVER
        self.perform(self.stack.on_timer(self.now))
        self.settle()
        return True

    def next_event(self) -> int:
        """When the next timer expires, or a waiting system call times out."""
        return int(min(self.stack.next_deadline(), self.call_deadline))

    def settle(self) -> None:
        """After anything has happened: update the error queues, and let a blocked call return."""
        if self.on_progress is not None:
            self.on_progress()
        if self.on_settled is not None:
            self.on_settled()

    def perform(self, actions: list[Action]) -> None:
        """Send the segments that an input to the stack has caused."""
        for action in actions:
            if isinstance(action, Transmit) and not self.muted:
                self.sent.append(Emitted(action.segment, self.now, self.ttl, self.tos))
                self._log.append((self.now, action.segment))

    def configure(self, change: Callable[[TcpConfig], TcpConfig], *, live: bool) -> None:
        """Change a setting of the host. It holds for sockets opened from now on; ``live``: for existing ones too."""
        config = change(self.stack.config)
        opened: list[Tcb | Listener] = [*self.stack.connections.values(), *self.stack.listeners.values()]
        if live:
            for one in opened:
                one.config = change(one.config)
        elif config != self.stack.config:
            self._outdated = opened
        self.stack.config = config

    # Inbound packets

    def inject_icmp(self, packet: IcmpPacket) -> None:
        """An ICMP message about the segments of the socket under test arrives now."""
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
            self._choose_by_port(self.bind_port)
        receiver = self.tcb or self.stack.listeners.get(self.bind_port)
        if receiver is not None and any(receiver is one for one in self._outdated):
            raise Unsupported(packet.line, "a segment for a socket that was opened before the last change of a sysctl")
        if self.cookie and self.subject.flow is not None:
            size = len(self.cookie) // 2
            self.subject.cookies[self.cookie] = cookie_for(self.stack.ctx, self.subject.flow.reverse(), size).hex()
        segment = self.subject.to_wire(packet)
        self._log.append((self.now, packet))
        self._deliver(segment)
        self.settle()

    def _deliver(self, segment: Segment) -> None:
        """Give a segment to the stack, and count what it delivers (TCP_INFO)."""
        tcb = self.tcb
        was = tcb.state if tcb is not None else State.CLOSED
        syn_end = tcb.snd_nxt if tcb is not None and tcb.queue and was is State.SYN_SENT else None
        missing = [sent for sent in tcb.queue if not sent.sacked] if tcb is not None else []
        self.perform(self.stack.on_segment(segment, self.now))
        self._note_syn_data(segment, syn_end)
        if tcb is None:
            return
        if was < State.ESTABLISHED:
            self.delivered[tcb.id] = 1  # the SYN with its data
        else:
            still = {id(sent) for sent in tcb.queue if not sent.sacked}
            delivered = sum(id(sent) not in still for sent in missing)
            self.delivered[tcb.id] = self.delivered.get(tcb.id, 1) + delivered

    def _note_syn_data(self, segment: Segment, syn_end: int | None) -> None:
        """Remember for TCP_INFO that data on a SYN was accepted: by us, or by the peer up to number ``syn_end``."""
        tcb = self.tcb
        if tcb is None:
            return
        accepted = bool(segment.payload) and segment.flags & SYN_ACK == SYN and (tcb.rcv_nxt - tcb.irs) & MASK > 1
        if accepted or (syn_end is not None and tcb.snd_una == syn_end):
            self.syn_data.add(tcb.id)

    def choose(self, flow: FourTuple) -> None:
        """The connection that a packet names by its ports becomes the socket under test."""
        if self.subject.flow != flow:
            self.subject = self._named.get(flow) or SocketUnderTest(flow)
        self._named[flow] = self.subject
        self.listening = False

    def _choose_by_port(self, port: int) -> None:
        """A segment without ports belongs to the socket under test, or opens a new connection to the listener."""
        if self.listening or self.subject.flow is None:
            flow = FourTuple(self.local, port, self.remote, self._next_port)
            self.subject = SocketUnderTest(flow)
            self._next_port += 1
            self.listening = False

    # Outbound packets

    def next_sent(self, limit: float) -> Emitted | None:
        """The next segment of the socket under test, which is awaited until ``limit`` (ns); None if there is none."""
        while True:
            emitted = self._take()
            if emitted is not None:
                return emitted
            if self.next_event() > limit or not self.step(self.next_event()):
                return None

    def _take(self) -> Emitted | None:
        """The first segment sent by the socket under test; those of unnamed connections before it are set aside."""
        others = []
        found = None
        while self.sent and found is None:
            emitted = self.sent.popleft()
            if emitted.segment.flow == self.subject.flow:
                found = emitted
            elif emitted.segment.flow in self._named:
                others.append(emitted)
            else:
                self._unmatched.append(emitted)
        self.sent.extendleft(reversed(others))
        return found

    @property
    def left_over(self) -> list[Emitted]:
        """The segments that no event of the script has matched, including those of other connections."""
        return [*self._unmatched, *self.sent]

    # What the socket under test is

    @property
    def tcb(self) -> Tcb | None:
        """The TCB of the socket under test, if it has one."""
        return self.stack.connections.get(self.subject.flow.reverse()) if self.subject.flow is not None else None

    @property
    def state(self) -> State:
        """The state of the socket under test."""
        if self.tcb is not None:
            return self.tcb.state
        return State.LISTEN if self.listening else State.CLOSED

    def recent(self) -> tuple[str, ...]:
        """The last packets in both directions, as packetdrill lines."""
        return tuple(f"{at / 1e9:.6f} {self.shown(packet)}" for at, packet in self._log)

    def shown(self, packet: TcpPacket | IcmpPacket | Segment) -> str:
        """A packet in packetdrill's notation with the script's numbers."""
        if not isinstance(packet, Segment):
            return format_packet(packet)
        flow = packet.flow
        named = self._named.get(flow)
        seen = (named or self.subject).to_script(packet, self.platform.option_style)
        return format_packet(replace(seen, ports=(flow.sport, flow.dport)) if named is not None else seen)
