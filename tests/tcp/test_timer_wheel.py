"""Timers on a kernel's timer wheel: rounded up to slots, never early; exact where there is no wheel."""

import itertools

import pytest

from netsim.tcp.config.profiles import linux
from netsim.tcp.timers import wheel_deadline
from tests.tcp.harness import Solo, ns


@pytest.mark.parametrize(
    ("delay", "slot"),
    [
        (0.004, 0.004), (0.2, 0.004), (0.248, 0.004),
        (0.252, 0.032), (1.0, 0.032), (2.012, 0.032),
        (2.016, 0.256), (3.0, 0.256), (16.0, 0.256),
        (16.128, 2.048), (60.0, 2.048), (120.0, 2.048),
    ],
)  # fmt: skip
def test_wheel_slots_at_250_hz(delay: float, slot: float) -> None:
    """kernel/time/timer.c at 250 Hz: 4 ms up to .252 s, 32 ms up to 2.016 s, 256 ms up to 16.128 s,
    2.048 s up to 129 s.

    A timer expires at the end of a slot, never early and at most a slot and a tick late; the ends of slots are
    multiples of the slot.
    """
    lateness = []
    for phase in range(0, 2_048_000_000, 7_654_321):
        rings = wheel_deadline(ns(5), ns(delay), hz=250, phase=phase)
        assert (rings + phase) % ns(slot) == 0
        lateness.append(rings - ns(5) - ns(delay))
    assert 0 < min(lateness) < ns(slot) / 4
    assert ns(slot) * 3 / 4 < max(lateness) <= ns(slot) + ns(0.004)


def test_wheel_timers_in_a_connection() -> None:
    """The linear SYNs of Linux on a 250 Hz wheel: each up to 36 ms late, never early; exact without a wheel."""
    gaps: set[float] = set()
    for seed in range(20):
        solo = Solo(linux().replace(timer_hz=250), seed=seed)
        solo.open()
        times = [t for t, _ in solo.advance(200)]
        assert len(times) == 10
        first = times[0]
        assert 1 < first <= 1.036
        gaps |= {round(b - a, 6) for a, b in itertools.pairwise(times[:5])}
    assert gaps == {1.024}  # 1 s from a slot's very start: 32 slots of 32 ms and the rest of the one begun
    exact = Solo(linux())
    exact.open()
    assert [t for t, _ in exact.advance(2)] == [1, 2]


def test_wheel_phase_comes_from_the_seed() -> None:
    def first(seed: int) -> float:
        solo = Solo(linux().replace(timer_hz=250), seed=seed)
        solo.open()
        return solo.advance(2)[0][0]

    assert first(1) == first(1)
    assert len({first(seed) for seed in range(10)}) > 5
