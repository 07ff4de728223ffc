"""A SYN flood against a listener: how many legitimate clients are still served, and what does the defence cost?

An attacker sends SYNs at a given rate. Legitimate clients open connections, with the retransmissions of their own TCP,
send nothing and stay; the server accepts. Clients of one run meet the same full or empty queue, so they are not
independent observations: a row holds averages over all clients of a run, and intervals are those over many runs.

A run simulates two worlds. In one the flood has lasted for long ("stationary"), in the other it begins with the first
client ("from empty"). A queue whose entries all exist for the same time forgets its start only after dozens of their
lifetimes. So where its stationary distribution is known, the first world starts from this distribution instead of
waiting for it.
"""

import dataclasses
import itertools
import math
import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from simpy import Event

from netsim.hostcheck.pitfalls import listener_warnings
from netsim.scenarios.syn_flood_parameters import Params as Params
from netsim.scenarios.syn_flood_theory import flood_theory
from netsim.seeds import Seed
from netsim.sim import Connection, Host, Socket, World
from netsim.sim.attacks import botnet, flood, interarrival_times, own_addresses, spoofed_sources
from netsim.sim.network import Observer
from netsim.sweep import Estimator
from netsim.tcp.errors import TcpError
from netsim.tcp.listening.listener import syn_queue_limit
from netsim.tcp.segment import FourTuple

QUESTION: Final = "How many clients does a server under a SYN flood still serve, and what does the defence cost?"
REPLICATIONS: Final = 64  # worlds
PORT: Final = 80
NEVER: Final = float("nan")


COLUMNS: Final = {
    "clients": "Number of legitimate clients whose OPEN fell into the observation.",
    "p_first_syn_blocked": "Share of the clients that needed more than one SYN or never connected.",
    "p_never_connected": "Share of the clients whose OPEN failed.",
    "p_served": "Share of the clients that became ESTABLISHED and were accepted by the server's application.",
    "p_served_at_first_syn": "Share of the clients that were served after a single SYN.",
    "p_diverged": (
        "Share of the clients that became ESTABLISHED and were never accepted by the server, of those that became "
        "ESTABLISHED."
    ),
    "p_options_lost": (
        "Share of the served clients whose connection lost the window scale option that both ends offer (SYN "
        "cookies); NaN if none was served."
    ),
    "setup_latency": (
        "Time (s) from a client's OPEN until it is ESTABLISHED, mean over the served clients; NaN if none was served."
    ),
    "half_open": "Number of SYN-RECEIVED entries in the server's SYN queue, mean over the observation.",
    "half_open_max": "Number of SYN-RECEIVED entries in the server's SYN queue, maximum over the observation.",
    "half_open_memory_max": "Memory (bytes) of the SYN-RECEIVED entries, maximum over the observation.",
    "synacks_per_syn": (
        "Number of SYN-ACKs that the server sent per SYN sent to it, over the whole run; NaN without SYNs."
    ),
    "cookies_sent": "Number of SYN cookies that the server sent, over the whole run.",
    "cookies_accepted": "Number of ACKs with a right SYN cookie that the server accepted, over the whole run.",
    "cookies_refused": "Number of ACKs with a wrong SYN cookie that the server refused, over the whole run.",
    "p_first_syn_blocked_from_empty": (
        "Share of the clients that needed more than one SYN or never connected, when the flood begins with the "
        "first client and an empty SYN queue."
    ),
    "p_never_connected_from_empty": (
        "Share of the clients whose OPEN failed, when the flood begins with the first client and an empty SYN queue."
    ),
}
"""What each column of a row means."""

ESTIMATES: Final = {column: Estimator(column=column, kind="world_mean") for column in COLUMNS if column != "clients"}


@dataclass(slots=True)
class _Client:
    """One legitimate client: when it came (s), when it was ESTABLISHED, how many SYNs that took, its port."""

    came: float
    connected: float = NEVER
    syns: int = 0
    port: int = 0


@dataclass(slots=True)
class Play:
    """What was seen in one world: its clients, who was accepted, the number of SYN-RECEIVED entries (time, n)."""

    clients: list[_Client] = dataclasses.field(default_factory=list)
    accepted: dict[int, Connection] = dataclasses.field(default_factory=dict)  # by the client's port
    population: list[tuple[float, int]] = dataclasses.field(default_factory=list)
    forged: int = 0

    def during(self, start: float, end: float) -> list[_Client]:
        """The clients that came in [start, end)."""
        return [client for client in self.clients if start <= client.came < end]


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """Two worlds: shares of clients, SYN-RECEIVED entries, SYN-ACKs and cookies (see COLUMNS); NaN without clients."""
    row = long_run(params, seed, observers)
    young = dataclasses.replace(params, warm_up=0.0)
    other = dataclasses.replace(seed, point=f"{seed.point}, from empty")
    _, first = play(young, other, clients=(0.0, params.entry_lifetime))
    from_empty = _shares(params, first.during(0.0, params.entry_lifetime), first)
    return row | {f"{name}_from_empty": from_empty[name] for name in ("p_first_syn_blocked", "p_never_connected")}


