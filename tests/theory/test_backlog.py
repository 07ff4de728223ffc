"""A SYN queue under a flood: reference values, exact sums, matrix exponentials and played queues."""

import heapq
import itertools
import math
import random
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from netsim.theory import (
    backoff_intervals,
    erlang_b,
    fill_time,
    fluid_blocking,
    mean_entry_lifetime,
    p_all_blocked_markov,
    p_all_blocked_periodic,
    p_blocked_from_empty,
    p_blocked_in_first_lifetime,
    saturating_rate,
)

ALPHA = 0.001


def assert_binomial(hits: int, runs: int, p: float, *, cases: int) -> None:
    """Two-sided normal test of a count, alpha shared by the cases."""
    limit = NormalDist().inv_cdf(1 - ALPHA / cases / 2)
    assert abs(hits - runs * p) <= limit * math.sqrt(runs * p * (1 - p)), (hits / runs, p)


@pytest.mark.parametrize(
    ("attack_rate", "slots", "blocked", "fluid"), [(1.0, 64, 0.0848, 0.0), (5.0, 128, 0.5958, 0.5937)]
)
def test_reference_values(attack_rate: float, slots: int, blocked: float, fluid: float) -> None:
    """T = 63 s: five SYN-ACK retries from 1 s."""
    load = attack_rate * sum(backoff_intervals(rto=1.0, retries=5))
    assert erlang_b(load=load, slots=slots) == pytest.approx(blocked, abs=5e-5)
    assert fluid_blocking(load=load, slots=slots) == pytest.approx(fluid, abs=5e-5)


@pytest.mark.parametrize(("slots", "threshold"), [(128, 2.03), (1024, 16.3), (4096, 65.0)])
def test_threshold(slots: int, threshold: float) -> None:
    assert saturating_rate(slots=slots, entry_lifetime=63.0) == pytest.approx(threshold, rel=3e-3)
    assert fluid_blocking(load=1.001 * slots, slots=slots) > 0.0
    assert fluid_blocking(load=0.999 * slots, slots=slots) == 0.0


def test_fill_time() -> None:
    assert fill_time(attack_rate=5.0, slots=128) == 25.6


@pytest.mark.parametrize("load", [Fraction(1, 10), Fraction(3), Fraction(40)])
@pytest.mark.parametrize("slots", [0, 1, 5, 30])
def test_erlang_b_is_the_exact_sum(load: Fraction, slots: int) -> None:
    terms = [load**k / math.factorial(k) for k in range(slots + 1)]
    assert erlang_b(load=float(load), slots=slots) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-12)


def test_erlang_b_extremes() -> None:
    assert erlang_b(load=0.0, slots=3) == 0.0
    assert erlang_b(load=1e6, slots=100_000) == pytest.approx(0.9, abs=1e-4)  # the fluid limit, no overflow
    assert erlang_b(load=1.0, slots=1000) == 0.0  # underflows, as it should


def blocked_at_the_end(rng: random.Random, *, rate: float, slots: int, duration: float, constant: bool) -> bool:
    """One queue from empty, Poisson arrivals, holding times of mean 1; is it full at the end?"""
    leaving: list[float] = []
    now = rng.expovariate(rate)
    while now < duration:
        while leaving and leaving[0] <= now:
            heapq.heappop(leaving)
        if len(leaving) < slots:
            heapq.heappush(leaving, now + (1.0 if constant else rng.expovariate(1.0)))
        now += rng.expovariate(rate)
    return sum(end > duration for end in leaving) == slots


@pytest.mark.parametrize("constant", [True, False])
def test_stationary_queue_played(constant: bool) -> None:
    """Insensitive to the distribution of the holding time: 6,000 worlds, seen 10 mean holds after they began empty."""
    rng = random.Random(61)
    runs = 6000
    full = sum(blocked_at_the_end(rng, rate=5.0, slots=4, duration=10.0, constant=constant) for _ in range(runs))
    assert_binomial(full, runs, erlang_b(load=5.0, slots=4), cases=2)


@pytest.mark.parametrize("time", [0.5, 0.8, 1.0])
def test_from_empty_played(time: float) -> None:
    rng = random.Random(62)
    runs = 20_000
    full = sum(blocked_at_the_end(rng, rate=5.0, slots=4, duration=time, constant=True) for _ in range(runs))
    p = p_blocked_from_empty(attack_rate=5.0, slots=4, time=time, entry_lifetime=1.0)
    assert_binomial(full, runs, p, cases=3)


