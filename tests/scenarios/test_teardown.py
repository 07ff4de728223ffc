"""The close: by hand where nothing is lost, and closed forms where something is. n and seed are fixed."""

import math
from collections import Counter
from typing import Any

import pytest
from scipy import stats

from netsim.link import Exponential
from netsim.scenarios import teardown
from netsim.scenarios.closing import fin_intervals
from netsim.seeds import Seed
from netsim.sweep import estimate, sweep
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile, rfc9293
from netsim.theory import close_latency
from netsim.trace import Trace
from tests.scenarios.fit import p_value

N = 1500
ALPHA = 1e-4  # two-sided, for each proportion


def params(**changes: Any) -> teardown.Params:
    """No losses, unless they are given; 50 ms in each direction."""
    return teardown.Params(**({"loss_forward": 0.0, "loss_reverse": 0.0} | changes))


def ends(**changes: Any) -> tuple[Any, ...]:
    """One run: segments, then how and when (s) the client and the server were done."""
    row = teardown.run(params(**changes), Seed(1))
    return tuple(row[n] for n in ("segments", "client_outcome", "client_latency", "server_outcome", "server_latency"))


def test_four_segments_by_hand() -> None:
    """FIN at 0, there at .05; ACK and FIN back at .1; the last ACK there at .15. Thinking moves the latter two."""
    assert ends() == (4, "TIME-WAIT", 0.1, "clean", 0.15)
    assert ends(close="close") == (4, "TIME-WAIT", 0.1, "clean", 0.15)
    assert ends(think_time=0.3) == (4, "TIME-WAIT", 0.4, "clean", 0.45)


def test_simultaneous_close_by_hand() -> None:
    """RFC 9293 figure 13: two FINs cross, each is acknowledged, and both ends hold TIME-WAIT."""
    assert ends(close="simultaneous") == (4, "TIME-WAIT", 0.1, "TIME-WAIT", 0.1)


def test_a_reset_by_hand() -> None:
    assert ends(close="abort") == (1, "abort", 0.0, "reset", 0.05)
    assert ends(close="unread") == (1, "reset", 0.05, "abort", 0.0)  # RFC 2525 2.17, RFC 9293 3.6.1
    assert teardown.run(params(close="unread"), Seed(1))["data_delivered"] is False


def test_data_after_the_clients_fin() -> None:
    """Half-closed, the client reads all of it; gone for good, it answers with a RST (RFC 9293 3.6.1, SHLD-3)."""
    half = teardown.run(params(unsent_bytes=5000), Seed(1))
    assert (half["client_outcome"], half["server_outcome"], half["data_delivered"]) == ("TIME-WAIT", "clean", True)
    gone = teardown.run(params(unsent_bytes=5000, close="close"), Seed(1))
    assert (gone["client_outcome"], gone["server_outcome"], gone["data_delivered"]) == (
        "data after close",
        "reset",
        False,
    )


def test_data_after_the_clients_fin_over_a_lossy_path() -> None:
    rows = sweep(
        teardown.run,
        [teardown.Params(unsent_bytes=20_000, loss_forward=0.2, loss_reverse=0.2)],
        replications=60,
        seed=3,
        workers=1,
    )
    assert not len(rows.failed())
    assert all(rows.column("data_delivered"))
    assert set(rows.column("server_outcome")) == {"clean"}


def test_an_orphan_in_fin_wait_2_by_hand() -> None:
    """Linux waits 60 s without a user (tcp_fin_timeout) from the ACK at .104; the FIN at 100.05 then draws a RST."""
    linux = profile("linux")
    segments, client, when, server, late = ends(close="close", think_time=100.0, client=linux, server=linux)
    assert (segments, client, server) == (4, "orphan", "reset")
    assert when == pytest.approx(60.104)
    assert late == pytest.approx(100.15)
    assert ends(close="half-close", think_time=100.0, client=linux, server=linux)[1::2] == ("TIME-WAIT", "clean")
    assert ends(close="close", think_time=100.0)[1::2] == ("TIME-WAIT", "clean")  # RFC 9293 has no such timer


@pytest.mark.parametrize(("name", "segments"), [("rfc9293", 4), ("freebsd", 4), ("linux", 3)])
def test_who_acknowledges_a_fin_at_once(name: str, segments: int) -> None:
    """However fast the server is, its FIN cannot carry the ACK of the client's (RFC 9293 3.10.7.4, eighth).

    Linux lets that ACK wait for a tick: a user who closes as he reads the end closes in three segments.
    """
    row = teardown.run(params(server=profile(name), client=profile(name)), Seed(1))
    assert (row["segments"], row["ack_piggybacked"]) == (segments, segments == 3)


