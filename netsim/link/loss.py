"""Stages that lose packets: independent, in bursts, damaged, during outages, and too old."""

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from netsim.link.distributions import MAXIMUM_DELAY, Source, require_delay
from netsim.link.stage import PathCounters, Step, Stream, bernoulli, draws, losing
from netsim.units import SECOND, nanoseconds, require_number, require_probability

MINIMUM_SOJOURN = 1e-6  # s; far below a packet's own duration there is nothing to model
_FORGOTTEN = 1000  # cycles of a two-state chain after which exp(-4000) of its past is left: nothing in a float


@dataclass(frozen=True)
class Loss:
    """Each copy is lost independently with the given probability."""

    probability: float
    name: ClassVar[str] = "loss"

    def __post_init__(self) -> None:
        require_probability("probability", self.probability)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        return losing(bernoulli(self.probability), name, stream, counters) if self.probability else None


@dataclass(frozen=True)
class Corrupt:
    """Each copy is damaged with this probability: its checksum fails, and it is dropped and counted separately."""

    probability: float
    name: ClassVar[str] = "corrupt"

    def __post_init__(self) -> None:
        require_probability("probability", self.probability)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        return losing(bernoulli(self.probability), name, stream, counters) if self.probability else None


@dataclass(frozen=True)
class GilbertElliott:
    """Burst loss by a two-state chain that takes one step per packet (Gilbert 1960, Elliott 1963).

    p: probability of a step from good to bad, r: from bad to good; loss_good and loss_bad: probability of
    loss in each state (the 1 - k and 1 - h of the papers). It starts in its stationary distribution. Time plays no
    part: two retransmissions that are seconds apart see neighbouring states. For bursts with a duration see
    GilbertElliottTime.
    """

    p: float
    r: float
    loss_good: float = 0.0
    loss_bad: float = 1.0
    name: ClassVar[str] = "gilbert-elliott"

    def __post_init__(self) -> None:
        for field in ("p", "r", "loss_good", "loss_bad"):
            require_probability(field, getattr(self, field))
        if self.p + self.r == 0:
            raise ValueError("p + r = 0: must be > 0, otherwise the chain has no stationary distribution")

    @property
    def mean_loss(self) -> float:
        """Stationary probability of loss."""
        bad = self.p / (self.p + self.r)
        return (1 - bad) * self.loss_good + bad * self.loss_bad

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        if self.mean_loss == 0:
            return None
        uniform, uniform_copy = draws(lambda rng: rng.random, name, stream)
        p, r, loss_good, loss_bad = self.p, self.r, self.loss_good, self.loss_bad
        bad = uniform() < p / (p + r)

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            nonlocal bad
            loss = loss_bad if bad else loss_good
            bad = uniform() >= r if bad else uniform() < p
            gone = uniform() < loss
            if not times:
                return times
            kept = [] if gone else times[:1]
            kept += [time for time in times[1:] if uniform_copy() >= loss]
            return counters.keep(name, times, kept)

        return step


@dataclass(frozen=True)
class GilbertElliottTime:
    """Burst loss by a two-state Markov chain in continuous time.

    mean_good, mean_bad: mean sojourns (s), exponential; loss_good, loss_bad: probability of loss in each
    state. It starts in its stationary distribution, and its state is a function of the simulated time alone: the bursts
    are the same whatever is sent. This is the right model if the packets that matter are seconds apart, such as
    retransmitted SYNs.
    """

    mean_good: float
    mean_bad: float
    loss_good: float = 0.0
    loss_bad: float = 1.0
    name: ClassVar[str] = "burst"

    def __post_init__(self) -> None:
        for field in ("mean_good", "mean_bad"):
            require_number(field, getattr(self, field), low=MINIMUM_SOJOURN, high=MAXIMUM_DELAY, unit="s")
        for field in ("loss_good", "loss_bad"):
            require_probability(field, getattr(self, field))

    @property
    def mean_loss(self) -> float:
        """Stationary probability of loss."""
        bad = self.mean_bad / (self.mean_good + self.mean_bad)
        return (1 - bad) * self.loss_good + bad * self.loss_bad

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        if self.loss_good == self.loss_bad == 0:
            return None
        bad = burst_process(self.mean_good, self.mean_bad, stream(name))
        loss_good, loss_bad = self.loss_good, self.loss_bad

        def half() -> float:
            return 0.5

        uniform: Callable[[], float] = half  # if loss is certain or excluded in each state, nothing need be drawn
        uniform_copy: Callable[[], float] = half
        if {loss_good, loss_bad} - {0.0, 1.0}:
            uniform, uniform_copy = draws(lambda rng: rng.random, f"{name}.loss", stream)

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            u = uniform()
            kept = []
            for time in times:
                if u >= (loss_bad if bad(time) else loss_good):
                    kept.append(time)
                if len(times) > 1:
                    u = uniform_copy()
            return counters.keep(name, times, kept)

        return step


