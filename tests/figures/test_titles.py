"""Titles say what the tables say, in at most 90 characters."""

import math

import pytest

from netsim.figures import assassination, reincarnation, setup, stale, syn_flood, teardown, time_wait, two_way
from netsim.figures.labels import footer, name_of, percent, rare, seconds, widest
from netsim.sweep import Rows, Scalar
from tests.figures import setup_tables as tables
from tests.figures import teardown_tables


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50 %"),
        (0.19, "19 %"),
        (0.0134, "1.3 %"),
        (0.00042, "0.042 %"),
        (0.0996, "10 %"),
    ],
)
def test_percent(p: float, text: str) -> None:
    assert percent(p) == text


@pytest.mark.parametrize(
    ("t", "text"),
    [(0.0, "0 s"), (0.1, "100 ms"), (2.44, "2.4 s"), (15.1, "15 s"), (128.1, "128 s"), (7875.0, "2.2 h")],
)
def test_seconds(t: float, text: str) -> None:
    assert seconds(t) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "none"), (0.02, "2 %"), (3e-9, "3 \N{MULTIPLICATION SIGN} 10\u207b\u2079")]
)
def test_rare(p: float, text: str) -> None:
    assert rare(p) == text


def test_systems_have_the_names_that_people_use() -> None:
    assert name_of("linux") == "Linux 6.5 and later"
    assert name_of("a curve") == "a curve"
    assert name_of(3, "client.syn_retries") == "client.syn_retries = 3"


def test_the_mean_names_the_fastest_and_the_slowest() -> None:
    """By the exact values, nine tenths of the simulated ones in these tables."""
    title = setup.mean_title(tables.estimates(tables.MEANS), loss=0.5)
    assert title == "Mean setup latency at 50 % loss: 2.2 s (Linux 6.5 and later) to 5.5 s (RFC 9293)"
    simulated = tables.estimates(tables.MEANS).where(source="simulation")
    assert ": 2.4 s (Linux 6.5 and later) to" in setup.mean_title(simulated, loss=0.5)


def test_the_mean_follows_the_table() -> None:
    means = {**tables.MEANS, "windows": [0.1, 0.1, 0.1, 1.26]}
    assert ": 1.1 s (Windows 7) to" in setup.mean_title(tables.estimates(means), loss=0.5)


def test_a_quantile_may_be_never() -> None:
    table = tables.estimates(tables.P99, "setup_latency_p99")
    assert setup.quantile_title(table, q=0.99, loss=0.3).startswith("99th percentile of latency at 30 % loss: 3.7 s")
    assert setup.quantile_title(table, q=0.99, loss=0.5).endswith(": 17 s (Linux 6.5 and later) to never (3 systems)")


def test_equals_are_counted() -> None:
    same = {"a": [1.0] * 4, "b": [1.0] * 4, "c": [2.0] * 4}
    assert setup.extremes(tables.estimates(same), loss=0.3) == (("2 systems", 0.9), ("c", 1.8))
    alike = tables.estimates({"a": [1.0] * 4, "b": [1.0] * 4}, "setup_latency_p50")
    assert setup.quantile_title(alike, q=0.5) == "Median of latency at 30 % loss: 900 ms with every system"


def test_infinite_values_do_not_break_the_extremes() -> None:
    (_, low), (_, high) = setup.extremes(tables.estimates(tables.P99), loss=0.5)
    assert (low, high) == (pytest.approx(0.9 * 19.1), math.inf)


def test_who_fails() -> None:
    title = setup.failure_title(tables.estimates(tables.FAILED, "p_fail"), loss=0.5)
    few = "9 \N{MULTIPLICATION SIGN} 10\u207b\u2076"
    assert title == f"At 50 % loss {few} (Linux 6.5 and later) to 18 % (Windows 7) of connections fail"


def test_who_waits() -> None:
    assert setup.ccdf_title(tables.ccdf(), loss=0.1) == (
        "At 10 % loss 19 % of connections wait for a retransmission timer"
    )


def test_the_isns_are_sorted_by_what_they_accept() -> None:
    assert stale.acceptance_title(tables.acceptance()) == (
        "Without TIME-WAIT constant ISNs accept old data in 19 % of runs, clock ISNs never"
    )


