"""What the hosts and applications of one world share: clock, seed, observer, and the order of things at one instant."""

import random
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

from simpy import Event, Process
from simpy.events import EventPriority

from netsim.seeds import Seed
from netsim.sim.events import Clock, done, start
from netsim.trace.events import TraceEvent

if TYPE_CHECKING:
    from netsim.sim.host import Host

NS: Final = 1_000_000_000
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
    """A world as its hosts see it."""

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
        self.hosts: dict[str, Host] = {}
        self.packets = 0
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

    def dissolve(self) -> None:
        """Let go of one another, so that all memory is free at once; what hosts have counted can still be read."""
        for host in self.hosts.values():
            host.detach()
        self.hosts = {}
        self.env._queue.clear()