def test_from_empty_by_hand() -> None:
    """P(Pois(2) >= 2) = 1 - 3 e^-2."""
    assert p_blocked_from_empty(attack_rate=2.0, slots=2, time=1.0, entry_lifetime=63.0) == pytest.approx(
        1 - 3 * math.exp(-2)
    )
    assert p_blocked_from_empty(attack_rate=2.0, slots=0, time=1.0, entry_lifetime=63.0) == 1.0
    assert p_blocked_from_empty(attack_rate=2.0, slots=2, time=0.0, entry_lifetime=63.0) == 0.0


@pytest.mark.parametrize(("pf", "pr", "rtt"), [(0.2, 0.1, 0.1), (0.0, 0.0, 0.3), (0.5, 0.9, 2.0)])
def test_the_lifetime_of_a_legitimate_entry(pf: float, pr: float, rtt: float) -> None:
    """Every pattern of lost SYN-ACKs and lost ACKs."""
    intervals = [1.0, 2.0, 4.0]
    times = [0.0, 1.0, 3.0]
    mean = 0.0
    for pattern in itertools.product(itertools.product((False, True), repeat=2), repeat=3):
        weight = math.prod((pr if back else 1 - pr) * (pf if forth else 1 - pf) for back, forth in pattern)
        mean += weight * min([t + rtt for t, lost in zip(times, pattern, strict=True) if not any(lost)], default=7.0)
    found = mean_entry_lifetime(synack_intervals=intervals, rtt=rtt, loss_forward=pf, loss_reverse=pr)
    assert found == pytest.approx(mean)


OFFSETS = [
    [0.0],
    [0.0, 1.0, 3.0, 7.0],
    [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0],  # the last one a whole period after the first
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 11.0, 19.0, 35.0, 67.0],
]


@pytest.mark.parametrize("offsets", OFFSETS)
@pytest.mark.parametrize(("attack_rate", "slots"), [(5.0, 128), (50.0, 128), (20.0, 10), (2.0, 128)])
def test_periodic_blocking_phase_by_phase(offsets: list[float], attack_rate: float, slots: int) -> None:
    """Try 63,000 phases: a SYN is served in the first B / lambda seconds of each period of 63 s."""
    served_until = 1000 * slots / attack_rate  # ms
    phases = np.arange(63_000)
    blocked = np.ones(63_000, dtype=bool)
    for offset in offsets:
        blocked &= (phases + 1000 * offset) % 63_000 >= served_until
    p = p_all_blocked_periodic(offsets=offsets, attack_rate=attack_rate, slots=slots, entry_lifetime=63.0)
    assert p == pytest.approx(blocked.mean(), abs=2e-4)


def test_periodic_blocking_by_hand() -> None:
    """w = 128/5 = 25.6 s; SYNs at 0, 1, 3, 7: 1 - (25.6 + 7)/63, far above .5958^4."""
    p = p_all_blocked_periodic(offsets=[0, 1, 3, 7], attack_rate=5.0, slots=128, entry_lifetime=63.0)
    assert p == pytest.approx(1 - 32.6 / 63)
    assert p > 3 * erlang_b(load=315.0, slots=128) ** 4
    assert p_all_blocked_periodic(offsets=[0], attack_rate=5.0, slots=128, entry_lifetime=63.0) == pytest.approx(
        1 - 128 / 315
    )


def test_periodic_blocking_is_the_limit_of_a_played_queue() -> None:
    """Second period of a queue from empty, 1,000 slots, 200 per second, T = 63 s: within .02 of the fluid limit."""
    rng = random.Random(63)
    leaving: list[float] = []
    grid = np.arange(63.0, 140.0, 0.05)
    full: list[bool] = []
    now = rng.expovariate(200.0)
    for instant in grid:
        while now < instant:
            while leaving and leaving[0] <= now:
                leaving.pop(0)
            if len(leaving) < 1000:
                leaving.append(now + 63.0)
            now += rng.expovariate(200.0)
        full.append(sum(end > instant for end in leaving) == 1000)
    offsets = [0.0, 1.0, 3.0, 7.0]
    steps = [round(offset / 0.05) for offset in offsets]
    starts = range(round(63.0 / 0.05))
    played = sum(all(full[start + step] for step in steps) for start in starts) / len(starts)
    expected = p_all_blocked_periodic(offsets=offsets, attack_rate=200.0, slots=1000, entry_lifetime=63.0)
    assert expected == pytest.approx(1 - 12 / 63)
    assert played == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("attack_rate", "slots", "entry_lifetime"), [(2.0, 5, 3.0), (0.5, 8, 20.0), (5.0, 40, 4.0), (1.0, 1, 1.0)]
)
def test_markov_blocking_is_the_matrix_exponential(attack_rate: float, slots: int, entry_lifetime: float) -> None:
    from scipy.linalg import expm

    generator = np.zeros((slots + 1, slots + 1))
    for k in range(slots):
        generator[k, k + 1] = attack_rate
        generator[k + 1, k] = (k + 1) / entry_lifetime
    np.fill_diagonal(generator, -generator.sum(axis=1))
    stationary = np.linalg.lstsq(
        np.vstack([generator.T, np.ones(slots + 1)]), np.r_[np.zeros(slots + 1), 1.0], rcond=None
    )[0]
    offsets = [0.0, 1.0, 3.0, 7.0]
    p = stationary[-1] * math.prod(expm(generator * gap)[-1, -1] for gap in (1.0, 2.0, 4.0))
    found = p_all_blocked_markov(offsets=offsets, attack_rate=attack_rate, slots=slots, entry_lifetime=entry_lifetime)
    assert found == pytest.approx(p, rel=1e-9)


