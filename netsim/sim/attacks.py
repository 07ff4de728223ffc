"""Attacks: forged segments, and floods of SYNs with spoofed source addresses or of real connections.

The trace marks what a ``Forger`` sends as forged; no TCP can see that. Floods are processes that never end, for
``world.process(...)``. Rates are per second.
"""

import random
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final, Literal

from simpy import Event

from netsim.sim.clock import random_priority
from netsim.sim.host import Host
from netsim.sim.kinds import kinds
from netsim.sim.network import NS
from netsim.tcp.errors import InsufficientResources, TcpError
from netsim.tcp.segment import SYN, FourTuple, Options, Segment
from netsim.trace.events import Packet, Sent
from netsim.units import require_number

Arrivals = Literal["poisson", "constant", "bursts"]

FIRST_PORT: Final = 1024
_PORTS: Final = 65_536 - FIRST_PORT
_SYN_OPTIONS: Final = Options(mss=1460)


class Forger:
    """Sends any segment from any source address, from where ``host`` is in the network.

    The segment takes the host's link to its destination. Answers go to the source address that the segment claims: to
    the host of that name if the destination has a link to it, else nowhere (a silent address).
    """

    __slots__ = ("_pump",)

    def __init__(self, host: Host) -> None:
        self._pump = host.pump

    def send(self, segment: Segment) -> None:
        """Send it now. ValueError if this host has no link to its destination."""
        pump, network = self._pump, self._pump.network
        now = network.env.time
        route = pump.route(segment.flow.dst)
        if route is None:
            raise ValueError(f"destination = {segment.flow.dst!r}: must be a host with a link to {pump.name!r}")
        pipe, peer = route
        size = segment.wire_size if pipe.uses_size else 0
        times = pipe.send(now, size, kinds(segment, None) if pipe.uses_kinds else ())
        content: Segment | Packet = segment
        if network.observer is not None:
            network.packets += 1
            content = Packet(network.packets, segment, pump.name, now, 0, 0, forged=True)
            network.observer(Sent(now, pump.name, content, tuple(times), pipe.cause))
        for time in times:
            priority = network.arrival_priority if network.shuffle is None else random_priority(network.shuffle)
            network.env.at(time, priority, peer.on_arrival, content)


def interarrival_times(arrivals: Arrivals, rate: float, stream: random.Random, *, burst: int = 50) -> Iterator[float]:
    """The times (s) between arrivals, without end: ``rate`` arrivals per second on average.

    ``arrivals``: a ``poisson`` process; ``constant`` times; ``bursts`` of ``burst`` simultaneous arrivals, which are a
    Poisson process. ValueError for others.
    """
    require_number("rate", rate, low=1e-9, high=1e9, unit="1/s")
    if arrivals == "poisson":
        while True:
            yield stream.expovariate(rate)
    elif arrivals == "constant":
        while True:
            yield 1 / rate
    elif arrivals == "bursts":
        while True:
            yield stream.expovariate(rate / burst)
            yield from [0.0] * (burst - 1)
    else:
        raise ValueError(f"arrivals = {arrivals!r}: must be poisson, constant or bursts")


def spoofed_sources(count: int) -> list[str]:
    """``count`` source addresses, for ``flood``."""
    return [f"spoofed-{k}" for k in range(count)]


def flood(
    host: Host, target: tuple[str, int], *, sources: list[str], gaps: Iterator[float], stream: random.Random
) -> Generator[Event, Any, None]:
    """SYNs from ``sources`` to ``target`` (host's name, port), one after each of ``gaps`` (s), without end.

    No four-tuple repeats within 64,512 SYNs per source. The owner of a source address, if any, answers what comes back.
    """
    name, port = target

    def syn(number: int) -> Segment:
        block, which = divmod(number, len(sources))
        flow = FourTuple(sources[which], FIRST_PORT + block % _PORTS, name, port)
        return Segment(flow, stream.getrandbits(32), 0, SYN, 65_535, b"", _SYN_OPTIONS)

    return send_each(host, gaps, syn)


def own_addresses(host: Host, server: Host, sources: list[str]) -> None:
    """Give ``sources`` to ``host``, which then answers with a RST what the ``server`` sends to them."""
    for source in sources:
        server.alias(source, host)


def botnet(host: Host, target: tuple[str, int], *, gaps: Iterator[float]) -> Generator[Event, Any, None]:
    """Real connections to ``target``, opened one after each of ``gaps`` (s) and never used or closed.

    They use the ports of ``host``. When no port is free, none is opened until a connection fails and frees its port.
    """
    env, world = host.world.env, host.world
    short_of: set[str] = set()
    for gap in gaps:
        if gap:
            yield env.timeout(round(gap * NS))
        if not short_of:
            world.process(_hold(host, target, short_of))


def _hold(host: Host, target: tuple[str, int], short_of: set[str]) -> Generator[Event, Any, None]:
    try:
        yield host.socket().connect(target)
    except InsufficientResources:
        short_of.add("ports")  # searching for a free port at each attempt would cost more than the attempt
    except TcpError:
        short_of.clear()


def send_each(host: Host, gaps: Iterator[float], make: Callable[[int], Segment | None]) -> Generator[Event, Any, None]:
    """Send ``make(k)`` after the k-th of ``gaps`` (s), until it returns None."""
    env, forger = host.world.env, Forger(host)
    for number, gap in enumerate(gaps):
        if gap:
            yield env.timeout(round(gap * NS))
        segment = make(number)
        if segment is None:
            return
        forger.send(segment)
