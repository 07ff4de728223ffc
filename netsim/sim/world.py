"""A world: hosts, the paths between them, a clock, a seed, and what happens first among things at one instant."""

import gc
import random
from collections.abc import Callable, Generator
from typing import Any, Final, Literal

from simpy import Event, Process
from simpy.events import EventPriority

from netsim.link import Path
from netsim.seeds import Seed
from netsim.sim.events import Clock, done
from netsim.sim.host import Host
from netsim.tcp.config import TcpConfig
from netsim.tcp.profiles import profile as profile_named
from netsim.trace.recorder import Trace
from netsim.trace.records import Record

NS: Final = 1_000_000_000
Ties = Literal["timer-first", "packet-first"]
Observer = Callable[[Record], None]

# SimPy serves lower priorities first; its own events, and so every application, have 0 or 1.
_FIRST, _SECOND = EventPriority(-2), EventPriority(-1)


class World:
    """A simulated network with its own clock, which starts at 0.

    ``seed`` (an int or a ``Seed``) decides every random choice. ``trace=True`` keeps a ``Trace`` of everything that
    happens; ``observer`` is called with each record instead. ``ties`` says what comes first among a timer and an
    arrival of the same instant (applications always come last); ``shuffle_ties`` draws that order from the seed, to
    find results that depend on it.
    """

    def __init__(
        self,
        *,
        seed: int | Seed = 1,
        trace: bool = False,
        observer: Observer | None = None,
        ties: Ties = "timer-first",
        shuffle_ties: bool = False,
    ) -> None:
        if ties not in ("timer-first", "packet-first"):
            raise ValueError(f"ties = {ties!r}: allowed is 'timer-first' or 'packet-first'")
        self.env = Clock()
        self.seed = seed if isinstance(seed, Seed) else Seed(seed)
        self.trace = Trace()
        self.observer = self.trace.records.append if trace else observer
        self.hosts: dict[str, Host] = {}
        self.packets = 0
        self.done = done(self.env)
        self.shuffle: random.Random | None = self.seed.stream("ties") if shuffle_ties else None
        self.timer_priority = _FIRST if ties == "timer-first" else _SECOND
        self.arrival_priority = _SECOND if ties == "timer-first" else _FIRST

    @property
    def now(self) -> float:
        """Simulated time in seconds."""
        return self.env.now / NS

    def host(self, name: str, profile: str | TcpConfig = "rfc9293") -> Host:
        """A new host; ``profile`` is a profile's name or a TcpConfig. ValueError if the name is taken."""
        if name in self.hosts:
            raise ValueError(f"host = {name!r}: this world has one of that name")
        config = profile_named(profile) if isinstance(profile, str) else profile
        host = self.hosts[name] = Host(self, name, config)
        return host

    def link(self, a: Host, b: Host, forward: Path, reverse: Path | None = None) -> None:
        """Join two hosts: ``forward`` carries what ``a`` sends, ``reverse`` (by default a like one) what ``b`` sends."""
        for source, target, path in ((a, b, forward), (b, a, reverse if reverse is not None else forward)):
            prefix = f"{source.name}>{target.name}/"
            source.connect_to(target, path.open(self._streams(prefix)))

    def process(self, generator: Generator[Event, Any, Any]) -> Process:
        """Start an application: a generator that yields events."""
        return self.env.process(generator)

    def timeout(self, seconds: float) -> Event:
        """An event ``seconds`` from now."""
        return self.env.timeout(round(seconds * NS))

    def run(self, until: float | Event | None = None) -> None:
        """Run until nothing is left to happen, or until a time (s) or an event. The collector rests meanwhile."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            if until is None or isinstance(until, Event):
                self.env.run(until)
            else:
                self.env.run(round(until * NS))
        finally:
            if collecting:
                gc.enable()

    def _streams(self, prefix: str) -> Callable[[str], random.Random]:
        return lambda name: self.seed.stream(prefix + name)