def test_markov_blocking_between_its_limits() -> None:
    """No gap: as one SYN; gaps of many holds: independent."""
    queue = {"attack_rate": 5.0, "slots": 4, "entry_lifetime": 1.0}
    once = erlang_b(load=5.0, slots=4)
    assert p_all_blocked_markov(offsets=[0.0], **queue) == once
    assert p_all_blocked_markov(offsets=[0.0, 0.0, 0.0], **queue) == pytest.approx(once)
    assert p_all_blocked_markov(offsets=[0.0, 50.0, 100.0], **queue) == pytest.approx(once**3)
    assert once**2 < p_all_blocked_markov(offsets=[0.0, 0.2], **queue) < once


QUEUE = {"offsets": [0.0, 1.0], "attack_rate": 5.0, "slots": 4, "entry_lifetime": 1.0}
LIFETIME = {"synack_intervals": [1.0], "rtt": 0.1, "loss_forward": 0.1, "loss_reverse": 0.1}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: erlang_b(load=-1, slots=1), "load must be .*got -1"),
        (lambda: erlang_b(load=1, slots=-1), "slots must be .*>= 0, got -1"),
        (lambda: fluid_blocking(load=float("nan"), slots=1), "load must be .*got nan"),
        (lambda: fill_time(attack_rate=0, slots=1), "attack_rate must be .*> 0, got 0"),
        (lambda: saturating_rate(slots=1, entry_lifetime=0), "entry_lifetime must be .*> 0, got 0"),
        (
            lambda: mean_entry_lifetime(**LIFETIME | {"synack_intervals": []}),
            "synack_intervals must hold at least one",
        ),
        (lambda: mean_entry_lifetime(**LIFETIME | {"synack_intervals": [0]}), r"synack_intervals\[0\] must be .*got 0"),
        (lambda: mean_entry_lifetime(**LIFETIME | {"loss_forward": 2}), r"loss_forward must be in \[0, 1\], got 2"),
        (
            lambda: p_blocked_from_empty(attack_rate=1, slots=1, time=2, entry_lifetime=1),
            r"time must be in \[0, 1\], got 2",
        ),
        (lambda: p_all_blocked_periodic(**QUEUE | {"offsets": []}), "offsets must hold at least one value"),
        (lambda: p_all_blocked_periodic(**QUEUE | {"entry_lifetime": 0}), "entry_lifetime must be .*> 0, got 0"),
        (lambda: p_all_blocked_markov(**QUEUE | {"offsets": [1, 0]}), r"offsets must not decrease, got \[1, 0\]"),
        (lambda: p_all_blocked_markov(**QUEUE | {"offsets": [-1]}), r"offsets\[0\] must be .*got -1"),
        (lambda: p_all_blocked_markov(**QUEUE | {"attack_rate": 0}), "attack_rate must be .*> 0, got 0"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_blocked_in_the_first_lifetime_by_hand() -> None:
    """One place, T = 1, lambda = 2: full from S_1 on; E[(1 - S_1)^+] = 1 - (1 - e^-2) / 2 = .56767."""
    assert p_blocked_in_first_lifetime(attack_rate=2.0, slots=1, entry_lifetime=1.0) == pytest.approx(
        0.5 + math.exp(-2) / 2
    )
    # And the mean of P(Pois(lambda t) >= B) over [0, T], by the midpoint rule.
    times = [(k + 0.5) / 4000 * 7 for k in range(4000)]
    mean = sum(p_blocked_from_empty(attack_rate=4.0, slots=16, time=t, entry_lifetime=7.0) for t in times) / 4000
    assert p_blocked_in_first_lifetime(attack_rate=4.0, slots=16, entry_lifetime=7.0) == pytest.approx(mean, abs=1e-6)
    with pytest.raises(ValueError, match="slots"):
        p_blocked_in_first_lifetime(attack_rate=1.0, slots=0, entry_lifetime=1.0)
