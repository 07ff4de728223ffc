"""The last ACK is lost: how does the end that closes last leave LAST-ACK?

A client and a server open a connection and send no data. One of them closes first; the other closes when it reads the
end of the stream, and from this moment on the path loses segments. The end that closes last retransmits its FIN until
an answer arrives. The end that closed first acknowledges each FIN while its TIME-WAIT lasts, and answers with a RST
afterwards.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from simpy import Event

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import shared
from netsim.scenarios.closing import (
    MOST_FINS,
    fin_intervals,
    first_retransmission,
    open_connection,
    require_end,
    rtt_is_measured,
    segments_sent,
)
from netsim.scenarios.parameters import (
    both_directions,
    parameters,
    without_loss,
)
from netsim.scenarios.shared import End
from netsim.scenarios.shorthands import WithLoss
from netsim.seeds import Seed
from netsim.sim import Host, World
from netsim.sim.network import NS, Observer
from netsim.sim.world import TieBreak
from netsim.sweep import Estimator
from netsim.tcp import clauses
from netsim.tcp.actions import Moved
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile
from netsim.tcp.state import CLOSED, LAST_ACK, TIME_WAIT
from netsim.theory import TeardownOutcome, teardown_outcome
from netsim.trace.events import Decided, TraceEvent
from netsim.units import nanoseconds

QUESTION: Final = "The last ACK may be lost: does the end that closes last close cleanly, by a reset, or by a timeout?"
NEVER: Final = float("nan")
HORIZON: Final = 60.0  # s; longer latencies count as this long, or the few that time out would decide the mean
NOBODY: Final = "nobody"

Outcome = Literal["clean", "reset", "timeout"]

_OUTCOMES: Final[dict[str, Outcome]] = {
    clauses.CHECK_5_ACK: "clean",
    clauses.CHECK_2_RST: "reset",
    clauses.R2: "timeout",
    clauses.USER_TIMEOUT: "timeout",
}


@parameters
class Params(WithLoss):
    """Parameters of the study of TIME-WAIT. ``forward`` is client to server. ValueError for a value out of range.

    Segments are lost from the second close on: FINs of the last end in one direction, the answers in the other.
    """

    loss_forward: float = shared.loss("forward", 0.2, since="the second close")
    loss_reverse: float = shared.loss("reverse", 0.3, since="the second close")
    delay_forward: float = shared.delay("forward")
    delay_reverse: float = shared.delay("reverse")
    closes_first: End = field("client", "the end that closes first and so enters TIME-WAIT: client or server")
    time_wait: float | None = field(
        None,
        "length of TIME-WAIT; None: as in the TCP of the end that closes first",
        unit="s",
        source="RFC 9293: 240",
        allowed=(0, 1e9),
    )
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")
    tie_break: TieBreak = shared.tie_break()

    def check_relations(self) -> None:
        config, end = (self.client if self.closes_first == "client" else self.server), self.closes_first
        if self.time_wait is not None and config.time_wait not in (self.time_wait, profile(config.name).time_wait):
            raise ValueError(
                f"{end}.time_wait = {config.time_wait}: must not be set beside time_wait = {self.time_wait}"
            )
        require_end(self.closes_last, self.last)

    @property
    def closes_last(self) -> End:
        """The end that closes second and goes through LAST-ACK."""
        return "server" if self.closes_first == "client" else "client"

    @cached_property
    def first(self) -> TcpConfig:
        """The TCP of the end that closes first, with this TIME-WAIT."""
        config = self.client if self.closes_first == "client" else self.server
        return config if self.time_wait is None else config.replace(time_wait=self.time_wait)

    @property
    def last(self) -> TcpConfig:
        """The TCP of the end that closes last."""
        return self.server if self.closes_first == "client" else self.client

    @cached_property
    def clean(self) -> tuple[Path, Path]:
        """Both directions (forward, reverse) until the last end closes."""
        return without_loss(self.lossy)

    @cached_property
    def lossy(self) -> tuple[Path, Path]:
        """Both directions (forward, reverse) from then on."""
        return both_directions(self)


COLUMNS: Final = {
    "outcome": (
        "How the end that closed last left LAST-ACK: clean (its FIN was acknowledged), reset (a RST arrived) or "
        "timeout (R2 or the user timeout expired)."
    ),
    "unclean": "Whether the end that closed last left LAST-ACK by a reset or a timeout.",
    "fins": "Number of FINs that the end that closed last sent, retransmissions included.",
    "segments": "Number of segments that both ends sent from the first close on, retransmissions included.",
    "last_closer_latency": "Time (s) from the second close until the end that closed last is CLOSED.",
    "first_closer_latency": (
        "Time (s) from the first close until the end that closed first is CLOSED; NaN if it never is."
    ),
    "time_wait_at": "End that entered TIME-WAIT: client, server or nobody.",
    "time_wait_duration": "Time (s) that the end that closed first spent in TIME-WAIT; NaN if it never entered it.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_clean": Estimator(column="outcome", kind="proportion", equals="clean"),
    "p_reset": Estimator(column="outcome", kind="proportion", equals="reset"),
    "p_timeout": Estimator(column="outcome", kind="proportion", equals="timeout"),
    "p_unclean": Estimator(column="unclean", kind="proportion"),
    "p_first_fin_answered": Estimator(column="fins", kind="proportion", equals=1),
    "p_no_time_wait": Estimator(column="time_wait_at", kind="proportion", equals=NOBODY),
    "fins": Estimator(column="fins", kind="mean"),
    "segments": Estimator(column="segments", kind="mean"),
    "last_closer_latency": Estimator(column="last_closer_latency", kind="restricted_mean", at=HORIZON),
    "first_closer_latency": Estimator(column="first_closer_latency", kind="mean"),
    "time_wait_duration": Estimator(column="time_wait_duration", kind="mean"),
}


class _CloseObserver:
    """Notes when (ns) and by which clause each end entered CLOSED, and when one entered TIME-WAIT."""

    def __init__(self) -> None:
        self.closed: dict[str, int] = {}
        self.time_wait: dict[str, int] = {}
        self.outcome = ""

    def __call__(self, event: TraceEvent) -> None:
        """One event of the run."""
        if type(event) is not Decided or type(event.decision) is not Moved:
            return
        moved = event.decision
        if moved.new is TIME_WAIT:
            self.time_wait[event.host] = event.time
        elif moved.new is CLOSED:
            self.closed[event.host] = event.time
            if moved.old is LAST_ACK:
                self.outcome = moved.clause


@dataclass(slots=True)
class _Calls:
    """When each end called CLOSE (ns), and how many segments had been sent before."""

    first: int = 0
    last: int = 0
    segments_before: int = 0


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One close: how the last end left LAST-ACK, latencies of both ends, FINs and segments (see COLUMNS)."""
    observer = _CloseObserver()
    world = World(seed=seed, tie_break=params.tie_break, observers=[*observers, observer])
    configs = {params.closes_first: params.first, params.closes_last: params.last}
    client, server = (world.host(name, configs[name]) for name in ("client", "server"))
    world.link(client, server, *params.clean)
    calls = _Calls()
    world.process(_open_and_close(world, client, server, params, calls))
    world.run()
    return _row(params, world, observer, calls)


