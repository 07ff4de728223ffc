"""The close: by hand where nothing is lost, and closed forms where something is. n and seed are fixed."""

import math
from typing import Any

import pytest
from scipy import stats

from netsim.link import Exponential
from netsim.scenarios import teardown
from netsim.seeds import Seed
from netsim.sweep import sweep
from netsim.tcp.profiles import profile, rfc9293
from netsim.trace import Trace

N = 1500
ALPHA = 1e-4  # two-sided, for each proportion


def params(**changes: Any) -> teardown.Params:
    """No losses, unless they are given; 50 ms each way."""
    return teardown.Params(**({"loss_forward": 0.0, "loss_reverse": 0.0} | changes))


def ends(**changes: Any) -> tuple[Any, ...]:
    """One run: segments, then how and when (s) the client and the server were done."""
    row = teardown.run(params(**changes), Seed(1))
    return tuple(row[n] for n in ("segments", "client_end", "client_latency", "server_end", "server_latency"))


def test_four_segments_by_hand() -> None:
    """FIN at 0, there at .05; ACK and FIN back at .1; the last ACK there at .15. Thinking moves the latter two."""
    assert ends() == (4, "TIME-WAIT", 0.1, "clean", 0.15)
    assert ends(close="close") == (4, "TIME-WAIT", 0.1, "clean", 0.15)
    assert ends(think=0.3) == (4, "TIME-WAIT", 0.4, "clean", 0.45)


def test_simultaneous_close_by_hand() -> None:
    """RFC 9293 figure 13: two FINs cross, each is acknowledged, and both ends hold TIME-WAIT."""
    assert ends(close="simultaneous") == (4, "TIME-WAIT", 0.1, "TIME-WAIT", 0.1)


def test_a_reset_by_hand() -> None:
    assert ends(close="abort") == (1, "abort", 0.0, "reset", 0.05)
    assert ends(close="unread") == (1, "reset", 0.05, "abort", 0.0)  # RFC 2525 2.17, RFC 9293 3.6.1
    assert teardown.run(params(close="unread"), Seed(1))["text_delivered"] is False


def test_data_after_the_clients_fin() -> None:
    """Half-closed, the client reads all of it; gone for good, it answers with a RST (RFC 9293 3.6.1, SHLD-3)."""
    half = teardown.run(params(left=5000), Seed(1))
    assert (half["client_end"], half["server_end"], half["text_delivered"]) == ("TIME-WAIT", "clean", True)
    gone = teardown.run(params(left=5000, close="close"), Seed(1))
    assert (gone["client_end"], gone["server_end"], gone["text_delivered"]) == ("data after close", "reset", False)


def test_data_after_the_clients_fin_over_a_lossy_path() -> None:
    rows = sweep(
        teardown.run,
        [teardown.Params(left=20_000, loss_forward=0.2, loss_reverse=0.2)],
        replications=60,
        seed=3,
        workers=1,
    )
    assert not len(rows.failed())
    assert all(rows.column("text_delivered"))
    assert set(rows.column("server_end")) == {"clean"}


def test_an_orphan_in_fin_wait_2_by_hand() -> None:
    """Linux waits 60 s without a user (tcp_fin_timeout) from the ACK at .1; the FIN at 100.05 then draws a RST."""
    linux = profile("linux")
    segments, client, when, server, late = ends(close="close", think=100.0, client=linux, server=linux)
    assert (segments, client, server) == (4, "orphan", "reset")
    assert when == pytest.approx(60.1)
    assert late == pytest.approx(100.15)
    assert ends(close="half-close", think=100.0, client=linux, server=linux)[1::2] == ("TIME-WAIT", "clean")
    assert ends(close="close", think=100.0)[1::2] == ("TIME-WAIT", "clean")  # RFC 9293 has no such timer


def test_the_core_acknowledges_a_fin_at_once() -> None:
    """However fast the server is: its FIN cannot carry the ACK of the client's (RFC 9293 3.10.7.4, eighth)."""
    for name in ("rfc9293", "linux"):
        row = teardown.run(params(server=profile(name), client=profile(name)), Seed(1))
        assert (row["segments"], row["ack_rides_on_fin"]) == (4, False)


