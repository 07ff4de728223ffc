"""Stale segments: what the core accepts, counted, against what the times of the same runs let one expect."""

import math

import pytest

from netsim.link import Exponential, Fixed, Uniform
from netsim.scenarios import stale
from netsim.seeds import Seed
from netsim.sweep import Rows, sweep
from netsim.tcp.isn import ClockIsn, ConstantIsn, IsnPolicy, RandomIsn
from netsim.tcp.profiles import rfc9293
from netsim.trace import Trace

N = 600


def params(isn: IsnPolicy, **changes: object) -> stale.Params:
    # The rate limit on answers to unacceptable segments keeps an accident from becoming an endless exchange of ACKs.
    config = rfc9293().replace(isn=isn, invalid_ratelimit=0.5)
    return stale.Params(**({"client": config, "server": config, "size": 6000, "rate": 6000.0} | changes))  # type: ignore[arg-type]


def rows_of(point: stale.Params, n: int = N) -> Rows:
    rows = sweep(stale.run, [point], replications=n, seed=4, workers=1)
    assert not len(rows.failed())
    return rows


@pytest.mark.parametrize(("loss", "time_wait"), [(0.0, 0.0), (0.2, 0.0), (0.0, 5.0)])
def test_counting_agrees_with_the_expectation(loss: float, time_wait: float) -> None:
    """Two-sided alpha 1e-4 for each of the three."""
    point = params(
        ConstantIsn(7),
        loss_forward=loss,
        loss_reverse=loss,
        time_wait=time_wait,
        duplicate=0.3,
        duplicate_delay=Exponential(5.0),
    )
    rows = rows_of(point)
    counted = sum(map(bool, rows.column("stale_data_accepted"))) / N
    expected = math.fsum(map(float, rows.column("p_expected"))) / N  # type: ignore[arg-type]
    assert 0.02 < expected < 0.6
    assert abs(counted - expected) < 3.9 * math.sqrt(expected * (1 - expected) / N)


@pytest.mark.parametrize("isn", [ClockIsn(), RandomIsn()])
def test_clock_and_random_numbers_refuse_what_constant_ones_take(isn: IsnPolicy) -> None:
    changes = {"duplicate": 0.5, "duplicate_delay": Exponential(2.0), "loss_forward": 0.0, "loss_reverse": 0.0}
    taken = rows_of(params(ConstantIsn(7), **changes), 100)
    refused = rows_of(params(isn, **changes), 100)
    assert sum(map(int, taken.column("accepted_data"))) > 20  # type: ignore[arg-type]
    assert sum(map(int, refused.column("arrived_data"))) > 20  # type: ignore[arg-type]
    assert sum(map(int, refused.column("accepted_data"))) == 0  # type: ignore[arg-type]
    assert sum(map(int, refused.column("wrong_bytes"))) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("late", "wrong"), [(1.0, False), (2.15, True), (9.0, False)])
def test_one_certain_copy_by_hand(late: float, wrong: bool) -> None:
    """One segment of 1,000 bytes and no losses: every instant is known.

    Connection 1: text sent at 0.1, arrives at 0.15; FIN at 1.1; TIME-WAIT (0 s) at 1.2. Connection 2 opens at 2.2 (1 s
    of pause): its SYN arrives at 2.25, and its own text at 2.35. With constant ISNs a copy of the old text is taken
    exactly if it arrives in between; before, it belongs to nobody, and after, its numbers are behind the window.
    """
    point = params(
        ConstantIsn(7),
        size=1000,
        rate=1000.0,
        duplicate=1.0,
        duplicate_delay=Fixed(late),
        loss_forward=0.0,
        loss_reverse=0.0,
    )
    row = stale.run(point, Seed(1))
    assert row["wrong"] is wrong
    assert row["wrong_bytes"] == (1000 if wrong else 0)
    assert row["stale_data_accepted"] is wrong


def test_no_copy_outlives_its_lifetime() -> None:
    point = params(ConstantIsn(7), lifetime=3.0, time_wait=3.0, duplicate=0.9, duplicate_delay=Exponential(5.0))
    assert stale.theory(point)["p_stale_data_accepted"] == 0.0
    rows = rows_of(point, 60)
    assert sum(map(int, rows.column("arrived_data"))) == 0  # type: ignore[arg-type]


def test_an_endless_exchange_of_acks_is_cut_and_said() -> None:
    """RFC 1337, hazard H2: without a limit, ACKs that are copied on the way breed."""
    config = rfc9293().replace(isn=ConstantIsn(7))
    losses = {"loss_forward": 0.0, "loss_reverse": 0.0}
    point = stale.Params(client=config, server=config, size=5000, rate=500.0, duplicate=0.3, **losses)
    rows = sweep(stale.run, [point], replications=20, seed=1, workers=1)
    assert not len(rows.failed())
    assert any(rows.column("ack_war"))


def test_the_trace_tells_the_same_story() -> None:
    point = params(ConstantIsn(7), duplicate=0.3, duplicate_delay=Exponential(3.0))
    for replication in range(40):
        trace = Trace()
        row = stale.run(point, Seed(2, "", replication), trace.records.append)
        assert row == stale.run(point, Seed(2, "", replication))
        if row["accepted_data"]:
            assert "ACCEPTED: DATA" in trace.ladder()
            return
    pytest.fail("no run with an accident")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("loss_forward", 1.5),
        ("duplicate", float("nan")),
        ("pause", -1.0),
        ("size", 0),
        ("rate", 0.0),
        ("lifetime", -1.0),
    ],
)
def test_bad_parameters_are_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        stale.Params(**{field: value})  # type: ignore[arg-type]


def test_a_slow_original_is_late_too() -> None:
    """No copies are made, but a segment can be overtaken by its own retransmission: nothing is certain then."""
    point = params(ConstantIsn(7), duplicate=0.0, delay_forward=Uniform(0.01, 8.0))
    assert stale.theory(point) == {}
    assert math.isnan(stale.run(point, Seed(1))["p_expected"])


def test_time_wait_is_set_in_one_place() -> None:
    with pytest.raises(ValueError, match=r"client\.time_wait"):
        stale.Params(client=rfc9293().replace(time_wait=60.0))
