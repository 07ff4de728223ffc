"""Stages that move packets in time or copy them: delay, jitter, reordering, duplication, a bottleneck."""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import ClassVar

from netsim.link.distributions import DelayDistribution, Fixed, Source, Uniform, as_distribution, require_distribution
from netsim.link.stage import PathCounters, Step, Stream, draws
from netsim.units import SECOND, nanoseconds, require_number, require_probability


@dataclass(frozen=True)
class Delay:
    """A delay: seconds, or a distribution from which each copy draws independently, which reorders packets."""

    distribution: float | DelayDistribution
    name: ClassVar[str] = "delay"

    def __post_init__(self) -> None:
        require_distribution("distribution", self.distribution)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        distribution = as_distribution("distribution", self.distribution)
        if isinstance(distribution, Fixed):
            return _constant(distribution)
        extra, extra_copy = draws(distribution.sampler, name, stream)

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            delay = extra()
            if len(times) < 2:
                return [time + delay for time in times]
            return [times[0] + delay, *(time + extra_copy() for time in times[1:])]

        return step


def _constant(distribution: Fixed) -> Step | None:
    delay = nanoseconds(distribution.seconds)

    def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
        return [time + delay for time in times]

    return step if delay else None


@dataclass(frozen=True)
class Jitter:
    """A random extra delay that keeps the order: no packet leaves this stage before those sent earlier.

    `distribution`: seconds x for uniform in [0, x], or a distribution. A packet whose delay would end before that of an
    earlier one leaves together with it. A packet that earlier stages delay for long delays all that follow, so stages
    that change the order belong after this one.
    """

    distribution: float | DelayDistribution
    name: ClassVar[str] = "jitter"

    def __post_init__(self) -> None:
        require_distribution("distribution", self.distribution)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        distribution = as_distribution("distribution", self.distribution)
        if isinstance(distribution, Fixed) and distribution is not self.distribution:
            distribution = Uniform(0.0, distribution.seconds)
        if distribution == Uniform(0.0, 0.0):
            return None
        extra, extra_copy = draws(distribution.sampler, name, stream)
        last = 0

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            nonlocal last
            delay = extra()
            left = []
            for time in times:
                last = max(last, time + delay)
                left.append(last)
                if len(times) > 1:
                    delay = extra_copy()
            return left

        return step


@dataclass(frozen=True)
class Reorder:
    """With this probability a copy is delayed by `delay` (seconds or a distribution), and later ones arrive first."""

    probability: float
    delay: float | DelayDistribution
    name: ClassVar[str] = "reorder"

    def __post_init__(self) -> None:
        require_probability("probability", self.probability)
        require_distribution("delay", self.delay)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        if not self.probability:
            return None
        held, held_copy = draws(_with_probability(self.probability, as_distribution("delay", self.delay)), name, stream)

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            extra = held()
            moved = []
            for time in times:
                if extra is not None:
                    counters.count(name)
                    time += extra
                moved.append(time)
                if len(times) > 1:
                    extra = held_copy()
            return moved

        return step


@dataclass(frozen=True)
class Duplicate:
    """With this probability a second copy arrives, `delay` (seconds or a distribution) after the first."""

    probability: float
    delay: float | DelayDistribution = 0.0
    name: ClassVar[str] = "duplicate"

    def __post_init__(self) -> None:
        require_probability("probability", self.probability)
        require_distribution("delay", self.delay)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        if not self.probability:
            return None
        copied, copied_again = draws(
            _with_probability(self.probability, as_distribution("delay", self.delay)), name, stream
        )

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            extra = copied()
            copies = []
            for time in times:
                if extra is not None:
                    copies.append(time + extra)
                if len(times) > 1:
                    extra = copied_again()
            if copies:
                counters.count(name, len(copies))
                return times + copies
            return times

        return step


def _with_probability(
    probability: float, distribution: DelayDistribution
) -> Callable[[Source], Callable[[], int | None]]:
    """Makes a draw from `distribution` that happens with the given probability, None otherwise."""

    def make(rng: Source) -> Callable[[], int | None]:
        random, extra = rng.random, distribution.sampler(rng)
        return lambda: extra() if random() < probability else None

    return make


@dataclass(frozen=True)
class Bottleneck:
    """A transmitter of `rate` bit/s behind a drop-tail queue.

    queue: bytes that may wait (the packet in transmission not counted); None: no limit. A packet that finds
    the transmitter idle is always taken; one that would make the waiting bytes exceed `queue` is dropped.
    Packets are served in the order of sending, so one that earlier stages delay for long delays the rest.
    """

    rate: float
    queue: int | None = None
    name: ClassVar[str] = "bottleneck"

    def __post_init__(self) -> None:
        require_number("rate", self.rate, low=1.0, high=1e15, unit="bit/s")
        if self.queue is not None:
            require_number("queue", self.queue, low=0, high=2**62, unit="bytes, or None")

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        per_byte = 8 * SECOND / self.rate  # ns
        limit = self.queue
        free = 0  # when the transmitter has sent all it has accepted
        waiting = 0  # bytes accepted whose transmission has not begun
        begins: deque[tuple[int, int]] = deque()  # when the transmission of each of them begins, and its bytes

        def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
            nonlocal free, waiting
            left = []
            for time in times:
                while begins and begins[0][0] <= time:
                    waiting -= begins.popleft()[1]
                if free > time:
                    if limit is not None and waiting + size > limit:
                        continue
                    begins.append((free, size))
                    waiting += size
                free = max(free, time) + round(size * per_byte)
                left.append(free)
            return counters.keep(name, times, left)

        return step