DELAYED = rfc9293().replace(fin_ack="delayed", delayed_ack=0.2)


def test_three_segments_by_hand() -> None:
    """The ACK waits 0.2 s for the server's FIN: in time at 0.1 s, and at once; at 0.2 s the timer has come first."""
    assert ends(server=DELAYED) == (3, "TIME-WAIT", 0.1, "clean", 0.15)
    assert ends(server=DELAYED, think_time=0.1) == (3, "TIME-WAIT", 0.2, "clean", 0.25)
    assert ends(server=DELAYED, think_time=0.2) == (4, "TIME-WAIT", pytest.approx(0.3), "clean", pytest.approx(0.35))


def test_with_data_left_to_send_the_ack_is_piggybacked_on_it() -> None:
    """FIN, data with ACK, FIN, ACK: four again, none of them a pure ACK from the server; with an immediate ACK five.

    A second data segment is acknowledged immediately (RFC 9293 3.8.6.3).
    """
    row = teardown.run(params(server=DELAYED, unsent_bytes=100), Seed(1))
    assert (row["segments"], row["ack_piggybacked"], row["data_delivered"]) == (4, False, True)
    counts = {
        (name, left): teardown.run(params(server=server, unsent_bytes=left), Seed(1))["segments"]
        for name, server in (("at once", rfc9293()), ("waits", DELAYED))
        for left in (0, 1, 1460, 2920, 14_600)
    }
    assert [counts["at once", left] for left in (0, 1, 1460, 2920)] == [4, 5, 5, 7]
    assert [counts["waits", left] for left in (0, 1, 1460, 2920)] == [3, 4, 4, 6]
    assert counts["at once", 14_600] - counts["waits", 14_600] == 1


# What is lost, and by hand P(three segments), P(four).
LOSSY: dict[str, tuple[dict[str, Any], float, float]] = {
    "the FIN is in time": ({"think_time": 0.3, "loss_forward": 0.2, "loss_reverse": 0.3}, 0.0, 0.8 * 0.8 * 0.7),
    "the FIN comes after the RTO of 1 s": (
        {"think_time": 2.0, "loss_forward": 0.2, "loss_reverse": 0.3},
        0.0,
        0.8 * 0.8 * 0.7 * 0.7,
    ),
    "the client is gone": ({"close": "close", "loss_forward": 0.1, "loss_reverse": 0.4}, 0.0, 0.9 * 0.9 * 0.6),
    "the ACK rides": (
        {"server": DELAYED, "loss_forward": 0.2, "loss_reverse": 0.3},
        0.8 * 0.7 * 0.8,
        0.2 * 0.8 * 0.7 * 0.8,
    ),
    "the ACK rides if the server is quick": (
        {"server": DELAYED, "think_time": Exponential(0.2), "loss_forward": 0.1, "loss_reverse": 0.1},
        (1 - math.exp(-1)) * 0.9**3,
        # piggybacked, after one lost FIN; alone and in time (below .9 s); alone and too late
        (1 - math.exp(-1)) * 0.1 * 0.9**3 + (math.exp(-1) - math.exp(-4.5)) * 0.9**3 + math.exp(-4.5) * 0.9**4,
    ),
    "data is left to send": ({"unsent_bytes": 1000, "loss_forward": 0.1, "loss_reverse": 0.2}, 0.0, 0.0),
    "data is left to send and carries the ACK": (
        {"unsent_bytes": 1000, "server": DELAYED, "loss_forward": 0.1, "loss_reverse": 0.2},
        0.0,
        0.9 * 0.8 * 0.8 * 0.9,
    ),
    "simultaneous": (
        {"close": "simultaneous", "loss_forward": 0.1, "loss_reverse": 0.2},
        0.0,
        0.9 * 0.9 * 0.8 * 0.8,
    ),
}


