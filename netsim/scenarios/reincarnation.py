"""When does a clock-driven ISN alone keep two incarnations of a connection apart? RFC 1185, appendix.

A connection sends ``data_rate`` bytes per second for ``duration``, and then its four-tuple is used again. The
connection is slow or fast (its rate is below that of the ISN clock, or not) and short or long (the clock has not
wrapped, or has): four cells. Only the data that may still be in the network is simulated; the data before it matters
only through its sequence numbers and its time, which the first ISS accounts for. The rest is as in ``stale``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from netsim.fields import field
from netsim.link import DelayDistribution, Uniform
from netsim.scenarios import shared, stale, stale_observer
from netsim.scenarios.parameters import parameters
from netsim.seeds import Seed
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, HashIsn, IsnPolicy, IsnSource, RandomIsn
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.segment import MASK, FourTuple
from netsim.theory import IncarnationCell, incarnation_cell, old_bytes_acceptable

QUESTION: Final = "Which ISNs keep a connection apart from the one before it: slow or fast, short or long?"
TURN: Final = 1 << 32
STANDING: Final = 1e-12  # Hz
SLACK: Final = 2 * stale.CHUNK  # bytes that may be under way beyond what the rates say

Isn = Literal["clock", "rfc6528", "constant", "random"]


@dataclass(frozen=True, slots=True)
class AgedIsn:
    """A host's policy, whose first connection has been open for ``age`` (ns) already and has sent ``sent`` bytes."""

    policy: IsnPolicy
    age: int
    sent: int

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The policy's number; for the first connection that of ``age`` ago, and the bytes since."""
        if opened:
            return self.policy.initial(now=now, flow=flow, opened=opened, source=source)
        return (self.policy.initial(now=now - self.age, flow=flow, opened=0, source=source) + self.sent) & MASK


@parameters
class Params:
    """Parameters of the study of incarnations. ValueError for a value out of range."""

    isn: Isn = field(
        "clock",
        "how the client selects its initial sequence numbers: clock, rfc6528 (a clock with an offset), constant "
        "or random",
    )
    clock_rate: float = field(
        10_000.0,
        "rate of the clock that initial sequence numbers are read from",
        unit="Hz",
        source="RFC 9293 3.4.1: 250000",
        allowed=(1, 1e9),
    )
    data_rate: float = field(20_000.0, "rate at which the client sends data", unit="bytes/s", allowed=(1, 1e9))
    duration: float = field(
        2.0, "time for which the client sends data in each connection", unit="s", allowed=(1e-3, 1e9)
    )
    pause: float = field(
        0.5, "time from the end of the first connection, and of TIME-WAIT, to the next OPEN", unit="s", allowed=(0, 1e6)
    )
    time_wait: float = field(
        0.0, "length of TIME-WAIT at the client, which closes first", unit="s", source="RFC 9293: 240", allowed=(0, 1e9)
    )
    msl: float = field(
        3.0,
        "maximum segment lifetime: the network discards older segments",
        unit="s",
        source="RFC 9293: 120",
        allowed=(0, 1e6),
    )
    delay: float = field(0.01, "one-way delay, in each direction", unit="s", allowed=(0, 10))
    duplicate: float = field(
        0.3, "probability, in each direction, that the network duplicates a segment", allowed="probability"
    )
    duplicate_delay: float | DelayDistribution = shared.copy_delay(Uniform(0.0, 3.0))
    receive_window: int = field(8000, "receive window of the server", unit="bytes", allowed=(1, 1 << 30))

    def check_relations(self) -> None:
        _ = self.tail

    @property
    def cell(self) -> IncarnationCell:
        """The cell of RFC 1185 to which the connection belongs."""
        return incarnation_cell(rate=self.data_rate, duration=self.duration, clock_rate=self.clock_rate)

    @cached_property
    def tail(self) -> stale.Params:
        """The part of the connection that may still be in the network at the next OPEN, and the next connection."""
        whole = round(self.data_rate * self.duration)
        size = max(min(whole, round(self.data_rate * self.msl) + SLACK), 1)
        age = round((whole - size) / self.data_rate * NS)
        policies: dict[Isn, IsnPolicy] = {
            "clock": ClockIsn(self.clock_rate),
            "rfc6528": HashIsn(self.clock_rate),
            "constant": ConstantIsn(),
        }
        # Random numbers have no history: what went before leaves no trace in them.
        aged = policies.get(self.isn)
        isn = AgedIsn(aged, age, (whole - size) % TURN) if aged is not None else RandomIsn()
        config = rfc9293().replace(invalid_ratelimit=0.5)
        # The server's ISS counts up a little and it takes old ACKs: all protection is the client's number.
        server = config.replace(
            isn=CounterIsn(per_second=0, per_connection=64_000), ack_policy="rfc793", receive_buffer=self.receive_window
        )
        return stale.Params(
            loss_forward=0.0,
            loss_reverse=0.0,
            delay_forward=self.delay,
            delay_reverse=self.delay,
            duplicate=self.duplicate,
            duplicate_delay=self.duplicate_delay,
            msl=self.msl,
            data_bytes=size,
            data_rate=self.data_rate,
            pause=self.pause,
            time_wait=self.time_wait,
            client=config.replace(isn=isn),
            server=server,
        )


COLUMNS: Final = {
    name: stale_observer.COLUMNS[name]
    for name in (
        "stale_data_accepted",
        "p_stale_data_expected",
        "has_wrong_bytes",
        "wrong_bytes",
        "reopened",
        "arrived_data",
        "ack_loop",
    )
}
"""What each column of a row means."""

ESTIMATES: Final = {
    name: stale.ESTIMATES[name]
    for name in ("p_stale_data_accepted", "p_stale_data_expected", "p_wrong_bytes", "wrong_bytes", "p_reopened")
} | {"stale_data_arrivals": Estimator(column="arrived_data", kind="mean")}


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """Two incarnations: whether stale data was accepted, the probability of it, and how much arrived (see COLUMNS)."""
    row = stale.run(params.tail, seed, observers)
    return {name: row[name] for name in COLUMNS}


def unsafe(params: Params) -> bool | None:
    """Whether the ISN lets stale data into the new connection's window; None for a random ISN.

    The answer is for the whole time for which stale data exists, with the window as it moves, by
    netsim.theory.incarnation. A constant ISN is a clock that stands still.
    """
    if params.isn == "random":
        return None
    rtt = 2 * params.delay
    waited = 2 * rtt + params.time_wait + params.pause  # from the last data: a round trip to open, and one to close
    read = params.data_rate * max(params.msl + rtt - waited, 0.0) + SLACK  # by the time that nothing old is left
    return old_bytes_acceptable(
        rate=params.data_rate,
        duration=params.duration,
        clock_rate=STANDING if params.isn == "constant" else params.clock_rate,
        pause=waited,
        lifetime=params.msl + rtt,  # data begins a round trip after the clock was read
        window=params.receive_window + round(read),
    )


def theory(params: Params) -> dict[str, float]:
    """Zero where the clock excludes stale data, or none exists any more; elsewhere no value."""
    dead = params.pause + params.time_wait >= params.msl
    if dead or unsafe(params) is False:
        return dict.fromkeys(("p_stale_data_accepted", "p_stale_data_expected", "p_wrong_bytes", "wrong_bytes"), 0.0)
    return {}
