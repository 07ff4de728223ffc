"""Estimates with honest intervals, from the rows of independent replications.

Latencies of connection set-up have a few values only, seconds apart, the largest rare and far away, and
some runs never finish. Therefore quantiles have intervals from order statistics (no distribution is assumed, failures
count as infinite), proportions have Wilson's, and means have an interval only from `MINIMUM_MEAN_SAMPLE` runs on.

A NaN in a column of latencies means "never": the run came to its end and the event did not happen. None
means no observation at all (the run raised); such rows are left out, `Rows.failed()` has them.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal, assert_never, get_args

from netsim.sweep.rows import Rows, Scalar, as_float

LEVEL = 0.95
"""Confidence level of every interval."""
MINIMUM_MEAN_SAMPLE = 2000
"""With fewer values a mean has no interval: Student's t interval covers too little for data so skewed."""

_TAIL = (1 - LEVEL) / 2
_Z = NormalDist().inv_cdf(1 - _TAIL)

Kind = Literal["mean", "proportion", "quantile", "restricted_mean", "world_mean"]
_INTERVALS: Final[dict[Kind, str]] = {
    "mean": "normal",
    "proportion": "Wilson",
    "quantile": "order statistics",
    "restricted_mean": "normal",
    "world_mean": "Student t",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, in the unit of the column.

    value: None if there is no observation; infinite for a quantile among the failures.
    low, high: None where no interval is claimed; infinite where the interval is open on that side.
    n: the number of observations it is made of.
    upper_bound: only if there was no success: the one-sided 95 % Clopper-Pearson bound.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    upper_bound: float | None = None

    def as_dict(self) -> dict[str, float | int | None]:
        """`value`, `low`, `high`, `n` for JSON, which has no infinity: infinite becomes None."""
        return {
            "value": _finite(self.value),
            "low": _finite(self.low),
            "high": _finite(self.high),
            "n": self.n,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """What to estimate from which column.

    kind: "mean" (over the finite values), "proportion" (of True or 1; with `equals`, of that value),
    "quantile" (`at`: its order, in (0, 1)), "restricted_mean" (`at`: the horizon, > 0, same unit as the
    column), "world_mean" (of values that are averages themselves, one for each world). Raises ValueError
    for an `at` or `equals` that is missing, superfluous or out of range.
    """

    column: str
    kind: Kind
    at: float | None = None
    equals: Scalar = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind = {self.kind!r}: must be one of {', '.join(get_args(Kind))}")
        if self.kind == "quantile" and not (self.at is not None and 0 < self.at < 1):
            raise ValueError(f"at = {self.at!r}: must be in (0, 1) for a quantile")
        if self.kind == "restricted_mean" and not (self.at is not None and 0 < self.at < math.inf):
            raise ValueError(f"at = {self.at!r}: must be a finite horizon > 0 for a restricted mean")
        if self.kind in ("mean", "proportion", "world_mean") and self.at is not None:
            raise ValueError(f"at = {self.at!r}: must be None for a {self.kind}")
        if self.kind != "proportion" and self.equals is not None:
            raise ValueError(f"equals = {self.equals!r}: must be None for a {self.kind}")

    @property
    def interval(self) -> str:
        """The name of its interval: "Wilson", "order statistics", "Student t" or "normal"."""
        return _INTERVALS[self.kind]

    def __call__(self, rows: Rows) -> Estimate:
        """The estimate from these rows. Raises ValueError for an unknown column or values that do not fit."""
        values = [value for value in rows.column(self.column) if value is not None]
        if self.kind == "proportion":
            return proportion(values if self.equals is None else [value == self.equals for value in values])
        numbers = [as_float(self.column, value) for value in values]
        match self.kind:
            case "mean":
                return mean(numbers)
            case "world_mean":
                return world_mean(numbers)
            case "quantile":
                assert self.at is not None
                return quantile(numbers, self.at)
            case "restricted_mean":
                assert self.at is not None
                return restricted_mean(numbers, self.at)
            case _:
                assert_never(self.kind)


def estimate(rows: Rows, estimators: Mapping[str, Estimator]) -> dict[str, Estimate]:
    """Every named estimate from the same rows (of one point: see `Rows.group_by`)."""
    return {name: estimator(rows) for name, estimator in estimators.items()}


def mean(values: Iterable[float]) -> Estimate:
    """The mean of the finite values (so it is conditional on success); n counts only these.

    A normal interval from MINIMUM_MEAN_SAMPLE values on; there it equals Student's t interval to 0.1 % of its width.
    """
    finite = [value for value in values if math.isfinite(value)]
    n = len(finite)
    if n == 0:
        return Estimate(None, None, None, 0)
    value = math.fsum(finite) / n
    if n < MINIMUM_MEAN_SAMPLE:
        return Estimate(value, None, None, n)
    variance = math.fsum((x - value) ** 2 for x in finite) / (n - 1)
    half = _Z * math.sqrt(variance / n)
    return Estimate(value, value - half, value + half, n)


def world_mean(values: Iterable[float]) -> Estimate:
    """The mean of the finite values, each an average over one whole world, with Student's t interval.

    Observations within a world depend on each other; the worlds are independent, and their averages are nearly normal
    where single observations are not. There is no interval if all values are equal: they say nothing of the spread.
    """
    finite = [value for value in values if math.isfinite(value)]
    n = len(finite)
    if n == 0:
        return Estimate(None, None, None, 0)
    value = math.fsum(finite) / n
    if min(finite) == max(finite):
        return Estimate(finite[0], None, None, n)
    from scipy.special import stdtrit

    variance = math.fsum((x - value) ** 2 for x in finite) / (n - 1)
    half = float(stdtrit(n - 1, 1 - _TAIL)) * math.sqrt(variance / n)
    return Estimate(value, value - half, value + half, n)


def restricted_mean(values: Iterable[float], horizon: float) -> Estimate:
    """The mean of min(value, horizon), failures (NaN, infinity) counted at the horizon."""
    return mean(_restrict(values, horizon))


def paired_difference(
    first: Sequence[float | None], second: Sequence[float | None], *, horizon: float | None = None
) -> Estimate:
    """Mean of second - first over pairs of runs that share their random numbers.

    The sequences are aligned by replication. Pairs with a None are left out, and so are pairs in which
    either failed (the difference is then conditional on both succeeding), unless a `horizon` is given:
    failures and larger values then count as the horizon. Interval as in `mean`.
    Raises ValueError if the lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(f"second = {len(second)} values: must be as many as first, {len(first)}")
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    if horizon is not None:
        left, right = _restrict(left, horizon), _restrict(right, horizon)
    return mean([b - a for a, b in zip(left, right, strict=True)])  # inf - inf is NaN: not finite, left out


def paired_proportions(first: Sequence[Scalar], second: Sequence[Scalar]) -> Estimate:
    """The difference of two proportions, second - first, over pairs of runs that share their random numbers.

    The interval adds half a pair to each of the four outcomes, and so covers in small samples too (Agresti and Min,
    Statistics in Medicine 24 (2005) 729-740). Pairs with a None are left out. Raises ValueError if the lengths differ,
    or for a value that is not True, False, 1 or 0.
    """
    if len(first) != len(second):
        raise ValueError(f"second = {len(second)} values: must be as many as first, {len(first)}")
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    n = len(pairs)
    if n == 0:
        return Estimate(None, None, None, 0)
    for value in (value for pair in pairs for value in pair):
        if value not in (0, 1):
            raise ValueError(f"value = {value!r}: must be True, False, 1 or 0 for a proportion")
    gained = sum(a == 0 and b == 1 for a, b in pairs)
    lost = sum(a == 1 and b == 0 for a, b in pairs)
    more, fewer, m = gained + 0.5, lost + 0.5, n + 2
    centre = (more - fewer) / m
    half = _Z * math.sqrt(more + fewer - (more - fewer) ** 2 / m) / m
    return Estimate((gained - lost) / n, max(centre - half, -1.0), min(centre + half, 1.0), n)


def proportion(values: Iterable[Scalar]) -> Estimate:
    """The proportion of True (or 1) among values that are all True or False (or 1 or 0), with Wilson's interval.

    Raises ValueError for any other value, such as a string or NaN.
    """
    n = successes = 0
    for value in values:
        if value not in (0, 1):
            raise ValueError(f"value = {value!r}: must be True, False, 1 or 0 for a proportion")
        n += 1
        successes += value == 1
    if n == 0:
        return Estimate(None, None, None, 0)
    low, high = wilson_interval(successes, n)
    upper = clopper_pearson_upper(0, n) if successes == 0 else None
    return Estimate(successes / n, low, high, n, upper)


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson, JASA 22 (1927) 209-212)."""
    _check_count(successes, n)
    centre = (successes + _Z**2 / 2) / (n + _Z**2)
    half = _Z / (n + _Z**2) * math.sqrt(successes * (n - successes) / n + _Z**2 / 4)
    # at the ends the formula gives 0 and 1 exactly, the arithmetic only nearly
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == n else centre + half


def clopper_pearson_upper(successes: int, n: int) -> float:
    """The one-sided 95 % Clopper-Pearson upper bound of a proportion (Biometrika 26 (1934) 404-413)."""
    _check_count(successes, n)
    if successes == n:
        return 1.0
    if successes == 0:
        return float(-math.expm1(math.log(1 - LEVEL) / n))  # solves (1 - p)**n = 0.05; about 3 / n
    from scipy.special import betaincinv

    return float(betaincinv(successes + 1, n - successes, LEVEL))


def quantile(values: Iterable[float], q: float) -> Estimate:
    """The quantile inf{x: F(x) >= q} of the sample, failures (NaN) counted as infinite.

    The interval runs between two order statistics whose ranks have binomial tails of at most 2.5 % each
    (David and Nagaraja, Order Statistics, 3rd ed., 7.1): the coverage is at least 95 % for every distribution, discrete
    ones included. An end for which the sample is too small is infinite. Raises ValueError unless 0 < q < 1.
    """
    if not 0 < q < 1:
        raise ValueError(f"q = {q!r}: must be in (0, 1)")
    ordered = sorted(math.inf if math.isnan(value) else value for value in values)
    n = len(ordered)
    if n == 0:
        return Estimate(None, None, None, 0)
    rank = max(1, math.ceil(n * q - 1e-9))  # n * q may exceed a whole number by rounding only
    lower, upper = quantile_ranks(n, q)
    low = ordered[lower - 1] if lower > 0 else -math.inf
    high = ordered[upper - 1] if upper <= n else math.inf
    return Estimate(ordered[rank - 1], low, high, n)


def quantile_ranks(n: int, q: float) -> tuple[int, int]:
    """The ranks (from 1) of the order statistics that bound the q-quantile; 0 and n + 1: none does.

    With B binomial (n, q): the largest l with P(B < l) <= 2.5 %, the smallest u with P(B >= u) <= 2.5 %.
    """
    from scipy.special import bdtr, bdtrc

    counts = range(n + 1)
    lower = bisect_right(counts, _TAIL, key=lambda k: float(bdtr(k, n, q)))
    upper = 1 + bisect_left(counts, -_TAIL, key=lambda k: -float(bdtrc(k, n, q)))
    return lower, upper


def survival(values: Iterable[float]) -> list[dict[str, Scalar]]:
    """P(X > t) at every t at which the sample proportion changes, with Wilson's 95 % interval; NaN means never.

    Columns: ``t`` (in the unit of the values), ``value``, ``low``, ``high``, ``n``.
    """
    ordered = sorted(math.inf if math.isnan(value) else float(value) for value in values)
    n = len(ordered)
    lines: list[dict[str, Scalar]] = []
    for t in dict.fromkeys(value for value in ordered if value < math.inf):
        beyond = n - bisect_right(ordered, t)
        low, high = wilson_interval(beyond, n)
        lines.append({"t": t, "value": beyond / n, "low": low, "high": high, "n": n})
    return lines


def _restrict(values: Iterable[float], horizon: float) -> list[float]:
    return [horizon if math.isnan(value) else min(value, horizon) for value in values]


def _check_count(successes: int, n: int) -> None:
    if n < 1:
        raise ValueError(f"n = {n!r}: must be at least 1")
    if not 0 <= successes <= n:
        raise ValueError(f"successes = {successes!r}: must be in [0, {n}]")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
