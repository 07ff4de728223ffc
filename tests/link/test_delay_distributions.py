"""Delay distributions against their distribution functions, and their text forms.

Statistical tests: n draws with a fixed seed, Kolmogorov-Smirnov at alpha = 1e-4 each.
"""

import math
from collections.abc import Callable
from pathlib import Path as File
from random import Random
from typing import Any

import pytest

from netsim.link import (
    DelayDistribution,
    Empirical,
    Exponential,
    Fixed,
    Lognormal,
    Pareto,
    TruncatedNormal,
    Uniform,
    parse_delay_distribution,
)

N = 20_000
KS_LIMIT = math.sqrt(-math.log(1e-4 / 2) / 2 / N)  # alpha = 1e-4


def phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


DISTRIBUTIONS: list[tuple[DelayDistribution, Callable[[float], float], float, float]] = [
    # distribution, its distribution function (s), mean, minimum: written down from the textbook, by hand
    (Uniform(0.02, 0.08), lambda x: (x - 0.02) / 0.06, 0.05, 0.02),
    (Exponential(0.03), lambda x: 1 - math.exp(-x / 0.03), 0.03, 0.0),
    (Exponential(0.03, offset=0.02), lambda x: 1 - math.exp(-(x - 0.02) / 0.03), 0.05, 0.02),
    (Lognormal(0.05, 0.5), lambda x: phi(math.log(x / 0.05) / 0.5), 0.05 * math.exp(0.125), 0.0),
    (Pareto(0.02, 2.5), lambda x: 1 - (0.02 / x) ** 2.5, 0.02 * 2.5 / 1.5, 0.02),
    (Pareto(0.02, 0.8, offset=0.01), lambda x: 1 - (0.02 / (x - 0.01)) ** 0.8, math.inf, 0.03),
    # N(50 ms, 10 ms): 5 sd above 0, so hardly truncated
    (TruncatedNormal(0.05, 0.01), lambda x: phi((x - 0.05) / 0.01), 0.05, 0.0),
    # N(0, 1 s) given >= 0 is the half-normal distribution, mean sqrt(2 / pi)
    (TruncatedNormal(0.0, 1.0), lambda x: 2 * phi(x) - 1, math.sqrt(2 / math.pi), 0.0),
    # N(1 s, 1 s) given >= 0: mean 1 + phi(1)/Phi(1) = 1 + .2419707/.8413447 = 1.2876000
    (TruncatedNormal(1.0, 1.0), lambda x: (phi(x - 1) - phi(-1)) / phi(1), 1.2876, 0.0),
]


@pytest.mark.parametrize(
    ("distribution", "cdf", "mean", "minimum"),
    DISTRIBUTIONS,
    ids=[repr(distribution) for distribution, *_ in DISTRIBUTIONS],
)
def test_draws_follow_the_distribution(
    distribution: DelayDistribution, cdf: Callable[[float], float], mean: float, minimum: float
) -> None:
    draw = distribution.sampler(Random(1))
    delays = sorted(draw() for _ in range(N))
    assert all(type(delay) is int for delay in delays)
    assert delays[0] >= minimum * 1e9 - 1
    distance = max(
        max((i + 1) / N - cdf((delay + 0.5) / 1e9), cdf((delay + 0.5) / 1e9) - i / N) for i, delay in enumerate(delays)
    )
    assert distance < KS_LIMIT
    assert distribution.mean == pytest.approx(mean, rel=1e-5)
    assert distribution.minimum == pytest.approx(minimum)


@pytest.mark.parametrize(
    "distribution", [distribution for distribution, *_ in DISTRIBUTIONS if distribution.mean < math.inf], ids=repr
)
def test_the_mean_of_draws_is_the_mean(distribution: DelayDistribution) -> None:
    draw = distribution.sampler(Random(2))
    delays = [draw() / 1e9 for _ in range(N)]
    average = math.fsum(delays) / N
    error = math.sqrt(math.fsum((delay - average) ** 2 for delay in delays) / N / (N - 1))
    assert abs(average - distribution.mean) < 4.42 * error + 1e-9  # normal quantile, alpha = 1e-5


def test_every_draw_takes_one_uniform_number() -> None:
    for distribution, *_ in DISTRIBUTIONS:
        rng, reference = Random(5), Random(5)
        draw = distribution.sampler(rng)
        for _ in range(100):
            draw()
            reference.random()
        assert rng.random() == reference.random()


class Stuck(Random):
    """A generator that always gives the same number."""

    value = 0.0

    def random(self) -> float:
        return self.value


@pytest.mark.parametrize("u", [0.0, 2.0**-53, 1 - 2.0**-53])
@pytest.mark.parametrize(
    "distribution",
    [
        *(distribution for distribution, *_ in DISTRIBUTIONS),
        Pareto(1e9, 0.01),
        Pareto(0, 0.01),
        Lognormal(1e9, 25),
        Lognormal(0, 25),
        Exponential(1e9),
        TruncatedNormal(1e9, 1e-9),
        TruncatedNormal(1e-9, 1e9),
        TruncatedNormal(1.0, 0.0),
        Exponential(0.0),
    ],
    ids=repr,
)
def test_extreme_draws_stay_finite_and_above_the_minimum(distribution: DelayDistribution, u: float) -> None:
    rng = Stuck()
    rng.value = u
    delay = distribution.sampler(rng)()
    assert distribution.minimum * 1e9 - 1 <= delay < 2**63 * 8


