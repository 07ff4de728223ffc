"""A latency that takes finitely many values, or is never reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from netsim.theory._domain import (
    NANOSECONDS_PER_SECOND,
    check_non_negative,
    check_probability,
)

FloatArray = npt.NDArray[np.float64]

_TOTAL_TOLERANCE = 1e-9
# Sums of probabilities carry rounding errors of this relative size: q = F(t) must give t, not the next atom.
_QUANTILE_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class LatencyDistribution:
    """Atoms of a latency in seconds, and the probability that the event never happens.

    Attributes:
        times: the atoms, seconds, strictly increasing.
        probabilities: P(latency = times[i]), same length.
        p_fail: P(never).

    Raises:
        ValueError: the atoms are not increasing, or the probabilities do not add up to 1.
    """

    times: FloatArray
    probabilities: FloatArray
    p_fail: float

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or self.times.shape != self.probabilities.shape:
            shapes = f"{self.times.shape} and {self.probabilities.shape}"
            raise ValueError(f"times and probabilities must be vectors of one length, got shapes {shapes}")
        if np.any(np.diff(self.times) <= 0):
            raise ValueError(f"times must be strictly increasing, got {self.times!r}")
        check_probability("p_fail", self.p_fail)
        if np.any(self.probabilities < 0):
            raise ValueError(f"probabilities must be >= 0, got {self.probabilities!r}")
        total = float(np.sum(self.probabilities)) + self.p_fail
        if not abs(total - 1.0) <= _TOTAL_TOLERANCE:
            raise ValueError(f"probabilities and p_fail must add up to 1, got {total!r}")

    @property
    def mean(self) -> float:
        """Mean latency in seconds given success; NaN when success is impossible."""
        success = float(np.sum(self.probabilities))
        return float(self.times @ self.probabilities) / success if success > 0 else float("nan")

    def restricted_mean(self, horizon: float) -> float:
        """E[min(latency, horizon)] in seconds: failures and latencies beyond `horizon` count as `horizon`.

        Raises:
            ValueError: `horizon` is negative or not finite.
        """
        check_non_negative("horizon", horizon)
        return float(np.minimum(self.times, horizon) @ self.probabilities) + horizon * self.p_fail

    def quantile(self, q: float) -> float:
        """Smallest t in seconds with P(latency <= t) >= q; a failure counts as infinity.

        Raises:
            ValueError: `q` is outside [0, 1].
        """
        check_probability("q", q)
        enough = self._survival[1:] <= (1.0 - q) * (1.0 + _QUANTILE_TOLERANCE)
        return float(self.times[np.argmax(enough)]) if enough.any() else float("inf")

    @overload
    def ccdf(self, t: float) -> float: ...
    @overload
    def ccdf(self, t: FloatArray) -> FloatArray: ...
    def ccdf(self, t: float | FloatArray) -> float | FloatArray:
        """P(latency > t), t in seconds (number or array); summed from the tail, so small values are exact."""
        found = self._survival[self._atoms_up_to(t)]
        return found if isinstance(t, np.ndarray) else float(found)

    @overload
    def cdf(self, t: float) -> float: ...
    @overload
    def cdf(self, t: FloatArray) -> FloatArray: ...
    def cdf(self, t: float | FloatArray) -> float | FloatArray:
        """P(latency <= t), t in seconds (a number or an array)."""
        cumulative = np.concatenate(([0.0], np.cumsum(self.probabilities)))
        found = np.minimum(cumulative[self._atoms_up_to(t)], 1.0)
        return found if isinstance(t, np.ndarray) else float(found)

    @cached_property
    def _survival(self) -> FloatArray:
        """_survival[i] = P(latency is beyond the first i atoms)."""
        return np.cumsum(np.concatenate(([self.p_fail], self.probabilities[::-1])))[::-1]

    def _atoms_up_to(self, t: float | FloatArray) -> npt.NDArray[np.intp]:
        # Compared in whole nanoseconds: 0.04 + 0.06 + 1 must meet the atom at 1.1.
        ticks = np.rint(self.times * NANOSECONDS_PER_SECOND)
        wanted = np.rint(np.asarray(t, dtype=np.float64) * NANOSECONDS_PER_SECOND)
        return np.asarray(np.searchsorted(ticks, wanted, side="right"))


def from_nanoseconds(atoms: Mapping[int, float], *, p_fail: float) -> LatencyDistribution:
    """The distribution with probability `atoms[t]` at t nanoseconds; atoms of probability 0 are left out."""
    ticks = sorted(t for t, probability in atoms.items() if probability > 0)
    return LatencyDistribution(
        times=np.array([t / NANOSECONDS_PER_SECOND for t in ticks], dtype=np.float64),
        probabilities=np.array([atoms[t] for t in ticks], dtype=np.float64),
        p_fail=p_fail,
    )
