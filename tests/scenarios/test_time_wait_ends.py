"""TIME-WAIT that ends early: by assassination (RFC 1337) and by a new SYN. n and seed are fixed."""

import math
from typing import Any

import pytest
from scipy import stats

from netsim.link import Exponential
from netsim.scenarios import assassination, reopen
from netsim.seeds import Seed
from netsim.sweep import Rows, estimate, sweep
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, RandomIsn
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.trace import Trace

ALPHA = 1e-4  # two-sided


def rows_of(scenario: Any, point: Any, n: int, seed: int = 6) -> Rows:
    rows = sweep(scenario.run, [point], replications=n, seed=seed, workers=1)
    assert not len(rows.failed())
    return rows


def client(**changes: Any) -> Any:
    return rfc9293().replace(**changes)


def test_an_old_segment_ends_time_wait_one_round_trip_later() -> None:
    """Every segment has a copy 1 s later: in TIME-WAIT from 3 RTT = .3 s, the SYN-ACK's comes first, at .1 + 1 s.

    The ACK it draws and the RST take one round trip: 1.2 s, so .9 s after TIME-WAIT began.
    """
    row = assassination.run(assassination.Params(duplicate=1.0, duplicate_delay=1.0), Seed(1))
    assert row["assassinated"] is True
    assert row["assassinated_after"] == pytest.approx(0.9)
    quiet = assassination.run(assassination.Params(duplicate=0.0), Seed(1))
    assert (quiet["assassinated"], quiet["time_wait_duration"], quiet["old_segment_arrived"]) == (False, 240.0, False)


@pytest.mark.parametrize("fix", ["ignore", "ignore-2s"])
def test_both_fixes_survive_copies_in_the_first_two_seconds(fix: str) -> None:
    """All copies are late by .15 s, those of the ACKs that they draw too; the FIN's starts 2MSL again at .15 s."""
    point = assassination.Params(duplicate=1.0, duplicate_delay=0.15, client=client(time_wait_rst=fix))
    row = assassination.run(point, Seed(1))
    assert row["resets_ignored"] > 0
    assert row["assassinated"] is False
    assert row["time_wait_duration"] == pytest.approx(240.15)
    assert assassination.run(assassination.Params(duplicate=1.0, duplicate_delay=0.15), Seed(1))["assassinated"] is True


def test_fix_f2_is_over_after_two_seconds() -> None:
    late: dict[str, Any] = {"duplicate": 1.0, "duplicate_delay": 3.0}
    assassinated = {
        fix: assassination.run(assassination.Params(client=client(time_wait_rst=fix), **late), Seed(1))["assassinated"]
        for fix in ("accept", "ignore", "ignore-2s")
    }
    assert assassinated == {"accept": True, "ignore": False, "ignore-2s": True}


def by_hand(duplicate: float, mean: float, segments: int, wait: float, rtt: float = 0.1) -> float:
    """1 - P(no copy ends TIME-WAIT): SYN-ACK, data, ACK of the FIN, FIN, and the client's last ACK."""

    def late(gap: float, lasts: float) -> float:
        return duplicate * (math.exp(-gap / mean) - math.exp(-(gap + lasts) / mean))

    misses = [1 - late(2 * rtt, wait - rtt), *[1 - late(rtt, wait - rtt)] * segments]
    misses += [1 - late(0, wait - rtt), 1 - late(0, wait), 1 - late(0, wait - rtt)]
    return 1 - math.prod(misses)


@pytest.mark.parametrize(
    ("changes", "wait"),
    [
        ({}, 240.0),
        ({"data_segments": 10, "duplicate": 0.02}, 240.0),
        ({"duplicate": 0.2, "client": client(time_wait=5.0)}, 5.0),
    ],
)
def test_p_assassinated_by_closed_form(changes: dict[str, Any], wait: float) -> None:
    """Exact binomial test, 1,000 runs."""
    point = assassination.Params(**changes)
    exact = assassination.theory(point)["p_assassinated"]
    assert exact == pytest.approx(by_hand(point.duplicate, 20.0, point.data_segments, wait))
    rows = rows_of(assassination, point, 1000)
    assert stats.binomtest(sum(map(bool, rows.column("assassinated"))), 1000, exact).pvalue > ALPHA


def test_fix_f1_never_lets_it_happen() -> None:
    point = assassination.Params(duplicate=0.5, client=client(time_wait_rst="ignore"))
    assert assassination.theory(point) == {"p_assassinated": 0.0}
    rows = rows_of(assassination, point, 200)
    assert not any(rows.column("assassinated"))
    assert sum(map(int, rows.column("resets_ignored"))) > 200  # type: ignore[arg-type]


