"""How long does it take to open a connection over a path that loses segments, and how often does it fail?

A client calls connect and a server accepts. After that the client sends a request or stays silent. Neither end closes
the connection.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from simpy import Event

from netsim.fields import field
from netsim.link import DelayDistribution, Fixed, Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import both_directions, parameters
from netsim.scenarios.shorthands import WithDistribution
from netsim.seeds import Seed
from netsim.sim import Host, World
from netsim.sim.network import Observer
from netsim.sim.world import TieBreak
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.errors import ConnectionRefused, TcpError
from netsim.theory import SetupLatency, setup_latency
from netsim.units import nanoseconds

QUESTION: Final = "How long does it take to open a connection over a lossy path, and when does it fail?"
NEVER: Final = float("nan")
HORIZON: Final = 300.0  # s; setup_latency_restricted counts failures here
PORT: Final = 80
MOST_ENUMERATED: Final = 24  # transmissions; the exact enumeration takes minutes far beyond

Outcome = Literal["established", "timed out", "refused", "diverged"]


@parameters
class Params(WithDistribution):
    """Parameters of connection setup. ``forward`` is client to server. ValueError for a value out of range."""

    loss_forward: float = shared.loss("forward", 0.1)
    loss_reverse: float = shared.loss("reverse", 0.1)
    delay_forward: float | DelayDistribution = shared.delay("forward", distribution=True)
    delay_reverse: float | DelayDistribution = shared.delay("reverse", distribution=True)
    jitter: float = field(
        0.0,
        "maximum extra delay of a segment: uniform from 0, in each direction, without reordering",
        unit="s",
        allowed=(0, 1e9),
    )
    reorder: float = shared.reorder()
    reorder_delay: float = field(0.05, "extra delay of such a segment", unit="s", allowed=(0, 1e9))
    duplicate: float = field(0.0, "probability, in each direction, that a segment arrives twice", allowed="probability")
    loss_burst: float = field(
        0.0,
        "mean duration of a burst of losses; 0: losses are independent (the loss probability is the same)",
        unit="s",
        allowed=(0, 1e6),
    )
    client_sends: bool = field(False, "whether the client sends a request as soon as it is ESTABLISHED")
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")
    tie_break: TieBreak = shared.tie_break()

    def check_relations(self) -> None:
        _ = self.paths

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Client to server, and back."""
        return both_directions(
            self,
            jitter=self.jitter,
            reorder=self.reorder,
            reorder_delay=self.reorder_delay,
            duplicate=self.duplicate,
            burst=self.loss_burst,
        )


COLUMNS: Final = {
    "client_latency": "Time (s) from the client's OPEN until the client is ESTABLISHED; NaN if its OPEN fails.",
    "server_latency": "Time (s) from the client's OPEN until accept returns at the server; NaN if it never does.",
    "outcome": (
        "How the attempt ended: established (at both ends), timed out or refused (the client's OPEN failed), or "
        "diverged (the client became ESTABLISHED and the server never did)."
    ),
    "failed": "Whether the client's OPEN failed.",
    "diverged": "Whether the client became ESTABLISHED and the server never did.",
    "without_retransmission": "Whether the client became ESTABLISHED before any SYN or SYN-ACK was retransmitted.",
    "syns": "Number of SYNs that the client sent, retransmissions included.",
    "synacks": "Number of SYN-ACKs that the server sent, retransmissions included.",
    "segments": "Number of segments that both ends sent.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "setup_latency": Estimator(column="client_latency", kind="mean"),
    "setup_latency_restricted": Estimator(column="client_latency", kind="restricted_mean", at=HORIZON),
    "setup_latency_p50": Estimator(column="client_latency", kind="quantile", at=0.50),
    "setup_latency_p95": Estimator(column="client_latency", kind="quantile", at=0.95),
    "setup_latency_p99": Estimator(column="client_latency", kind="quantile", at=0.99),
    "server_latency": Estimator(column="server_latency", kind="mean"),
    "p_fail": Estimator(column="failed", kind="proportion"),
    "p_diverged": Estimator(column="diverged", kind="proportion"),
    "p_without_retransmission": Estimator(column="without_retransmission", kind="proportion"),
}