@dataclass(frozen=True)
class BurstLoss:
    """All packets are lost during bursts of mean length `burst` (s); in the long run a share of `mean_loss`.

    GilbertElliottTime with loss 0 and 1 and mean_good = burst * (1 - mean_loss) / mean_loss; mean_loss may be
    0 (never) or 1 (always).
    """

    mean_loss: float
    burst: float
    name: ClassVar[str] = "burst"

    def __post_init__(self) -> None:
        require_probability("mean_loss", self.mean_loss)
        require_number("burst", self.burst, low=MINIMUM_SOJOURN, high=MAXIMUM_DELAY, unit="s")

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        if self.mean_loss in (0.0, 1.0):
            return Loss(self.mean_loss).start(name, stream, counters)
        mean_good = self.burst * (1 - self.mean_loss) / self.mean_loss
        bad = burst_process(mean_good, self.burst, stream(name))

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            return counters.keep(name, times, [time for time in times if not bad(time)])

        return step


def burst_process(mean_good: float, mean_bad: float, rng: Source) -> Callable[[int], bool]:
    """A stationary two-state chain in continuous time: whether it is bad at a time (ns), in any order of times.

    Sojourns are drawn forwards and remembered, so the answer does not depend on earlier questions; a gap of more
    than 1000 mean cycles is skipped by a new draw from the stationary distribution, which is exact in floats there.
    """
    random, log = rng.random, math.log
    means = (mean_good * SECOND, mean_bad * SECOND)
    share, skip = mean_bad / (mean_good + mean_bad), _FORGOTTEN * sum(means)
    first = random() < share  # the state before switches[0]; every switch turns it over
    switches = [int(-means[first] * log(1.0 - random()))]  # without memory: the residual sojourn is like a whole one

    def bad(time: int) -> bool:
        nonlocal first
        if time - switches[-1] > skip:
            first = random() < share
            switches[:] = [time + int(-means[first] * log(1.0 - random()))]
        while switches[-1] <= time:
            state = first ^ (len(switches) & 1)
            switches.append(switches[-1] + int(-means[state] * log(1.0 - random())))
        return bool(first ^ (bisect_right(switches, time) & 1))

    return bad


@dataclass(frozen=True)
class Outage:
    """All packets are lost during the intervals: pairs (start, end) in s, without the end, which may be inf."""

    intervals: Sequence[tuple[float, float]]
    name: ClassVar[str] = "outage"

    def __post_init__(self) -> None:
        if not isinstance(self.intervals, Sequence) or isinstance(self.intervals, str):
            raise ValueError(f"intervals = {self.intervals!r}: must be a sequence of pairs (start, end) in seconds")
        for index, pair in enumerate(self.intervals):
            if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
                raise ValueError(f"intervals[{index}] = {pair!r}: must be a pair (start, end) in seconds")
            require_delay(f"intervals[{index}] start", pair[0])
            if pair[1] != math.inf:
                require_number(f"intervals[{index}] end", pair[1], low=pair[0], high=MAXIMUM_DELAY, unit="s or inf")
        object.__setattr__(self, "intervals", tuple((start, end) for start, end in self.intervals))

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        down = [
            (nanoseconds(start), math.inf if end == math.inf else nanoseconds(end)) for start, end in self.intervals
        ]

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            kept = [time for time in times if not any(start <= time < end for start, end in down)]
            return counters.keep(name, times, kept)

        return step if down else None


@dataclass(frozen=True)
class Lifetime:
    """A copy that is older than `seconds` on arrival is lost (a time to live that is a time).

    It bounds the whole path: wherever it stands among the stages, it is applied to the final arrival times.
    """

    seconds: float
    name: ClassVar[str] = "lifetime"

    def __post_init__(self) -> None:
        require_delay("seconds", self.seconds)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        longest = nanoseconds(self.seconds)

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            return counters.keep(name, times, [time for time in times if time - sent <= longest])

        return step
