"""A path: one direction between two hosts, and the open pipe that carries the packets of one run."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from netsim.link.distributions import DelayDistribution, Fixed, require_distribution
from netsim.link.loss import Lifetime, Loss
from netsim.link.script import LiveScript, Scripted
from netsim.link.stage import PathCounters, Stage, Step, Stream
from netsim.link.timing import Delay, Duplicate, Jitter, Reorder
from netsim.units import nanoseconds, require_probability

Send = Callable[[int, int, Collection[str]], list[int]]
"""How a packet enters a pipe; see Pipe.send."""

Wire = Callable[[int], int | None]
"""How a packet enters a pipe that only loses and delays: see Pipe.wire."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """One direction of a connection: what happens to a packet between the two hosts.

    A packet passes, in this order:
    - loss: probability that it is lost, each copy independently;
    - jitter: extra delay that keeps order (seconds x for uniform in [0, x], or a distribution);
    - stages: any others, in the order given;
    - delay: the propagation delay (seconds, or a distribution from which each packet draws, which reorders them);
    - reorder: probability that it is delayed by a further `reorder_delay` (seconds or a distribution), so that packets
      sent after it arrive first;
    - duplicate: probability that a packet that gets through arrives twice, the copy `duplicate_delay` later;
    - any Lifetime among the stages.

    Each stage draws from a stream of its own, named after its kind ("loss", a second one "loss.2"; a
    parameter that is 0 makes no stage). Durations are seconds; ValueError for a value outside its range.
    """

    delay: float | DelayDistribution = 0.05
    loss: float = 0.0
    jitter: float | DelayDistribution = 0.0
    reorder: float = 0.0
    reorder_delay: float | DelayDistribution = 0.05
    duplicate: float = 0.0
    duplicate_delay: float | DelayDistribution = 0.0
    stages: Sequence[Stage] = ()

    def __post_init__(self) -> None:
        # Field by field: a sweep makes hundreds of thousands of worlds, and a loop over names costs twice as much.
        if self.loss != 0.0:
            require_probability("loss", self.loss)
        if self.reorder != 0.0:
            require_probability("reorder", self.reorder)
        if self.duplicate != 0.0:
            require_probability("duplicate", self.duplicate)
        require_distribution("delay", self.delay)
        if self.jitter != 0.0:
            require_distribution("jitter", self.jitter)
        if self.reorder_delay != 0.05:
            require_distribution("reorder_delay", self.reorder_delay)
        if self.duplicate_delay != 0.0:
            require_distribution("duplicate_delay", self.duplicate_delay)
        if self.stages != ():
            self._check_stages()

    def _check_stages(self) -> None:
        if not isinstance(self.stages, Sequence) or isinstance(self.stages, str):
            raise ValueError(f"stages = {self.stages!r}: must be a sequence of stages such as [Loss(0.1)]")
        for index, stage in enumerate(self.stages):
            if isinstance(stage, type) or not (hasattr(stage, "name") and hasattr(stage, "start")):
                raise ValueError(f"stages[{index}] = {stage!r}: must be a stage such as Loss(0.1)")
        object.__setattr__(self, "stages", tuple(self.stages))

    def open(self, stream: Stream) -> "Pipe":
        """A fresh pipe whose stages draw from stream(name)."""
        delay = self.constant_delay
        if delay is None:
            return _chain(self, stream)
        return _lossy_wire(self.loss, delay, stream) if self.loss else _wire(delay)

    @cached_property
    def plan(self) -> tuple[tuple[Stage, str], ...]:
        """The stages in the order in which a packet passes them, each with its name."""
        stages: list[Stage] = []
        if self.loss:
            stages.append(Loss(self.loss))
        if self.jitter:
            stages.append(Jitter(self.jitter))
        stages.extend(stage for stage in self.stages if not isinstance(stage, Lifetime))
        stages.append(Delay(self.delay))
        if self.reorder:
            stages.append(Reorder(self.reorder, self.reorder_delay))
        if self.duplicate:
            stages.append(Duplicate(self.duplicate, self.duplicate_delay))
        stages.extend(stage for stage in self.stages if isinstance(stage, Lifetime))
        seen: Counter[str] = Counter()
        plan = []
        for stage in stages:
            seen[stage.name] += 1
            nth = seen[stage.name]
            plan.append((stage, stage.name if nth == 1 else f"{stage.name}.{nth}"))
        return tuple(plan)

    @property
    def constant_delay(self) -> float | None:
        """The delay of every packet (s), if the path has no other stage than independent loss; else None."""
        if self.stages or self.jitter or self.reorder or self.duplicate:
            return None
        delay = self.delay.seconds if type(self.delay) is Fixed else self.delay
        return delay if isinstance(delay, (float, int)) else None

    @property
    def uses_kinds(self) -> bool:
        """Whether a scripted stage looks at the kinds of a packet."""
        return bool(self.stages) and any(isinstance(stage, Scripted | LiveScript) for stage in self.stages)


class Pipe:
    """An open path: the state of its stages during one run. Made by Path.open."""

    __slots__ = ("_chain", "_counters", "uses_kinds", "uses_size", "wire")

    wire: Wire | None
    """The fast form of `send`, for a path that can only lose and delay: now -> time of arrival, None if lost.

    It draws and counts as `send` does, but does not set `cause`. None for a path with other stages.
    """

    def __init__(
        self,
        wire: Wire | None,
        counters: PathCounters | None = None,
        chain: Send | None = None,
        *,
        uses_size: bool = False,
        uses_kinds: bool = False,
    ) -> None:
        self.wire = wire
        self._counters = counters
        self._chain = chain
        self.uses_size = uses_size
        self.uses_kinds = uses_kinds

    def send(self, now: int, size: int, kinds: Collection[str] = ()) -> list[int]:
        """Send a packet: when each copy that survives arrives, all times in ns, size in bytes.

        The original comes first where it survives; [] means lost, and `cause` says where. Calls must come in the order
        of `now`. `kinds` and `size` matter only where `uses_kinds` and `uses_size` are true.
        """
        if self.wire is None:
            assert self._chain is not None
            return self._chain(now, size, kinds)
        time = self.wire(now)
        if self._counters is not None:
            self._counters.cause = Loss.name if time is None else ""
        return [] if time is None else [time]

    @property
    def cause(self) -> str:
        """The name of the last stage that lost a copy of the packet sent last; "" if none did."""
        return self._counters.cause if self._counters is not None else ""

    @property
    def counts(self) -> Counter[str]:
        """By stage: copies lost, made (duplicate) or delayed (reorder), faults that applied (scripted); else 0."""
        return Counter(self._counters.counts if self._counters is not None else ())


@lru_cache(maxsize=64)
def _wire(seconds: float) -> Pipe:
    """A pipe with a constant delay and nothing else; it has no state, and so all such paths share it."""
    delay = nanoseconds(seconds)
    return Pipe(lambda now: now + delay)


def _lossy_wire(loss: float, seconds: float, stream: Stream) -> Pipe:
    """Independent loss and a constant delay, the path of most studies: the same draws as the chain's, but faster."""
    delay = nanoseconds(seconds)
    random = stream(Loss.name).random
    counters = PathCounters()

    def wire(now: int) -> int | None:
        if random() < loss:
            counters.count(Loss.name)
            return None
        return now + delay

    return Pipe(wire, counters)


def _chain(path: Path, stream: Stream) -> Pipe:
    """All stages of the path in turn; they start, and ask for their streams, with the first packet."""
    counters = PathCounters()
    steps: list[Step] | None = None

    def transmit(now: int, size: int, kinds: Collection[str]) -> list[int]:
        nonlocal steps
        if steps is None:
            started = [stage.start(name, stream, counters) for stage, name in path.plan]
            steps = [step for step in started if step is not None]
        times = [now]
        counters.cause = ""
        for step in steps:
            times = step(times, now, size, kinds)
        return times

    # No parameter of a path depends on the size or the kinds of a packet; a stage may.
    return Pipe(None, counters, transmit, uses_size=bool(path.stages), uses_kinds=path.uses_kinds)
