"""What the scenarios that study the close have in common: a connection to close, and the timer of its FIN."""

from collections.abc import Generator
from typing import Any, Final

from simpy import Event

from netsim.sim import Host, Socket, World
from netsim.sim.network import NS
from netsim.tcp.config import TcpConfig
from netsim.tcp.rto import RttEstimator

PORT: Final = 80
MOST_FINS: Final = 1000  # transmissions; the exact recursion takes long far beyond


def open_connection(world: World, client: Host, server: Host) -> Generator[Event, Any, tuple[Socket, Socket]]:
    """Both ends (client's, server's) of a connection that is ESTABLISHED at both."""
    listener, opener = server.socket(), client.socket()
    listener.listen(PORT)
    opening = opener.connect((server, PORT))
    accepted = yield listener.accept()
    yield opening
    return opener, accepted


def segments_sent(world: World) -> int:
    """How many segments the hosts of this world have sent."""
    return sum(host.counters.TcpOutSegs for host in world.hosts.values())


def retries(config: TcpConfig) -> int | None:
    """R2 of an end whose user has closed; None: the user timeout alone."""
    return config.orphan_retries if config.orphan_retries is not None else config.retries2


def require_end(name: str, config: TcpConfig) -> None:
    """ValueError if an end, ``name``, would repeat its FIN for ever."""
    if config.user_timeout is None and retries(config) is None:
        raise ValueError(f"{name}.retries2 = None: must be a number, for its user_timeout is None too")


def rto_after(rtt: int, config: TcpConfig) -> int:
    """The RTO (ns) after one sample of the RTT (ns), that of the handshake (RFC 6298 2.2)."""
    ns = config.ns
    return RttEstimator.first(rtt).rto(ns.clock_granularity, ns.rto_variance_floor, ns.rto_min, ns.rto_max)


def rtt_is_measured(rtt: int, client: TcpConfig, server: TcpConfig) -> bool:
    """Whether the handshake samples an RTT of exactly ``rtt`` ns: no SYN is sent twice, timestamps can count it."""
    if client.timestamps and server.timestamps and (rtt == 0 or rtt % client.ns.ts_tick or rtt % server.ns.ts_tick):
        return False
    return rtt < min(client.ns.syn_intervals[0], server.ns.synack_intervals[0])


def fin_intervals(config: TcpConfig, rtt: int) -> tuple[float, ...]:
    """Seconds that an end waits after each of its FINs; after the last wait it gives up.

    Its RTO comes from the RTT (ns) of the handshake (RFC 6298 2.2) and doubles (5.5) up to its bound; R2 or the user
    timeout ends it. At most ``MOST_FINS + 1`` of them.
    """
    ns = config.ns
    rto, most = rto_after(rtt, config), retries(config)
    waits: list[int] = []
    waited = 0
    while len(waits) <= MOST_FINS:
        if ns.user_timeout is not None and waited + rto >= ns.user_timeout:
            waits.append(ns.user_timeout - waited)
            break
        waits.append(rto)
        if most is not None and len(waits) > most:
            break
        waited += rto
        rto = min(2 * rto, ns.rto_max)
    return tuple(wait / NS for wait in waits)
