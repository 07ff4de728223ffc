"""Titles say what the tables say."""

import math

import pytest

from netsim.figures import titles
from netsim.sweep import Rows
from tests.plots import close_tables
from tests.plots import plot_tables as tables


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
    assert titles.percent(p) == text


@pytest.mark.parametrize(("t", "text"), [(0.1, "0.1 s"), (2.44, "2.4 s"), (15.1, "15 s"), (128.1, "128 s")])
def test_seconds(t: float, text: str) -> None:
    assert titles.seconds(t) == text


def test_the_mean_names_the_fastest_and_the_slowest() -> None:
    """By the exact values, nine tenths of the simulated ones in these tables."""
    title = titles.mean_title(tables.estimates(tables.MEANS), loss=0.5)
    assert title == "At 50 % loss a connection takes 2.2 s to open on average with linux, 5.5 s with rfc9293"
    simulated = tables.estimates(tables.MEANS).where(source="simulation")
    assert "2.4 s to open on average with linux" in titles.mean_title(simulated, loss=0.5)


def test_the_mean_follows_the_table() -> None:
    means = {**tables.MEANS, "windows": [0.1, 0.1, 0.1, 1.26]}
    assert "1.1 s to open on average with windows" in titles.mean_title(tables.estimates(means), loss=0.5)


def test_a_quantile_may_be_never() -> None:
    table = tables.estimates(tables.P99, "setup_latency_p99")
    assert titles.quantile_title(table, q=0.99, loss=0.3).startswith("At 30 % loss 99 % of all connections open within")
    assert titles.quantile_title(table, q=0.99, loss=0.5).endswith(
        "17 s with linux, with linux_classic and 2 others so many never do"
    )


def test_equals_are_all_named() -> None:
    same = {"a": [1.0] * 4, "b": [1.0] * 4, "c": [2.0] * 4}
    assert titles.extremes(tables.estimates(same), loss=0.3) == (("a and b", 0.9), ("c", 1.8))
    alike = tables.estimates({"a": [1.0] * 4, "b": [1.0] * 4}, "setup_latency_p50")
    title = "At 30 % loss half of all connections open within 0.9 s, whatever the host"
    assert titles.quantile_title(alike, q=0.5, loss=0.3) == title


def test_who_fails() -> None:
    title = titles.failure_title(tables.estimates(tables.FAILED, "p_fail"), loss=0.5)
    assert title == "At 50 % loss 18 % of all connections fail with windows, 0.0009 % with linux"


def test_who_waits() -> None:
    title = titles.ccdf_title(tables.ccdf(), loss=0.1)
    sent_again = "a SYN is sent again after 1 s, with windows after 3 s"
    assert title == f"At 10 % loss 19 % of all connections wait for a timer: {sent_again}"


def test_the_bursts_are_compared_with_the_theory() -> None:
    table = tables.estimates({"independent": [0.1, 0.31, 1.0, 2.0], "in 5 s bursts": [0.1, 1.674, 1, 1]}, by="losses")
    title = titles.bursts_title(table, loss=0.1, independent="independent", bursts="in 5 s bursts")
    assert title.startswith("At 10 % loss in 5 s bursts opening takes 1.7 s on average, 6.0 times")  # 1.674 / 0.279


def test_the_isns_are_sorted_by_what_they_let_in() -> None:
    title = titles.stale_title(tables.acceptance())
    assert title == (
        "Without TIME-WAIT, at 50 % loss, old data gets into 19 % of runs with constant ISNs, never with clock ones, "
        "1 \N{MULTIPLICATION SIGN} 10\u207b\u00b9\u2070 with random ones"
    )


def test_the_isns_are_compared_at_one_loss() -> None:
    """Where constant ISNs are worst, not each where it is itself."""
    known = {("constant", 0.1): 0.1, ("constant", 0.4): 0.2, ("random", 0.1): 9e-11, ("random", 0.4): 3e-11}
    rows = Rows.from_dicts(
        {"isn": isn, "time_wait": 0.0, "loss": loss, "estimate": "p_stale_data_expected", "value": value}
        for (isn, loss), value in known.items()
    )
    title = titles.stale_title(rows)
    assert title.startswith("Without TIME-WAIT, at 40 % loss, old data gets into 20 % of runs with constant ISNs, 3 ")


def test_old_segments_are_counted() -> None:
    rows = tables.sequence()
    assert titles.sequence_title(rows).startswith("2 old segments reach the new connection: 1 in the receive window")
    taken = Rows.from_dicts({**row, "verdict": "accepted"} for row in rows)
    assert ": 2 in the receive window" in titles.sequence_title(taken)


def test_the_widest_interval_is_told() -> None:
    rows = Rows.from_dicts([{"low": 0.1, "high": 0.2}, {"low": 0.2, "high": 0.44}, {"low": None, "high": None}])
    assert titles.within(rows) == "shares as counted, 95 % intervals by Wilson at most \N{PLUS-MINUS SIGN}12 %"


def test_the_footer_tells_how() -> None:
    text = titles.footer(n=2600, seed=7, interval="95 % by Wilson", loss="independent losses")
    for part in ("n = 2,600", "seed 7", "95 % by Wilson", "timers first at equal times", "independent losses"):
        assert part in text


def test_infinite_values_do_not_break_the_extremes() -> None:
    (_, low), (_, high) = titles.extremes(tables.estimates(tables.P99), loss=0.5)
    assert (low, high) == (pytest.approx(0.9 * 19.1), math.inf)


def test_why_four_counts_the_third_segment_and_the_last() -> None:
    table = Rows.concatenate([close_tables.segments(), close_tables.time_wait()])
    title = titles.why_four_title(table, think=0.1, loss=0.2)
    assert title == (
        "Four segments, as the ACK of a FIN goes at once (three in 80 % of cases if it waits); at 20 % loss 60 s of "
        "TIME-WAIT cut unclean closes from 18 % to 0.11 %"
    )


def test_text_left_makes_four_segments_of_three() -> None:
    columns = ("curve", "left", "source", "value")
    lines = [
        ("4, ACK waits", 0, 0.02),
        ("4, ACK waits", 1, 0.92),
        ("4, ACK at once", 0, 0.94),
        ("4, ACK at once", 1, 0),
    ]
    lines += [("close", 0, 1.0), ("close", 1, 0.0)]
    table = Rows.from_dicts(dict(zip(columns, (name, left, "simulation", p), strict=True)) for name, left, p in lines)
    exact = {"curve": "4, ACK waits", "left": 1, "source": "exact", "value": 0.91}
    assert "in 91 % of cases" in titles.left_title(Rows.concatenate([table, Rows.from_dicts([exact])]))
    assert titles.left_title(table) == (
        "With a little text left to send a close takes four segments in 92 % of cases if the ACK waits for the text, "
        "never if it goes at once; a client that has gone reads nothing"
    )


def test_ends_are_left_by_rst_and_not_by_fin() -> None:
    assert titles.ends_title(close_tables.ends(), loss=0.25) == (
        "A lost FIN is sent again, a lost RST is not: at 25 % loss 25 % of closes by RST leave the other end open for "
        "ever, none of those by FIN"
    )