LOSSY: dict[str, tuple[dict[str, Any], float]] = {
    "the FIN is in time": ({"think": 0.3, "loss_forward": 0.2, "loss_reverse": 0.3}, 0.8 * 0.8 * 0.7),
    "the FIN comes after the RTO of 1 s": (
        {"think": 2.0, "loss_forward": 0.2, "loss_reverse": 0.3},
        0.8 * 0.8 * 0.7 * 0.7,
    ),
    "the client is gone": ({"close": "close", "loss_forward": 0.1, "loss_reverse": 0.4}, 0.9 * 0.9 * 0.6),
    "simultaneous": (
        {"close": "simultaneous", "loss_forward": 0.1, "loss_reverse": 0.2},
        0.9 * 0.9 * 0.8 * 0.8,
    ),
}


@pytest.mark.parametrize("cell", LOSSY)
def test_four_segments_over_a_lossy_path(cell: str) -> None:
    """Exactly four iff what must arrive arrives: FIN, FIN, last ACK, and the first ACK if the FIN is not in time."""
    changes, by_hand = LOSSY[cell]
    point = params(**changes)
    assert teardown.theory(point)["p_four_segments"] == pytest.approx(by_hand)
    rows = sweep(teardown.run, [point], replications=N, seed=8, workers=1)
    assert not len(rows.failed())
    four = sum(n == 4 for n in rows.column("segments"))
    assert stats.binomtest(four, N, by_hand).pvalue > ALPHA
    assert min(map(int, rows.column("segments"))) >= 4  # type: ignore[arg-type]


@pytest.mark.parametrize(("close", "victim", "loss"), [("abort", "server", 0.3), ("unread", "client", 0.4)])
def test_a_lost_reset_leaves_a_half_open_connection(close: str, victim: str, loss: float) -> None:
    """Nothing is outstanding there, so no timer runs: it stays ESTABLISHED for ever (RFC 9293 3.5.1)."""
    point = params(close=close, loss_forward=0.3, loss_reverse=0.4)
    values = teardown.theory(point)
    assert values[f"p_{victim}_never"] == loss
    assert values["segments"] == 1.0
    rows = sweep(teardown.run, [point], replications=N, seed=9, workers=1)
    never = [row for row in rows if row[f"{victim}_end"] == "never"]
    assert stats.binomtest(len(never), N, loss).pvalue > ALPHA
    assert {row[f"{victim}_state"] for row in never} == {"ESTABLISHED"}
    assert all(math.isnan(float(row[f"{victim}_latency"])) for row in never)  # type: ignore[arg-type]
    assert set(rows.column("segments")) == {1}


@pytest.mark.parametrize("close", ["half-close", "close", "simultaneous", "abort", "unread"])
def test_without_losses_the_theory_is_the_run(close: str) -> None:
    point = params(close=close, think=0.25)
    row, values = teardown.run(point, Seed(1)), teardown.theory(point)
    assert values["segments"] == row["segments"]
    assert set(values) <= set(teardown.ESTIMATES)
    for name, value in values.items():
        if name.endswith("_latency"):
            assert row[name] == pytest.approx(value)
        elif name == "p_four_segments":
            assert value == (row["segments"] == 4)
        elif name.startswith(("p_client", "p_server")):
            _, end, how = name.split("_", 2)
            assert value == (row[f"{end}_end"] == {"time_wait": "TIME-WAIT"}.get(how, how)), name


@pytest.mark.parametrize(
    "changes",
    [
        {"left": 1},
        {"think": Exponential(1.0)},
        {"think": 0.9},  # the FIN comes at the very instant of the client's RTO
        {"client": rfc9293().replace(timer_hz=250)},
        {"server": rfc9293().replace(retries2=0)},
        {"server": rfc9293().replace(user_timeout=0.5)},
        {"close": "close", "think": 70.0, "client": profile("linux")},
        {"close": "unread", "server": rfc9293().replace(receive_buffer=50)},
    ],
)
def test_no_theory_where_no_closed_form_holds(changes: dict[str, Any]) -> None:
    assert teardown.theory(params(**changes)) == {}


def test_the_trace_tells_the_same_story() -> None:
    point = params(loss_forward=0.4, loss_reverse=0.4, think=Exponential(0.5), left=3000)
    for replication in range(5):
        trace = Trace()
        row = teardown.run(point, Seed(2, "", replication), trace.records.append)
        again = teardown.run(point, Seed(2, "", replication))
        assert str(row) == str(again)
        assert "FIN-WAIT-1" in trace.ladder()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("close", "never"),
        ("loss_reverse", 2.0),
        ("delay_forward", -1.0),
        ("think", -1.0),
        ("left", -1),
        ("left", 0.5),
        ("client.retries2", rfc9293().replace(user_timeout=None)),
    ],
)
def test_bad_parameters_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        teardown.Params(**{field.partition(".")[0]: value})