def test_theory_of_the_assassination_lies_inside_the_interval_as_often_as_it_claims() -> None:
    """Over 60 seeds a 95 % interval holds the truth 50 to 60 times, with probability .999."""
    point = assassination.Params()
    truth = assassination.theory(point)["p_assassinated"]
    inside = 0
    for seed in range(60):
        e = estimate(rows_of(assassination, point, 30, seed), {"p": assassination.ESTIMATES["p_assassinated"]})["p"]
        assert e.low is not None
        assert e.high is not None
        inside += e.low <= truth <= e.high
    assert inside >= 50


def test_no_theory_of_the_assassination_where_none_holds() -> None:
    for changes in (
        {"duplicate_delay": 1.0},
        {"duplicate_delay": Exponential(1.0, 0.5)},
        {"client": client(time_wait_rst="ignore-2s")},
        {"client": client(timer_hz=250)},
        {"server": client(initial_window=1)},
    ):  # type: dict[str, Any]
        assert assassination.theory(assassination.Params(**changes)) == {}


def test_the_trace_shows_the_assassination() -> None:
    trace = Trace()
    assassination.run(assassination.Params(duplicate=1.0, duplicate_delay=1.0), Seed(1), [trace.events.append])
    assert "TIME-WAIT" in trace.ladder()
    assert "reset" in trace.ladder()


RULES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "none": ({}, {"at once": 0.0, "after reset": 1.0}),
    "none, F1": ({"server": client(time_wait_rst="ignore")}, {"never": 1.0}),
    "RFC 1122": (
        {"client": client(isn=RandomIsn()), "server": client(time_wait_reuse="rfc1122")},
        {"at once": 0.5, "after reset": 0.5},
    ),
    "RFC 1122, clock": (
        {"client": client(isn=ClockIsn()), "server": client(time_wait_reuse="rfc1122")},
        {"at once": 1.0},
    ),
    "RFC 6191, no timestamps": (
        {"client": client(isn=RandomIsn()), "server": client(time_wait_reuse="rfc6191")},
        {"at once": 0.5, "never": 0.5},
    ),
    "RFC 6191, timestamps": (
        {
            "client": client(isn=RandomIsn(), timestamps=True),
            "server": client(time_wait_reuse="rfc6191", timestamps=True),
        },
        {"at once": 1.0},
    ),
    "Linux": ({"client": linux(), "server": linux()}, {"at once": 1.0}),
    "Linux, no timestamps": (
        {"client": linux().replace(isn=RandomIsn(), timestamps=False), "server": linux()},
        {"at once": 0.5, "after reset": 0.5},
    ),
    "a constant number is never ahead": (
        {"client": client(isn=ConstantIsn(7)), "server": client(time_wait_reuse="rfc1122")},
        {"after reset": 1.0},
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_new_syn_in_time_wait_by_rule(rule: str) -> None:
    """Half of all random numbers lie ahead of the old connection's. Exact binomial tests, 150 runs."""
    changes, expected = RULES[rule]
    rows = rows_of(reopen, reopen.Params(**changes), 150)
    seen = {how: rows.column("outcome").count(how) for how in set(map(str, rows.column("outcome")))}
    assert set(seen) == {how for how, p in expected.items() if p}
    for how, p in expected.items():
        assert stats.binomtest(seen.get(how, 0), 150, p).pvalue > ALPHA
    theory = reopen.theory(reopen.Params(**changes))
    assert set(theory) <= set(reopen.ESTIMATES)
    if "p_at_once" in theory:
        assert theory["p_at_once"] == pytest.approx(expected.get("at once", 0.0))


def test_what_reopening_costs_by_hand() -> None:
    """At once in one round trip of .1 s; after a reset when the SYN's timer of 1 s has run out as well."""
    assert reopen.run(reopen.Params(client=linux(), server=linux()), Seed(1)) == {
        "outcome": "at once", "setup_latency": pytest.approx(0.1), "syns": 1,
    }  # fmt: skip
    assert reopen.run(reopen.Params(), Seed(1)) == {
        "outcome": "after reset",
        "setup_latency": pytest.approx(1.1),
        "syns": 2,
    }


@pytest.mark.parametrize(
    ("scenario", "field", "value"),
    [
        (assassination, "data_segments", 11),
        (assassination, "duplicate", 1.5),
        (assassination, "duplicate_delay", -1.0),
        (assassination, "delay_forward", -1.0),
        (reopen, "request_bytes", 0),
        (reopen, "pause", -1.0),
        (reopen, "pause", 240.0),
    ],
)
def test_bad_parameters_of_what_ends_time_wait_are_named(scenario: Any, field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        scenario.Params(**{field: value})
