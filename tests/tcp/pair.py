"""Test doubles on a virtual clock: ``Solo`` is one stack whose peer the test plays, ``Pair`` is two stacks and a link.

Times are float seconds at this surface and integer nanoseconds inside; nothing is random but the stacks' own streams.
"""

import functools
import random
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from netsim.tcp.actions import Accepted, Dropped, Moved, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.segment import ACK, SYN, FourTuple, Options, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.stack import Stack
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER
from netsim.tcp.user_calls import receive

PEER_ISS = 5000
FLOW_IN = FourTuple("b", 80, "a", 4000)  # as the peer of a Solo writes it
TO_PORT_80 = FourTuple("b", 4000, "a", 80)  # to a listener of a Solo


def ns(seconds: float) -> int:
    return round(seconds * 1e9)


def streams(seed: object = 1) -> Callable[[str], random.Random]:
    return lambda name: random.Random(f"{seed}/{name}")


class UserSocket:
    """A socket as its user sees it: each call hands its actions to ``perform`` and returns only its value."""

    def __init__(self, socket: Socket, perform: Callable[[list[Any]], Any]) -> None:
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


class Solo:
    """One stack at "a"; the test is "b". ``log`` holds what the stack sent, as (seconds, segment)."""

    def __init__(self, config: TcpConfig | None = None, *, iss: int | None = 1000, seed: object = 1) -> None:
        config = config if config is not None else rfc9293()
        if iss is not None:
            config = config.replace(isn=ConstantIsn(iss))
        self.stack = Stack("a", streams(seed), config)
        self.stack.ctx.tracing = True
        self.ns = 0
        self.log: list[tuple[float, Segment]] = []
        self.records: list[Any] = []
        self.tcb: Tcb = None  # type: ignore[assignment]  # set by open or taken from the listener

    @property
    def now(self) -> float:
        return self.ns / 1e9

    def _collect(self, actions: list[Any]) -> list[Segment]:
        sent = [action.segment for action in actions if isinstance(action, Transmit)]
        self.log += [(self.now, segment) for segment in sent]
        self.records += [a for a in actions if isinstance(a, Moved | Dropped | Accepted)]
        return sent

    def open(self, **options: Any) -> list[Segment]:
        """Active OPEN a:4000 > b:80."""
        self.tcb, actions = self.stack.open("b", 80, self.ns, sport=4000, **options)
        return self._collect(actions)

    def call(self, operation: Callable[..., Any], *arguments: Any) -> list[Segment]:
        """A user call on the connection, e.g. ``call(send, b"data")``."""
        operation(self.tcb, *arguments, self.ns)
        return self._collect(self.stack.finish(self.tcb))

    def read(self, size: int = 1 << 20) -> bytes | None:
        data = receive(self.tcb, size, self.ns)
        self._collect(self.stack.finish())
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
        return self._collect(self.stack.on_segment(Segment(flow, seq, ack, flags, window, data, options), self.ns))

    def advance(self, until: float) -> list[tuple[float, Segment]]:
        """Let time pass to ``until`` (absolute); what timers sent, and when."""
        mark = len(self.log)
        end = min(ns(until), NEVER - 1)
        while (deadline := self.stack.next_deadline()) <= end:
            self.ns = max(self.ns, deadline)
            self._collect(self.stack.on_timer(self.ns))
        self.ns = end
        return self.log[mark:]

    def establish(self, *, rtt: float = 0.1, window: int = 65535, options: Options | None = None) -> list[Segment]:
        """Active OPEN, and a SYN-ACK ``rtt`` later; the stack's third segment."""
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
        self.stacks = {"a": Stack("a", streams((seed, "a")), a), "b": Stack("b", streams((seed, "b")), b or a)}
        self.records: dict[str, list[Any]] = {"a": [], "b": []}
        for stack in self.stacks.values():
            stack.ctx.tracing = True
        self.link: Link = link if link is not None else lambda now, sender, segment, nth: [delay]
        self.ns = 0
        self.wire: list[tuple[float, str, Segment, list[float]]] = []
        self._queue: list[tuple[int, int, str, Segment]] = []
        self._order = 0
        self._count = {"a": 0, "b": 0}

    @property
    def now(self) -> float:
        return self.ns / 1e9

    def perform(self, name: str, actions: list[Any]) -> None:
        for action in actions:
            if isinstance(action, Transmit):
                self._send(name, action.segment)
            elif isinstance(action, Moved | Dropped | Accepted):
                self.records[name].append(action)

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
