"""What the scenarios that study the close have in common: a connection to close, and the timer of its FIN."""

from collections.abc import Generator, Iterator
from typing import Any, Final

from simpy import Event

from netsim.sim import Host, Socket, World
from netsim.sim.network import NS
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.recovery.rto import RttEstimator, model_timeout

PORT: Final = 80
UNREAD: Final = 100  # bytes that the server never reads, in the close of that name
MOST_FINS: Final = 1000  # transmissions; the exact recursion takes long far beyond


def open_connection(client: Host, server: Host) -> Generator[Event, Any, tuple[Socket, Socket]]:
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
    """ValueError if an end, ``name``, would retransmit its FIN without end."""
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
    first: int = min(client.ns.syn_intervals[0], server.ns.synack_intervals[0])
    return rtt < first


def fin_intervals(config: TcpConfig, rtt: int, *, peer: TcpConfig) -> tuple[float, ...]:
    """Seconds that an end waits after each of its FINs; after the last wait it times out.

    Its RTO comes from the RTT (ns) of the handshake (RFC 6298 2.2) and doubles (5.5) up to its bound, behind a tail
    loss probe where both ends have SACK; R2 or the user timeout ends it. At most ``MOST_FINS + 1`` of them.
    """
    patience = config.ns.user_timeout
    waits: list[int] = []
    waited = 0
    for wait in _fin_waits(config, rtt, peer):
        if patience is not None and waited + wait >= patience:
            waits.append(patience - waited)
            break
        waits.append(wait)
        waited += wait
        if len(waits) > MOST_FINS:
            break
    return tuple(wait / NS for wait in waits)


def first_retransmission(config: TcpConfig, rtt: int, *, peer: TcpConfig) -> int:
    """After how long (ns) an end retransmits its FIN for the first time."""
    return next(_fin_waits(config, rtt, peer))


def _fin_waits(config: TcpConfig, rtt: int, peer: TcpConfig) -> Iterator[int]:
    """The waits by the clock of R2 alone; after the last one the end times out."""
    ns, most, rto = config.ns, retries(config), rto_after(rtt, config)
    if config.tail_loss_probe and config.sack and peer.sack:
        yield min(2 * rtt + ns.rto_min, rto)  # RFC 8985 7.2; the FIN is the only segment outstanding
    silent, retransmissions = 0, 0
    while True:
        yield rto
        silent += rto if retransmissions else 0  # since the first retransmission by the RTO
        if most is not None and config.r2_measure == "time":
            alive = rto < ns.rto_max or config.orphan_retries is None
            if retransmissions and silent >= model_timeout(most if alive else 0, ns.rto_min, ns.rto_max):
                return
        elif most is not None and retransmissions >= most:
            return
        retransmissions += 1
        rto = min(2 * rto, ns.rto_max)
