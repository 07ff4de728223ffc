"""Two stacks, or one stack and a scripted peer, on a virtual clock: nothing moves unless the test says so.

``Pair`` holds every segment in the net until the test delivers or drops it. ``Lone`` plays the peer by hand: each
segment that arrives is written out, and what the stack answers is returned. Times are seconds here.
"""

import random
from collections.abc import Callable
from typing import Any

from netsim.tcp.actions import Action, Dropped, Moved, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.segment import ACK, FIN, RST, SYN, FourTuple, Segment, flag_names
from netsim.tcp.socket import Socket
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSED, LISTEN, State
from netsim.tcp.tcb import Tcb
from tests.tcp.pair import UserSocket

NS = 1_000_000_000
FLAGS = {"SYN": SYN, "ACK": ACK, "FIN": FIN, "RST": RST}
PORTS = {"A": 1000, "B": 2000}
OTHER = {"A": "B", "B": "A"}


def flags_of(names: str) -> int:
    """``"SYN,ACK"`` as an int; ``"none"`` is 0."""
    return sum(FLAGS[name] for name in names.split(",") if name != "none")


def shown(segment: Segment) -> str:
    """A segment as the RFC prints it; PSH, which its figures leave out, is left out."""
    data = f"<SEQ={segment.seq}>"
    data += f"<ACK={segment.ack}>" if segment.flags & ACK else ""
    data += f"<CTL={flag_names(segment.flags & (SYN | ACK | FIN | RST))}>"
    return data + (f"<DATA={len(segment.payload)}>" if segment.payload else "")


def flow_from(end: str) -> FourTuple:
    """The four-tuple as ``end`` writes it."""
    return FourTuple(end, PORTS[end], OTHER[end], PORTS[OTHER[end]])


def host(name: str, config: TcpConfig) -> Stack:
    """A stack that tells every decision."""
    stack = Stack(name, lambda stream: random.Random(f"{name}/{stream}"), config)
    stack.ctx.tracing = True
    return stack


class Log:
    """What stacks decided: their changes of state and the segments they dropped, each as its records."""

    def __init__(self) -> None:
        self.moves: list[Moved] = []
        self.drops: list[Dropped] = []

    def note(self, actions: list[Action]) -> list[Segment]:
        """Keep the decisions; return the segments to send."""
        self.moves += [a for a in actions if type(a) is Moved]
        self.drops += [a for a in actions if type(a) is Dropped]
        return [a.segment for a in actions if type(a) is Transmit]

    @property
    def edges(self) -> list[tuple[State, State, str]]:
        """The changes of state, as in ``LEGAL``."""
        return [(m.old, m.new, m.clause) for m in self.moves]

    @property
    def clauses(self) -> list[str]:
        """Why segments were dropped."""
        return [d.clause for d in self.drops]


class Pair:
    """Ends A and B; ``net[end]`` holds what ``end`` sent and nobody has delivered or dropped yet, oldest first."""

    def __init__(self, a: TcpConfig, b: TcpConfig) -> None:
        self.now = 0.0
        self.stacks = {"A": host("A", a), "B": host("B", b)}
        self.net: dict[str, list[Segment]] = {"A": [], "B": []}
        self.sent: list[str] = []
        self.logs = {"A": Log(), "B": Log()}
        self.sockets: dict[str, UserSocket] = {}

    @property
    def ns(self) -> int:
        return round(self.now * NS)

    def _perform(self, end: str, actions: list[Action]) -> None:
        for segment in self.logs[end].note(actions):
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
        """``segment`` arrives, whoever sent it and whenever."""
        end = segment.flow.dst
        self._perform(end, self.stacks[end].on_segment(segment, self.ns))
        for tcb in self.stacks[end].connections.values():
            tcb.check()

    def settle(self) -> None:
        """Deliver everything, in the order it was sent, until the net is empty."""
        for _ in range(1000):
            sender = next((end for end in self.net if self.net[end]), None)
            if sender is None:
                return
            self.deliver(sender)
        raise AssertionError("the two ends never fall silent")

    def wait(self, seconds: float) -> None:
        """Let timers ring for so long; what they send stays in the net."""
        until = round((self.now + seconds) * NS)
        while (due := min(s.next_deadline() for s in self.stacks.values())) <= until:
            for end, stack in self.stacks.items():
                if stack.next_deadline() <= due:
                    self.now = max(self.now, due / NS)
                    self._perform(end, stack.on_timer(due))
        self.now = until / NS

    def tcb(self, end: str) -> Tcb | None:
        """The end's record of the connection, if it holds one."""
        return self.stacks[end].connections.get(flow_from(OTHER[end]))

    def state(self, end: str) -> State:
        """The end's state as the RFC's figures show it: a listener without a connection is in LISTEN."""
        tcb = self.tcb(end)
        if tcb is not None:
            return tcb.state
        return LISTEN if PORTS[end] in self.stacks[end].listeners else CLOSED


