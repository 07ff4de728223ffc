"""A host: the pump between SimPy's clock, its links, and its sans-I/O TCP stack.

Arrivals, wake-ups and user calls go to the core, and the actions that come out are performed in their order; nothing
else touches the core.
"""

from collections.abc import Sequence
from heapq import heappush
from typing import TYPE_CHECKING, Any

from netsim.link import Pipe, Wire
from netsim.sim.connection import Connection
from netsim.sim.events import Act, shuffled
from netsim.sim.kinds import kinds
from netsim.sim.processor import Processor
from netsim.sim.socket import Socket
from netsim.tcp.actions import Action, Allocated, Signal, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import IsnPolicy
from netsim.tcp.counters import Counters
from netsim.tcp.listening.fast_open import cookie_for
from netsim.tcp.segment import FourTuple, Segment
from netsim.tcp.stack import Stack
from netsim.tcp.state import State
from netsim.tcp.tcb import Tcb
from netsim.trace.events import Arrived, Called, Decided, Packet, Sent

if TYPE_CHECKING:
    from netsim.sim.network import Network


class Host:
    """A named host in a world; its name is its address. Made by ``World.host``.

    ``world`` is the world as hosts see it, for applications: ``host.world.now``, ``.timeout(s)``, ``.process(...)``.
    ``processor`` is what its segments wait for; None: they cost no time.
    """

    def __init__(self, world: "Network", name: str, config: TcpConfig) -> None:
        self.world = world
        self.name = name
        seed = world.seed
        set_wakeup = self._set_wakeup if world.shuffle is None else self._set_shuffled_wakeup
        # By position: keyword arguments more than double the price of making an object.
        self.stack = Stack(name, lambda stream: seed.stream(f"{name}/{stream}"), config, world.secret, set_wakeup)
        self._env = world.env
        self._timer_priority = world.timer_priority
        self._arrival_priority = world.arrival_priority
        self._routes: dict[str, tuple[Pipe, Host, Wire | None]] = {}
        self.on_arrival: Act = self.arrive if world.observer is None else self._packet_arrives
        self._on_wakeup: Act = self._wake_up
        self.processor: Processor | None = None
        self._seen: Packet | None = None
        self._waking = False  # a call that waited is tried again
        self._postponed: list[Action] = []  # what such calls have caused
        self._incarnations: dict[FourTuple, tuple[int, int]] = {}
        if world.observer is not None:
            self.stack.ctx.record = True

    def __repr__(self) -> str:
        return f"Host({self.name!r}, profile={self.stack.config.name!r})"

    @property
    def config(self) -> TcpConfig:
        """The policies and constants of this host's TCP."""
        return self.stack.config

    @property
    def counters(self) -> Counters:
        """What this host's TCP has counted, by nstat names."""
        return self.stack.counters

    @property
    def connections(self) -> list[Connection]:
        """Its connections that are not CLOSED, in the order of opening; those in SYN-RECEIVED and TIME-WAIT too."""
        return [Connection(tcb) for tcb in self.stack.connections.values()]

    def connection(self, four_tuple: FourTuple) -> Connection | None:
        """The connection with this four-tuple (this host's address first), or None."""
        tcb = self.stack.connections.get(four_tuple.reverse())
        return Connection(tcb) if tcb is not None else None

    @property
    def states(self) -> dict[State, int]:
        """How many connections are in each state."""
        return self.stack.census()

    @property
    def connections_opened(self) -> int:
        """How many connections it has opened so far, actively or by a SYN that it received."""
        return self.stack.ctx.opened

    def initial_sequence_number(self, policy: IsnPolicy, *, now: int, opened: int) -> int:
        """The ISS that ``policy`` gives this host at ``now`` (ns), after ``opened`` connections, for one four-tuple."""
        four_tuple = FourTuple(self.name, 0, "", 0)
        return policy.initial(now=now, flow=four_tuple, opened=opened, source=self.stack.ctx)

    def fast_open_cookie(self, client: str) -> bytes:
        """The Fast Open cookie (RFC 7413 4.1.2) that this host gives the host named ``client``."""
        return cookie_for(self.stack.ctx, FourTuple(client, 0, self.name, 0), self.config.fast_open_cookie)

    def socket(self, config: TcpConfig | None = None, *, reuse_address: bool = False) -> Socket:
        """A new socket; ``config`` overrides the host's for its connections.

        ``reuse_address`` is SO_REUSEADDR: ``bind`` and ``listen`` may share the port with what is left of old
        connections.
        """
        return Socket(self, config, reuse_address=reuse_address)

    def add_processor(self, per_segment: float, per_byte: float) -> None:
        """From now on processing what arrives costs time: see Processor."""
        self.processor = Processor(self, self.on_arrival, per_segment=per_segment, per_byte=per_byte)
        self.on_arrival = self.processor.take

    def crash(self) -> None:
        """The host loses power and starts again at once: all connections and listeners are forgotten.

        Its applications hear nothing more of their sockets; start new ones.
        """
        self.called("call", "crash", "")
        self.perform(self.stack.crash())

    def connect_to(self, peer: "Host", pipe: Pipe) -> None:
        """Send what is for ``peer`` through ``pipe``."""
        plain = self.world.observer is None and self.world.shuffle is None  # nothing but the wire to look at
        self._routes[peer.name] = (pipe, peer, pipe.wire if plain else None)

    def route(self, destination: str) -> "tuple[Pipe, Host] | None":
        """The link to ``destination`` and the host at its end; None without one."""
        route = self._routes.get(destination)
        return route[:2] if route is not None else None

    def alias(self, address: str, peer: "Host") -> None:
        """``peer`` has ``address`` too: what goes there goes to it. ValueError without a link to ``peer``."""
        if peer.name not in self._routes:
            raise ValueError(f"peer = {peer.name!r}: must be a host with a link to {self.name!r}")
        self._routes[address] = self._routes[peer.name]

    def detach(self) -> None:
        """The end of the world: untie what refers back to this host. Counters and connections can still be read."""
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

        A call that waited is tried again while the actions of another input are being performed: what it causes is
        sent after these.
        """
        if self._waking:
            self._postponed += actions
        elif actions:
            self._perform(actions, self._env._now)

    def called(self, phase: str, call: str, detail: Any, tcb: Tcb | None = None) -> None:
        """Trace an application's call or its return; ``tcb`` is the connection that it concerns."""
        observer = self.world.observer
        if observer is not None:
            number = tcb.id if tcb is not None else 0
            observer(Called(self._env._now, self.name, phase, call, detail, number))

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
                    entry = (time, self._arrival_priority, next(env._eid), peer.on_arrival, segment)
                    heappush(env._queue, entry)
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
        if self.world.observer is not None:
            self._note_sent(action, [], "no route")

    def _send(self, action: Transmit, now: int, pipe: Pipe, peer: "Host") -> None:
        """Send where somebody looks on, the order of things at one instant is drawn, or the path asks for more."""
        world, segment = self.world, action.segment
        content: Segment | Packet = segment
        size = segment.wire_size if pipe.uses_size else 0
        names: Sequence[str] = ()
        if pipe.uses_kinds:
            names = kinds(segment, self.stack.connections.get(segment.flow.reverse()))
        times = pipe.send(now, size, names)
        if world.observer is not None:
            content = self._note_sent(action, times, pipe.cause)
        for time in times:
            priority = world.arrival_priority if world.shuffle is None else shuffled(world.shuffle)
            self._env.at(time, priority, peer.on_arrival, content)

    def _note_sent(self, action: Transmit, times: list[int], cause: str) -> Packet:
        world, segment, now = self.world, action.segment, self._env._now
        world.packets += 1
        incarnation = self._incarnations.get(segment.flow, (0, 0))[0]
        packet = Packet(world.packets, segment, self.name, now, action.connection, incarnation, timer=action.timer)
        assert world.observer is not None
        world.observer(Sent(now, self.name, packet, tuple(times), cause))
        return packet

    def arrive(self, segment: Segment) -> None:
        """A segment is here."""
        now = self._env._now
        actions = self.stack.on_segment(segment, now)
        if actions:
            self._perform(actions, now)

    def _packet_arrives(self, packet: Packet) -> None:
        """A segment is here, and somebody looks on."""
        observer = self.world.observer
        assert observer is not None
        self._seen = packet
        reopened = self.world.hosts[packet.sender].has_reopened(packet)
        observer(Arrived(self._env._now, self.name, packet, reopened))
        self.arrive(packet.segment)
        self._seen = None

    def has_reopened(self, packet: Packet) -> bool:
        """Whether this host has opened a newer connection on the packet's four-tuple since it sent the packet."""
        return 0 < packet.connection < self._incarnations.get(packet.segment.flow, (0, 0))[1]

    def _observe(self, action: Action) -> None:
        assert not isinstance(action, Transmit | Signal)
        if isinstance(action, Allocated):
            count = self._incarnations.get(action.flow, (0, 0))[0]
            self._incarnations[action.flow] = (count + 1, action.connection)
        observer = self.world.observer
        assert observer is not None
        observer(Decided(self._env._now, self.name, action, self._seen))

    def _set_wakeup(self, deadline: int, tcb: Tcb) -> None:
        env = self._env
        heappush(env._queue, (deadline, self._timer_priority, next(env._eid), self._on_wakeup, tcb))

    def _set_shuffled_wakeup(self, deadline: int, tcb: Tcb) -> None:
        assert self.world.shuffle is not None
        self._env.at(deadline, shuffled(self.world.shuffle), self._on_wakeup, tcb)

    def _wake_up(self, tcb: Tcb) -> None:
        now = self._env._now
        actions = self.stack.on_wakeup(tcb, now)
        if actions:
            self._perform(actions, now)
