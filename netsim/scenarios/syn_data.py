"""What does it cost a server to accept data on SYNs, and what does TCP Fast Open change?

Attackers send SYNs with data from addresses that never answer; clients open connections, send a request and wait for
the response. Data on a SYN is queued, accepted or dropped (``server.syn_data``). With TCP Fast Open (RFC 7413) a SYN
with a valid cookie delivers its data immediately: that saves a round trip, but a duplicated SYN can deliver a request
twice, and the server sends a response to any address for which it receives a valid cookie. The server starts with an
empty queue.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from simpy import Event

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import parameters
from netsim.scenarios.shorthands import WithProfiles
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.attacks import Forger
from netsim.sim.network import Observer
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import SYN, FourTuple, Options, Segment
from netsim.tcp.state import ESTABLISHED, SYN_RECEIVED
from netsim.trace.events import Sent, TraceEvent

QUESTION: Final = "What does it cost a server to accept data on a SYN, and what does Fast Open change?"
PORT: Final = 80
MSS: Final = 1460
BEGIN: Final = 1.0  # s; before it one client has been there, so that later ones have a cookie
SAMPLES: Final = 60  # of the memory, evenly spaced
FIRST: Final = b"first"  # the name of the client that fetches the cookie
PATIENCE: Final = 5.0  # s that the last clients are given
BIG: Final = 1 << 20
NEGLIGIBLE: Final = 1e-9


@parameters
class Params(WithProfiles):
    """Parameters of the study of data on SYNs. ValueError for a value out of range."""

    attack_rate: float = field(
        5.0, "rate of forged SYNs (Poisson), from addresses that never answer", unit="1/s", allowed=(0, 1e5)
    )
    attack_bytes: int = field(1000, "data on each forged SYN", unit="bytes", allowed=(0, MSS))
    stolen_cookies: bool = field(False, "whether the forged SYNs carry valid Fast Open cookies")
    client_rate: float = field(
        1.0, "rate at which legitimate clients open connections (Poisson)", unit="1/s", allowed=(0, 1e4)
    )
    request_bytes: int = field(100, "request that a client sends first", unit="bytes", allowed=(10, 1000))
    response_bytes: int = field(1000, "response of the server", unit="bytes", allowed=(1, 65_535))
    delay: float = field(0.05, "one-way delay between client and server", unit="s", allowed=(0, 0.4))
    duplicate: float = field(0.0, "probability that the network duplicates a client's segment", allowed="probability")
    duplicate_delay: float = field(3.0, "how much later than the original the copy arrives", unit="s", allowed=(0, 100))
    cpu_per_segment: float = field(0.0, "processing time of the server per segment", unit="s", allowed=(0, 1))
    cpu_per_byte: float = field(0.0, "additional processing time per byte of data", unit="s", allowed=(0, 1))
    backlog: int = field(1024, "backlog that the server passes to listen()", allowed=(1, 4096))
    attack_duration: float = field(
        10.0, "time for which forged SYNs and legitimate clients arrive", unit="s", allowed=(0.1, 1e4)
    )
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    def check_relations(self) -> None:
        if self.stolen_cookies and not self.fast_open_server:
            raise ValueError("stolen_cookies = True: must be False unless server.fast_open is server or both")

    @property
    def fast_open_server(self) -> bool:
        """Whether the server plays its part of Fast Open."""
        return self.server.fast_open in ("server", "both")

    @property
    def fast_open(self) -> bool:
        """Whether clients that come again are answered in one round trip."""
        return self.fast_open_server and self.client.fast_open in ("client", "both")


# A run is a world of many connections: its averages get Student's t interval over the worlds.
COLUMNS: Final = {
    "clients": "Number of legitimate clients that opened a connection.",
    "response_time": (
        "Time (s) from a client's OPEN until it has read the whole response, mean over the clients that did; NaN if "
        "none did."
    ),
    "served": "Share of the clients that read the whole response; NaN without clients.",
    "half_open_memory_mean": (
        "Memory (bytes) of the SYN-RECEIVED connections with silent addresses, data included, mean over the attack."
    ),
    "half_open_memory_end": (
        "Memory (bytes) of the SYN-RECEIVED connections with silent addresses, data included, at the end of the attack."
    ),
    "cpu_load": "Processing time of the server in the whole run, as a share of attack_duration.",
    "amplification": "Number of bytes that the server sends to a silent address per byte of the forged SYN.",
    "delivered_twice": (
        "Share of the clients whose request the server's application read more than once; NaN without clients."
    ),
    "fast_open": (
        "Share of the clients whose data on the SYN was accepted by Fast Open; NaN without clients or with stolen "
        "cookies."
    ),
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "response_time": Estimator(column="response_time", kind="world_mean"),
    "p_served": Estimator(column="served", kind="world_mean"),
    "half_open_memory_mean": Estimator(column="half_open_memory_mean", kind="world_mean"),
    "half_open_memory_end": Estimator(column="half_open_memory_end", kind="world_mean"),
    "cpu_load": Estimator(column="cpu_load", kind="world_mean"),
    "amplification": Estimator(column="amplification", kind="world_mean"),
    "p_delivered_twice": Estimator(column="delivered_twice", kind="world_mean"),
    "p_fast_open": Estimator(column="fast_open", kind="world_mean"),
}


@dataclass(slots=True)
class _Seen:
    """What clients and the server's application saw."""

    clients: int = 0
    times: list[float] = dataclasses.field(default_factory=list)
    delivered: Counter[bytes] = dataclasses.field(default_factory=Counter)
    memory: list[int] = dataclasses.field(default_factory=list)


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One attack on an empty server: response times, memory and processing time (see COLUMNS)."""
    world = World(seed=seed, observers=observers)
    client, attacker = world.host("client", params.client), world.host("attacker")
    server = world.host(
        "server", params.server, cpu_per_segment=params.cpu_per_segment, cpu_per_byte=params.cpu_per_byte
    )
    there = Path(delay=params.delay, duplicate=params.duplicate, duplicate_delay=params.duplicate_delay)
    world.link(client, server, there, Path(delay=params.delay))
    world.link(attacker, server, Path(delay=params.delay))
    seen = _Seen()
    world.process(_serve(world, server, params, seen))
    world.process(_arrive(world, client, params, seen))
    world.process(_attack(world, attacker, server, params))
    world.process(_sample(world, server, params, seen))
    world.run(until=BEGIN + params.attack_duration + PATIENCE + (params.duplicate_delay if params.duplicate else 0.0))
    active = server.counters.TcpExtTCPFastOpenPassive
    work = server.processor.work if server.processor is not None else 0.0
    twice = sum(count > 1 for count in seen.delivered.values())
    some = seen.clients or math.nan
    return {
        "clients": seen.clients,
        "response_time": sum(seen.times) / len(seen.times) if seen.times else math.nan,
        "served": len(seen.times) / some,
        "half_open_memory_mean": sum(seen.memory) / SAMPLES,
        "half_open_memory_end": seen.memory[-1],
        "cpu_load": work / params.attack_duration,
        "amplification": amplification(params),
        "delivered_twice": twice / some,
        "fast_open": min(active / some, 1.0) if not params.stolen_cookies else math.nan,
    }


def _arrive(world: World, host: Host, params: Params, seen: _Seen) -> Generator[Event, Any, None]:
    """One client that fetches the cookie, then the others."""
    if params.client.fast_open != "off":
        yield from _visit(world, host, params, FIRST, None)
        yield world.timeout(BEGIN - world.now)
    else:
        yield world.timeout(BEGIN)
    stream = world.seed.stream("clients")
    while params.client_rate:
        yield world.timeout(stream.expovariate(params.client_rate))
        if world.now > BEGIN + params.attack_duration:
            return
        seen.clients += 1
        world.process(_visit(world, host, params, b"%d" % seen.clients, seen))


def _visit(world: World, host: Host, params: Params, name: bytes, seen: _Seen | None) -> Generator[Event, Any, None]:
    """Open, ask, wait for the whole response, close."""
    began, missing = world.now, params.response_bytes
    sock = host.socket()
    try:
        yield sock.connect(("server", PORT), _request(name, params))
        while missing > 0 and (data := (yield sock.recv())):
            missing -= len(data)
    except TcpError:
        return
    if missing <= 0 and seen is not None:
        seen.times.append(world.now - began)
    sock.close()


def _request(name: bytes, params: Params) -> bytes:
    """A client's request: no two are alike."""
    return name.rjust(params.request_bytes, b".")


