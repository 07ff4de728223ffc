"""The pump of one host: between SimPy's clock, the links, and the sans-I/O TCP stack.

Segments that arrive, wake-ups and user calls go to the core; the actions that come out are performed in their order.
Nothing else touches the core.
"""

from collections.abc import Sequence
from heapq import heappush
from typing import Any

from netsim.link import Pipe, Wire
from netsim.sim.clock import Act, random_priority
from netsim.sim.kinds import kinds
from netsim.sim.network import Network
from netsim.tcp.actions import Action, Allocated, Signal, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.segment import Segment
from netsim.tcp.stack import Stack
from netsim.tcp.tcb import Tcb
from netsim.trace.events import Arrived, Called, Decided, Packet, Sent


class Pump:
    """Feeds the TCP stack of the host ``name`` and performs its actions.

    ``on_arrival`` is called with each segment that arrives; with observers, with a ``Packet`` around it.
    """

    __slots__ = (
        "_arrival_priority",
        "_env",
        "_on_wakeup",
        "_postponed",  # the actions of calls that were tried again while others were being performed
        "_routes",
        "_seen",  # the packet that the stack is looking at
        "_timer_priority",
        "_waking",  # a call that waited is being tried again
        "name",
        "network",
        "on_arrival",
        "stack",
    )

    def __init__(self, network: Network, name: str, config: TcpConfig) -> None:
        self.network = network
        self.name = name
        seed = network.seed
        set_wakeup = self._set_wakeup if network.shuffle is None else self._set_random_wakeup
        # By position: keyword arguments more than double the price of making an object.
        self.stack = Stack(name, lambda stream: seed.stream(f"{name}/{stream}"), config, network.secret, set_wakeup)
        self._env = network.env
        self._timer_priority = network.timer_priority
        self._arrival_priority = network.arrival_priority
        self._routes: dict[str, tuple[Pipe, Pump, Wire | None]] = {}
        self.on_arrival: Act = self.arrive if network.observer is None else self._packet_arrives
        self._on_wakeup: Act = self._wake_up
        self._seen: Packet | None = None
        self._waking = False
        self._postponed: list[Action] = []
        if network.observer is not None:
            self.stack.ctx.tracing = True

    def connect_to(self, peer: "Pump", pipe: Pipe) -> None:
        """Send what is for ``peer`` through ``pipe``."""
        plain = self.network.observer is None and self.network.shuffle is None  # only the time of arrival matters
        self._routes[peer.name] = (pipe, peer, pipe.wire if plain else None)

    def route(self, destination: str) -> "tuple[Pipe, Pump] | None":
        """The link to ``destination`` and the host at its end; None without one."""
        route = self._routes.get(destination)
        return route[:2] if route is not None else None

    def alias(self, address: str, peer: "Pump") -> None:
        """``address`` is one of ``peer``: segments to it take the link there. ValueError without a link to ``peer``."""
        if peer.name not in self._routes:
            raise ValueError(f"peer = {peer.name!r}: must be a host with a link to {self.name!r}")
        self._routes[address] = self._routes[peer.name]

    def detach(self) -> None:
        """The end of the world: cut the references back to this pump. Counters and connections can still be read."""
        stack = self.stack
        self._routes.clear()
        del self.on_arrival, self._on_wakeup, stack.set_wakeup
        for listener in stack.listeners.values():
            listener.owner.observer = None
            listener.owner = None
        for tcb in stack.ctx.connections.values():
            if tcb.owner is not None:
                tcb.owner.observer = None
                tcb.owner = None

    def perform(self, actions: list[Action]) -> None:
        """Perform the actions that a user call has returned.

        A waiting call is retried while the actions of another input are being performed. Its own actions are performed
        after those.
        """
        if self._waking:
            self._postponed += actions
        elif actions:
            self._perform(actions, self._env.time)

    def called(self, phase: str, call: str, detail: Any, tcb: Tcb | None = None) -> None:
        """Trace an application's call or its return; ``tcb`` is the connection that it concerns."""
        observer = self.network.observer
        if observer is not None:
            number = tcb.id if tcb is not None else 0
            observer(Called(self._env.time, self.name, phase, call, detail, number))

    def _perform(self, actions: list[Action], now: int) -> None:
        woken = False
        for action in actions:
            if type(action) is Transmit:
                segment = action.segment
                route = self._routes.get(segment.flow.dst)
                if route is None:
                    self._send_nowhere(action)
                    continue
                pipe, peer, wire = route
                if wire is None:
                    self._send(action, now, pipe, peer)
                    continue
                time = wire(now)
                if time is not None:
                    env = self._env
                    entry = (time, self._arrival_priority, next(env.numbers), peer.on_arrival, segment)
                    heappush(env.queue, entry)
            elif type(action) is Signal:
                owner = action.owner
                socket = owner.observer
                if socket is not None and socket.waiting:
                    self._waking = woken = True
                    socket.wake()
                    self._waking = False
                if action.last:
                    owner.observer = None
            else:
                self._observe(action)
        if woken and self._postponed:
            actions, self._postponed = self._postponed, []
            self._perform(actions, now)

    def _send_nowhere(self, action: Transmit) -> None:
        if self.network.observer is not None:
            self._note_sent(action, [], "no route")

    def _send(self, action: Transmit, now: int, pipe: Pipe, peer: "Pump") -> None:
        """Send with observers, with a random order of simultaneous events, or on a path that needs sizes or kinds."""
        network, segment = self.network, action.segment
        content: Segment | Packet = segment
        size = segment.wire_size if pipe.uses_size else 0
        names: Sequence[str] = ()
        if pipe.uses_kinds:
            names = kinds(segment, self.stack.connections.get(segment.flow.reverse()))
        times = pipe.send(now, size, names)
        if network.observer is not None:
            content = self._note_sent(action, times, pipe.cause)
        for time in times:
            priority = network.arrival_priority if network.shuffle is None else random_priority(network.shuffle)
            self._env.at(time, priority, peer.on_arrival, content)

    def _note_sent(self, action: Transmit, times: list[int], cause: str) -> Packet:
        network, segment, now = self.network, action.segment, self._env.time
        network.packets += 1
        incarnation = network.incarnations.get(segment.flow, (0, 0))[0]
        packet = Packet(network.packets, segment, self.name, now, action.connection, incarnation, timer=action.timer)
        assert network.observer is not None
        network.observer(Sent(now, self.name, packet, tuple(times), cause))
        return packet

    def arrive(self, segment: Segment) -> None:
        """A segment arrives, and nobody observes."""
        now = self._env.time
        actions = self.stack.on_segment(segment, now)
        if actions:
            self._perform(actions, now)

    def _packet_arrives(self, packet: Packet) -> None:
        """A segment arrives, and its arrival is observed."""
        observer = self.network.observer
        assert observer is not None
        self._seen = packet
        observer(Arrived(self._env.time, self.name, packet, self.network.is_stale(packet)))
        self.arrive(packet.segment)
        self._seen = None

    def _observe(self, action: Action) -> None:
        assert not isinstance(action, Transmit | Signal)
        if isinstance(action, Allocated):
            self.network.note_opened(action.flow, action.connection)
        observer = self.network.observer
        assert observer is not None
        observer(Decided(self._env.time, self.name, action, self._seen))

    def _set_wakeup(self, deadline: int, tcb: Tcb) -> None:
        env = self._env
        heappush(env.queue, (deadline, self._timer_priority, next(env.numbers), self._on_wakeup, tcb))

    def _set_random_wakeup(self, deadline: int, tcb: Tcb) -> None:
        assert self.network.shuffle is not None
        self._env.at(deadline, random_priority(self.network.shuffle), self._on_wakeup, tcb)

    def _wake_up(self, tcb: Tcb) -> None:
        now = self._env.time
        actions = self.stack.on_wakeup(tcb, now)
        if actions:
            self._perform(actions, now)