ISS, IRS = 1000, 5000  # Lone's own initial number and the scripted peer's
PEER_WINDOW = 2000
BASE = TcpConfig(isn=ConstantIsn(ISS), receive_buffer=1000, delayed_ack=None)


class Lone:
    """One stack, end A; the test is the peer. ISS 1000, the peer's 5000, RCV.WND 1000, SND.WND 2000."""

    def __init__(self, config: TcpConfig = BASE) -> None:
        self.now = 0.0
        self.config = config
        self.stack = host("A", config)
        self.socket = Socket(self.stack)
        self.log = Log()
        self.sent: list[str] = []  # by the last user call

    @property
    def ns(self) -> int:
        return round(self.now * NS)

    @property
    def tcb(self) -> Tcb | None:
        """The record of the connection, if there is one."""
        return self.stack.connections.get(flow_from("B"))

    @property
    def record(self) -> Tcb:
        """The record of the connection."""
        tcb = self.tcb
        assert tcb is not None
        return tcb

    @property
    def state(self) -> State:
        """As ``Pair.state``."""
        if self.tcb is not None:
            return self.tcb.state
        return LISTEN if PORTS["A"] in self.stack.listeners else CLOSED

    def arrive(self, names: str, seq: int, ack: int = 0, data: bytes = b"", window: int = PEER_WINDOW) -> list[str]:
        """The peer's segment arrives; what was answered, as the RFC prints it."""
        segment = Segment(flow_from("B"), seq % 2**32, ack % 2**32, flags_of(names), window, data)
        replies = self.log.note(self.stack.on_segment(segment, self.ns))
        if self.tcb is not None:
            self.tcb.check()
        return [shown(s) for s in replies]

    def call(self, name: str, *args: Any, **named: Any) -> Any:
        """A user call on the socket; ``sent`` holds what it sent."""
        self.sent = []
        return getattr(UserSocket(self.socket, self._note), name)(*args, **named)

    def _note(self, actions: list[Action]) -> None:
        self.sent = [shown(s) for s in self.log.note(actions)]

    def do(self, function: Callable[..., Any], *args: Any) -> Any:
        """A user call of ``netsim.tcp.user_calls`` on the record; ``sent`` holds what it sent."""
        tcb = self.record
        result = function(tcb, *args)
        self._note(self.stack.finish(tcb))
        return result

    def wait(self, seconds: float) -> list[str]:
        """Let timers ring for so long; what they sent."""
        until = round((self.now + seconds) * NS)
        sent: list[Segment] = []
        while (due := self.stack.next_deadline()) <= until:
            sent += self.log.note(self.stack.on_timer(due))
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


def reach(state: str, config: TcpConfig = BASE) -> Lone:
    """A lone end in ``state``, with these numbers (worked by hand; FIN counts one):

    SYN-SENT, both SYN-RECEIVED: SND.UNA 1000, SND.NXT 1001; RCV.NXT 5001
    ESTABLISHED: ten bytes in flight, SND.UNA 1001, SND.NXT 1011; RCV.NXT 5001
    FIN-WAIT-1: SND.UNA 1001, SND.NXT 1002; RCV.NXT 5001. FIN-WAIT-2: SND.UNA = SND.NXT = 1002; RCV.NXT 5001
    CLOSE-WAIT: SND.UNA = SND.NXT = 1001; RCV.NXT 5002
    CLOSING, LAST-ACK: SND.UNA 1001, SND.NXT 1002; RCV.NXT 5002. TIME-WAIT: SND.UNA = SND.NXT = 1002; RCV.NXT 5002
    """
    lone = Lone(config)
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
    lone.log = Log()
    return lone


def _after_established(lone: Lone, state: str) -> None:
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