def test_fixed_draws_nothing() -> None:
    rng = Random(1)
    state = rng.getstate()
    assert Fixed(0.05).sampler(rng)() == 50_000_000
    assert rng.getstate() == state
    assert (Fixed(0.05).mean, Fixed(0.05).minimum) == (0.05, 0.05)


def test_empirical_draws_each_sample_equally_often() -> None:
    distribution = Empirical((0.01, 0.02, 0.04, 0.04))
    draw = distribution.sampler(Random(3))
    delays = [draw() for _ in range(N)]
    expected = {10_000_000: N / 4, 20_000_000: N / 4, 40_000_000: N / 2}
    chi2 = sum((delays.count(delay) - e) ** 2 / e for delay, e in expected.items())
    assert set(delays) == set(expected)
    assert chi2 < 18.42  # 2 degrees of freedom, alpha = 1e-4
    assert distribution.mean == pytest.approx(0.0275)
    assert distribution.minimum == 0.01


def test_empirical_from_a_file(tmp_path: File) -> None:
    file = tmp_path / "delays.csv"
    file.write_text("# one-way delays\n0.01\n\n20ms\n 4e-2 \n", encoding="utf-8")
    assert Empirical.from_file(file) == Empirical((0.01, 0.02, 0.04))
    assert parse_delay_distribution(f"empirical:{file}") == Empirical((0.01, 0.02, 0.04))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0.01\nslow\n", "line 2 = 'slow': must be a duration"),
        (b"0.01\n0.02,0.03\n", "line 2"),
        (b"0.01\n\n-0.02\n", "line 3"),
        (b"nan\n", "line 1"),
        (b"1e12\n", "line 1"),
        (b"# nothing\n", "holds no delay"),
        (b"", "holds no delay"),
        (b"\xff\xfe\x00", "not a text file"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: File, content: bytes, message: str) -> None:
    file = tmp_path / "delays.csv"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        parse_delay_distribution(f"empirical:{file}")
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unreadable_file_is_named(tmp_path: File) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(ValueError, match=r"cannot be read: ") as caught:
            Empirical.from_file(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        (0.05, Fixed(0.05)),
        ("0.05", Fixed(0.05)),
        ("50ms", Fixed(0.05)),
        ("1e-2", Fixed(0.01)),
        ("1e+1", Fixed(10.0)),
        ("fixed:50ms", Fixed(0.05)),
        ("uniform:20ms:80ms", Uniform(0.02, 0.08)),
        ("exponential:30ms", Exponential(0.03)),
        ("20ms+exponential:30ms", Exponential(0.03, offset=0.02)),
        ("20ms + Exponential: 30 ms", Exponential(0.03, offset=0.02)),
        ("1e-2+exponential:1e-3", Exponential(0.001, offset=0.01)),
        ("normal:50ms:10ms", TruncatedNormal(0.05, 0.01)),
        ("lognormal:50ms:0.5", Lognormal(0.05, 0.5)),
        ("10ms+pareto:20ms:2.5", Pareto(0.02, 2.5, offset=0.01)),
    ],
)
def test_string_forms(text: float | str, distribution: DelayDistribution) -> None:
    assert parse_delay_distribution(text) == distribution


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "fast",
        "-50ms",
        -1,
        math.nan,
        2e9,
        None,
        "gamma:1:2",
        "uniform:20ms",
        "uniform:80ms:20ms",
        "exponential:30ms:1",
        "exponential:-1ms",
        "exponential:",
        "1x+exponential:1ms",
        "1ms+uniform:1ms:2ms",
        "+exponential:1ms",
        "lognormal:50ms:wide",
        "lognormal:50ms:nan",
        "pareto:1ms:0",
        "pareto:1ms:-1",
        "normal:50ms:inf",
    ],
)
def test_a_wrong_string_is_named_with_its_field(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^delay_forward = .*must be ") as caught:
        parse_delay_distribution(wrong, name="delay_forward")
    assert str(wrong) in str(caught.value)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Fixed(-1), "seconds"),
        (lambda: Fixed(math.nan), "seconds"),
        (lambda: Fixed(math.inf), "seconds"),
        (lambda: Fixed("1"), "seconds"),
        (lambda: Uniform(2, 1), "high"),
        (lambda: Uniform(-1, 1), "low"),
        (lambda: Exponential(-1), "scale"),
        (lambda: Exponential(1, offset=-1), "offset"),
        (lambda: TruncatedNormal(-1, 1), "location"),
        (lambda: TruncatedNormal(1, math.nan), "scale"),
        (lambda: Lognormal(1, 30), "sigma"),
        (lambda: Pareto(1, 0), "shape"),
        (lambda: Empirical(()), "samples"),
        (lambda: Empirical("0.1"), "samples"),
        (lambda: Empirical((0.1, -0.1)), r"samples\[1\]"),
    ],
)
def test_wrong_parameters_name_the_field(make: Callable[[], object], field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} = .*must be "):
        make()
