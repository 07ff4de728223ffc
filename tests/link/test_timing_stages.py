"""Delay, jitter, reordering, duplication and the bottleneck: by hand and against their distributions.

Statistical tests: fixed n and seed, two-sided, alpha = 1e-4 each (normal quantile 3.89).
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

from netsim.link import (
    Bottleneck,
    Delay,
    Duplicate,
    Exponential,
    Fixed,
    Jitter,
    Path,
    Pipe,
    Reorder,
    Stage,
    Uniform,
)
from netsim.seeds import Seed

MS = 1_000_000


def opened(*stages: Stage, **short_cuts: Any) -> Pipe:
    return Path(**{"delay": 0.0, **short_cuts}, stages=stages).open(Seed(1).stream)


def assert_share(hits: int, n: int, p: float) -> None:
    assert abs(hits - n * p) < 3.89 * math.sqrt(n * p * (1 - p))


def test_delays_add_up() -> None:
    assert opened(Delay(0.01), Delay(Fixed(0.02)), delay=0.05).send(7, 40) == [80 * MS + 7]
    assert Path().open(Seed(1).stream).send(0, 40) == [50 * MS]  # the default: 50 ms


def test_independent_delays_reorder_packets() -> None:
    n = 10_000
    pipe = opened(Delay(Exponential(0.03, offset=0.02)))
    delays = [pipe.send(i, 40)[0] - i for i in range(n)]
    assert min(delays) >= 20 * MS
    assert abs(sum(delays) / n / MS - 50) < 3.89 * 30 / math.sqrt(n)
    assert_share(sum(b < a for a, b in itertools.pairwise(delays)), n - 1, 0.5)


def test_jitter_keeps_order() -> None:
    pipe = opened(Jitter(0.02))
    arrivals = [pipe.send(now, 40)[0] for now in range(0, 2_000 * MS, MS)]
    assert arrivals == sorted(arrivals)
    assert len({b - a for a, b in itertools.pairwise(arrivals)}) > 100  # it does jitter


def test_a_lone_packet_gets_the_distribution_of_the_jitter() -> None:
    n = 10_000
    for distribution, mean, deviation in ((0.02, 10.0, 20 / math.sqrt(12)), (Exponential(0.01), 10.0, 10.0)):
        pipe = opened(Jitter(distribution))
        delays = [pipe.send(now, 40)[0] - now for now in range(0, n * 1000 * MS, 1000 * MS)]
        assert abs(sum(delays) / n / MS - mean) < 3.89 * deviation / math.sqrt(n)
        if distribution == 0.02:
            assert max(delays) <= 20 * MS


def test_the_short_cut_for_jitter_leaves_the_order_to_random_delays() -> None:
    arrivals = [0]
    pipe = opened(delay=Uniform(0.0, 0.05), jitter=0.02)
    for now in range(0, 200 * MS, MS):
        arrivals += pipe.send(now, 40)
    assert arrivals != sorted(arrivals)


def test_reordering_delays_the_share_asked_for() -> None:
    n = 20_000
    pipe = opened(reorder=0.1, reorder_delay=0.03)
    delays = [pipe.send(now, 40)[0] - now for now in range(n)]
    assert set(delays) == {0, 30 * MS}
    assert_share(delays.count(30 * MS), n, 0.1)
    assert pipe.counts["reorder"] == delays.count(30 * MS)


def test_a_delayed_packet_arrives_after_later_ones() -> None:
    pipe = opened(Reorder(0.5, 0.003))
    arrivals = [pipe.send(now, 40)[0] for now in range(0, 20 * MS, MS)]
    assert arrivals != sorted(arrivals)


def test_duplicates_come_later_and_as_often_as_asked() -> None:
    n = 20_000
    pipe = opened(delay=0.05, duplicate=0.2, duplicate_delay=Uniform(0.1, 0.2))
    copies = [pipe.send(0, 40) for _ in range(n)]
    assert all(times[0] == 50 * MS for times in copies)
    assert all(150 * MS <= times[1] <= 250 * MS for times in copies if len(times) == 2)
    assert_share(sum(len(times) == 2 for times in copies), n, 0.2)
    assert pipe.counts["duplicate"] == sum(len(times) - 1 for times in copies)
    assert pipe.cause == ""


def test_a_copy_arrives_together_with_its_original_by_default() -> None:
    assert opened(Duplicate(1.0)).send(3, 40) == [3, 3]
    assert opened(Duplicate(1.0, 1.0), Duplicate(1.0, 0.1)).send(0, 40) == [0, 1000 * MS, 100 * MS, 1100 * MS]


def test_serialisation_by_hand() -> None:
    # 1500 bytes = 12,000 bits at 10 Mbit/s: 1.2 ms each, one after the other.
    pipe = opened(Bottleneck(10e6))
    assert [pipe.send(0, 1500) for _ in range(3)] == [[1_200_000], [2_400_000], [3_600_000]]
    assert pipe.send(3_000_000, 40) == [3_632_000]  # 40 bytes: 32 us, behind the third
    assert pipe.send(10 * MS, 1500) == [11_200_000]  # idle again


def test_drop_tail_by_hand() -> None:
    # 1 Mbit/s: 1000 bytes take 8 ms. One is in transmission, 2500 bytes may wait.
    pipe = opened(Bottleneck(1e6, 2500))
    assert pipe.send(0, 1000) == [8 * MS]  # straight into the transmitter
    assert pipe.send(0, 1000) == [16 * MS]  # 1000 wait
    assert pipe.send(0, 1000) == [24 * MS]  # 2000 wait
    assert pipe.send(0, 1000) == []  # 3000 would wait
    assert (pipe.cause, pipe.counts["bottleneck"]) == ("bottleneck", 1)
    assert pipe.send(0, 500) == [28 * MS]  # 2500 wait: just fits
    assert pipe.send(8 * MS - 1, 1) == []
    assert pipe.send(8 * MS, 1000) == [36 * MS]  # the second leaves the queue at 8 ms
    assert pipe.send(8 * MS, 1) == []
    assert pipe.send(100 * MS, 5000) == [140 * MS]  # larger than the queue, but the transmitter is idle


def test_a_queue_of_nothing_still_transmits() -> None:
    pipe = opened(Bottleneck(1e6, 0))
    assert pipe.send(0, 1000) == [8 * MS]
    assert pipe.send(8 * MS - 1, 1000) == []
    assert pipe.send(8 * MS, 1000) == [16 * MS]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Delay(-1), "distribution"),
        (lambda: Delay("50ms"), "distribution"),
        (lambda: Delay(Uniform), "distribution"),
        (lambda: Jitter(math.nan), "distribution"),
        (lambda: Reorder(2, 0.1), "probability"),
        (lambda: Reorder(0.1, -1), "delay"),
        (lambda: Duplicate(math.nan), "probability"),
        (lambda: Duplicate(0.1, None), "delay"),
        (lambda: Bottleneck(0), "rate"),
        (lambda: Bottleneck(math.inf), "rate"),
        (lambda: Bottleneck(1e6, -1), "queue"),
    ],
)
def test_wrong_parameters_name_the_field(make: Callable[[], Any], field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} = .*must be "):
        make()
