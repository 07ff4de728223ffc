"""Estimates and their intervals: textbook values by hand, coverage exactly or by simulation."""

import json
import math
from random import Random

import pytest
from scipy.stats import binom

from netsim.sweep import (
    Estimator,
    Rows,
    clopper_pearson_upper,
    estimate,
    mean,
    paired_difference,
    paired_proportions,
    proportion,
    quantile,
    quantile_ranks,
    restricted_mean,
    wilson_interval,
)

Z = 1.959963984540054  # 97.5 % point of the standard normal distribution


def test_wilson_by_hand():
    # 0 of 10: [0, z^2 / (n + z^2)] = 3.841459 / 13.841459
    assert wilson_interval(0, 10) == (0.0, pytest.approx(0.2775328, abs=1e-7))
    # 5 of 10: centre 1/2, half width z / (n + z^2) * sqrt(10 / 4 + z^2 / 4)
    half = Z / (10 + Z**2) * math.sqrt(2.5 + Z**2 / 4)
    assert wilson_interval(5, 10) == pytest.approx((0.5 - half, 0.5 + half))
    assert wilson_interval(5, 10) == pytest.approx((0.2365931, 0.7634069), abs=1e-7)
    low, high = wilson_interval(10, 10)
    assert (low, high) == (pytest.approx(1 - 0.2775328, abs=1e-7), 1.0)


def test_wilson_coverage_exactly_by_enumeration():
    n, cover = 50, []
    for p in [i / 200 for i in range(10, 191)]:
        inside = [k for k in range(n + 1) if wilson_interval(k, n)[0] <= p <= wilson_interval(k, n)[1]]
        cover.append(sum(binom.pmf(k, n, p) for k in inside))
    # Brown, Cai, DasGupta (2001): Wilson's interval covers 95 % on average over p, never far below
    assert sum(cover) / len(cover) == pytest.approx(0.95, abs=0.005)
    assert min(cover) > 0.915


def test_clopper_pearson_upper_by_hand():
    assert clopper_pearson_upper(0, 10) == pytest.approx(1 - 0.05**0.1)  # (1 - p)^10 = 0.05
    assert clopper_pearson_upper(0, 10**6) == pytest.approx(3e-6, rel=0.002)  # the rule of three: 2.9957 / n
    p = clopper_pearson_upper(1, 10)  # (1 - p)^10 + 10 p (1 - p)^9 = 0.05
    assert (1 - p) ** 10 + 10 * p * (1 - p) ** 9 == pytest.approx(0.05)
    assert clopper_pearson_upper(4, 4) == 1.0


def test_proportion():
    some = proportion([True, False, 1, 0, 0.0])
    assert (some.value, some.n, some.upper_bound) == (0.4, 5, None)
    none = proportion([False] * 10)
    assert (none.value, none.low, none.upper_bound) == (0.0, 0.0, pytest.approx(1 - 0.05**0.1))
    assert proportion([]).as_dict() == {"value": None, "low": None, "high": None, "n": 0}
    with pytest.raises(ValueError, match="value = nan: must be True, False, 1 or 0"):
        proportion([1, math.nan])


def test_quantile_ranks_by_hand():
    # median of 20: P(B <= 5) = 21700 / 2^20 = .0207, P(B <= 6) = .0577: x(6) and, by symmetry, x(15)
    assert sum(math.comb(20, k) for k in range(6)) == 21700
    assert quantile_ranks(20, 0.5) == (6, 15)
    # median of 5: P(B = 0) = 1/32 = .031 is too much; of 6: 1/64 = .016 will do
    assert quantile_ranks(5, 0.5) == (0, 6)
    assert quantile_ranks(6, 0.5) == (1, 6)
    # 95 % quantile of 20: P(B >= 20) = .95^20 = .358: no upper end. 73 is the first n with .95^n < .025
    assert quantile_ranks(20, 0.95)[1] == 21
    assert (quantile_ranks(71, 0.95)[1], quantile_ranks(72, 0.95)[1]) == (72, 72)
    assert 0.95**71 > 0.025 > 0.95**72


def test_quantile_of_a_sample():
    sample = [float(x) for x in range(20, 0, -1)]
    middle = quantile(sample, 0.5)
    assert (middle.value, middle.low, middle.high, middle.n) == (10.0, 6.0, 15.0, 20)
    assert quantile(sample, 0.95).value == 19.0  # F(19) = 19 / 20
    assert quantile(sample, 0.9501).value == 20.0
    assert quantile([1.0] * 93 + [2.0] * 7, 0.93).value == 1.0  # 100 * 0.93 is 93.00000000000001 in floats
    assert 100 * 0.07 > 7
    assert quantile(sample[::-1] * 5, 0.07).value == 2.0


