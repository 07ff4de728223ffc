"""One end has failed: how long does the surviving endpoint keep its half-open connection, and what reveals the failure?

A client opens a connection over a path without losses. During the handshake, or when both ends are ESTABLISHED, one
host vanishes for good, or crashes and restarts immediately without its memory; from then on the path loses segments.
The surviving endpoint then waits, sends data or uses keep-alive; or the failed host opens the connection again (RFC
9293 figures 9 and 10). Without a failure the path loses segments from the start, and the question is whether the client
ends up as the only one that is ESTABLISHED.
"""

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from simpy import Event

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import setup, shared
from netsim.scenarios.closing import PORT
from netsim.scenarios.parameters import (
    both_directions,
    parameters,
    without_loss,
)
from netsim.scenarios.shared import End
from netsim.scenarios.shorthands import WithLoss
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp import clauses
from netsim.tcp.actions import Moved
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import TcpError
from netsim.tcp.state import CLOSED, LISTEN
from netsim.trace.events import Decided, TraceEvent

QUESTION: Final = (
    "One end vanished or crashed: how long does the other keep the connection, and what reveals the failure?"
)
NEVER: Final = float("nan")
CLIENT_PORT: Final = 40_000

Failure = Literal["none", "vanishes", "crashes"]
During = Literal["handshake", "established"]
DetectedBy = Literal["nothing", "data", "keepalive", "open"]
Outcome = Literal["reset", "timeout", "keep-alive", "never"]

_OUTCOMES: Final[dict[str, Outcome]] = {
    clauses.CHECK_2_RST: "reset",
    clauses.RFC793_SYN: "reset",
    clauses.R2: "timeout",
    clauses.USER_TIMEOUT: "timeout",
    clauses.KEEP_ALIVE: "keep-alive",
}


@parameters
class Params(WithLoss):
    """Parameters of the study of half-open connections. ``forward`` is client to server. ValueError if out of range."""

    failure: Failure = field(
        "crashes", "what happens to a host: none, vanishes (for good) or crashes (and restarts without memory)"
    )
    failed_end: End = field("client", "the end that fails: client or server")
    during: During = field(
        "established",
        "when it fails: during the handshake (the client's SYN is on its way) or when both ends are established",
    )
    detected_by: DetectedBy = field(
        "data",
        "what may reveal the failure: nothing, data that the surviving endpoint sends, its keepalive, or an open "
        "of the failed host",
    )
    pause: float = field(10.0, "time from the failure to this data or this open", unit="s", allowed=(0, 1e6))
    run_duration: float = field(
        100_000.0,
        "length of the run; a connection that still exists then counts as never ended",
        unit="s",
        allowed=(0, 1e9),
    )
    loss_forward: float = shared.loss("forward", 0.0, since="the failure")
    loss_reverse: float = shared.loss("reverse", 0.0, since="the failure")
    delay_forward: float = shared.delay("forward")
    delay_reverse: float = shared.delay("reverse")
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    def check_relations(self) -> None:
        if self.failed_end == "server" and (self.during == "handshake" or self.detected_by == "open"):
            raise ValueError("failed_end = 'server': must be client during the handshake and where it opens again")
        if self.detected_by == "open" and self.failure == "vanishes":
            raise ValueError("detected_by = 'open': must be another where the failed host vanishes for good")

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Client to server and back, from the failure on."""
        return both_directions(self)

    @property
    def round_trip(self) -> float:
        """One round trip (s)."""
        return self.delay_forward + self.delay_reverse

    @property
    def failure_at(self) -> float:
        """When the host fails (s): as soon as the SYN is sent, or a second after both ends are ESTABLISHED."""
        return 0.0 if self.during == "handshake" else 2 * self.round_trip + 1.0

    @property
    def surviving_end(self) -> str:
        """The end that does not fail."""
        return "server" if self.failed_end == "client" else "client"

    def config_of(self, end: str) -> TcpConfig:
        """The TCP of one end; keep-alive is on at the surviving end if it is to reveal the failure."""
        config = self.client if end == "client" else self.server
        return (
            config.replace(keepalive=True) if self.detected_by == "keepalive" and end == self.surviving_end else config
        )


COLUMNS: Final = {
    "outcome": (
        "What ended the surviving endpoint's connection: reset (a RST or SYN of the failed host), timeout (R2 or "
        "the user timeout), keep-alive (unanswered probes), or never."
    ),
    "time_to_detection": (
        "Time (s) from the failure until the surviving endpoint's connection ended; NaN if it never did, or nothing "
        "failed."
    ),
    "segments": "Number of segments that the surviving endpoint sent after the failure.",
    "diverged": "Whether the client became ESTABLISHED and the server never accepted a connection.",
    "reopened": "Whether the failed host opened the connection anew.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_never_detected": Estimator(column="outcome", kind="proportion", equals="never"),
    "p_reset": Estimator(column="outcome", kind="proportion", equals="reset"),
    "p_timeout": Estimator(column="outcome", kind="proportion", equals="timeout"),
    "p_keepalive": Estimator(column="outcome", kind="proportion", equals="keep-alive"),
    "time_to_detection": Estimator(column="time_to_detection", kind="mean"),
    "time_to_detection_p50": Estimator(column="time_to_detection", kind="quantile", at=0.5),
    "segments": Estimator(column="segments", kind="mean"),
    "p_diverged": Estimator(column="diverged", kind="proportion"),
    "p_reopened": Estimator(column="reopened", kind="proportion"),
}


class _ConnectionObserver:
    """Notes when (ns) and by which clause the surviving endpoint's first connection ended."""

    def __init__(self, surviving_end: str) -> None:
        self.surviving_end = surviving_end
        self.ended: tuple[int, str] | None = None

    def __call__(self, event: TraceEvent) -> None:
        """One event of the run."""
        if self.ended is None and type(event) is Decided and event.host == self.surviving_end:
            moved = event.decision
            if type(moved) is Moved and moved.connection == 1 and moved.new in (CLOSED, LISTEN):
                self.ended = event.time, moved.clause


