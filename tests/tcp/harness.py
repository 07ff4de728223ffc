"""The one harness for connections: stacks under test on a virtual clock. Times are float seconds at this surface.

``End`` is a stack and everything that it has sent and decided. On it stand

- ``Solo``: one stack, and the test is its peer; segments are ``Segment`` objects;
- ``Pair``: two stacks and a link that delays, copies or loses each segment as the test says;
- ``RfcSolo`` and ``RfcPair``: the same in the notation of the RFC's figures, ``<SEQ=100><CTL=SYN>``. In an ``RfcPair``
  every segment stays in the net until the test delivers or drops it.

Nothing is random but the stacks' own streams. A user call on a ``UserSocket`` performs its actions at once.
"""

import functools
import random
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from netsim.tcp.actions import Accepted, Action, Dropped, Moved, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.segment import ACK, FIN, RST, SYN, FourTuple, Options, Segment, flag_names
from netsim.tcp.socket import Socket
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSED, LISTEN, TRANSITIONS, State
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER
from netsim.tcp.user_calls import receive

LEGAL = frozenset((edge.old, edge.new, edge.clause) for edge in TRANSITIONS)
PEER_ISS = 5000
FLOW_IN = FourTuple("b", 80, "a", 4000)  # as the peer of a Solo writes it
TO_PORT_80 = FourTuple("b", 4000, "a", 80)  # to a listener of a Solo


def ns(seconds: float) -> int:
    return round(seconds * 1e9)


def streams(seed: object = 1) -> Callable[[str], random.Random]:
    return lambda name: random.Random(f"{seed}/{name}")


