"""A connection with the address of another host (Morris 1985): which ISN policies permit it. Fixed n and seed."""

from typing import Any

import pytest
from scipy import stats

from netsim.scenarios import forged_open
from netsim.seeds import Seed
from netsim.sweep import sweep
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, HashIsn, IsnPolicy, RandomIsn
from netsim.trace import Trace

ALPHA = 1e-4


def params(isn: IsnPolicy, **changes: Any) -> forged_open.Params:
    return forged_open.Params(server=TcpConfig(isn=isn), **changes)


def opened(point: forged_open.Params, n: int) -> int:
    rows = sweep(forged_open.run, [point], replications=n, seed=3, workers=1)
    assert rows.column("opened") == rows.column("data_accepted")
    return sum(map(bool, rows.column("opened")))


@pytest.mark.parametrize(
    "point",
    [
        params(ConstantIsn(7)),
        params(ClockIsn(), jitter=0.0),
        params(ClockIsn(), jitter=0.001, guesses=100),
        params(ClockIsn(), jitter=0.0001, guesses=9, pause=0.333333),
        params(CounterIsn(), jitter=0.0),
        params(CounterIsn(), jitter=0.0, guesses=3, background_rate=3.0),
        params(CounterIsn(128, 64), jitter=0.0, guesses=2, background_rate=3.0, pause=1.5),
        params(HashIsn(), guesses=20),
        params(RandomIsn(), guesses=20),
    ],
    ids=lambda point: f"{type(point.server.isn).__name__}-{point.guesses}-{point.pause}",
)
def test_as_often_as_the_policy_can_be_guessed(point: forged_open.Params) -> None:
    n = 400
    p = forged_open.theory(point)["p_opened"]
    assert stats.binomtest(opened(point, n), n, p).pvalue > ALPHA


def test_the_order_of_the_policies() -> None:
    """One guess, 1 ms of jitter or one other opening in the pause: certain, then ever less likely."""
    ps = [
        forged_open.theory(params(isn, jitter=j, background_rate=o))["p_opened"]
        for isn, j, o in (
            (ConstantIsn(), 0.001, 2.0),
            (CounterIsn(), 0.0, 2.0),
            (ClockIsn(), 0.001, 2.0),
            (HashIsn(), 0.001, 2.0),
        )
    ]
    assert ps == sorted(ps, reverse=True)
    assert ps[0] == 1.0
    assert ps[-1] == 2.0**-32


def test_what_a_wrong_guess_does() -> None:
    """Every wrong final ACK is answered with a RST, which goes to the silent host; the right one still opens."""
    row = forged_open.run(params(ClockIsn(), jitter=0.0, guesses=11), Seed(1))
    assert row == {"opened": True, "data_accepted": True, "resets": 5}  # guesses -5 .. +5 around the right one
    row = forged_open.run(params(RandomIsn(), guesses=11), Seed(1))
    assert row == {"opened": False, "data_accepted": False, "resets": 11}


def test_a_mac_stops_it_at_the_syn() -> None:
    keyed = TcpConfig(isn=ConstantIsn(), authentication_key="secret")
    point = forged_open.Params(server=keyed)
    trace = Trace()
    assert forged_open.run(point, Seed(1), [trace.events.append])["opened"] is False
    assert forged_open.theory(point) == {"p_opened": 0.0, "p_data_accepted": 0.0}


def test_the_trace_tells_forged_segments() -> None:
    trace = Trace()
    forged_open.run(params(ConstantIsn(), jitter=0.0), Seed(1), [trace.events.append])
    assert trace.ladder().count("[forged]") >= 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"guesses": 0}, "guesses = 0"),
        ({"guesses": 1.5}, "guesses = 1.5: must be an integer"),
        ({"pause": 0.1}, "pause = 0.1"),
        ({"jitter": 1.0}, "jitter = 1.0"),
        ({"background_rate": -1.0}, "background_rate = -1.0"),
        ({"delay": 0.5}, "delay = 0.5"),
    ],
)
def test_a_bad_forgery_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        forged_open.Params(**changes)