def long_run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """The first of the two worlds of ``run`` alone: the flood has long been under way."""
    start, end = params.observation
    world, played = play(params, seed, observers, clients=(start, end))
    return _shares(params, played.during(start, end), played) | _costs(params, world, played)


def _costs(params: Params, world: World, played: Play) -> dict[str, Any]:
    """What the defence takes: entries, their memory, SYN-ACKs, cookies."""
    start, end = params.observation
    counters = world.hosts["server"].counters
    held = [n for time, n in played.population if start <= time < end]
    answers = world.hosts["server"].connections_opened - counters.TcpExtSyncookiesRecv + counters.TcpExtTCPSynRetrans
    syns = played.forged + sum(client.syns for client in played.clients)
    return {
        "half_open": fmean(held) if held else NEVER,
        "half_open_max": max(held, default=0),
        "half_open_memory_max": max(held, default=0) * params.server.syn_queue_entry_bytes,
        "synacks_per_syn": (answers + counters.TcpExtSyncookiesSent) / syns if syns else NEVER,
        "cookies_sent": counters.TcpExtSyncookiesSent,
        "cookies_accepted": counters.TcpExtSyncookiesRecv,
        "cookies_refused": counters.TcpExtSyncookiesFailed,
    }


def play(
    params: Params,
    seed: Seed,
    observers: Sequence[Observer] = (),
    *,
    clients: tuple[float, float],
    step: float = 1.0,
) -> tuple[World, Play]:
    """One world with clients from one time to another (s), until the fate of each is known.

    The population is noted every ``step`` seconds.
    """
    world = World(seed=seed, tie_break=params.tie_break, observers=observers)
    client, server = world.host("client", params.client), world.host("server", params.server)
    world.link(client, server, *params.paths)
    listener = server.socket()
    listener.listen(PORT, backlog=params.backlog)
    played = Play()
    world.process(_serve(world, listener, played, params.service_time))
    world.process(_watch(world, listener, played, step))
    if params.attack_rate:
        _attack(world, server, params, played)
    if params.client_rate:
        gaps = interarrival_times("poisson", params.client_rate, seed.stream("clients"))
        world.process(_clients(world, client, played, gaps, clients))
    world.run(until=world.process(_await_fates(world, server, played, clients[1], params)))
    return world, played


def _attack(world: World, server: Host, params: Params, played: Play) -> None:
    """The attacker, its link, and who owns the addresses that it claims."""
    attacker = world.host("attacker")
    world.link(attacker, server, *params.paths)
    gaps = interarrival_times(params.arrivals, params.attack_rate, world.seed.stream("flood"), burst=params.burst_size)
    if params.ages_at_once:
        gaps = _with_history(params, world.seed.stream("history"), gaps)
    target = (server.name, PORT)
    if params.attack == "botnet":
        world.process(botnet(attacker, target, gaps=_counted(gaps, played)))
        return
    sources = spoofed_sources(params.sources)
    if params.attack == "spoofed-reset":
        bystander = world.host("bystander")
        world.link(bystander, server, *params.paths)
        own_addresses(bystander, server, sources)
    stream = world.seed.stream("forged ISNs")
    world.process(flood(attacker, target, sources=sources, gaps=_counted(gaps, played), stream=stream))


def _with_history(params: Params, stream: random.Random, gaps: Iterator[float]) -> Iterator[float]:
    """The SYNs whose entries a flood that began long ago would have left, and after one entry lifetime ``gaps``.

    Erlang's loss system: n entries with probability proportional to a^n / n!, n <= B, whose ages are independent and
    uniform over the lifetime of an entry (the equilibrium distribution of a constant lifetime).
    """
    slots = syn_queue_limit(params.server, min(params.backlog, params.server.somaxconn))
    load = params.attack_rate * params.entry_lifetime
    logs = [n * math.log(load) - math.lgamma(n + 1) for n in range(slots + 1)]
    weights = [math.exp(log - max(logs)) for log in logs]
    count = stream.choices(range(slots + 1), weights)[0]
    times = [0.0, *sorted(stream.uniform(0, params.entry_lifetime) for _ in range(count))]
    yield from (later - earlier for earlier, later in itertools.pairwise(times))
    yield params.entry_lifetime - times[-1] + next(gaps)
    yield from gaps


