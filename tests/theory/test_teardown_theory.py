"""LAST-ACK and TIME-WAIT: the recursion against every pattern of losses, and the price of lingering."""

import itertools
from collections import Counter

import pytest

from netsim.theory import (
    backoff_intervals,
    connection_rate_ceiling,
    mean_population,
    p_clean_without_time_wait,
    p_fin_retransmissions,
    p_teardown_timeout,
    teardown_outcome,
)

REFERENCE = {"loss_fin": 0.3, "loss_answer": 0.2}


def enumerate_patterns(
    intervals: list[int], time_wait: int, *, pb: float, pa: float, restart: bool, timer_first: bool
) -> Counter[tuple[str, int]]:
    """Every pattern of lost FINs and lost answers, played one after the other; whole seconds."""
    times = [0, *itertools.accumulate(intervals[:-1])]
    outcomes: Counter[tuple[str, int]] = Counter()
    for pattern in itertools.product(itertools.product((False, True), repeat=2), repeat=len(times)):
        weight = 1.0
        for fin_lost, answer_lost in pattern:
            weight *= (pb if fin_lost else 1 - pb) * (pa if answer_lost else 1 - pa)
        entered = False
        until = -1
        outcome = ("timeout", -1)
        for k, (time, (fin_lost, answer_lost)) in enumerate(zip(times, pattern, strict=True)):
            if fin_lost:
                continue
            first, entered = not entered, True
            there = first or time < until or (time == until and not timer_first)
            if first or (restart and there):
                until = time + time_wait
            if not answer_lost:
                outcome = ("clean" if there else "reset", k)
                break
        outcomes[outcome] += weight
    return outcomes


@pytest.mark.parametrize("tie_break", ["timer-first", "packet-first"])
@pytest.mark.parametrize("restart", [True, False])
@pytest.mark.parametrize("time_wait", [0, 1, 2, 3, 4, 5, 6, 7, 8, 14, 20])
@pytest.mark.parametrize("intervals", [[1, 2, 4, 8, 16], [4, 1, 3, 2, 1]])
def test_every_pattern_of_losses(intervals: list[int], time_wait: int, restart: bool, tie_break: str) -> None:
    expected = enumerate_patterns(
        intervals, time_wait, pb=0.35, pa=0.15, restart=restart, timer_first=tie_break == "timer-first"
    )
    found = teardown_outcome(
        fin_intervals=intervals,
        time_wait=time_wait,
        loss_fin=0.35,
        loss_answer=0.15,
        restart=restart,
        tie_break=tie_break,
    )
    assert found.fin_times == (0, *itertools.accumulate(intervals[:-1]))
    assert found.clean == pytest.approx([expected["clean", k] for k in range(5)])
    assert found.reset == pytest.approx([expected["reset", k] for k in range(5)])
    assert found.p_timeout == pytest.approx(expected["timeout", -1])


def test_reference_values() -> None:
    """pb = .3, pa = .2, initial RTO .2 s, 8 retransmissions: 1 - q = .44, .44^9 = .000618."""
    fins = {"fin_intervals": backoff_intervals(rto=0.2, retries=8), **REFERENCE}
    long = teardown_outcome(time_wait=60.0, **fins)
    assert long.p_clean == pytest.approx(0.999382, abs=5e-7)
    assert long.p_reset == 0.0
    assert long.p_timeout == pytest.approx(0.000618, abs=5e-7)
    none = teardown_outcome(time_wait=0.0, **fins)
    assert none.p_clean == pytest.approx(0.799984, abs=5e-7)
    assert none.p_timeout == pytest.approx(0.000618, abs=5e-7)
    assert none.p_clean + none.p_reset + none.p_timeout == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("pb", "pa", "retries"), [(0.3, 0.2, 8), (0.0, 0.5, 3), (0.6, 0.0, 2), (0.9, 0.9, 0), (1, 0, 4)]
)
def test_closed_forms(pb: float, pa: float, retries: int) -> None:
    losses = {"loss_fin": pb, "loss_answer": pa}
    intervals = backoff_intervals(rto=1.0, retries=retries)
    for time_wait in (0.0, 2.5, 1000.0):
        found = teardown_outcome(fin_intervals=intervals, time_wait=time_wait, **losses)
        assert found.p_timeout == pytest.approx(p_teardown_timeout(retries=retries, **losses))
        needed = [p_fin_retransmissions(k, **losses) for k in range(retries + 1)]
        assert found.retransmissions == pytest.approx(needed)
    assert found.p_clean == pytest.approx(1 - found.p_timeout)
    none = teardown_outcome(fin_intervals=intervals, time_wait=0.0, **losses)
    assert none.p_clean == pytest.approx(p_clean_without_time_wait(retries=retries, **losses))


