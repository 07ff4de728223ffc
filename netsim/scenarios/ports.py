"""What does TIME-WAIT cost the end that closes first: how many sockets, and when do its local ports run out?

A client opens connections to one port of one server, at random times or at equal intervals; each is closed after a
while. The end that closes first keeps the connection in TIME-WAIT. If that is the client, its local port remains in
use, and when all ports are in use, OPEN fails (EADDRNOTAVAIL). Nothing is lost on the path.
"""

import dataclasses
import random
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from simpy import Event

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import parameters
from netsim.scenarios.shared import End
from netsim.scenarios.shorthands import WithDelay
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import Observer
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import InsufficientResources, TcpError
from netsim.tcp.state import TIME_WAIT
from netsim.theory import connection_rate_ceiling, erlang_b, mean_population
from netsim.units import nanoseconds

QUESTION: Final = "What does TIME-WAIT cost: how many sockets, where, and when do a client's local ports run out?"
NEVER: Final = float("nan")
PORT: Final = 80
FIRST_PORT: Final = 32768  # net.ipv4.ip_local_port_range begins here

Arrivals = Literal["poisson", "regular"]


@parameters
class Params(WithDelay):
    """Parameters of the study of what TIME-WAIT costs. ValueError for a value out of range."""

    local_ports: int = field(
        5,
        "number of local ports that the client may use",
        source="Linux: 28232, net.ipv4.ip_local_port_range",
        allowed=(1, 65536 - FIRST_PORT),
    )
    connection_rate: float = field(
        5.0, "rate at which the client's application opens connections", unit="1/s", allowed=(1e-6, 1e6)
    )
    arrivals: Arrivals = field("poisson", "when it does: at random times (poisson) or at equal intervals (regular)")
    connection_duration: float = field(0.0, "time from ESTABLISHED to the first close", unit="s", allowed=(0, 1e6))
    closes_first: End = field("client", "the end that closes first and so enters TIME-WAIT: client or server")
    time_wait: float = field(
        1.0, "length of TIME-WAIT at both ends", unit="s", source="Linux: 60; RFC 9293: 240", allowed=(0, 1e6)
    )
    warm_up: float = field(6.0, "time before the observation begins", unit="s", allowed=(0, 1e6))
    observation_time: float = field(1.0, "length of the observation", unit="s", allowed=(1e-6, 1e6))
    delay_forward: float = shared.delay("forward", 0.005)
    delay_reverse: float = shared.delay("reverse", 0.005)
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    @cached_property
    def configs(self) -> tuple[TcpConfig, TcpConfig]:
        """The TCPs of client and server, with this TIME-WAIT and this many ports."""
        ports = dataclasses.replace(self.client.ports, first=FIRST_PORT, last=FIRST_PORT + self.local_ports - 1)
        client = self.client.replace(time_wait=self.time_wait, ports=ports)
        return client, self.server.replace(time_wait=self.time_wait)


COLUMNS: Final = {
    "open_rate": "Number of connections that the client opened, per second of the observation (1/s).",
    "failed_rate": (
        "Number of OPENs that failed because all local ports were in use, per second of the observation (1/s)."
    ),
    "any_open_failed": "Whether an OPEN failed because all local ports were in use, at any time of the run.",
    "first_failure_time": (
        "Time (s) from the start of the run to the first OPEN that failed because all local ports were in use; NaN "
        "if none did."
    ),
    "exhausted": "Whether all local ports of the client were in use when the observation ended.",
    "client_time_wait_sockets": "Number of the client's connections in TIME-WAIT when the observation ended.",
    "server_time_wait_sockets": "Number of the server's connections in TIME-WAIT when the observation ended.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_exhausted": Estimator(column="exhausted", kind="proportion"),
    "p_any_open_failed": Estimator(column="any_open_failed", kind="proportion"),
    "open_rate": Estimator(column="open_rate", kind="mean"),
    "client_time_wait_sockets": Estimator(column="client_time_wait_sockets", kind="mean"),
    "server_time_wait_sockets": Estimator(column="server_time_wait_sockets", kind="mean"),
    "first_failure_time": Estimator(column="first_failure_time", kind="mean"),
}


