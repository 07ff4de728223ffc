"""A world: hosts, the paths between them, a clock, a seed, and the order of simultaneous events."""

import gc
from collections.abc import Generator, Sequence
from typing import Any, Literal

from simpy import Event, Process

from netsim.link import Path
from netsim.seeds import Seed
from netsim.sim.clock import Clock
from netsim.sim.host import Host
from netsim.sim.network import NS, PRIORITIES, Network, Observer
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile as profile_named
from netsim.trace.events import TraceEvent
from netsim.trace.recorder import Trace
from netsim.units import require_choice

TieBreak = Literal["timer-first", "packet-first", "random"]
"""How simultaneous events are ordered; applications always run after timers and arrivals."""


class World:
    """A simulated network with its own clock, which starts at 0. ``hosts``: its hosts by name; ``trace``: its events.

    ``seed`` (an int or a ``Seed``) decides every random choice. ``trace=True`` keeps a ``Trace`` of everything that
    happens. Each of the ``observers`` is called with every event as it happens, in their order.

    ``tie_break`` orders simultaneous events: a timer expires before a packet of the same instant arrives
    (``timer-first``), after it (``packet-first``), or in an order drawn from the seed (``random``, to find results that
    depend on the order). Applications always run last. ValueError for another ``tie_break``.

    A world ends with its last reference; its hosts can still be read after that, but they do nothing any more.
    """

    def __init__(
        self,
        *,
        seed: int | Seed = 1,
        trace: bool = False,
        observers: Sequence[Observer] = (),
        tie_break: TieBreak = "timer-first",
    ) -> None:
        if tie_break not in PRIORITIES:
            require_choice("tie_break", tie_break, PRIORITIES)
        seed = seed if isinstance(seed, Seed) else Seed(seed)
        self.seed = seed
        self.trace = Trace()
        self.hosts: dict[str, Host] = {}
        if trace:
            observers = [self.trace.events.append, *observers]
        self.network = Network(
            seed,
            _one(observers) if observers else None,
            PRIORITIES[tie_break],
            seed.stream("tie_break") if tie_break == "random" else None,
        )

    def __del__(self) -> None:
        # Hosts, sockets and the clock refer to one another. With the cycles cut here, they are freed immediately and
        # their memory is reused while it is still in the cache; the cyclic collector would cost a third of a short run.
        if hasattr(self, "network"):
            for host in self.hosts.values():
                host.pump.detach()
            self.network.env.queue.clear()

    @property
    def env(self) -> Clock:
        """SimPy's environment; its clock counts integer nanoseconds."""
        return self.network.env

    @property
    def now(self) -> float:
        """Simulated time in seconds."""
        return self.network.now

    def host(
        self,
        name: str,
        profile: str | TcpConfig = "rfc9293",
        *,
        cpu_per_segment: float = 0.0,
        cpu_per_byte: float = 0.0,
    ) -> Host:
        """A new host; ``profile`` is a profile's name or a TcpConfig. ValueError if the name is taken.

        Processing what arrives costs ``cpu_per_segment`` seconds, and ``cpu_per_byte`` more for each byte of data.
        """
        if name in self.hosts:
            raise ValueError(f"host = {name!r}: this world has one of that name")
        if isinstance(profile, str):
            profile = profile_named(profile)
        elif not isinstance(profile, TcpConfig):
            raise ValueError(f"profile = {profile!r}: must be a profile's name or a TcpConfig")
        host = self.hosts[name] = Host(self.network, name, profile)
        self.network.names[name] = None
        if cpu_per_segment or cpu_per_byte:
            host.add_processor(cpu_per_segment, cpu_per_byte)
        return host

    def link(self, a: Host, b: Host, forward: Path, reverse: Path | None = None) -> None:
        """Join two hosts: ``forward`` carries what ``a`` sends, ``reverse`` (default: one like it) what ``b`` sends."""
        seed = self.seed
        a.pump.connect_to(b.pump, forward.open(lambda name: seed.draws(f"{a.name}>{b.name}/{name}")))
        b.pump.connect_to(a.pump, (reverse or forward).open(lambda name: seed.draws(f"{b.name}>{a.name}/{name}")))

    def process(self, generator: Generator[Event, Any, Any]) -> Process:
        """Start an application: a generator that yields events."""
        return self.network.process(generator)

    def timeout(self, seconds: float) -> Event:
        """An event ``seconds`` from now."""
        return self.network.timeout(seconds)

    def run(self, until: float | Event | None = None) -> None:
        """Run until no event is left, or until a time (s) or an event. Garbage collection is paused meanwhile."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            if until is None or isinstance(until, Event):
                self.network.env.run(until)
            else:
                self.env.run(round(until * NS))
        finally:
            if collecting:
                gc.enable()


def _one(observers: Sequence[Observer]) -> Observer:
    """One observer that calls them all."""
    if len(observers) == 1:
        return observers[0]

    def call_all(event: TraceEvent) -> None:
        for observer in observers:
            observer(event)

    return call_all