class UserSocket:
    """A socket as its user sees it: each call hands its actions to ``perform`` and returns only its value."""

    def __init__(self, socket: Socket, perform: Callable[[list[Action]], Any]) -> None:
        vars(self).update(core=socket, perform=perform)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.core, name)
        return functools.partial(self._call, found) if callable(found) else found

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.core, name, value)

    def _call(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        result = call(*arguments, **named)
        if isinstance(result, Socket):
            return UserSocket(result, self.perform)
        value, actions = result if isinstance(result, tuple) else (None, result)
        if not isinstance(actions, list):
            return result
        self.perform(actions)
        return value


class End:
    """A stack that reports its decisions. ``moves`` and ``drops`` are those among its ``events``."""

    def __init__(self, address: str, config: TcpConfig, seed: object) -> None:
        self.stack = Stack(address, streams(seed), config)
        self.stack.ctx.tracing = True
        self.events: list[Moved | Dropped | Accepted] = []

    def note(self, actions: list[Action]) -> list[Segment]:
        """Keep the decisions; return the segments to send."""
        self.events += [a for a in actions if isinstance(a, Moved | Dropped | Accepted)]
        return [a.segment for a in actions if isinstance(a, Transmit)]

    @property
    def moves(self) -> list[Moved]:
        """The changes of state."""
        return [event for event in self.events if isinstance(event, Moved)]

    @property
    def drops(self) -> list[Dropped]:
        """The segments that had no effect."""
        return [event for event in self.events if isinstance(event, Dropped)]

    @property
    def edges(self) -> list[tuple[State, State, str]]:
        """The changes of state, as in ``LEGAL``."""
        return [(m.old, m.new, m.clause) for m in self.moves]

    @property
    def clauses(self) -> list[str]:
        """Why segments were dropped."""
        return [d.clause for d in self.drops]

    def state(self, flow: FourTuple) -> State:
        """The state as the RFC's figures show it: a listener without a connection is in LISTEN."""
        tcb = self.stack.connections.get(flow)
        if tcb is not None:
            return tcb.state
        return LISTEN if flow.dport in self.stack.listeners else CLOSED

    def check(self) -> None:
        """The invariants of RFC 9293 3.3.1 hold for every connection."""
        for tcb in self.stack.connections.values():
            tcb.check()


class Solo:
    """One stack at "a"; the test is "b". ``log`` holds what the stack sent, as (seconds, segment)."""

    def __init__(self, config: TcpConfig | None = None, *, iss: int | None = 1000, seed: object = 1) -> None:
        config = config if config is not None else rfc9293()
        if iss is not None:
            config = config.replace(isn=ConstantIsn(iss))
        self.end = End("a", config, seed)
        self.stack = self.end.stack
        self.events = self.end.events
        self.ns = 0
        self.log: list[tuple[float, Segment]] = []
        self.tcb: Tcb = None  # type: ignore[assignment]  # set by open or taken from the listener

    @property
    def now(self) -> float:
        return self.ns / 1e9

    def collect(self, actions: list[Action]) -> list[Segment]:
        """Perform actions; what they send."""
        sent = self.end.note(actions)
        self.log += [(self.now, segment) for segment in sent]
        return sent

    def open(self, **options: Any) -> list[Segment]:
        """Active OPEN a:4000 > b:80."""
        self.tcb, actions = self.stack.open("b", 80, self.ns, sport=4000, **options)
        return self.collect(actions)

    def call(self, operation: Callable[..., Any], *arguments: Any) -> list[Segment]:
        """A user call on the connection, e.g. ``call(send, b"data")``."""
        operation(self.tcb, *arguments, self.ns)
        return self.collect(self.stack.finish(self.tcb))

    def read(self, size: int = 1 << 20) -> bytes | None:
        data = receive(self.tcb, size, self.ns)
        self.collect(self.stack.finish())
        return data

    def feed(
        self,
        flags: int,
        seq: int,
        ack: int = 0,
        *,
        window: int = 65535,
        data: bytes = b"",
        options: Options | None = None,
        flow: FourTuple = FLOW_IN,
    ) -> list[Segment]:
        """A segment of the peer arrives; what the stack sends at once."""
        return self.collect(self.stack.on_segment(Segment(flow, seq, ack, flags, window, data, options), self.ns))

    def advance(self, until: float) -> list[tuple[float, Segment]]:
        """Let time pass to ``until`` (absolute); what timers sent, and when."""
        mark = len(self.log)
        end = min(ns(until), NEVER - 1)
        while (deadline := self.stack.next_deadline()) <= end:
            self.ns = max(self.ns, deadline)
            self.collect(self.stack.on_timer(self.ns))
        self.ns = end
        return self.log[mark:]

    def establish(self, *, rtt: float = 0.1, window: int = 65535, options: Options | None = None) -> list[Segment]:
        """Active OPEN, and a SYN-ACK ``rtt`` later; the stack's final ACK of the handshake."""
        iss = self.open()[0].seq
        self.advance(self.now + rtt)
        return self.feed(SYN | ACK, PEER_ISS, (iss + 1) & 0xFFFFFFFF, window=window, options=options)


Link = Callable[[float, str, Segment, int], list[float]]
"""(seconds, sender, segment, ordinal of the sender's segments from 1) -> delay of each copy; [] is a loss."""


class Pair:
    """Two stacks, "a" and "b". ``wire`` holds (seconds, sender, segment, delays)."""

    def __init__(
        self,
        a: TcpConfig | None = None,
        b: TcpConfig | None = None,
        *,
        delay: float = 0.05,
        link: Link | None = None,
        seed: object = 1,
    ) -> None:
        a = a if a is not None else rfc9293()
        self.ends = {"a": End("a", a, (seed, "a")), "b": End("b", b or a, (seed, "b"))}
        self.stacks = {name: end.stack for name, end in self.ends.items()}
        self.link: Link = link if link is not None else lambda now, sender, segment, nth: [delay]
        self.ns = 0
        self.wire: list[tuple[float, str, Segment, list[float]]] = []
        self._queue: list[tuple[int, int, str, Segment]] = []
        self._order = 0
        self._count = {"a": 0, "b": 0}

    @property
    def now(self) -> float:
        return self.ns / 1e9

    def perform(self, name: str, actions: list[Action]) -> None:
        for segment in self.ends[name].note(actions):
            self._send(name, segment)

    def _send(self, name: str, segment: Segment) -> None:
        self._count[name] += 1
        delays = self.link(self.now, name, segment, self._count[name])
        self.wire.append((self.now, name, segment, delays))
        for delay in delays:
            self._order += 1
            heappush(self._queue, (self.ns + ns(delay), self._order, segment.flow.dst, segment))

    def step(self, until: int) -> bool:
        """The next event not after ``until`` (ns); False if there is none."""
        timer = min(stack.next_deadline() for stack in self.stacks.values())
        arrival = self._queue[0][0] if self._queue else 1 << 62
        if min(timer, arrival) > until:
            return False
        if timer <= arrival:
            self.ns = max(self.ns, timer)
            for name, stack in self.stacks.items():
                if stack.next_deadline() <= self.ns:
                    self.perform(name, stack.on_timer(self.ns))
        else:
            self.ns, _, name, segment = heappop(self._queue)
            self.perform(name, self.stacks[name].on_segment(segment, self.ns))
        return True

    def run(self, until: float) -> None:
        while self.step(ns(until)):
            pass
        self.ns = ns(until)

    def socket(self, name: str) -> UserSocket:
        return UserSocket(Socket(self.stacks[name]), lambda actions: self.perform(name, actions))

    def connect(self, *, wait: float = 1.0, backlog: int = 128) -> tuple[UserSocket, UserSocket]:
        """A listener on b:80, a connection from a:4000; both ends after ``wait`` seconds."""
        listener, client = self.socket("b"), self.socket("a")
        listener.listen(80, backlog)
        client.bind(4000)
        client.connect("b", 80, self.ns)
        self.run(self.now + wait)
        server = listener.accept()
        assert server is not None
        return client, server

    def send(self, socket: UserSocket, data: bytes) -> int:
        return int(socket.send(data, self.ns))

    def read(self, socket: UserSocket, size: int = 1 << 20) -> bytes | None:
        data: bytes | None = socket.receive(size, self.ns)
        return data

    def shutdown(self, socket: UserSocket) -> None:
        socket.shutdown(self.ns)

    def close(self, socket: UserSocket) -> None:
        socket.close(self.ns)


# The notation of the RFC's figures

NS = 1_000_000_000
FLAGS = {"SYN": SYN, "ACK": ACK, "FIN": FIN, "RST": RST}
PORTS = {"A": 1000, "B": 2000}
OTHER = {"A": "B", "B": "A"}


def flags_of(names: str) -> int:
    """``"SYN,ACK"`` as an int; ``"none"`` is 0."""
    return sum(FLAGS[name] for name in names.split(",") if name != "none")


def shown(segment: Segment) -> str:
    """A segment as the RFC prints it; PSH, which its figures leave out, is left out."""
    line = f"<SEQ={segment.seq}>"
    line += f"<ACK={segment.ack}>" if segment.flags & ACK else ""
    line += f"<CTL={flag_names(segment.flags & (SYN | ACK | FIN | RST))}>"
    return line + (f"<DATA={len(segment.payload)}>" if segment.payload else "")


def flow_from(end: str) -> FourTuple:
    """The four-tuple as ``end`` writes it."""
    return FourTuple(end, PORTS[end], OTHER[end], PORTS[OTHER[end]])


class RfcPair:
    """Ends A and B; ``net[end]`` holds what ``end`` sent and nobody has delivered or dropped yet, oldest first."""

    def __init__(self, a: TcpConfig, b: TcpConfig) -> None:
        self.now = 0.0
        self.ends = {"A": End("A", a, "A"), "B": End("B", b, "B")}
        self.stacks = {name: end.stack for name, end in self.ends.items()}
        self.net: dict[str, list[Segment]] = {"A": [], "B": []}
        self.sent: list[str] = []
        self.sockets: dict[str, UserSocket] = {}

    @property
    def ns(self) -> int:
        return round(self.now * NS)

    def _perform(self, end: str, actions: list[Action]) -> None:
        for segment in self.ends[end].note(actions):
            self.net[end].append(segment)
            self.sent.append(f"{end} {shown(segment)}")

    def listen(self, end: str) -> None:
        """Passive OPEN."""
        self.sockets[end] = self.socket(end)
        self.sockets[end].listen(PORTS[end])

    def open(self, end: str, config: TcpConfig | None = None) -> None:
        """Active OPEN towards the other end."""
        self.sockets[end] = self.socket(end, config)
        self.sockets[end].bind(PORTS[end])
        self.sockets[end].connect(OTHER[end], PORTS[OTHER[end]], self.ns)

    def call(self, end: str, name: str, *args: Any) -> Any:
        """A user call on the end's connection: ``send``, ``receive``, ``shutdown``, ``close``, ``abort``."""
        socket = self.sockets[end]
        if socket.tcb is None:
            socket = self.sockets[end] = socket.accept() or socket
        return getattr(socket, name)(*args, self.ns)

    def socket(self, end: str, config: TcpConfig | None = None) -> UserSocket:
        """A socket of the end."""
        return UserSocket(Socket(self.stacks[end], config), lambda actions: self._perform(end, actions))

    def deliver(self, sender: str, index: int = 0) -> None:
        """A held segment arrives."""
        self.inject(self.net[sender].pop(index))

    def drop(self, sender: str, index: int = 0) -> Segment:
        """A held segment is lost."""
        return self.net[sender].pop(index)

    def inject(self, segment: Segment) -> None:
        """``segment`` arrives, from either end or from an attacker, in time or late."""
        end = segment.flow.dst
        self._perform(end, self.stacks[end].on_segment(segment, self.ns))
        self.ends[end].check()

    def settle(self) -> None:
        """Deliver everything, in the order it was sent, until the net is empty."""
        for _ in range(1000):
            sender = next((end for end in self.net if self.net[end]), None)
            if sender is None:
                return
            self.deliver(sender)
        raise AssertionError("the two ends never stop sending")

    def wait(self, seconds: float) -> None:
        """Let time pass; what timers send stays in the net."""
        until = round((self.now + seconds) * NS)
        while (due := min(s.next_deadline() for s in self.stacks.values())) <= until:
            for end, stack in self.stacks.items():
                if stack.next_deadline() <= due:
                    self.now = max(self.now, due / NS)
                    self._perform(end, stack.on_timer(due))
        self.now = until / NS

    def tcb(self, end: str) -> Tcb | None:
        """The end's connection, if it has one."""
        return self.stacks[end].connections.get(flow_from(OTHER[end]))

    def state(self, end: str) -> State:
        """The end's state as the RFC's figures show it."""
        return self.ends[end].state(flow_from(OTHER[end]))


ISS, IRS = 1000, 5000  # the stack's initial sequence number and the peer's
PEER_WINDOW = 2000
BASE = TcpConfig(isn=ConstantIsn(ISS), receive_buffer=1000, delayed_ack=None)


class RfcSolo:
    """One stack, end A; the test is the peer. ISS 1000, the peer's 5000, RCV.WND 1000, SND.WND 2000."""

    def __init__(self, config: TcpConfig = BASE) -> None:
        self.now = 0.0
        self.config = config
        self.end = End("A", config, "A")
        self.stack = self.end.stack
        self.socket = Socket(self.stack)
        self.sent: list[str] = []  # by the last user call

    @property
    def ns(self) -> int:
        return round(self.now * NS)

    @property
    def tcb(self) -> Tcb | None:
        """The connection, if there is one."""
        return self.stack.connections.get(flow_from("B"))

    @property
    def connection(self) -> Tcb:
        """The connection, which must exist."""
        tcb = self.tcb
        assert tcb is not None
        return tcb

    @property
    def state(self) -> State:
        """The stack's state as the RFC's figures show it."""
        return self.end.state(flow_from("B"))

    def arrive(self, names: str, seq: int, ack: int = 0, data: bytes = b"", window: int = PEER_WINDOW) -> list[str]:
        """The peer's segment arrives; what was answered, as the RFC prints it."""
        segment = Segment(flow_from("B"), seq % 2**32, ack % 2**32, flags_of(names), window, data)
        replies = self.end.note(self.stack.on_segment(segment, self.ns))
        self.end.check()
        return [shown(s) for s in replies]

    def call(self, name: str, *args: Any, **named: Any) -> Any:
        """A user call on the socket; ``sent`` holds what it sent."""
        self.sent = []
        return getattr(UserSocket(self.socket, self._note), name)(*args, **named)

    def _note(self, actions: list[Action]) -> None:
        self.sent = [shown(s) for s in self.end.note(actions)]

    def do(self, function: Callable[..., Any], *args: Any) -> Any:
        """A user call of ``netsim.tcp.user_calls`` on the connection; ``sent`` holds what it sent."""
        tcb = self.connection
        result = function(tcb, *args)
        self._note(self.stack.finish(tcb))
        return result

    def wait(self, seconds: float) -> list[str]:
        """Let time pass; what timers sent."""
        until = round((self.now + seconds) * NS)
        sent: list[Segment] = []
        while (due := self.stack.next_deadline()) <= until:
            sent += self.end.note(self.stack.on_timer(due))
        self.now = until / NS
        return [shown(s) for s in sent]

    def open(self) -> None:
        """Active OPEN: SYN-SENT."""
        self.call("bind", PORTS["A"])
        self.call("connect", "B", PORTS["B"], self.ns)

    def listen(self) -> None:
        """Passive OPEN: LISTEN."""
        self.call("listen", PORTS["A"])

    def accept(self) -> None:
        """Take the connection from the listener."""
        self.socket = self.socket.accept() or self.socket


def reach(state: str, config: TcpConfig = BASE) -> RfcSolo:
    """A lone end in ``state``, with these numbers (worked by hand; FIN counts one):

    SYN-SENT, both SYN-RECEIVED: SND.UNA 1000, SND.NXT 1001; RCV.NXT 5001
    ESTABLISHED: ten bytes in flight, SND.UNA 1001, SND.NXT 1011; RCV.NXT 5001
    FIN-WAIT-1: SND.UNA 1001, SND.NXT 1002; RCV.NXT 5001. FIN-WAIT-2: SND.UNA = SND.NXT = 1002; RCV.NXT 5001
    CLOSE-WAIT: SND.UNA = SND.NXT = 1001; RCV.NXT 5002
    CLOSING, LAST-ACK: SND.UNA 1001, SND.NXT 1002; RCV.NXT 5002. TIME-WAIT: SND.UNA = SND.NXT = 1002; RCV.NXT 5002
    """
    lone = RfcSolo(config)
    if state in ("CLOSED",):
        return lone
    if state in ("LISTEN", "SYN-RECEIVED passive"):
        lone.listen()
        if state != "LISTEN":
            lone.arrive("SYN", IRS)
        return lone
    lone.open()
    if state == "SYN-SENT":
        return lone
    if state == "SYN-RECEIVED active":
        lone.arrive("SYN", IRS)
        return lone
    lone.arrive("SYN,ACK", IRS, ISS + 1)
    _after_established(lone, state)
    lone.end.events.clear()
    return lone


def _after_established(lone: RfcSolo, state: str) -> None:
    if state == "ESTABLISHED":
        lone.call("send", b"0123456789", lone.ns)
    if state in ("CLOSE-WAIT", "LAST-ACK"):
        lone.arrive("FIN,ACK", 5001, 1001)
    if state in ("FIN-WAIT-1", "FIN-WAIT-2", "CLOSING", "TIME-WAIT", "LAST-ACK"):
        lone.call("shutdown", lone.ns)
    if state in ("FIN-WAIT-2", "TIME-WAIT"):
        lone.arrive("ACK", 5001, 1002)
    if state in ("CLOSING", "TIME-WAIT"):
        lone.arrive("FIN,ACK", 5001, 1001 if state == "CLOSING" else 1002)


STATES = (
    "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED passive", "SYN-RECEIVED active", "ESTABLISHED", "FIN-WAIT-1",
    "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
)  # fmt: skip
