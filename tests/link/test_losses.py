"""Stages that lose packets, against their distributions.

Statistical tests: fixed n and seed, two-sided, alpha = 1e-4 each (normal quantile 3.89).
"""

import itertools
import math
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

from netsim.link import (
    BurstLoss,
    Corrupt,
    Duplicate,
    GilbertElliott,
    GilbertElliottTime,
    Lifetime,
    Loss,
    Outage,
    Path,
    Pipe,
    Stage,
)
from netsim.link.loss import burst_process
from netsim.seeds import Seed

Z = 3.89
SECOND = 1_000_000_000


def opened(*stages: Stage, root: int = 1, delay: float = 0.0) -> Pipe:
    return Path(delay=delay, stages=stages).open(Seed(root).stream)


def fates(pipe: Pipe, times: Iterable[int]) -> list[bool]:
    """Whether each packet is lost."""
    return [not pipe.send(now, 40) for now in times]


def assert_share(hits: int, n: int, p: float) -> None:
    assert abs(hits - n * p) < Z * math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("stage", [Loss(0.1), Corrupt(0.1), Loss(0.5)])
def test_independent_loss(stage: Loss | Corrupt) -> None:
    n, p = 40_000, stage.probability
    pipe = opened(stage)
    lost = fates(pipe, range(n))
    assert_share(sum(lost), n, p)
    pairs = sum(a and b for a, b in itertools.pairwise(lost))
    assert_share(pairs, n - 1, p * p)  # neighbours are independent (the variance is a little larger than this)
    assert pipe.counts[stage.name] == sum(lost)


def test_certain_loss_and_none() -> None:
    assert all(fates(opened(Loss(1.0)), range(100)))
    assert not any(fates(opened(Loss(0.0)), range(100)))


def test_gilbert_elliott_by_packet() -> None:
    # p = .02, r = .25: bad with .02/.27 = .0741; mean burst 1/r = 4 packets; P(lost | lost before) = 1 - r.
    n, stage = 200_000, GilbertElliott(0.02, 0.25)
    assert stage.mean_loss == pytest.approx(2 / 27)
    lost = fates(opened(stage), [0] * n)  # time does not matter
    bursts = sum(b and not a for a, b in zip([False, *lost], lost, strict=False))
    stayed = sum(a and b for a, b in itertools.pairwise(lost))
    assert_share(stayed, sum(lost[:-1]), 0.75)
    assert_share(bursts, n - sum(lost), 0.02)  # each good packet but the last is followed by a burst with p
    # Variance of a mean of a two-state chain: pi(1-pi)/n * (1+c)/(1-c), c = 1-p-r = .73.
    share = 2 / 27
    deviation = math.sqrt(share * (1 - share) / n * 1.73 / 0.27)
    assert abs(sum(lost) / n - share) < Z * deviation


def test_gilbert_elliott_loss_in_each_state_and_stationary_start() -> None:
    stage = GilbertElliott(0.1, 0.3, loss_good=0.05, loss_bad=0.6)
    assert stage.mean_loss == pytest.approx(0.75 * 0.05 + 0.25 * 0.6)
    n = 10_000
    assert_share(sum(fates(opened(stage, root=root), [0])[0] for root in range(n)), n, 0.1875)


def test_sojourns_are_exponential() -> None:
    good, bad, n = 2.0, 0.5, 1_000
    state = burst_process(good, bad, Random(1))
    step = SECOND // 1000
    switches = [t for t in range(step, 1_500 * SECOND, step) if state(t) != state(t - step)][: n + 1]
    assert len(switches) == n + 1
    lengths = [(b - a) / SECOND for a, b in itertools.pairwise(switches)]
    for mean, which in ((good, False), (bad, True)):
        mine = sorted(x for x, at in zip(lengths, switches, strict=False) if state(at) == which)
        m = len(mine)
        # The grid of 1 ms misses sojourns shorter than it and so joins others: a bias below .2 %.
        assert abs(sum(mine) / m - mean) < Z * mean / math.sqrt(m) + 0.01 * mean
        limit = math.sqrt(-math.log(1e-4 / 2) / 2 / m) + 0.004
        assert max(abs((i + 0.5) / m - (1 - math.exp(-x / mean))) for i, x in enumerate(mine)) < limit


def test_the_state_in_continuous_time_is_stationary_and_relaxes() -> None:
    # P(bad) = .5/2.5 = .2 at any time; P(bad at s | bad at 0) = .2 + .8 exp(-s (1/2 + 1/.5)).
    n, s = 20_000, 0.3
    pairs = [(state(0), state(int(s * SECOND))) for state in (burst_process(2.0, 0.5, Random(i)) for i in range(n))]
    starts = sum(a for a, _ in pairs)
    assert_share(starts, n, 0.2)
    assert_share(sum(b for _, b in pairs), n, 0.2)
    assert_share(sum(a and b for a, b in pairs), starts, 0.2 + 0.8 * math.exp(-s * 2.5))


def test_the_state_does_not_depend_on_earlier_questions() -> None:
    times = [Random(4).randrange(100 * SECOND) for _ in range(500)]
    forwards, shuffled = burst_process(1.0, 0.5, Random(9)), burst_process(1.0, 0.5, Random(9))
    by_time = {time: forwards(time) for time in sorted(times)}
    assert {time: shuffled(time) for time in times} == by_time


