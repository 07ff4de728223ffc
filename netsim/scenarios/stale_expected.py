"""The probability that a run of ``stale`` had of accepting stale data: two conditional estimates.

Both are computed by netsim.theory.reuse from the times and numbers of the run.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from netsim.link import DelayDistribution, Exponential, Fixed, Lognormal, Pareto, Uniform
from netsim.scenarios.stale_observer import StaleObserver
from netsim.sim import Host
from netsim.sim.network import NS
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import IsnSource, RandomIsn
from netsim.tcp.segment import MASK, FourTuple
from netsim.theory import NewConnection, p_some_arrival_accepted, p_some_copy_accepted

MOST_TERMS: Final = 100_000  # segments times moments; beyond, only those copies count that did arrive


@dataclass(frozen=True, slots=True)
class ApartIsn:
    """Numbers so far apart that nothing old is acceptable: the new connection's course as if nothing old came."""

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """1,640,531,527 further with each opening, the golden ratio of 2^32: beyond any window, before any data."""
        return opened * 0x61C88647 & MASK


def copies_expected(
    observer: StaleObserver, client: TcpConfig, server: TcpConfig, ended: float, *, duplicate: float, late: "Late"
) -> float:
    """P(a delayed duplicate of the first connection's data is accepted), given when the originals arrived."""
    connections = _connections(observer, client, server, ended)
    segments = observer.relative(observer.first_segments)
    return p_some_copy_accepted(segments, connections, duplicate=duplicate, late=late)


def arrivals_expected(observer: StaleObserver, client: TcpConfig, server: TcpConfig, ended: float) -> float:
    """P(some stale data is accepted), given which of it arrived and when."""
    return p_some_arrival_accepted(
        observer.relative(observer.late_segments), _connections(observer, client, server, ended)
    )


def terms(observer: StaleObserver) -> int:
    """How large the sum of ``copies_expected`` is."""
    return len(observer.first_segments) * sum(len(receiver.course) for receiver in observer.receivers.values())


def _connections(observer: StaleObserver, client: TcpConfig, server: TcpConfig, ended: float) -> list[NewConnection]:
    start, receivers = observer.opened[1] / NS, observer.receivers.values()
    apart = _difference(observer.client, client, 1, observer.opened[0], 2, observer.opened[1])
    first = observer.server_began[1]
    return [
        NewConnection(
            course=r.course,
            start=start,
            end=min(r.end, ended),
            client=0 if observer.opener[r.connection.number] == 1 else apart,
            server=_difference(observer.server, server, 1, first, r.connection.number, r.began),
        )
        for r in receivers
        if r.course
    ]


def _difference(host: Host, config: TcpConfig, first: int, then: int, second: int, now: int) -> int | None:
    """How far the ISS of the host's connection ``second`` is beyond that of ``first``; None: uniform."""
    if isinstance(config.isn, RandomIsn):
        return None
    old = host.initial_sequence_number(config.isn, now=then, opened=first - 1)
    return (host.initial_sequence_number(config.isn, now=now, opened=second - 1) - old) & MASK


Late = Callable[[float], float]


def survival(distribution: float | DelayDistribution) -> Late | None:
    """P(delay > t) of a distribution that has it in closed form; None for the others."""
    match distribution:
        case Exponential():
            return lambda t: math.exp(-max(t - distribution.offset, 0.0) / distribution.scale)
        case Pareto():
            return lambda t: (
                (max(t - distribution.offset, distribution.scale) / distribution.scale) ** -distribution.shape
            )
        case Uniform() if distribution.low < distribution.high:
            return lambda t: min(max((distribution.high - t) / (distribution.high - distribution.low), 0.0), 1.0)
        case Lognormal() if distribution.sigma > 0:
            return lambda t: _lognormal(t - distribution.offset, distribution.median, distribution.sigma)
        case Fixed():
            return lambda t: float(t < distribution.seconds)
        case float() | int():
            return lambda t: float(t < distribution)
    return None


def _lognormal(t: float, median: float, sigma: float) -> float:
    return 1.0 if t <= 0 else math.erfc(math.log(t / median) / (sigma * math.sqrt(2))) / 2