def test_the_isns_are_compared_at_one_loss() -> None:
    """Where constant ISNs are worst, not each where it is itself."""
    known = {("constant", 0.1): 0.1, ("constant", 0.4): 0.2, ("random", 0.1): 9e-11, ("random", 0.4): 3e-11}
    rows = Rows.from_dicts(
        {"isn": isn, "time_wait": 0.0, "loss": loss, "estimate": "p_stale_data_expected", "value": value}
        for (isn, loss), value in known.items()
    )
    few = "3 \N{MULTIPLICATION SIGN} 10\u207b\u00b9\u00b9"
    assert stale.acceptance_title(rows) == (
        f"Without TIME-WAIT constant ISNs accept old data in 20 % of runs, random ISNs in {few}"
    )


def test_old_segments_are_counted() -> None:
    rows = tables.sequence()
    assert stale.sequence_title(rows).startswith("The new connection accepted 1 of 2 old segments")
    taken = Rows.from_dicts({**row, "verdict": "accepted"} for row in rows)
    assert "accepted 2 of 2" in stale.sequence_title(taken)


def test_the_widest_interval_is_named() -> None:
    rows = Rows.from_dicts([{"low": 0.1, "high": 0.2}, {"low": 0.2, "high": 0.44}, {"low": None, "high": None}])
    assert widest(rows) == "95 % intervals (Wilson), at most \N{PLUS-MINUS SIGN}12 %"


def test_the_footer_has_what_a_repetition_needs() -> None:
    text = footer(2600, "95 % intervals (Wilson)", "independent losses", "", seed=7)
    assert text == "2,600 runs per point; 95 % intervals (Wilson); independent losses; seed 7."
    assert footer(1, "nothing random", seed=7, per="curve").startswith("1 run per curve; ")


def test_time_wait_and_why_four() -> None:
    table = Rows.concatenate([teardown_tables.segments(), teardown_tables.time_wait()])
    assert time_wait.time_wait_title(table, loss=0.2) == (
        "At 20 % loss 60 s of TIME-WAIT cut unclean closes from 18 % to 0.11 %"
    )
    assert time_wait.why_four_title(table, think_time=0.1) == (
        "Closes in three segments: none with an immediate ACK of the FIN, 80 % with a delayed ACK"
    )


def test_how_often_time_wait_ends_early() -> None:
    assert assassination.assassination_title(teardown_tables.assassination(), duplicate=0.1) == (
        "At 10 % duplication a RST ends TIME-WAIT early in 50 % of runs, in none with fix F1"
    )


def test_unsent_data_makes_four_segments_of_three() -> None:
    columns = ("curve", "unsent_bytes", "source", "value")
    lines = [
        ("4, delayed ACK", 0, 0.02),
        ("4, delayed ACK", 1, 0.92),
        ("4, immediate", 0, 0.94),
        ("4, immediate", 1, 0.0),
    ]
    table = Rows.from_dicts(dict(zip(columns, (name, n, "simulation", p), strict=True)) for name, n, p in lines)
    exact = {"curve": "4, delayed ACK", "unsent_bytes": 1, "source": "exact", "value": 0.91}
    title = "Unsent data makes {} of closes take four segments if the ACK of the FIN is delayed"
    assert teardown.unsent_title(Rows.concatenate([table, Rows.from_dicts([exact])])) == title.format("91 %")
    assert teardown.unsent_title(table) == title.format("92 %")


def test_a_close_by_rst_may_leave_a_peer_that_never_closes() -> None:
    assert teardown.ends_title(teardown_tables.ends(), loss=0.25) == (
        "At 25 % loss 25 % of closes by RST leave a peer that never closes, by FIN none"
    )


def test_a_missing_value_is_not_zero() -> None:
    table = Rows.from_dicts([{**row, "value": None} for row in tables.estimates(tables.MEANS)])
    with pytest.raises(ValueError, match="value"):
        setup.mean_title(table)


def rows(estimate: str, *lines: dict[str, Scalar], source: str = "simulation") -> Rows:
    return Rows.from_dicts([{"estimate": estimate, "source": source, "n": 100, **line} for line in lines])