@dataclass(slots=True)
class _Tally:
    """Connections opened and OPENs failed so far, and when (s) the first failed."""

    opened: int = 0
    refused: int = 0
    first_failure_time: float = NEVER


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One observation: OPENs per second, failed ones, connections in TIME-WAIT at its end (see COLUMNS)."""
    world = World(seed=seed, observers=observers)
    client, server = (
        world.host(name, config) for name, config in zip(("client", "server"), params.configs, strict=True)
    )
    world.link(client, server, Path(delay=params.delay_forward), Path(delay=params.delay_reverse))
    tally = _Tally()
    world.process(_serve(world, server, params))
    world.process(_arrivals(world, client, params, seed.stream("arrivals", common=True), tally))
    world.run(params.warm_up)
    before = dataclasses.replace(tally)
    world.run(params.warm_up + params.observation_time)
    waiting = {host.name: host.states.get(TIME_WAIT, 0) for host in (client, server)}
    return {
        "open_rate": (tally.opened - before.opened) / params.observation_time,
        "failed_rate": (tally.refused - before.refused) / params.observation_time,
        "any_open_failed": tally.refused > 0,
        "first_failure_time": tally.first_failure_time,
        "exhausted": len(client.connections) >= params.local_ports,
        "client_time_wait_sockets": waiting["client"],
        "server_time_wait_sockets": waiting["server"],
    }


def _arrivals(
    world: World, client: Host, params: Params, stream: random.Random, tally: _Tally
) -> Generator[Event, Any, None]:
    while True:
        yield world.timeout(
            stream.expovariate(params.connection_rate) if params.arrivals == "poisson" else 1 / params.connection_rate
        )
        sock = client.socket()
        try:
            opening = sock.connect(("server", PORT))
        except InsufficientResources:
            if not tally.refused:
                tally.first_failure_time = world.now
            tally.refused += 1
            continue
        tally.opened += 1
        world.process(
            _use(world, sock, opening, params.connection_duration if params.closes_first == "client" else None)
        )


def _use(world: World, sock: Socket, opening: Event, held: float | None) -> Generator[Event, Any, None]:
    """The client's end: it closes after ``held`` seconds, or (None) when the server has closed."""
    with suppress(TcpError):
        yield opening
        if held is None:
            yield sock.recv()
        elif held:
            yield world.timeout(held)
        sock.close()


def _serve(world: World, server: Host, params: Params) -> Generator[Event, Any, None]:
    listener = server.socket()
    listener.listen(PORT, backlog=4096)
    while True:
        sock = yield listener.accept()
        world.process(_answer(world, sock, params))


def _answer(world: World, sock: Socket, params: Params) -> Generator[Event, Any, None]:
    with suppress(TcpError):
        if params.closes_first == "client":
            yield sock.recv()
        elif params.connection_duration:
            yield world.timeout(params.connection_duration)
        sock.close()


def port_time(params: Params) -> float:
    """For how long (s) a connection occupies its port when the client closes first, TIME-WAIT included."""
    return 2 * (params.delay_forward + params.delay_reverse) + params.connection_duration + params.time_wait


def theory(params: Params) -> dict[str, float]:
    """Little's formula and Erlang's loss formula, if the client closes first; elsewhere no value.

    Ports are the servers of an M/G/c/c queue, occupied for a constant time. The values are exact in the stationary
    state, that is after a warm-up of several such times. With equal intervals: what the ceiling of the connection rate
    admits.
    """
    first, last = params.client, params.server
    if params.closes_first == "server" or first.timer_hz or first.keepalive or last.timer_hz:
        return {}
    rtt = nanoseconds(params.delay_forward) + nanoseconds(params.delay_reverse)
    if rtt >= min(first.ns.rto_min, last.ns.rto_min, first.ns.syn_intervals[0], last.ns.synack_intervals[0]):
        return {}
    taken = port_time(params)
    values = {"server_time_wait_sockets": 0.0}
    if params.arrivals == "regular":
        ceiling = connection_rate_ceiling(
            ports=params.local_ports, time_wait=params.time_wait, duration=taken - params.time_wait
        )
        end = params.warm_up + params.observation_time
        refusal = (params.local_ports + 1) / params.connection_rate
        refused = params.connection_rate > ceiling and refusal < end
        return values | {"p_any_open_failed": float(refused)} | ({"first_failure_time": refusal} if refused else {})
    blocked = erlang_b(load=mean_population(rate=params.connection_rate, lifetime=taken), slots=params.local_ports)
    opened = params.connection_rate * (1 - blocked)
    waiting = mean_population(rate=opened, lifetime=params.time_wait)
    return values | {"p_exhausted": blocked, "open_rate": opened, "client_time_wait_sockets": waiting}