@dataclass(slots=True)
class _Ends:
    """What the two applications saw: times in s, or ``NEVER``."""

    client: float = NEVER
    server: float = NEVER
    without_retransmission: bool = False
    refused: bool = False


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One connection attempt: the latencies of both ends (s), the outcome, segments sent (see COLUMNS)."""
    world = World(seed=seed, tie_break=params.tie_break, observers=observers)
    client = world.host("client", params.client)
    server = world.host("server", params.server)
    world.link(client, server, *params.paths)
    ends = _Ends()
    world.process(_serve(world, server, ends))
    world.process(_connect(world, client, ends, params))
    keeps_alive = params.client.keepalive or params.server.keepalive
    world.run(until=_longest(params) if keeps_alive else None)
    return _row(client, server, ends)


def _longest(params: Params) -> float:
    """Seconds after which both ends are ESTABLISHED or have timed out; keep-alive probes would never end."""
    schedules = sum(params.client.syn_intervals()) + sum(params.server.synack_intervals())
    return schedules + HORIZON


def _connect(world: World, host: Host, ends: _Ends, params: Params) -> Generator[Event, Any, None]:
    sock = host.socket()
    try:
        yield sock.connect(("server", PORT))
    except TcpError as error:
        ends.refused = isinstance(error, ConnectionRefused)
        return
    ends.client = world.now
    ends.without_retransmission = not any(h.counters.TcpExtTCPSynRetrans for h in world.hosts.values())
    if params.client_sends:
        yield sock.send(b"request")


def _serve(world: World, host: Host, ends: _Ends) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT)
    yield listener.accept()
    ends.server = world.now


def _row(client: Host, server: Host, ends: _Ends) -> dict[str, Any]:
    up, accepted = ends.client == ends.client, ends.server == ends.server
    outcome: Outcome = "established"
    if not up:
        outcome = "refused" if ends.refused else "timed out"
    elif not accepted:
        outcome = "diverged"
    syns = client.counters.TcpActiveOpens + client.counters.TcpExtTCPSynRetrans
    synacks = server.connections_opened + server.counters.TcpExtTCPSynRetrans
    return {
        "client_latency": ends.client,
        "server_latency": ends.server,
        "outcome": outcome,
        "failed": not up,
        "diverged": up and not accepted,
        "without_retransmission": ends.without_retransmission,
        "syns": syns,
        "synacks": synacks,
        "segments": client.counters.TcpOutSegs + server.counters.TcpOutSegs,
    }


def theory(params: Params) -> dict[str, float]:
    """Exact values by the enumeration of netsim.theory.setup.

    Conditions: constant delays, independent losses, exact timers. The estimates of the server also need a client that
    sends no data, as data would carry ACKs.
    """
    exact = exact_latency(params)
    if exact is None:
        return {}
    client = exact.client
    values = {
        "setup_latency": client.mean,
        "setup_latency_restricted": client.restricted_mean(HORIZON),
        "setup_latency_p50": client.quantile(0.50),
        "setup_latency_p95": client.quantile(0.95),
        "setup_latency_p99": client.quantile(0.99),
        "p_fail": exact.p_fail,
    }
    once = (1 - params.loss_forward) * (1 - params.loss_reverse)
    values["p_without_retransmission"] = 0.0 if _retransmits_needlessly(params) else once
    if _server_is_exact(params):
        values |= {"server_latency": exact.server.mean, "p_diverged": exact.p_diverged}
    return values


def _retransmits_needlessly(params: Params) -> bool:
    """Whether a SYN or SYN-ACK is retransmitted although nothing is lost: the round trip outlasts a timer."""
    there, back = nanoseconds(_seconds(params.delay_forward)), nanoseconds(_seconds(params.delay_reverse))
    spare = params.client.ns.syn_intervals[0] - there - back, params.server.ns.synack_intervals[0] - back
    return min(spare) < 0 or (min(spare) == 0 and params.tie_break != "packet-first")


def _server_is_exact(params: Params) -> bool:
    """Whether the enumeration covers all that decides when the server is ESTABLISHED.

    It needs a silent client that acknowledges every retransmitted SYN-ACK, and SYN-RECEIVED entries with different
    ISNs.
    """
    client, server = params.client, params.server
    if server.syn_cookies == "always" and _retransmits_needlessly(params):
        return False  # a second cookie may differ from the one that the client knows
    answers_all = client.ns.invalid_ratelimit <= min(server.ns.synack_intervals)
    silent = not params.client_sends and not client.keepalive
    return silent and answers_all and not isinstance(server.isn, ConstantIsn)


def _seconds(delay: float | DelayDistribution) -> float:
    return delay.seconds if isinstance(delay, Fixed) else float(delay)  # type: ignore[arg-type]


def exact_latency(params: Params) -> SetupLatency | None:
    """The exact distribution of both ends' latency; None where these parameters have none."""
    client, server = params.client, params.server
    constant = all(isinstance(d, float | int | Fixed) for d in (params.delay_forward, params.delay_reverse))
    impaired = params.jitter or params.reorder or params.duplicate or params.loss_burst
    if not constant or impaired or client.timer_hz or server.timer_hz or params.tie_break == "random":
        return None
    if server.duplicate_syn == "synack" and server.synack_ratelimit:
        return None
    if params.tie_break == "packet-first" and not (_seconds(params.delay_forward) and _seconds(params.delay_reverse)):
        return None  # what a timer sends arrives in the same instant: before or after the timers of the other end?
    if client.syn_transmissions > MOST_ENUMERATED or len(server.synack_intervals()) > MOST_ENUMERATED:
        return None
    return setup_latency(
        policy="stateless" if server.syn_cookies == "always" else server.duplicate_syn,
        syn_intervals=client.syn_intervals(),
        synack_intervals=server.synack_intervals(),
        loss_forward=params.loss_forward,
        loss_reverse=params.loss_reverse,
        delay_forward=_seconds(params.delay_forward),
        delay_reverse=_seconds(params.delay_reverse),
        tie_break=params.tie_break,
        connect_timeout=client.open_timeout,
        duplicate_syn_interval=server.synack_ratelimit,
    )
