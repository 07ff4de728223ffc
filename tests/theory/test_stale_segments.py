"""Stale segments: every formula against the acceptability test of RFC 9293 3.10.7.4, enumerated."""

import itertools
import random
import subprocess
import sys

import pytest

from netsim.theory import (
    acceptable_differences,
    acceptable_sequences,
    clock_isn_accepts,
    clock_isn_advance,
    clock_isn_hazard,
    expected_acceptances,
    fixed_isn_accepts,
    p_accept,
    p_fixed_isn_accepted,
    p_late_exponential,
    p_late_pareto,
    p_old_handshake_completes,
    p_run_accepted,
    p_segment_accepted,
)

SMALL = 2**10


def acceptable(seq: int, length: int, rcv_nxt: int, window: int, modulus: int) -> bool:
    """The four cases of RFC 9293 3.10.7.4, first check, in its own words, modulo a small number."""

    def in_window(number: int) -> bool:
        return (number - rcv_nxt) % modulus < window

    if length == 0 and window == 0:
        return seq % modulus == rcv_nxt % modulus
    if length == 0:
        return in_window(seq)
    if window == 0:
        return False
    return in_window(seq) or in_window(seq + length - 1)


def enumerate_isns(segments: list[tuple[int, int]], window: int, modulus: int = SMALL) -> int:
    return sum(
        any(acceptable(start, end - start, rcv_nxt, window, modulus) for start, end in segments)
        for rcv_nxt in range(modulus)
    )


@pytest.mark.parametrize("window", [0, 1, 2, 7, 64, 500])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 8, 9, 65, 66, 67, 200, 524])
def test_acceptable_sequences(length: int, window: int) -> None:
    count = acceptable_sequences(length=length, window=window, modulus=SMALL)
    assert count == enumerate_isns([(0, length)], window)
    assert p_segment_accepted(length=length, window=window, modulus=SMALL) == count / SMALL


def test_acceptable_sequences_by_hand() -> None:
    assert acceptable_sequences(length=1460, window=65_535) == 65_535 + 1459
    assert acceptable_sequences(length=10, window=4) == 8  # the ends reach it, the middle covers it
    assert acceptable_sequences(length=0, window=0) == 1
    assert acceptable_sequences(length=5, window=0) == 0


@pytest.mark.parametrize("window", [1, 5, 50, 300])
@pytest.mark.parametrize("length", [1, 4, 6, 7, 8, 51, 52])
@pytest.mark.parametrize("segments", [1, 2, 7])
def test_contiguous_run(segments: int, length: int, window: int) -> None:
    run = [(k * length, (k + 1) * length) for k in range(segments)]
    p = p_run_accepted(segments=segments, length=length, window=window, modulus=SMALL)
    assert p == enumerate_isns(run, window) / SMALL


def test_contiguous_run_by_hand() -> None:
    """Ten segments of 1,000 bytes, window 50,000: 59,999 sequence numbers, not ten times 50,999."""
    assert p_run_accepted(segments=10, length=1000, window=50_000) == 59_999 / 2**32
    assert p_segment_accepted(length=1000, window=50_000) == 50_999 / 2**32


def test_union_of_any_segments() -> None:
    rng = random.Random(7)
    for _ in range(150):
        window = rng.choice([0, 1, 3, 20, 100, 400])
        starts = [rng.randrange(-SMALL, 3 * SMALL) for _ in range(rng.randrange(6))]
        segments = [(start, start + rng.choice([0, 1, 2, 5, 30, 300])) for start in starts]
        count = acceptable_differences(segments, window=window, modulus=SMALL)
        assert count == enumerate_isns(segments, window), (segments, window)
        assert p_accept(iter(segments), window=window, modulus=SMALL) == count / SMALL


def test_union_ignores_order_and_repetition() -> None:
    segments = [(3000, 4000), (0, 1000), (2**32 - 500, 2**32 + 500), (1000, 2000)]
    for order in itertools.permutations(segments):
        assert p_accept([*order, order[0]], window=100) == p_accept(segments, window=100)
    assert p_accept([], window=100) == 0.0


def test_union_of_a_run_is_the_closed_form() -> None:
    run = [(k * 1000, (k + 1) * 1000) for k in range(10)]
    assert p_accept(run, window=50_000) == p_run_accepted(segments=10, length=1000, window=50_000)


def test_expected_number() -> None:
    assert expected_acceptances([0.5, 0.25, 0.0], length=1000, window=50_000) == pytest.approx(0.75 * 50_999 / 2**32)


@pytest.mark.parametrize(
    ("rate", "pause", "advance"),
    [
        (250_000, 1.0, 250_000),  # one tick every 4 us
        (250_000, 0.000_004, 1),
        (250_000, 0.000_003_999, 0),
        (250_000, 0.1 + 0.2, 75_000),
        (15_625_000, 1.0, 15_625_000),  # one tick every 64 ns
        (250_000, 17_179.869_184, 0),  # a whole turn: 2^32 x 4 us
        (250_000, 17_179.869_188, 1),
    ],
)
def test_clock(rate: float, pause: float, advance: int) -> None:
    assert clock_isn_advance(rate=rate, pause=pause) == advance