@pytest.mark.parametrize("cell", LOSSY)
def test_segments_over_a_lossy_path(cell: str) -> None:
    """Exactly three or four iff what must arrive arrives: FIN, FIN, last ACK; the first ACK if it goes alone, late."""
    changes, three, four = LOSSY[cell]
    point = params(**changes)
    values = teardown.theory(point)
    assert values["p_four_segments"] == pytest.approx(four)
    assert values.get("p_three_segments", 0.0) == pytest.approx(three)
    rows = sweep(teardown.run, [point], replications=N, seed=8, workers=1)
    assert not len(rows.failed())
    for segments, by_hand in ((3, three), (4, four)):
        seen = sum(n == segments for n in rows.column("segments"))
        assert stats.binomtest(seen, N, by_hand).pvalue > ALPHA, segments
    assert min(map(int, rows.column("segments"))) >= 3  # type: ignore[arg-type]


def test_latency_of_both_ends_over_a_lossy_path() -> None:
    """The whole distribution of both latencies: chi-square, alpha 1e-4 each, atoms expected under five times pooled.

    The FINs of either end go out at 0, 1, 3, 7, ... s: with a loss of .2 there and .1 back the client is done at
    .4 + {0, 1, 2, 3, ...} s, at .4 s with .8 x .9.
    """
    point = params(think_time=0.3, loss_forward=0.2, loss_reverse=0.1)
    fins = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 45.0)  # RFC 793's user timeout of 300 s ends the ninth
    exact = close_latency(
        client_intervals=fins, server_intervals=fins, think=0.3, delay_forward=0.05, delay_reverse=0.05,
        loss_forward=0.2, loss_reverse=0.1,
    )  # fmt: skip
    assert exact.client.cdf(0.4) == pytest.approx(0.8 * 0.9)
    assert exact.server.cdf(0.45) == pytest.approx(0.8 * 0.9 * 0.8)
    assert fin_intervals(point.client, 100_000_000, peer=point.server) == fins
    rows = sweep(teardown.run, [point], replications=N, seed=12, workers=1)
    for end, distribution in (("client", exact.client), ("server", exact.server)):
        seen = Counter(round(float(x), 6) for x in rows.array(f"{end}_latency"))
        atoms = {
            round(float(t), 6): float(p) for t, p in zip(distribution.times, distribution.probabilities, strict=True)
        }
        assert p_value(seen, atoms) > ALPHA, end


def test_theory_of_the_close_lies_inside_the_interval_as_often_as_it_claims() -> None:
    """Over 60 seeds a 95 % interval holds the truth 50 to 60 times, with probability .999."""
    point = params(server=DELAYED, think_time=Exponential(0.2), loss_forward=0.1, loss_reverse=0.1)
    truth = teardown.theory(point)
    inside = dict.fromkeys(("p_three_segments", "p_four_segments"), 0)
    for seed in range(60):
        rows = sweep(teardown.run, [point], replications=30, seed=seed, workers=1)
        for name, e in estimate(rows, {name: teardown.ESTIMATES[name] for name in inside}).items():
            assert e.low is not None
            assert e.high is not None
            inside[name] += e.low <= truth[name] <= e.high
    assert all(count >= 50 for count in inside.values()), inside


@pytest.mark.parametrize(("close", "victim", "loss"), [("abort", "server", 0.3), ("unread", "client", 0.4)])
def test_a_lost_reset_leaves_a_half_open_connection(close: str, victim: str, loss: float) -> None:
    """Nothing is outstanding there, so no timer runs: it stays ESTABLISHED without end (RFC 9293 3.5.1)."""
    point = params(close=close, loss_forward=0.3, loss_reverse=0.4)
    values = teardown.theory(point)
    assert values[f"p_{victim}_never_closed"] == loss
    closer = {"server": "client", "client": "server"}[victim]
    assert values[f"p_{closer}_abort"] == 1.0
    assert values["segments"] == 1.0
    rows = sweep(teardown.run, [point], replications=N, seed=9, workers=1)
    never = [row for row in rows if row[f"{victim}_outcome"] == "never"]
    assert stats.binomtest(len(never), N, loss).pvalue > ALPHA
    assert {row[f"{victim}_state"] for row in never} == {"ESTABLISHED"}
    assert all(math.isnan(float(row[f"{victim}_latency"])) for row in never)  # type: ignore[arg-type]
    assert set(rows.column("segments")) == {1}
    assert teardown.ESTIMATES[f"p_{closer}_abort"](rows).value == 1.0


def test_who_is_left_in_time_wait() -> None:
    """The end that closes first; both if they close at once, whatever is lost (RFC 9293 3.6, figures 12 and 13)."""
    points = [params(close=close, loss_forward=0.2, loss_reverse=0.2) for close in ("half-close", "simultaneous")]
    rows = sweep(teardown.run, points, replications=100, seed=4, workers=1).group_by("close")
    shares = {
        name: [teardown.ESTIMATES[f"p_{end}_time_wait"](found).value for end in ("client", "server")]
        for (name,), found in rows.items()
    }
    assert shares == {"half-close": [1.0, 0.0], "simultaneous": [1.0, 1.0]}
    assert teardown.theory(points[0])["p_server_time_wait"] == 0.0