def _counted(gaps: Iterator[float], played: Play) -> Iterator[float]:
    for gap in gaps:
        yield gap
        played.forged += 1


def _clients(
    world: World, host: Host, played: Play, gaps: Iterator[float], during: tuple[float, float]
) -> Generator[Event, Any, None]:
    start, end = during
    yield world.timeout(start)
    for gap in gaps:
        yield world.timeout(gap)
        if world.now >= end:
            return
        world.process(_client(world, host, played))


def _client(world: World, host: Host, played: Play) -> Generator[Event, Any, None]:
    client = _Client(world.now)
    played.clients.append(client)
    sock = host.socket()
    opening = sock.connect(("server", PORT))
    connection = sock.connection
    assert connection is not None
    client.port = connection.four_tuple.sport
    try:
        yield opening
        client.connected = world.now
    except TcpError:
        pass
    client.syns = connection.syn_transmissions


def _await_fates(world: World, server: Host, played: Play, end: float, params: Params) -> Generator[Event, Any, None]:
    """Ends when the fate of each client is known (accepted, timed out or diverged), or when all timers have expired."""

    def open_question(client: _Client) -> bool:
        if not client.syns:
            return True
        if math.isnan(client.connected) or client.port in played.accepted:
            return False
        if world.now <= client.connected + params.delay_forward:
            return True  # the final ACK is under way; a server with SYN cookies knows nothing of the connection yet
        return server.connection(FourTuple(server.name, PORT, "client", client.port)) is not None

    yield world.timeout(end)
    most = params.syn_offsets[-1] + params.entry_lifetime
    while world.now < end + most and any(map(open_question, played.clients)):
        yield world.timeout(1.0)


def _serve(world: World, listener: Any, played: Play, service: float) -> Generator[Event, Any, None]:
    while True:
        sock = yield listener.accept()
        connection = sock.connection
        if connection.four_tuple.dst == "client":
            played.accepted[connection.four_tuple.dport] = connection
        if service:
            yield world.timeout(service)


def _watch(world: World, listener: Socket, played: Play, step: float) -> Generator[Event, Any, None]:
    while True:
        played.population.append((world.now, listener.syn_queue_length))
        yield world.timeout(step)


def _shares(params: Params, clients: list[_Client], played: Play) -> dict[str, float]:
    """What became of these clients, as shares of them."""
    up = [client for client in clients if not math.isnan(client.connected)]
    first = [client for client in up if client.syns == 1]
    served = [client for client in up if client.port in played.accepted]
    offers = params.client.window_scale is not None and params.server.window_scale is not None
    poor = [client for client in served if offers and not played.accepted[client.port].window_scaling]

    def share(some: list[_Client], of: list[_Client]) -> float:
        return len(some) / len(of) if of else NEVER

    return {
        "clients": len(clients),
        "p_first_syn_blocked": 1 - share(first, clients),
        "p_never_connected": 1 - share(up, clients),
        "p_served": share(served, clients),
        "p_served_at_first_syn": share([client for client in served if client.syns == 1], clients),
        "p_diverged": share([client for client in up if client.port not in played.accepted], clients),
        "p_options_lost": share(poor, served),
        "setup_latency": fmean(client.connected - client.came for client in served) if served else NEVER,
    }


def warnings(params: Params) -> tuple[str, ...]:
    """One sentence for each setting of the server's listener that has no effect, or not the one it seems to have."""
    return listener_warnings(params.server, params.backlog)


def theory(params: Params) -> dict[str, float]:
    """Erlang's formula, periodic blocking of retransmitted SYNs, eviction, SYN cookies; the clients' own load counts.

    Conditions: no loss, an attack with silent addresses and Poisson arrivals, timers without ticks, no pruning. Exact,
    but p_never_connected_from_empty, which is a fluid limit.
    """
    lossless = params.loss_forward == params.loss_reverse == 0
    plain = params.attack == "spoofed-silent" and params.arrivals == "poisson" and not params.service_time
    rtt = params.delay_forward + params.delay_reverse
    short = rtt < min(params.client.syn_intervals()[0], params.server.synack_intervals()[0])
    if not lossless or not plain or not short or params.server.timer_hz or params.client.timer_hz:
        return {}
    if params.server.authentication_key is not None:  # RFC 5925: no forged SYN gets as far as the queue
        if params.server.syn_cookies != "off":
            return {}
        params = dataclasses.replace(params, attack_rate=0.0)
    return flood_theory(params, rtt=rtt)