def test_a_long_silence_costs_nothing_and_stays_stationary() -> None:
    n, year = 5_000, 31_536_000 * SECOND
    states = []
    for i in range(n):
        bad = burst_process(0.002, 0.001, Random(i))
        bad(0)
        states.append(bad(year))  # 10**10 sojourns later
        assert bad(year + 1) in (True, False)
    assert_share(sum(states), n, 1 / 3)


def test_loss_in_each_state_of_continuous_time() -> None:
    stage = GilbertElliottTime(2.0, 0.5, loss_good=0.05, loss_bad=0.6)
    assert stage.mean_loss == pytest.approx(0.8 * 0.05 + 0.2 * 0.6)
    n = 10_000
    assert_share(sum(fates(opened(stage, root=root), [7 * SECOND])[0] for root in range(n)), n, 0.16)


def test_the_losses_do_not_move_the_bursts() -> None:
    # The same weather whether it is lossy with certainty or with .5: only what falls into bursts is lost.
    times = range(0, 200 * SECOND, SECOND // 20)
    certain = fates(opened(GilbertElliottTime(2.0, 1.0)), times)
    half = fates(opened(GilbertElliottTime(2.0, 1.0, loss_bad=0.5)), times)
    assert all(a for a, b in zip(certain, half, strict=True) if b)
    assert_share(sum(half), sum(certain), 0.5)


@pytest.mark.parametrize("mean_loss", [0.02, 0.1, 0.5])
def test_burst_loss_has_the_mean_and_the_burst_length_asked_for(mean_loss: float) -> None:
    n = 6_000
    assert_share(sum(fates(opened(BurstLoss(mean_loss, 5.0), root=i), [0])[0] for i in range(n)), n, mean_loss)
    # Lost at 0 and again at s: mean_loss + (1 - mean_loss) exp(-s / (burst (1 - mean_loss))).
    pairs = [fates(opened(BurstLoss(mean_loss, 5.0), root=i), [0, SECOND]) for i in range(n)]
    first = [second for lost, second in pairs if lost]
    assert_share(sum(first), len(first), mean_loss + (1 - mean_loss) * math.exp(-1 / (5 * (1 - mean_loss))))


def test_burst_loss_takes_the_ends_of_its_range() -> None:
    assert not any(fates(opened(BurstLoss(0.0, 5.0)), range(50)))
    assert all(fates(opened(BurstLoss(1.0, 5.0)), range(50)))
    assert not any(fates(opened(BurstLoss(1e-12, 5.0)), range(50)))


def test_an_outage_includes_its_start_and_not_its_end() -> None:
    pipe = opened(Outage(((1.0, 2.0), (5.0, math.inf))), delay=3.0)
    seconds = [0, 1, 1.5, 2, 4.999999999, 5, 1e6]
    assert fates(pipe, [int(s * SECOND) for s in seconds]) == [False, True, True, False, False, True, True]
    assert pipe.counts == {"outage": 4}
    assert pipe.cause == "outage"


def test_older_copies_vanish_wherever_the_lifetime_stands() -> None:
    copy = Duplicate(1.0, 0.2)
    for stages in ((Lifetime(0.25), copy), (copy, Lifetime(0.25))):
        assert opened(*stages, delay=0.05).send(0, 40) == [50_000_000, 250_000_000]  # 250 ms old is not older
        pipe = opened(*stages, delay=0.0501)
        assert pipe.send(0, 40) == [50_100_000]
        assert (pipe.cause, pipe.counts["lifetime"]) == ("lifetime", 1)


@pytest.mark.parametrize(
    "stage",
    [Loss(0.3), Corrupt(0.3), GilbertElliott(0.5, 0.5, 0.3, 0.3), GilbertElliottTime(1.0, 1.0, 0.3, 0.3)],
    ids=lambda stage: stage.name,
)
def test_copies_are_lost_independently(stage: Stage) -> None:
    n = 20_000
    pipe = opened(Duplicate(1.0, 0.001), stage)
    arrivals = [pipe.send(0, 40) for _ in range(n)]
    for outcome, p in (([0, 10**6], 0.49), ([0], 0.21), ([10**6], 0.21), ([], 0.09)):
        assert_share(arrivals.count(outcome), n, p)
    assert pipe.counts[stage.name] == sum(2 - len(times) for times in arrivals)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Loss(1.1), "probability"),
        (lambda: Loss(math.nan), "probability"),
        (lambda: Loss("10%"), "probability"),
        (lambda: Corrupt(-0.1), "probability"),
        (lambda: GilbertElliott(1.5, 0.1), "p"),
        (lambda: GilbertElliott(0.1, math.nan), "r"),
        (lambda: GilbertElliott(0, 0), r"p \+ r"),
        (lambda: GilbertElliott(0.1, 0.1, loss_bad=2), "loss_bad"),
        (lambda: GilbertElliottTime(0, 1), "mean_good"),
        (lambda: GilbertElliottTime(1, math.inf), "mean_bad"),
        (lambda: GilbertElliottTime(1, 1, loss_good=-1), "loss_good"),
        (lambda: BurstLoss(1.1, 5), "mean_loss"),
        (lambda: BurstLoss(0.1, 0), "burst"),
        (lambda: Outage((1, 2)), r"intervals\[0\]"),
        (lambda: Outage(((2, 1),)), r"intervals\[0\] end"),
        (lambda: Outage(((-1, 1),)), r"intervals\[0\] start"),
        (lambda: Outage(3), "intervals"),
        (lambda: Lifetime(-1), "seconds"),
        (lambda: Lifetime(math.nan), "seconds"),
    ],
)
def test_wrong_parameters_name_the_field(make: Callable[[], Any], field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} = .*must be "):
        make()