def test_longer_time_wait_never_hurts_and_restarting_helps() -> None:
    fins = {"fin_intervals": backoff_intervals(rto=0.2, retries=8), **REFERENCE}
    lengths = [0.0, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0]
    # Rounded: where two settings are worth the same, sums may differ in their last digit.
    restarted = [round(teardown_outcome(time_wait=t, **fins).p_clean, 12) for t in lengths]
    fixed = [round(teardown_outcome(time_wait=t, restart=False, **fins).p_clean, 12) for t in lengths]
    assert restarted == sorted(restarted)
    assert fixed == sorted(fixed)
    assert all(more >= less for more, less in zip(restarted, fixed, strict=True))
    assert restarted[3] > fixed[3]  # 0.5 s covers one retransmission, restarted it may cover the next as well
    assert teardown_outcome(time_wait=5.0, **fins).p_timeout == pytest.approx(0.000618, abs=5e-7)


def test_latency() -> None:
    """FINs at 0, .2, .6 s; the answer comes 0.1 s after the one that got through: q = .56."""
    found = teardown_outcome(fin_intervals=[0.2, 0.4, 0.8], time_wait=60.0, **REFERENCE).latency(rtt=0.1)
    assert found.times == pytest.approx([0.1, 0.3, 0.7])
    assert found.probabilities == pytest.approx([0.56, 0.44 * 0.56, 0.44**2 * 0.56])
    assert found.p_fail == pytest.approx(0.44**3)


def test_schedules() -> None:
    assert backoff_intervals(rto=1.0, retries=3) == (1, 2, 4, 8)
    assert sum(backoff_intervals(rto=1.0, retries=5)) == 63
    assert sum(backoff_intervals(rto=0.5, retries=9)) == 0.5 * (2**10 - 1)
    # Linux, net.ipv4.tcp_retries2 = 15 with an RTO of 200 ms and a ceiling of 120 s: 924.6 s (ip-sysctl).
    assert sum(backoff_intervals(rto=0.2, retries=15, ceiling=120.0)) == pytest.approx(924.6)


def test_occupancy() -> None:
    """100 connections a second closed by this end, 60 s each: 6,000 sockets in TIME-WAIT."""
    assert mean_population(rate=100.0, lifetime=60.0) == 6000
    assert mean_population(rate=0.01, lifetime=7875.0) == pytest.approx(78.75)  # ghosts found by keep-alive only
    assert connection_rate_ceiling(ports=60_999 - 32_768 + 1, time_wait=60.0) == pytest.approx(470.5, abs=0.05)
    assert connection_rate_ceiling(ports=100, time_wait=8.0, duration=2.0) == 10.0


def test_ports_run_out_at_the_ceiling() -> None:
    """Play it: a host opens as soon as a port is free; each is held for 2 + 8 s."""
    free_at = [0.0] * 50
    opened = 0
    while min(free_at) < 1000.0:
        port = free_at.index(min(free_at))
        free_at[port] += 10.0
        opened += 1
    assert opened / 1000.0 == connection_rate_ceiling(ports=50, time_wait=8.0, duration=2.0)


OUTCOME = {"fin_intervals": [1.0], "time_wait": 1.0, "loss_fin": 0.1, "loss_answer": 0.1}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: teardown_outcome(**OUTCOME | {"fin_intervals": []}), r"fin_intervals must hold .*got \[\]"),
        (lambda: teardown_outcome(**OUTCOME | {"fin_intervals": [1, 0]}), r"fin_intervals\[1\] must .*got 0"),
        (lambda: teardown_outcome(**OUTCOME | {"time_wait": -1}), "time_wait must be .*got -1"),
        (lambda: teardown_outcome(**OUTCOME | {"loss_fin": 1.2}), r"loss_fin must be in \[0, 1\], got 1\.2"),
        (lambda: teardown_outcome(**OUTCOME | {"loss_answer": float("nan")}), "loss_answer must be .*got nan"),
        (
            lambda: teardown_outcome(**OUTCOME, tie_break="luck"),
            "tie_break must be one of timer-first, packet-first, got 'luck'",
        ),
        (lambda: teardown_outcome(**OUTCOME).latency(rtt=-1), "rtt must be .*got -1"),
        (lambda: p_fin_retransmissions(-1, **REFERENCE), "count must be .*got -1"),
        (lambda: p_teardown_timeout(retries=-1, **REFERENCE), "retries must be .*got -1"),
        (lambda: p_clean_without_time_wait(retries=1.5, **REFERENCE), r"retries must be .*got 1\.5"),
        (lambda: backoff_intervals(rto=0, retries=1), "rto must be .*> 0, got 0"),
        (lambda: backoff_intervals(rto=1, retries=1001), r"retries must be .*\[0, 1000\], got 1001"),
        (lambda: mean_population(rate=-1, lifetime=1), "rate must be .*got -1"),
        (lambda: connection_rate_ceiling(ports=65_537, time_wait=1), r"ports must be .*\[0, 65536\], got 65537"),
        (lambda: connection_rate_ceiling(ports=1, time_wait=0), r"time_wait \+ duration must be .*> 0, got 0"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
