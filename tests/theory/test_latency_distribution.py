"""LatencyDistribution: moments, quantiles and bounds of a small distribution worked by hand."""

import numpy as np
import pytest

from netsim.theory import LatencyDistribution

DIE = LatencyDistribution(times=np.array([0.1, 1.1, 3.1]), probabilities=np.array([0.5, 0.2, 0.1]), p_fail=0.2)


def test_mean_is_conditional_on_success() -> None:
    assert DIE.mean == pytest.approx((0.05 + 0.22 + 0.31) / 0.8)  # .725


def test_restricted_mean_counts_failures_and_late_ones_at_the_horizon() -> None:
    assert DIE.restricted_mean(10.0) == pytest.approx(0.05 + 0.22 + 0.31 + 2.0)
    assert DIE.restricted_mean(2.0) == pytest.approx(0.05 + 0.22 + 2.0 * 0.3)
    assert DIE.restricted_mean(0.0) == 0.0


@pytest.mark.parametrize(
    ("q", "t"),
    [
        (0.0, 0.1),
        (0.5, 0.1),
        (0.51, 1.1),
        (0.7, 1.1),
        (0.5 + 0.2, 1.1),
        (0.75, 3.1),
        (0.8, 3.1),
        (0.81, float("inf")),
        (1.0, float("inf")),
    ],
)
def test_quantile(q: float, t: float) -> None:
    assert DIE.quantile(q) == t


def test_a_rare_failure_is_still_the_last_quantile() -> None:
    rare = LatencyDistribution(times=np.array([1.0]), probabilities=np.array([1.0 - 1e-14]), p_fail=1e-14)
    assert rare.quantile(1.0) == float("inf")
    assert rare.quantile(0.999) == 1.0
    assert rare.ccdf(1.0) == 1e-14


@pytest.mark.parametrize(
    ("t", "below"), [(0.0, 0.0), (0.1, 0.5), (1.0, 0.5), (0.04 + 0.06 + 1, 0.7), (3.1, 0.8), (1e9, 0.8)]
)
def test_cdf_and_ccdf(t: float, below: float) -> None:
    assert DIE.cdf(t) == pytest.approx(below)
    assert DIE.ccdf(t) == pytest.approx(1 - below)


def test_cdf_compares_in_nanoseconds() -> None:
    """0.1 + 0.2 is one ulp above 0.3, and 0.3 must not miss the atom there."""
    atom = LatencyDistribution(times=np.array([0.1 + 0.2]), probabilities=np.array([1.0]), p_fail=0.0)
    assert atom.cdf(0.3) == 1.0
    assert atom.cdf(0.3 - 2e-9) == 0.0


def test_arrays() -> None:
    t = np.array([0.0, 0.1, 2.0, np.inf])
    assert DIE.cdf(t) == pytest.approx([0.0, 0.5, 0.7, 0.8])
    assert DIE.ccdf(t) == pytest.approx([1.0, 0.5, 0.3, 0.2])


def test_never() -> None:
    never = LatencyDistribution(times=np.array([]), probabilities=np.array([]), p_fail=1.0)
    assert np.isnan(never.mean)
    assert never.quantile(0.0) == float("inf")
    assert never.restricted_mean(5.0) == 5.0
    assert never.cdf(1.0) == 0.0


@pytest.mark.parametrize(
    ("times", "probabilities", "p_fail", "name"),
    [
        ([1.0, 1.0], [0.5, 0.5], 0.0, "times"),
        ([1.0], [0.5, 0.5], 0.0, "same|one length"),
        ([1.0, 2.0], [1.5, -0.5], 0.0, "probabilities"),
        ([1.0], [0.5], 0.4, "add up to 1"),
        ([1.0], [0.5], float("nan"), "p_fail"),
    ],
)
def test_bad_atoms(times: list[float], probabilities: list[float], p_fail: float, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        LatencyDistribution(times=np.array(times), probabilities=np.array(probabilities), p_fail=p_fail)


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_bad_quantile(q: float) -> None:
    with pytest.raises(ValueError, match=r"q must be in \[0, 1\]"):
        DIE.quantile(q)


def test_bad_horizon() -> None:
    with pytest.raises(ValueError, match="horizon"):
        DIE.restricted_mean(-1.0)