@pytest.mark.parametrize(("length", "window"), [(1, 8), (4, 8), (10, 3), (0, 5), (0, 0), (3, 0)])
@pytest.mark.parametrize("advance", [0, 5, 60, 125])
@pytest.mark.parametrize("received", [0, 7])
def test_clock_against_enumeration(length: int, window: int, advance: int, received: int) -> None:
    modulus = 128
    clock = {"rate": 1.0, "pause": float(advance), "received": received, "modulus": modulus}
    for sent in range(length, 160, 3):
        offsets = range(sent - length + 1)
        accepted = [acceptable(j, length, advance + received, window, modulus) for j in offsets]
        last = clock_isn_accepts(offset=offsets[-1], length=length, window=window, **clock)
        assert last == accepted[-1]
        assert clock_isn_hazard(sent=sent, length=length, window=window, **clock) == any(accepted)


def test_clock_hazard_threshold() -> None:
    """250,000 counts in one second: a connection that sent 250,000 bytes is safe, one byte more is not."""
    setting = {"rate": 250_000, "pause": 1.0, "length": 1000, "window": 65_535}
    assert not clock_isn_hazard(sent=250_000, **setting)
    assert clock_isn_hazard(sent=250_001, **setting)
    # Just before a whole turn the window reaches the old stream's first bytes, however few there were.
    almost = setting | {"pause": 17_179.8}
    assert clock_isn_hazard(sent=1000, **almost)


@pytest.mark.parametrize("received", [0, 3, 40])
@pytest.mark.parametrize(("length", "window"), [(1, 8), (5, 8), (12, 3), (0, 4)])
def test_fixed_isn(length: int, window: int, received: int) -> None:
    for sent in (1, 6, 50):
        accepted = [acceptable(j, length, received, window, SMALL) for j in range(sent)]
        assert accepted == [
            fixed_isn_accepts(offset=j, length=length, window=window, received=received, modulus=SMALL)
            for j in range(sent)
        ]
        p = p_fixed_isn_accepted(sent=sent, window=window, length=length, received=received)
        assert p == sum(accepted) / sent


def test_fixed_isn_by_hand() -> None:
    assert p_fixed_isn_accepted(sent=100_000, window=65_535) == 0.65535
    assert p_fixed_isn_accepted(sent=1000, window=65_535) == 1.0
    # y - L < j < y + W
    assert not fixed_isn_accepts(offset=900, length=100, window=500, received=1000)
    assert fixed_isn_accepts(offset=901, length=100, window=500, received=1000)
    assert fixed_isn_accepts(offset=1499, length=100, window=500, received=1000)
    assert not fixed_isn_accepts(offset=1500, length=100, window=500, received=1000)


def test_late_exponential() -> None:
    assert p_late_exponential(time_wait=0.0, age=0.0, mean_delay=2.0) == 1.0
    assert p_late_exponential(time_wait=3.0, age=1.0, mean_delay=2.0) == pytest.approx(0.1353352832)
    bounded = p_late_exponential(time_wait=3.0, age=1.0, mean_delay=2.0, lifetime=6.0)
    assert bounded == pytest.approx(0.1353352832 - 0.0497870684)


def test_late_pareto() -> None:
    assert p_late_pareto(time_wait=3.0, age=1.0, minimum=0.5, shape=1.5) == pytest.approx(8**-1.5)
    assert p_late_pareto(time_wait=0.0, age=0.1, minimum=0.5, shape=1.5) == 1.0
    assert p_late_pareto(time_wait=0.0, age=0.0, minimum=0.5, shape=1.5) == 1.0


@pytest.mark.parametrize("time_wait", [2.0, 2.5, 240.0])
def test_nothing_outlives_a_time_wait_as_long_as_the_lifetime(time_wait: float) -> None:
    bounds = {"time_wait": time_wait, "age": 0.0, "lifetime": 2.0}
    assert p_late_exponential(mean_delay=5.0, **bounds) == 0.0
    assert p_late_pareto(minimum=0.1, shape=0.5, **bounds) == 0.0


def test_old_handshake() -> None:
    assert p_old_handshake_completes(isn="fixed") == 1.0
    assert p_old_handshake_completes(isn="random") == 2.0**-32


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: acceptable_sequences(length=-1, window=1), "length must be a whole number >= 0, got -1"),
        (lambda: acceptable_sequences(length=1, window=1.5), r"window must be a whole number >= 0, got 1\.5"),
        (
            lambda: acceptable_sequences(length=9, window=8, modulus=16),
            r"length \+ window .*\[0, 16\], got 17",
        ),
        (
            lambda: p_run_accepted(segments=0, length=1, window=1),
            "segments must be a whole number >= 1, got 0",
        ),
        (lambda: p_accept([(5, 4)], window=1), r"ranges must .*got \(5, 4\)"),
        (lambda: expected_acceptances([1.5], length=1, window=1), r"late\[0\] must be in \[0, 1\], got 1\.5"),
        (lambda: clock_isn_advance(rate=-1.0, pause=0.0), r"rate must be .*>= 0, got -1\.0"),
        (
            lambda: clock_isn_hazard(rate=1, pause=0, sent=5, length=6, window=1),
            r"length must .*\[0, 5\], got 6",
        ),
        (lambda: p_fixed_isn_accepted(sent=0, window=1), "sent must be a whole number >= 1, got 0"),
        (lambda: p_late_exponential(time_wait=1, age=0, mean_delay=0), "mean_delay must be .*> 0, got 0"),
        (lambda: p_late_pareto(time_wait=-1, age=0, minimum=1, shape=1), "time_wait must be .*>= 0, got -1"),
        (lambda: p_old_handshake_completes(isn="clock"), "isn must be one of fixed, random, got 'clock'"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_importing_theory_does_not_import_scipy() -> None:
    program = "import sys, netsim.theory; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
