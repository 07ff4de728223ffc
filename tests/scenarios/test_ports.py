"""What TIME-WAIT costs: ports that run out, by hand, by Little and by Erlang. n and seed are fixed."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from netsim.scenarios import ports
from netsim.seeds import Seed
from netsim.sweep import Rows, estimate, sweep
from netsim.theory import connection_rate_ceiling


def rows_of(point: ports.Params, n: int, seed: int = 5) -> Rows:
    rows = sweep(ports.run, [point], replications=n, seed=seed, workers=1)
    assert not len(rows.failed())
    return rows


def test_ports_run_out_by_hand() -> None:
    """Five ports, an OPEN every 0.1 s from 0.1 s on, each port taken for 1.02 s: the sixth OPEN, at 0.6 s, is refused.

    The port of the first is free at 1.12 s, so the OPEN at 1.2 s is the next that succeeds: five in every 1.1 s. The
    window from 2.25 s to 4.45 s is two such rounds.
    """
    point = ports.Params(arrivals="regular", connection_rate=10.0, warm_up=2.25, observation_time=2.2)
    row = ports.run(point, Seed(1))
    assert row["first_failure_time"] == pytest.approx(0.6)
    assert ports.theory(point)["first_failure_time"] == pytest.approx(0.6)
    assert row["open_rate"] == pytest.approx(10 / 2.2)
    assert row["failed_rate"] == pytest.approx(12 / 2.2)
    assert row["server_time_wait_sockets"] == 0


def test_below_the_ceiling_nothing_is_refused() -> None:
    """5 / 1.02 s = 4.90 /s: an OPEN every 0.21 s (4.76 /s) succeeds without end."""
    point = ports.Params(arrivals="regular", connection_rate=1 / 0.21, warm_up=10.0)
    assert ports.run(point, Seed(1))["any_open_failed"] is False
    assert ports.theory(point) == {"server_time_wait_sockets": 0.0, "p_any_open_failed": 0.0}


def test_the_end_that_closes_first_is_in_time_wait() -> None:
    """Little: 50 /s for 1 s are 50 connections, within 3.9 standard errors of a Poisson population over 25 runs."""
    at: dict[str, Any] = {"local_ports": 2000, "connection_rate": 50.0, "warm_up": 2.0, "observation_time": 0.01}
    for first, other in (("client", "server"), ("server", "client")):
        rows = rows_of(ports.Params(closes_first=first, **at), 25)
        held = rows.array(f"{first}_time_wait_sockets")
        assert abs(float(np.mean(held)) - 50.0) < 3.9 * (50 / 25) ** 0.5
        assert set(rows.column(f"{other}_time_wait_sockets")) == {0}


def test_erlang_and_little_against_the_core() -> None:
    """a = 5 x 1.02 = 5.1 on five ports: B = .2929, so 3.535 connections a second and as many of them in TIME-WAIT.

    250 runs; proportion by an exact binomial test, means within 3.9 standard errors: two-sided alpha 1e-4 each.
    """
    point = ports.Params()
    values, rows = ports.theory(point), rows_of(point, 250)
    assert values["p_exhausted"] == pytest.approx(0.29293, abs=1e-5)  # b1 .836, b2 .681, b3 .537, b4 .406, b5 .293
    assert set(values) <= set(ports.ESTIMATES)
    seen = ports.ESTIMATES["p_exhausted"](rows)
    assert seen.value is not None
    assert stats.binomtest(round(seen.value * seen.n), seen.n, values["p_exhausted"]).pvalue > 1e-4
    for name in ("open_rate", "client_time_wait_sockets"):
        sample = rows.array(name)
        assert abs(float(np.mean(sample)) - values[name]) < 3.9 * float(np.std(sample)) / len(sample) ** 0.5, name


def test_theory_of_ports_lies_inside_the_interval_as_often_as_it_claims() -> None:
    """Over 40 seeds a 95 % interval holds the truth 33 to 40 times, with probability .999."""
    point = ports.Params(local_ports=2, connection_rate=2.0, warm_up=4.0, observation_time=0.1)
    truth = ports.theory(point)["p_exhausted"]
    inside = 0
    for seed in range(40):
        e = estimate(rows_of(point, 30, seed), {"p": ports.ESTIMATES["p_exhausted"]})["p"]
        assert e.low is not None
        assert e.high is not None
        inside += e.low <= truth <= e.high
    assert inside >= 33


@pytest.mark.slow
def test_the_ceiling_of_linux_seen_in_a_run() -> None:
    """28,232 ports for 60 s: 470.5 a second. Of 500 /s wanted, the first is refused at 28,233 / 500 s."""
    point = ports.Params(
        local_ports=28232,
        time_wait=60.0,
        connection_rate=500.0,
        arrivals="regular",
        warm_up=60.0,
        observation_time=60.0,
    )
    row = ports.run(point, Seed(1))
    assert row["first_failure_time"] == pytest.approx(28233 / 500)
    assert row["open_rate"] == pytest.approx(connection_rate_ceiling(ports=28232, time_wait=60.0), rel=0.001)
    assert row["client_time_wait_sockets"] == pytest.approx(28232, rel=0.001)


def test_variants_share_their_arrivals() -> None:
    """A longer TIME-WAIT changes what is refused, not when connections are wanted."""
    short, long = (ports.run(ports.Params(time_wait=t, local_ports=1), Seed(3, f"{t}")) for t in (0.5, 1.0))
    total = [row["open_rate"] + row["failed_rate"] for row in (short, long)]
    assert total[0] == total[1]


def test_no_theory_of_ports_where_none_holds() -> None:
    assert ports.theory(ports.Params(closes_first="server")) == {}
    assert ports.theory(ports.Params(delay_forward=2.0)) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [("local_ports", 0), ("local_ports", 2.5), ("connection_rate", 0.0),
     ("observation_time", 0.0), ("time_wait", -1.0), ("arrivals", "never"),
     ("closes_first", "both")],
)  # fmt: skip
def test_bad_parameters_of_ports_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        ports.Params(**{field: value})