@pytest.mark.parametrize("server", [rfc9293(), DELAYED.replace(delayed_ack=0.5)], ids=["immediate", "delayed"])
@pytest.mark.parametrize("close", ["half-close", "close", "simultaneous", "abort", "unread"])
def test_without_losses_the_theory_is_the_run(close: str, server: TcpConfig) -> None:
    point = params(close=close, think_time=0.25, server=server)
    row, values = teardown.run(point, Seed(1)), teardown.theory(point)
    assert values["segments"] == row["segments"]
    assert set(values) <= set(teardown.ESTIMATES)
    for name, value in values.items():
        if name.endswith("_latency"):
            assert row[name] == pytest.approx(value)
        elif name in ("p_three_segments", "p_four_segments"):
            assert value == (row["segments"] == {"p_three_segments": 3, "p_four_segments": 4}[name])
        elif name == "p_ack_piggybacked":
            assert value == row["ack_piggybacked"]
        elif name.endswith("_p95"):
            assert row[name.removesuffix("_p95")] == pytest.approx(value)
        elif name.startswith(("p_client", "p_server")):
            _, end, how = name.split("_", 2)
            assert value == (
                row[f"{end}_outcome"] == {"time_wait": "TIME-WAIT", "never_closed": "never"}.get(how, how)
            ), name


@pytest.mark.parametrize(
    "changes",
    [
        {"unsent_bytes": 1461},
        {"unsent_bytes": 1, "client": rfc9293().replace(delayed_ack=None)},
        {"unsent_bytes": 1, "close": "close"},
        {"think_time": Exponential(1.0, 0.1)},
        {"think_time": Exponential(30.0), "close": "close", "client": profile("linux")},
        {"server": DELAYED.replace(delayed_ack=0.5), "client": rfc9293().replace(rto_min=0.5, rto_max=0.5)},
        {"think_time": 0.9},  # the FIN comes at the very instant of the client's RTO
        {"client": rfc9293().replace(timer_hz=250)},
        {"server": rfc9293().replace(retries2=0)},
        {"server": rfc9293().replace(user_timeout=0.5)},
        {"close": "close", "think_time": 70.0, "client": profile("linux")},
        {"close": "unread", "server": rfc9293().replace(receive_buffer=50)},
    ],
)
def test_no_theory_where_no_closed_form_holds(changes: dict[str, Any]) -> None:
    assert teardown.theory(params(**changes)) == {}


def test_the_trace_tells_the_same_story() -> None:
    point = params(loss_forward=0.4, loss_reverse=0.4, think_time=Exponential(0.5), unsent_bytes=3000)
    for replication in range(5):
        trace = Trace()
        row = teardown.run(point, Seed(2, "", replication), [trace.events.append])
        again = teardown.run(point, Seed(2, "", replication))
        assert str(row) == str(again)
        assert "FIN-WAIT-1" in trace.ladder()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("close", "never"),
        ("loss_reverse", 2.0),
        ("delay_forward", -1.0),
        ("think_time", -1.0),
        ("unsent_bytes", -1),
        ("unsent_bytes", 0.5),
        ("client.retries2", rfc9293().replace(user_timeout=None)),
    ],
)
def test_bad_parameters_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        teardown.Params(**{field.partition(".")[0]: value})


@pytest.mark.slow
def test_mean_latencies_of_the_close_lie_inside_the_interval_as_often_as_they_claim() -> None:
    """Over 60 seeds a 95 % interval holds the truth 50 to 60 times, with probability .999."""
    point = params(loss_forward=0.1, loss_reverse=0.1)
    truth = teardown.theory(point)
    inside = dict.fromkeys(("client_latency", "server_latency", "client_latency_p95"), 0)
    for seed in range(60):
        rows = sweep(teardown.run, [point], replications=2000, seed=seed)
        for name, e in estimate(rows, {name: teardown.ESTIMATES[name] for name in inside}).items():
            assert e.low is not None
            assert e.high is not None
            inside[name] += e.low - 1e-9 <= truth[name] <= e.high + 1e-9
    assert all(count >= 50 for count in inside.values()), inside