@pytest.mark.parametrize(("three", "words"), [(0.0, "others none"), (0.01, "others open some, too")])
def test_ghost_connections(three: float, words: str) -> None:
    table = rows(
        "p_ghost",
        {"handshake": "two-way", "duplicate": 0.1, "value": 0.02},
        {"handshake": "two-way", "duplicate": 0.5, "value": 0.125},
        {"handshake": "three-way", "duplicate": 0.5, "value": three},
    )
    assert two_way.ghost_title(table) == f"A two-way handshake opens 125 ghost connections per 1,000, {words}"


def test_delayed_syns() -> None:
    table = rows(
        "p_ghost",
        {"handshake": "two-way", "cause": "delay", "x": 1.0, "value": 0.3},
        {"handshake": "two-way", "cause": "delay", "x": 1.5, "value": 0.45},
        {"handshake": "three-way", "cause": "delay", "x": 1.5, "value": 0.5},
    )
    assert two_way.delay_title(table) == (
        "Delayed SYNs open up to 450 ghost connections per 1,000 with a two-way handshake"
    )


@pytest.mark.parametrize(("seen", "words"), [(0.0, "No ghost connections"), (0.5, "Ghost connections occur even")])
def test_memory(seen: float, words: str) -> None:
    exact = rows("p_ghost", {"server_memory": 1.0, "value": 0.1}, {"server_memory": 2.0, "value": 0.0}, source="exact")
    table = Rows.concatenate([exact, rows("p_ghost", {"server_memory": 3.0, "value": seen})])
    assert two_way.memory_title(table, lifetime=2.5) == (
        f"{words} if the server remembers old ones longer than segments live (2.5 s)"
    )


@pytest.mark.parametrize(
    ("slow", "waited", "title"),
    [
        (0.0, 0.0, "A clock-driven ISN protects only slow, short connections; TIME-WAIT protects all"),
        (0.1, 0.1, "A clock-driven ISN protects no connections; not even TIME-WAIT protects all"),
    ],
)
def test_incarnations(slow: float, waited: float, title: str) -> None:
    table = rows(
        "p_stale_data_accepted",
        {"kind": "slow, short", "isn": "clock", "time_wait": 0.0, "value": slow},
        {"kind": "fast, short", "isn": "clock", "time_wait": 0.0, "value": 0.25},
        {"kind": "fast, short", "isn": "clock", "time_wait": 3.0, "value": waited},
    )
    assert reincarnation.cells_title(table) == title


def test_bytes_lifetimes_and_timestamps() -> None:
    name = "p_stale_data_expected"
    for low, word in ((0.0, "only if the old connection sent more"), (0.01, "even if the old connection sent less")):
        table = rows(name, *({"isn": "clock", "size": s, "value": v} for s, v in ((10, low), (90, 0.08))))
        assert stale.bytes_title(table, edge=50.0) == f"A clock ISN accepts old data {word} than 50 bytes"
    for waited, word in ((0.0, "No old data is accepted after"), (0.02, "Old data is accepted even after")):
        cells = (({"time_wait": 9.0, "lifetime": 9.0}, waited), ({"time_wait": 0.0, "lifetime": 9.0}, 0.5))
        title = stale.lifetime_title(rows(name, *({**labels, "value": value} for labels, value in cells)))
        assert title == f"{word} a TIME-WAIT as long as segments live"
    for stamped, word in ((0.0, "in none with them"), (0.03, "in 3 % with them")):
        lines = ({"timestamps": t, "duplicate": 0.5, "value": v} for t, v in (("without", 0.2), ("with", stamped)))
        title = stale.timestamps_title(rows("p_wrong_bytes", *lines))
        assert title == f"Wrong bytes are read in 20 % of runs without timestamps, {word} (PAWS)"


def test_the_queue_that_fills() -> None:
    table = Rows.from_dicts(
        {"defence": name, "rate": 5.0, "t": float(t), "value": min(entries * t, 128.0)}
        for name, entries in (("no defence", 5.0), ("short timer", 0.0625))
        for t in range(200)
    )
    assert syn_flood.population_title(table) == (
        "At 5 SYNs/s a queue of 128 is full after 26 s; with short timer it holds 11"
    )