def _serve(world: World, host: Host, params: Params, seen: _Seen) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT, backlog=params.backlog)
    while True:
        sock = yield listener.accept()
        world.process(_answer(sock, params, seen))


def _answer(sock: Socket, params: Params, seen: _Seen) -> Generator[Event, Any, None]:
    """Each request that comes is answered, whether or not it came before."""
    connection = sock.connection
    assert connection is not None
    try:
        data = yield sock.recv(BIG)
        if connection.four_tuple.dst == "client" and data != _request(FIRST, params):
            seen.delivered[data] += 1
        yield sock.send(b"!" * params.response_bytes)
        while (yield sock.recv(BIG)):
            pass
    except TcpError:
        return
    sock.close()


def _attack(world: World, host: Host, server: Host, params: Params) -> Generator[Event, Any, None]:
    stream, forger, number = world.seed.stream("attackers"), Forger(host), 0
    yield world.timeout(BEGIN)
    while params.attack_rate:
        yield world.timeout(stream.expovariate(params.attack_rate))
        if world.now > BEGIN + params.attack_duration:
            return
        number += 1
        forger.send(forged_syn(params, server, f"silent{number}"))


def forged_syn(params: Params, server: Host, source: str) -> Segment:
    """A SYN with data from ``source``; if cookies are stolen, with the cookie that the server has for this address."""
    flow = FourTuple(source, 4000, server.name, PORT)
    cookie = server.fast_open_cookie(source) if params.stolen_cookies else None
    return Segment(flow, 1, 0, SYN, 65_535, b"x" * params.attack_bytes, Options(mss=MSS, cookie=cookie))


