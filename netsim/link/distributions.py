"""Delay distributions: what a random delay is, its mean, its minimum, and how to draw it.

Parameters are seconds, draws whole nanoseconds. Every draw uses exactly one uniform number (inverse
transform), so that two variants that share a stream stay synchronous. A delay is at most MAXIMUM_DELAY: the heavy
tails (Pareto, lognormal) are truncated there, at some thirty years.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from random import Random
from statistics import NormalDist
from typing import Protocol

from netsim.identity import identity
from netsim.units import SECOND, nanoseconds, parse_seconds, require_number

MAXIMUM_DELAY = 1e9  # s; keeps every instant far below 2**63 ns

_STANDARD_NORMAL = NormalDist()
_BELOW_ONE = 1.0 - 2.0**-53

Sampler = Callable[[], int]


class Source(Protocol):
    """Gives uniform numbers in [0, 1), as `random.Random` does."""

    def random(self) -> float:
        """The next number."""


class DelayDistribution(Protocol):
    """A distribution of delays."""

    @property
    def mean(self) -> float:
        """Expected delay in seconds; may be infinite."""

    @property
    def minimum(self) -> float:
        """The infimum of the delays, in seconds."""

    def sampler(self, rng: Source) -> Sampler:
        """A function that draws one delay in nanoseconds from `rng` at each call."""


def require_delay(field: str, value: float) -> None:
    """Raise ValueError unless value is a number of seconds in [0, MAXIMUM_DELAY]."""
    require_number(field, value, low=0.0, high=MAXIMUM_DELAY, unit="s")


def as_distribution(field: str, value: float | DelayDistribution) -> DelayDistribution:
    """A distribution as it is, a number of seconds as a fixed delay; ValueError naming `field` otherwise."""
    require_distribution(field, value)
    return Fixed(value) if isinstance(value, Real) else value  # type: ignore[arg-type, return-value]


def require_distribution(field: str, value: float | DelayDistribution) -> None:
    """Raise ValueError unless value is a delay distribution or a number of seconds in [0, MAXIMUM_DELAY]."""
    if type(value) is float and 0.0 <= value <= MAXIMUM_DELAY:
        return  # the common case, quickly: paths are built once a run
    if isinstance(value, type) or not callable(getattr(value, "sampler", None)):
        require_number(field, value, low=0.0, high=MAXIMUM_DELAY, unit="s (or a delay distribution)")  # type: ignore[arg-type]


@dataclass(frozen=True)
class Fixed:
    """Always the same delay, in seconds."""

    seconds: float

    def __post_init__(self) -> None:
        require_delay("seconds", self.seconds)

    @property
    def mean(self) -> float:
        """The delay itself."""
        return self.seconds

    @property
    def minimum(self) -> float:
        """The delay itself."""
        return self.seconds

    def sampler(self, rng: Source) -> Sampler:
        """Constant; draws nothing from `rng`."""
        delay = nanoseconds(self.seconds)
        return lambda: delay


@dataclass(frozen=True)
class Uniform:
    """Uniform between `low` and `high` seconds."""

    low: float
    high: float

    def __post_init__(self) -> None:
        require_delay("low", self.low)
        require_number("high", self.high, low=self.low, high=MAXIMUM_DELAY, unit="s")

    @property
    def mean(self) -> float:
        """The middle of the interval."""
        return (self.low + self.high) / 2

    @property
    def minimum(self) -> float:
        """The lower end."""
        return self.low

    def sampler(self, rng: Source) -> Sampler:
        """Draws from `rng`."""
        low, random = nanoseconds(self.low), rng.random
        span = nanoseconds(self.high) - low
        return lambda: low + int(span * random())


@dataclass(frozen=True)
class Exponential:
    """`offset` plus an exponential delay of mean `scale`, both in seconds."""

    scale: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        require_delay("scale", self.scale)
        require_delay("offset", self.offset)

    @property
    def mean(self) -> float:
        """offset + scale."""
        return self.offset + self.scale

    @property
    def minimum(self) -> float:
        """The offset."""
        return self.offset

    def sampler(self, rng: Source) -> Sampler:
        """Draws from `rng`."""
        offset, scale, random, log = nanoseconds(self.offset), self.scale * SECOND, rng.random, math.log
        return lambda: offset + int(-scale * log(1.0 - random()))  # 1 - u is never 0


@dataclass(frozen=True)
class TruncatedNormal:
    """A normal distribution with mean `location` and standard deviation `scale` (s), given that it is not negative.

    Its own mean is therefore above `location`: visibly so when scale is not small beside it.
    """

    location: float
    scale: float

    def __post_init__(self) -> None:
        require_delay("location", self.location)
        require_delay("scale", self.scale)

    @property
    def mean(self) -> float:
        """location + scale * phi(a) / Phi(a), a = location / scale (the inverse Mills ratio)."""
        if self.scale == 0:
            return self.location
        a = self.location / self.scale
        density = math.exp(-a * a / 2) / math.sqrt(2 * math.pi)
        return self.location + self.scale * density / self._positive()

    @property
    def minimum(self) -> float:
        """0 (or the constant, when scale is 0)."""
        return 0.0 if self.scale else self.location

    def sampler(self, rng: Source) -> Sampler:
        """Draws from `rng`."""
        location, scale, random = self.location * SECOND, self.scale * SECOND, rng.random
        positive, inverse = self._positive(), _STANDARD_NORMAL.inv_cdf
        # From the upper tail: (1 - u) * positive is never 0, so the inverse always exists.
        return lambda: max(0, int(location - scale * inverse(min((1.0 - random()) * positive, _BELOW_ONE))))

    def _positive(self) -> float:
        """Probability that the untruncated normal is not negative."""
        return 0.5 * math.erfc(-self.location / self.scale / math.sqrt(2)) if self.scale else 1.0


@dataclass(frozen=True)
class Lognormal:
    """`offset` plus median * exp(sigma * Z) with Z standard normal; median and offset in seconds."""

    median: float
    sigma: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        require_delay("median", self.median)
        require_number("sigma", self.sigma, low=0.0, high=25.0)
        require_delay("offset", self.offset)

    @property
    def mean(self) -> float:
        """offset + median * exp(sigma**2 / 2)."""
        return self.offset + self.median * math.exp(self.sigma**2 / 2)

    @property
    def minimum(self) -> float:
        """The offset."""
        return self.offset

    def sampler(self, rng: Source) -> Sampler:
        """Draws from `rng`."""
        offset, median, sigma = nanoseconds(self.offset), self.median * SECOND, self.sigma
        random, exp, inverse, top = rng.random, math.exp, _STANDARD_NORMAL.inv_cdf, _maximum_exponent(self.median)
        floor = 1.0 - _BELOW_ONE
        return lambda: offset + int(median * exp(min(sigma * inverse(random() or floor), top)))


@dataclass(frozen=True)
class Pareto:
    """`offset` plus a Pareto delay: P(delay > x) = (scale / x)**shape for x >= scale (s)."""

    scale: float
    shape: float
    offset: float = 0.0

    def __post_init__(self) -> None:
        require_delay("scale", self.scale)
        require_number("shape", self.shape, low=0.01, high=1e6)
        require_delay("offset", self.offset)

    @property
    def mean(self) -> float:
        """offset + scale * shape / (shape - 1); infinite for shape <= 1."""
        if self.shape <= 1:
            return math.inf if self.scale else self.offset
        return self.offset + self.scale * self.shape / (self.shape - 1)

    @property
    def minimum(self) -> float:
        """offset + scale."""
        return self.offset + self.scale

    def sampler(self, rng: Source) -> Sampler:
        """Draws from `rng`."""
        offset, scale, slope = nanoseconds(self.offset), self.scale * SECOND, -1.0 / self.shape
        random, exp, log, top = rng.random, math.exp, math.log, _maximum_exponent(self.scale)
        return lambda: offset + int(scale * exp(min(slope * log(1.0 - random()), top)))


@dataclass(frozen=True)
class Empirical:
    """Measured delays (s), drawn with replacement, each equally likely."""

    samples: Sequence[float]

    def __post_init__(self) -> None:
        if isinstance(self.samples, str | bytes) or not isinstance(self.samples, Sequence) or not self.samples:
            raise ValueError(f"samples = {self.samples!r}: must be a sequence of at least one delay in seconds")
        for index, sample in enumerate(self.samples):
            require_delay(f"samples[{index}]", sample)
        object.__setattr__(self, "samples", tuple(map(float, self.samples)))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> "Empirical":
        """Read one delay a line, in seconds or with a unit; empty lines and # comments are skipped.

        Raises ValueError naming the file, and the line where one is wrong.
        """
        try:
            with open(path, encoding="utf-8-sig") as file:
                lines = file.read().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = "is not a text file" if isinstance(error, ValueError) else error.strerror
            raise ValueError(f"{os.fspath(path)}: cannot be read: {reason}") from None
        samples = []
        for number, line in enumerate(lines, start=1):
            text = line.strip()
            if text and not text.startswith("#"):
                samples.append(parse_seconds(text, name=f"{os.fspath(path)}, line {number}"))
                require_delay(f"{os.fspath(path)}, line {number}", samples[-1])
        if not samples:
            raise ValueError(f"{os.fspath(path)}: holds no delay; one number a line is needed")
        return cls(tuple(samples))

    @property
    def mean(self) -> float:
        """The mean of the samples."""
        return math.fsum(self.samples) / len(self.samples)

    @property
    def minimum(self) -> float:
        """The smallest sample."""
        return min(self.samples)

    def sampler(self, rng: Source) -> Sampler:
        """Draws from `rng`."""
        delays, random = [nanoseconds(sample) for sample in self.samples], rng.random
        count = len(delays)
        return lambda: delays[int(count * random())]


@dataclass(frozen=True)
class FunctionDelay:
    """Delays drawn by a function of the user: ``function(rng)`` gives seconds; ``rng`` is a ``random.Random``.

    ``name``: the identity of the distribution; by default that of the function (``netsim.identity``). The mean is
    unknown (NaN). A delay that is no number in [0, MAXIMUM_DELAY] is a ValueError when it is drawn.
    """

    function: Callable[[Random], float] = field(compare=False)
    name: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ValueError(f"function = {self.function!r}: must be a function(rng) that returns seconds")
        object.__setattr__(self, "name", identity(self.function, self.name or None))

    @property
    def mean(self) -> float:
        """Unknown."""
        return math.nan

    @property
    def minimum(self) -> float:
        """Nothing but 0 is known."""
        return 0.0

    def sampler(self, rng: Source) -> Sampler:
        """Draws one number from ``rng`` to seed the generator that the function gets."""
        function, own = self.function, Random(int(rng.random() * 2**53))

        def draw() -> int:
            delay = function(own)
            require_delay(self.name, delay)
            return nanoseconds(delay)

        return draw


def _maximum_exponent(unit: float) -> float:
    """The exponent x at which unit * exp(x) reaches MAXIMUM_DELAY."""
    return math.log(MAXIMUM_DELAY / unit) if unit > 0 else 0.0
