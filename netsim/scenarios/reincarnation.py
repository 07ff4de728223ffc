"""When does a clock-driven ISN alone keep two incarnations of a connection apart? RFC 1185, appendix.

A connection sends ``rate`` bytes a second for ``duration``, and its four-tuple is used again. It is slow or fast (its
rate below that of the ISN clock, or not) and short or long (the clock has not come round, or has): four cells. Only
the text that may still be in the network is sent here; of what went before nothing is left but its numbers and its
time, and these the first ISS carries. The rest is ``stale``: late copies, and what the core makes of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from netsim.link import DelayDistribution, Uniform
from netsim.scenarios import shared, stale
from netsim.scenarios.parameters import param, parameters, require_choices, require_probabilities
from netsim.seeds import Seed
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, HashIsn, IsnPolicy, IsnSource, RandomIsn
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.segment import MASK, FourTuple
from netsim.theory import IncarnationCell, incarnation_cell, old_bytes_acceptable
from netsim.units import require_number

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
    """Parameters of the study of incarnations. ValueError for values out of range."""

    isn: Isn = param("clock", "the client's ISN: a clock, the clock of RFC 6528, constant, or random")
    clock_rate: float = param(10_000.0, "rate of that clock", "Hz", "RFC 9293 3.4.1: 250000")
    data_rate: float = param(20_000.0, "rate at which the client sends", "bytes/s")
    duration: float = param(2.0, "how long it does, in each incarnation", "s")
    pause: float = param(0.5, "from the end, and TIME-WAIT, to the next incarnation", "s")
    time_wait: float = param(0.0, "length of TIME-WAIT at the client, which closes first", "s", "RFC 9293: 240")
    msl: float = param(3.0, "segments older than this vanish (maximum segment lifetime)", "s", "RFC 9293: 120")
    delay: float = param(0.01, "one-way delay", "s")
    duplicate: float = param(0.3, "probability that a segment has a late copy; both ways")
    duplicate_delay: float | DelayDistribution = shared.copy_delay(Uniform(0.0, 3.0))
    receive_window: int = param(8000, "receive window of the server", "bytes")

    def check_relations(self) -> None:
        require_choices(self, isn=Isn)
        require_probabilities(self, "duplicate")
        require_number("clock_rate", self.clock_rate, low=1.0, high=1e9, unit="Hz")
        require_number("data_rate", self.data_rate, low=1.0, high=1e9, unit="bytes/s")
        for name, low, high in (("duration", 1e-3, 1e9), ("pause", 0.0, 1e6), ("msl", 0.0, 1e6), ("delay", 0, 10)):
            require_number(name, getattr(self, name), low=low, high=high, unit="s")
        require_number("receive_window", self.receive_window, low=1, high=1 << 30, unit="bytes")
        _ = self.tail

    @property
    def cell(self) -> IncarnationCell:
        """Which of the four it is."""
        return incarnation_cell(rate=self.data_rate, duration=self.duration, clock_rate=self.clock_rate)

    @cached_property
    def tail(self) -> stale.Params:
        """The end of the connection, as much of it as may be alive at the next opening, and the next one."""
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


ESTIMATES: Final = {
    name: stale.ESTIMATES[name]
    for name in ("p_stale_data_accepted", "p_stale_data_expected", "p_wrong_bytes", "wrong_bytes", "p_reopened")
} | {"stale_data_arrivals": Estimator(column="arrived_data", kind="mean")}

_COLUMNS: Final = (
    "stale_data_accepted",
    "p_stale_data_expected",
    "has_wrong_bytes",
    "wrong_bytes",
    "reopened",
    "arrived_data",
    "ack_loop",
)


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """Two incarnations: whether old text was accepted, the chance of it, wrong bytes, how much old text arrived."""
    row = stale.run(params.tail, seed, observers)
    return {name: row[name] for name in _COLUMNS}


def unsafe(params: Params) -> bool | None:
    """Whether the ISN lets living old text into the new connection's window; None for a random one.

    For all of the time that old text lives, with the window as it moves, by netsim.theory.incarnation. A constant ISN
    is a clock that stands still.
    """
    if params.isn == "random":
        return None
    rtt = 2 * params.delay
    waited = 2 * rtt + params.time_wait + params.pause  # from the last text: a round trip to open, and one to close
    read = params.data_rate * max(params.msl + rtt - waited, 0.0) + SLACK  # by the time that nothing old is left
    return old_bytes_acceptable(
        rate=params.data_rate,
        duration=params.duration,
        clock_rate=STANDING if params.isn == "constant" else params.clock_rate,
        pause=waited,
        lifetime=params.msl + rtt,  # text begins a round trip after the clock was read
        window=params.receive_window + round(read),
    )


def theory(params: Params) -> dict[str, float]:
    """Zero where nothing old can be accepted: by the clock, or because it is all dead; else nothing is certain."""
    dead = params.pause + params.time_wait >= params.msl
    if dead or unsafe(params) is False:
        return dict.fromkeys(("p_stale_data_accepted", "p_stale_data_expected", "p_wrong_bytes", "wrong_bytes"), 0.0)
    return {}