def test_failures_are_infinite_latencies():
    sample = [0.1] * 90 + [math.nan] * 10
    assert quantile(sample, 0.5).value == 0.1
    tail = quantile(sample, 0.95)
    assert (tail.value, tail.high) == (math.inf, math.inf)
    assert json.loads(json.dumps(tail.as_dict(), allow_nan=False))["value"] is None
    near = quantile(sample, 0.88)
    assert (near.value, near.low, near.high) == (0.1, 0.1, math.inf)
    small = quantile([1.0, 2.0], 0.5)
    assert (small.low, small.high) == (-math.inf, math.inf)
    assert small.as_dict() == {"value": 1.0, "low": None, "high": None, "n": 2}
    with pytest.raises(ValueError, match=r"q = 1: must be in \(0, 1\)"):
        quantile([1.0], 1)


def _setup_latency(random: Random) -> float:
    """A caricature of connection set-up: atoms one back-off apart, rare failure."""
    latency, wait = 0.1, 1.0
    for _ in range(7):
        if random.random() < 0.81:
            return latency
        latency, wait = latency + wait, 2 * wait
    return math.nan


@pytest.mark.parametrize(("q", "truth"), [(0.5, 0.1), (0.9, 1.1), (0.99, 3.1)])
def test_quantile_coverage_with_atoms(q, truth):
    # F(.1) = .81, F(1.1) = .9639, F(3.1) = .99314: the quantiles are atoms. Conservative: coverage >= 95 %
    random, trials = Random(1), 400
    covered = 0
    for _ in range(trials):
        found = quantile([_setup_latency(random) for _ in range(200)], q)
        covered += found.low <= truth <= found.high
    assert covered >= binom.ppf(0.001, trials, 0.95)  # alpha = .001, one-sided


def test_quantile_coverage_of_a_continuous_distribution_is_not_much_too_large():
    random, trials, covered = Random(2), 1000, 0
    for _ in range(trials):
        found = quantile([random.expovariate(1.0) for _ in range(100)], 0.5)
        covered += found.low <= math.log(2) <= found.high
    lower, upper = quantile_ranks(100, 0.5)
    exact = binom.cdf(upper - 1, 100, 0.5) - binom.cdf(lower - 1, 100, 0.5)
    assert 0.95 <= exact < 0.97
    low, high = binom.ppf([0.0005, 0.9995], trials, exact)  # alpha = .001, two-sided
    assert low <= covered <= high


def test_mean_is_over_the_finite_values_and_has_no_interval_below_2000():
    found = mean([1.0, 3.0, math.nan, math.inf])
    assert (found.value, found.low, found.high, found.n) == (2.0, None, None, 2)
    assert mean([math.nan]).as_dict() == {"value": None, "low": None, "high": None, "n": 0}
    assert mean([0.0, 1.0] * 999 + [0.0]).low is None
    wide = mean([0.0, 1.0] * 1000)  # variance 1/4 * 2000 / 1999
    assert wide.high - wide.value == pytest.approx(Z * 0.5 / math.sqrt(1999))
    assert wide.value - wide.low == pytest.approx(Z * 0.5 / math.sqrt(1999))


def test_mean_coverage_on_a_skewed_latency():
    # steps of the truth: .1 + (2^i - 1) with probability .81 * .19^i, i < 7, given success
    atoms = [(0.1 + 2**i - 1, 0.81 * 0.19**i) for i in range(7)]
    truth = sum(x * p for x, p in atoms) / sum(p for _, p in atoms)
    random, trials, covered = Random(3), 300, 0
    for _ in range(trials):
        found = mean([_setup_latency(random) for _ in range(2100)])
        covered += found.low <= truth <= found.high
    low, high = binom.ppf([0.0005, 0.9995], trials, 0.95)  # alpha = .001, two-sided
    assert low <= covered <= high


def test_restricted_mean_counts_failures_at_the_horizon():
    assert restricted_mean([1.0, 2.0, 30.0, math.nan, math.inf], 10.0).value == (1 + 2 + 10 + 10 + 10) / 5


def test_paired_difference():
    random = Random(4)
    first = [random.expovariate(1.0) for _ in range(2000)]
    second = [x + 0.1 + random.gauss(0, 0.01) for x in first]
    found = paired_difference(first, second)
    assert found.low < 0.1 < found.high
    assert found.high - found.low < 0.002  # unpaired it would be 2 * 1.96 * sqrt(2 / 2000) = .124
    assert paired_difference([1.0, math.nan, None, 4.0], [2.0, 1.0, 1.0, math.nan]).n == 1
    counted = paired_difference([1.0, math.nan, None, 4.0], [2.0, 1.0, 1.0, math.nan], horizon=10.0)
    assert (counted.value, counted.n) == ((1 - 9 + 6) / 3, 3)
    with pytest.raises(ValueError, match="second = 1 values: must be as many as first, 2"):
        paired_difference([1.0, 2.0], [1.0])


