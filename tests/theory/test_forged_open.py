"""Guessing an ISN: small cases by hand, and the formulas against draws from their own definitions."""

import math
import random

import pytest

from netsim.theory import (
    BlindAttack,
    clock_isn_guesses,
    counter_isn_guesses,
    p_clock_isn_guessed,
    p_counter_isn_guessed,
    p_uniform_isn_guessed,
)


def test_without_a_key_all_numbers_are_alike() -> None:
    assert p_uniform_isn_guessed(1) == 2.0**-32
    assert p_uniform_isn_guessed(2**32) == 1.0


def test_a_clock_that_is_known_exactly() -> None:
    """250 kHz over 0.5 s: 125,000 ticks, certainly. Over 2 us: half a tick, so one number is right half the time."""
    assert p_clock_isn_guessed(1, rate=250_000.0, pause=0.5, jitter=0.0) == 1.0
    assert list(clock_isn_guesses(1, rate=250_000.0, pause=0.5)) == [125_000]
    assert p_clock_isn_guessed(1, rate=250_000.0, pause=2e-6, jitter=0.0) == pytest.approx(0.5)
    assert p_clock_isn_guessed(2, rate=250_000.0, pause=2e-6, jitter=0.0) == pytest.approx(1.0)


def test_the_peak_of_the_triangle() -> None:
    """1 ms of jitter at 250 kHz is 250 ticks: the likeliest number has nearly 1/250, all 501 together all of it.

    A tick cuts the top: the mean of 1 - |x|/250 over it, weighted by the hat of the unknown phase, is 1 - 1/750.
    """
    assert p_clock_isn_guessed(1, rate=250_000.0, pause=0.5, jitter=0.001) == pytest.approx((1 - 1 / 750) / 250)
    assert p_clock_isn_guessed(501, rate=250_000.0, pause=0.5, jitter=0.001) == pytest.approx(1.0)


@pytest.mark.parametrize(("guesses", "pause"), [(1, 0.3), (4, 0.30001), (15, 0.2)])
def test_the_clock_against_draws(guesses: int, pause: float) -> None:
    """100,000 draws of phase and two delays, jitter of 7.5 ticks; |z| < 3.9, alpha = .0001."""
    rate, jitter, n = 250_000.0, 3e-5, 100_000
    stream = random.Random(guesses)
    tried = clock_isn_guesses(guesses, rate=rate, pause=pause)
    hits = 0
    for _ in range(n):
        error = (stream.random() - stream.random()) * jitter
        hits += math.floor(stream.random() + rate * (pause + error)) in tried
    p = p_clock_isn_guessed(guesses, rate=rate, pause=pause, jitter=jitter)
    assert abs(hits - n * p) < 3.9 * math.sqrt(n * p * (1 - p))


def test_a_bsd_counter_by_hand() -> None:
    """No other host opens: +64,000 for the attacker's own opening, and +125,000 if a second passes, which it does half
    the time in 0.5 s. With others at 2 a second: e^-1 that none comes in 0.5 s.
    """
    alone = counter_isn_guesses(per_second=125_000, per_connection=64_000, pause=0.5, background_rate=0.0)
    assert alone == {64_000: 0.5, 189_000: 0.5}
    ranked = counter_isn_guesses(per_second=125_000, per_connection=64_000, pause=0.5, background_rate=2.0)
    assert list(ranked)[:2] == [64_000, 128_000]
    assert ranked[64_000] == pytest.approx(0.5 / math.e)
    assert math.fsum(ranked.values()) == pytest.approx(1.0)
    assert p_counter_isn_guessed(1, per_second=0, per_connection=1, pause=1.5, background_rate=0.0) == 1.0


def test_increments_that_fall_together() -> None:
    """4.2BSD's 128 and 64: a second and no opening moves the counter as two openings do."""
    ranked = counter_isn_guesses(per_second=128, per_connection=64, pause=0.5, background_rate=2.0)
    assert next(iter(ranked)) == 192
    assert ranked[192] == pytest.approx(0.5 * math.exp(-1) / 2 + 0.5 * math.exp(-1))


def test_mean_given_success_of_a_sweep_and_of_draws() -> None:
    """Six of 24 at each step: 4 steps, each as likely. Draws with p = 1/4 end with the first, 3/16 with the second."""
    attack = BlindAttack(sequences=6, acks=24, modulus=24)
    assert [attack.mean_within(n) for n in (1, 2, 3, 4, 9)] == pytest.approx([1.0, 1.5, 2.0, 2.5, 2.5])
    assert attack.mean_within(2, "random") == pytest.approx((1 / 4 + 2 * 3 / 16) / (7 / 16))
    assert attack.mean_within(10_000, "random") == pytest.approx(attack.memoryless_mean)
    assert math.isnan(attack.mean_within(0))
    assert math.isnan(BlindAttack(sequences=0).mean_within(5))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: p_uniform_isn_guessed(-1), "guesses"),
        (lambda: clock_isn_guesses(1, rate=0.0, pause=1.0), "rate"),
        (lambda: p_clock_isn_guessed(1, rate=1.0, pause=1.0, jitter=-1.0), "jitter"),
        (lambda: counter_isn_guesses(per_second=-1, per_connection=1, pause=1.0, background_rate=0.0), "per_second"),
        (lambda: p_counter_isn_guessed(1, per_second=1, per_connection=1, pause=-1.0, background_rate=0.0), "pause"),
    ],
)
def test_a_bad_isn_guess_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
