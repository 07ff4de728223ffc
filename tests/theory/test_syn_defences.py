"""Eviction and SYN cookies: every formula against a played queue or an enumerated cookie."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from netsim.theory import (
    p_cookie_forged,
    p_cookie_valid,
    p_survives_bucket_drop,
    p_survives_oldest_drop,
    p_survives_random_drop,
    synacks_per_spoofed_syn,
)

ALPHA = 0.001
RUNS = 20_000


def assert_binomial(hits: int, p: float, *, cases: int, runs: int = RUNS) -> None:
    """Two-sided normal test of a count, alpha shared by the cases."""
    limit = NormalDist().inv_cdf(1 - ALPHA / cases / 2)
    assert abs(hits - runs * p) <= limit * math.sqrt(runs * p * (1 - p)), (hits / runs, p)


FLOODS = [(100.0, 0.1, 8), (50.0, 0.2, 12), (500.0, 0.05, 20)]  # lambda, R, B


@pytest.mark.parametrize(("rate", "rtt", "slots"), FLOODS)
def test_random_drop_played(rate: float, rtt: float, slots: int) -> None:
    """The newcomers of one round trip each overwrite one slot out of B; slot 0 is ours."""
    rng = np.random.default_rng(71)
    kept = sum(bool(np.all(rng.integers(slots, size=n) != 0)) for n in rng.poisson(rate * rtt, RUNS))
    assert_binomial(kept, p_survives_random_drop(attack_rate=rate, rtt=rtt, slots=slots), cases=len(FLOODS))


@pytest.mark.parametrize(("rate", "rtt", "slots"), FLOODS)
def test_oldest_drop_played(rate: float, rtt: float, slots: int) -> None:
    """A circular buffer of B entries, ours written last: the B-th newcomer overwrites it. Arrivals one by one."""
    rng = np.random.default_rng(72)
    arrivals = np.cumsum(rng.exponential(1 / rate, (RUNS, slots)), axis=1)
    kept = int(np.sum(arrivals[:, -1] > rtt))
    assert_binomial(kept, p_survives_oldest_drop(attack_rate=rate, rtt=rtt, slots=slots), cases=len(FLOODS))


@pytest.mark.parametrize(("buckets", "bucket_size"), [(4, 3), (8, 1), (16, 2)])
def test_bucket_drop_played(buckets: int, bucket_size: int) -> None:
    """Each newcomer hashes to a bucket; ours (0) loses its oldest entry once `bucket_size` have come."""
    rng = np.random.default_rng(73)
    newcomers = rng.poisson(200.0 * 0.05, RUNS)
    kept = sum(int(np.sum(rng.integers(buckets, size=n) == 0)) < bucket_size for n in newcomers)
    p = p_survives_bucket_drop(attack_rate=200.0, rtt=0.05, buckets=buckets, bucket_size=bucket_size)
    assert_binomial(kept, p, cases=3)


def test_eviction_by_hand() -> None:
    flood = {"attack_rate": 20.0, "rtt": 0.1}  # two newcomers a round trip
    assert p_survives_random_drop(slots=4, **flood) == pytest.approx(math.exp(-0.5))
    assert p_survives_oldest_drop(slots=2, **flood) == pytest.approx(3 * math.exp(-2))
    assert p_survives_bucket_drop(buckets=2, bucket_size=2, **flood) == pytest.approx(2 * math.exp(-1))
    one_bucket = p_survives_bucket_drop(buckets=1, bucket_size=2, **flood)
    assert one_bucket == pytest.approx(p_survives_oldest_drop(slots=2, **flood))


@pytest.mark.parametrize(
    ("age", "p"), [(0.0, 1.0), (59.9, 1.0), (60.0, 1.0), (75.0, 0.75), (90.0, 0.5), (120.0, 0.0), (1e6, 0.0)]
)
def test_cookie_validity(age: float, p: float) -> None:
    """Linux: minutes, valid in the one it was made and in the next."""
    assert p_cookie_valid(age=age) == pytest.approx(p)


@pytest.mark.parametrize(
    ("age", "period", "periods"), [(75.0, 60.0, 2), (100.0, 60.0, 2), (150.0, 64.0, 3), (9.0, 5.0, 2)]
)
def test_cookie_validity_at_every_phase(age: float, period: float, periods: int) -> None:
    """The counter's difference between making and check, for 10,000 phases."""
    made = (np.arange(10_000) + 0.5) * period / 10_000
    difference = np.floor((made + age) / period) - np.floor(made / period)
    p = p_cookie_valid(age=age, period=period, periods=periods)
    assert p == pytest.approx(float(np.mean(difference < periods)), abs=2e-4)


def test_every_guess_of_a_small_cookie() -> None:
    """A Linux-like cookie of 10 bits, 4 of counter and 6 of hash plus MSS index: 2 counters x 4 MSS pass."""
    now, first_hash, second_hash = 13, 0b10_1101_0110, {13: 0b101101, 12: 0b010011}
    passed = 0
    for guess in range(2**10):
        rest = (guess - first_hash) % 2**10
        counter = rest >> 6
        if (now - counter) % 16 < 2:
            passed += (rest - second_hash[counter]) % 2**6 < 4
    assert passed == 8
    assert p_cookie_forged(modulus=2**10) == passed / 2**10
    assert p_cookie_forged() == 2.0**-29


def test_more_slots_and_rarer_attacks_help() -> None:
    for survives in (p_survives_random_drop, p_survives_oldest_drop):
        table = [[survives(attack_rate=rate, rtt=0.1, slots=slots) for slots in (1, 8, 64)] for rate in (1, 50, 1000)]
        assert all(row == sorted(row) for row in table)
        assert all(list(column) == sorted(column, reverse=True) for column in zip(*table, strict=True))


def test_amplification() -> None:
    assert synacks_per_spoofed_syn(retries=5) == 6
    assert synacks_per_spoofed_syn(retries=0) == 1


FLOOD = {"attack_rate": 1.0, "rtt": 0.1}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: p_survives_random_drop(slots=0, **FLOOD), "slots must be .*>= 1, got 0"),
        (lambda: p_survives_oldest_drop(slots=1, **FLOOD | {"rtt": -1}), "rtt must be .*got -1"),
        (lambda: p_survives_random_drop(slots=1, **FLOOD | {"attack_rate": math.inf}), "attack_rate must be .*got inf"),
        (lambda: p_survives_bucket_drop(buckets=0, bucket_size=1, **FLOOD), "buckets must be .*>= 1, got 0"),
        (lambda: p_survives_bucket_drop(buckets=1, bucket_size=0, **FLOOD), "bucket_size must be .*>= 1, got 0"),
        (lambda: p_cookie_valid(age=-1), "age must be .*got -1"),
        (lambda: p_cookie_valid(age=1, period=0), "period must be .*> 0, got 0"),
        (lambda: p_cookie_valid(age=1, periods=0), "periods must be .*>= 1, got 0"),
        (lambda: p_cookie_forged(mss_values=0), "mss_values must be .*>= 1, got 0"),
        (lambda: p_cookie_forged(modulus=4), r"periods \* mss_values must be .*\[0, 4\], got 8"),
        (lambda: synacks_per_spoofed_syn(retries=-1), "retries must be .*got -1"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
