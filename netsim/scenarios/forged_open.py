"""Can an off-path attacker open a connection with the address of another host?

Morris 1985: the server trusts a host by its address, and that host sends nothing. The attacker opens a connection with
its own address and so learns an ISN of the server. After a pause the attacker forges the SYN of the trusted host, then
the handshake's final ACKs, each with another guess of the ISN and with data. The guesses are the best ones for the
server's ISN policy (netsim.theory.forged_open). Whether one opens the connection is decided by the server's TCP.
"""

from collections.abc import Generator, Sequence
from dataclasses import InitVar
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from simpy import Event

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import parameters
from netsim.seeds import Seed
from netsim.sim import Host, World
from netsim.sim.attacks import Forger
from netsim.sim.network import Observer
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import ACK, MASK, PSH, SYN, FourTuple, Segment
from netsim.theory import (
    clock_isn_guesses,
    counter_isn_guesses,
    p_clock_isn_guessed,
    p_counter_isn_guessed,
    p_uniform_isn_guessed,
)

QUESTION: Final = "Can an off-path attacker open a connection with the address of another host?"
PORT: Final = 514
TRUSTED: Final = FourTuple("trusted", 1023, "server", PORT)  # no host of that name: it is silent
FORGED_ISS: Final = 7_000
WAIT: Final = 0.5  # s from the forged SYN to the first forged ACK: the SYN-ACK has been sent by then


@parameters
class Params:
    """Parameters of the forged connection. ValueError for a value out of range."""

    if TYPE_CHECKING:  # shorthands, see netsim.scenarios.names
        profile: InitVar[str] = "rfc9293"
        server_profile: InitVar[str] = "rfc9293"
    guesses: int = field(
        1,
        "number of forged ACKs, each with another guess of the server's initial sequence number",
        allowed=(1, 100_000),
    )
    pause: float = field(0.5, "time from the attacker's own SYN to the forged SYN", unit="s", allowed=(0.2, 100))
    jitter: float = field(
        0.001,
        "maximum extra delay of a segment to the server: uniform from 0, without reordering",
        unit="s",
        allowed=(0, 0.1),
    )
    background_rate: float = field(
        0.0, "rate at which other hosts open connections at the server (Poisson)", unit="1/s", allowed=(0, 1000)
    )
    delay: float = field(0.05, "one-way delay to the server", unit="s", allowed=(0, 0.4))
    server: TcpConfig = shared.tcp("server")


COLUMNS: Final = {
    "opened": "Whether the server's application accepted a connection from the trusted host's address.",
    "data_accepted": "Whether the server's application read data of the attacker.",
    "resets": "Number of RSTs that the server sent.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_opened": Estimator(column="opened", kind="proportion"),
    "p_data_accepted": Estimator(column="data_accepted", kind="proportion"),
    "resets": Estimator(column="resets", kind="mean"),
}


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One attack: whether it opened a connection with the trusted host's address (see COLUMNS)."""
    world = World(seed=seed, observers=observers)
    server, attacker, crowd = world.host("server", params.server), world.host("attacker"), world.host("crowd")
    world.link(attacker, server, Path(delay=params.delay, jitter=params.jitter), Path(delay=params.delay))
    world.link(crowd, server, Path(delay=params.delay))
    taken: list[bytes] = []
    world.process(_serve(server, taken))
    world.process(_open_others(world, crowd, params))
    attack = world.process(_attack(world, attacker, params))
    world.run(until=attack)
    return {
        "opened": bool(taken),
        "data_accepted": any(taken),
        "resets": server.counters.TcpOutRsts,
    }


def _serve(host: Host, taken: list[bytes]) -> Generator[Event, Any, None]:
    """Accept every connection; note the data from the trusted host's address."""
    listener = host.socket()
    listener.listen(PORT, backlog=4096)
    while True:
        sock = yield listener.accept()
        if sock.connection.four_tuple.dst == TRUSTED.src:
            taken.append((yield sock.recv()))


def _open_others(world: World, host: Host, params: Params) -> Generator[Event, Any, None]:
    if not params.background_rate:
        return
    stream = world.seed.stream("background_rate")
    while True:
        yield world.timeout(stream.expovariate(params.background_rate))
        host.socket().connect(("server", PORT))


def _attack(world: World, host: Host, params: Params) -> Generator[Event, Any, None]:
    """Sample an ISN, forge the SYN, then as many final ACKs as there are guesses."""
    yield world.timeout(1 + world.seed.stream("phase").random())  # not in step with any clock of the server
    began = world.now
    sock = host.socket()
    try:
        yield sock.connect(("server", PORT))
    except TcpError:
        return
    assert sock.connection is not None
    seen = sock.connection.irs
    yield world.timeout(params.pause - (world.now - began))
    forger = Forger(host)
    forger.send(Segment(TRUSTED, FORGED_ISS, 0, SYN, 65_535))
    yield world.timeout(WAIT)
    for distance in distances(params):
        ack = (seen + distance + 1) & MASK
        forger.send(Segment(TRUSTED, FORGED_ISS + 1, ack, ACK | PSH, 65_535, b"echo + + >> .rhosts"))
    yield world.timeout(params.delay + params.jitter + 1e-3)


def distances(params: Params) -> list[int]:
    """The attacker's guesses, as distances from the ISN that it saw, the most likely first."""
    isn, guesses = params.server.isn, params.guesses
    if isinstance(isn, ClockIsn):
        return list(clock_isn_guesses(guesses, rate=isn.rate, pause=params.pause))
    if isinstance(isn, CounterIsn):
        ranked = counter_isn_guesses(
            per_second=isn.per_second,
            per_connection=isn.per_connection,
            pause=params.pause,
            background_rate=params.background_rate,
        )
        return list(islice(ranked, guesses))
    return list(range(guesses))  # the same number again, for a constant; for a keyed or random one any is as good


def theory(params: Params) -> dict[str, float]:
    """The closed forms of netsim.theory.forged_open. Exact; no value for a counter with jitter."""
    isn, n = params.server.isn, params.guesses
    if params.server.authentication_key is not None:
        return {"p_opened": 0.0, "p_data_accepted": 0.0}
    if isinstance(isn, ConstantIsn):
        p = 1.0
    elif isinstance(isn, ClockIsn):
        p = p_clock_isn_guessed(n, rate=isn.rate, pause=params.pause, jitter=params.jitter)
    elif isinstance(isn, CounterIsn):
        if params.jitter and (params.background_rate or isn.per_second):
            return {}
        p = p_counter_isn_guessed(
            n,
            per_second=isn.per_second,
            per_connection=isn.per_connection,
            pause=params.pause,
            background_rate=params.background_rate,
        )
    else:
        p = p_uniform_isn_guessed(n)
    return {"p_opened": p, "p_data_accepted": p}