def _sample(world: World, host: Host, params: Params, seen: _Seen) -> Generator[Event, Any, None]:
    """The memory of SYN-RECEIVED connections with silent addresses: entries, and data in either direction."""
    each = params.server.syn_queue_entry_bytes
    yield world.timeout(BEGIN + params.delay)
    for _ in range(SAMPLES):
        yield world.timeout(params.attack_duration / SAMPLES)
        total = 0
        for connection in host.connections:
            if connection.state is SYN_RECEIVED and connection.four_tuple.dst != "client":
                total += each + connection.buffered_bytes
        seen.memory.append(total)


@lru_cache(maxsize=32)
def amplification(params: Params) -> float:
    """Bytes that the server sends to a silent address per byte of the forged SYN, until it times out."""
    sent: list[int] = []

    def count(event: TraceEvent) -> None:
        if isinstance(event, Sent) and event.host == "server":
            sent.append(event.packet.segment.wire_size)

    world = World(seed=0, observers=[count])
    server, attacker = world.host("server", params.server), world.host("attacker")
    world.link(attacker, server, Path())
    world.process(_serve(world, server, params, _Seen()))
    world.run(until=BEGIN)
    segment = forged_syn(params, server, "silent")
    Forger(attacker).send(segment)
    world.run(until=BEGIN + sum(params.server.synack_intervals()) + 1.0)
    assert all(connection.state < ESTABLISHED for connection in server.connections)
    return sum(sent) / segment.wire_size