@dataclass(slots=True)
class _Seen:
    """The sockets of both ends, whether the failed host opened again, and segments sent before the failure."""

    client: Socket | None = None
    server: Socket | None = None
    reopened: bool = False
    before: int = 0


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One connection: how long (s) it outlived the failure, and what ended it (see COLUMNS)."""
    observer = _ConnectionObserver(params.surviving_end)
    world = World(seed=seed, observers=[*observers, observer])
    client, server = (world.host(name, params.config_of(name)) for name in ("client", "server"))
    world.link(client, server, *(params.paths if params.failure == "none" else without_loss(params.paths)))
    seen = _Seen()
    world.process(_serve(server, seen))
    world.process(_connect(client, seen))
    if params.failure != "none":
        world.process(_fail(world, params, seen))
    world.run(until=params.run_duration)
    lost = observer.ended is None or params.failure == "none"
    return {
        "outcome": "never" if observer.ended is None else _OUTCOMES[observer.ended[1]],
        "time_to_detection": NEVER if lost or observer.ended is None else observer.ended[0] / NS - params.failure_at,
        "segments": world.hosts[params.surviving_end].counters.TcpOutSegs - seen.before,
        "diverged": seen.client is not None and seen.server is None,
        "reopened": seen.reopened,
    }


def _connect(host: Host, seen: _Seen) -> Generator[Event, Any, None]:
    sock = host.socket()
    sock.bind(CLIENT_PORT)
    with suppress(TcpError):
        yield sock.connect(("server", PORT))
        seen.client = sock


def _serve(host: Host, seen: _Seen) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT)
    while True:
        sock = yield listener.accept()
        if seen.server is None:
            seen.server = sock


def _fail(world: World, params: Params, seen: _Seen) -> Generator[Event, Any, None]:
    """The failure, and what one of the ends does afterwards."""
    client, server = world.hosts["client"], world.hosts["server"]
    failed_host = world.hosts[params.failed_end]
    yield world.timeout(params.failure_at)
    seen.before = world.hosts[params.surviving_end].counters.TcpOutSegs
    if params.failure == "vanishes":
        world.link(
            client, server, Path(delay=params.delay_forward, loss=1.0), Path(delay=params.delay_reverse, loss=1.0)
        )
    else:
        world.link(client, server, *params.paths)
        failed_host.crash()
    yield world.timeout(params.pause)
    if params.detected_by == "data":
        surviving_end = seen.server if params.surviving_end == "server" else seen.client
        if surviving_end is not None:
            with suppress(TcpError):
                yield surviving_end.send(b"anybody there?")
    elif params.detected_by == "open":
        again = failed_host.socket()
        again.bind(CLIENT_PORT)
        with suppress(TcpError):
            yield again.connect(("server", PORT))
            seen.reopened = True


def theory(params: Params) -> dict[str, float]:
    """Exact values from the timers, without loss after the failure; without a failure P(diverged)."""
    if params.client.timer_hz or params.server.timer_hz:
        return {}
    if params.failure == "none":
        return _diverged(params)
    if params.loss_forward or params.loss_reverse:
        return {}
    time = expected_time_to_detection(params)
    if time is None:
        return {}
    if time == float("inf"):
        return {"p_never_detected": 1.0}
    return {"p_never_detected": 0.0, "time_to_detection": time, "time_to_detection_p50": time}


def _diverged(params: Params) -> dict[str, float]:
    exact = setup.theory(
        setup.Params(
            loss_forward=params.loss_forward,
            loss_reverse=params.loss_reverse,
            delay_forward=params.delay_forward,
            delay_reverse=params.delay_reverse,
            client=params.config_of("client"),
            server=params.config_of("server"),
        )
    )
    return {"p_diverged": exact["p_diverged"]} if "p_diverged" in exact else {}


def expected_time_to_detection(params: Params) -> float | None:
    """Seconds from the failure to the end of the surviving connection, without loss; inf: never; None: unknown.

    Figure 10: the surviving endpoint's data is answered with a RST, one round trip later. Figure 9: the new SYN is
    answered with an ACK and this with a RST: three one-way delays. A host that vanished answers nothing: then only the
    surviving endpoint's own timers can end the connection.
    """
    config, forward, rtt = params.config_of(params.surviving_end), params.delay_forward, params.round_trip
    if params.during == "handshake":
        return forward + (sum(config.synack_intervals()) if params.failure == "vanishes" else rtt)
    # The surviving endpoint last received a segment when it became ESTABLISHED itself.
    since = params.failure_at - (forward + rtt if params.surviving_end == "server" else rtt)
    probed = config.keepalive_idle - since
    if params.detected_by == "keepalive":
        return probed + (rtt if params.failure == "crashes" else config.keepalive_probes * config.keepalive_interval)
    if config.keepalive:
        return None
    if params.detected_by == "nothing":
        return float("inf")
    if params.failure == "crashes":
        return params.pause + (rtt if params.detected_by == "data" else rtt + forward)
    return params.pause + config.user_timeout if config.user_timeout is not None and config.retries2 is None else None
