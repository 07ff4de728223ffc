"""A path as a whole: order of stages, their own streams, laziness, counters, bad input, any composition."""

import math
import pickle
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.link import (
    Bottleneck,
    BurstLoss,
    Corrupt,
    Delay,
    DelayDistribution,
    Duplicate,
    Empirical,
    Exponential,
    Fault,
    Fixed,
    GilbertElliott,
    GilbertElliottTime,
    Jitter,
    Lifetime,
    Lognormal,
    Loss,
    Outage,
    Pareto,
    Path,
    Reorder,
    Scripted,
    Stage,
    TruncatedNormal,
    Uniform,
)
from netsim.seeds import Seed

MS = 1_000_000
SEED = Seed(3)


class Streams:
    """Gives streams of SEED and remembers which were asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> Random:
        self.names.append(name)
        return SEED.stream(name)


def test_nothing_is_drawn_before_the_first_packet() -> None:
    streams = Streams()
    pipe = Path(loss=0.1, jitter=0.01).open(streams)
    assert (streams.names, pipe.cause, pipe.counts, pipe.uses_kinds) == ([], "", {}, False)
    pipe.send(0, 40)
    assert sorted(streams.names) == ["jitter", "loss"]
    pipe.send(0, 40)
    assert len(streams.names) == 2


def test_stages_without_effect_take_no_stream() -> None:
    streams = Streams()
    idle = [
        Loss(0.0),
        Corrupt(0.0),
        Reorder(0.0, 1.0),
        Duplicate(0.0),
        BurstLoss(0.0, 1.0),
        Jitter(0.0),
        Delay(0.0),
    ]
    still = [
        Delay(Fixed(0.1)),
        GilbertElliott(0.0, 1.0),
        Lifetime(9.0),
        Outage([]),
        Bottleneck(1e9),
        Scripted([]),
    ]
    pipe = Path(delay=0.05, stages=[*idle, *still]).open(streams)
    assert pipe.send(0, 0) == [150 * MS]
    assert streams.names == []


def test_the_second_stage_of_a_kind_has_a_stream_and_a_counter_of_its_own() -> None:
    streams = Streams()
    pipe = Path(loss=0.5, stages=[Loss(0.5), Corrupt(0.5), Loss(0.5)]).open(streams)
    arrived = sum(len(pipe.send(0, 40)) for _ in range(1000))
    assert streams.names == ["loss", "loss.2", "corrupt", "loss.3"]
    assert set(pipe.counts) == set(streams.names)
    assert sum(pipe.counts.values()) + arrived == 1000
    assert pipe.counts["no such stage"] == 0


def lost_packets(path: Path, name: str) -> set[int]:
    pipe = path.open(SEED.stream)
    return {n for n in range(400) if not pipe.send(n * MS, 1000, ("DATA",)) and pipe.cause == name}


def held_packets(path: Path) -> set[int]:
    """Which of the packets that arrive were held by the reordering stage."""
    pipe = path.open(SEED.stream)
    return {n for n in range(400) if max(pipe.send(n * MS, 1000, ("DATA",)), default=0) - n * MS > 40_000 * MS}


OTHERS: list[Stage] = [
    Jitter(0.01),
    Delay(Exponential(0.03)),
    Duplicate(0.3, 0.1),
    Reorder(0.2, 0.1),
    Scripted("dup ANY 3-50 0.1; delay ANY 60 1"),
]
LOSSY: list[Stage] = [
    Corrupt(0.2),
    GilbertElliott(0.1, 0.5),
    Bottleneck(1e7, 1500),
    Scripted("drop DATA 5-20"),
]


@pytest.mark.parametrize("other", [*OTHERS, *LOSSY], ids=repr)
@pytest.mark.parametrize("before", [True, False])
def test_no_stage_disturbs_the_draws_of_another(other: Stage, before: bool) -> None:
    subject = Loss(0.3)
    alone = lost_packets(Path(stages=[subject]), "loss")
    pipe = Path(stages=[other, subject] if before else [subject, other]).open(SEED.stream)
    for n in range(400):
        arrivals = pipe.send(n * MS, 1000, ("DATA",))
        if n in alone:
            # A copy made before may get through; the original does not.
            assert len(arrivals) == 0 or (before and isinstance(other, Duplicate | Scripted))
        else:
            assert arrivals or pipe.cause != "loss"


@pytest.mark.parametrize("others", [LOSSY[:1], LOSSY[3:], [Loss(0.3)]], ids=repr)
def test_a_lost_packet_takes_its_draws_with_it(others: list[Stage]) -> None:
    """The n-th packet meets the same fate in a stage, whether or not earlier packets got that far."""
    reorder = {"reorder": 0.2, "reorder_delay": 100.0}
    alone = held_packets(Path(**reorder))
    pipe = Path(stages=others).open(SEED.stream)
    survivors = {n for n in range(400) if pipe.send(n * MS, 1000, ("DATA",))}
    assert 50 < len(alone) < 110
    assert held_packets(Path(**reorder, stages=others)) == alone & survivors


def test_the_fast_path_and_the_chain_draw_alike() -> None:
    fast = Path(delay=0.05, loss=0.3).open(SEED.stream)
    chain = Path(delay=0.05, loss=0.3, stages=[Delay(0.0)]).open(SEED.stream)
    parsed = Path(delay=Fixed(0.05), loss=0.3).open(SEED.stream)
    for now in range(300):
        assert fast.send(now, 40) == chain.send(now, 40) == parsed.send(now, 40)
        assert fast.cause == chain.cause
    assert fast.counts == chain.counts == parsed.counts


def test_the_same_seed_gives_the_same_packets_and_another_does_not() -> None:
    path = Path(delay=Uniform(0.0, 1.0), loss=0.1, duplicate=0.1, stages=[BurstLoss(0.2, 1.0)])
    runs = []
    for seed in (Seed(1), Seed(1), Seed(2)):
        pipe = path.open(seed.stream)
        runs.append([pipe.send(now * MS, 40) for now in range(500)])
    assert runs[0] == runs[1] != runs[2]


def test_stages_work_in_the_documented_order() -> None:
    # Jitter before the stages, the delay after them: the outage from 0 to 10 ms sees the time of sending.
    pipe = Path(delay=0.05, stages=[Outage([(0.0, 0.01)])]).open(SEED.stream)
    assert pipe.send(5 * MS, 40) == []
    assert pipe.send(10 * MS, 40) == [60 * MS]
    # In the list, the order is the user's: the same outage behind a delay of 10 ms.
    pipe = Path(delay=0.0, stages=[Delay(0.01), Outage([(0.0, 0.01)])]).open(SEED.stream)
    assert pipe.send(5 * MS, 40) == [15 * MS]
    # The copy is made last, so that it takes no part in queueing.
    pipe = Path(delay=0.0, duplicate=1.0, stages=[Bottleneck(1e6)]).open(SEED.stream)
    assert pipe.send(0, 1000) == [8 * MS, 8 * MS]


def test_a_user_can_add_a_stage() -> None:
    class Twice:
        name = "twice"

        def start(self, name: str, stream: Any, ledger: Any) -> Any:
            return lambda times, sent, size, kinds: [sent + 2 * (time - sent) for time in times]

    assert Path(delay=0.0, stages=[Delay(0.1), Twice()]).open(SEED.stream).send(5, 40) == [5 + 200 * MS]


def test_a_path_is_a_value() -> None:
    a = Path(loss=0.1, stages=[Loss(0.2), Scripted("drop SYN 1")])
    assert a == Path(loss=0.1, stages=(Loss(0.2), Scripted([Fault(kind="SYN")])))
    a.open(SEED.stream).send(0, 40)
    copy = pickle.loads(pickle.dumps(a))
    assert copy == a
    assert hash(copy) == hash(a)
    assert repr(copy) == repr(a)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Path(loss=1.5), "loss"),
        (lambda: Path(loss=math.nan), "loss"),
        (lambda: Path(loss="1%"), "loss"),  # type: ignore[arg-type]
        (lambda: Path(delay=-0.01), "delay"),
        (lambda: Path(delay=math.nan), "delay"),
        (lambda: Path(delay=math.inf), "delay"),
        (lambda: Path(delay="50ms"), "delay"),  # type: ignore[arg-type]
        (lambda: Path(jitter=-1), "jitter"),
        (lambda: Path(reorder=2), "reorder"),
        (lambda: Path(reorder_delay=-1), "reorder_delay"),
        (lambda: Path(duplicate=-1), "duplicate"),
        (lambda: Path(duplicate_delay=math.nan), "duplicate_delay"),
        (lambda: Path(stages=Loss(0.1)), "stages"),  # type: ignore[arg-type]
        (lambda: Path(stages=[Loss]), r"stages\[0\]"),  # type: ignore[list-item]
        (lambda: Path(stages=[Loss(0.1), 0.1]), r"stages\[1\]"),  # type: ignore[list-item]
    ],
)
def test_wrong_parameters_name_the_field(make: Callable[[], Any], field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} = .*must be "):
        make()


probability = st.sampled_from([0.0, 0.3, 1.0]) | st.floats(0.0, 1.0)
seconds = st.sampled_from([0.0, 1e-9, 0.05, 1.0, 1e9]) | st.floats(0.0, 1e9)
sojourn = st.floats(1e-6, 1e6)
distributions: st.SearchStrategy[DelayDistribution] = st.one_of(
    st.builds(Fixed, seconds),
    st.tuples(seconds, seconds).map(lambda pair: Uniform(min(pair), max(pair))),
    st.builds(Exponential, seconds, seconds),
    st.builds(TruncatedNormal, seconds, seconds),
    st.builds(Lognormal, seconds, st.floats(0.0, 25.0), seconds),
    st.builds(Pareto, seconds, st.floats(0.01, 100.0), seconds),
    st.builds(Empirical, st.lists(seconds, min_size=1, max_size=4)),
)
delays = seconds | distributions
faults = st.sampled_from(["drop SYN 1", "delay ANY 2- 0.3", "dup ANY * 1", "dup DATA 2-3", "drop DATA 3 from 1s"])
stages: st.SearchStrategy[Stage] = st.one_of(
    st.builds(Loss, probability),
    st.builds(Corrupt, probability),
    st.builds(GilbertElliott, st.floats(0.01, 1.0), probability, probability, probability),
    st.builds(GilbertElliottTime, sojourn, sojourn, probability, probability),
    st.builds(BurstLoss, probability, sojourn),
    st.builds(Delay, delays),
    st.builds(Jitter, delays),
    st.builds(Reorder, probability, delays),
    st.builds(Duplicate, probability, delays),
    st.builds(Bottleneck, st.floats(1.0, 1e12), st.none() | st.integers(0, 10_000)),
    st.builds(Lifetime, seconds),
    st.builds(Outage, st.lists(st.tuples(seconds, st.just(math.inf)), max_size=2)),
    st.builds(Scripted, st.lists(faults, max_size=3)),
)
paths = st.builds(
    Path,
    delay=delays,
    loss=probability,
    jitter=delays,
    reorder=probability,
    reorder_delay=delays,
    duplicate=probability,
    duplicate_delay=delays,
    stages=st.lists(stages, max_size=4),
)
packets = st.lists(
    st.tuples(
        st.sampled_from([0, 1, MS, 10**9, 10**13]) | st.integers(0, 10**10),
        st.integers(0, 65_535),
        st.sets(st.sampled_from(["SYN", "DATA", "ACK"])),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(path=paths, packets=packets, root=st.integers(0, 2**32))
def test_any_composition_gives_whole_arrival_times_not_before_now(
    path: Path, packets: list[tuple[int, int, set[str]]], root: int
) -> None:
    names: list[str] = []

    def stream(name: str) -> Random:
        names.append(name)
        return Seed(root).stream(name)

    pipe = path.open(stream)
    now = 0
    for gap, size, kinds in packets:
        now += gap
        before = pipe.counts.copy()
        arrivals = pipe.send(now, size, kinds)
        assert all(type(arrival) is int and arrival >= now for arrival in arrivals)
        if not arrivals:
            assert pipe.cause in {name: stage for stage, name in path.plan}
        if pipe.cause:
            assert pipe.counts[pipe.cause] > before[pipe.cause]
    assert len(set(names)) == len(names)  # nobody shares a stream