def theory(params: Params) -> dict[str, float]:
    """What is certain by arithmetic, and the growth of the memory while the queue has free slots. Exact."""
    values: dict[str, float] = {}
    mss = min(params.client.mss, params.server.mss)
    fits = params.response_bytes <= params.server.initial_window * mss
    at_once = fits and (params.response_bytes <= mss or params.response_bytes % mss == 0 or not params.server.nagle)
    if not params.client_rate:
        values["cpu_load"] = params.attack_rate * (params.cpu_per_segment + params.cpu_per_byte * params.attack_bytes)
    if not params.fast_open:
        values["p_delivered_twice"] = 0.0
    if params.server.syn_cookies != "always" and (fits or not params.stolen_cookies):
        values["amplification"] = _amplification(params)
    if _has_room(params) and not params.stolen_cookies:
        if params.client_rate and at_once and _free_of_cost(params) and not params.duplicate:
            rtts = 1 if params.fast_open else 2
            values |= {"response_time": rtts * 2 * params.delay, "p_served": 1.0}
        if params.fast_open and params.duplicate_delay > 1.0 + 8 * params.delay and _free_of_cost(params):
            values["p_delivered_twice"] = params.duplicate
        values |= _memory(params)
    return values


def _free_of_cost(params: Params) -> bool:
    """Whether the server's processor takes no time."""
    return not (params.cpu_per_segment or params.cpu_per_byte)


def _amplification(params: Params) -> float:
    """A SYN-ACK of 44 bytes for each SYN-ACK timer; the response too, once, if data came with a cookie.

    The SYN has 44 bytes and its data; a cookie adds 2 bytes and its size, in whole words. Nagle's algorithm delays the
    part of the response that does not fill a segment.
    """
    sent, mss = 44 * len(params.server.synack_intervals()), min(MSS, params.server.mss)
    received = 44 + params.attack_bytes
    if params.stolen_cookies:
        whole, rest = divmod(params.response_bytes, mss)
        segments = whole + (rest > 0 and (not whole or not params.server.nagle))
        if params.attack_bytes:
            sent += min(segments * mss, params.response_bytes) + 40 * segments
        received += -(-(2 + params.server.fast_open_cookie) // 4) * 4
    return sent / received


def _memory(params: Params) -> dict[str, float]:
    """One entry per forged SYN, from an empty queue until the first times out: a Poisson number, linear in time."""
    if params.attack_duration > sum(params.server.synack_intervals()) - params.delay or not _free_of_cost(params):
        return {}
    kept = params.attack_bytes if params.server.syn_data != "drop" else 0
    end = params.attack_rate * params.attack_duration * (params.server.syn_queue_entry_bytes + kept)
    return {"half_open_memory_mean": end * (SAMPLES + 1) / (2 * SAMPLES), "half_open_memory_end": end}


def _has_room(params: Params) -> bool:
    """Whether the SYN queue stays below half of its size, and Fast Open below its limit, almost surely."""
    server = params.server
    most = min(params.backlog, server.somaxconn, server.max_syn_backlog or BIG) / 2
    if server.syn_cookies == "always" or server.syncache_hashsize is not None:
        return False
    # Of the connections that Fast Open keeps waiting: real ones for a round trip, those of copied SYNs for long.
    waiting = params.client_rate * (4 * params.delay + params.duplicate * params.attack_duration)
    if params.fast_open and _p_beyond(server.fast_open_queue, waiting) > NEGLIGIBLE:
        return False
    return _p_beyond(most, (params.attack_rate + params.client_rate) * params.attack_duration) < NEGLIGIBLE


def _p_beyond(most: float, mean: float) -> float:
    """Chernoff's bound of P(a Poisson number >= most)."""
    if mean >= most:
        return 1.0
    return math.exp(most - mean - (most * math.log(most / mean) if mean else math.inf))
