"""The server that starts again: EADDRINUSE by hand and by closed form. n and seed are fixed."""

from typing import Any

import pytest
from scipy import stats

from netsim.scenarios import restart
from netsim.seeds import Seed
from netsim.sweep import sweep
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.trace import Trace

CLEAN: dict[str, Any] = {"loss_forward": 0.0, "loss_reverse": 0.0}


@pytest.mark.parametrize(("server", "attempts"), [(rfc9293(), 241), (linux(), 61)], ids=["rfc9293", "linux"])
def test_the_server_that_closed_first_waits_for_two_msl(server: Any, attempts: int) -> None:
    """Stop at 0, TIME-WAIT from 0.1 to 240.1 s (60.1 on Linux); attempts at 1, 2, ... s: the one at 241 s succeeds."""
    row = restart.run(restart.Params(server=server, client=server, **CLEAN), Seed(1))
    assert row == {"address_in_use": True, "bind_wait": pytest.approx(attempts - 1), "bind_attempts": attempts}


def test_so_reuseaddr_or_a_client_that_closes_first_spare_it_the_wait() -> None:
    for changes in ({"reuse_address": True}, {"closes_first": "client"}):
        row = restart.run(restart.Params(**(CLEAN | changes)), Seed(1))
        assert row == {"address_in_use": False, "bind_wait": 0.0, "bind_attempts": 1}


@pytest.mark.parametrize(("downtime", "fins"), [(0.1, 0), (1.0, 1), (2.0, 2), (8.0, 4)])
def test_a_connection_in_last_ack_occupies_the_port_too(downtime: float, fins: int) -> None:
    """The server's FIN goes out at .05 s and again 1, 3, 7, ... s later; its answer takes .1 s. Half of them are lost.

    By 8 s four had the time: the connection is still there with .5^4. Exact binomial test, 300 runs, alpha 1e-4.
    """
    point = restart.Params(closes_first="client", loss_forward=0.0, loss_reverse=0.5, downtime=downtime)
    exact = restart.theory(point)["p_address_in_use"]
    assert exact == 0.5**fins
    rows = sweep(restart.run, [point], replications=300, seed=4, workers=1)
    assert not len(rows.failed())
    assert stats.binomtest(sum(map(bool, rows.column("address_in_use"))), 300, exact).pvalue > 1e-4


def test_theory_of_the_restart_uses_the_keys_of_the_estimates() -> None:
    for point in (restart.Params(), restart.Params(reuse_address=True), restart.Params(closes_first="client", **CLEAN)):
        assert set(restart.theory(point)) <= set(restart.ESTIMATES)
    assert restart.theory(restart.Params()) == {"p_address_in_use": 1.0}
    assert restart.theory(restart.Params(closes_first="client", loss_forward=0.1)) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("closes_first", "nobody"),
        ("downtime", -1.0),
        ("retry_interval", 0.0),
        ("reuse_address", 1),
        ("loss_reverse", 2.0),
    ],
)
def test_bad_parameters_of_the_restart_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        restart.Params(**{field: value})


def test_the_ladder_says_why_the_server_cannot_start() -> None:
    """TIME-WAIT of 2 s from .25 s on; attempts at 1.15 and 2.15 s fail, that at 3.15 s does not."""
    trace = Trace()
    restart.run(restart.Params(server=rfc9293().replace(time_wait=2.0), **CLEAN), Seed(1), [trace.events.append])
    text = " ".join(trace.ladder().replace("|", " ").split())
    assert text.count("listen(80)") == 4  # the first start, and three more
    assert text.count("address already in use") == 2
