"""What the hosts and applications of one world share: clock, seed, observer, and the order of simultaneous events."""

import random
from collections.abc import Callable, Generator
from typing import Any, Final

from simpy import Event, Process
from simpy.events import EventPriority

from netsim.seeds import Seed
from netsim.sim.clock import Clock, done, start
from netsim.tcp.segment import FourTuple
from netsim.trace.events import Packet, TraceEvent
from netsim.units import SECOND

NS: Final = SECOND
Observer = Callable[[TraceEvent], None]

# SimPy serves lower priorities first; its own events, and so every application, have 0 or 1.
_FIRST, _SECOND = EventPriority(-2), EventPriority(-1)
# The priorities of timers and of arrivals; "random" draws one for each event instead.
PRIORITIES: Final = {
    "timer-first": (_FIRST, _SECOND),
    "packet-first": (_SECOND, _FIRST),
    "random": (_FIRST, _SECOND),
}


class Network:
    """A world as its hosts see it. ``names``: those of its hosts; ``packets``: how many have been sent."""

    def __init__(
        self,
        seed: Seed,
        observer: Observer | None,
        priorities: tuple[EventPriority, EventPriority],
        shuffle: random.Random | None,
    ) -> None:
        self.env = Clock()
        self.seed = seed
        # The key of the hosts' keyed hashes: the seed itself; one for all, since each hashes its own address too.
        self.secret = f"{seed.root}/{seed.replication}/{seed.point}".encode()
        self.observer = observer
        self.names: dict[str, None] = {}  # in the order of creation
        self.packets = 0
        # By four-tuple, the sender first: how many connections its host has opened on it, and the last one's number.
        self.incarnations: dict[FourTuple, tuple[int, int]] = {}
        self.done = done(self.env)
        self.shuffle = shuffle
        self.timer_priority, self.arrival_priority = priorities

    @property
    def now(self) -> float:
        """Simulated time in seconds."""
        return self.env.now / NS

    def process(self, generator: Generator[Event, Any, Any]) -> Process:
        """Start an application: a generator that yields events."""
        return start(self.env, generator, self.done)

    def timeout(self, seconds: float) -> Event:
        """An event ``seconds`` from now."""
        return self.env.timeout(round(seconds * NS))

    def note_opened(self, four_tuple: FourTuple, connection: int) -> None:
        """A host has opened a connection of this number: a new incarnation of the four-tuple."""
        count, _ = self.incarnations.get(four_tuple, (0, 0))
        self.incarnations[four_tuple] = (count + 1, connection)

    def is_stale(self, packet: Packet) -> bool:
        """Whether the sender has opened a newer connection on the packet's four-tuple since it sent the packet."""
        return 0 < packet.connection < self.incarnations.get(packet.segment.flow, (0, 0))[1]