def test_estimate_from_rows_leaves_out_runs_that_raised():
    rows = Rows(
        {
            "latency": [1.0, 2.0, math.nan, None],
            "outcome": ["established", "established", "timed out", None],
            "first_try": [True, False, False, None],
        }
    )
    found = estimate(
        rows,
        {
            "mean": Estimator(column="latency", kind="mean"),
            "median": Estimator(column="latency", kind="quantile", at=0.5),
            "restricted": Estimator(column="latency", kind="restricted_mean", at=6.0),
            "p_first": Estimator(column="first_try", kind="proportion"),
            "p_fail": Estimator(column="outcome", kind="proportion", equals="timed out"),
        },
    )
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        "mean": (1.5, 2),
        "median": (2.0, 3),
        "restricted": (3.0, 3),
        "p_first": (1 / 3, 3),
        "p_fail": (1 / 3, 3),
    }
    with pytest.raises(ValueError, match="outcome = 'established': must be a number"):
        Estimator(column="outcome", kind="mean")(rows)


def test_the_mean_over_worlds_by_hand():
    """1, 2, 3, 4: mean 2.5, s^2 = 5/3; t(0.975, 3) = 3.182446: 2.5 -+ 3.182446 sqrt(5/12)."""
    rows = Rows.from_dicts([{"x": x} for x in (1.0, 2.0, math.nan, 3.0, 4.0)])
    e = Estimator(column="x", kind="world_mean")(rows)
    assert (e.value, e.n) == (2.5, 4)
    assert e.high - e.value == e.value - e.low == pytest.approx(3.182446 * math.sqrt(5 / 12), rel=1e-6)
    for same in ([1.0], [0.0, 0.0, 0.0]):  # no spread: nothing to make an interval of
        e = Estimator(column="x", kind="world_mean")(Rows.from_dicts([{"x": x} for x in same]))
        assert (e.value, e.low, e.high, e.n) == (same[0], None, None, len(same))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "median"}, "kind = 'median': must be one of mean, proportion, quantile, restricted_mean, world_mean"),
        ({"kind": "quantile"}, r"at = None: must be in \(0, 1\)"),
        ({"kind": "quantile", "at": math.nan}, r"at = nan: must be in \(0, 1\)"),
        ({"kind": "restricted_mean", "at": 0.0}, "at = 0.0: must be a finite horizon > 0"),
        ({"kind": "mean", "at": 1.0}, "at = 1.0: must be None for a mean"),
        ({"kind": "mean", "equals": 1.0}, "equals = 1.0: must be None for a mean"),
    ],
)
def test_bad_estimators_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Estimator(column="x", **arguments)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 2), (3, 2)])
def test_impossible_counts_are_refused(successes, n):
    with pytest.raises(ValueError, match="must be"):
        wilson_interval(successes, n)


def test_paired_proportions_by_hand() -> None:
    """12 pairs: 5 lost, 1 gained. Half a pair each: (1.5 - 5.5) / 14, and sqrt(7 - 16 / 14) / 14 of deviation."""
    first, second = [True] * 5 + [False] + [True] * 6, [False] * 5 + [True] + [True] * 6
    e = paired_proportions(first, second)
    assert (e.value, e.n) == (-4 / 12, 12)
    half = 1.959964 * math.sqrt(7 - 16 / 14) / 14
    assert e.low == pytest.approx(-4 / 14 - half, abs=1e-6)
    assert e.high == pytest.approx(-4 / 14 + half, abs=1e-6)
    assert paired_proportions([None, True], [True, None]).n == 0
    with pytest.raises(ValueError, match="must be as many as first"):
        paired_proportions([True], [])
    with pytest.raises(ValueError, match=r"value = 0\.5"):
        paired_proportions([0.5], [True])


def test_paired_proportions_cover_in_small_samples() -> None:
    """n = 40, outcomes that go together: 95 % of 2,000 intervals hold the difference, less 3.9 deviations of that."""
    rng, held, truth = Random(3), 0, 0.3 - 0.2
    for _ in range(2000):
        uniform = [rng.random() for _ in range(40)]
        e = paired_proportions([u < 0.2 for u in uniform], [0.05 < u < 0.35 for u in uniform])
        assert e.low is not None
        assert e.high is not None
        held += e.low <= truth <= e.high
    assert held > 0.931 * 2000
