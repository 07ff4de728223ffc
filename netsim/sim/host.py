"""A host of a world: what applications and experiments use of it."""

from netsim.sim.connection import Connection
from netsim.sim.network import Network
from netsim.sim.processor import Processor
from netsim.sim.pump import Pump
from netsim.sim.socket import Socket
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import IsnPolicy
from netsim.tcp.counters import Counters
from netsim.tcp.listening.fast_open import cookie_for
from netsim.tcp.segment import FourTuple, Segment
from netsim.tcp.state import State


class Host:
    """A named host in a world; its name is its address. Made by ``World.host``.

    ``world`` is the world as hosts see it, for applications: ``host.world.now``, ``.timeout(s)``, ``.process(...)``.
    ``processor`` is what segments that arrive wait for; None if processing costs no time. ``pump`` drives its TCP.
    """

    __slots__ = ("__weakref__", "name", "processor", "pump", "world")

    def __init__(self, network: Network, name: str, config: TcpConfig) -> None:
        self.world = network
        self.name = name
        self.pump = Pump(network, name, config)
        self.processor: Processor | None = None

    def __repr__(self) -> str:
        return f"Host({self.name!r}, profile={self.pump.stack.config.name!r})"

    @property
    def config(self) -> TcpConfig:
        """The policies and constants of this host's TCP."""
        return self.pump.stack.config

    @property
    def counters(self) -> Counters:
        """What this host's TCP has counted, by nstat names."""
        return self.pump.stack.counters

    @property
    def connections(self) -> list[Connection]:
        """Its connections that are not CLOSED, in the order of opening; those in SYN-RECEIVED and TIME-WAIT too."""
        return [Connection(tcb) for tcb in self.pump.stack.connections.values()]

    def connection(self, four_tuple: FourTuple) -> Connection | None:
        """The connection with this four-tuple (this host's address first), or None."""
        tcb = self.pump.stack.connections.get(four_tuple.reverse())
        return Connection(tcb) if tcb is not None else None

    def receiver_of(self, segment: Segment) -> Connection | None:
        """The connection to which ``segment`` belongs if it arrives at this host; None without one."""
        tcb = self.pump.stack.connections.get(segment.flow)
        return Connection(tcb) if tcb is not None else None

    @property
    def states(self) -> dict[State, int]:
        """How many connections are in each state."""
        return self.pump.stack.census()

    @property
    def connections_opened(self) -> int:
        """How many connections it has opened so far, actively or by a SYN that it received."""
        return self.pump.stack.ctx.opened

    def initial_sequence_number(self, policy: IsnPolicy, *, now: int, opened: int) -> int:
        """The ISS that ``policy`` gives this host at ``now`` (ns), after ``opened`` connections, for one four-tuple."""
        four_tuple = FourTuple(self.name, 0, "", 0)
        return policy.initial(now=now, flow=four_tuple, opened=opened, source=self.pump.stack.ctx)

    def fast_open_cookie(self, client: str) -> bytes:
        """The Fast Open cookie (RFC 7413 4.1.2) that this host gives the host named ``client``."""
        return cookie_for(self.pump.stack.ctx, FourTuple(client, 0, self.name, 0), self.config.fast_open_cookie)

    def socket(self, config: TcpConfig | None = None, *, reuse_address: bool = False) -> Socket:
        """A new socket; ``config`` overrides the host's for its connections.

        ``reuse_address`` is SO_REUSEADDR: ``bind`` and ``listen`` may share the port with what is left of old
        connections.
        """
        socket = Socket(self.pump, config)
        if reuse_address:
            socket.core.reuse_address = True
        return socket

    def add_processor(self, per_segment: float, per_byte: float) -> None:
        """From now on processing what arrives costs time (s): see Processor."""
        pump = self.pump
        self.processor = Processor(self.world, pump.on_arrival, per_segment=per_segment, per_byte=per_byte)
        pump.on_arrival = self.processor.take

    def crash(self) -> None:
        """The host crashes and restarts immediately, without its connections and listeners.

        Its applications are never resumed from calls on their old sockets; start new applications.
        """
        self.pump.called("call", "crash", "")
        self.pump.perform(self.pump.stack.crash())

    def alias(self, address: str, peer: "Host") -> None:
        """What this host sends to ``address`` goes to ``peer``. ValueError without a link to ``peer``."""
        self.pump.alias(address, peer.pump)