def _open_and_close(
    world: World, client: Host, server: Host, params: Params, calls: _Calls
) -> Generator[Event, Any, None]:
    opener, accepted = yield from open_connection(client, server)
    first, last = (opener, accepted) if params.closes_first == "client" else (accepted, opener)
    calls.segments_before = segments_sent(world)
    calls.first = world.env.now
    first.shutdown()
    yield last.recv()  # the end of the stream
    world.link(client, server, *params.lossy)
    calls.last = world.env.now
    last.close()
    yield first.recv()
    first.close()


def _row(params: Params, world: World, observer: _CloseObserver, calls: _Calls) -> dict[str, Any]:
    first, last = params.closes_first, params.closes_last
    closed, entered = observer.closed, observer.time_wait.get(first)
    first_closed = closed.get(first)
    return {
        "outcome": _OUTCOMES[observer.outcome],
        "unclean": _OUTCOMES[observer.outcome] != "clean",
        "fins": 1 + world.hosts[last].counters.TcpRetransSegs,
        "segments": segments_sent(world) - calls.segments_before,
        "last_closer_latency": (closed[last] - calls.last) / NS,
        "first_closer_latency": NEVER if first_closed is None else (first_closed - calls.first) / NS,
        "time_wait_at": NOBODY if entered is None else first,
        "time_wait_duration": NEVER if entered is None or first_closed is None else (first_closed - entered) / NS,
    }


def _rtt(params: Params) -> int:
    return nanoseconds(params.delay_forward) + nanoseconds(params.delay_reverse)


def exact_outcome(params: Params) -> TeardownOutcome | None:
    """What becomes of the end in LAST-ACK, by the recursion over its FINs; None where the conditions do not hold.

    They are exact timers, an answer to every FIN that arrives, and each answer before the next FIN.
    """
    first, last, rtt = params.first, params.last, _rtt(params)
    waits = fin_intervals(last, rtt, peer=first)
    if first.timer_hz or last.timer_hz or first.keepalive or len(waits) > MOST_FINS or params.tie_break == "random":
        return None
    if not rtt_is_measured(rtt, params.client, params.server):
        return None
    if rtt >= min(*map(nanoseconds, waits), first_retransmission(first, rtt, peer=last)):
        return None
    forward, reverse = params.loss_forward, params.loss_reverse
    return teardown_outcome(
        fin_intervals=waits,
        time_wait=first.time_wait,
        loss_fin=reverse if params.closes_first == "client" else forward,
        loss_answer=forward if params.closes_first == "client" else reverse,
        restart=first.time_wait_restart != "never",
        tie_break=params.tie_break,
    )


def theory(params: Params) -> dict[str, float]:
    """The exact outcome (netsim.theory.teardown) and what follows from it.

    Conditions: exact timers, each answer arrives before the next FIN is due, and every FIN that arrives is answered.
    """
    exact = exact_outcome(params)
    if exact is None:
        return {}
    waits = fin_intervals(params.last, _rtt(params), peer=params.first)
    rtt = params.delay_forward + params.delay_reverse
    loss_fin = params.loss_reverse if params.closes_first == "client" else params.loss_forward
    answered = exact.retransmissions
    fins = sum((k + 1) * p for k, p in enumerate(answered)) + len(answered) * exact.p_timeout
    latency = sum(min(t + rtt, HORIZON) * p for t, p in zip(exact.fin_times, answered, strict=True))
    values = {
        "p_clean": exact.p_clean,
        "p_reset": exact.p_reset,
        "p_timeout": exact.p_timeout,
        "p_unclean": exact.p_reset + exact.p_timeout,
        "p_no_time_wait": loss_fin ** len(waits),
        "fins": fins,
        "last_closer_latency": latency + min(sum(waits), HORIZON) * exact.p_timeout,
    }
    if params.last.fin_ack == "immediate":
        values["segments"] = 2 + fins * (2 - loss_fin)  # a FIN and its ACK; each FIN, and an answer if it arrives
    if len(waits) > 1:
        values["p_first_fin_answered"] = answered[0]
    if params.first.time_wait_restart == "never" and loss_fin < 1:
        values["time_wait_duration"] = params.first.time_wait
    return values
