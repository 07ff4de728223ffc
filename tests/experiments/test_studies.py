"""What the figures show, before it is drawn: tables against rows, and the example against the scenario's own count."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from netsim.link import Exponential
from netsim.scenarios import setup, stale
from netsim.seeds import Seed
from netsim.studies.setup import PROFILES, burst_table, latency_ccdf, setup_cases
from netsim.studies.stale import (
    HEADINGS,
    ISNS,
    LIFETIME,
    MSL,
    Example,
    data_read,
    example_params,
    example_text,
    find_example,
    sequence_rows,
    stale_cases,
)
from netsim.studies.study import Case, differences, estimates, exact, simulate
from netsim.sweep import Rows, number, point_key
from netsim.tcp import clauses


def test_cases_are_labelled_with_what_they_are() -> None:
    for case in setup_cases(PROFILES, [0.0, 0.3], burst=5.0):
        p = case.params
        assert p.client.name == p.server.name == case.labels["profile"]
        assert p.loss_forward == p.loss_reverse == case.labels["loss"]
        assert p.loss_burst == 5.0
    assert len(PROFILES) == 5


def test_estimates_are_those_of_the_rows() -> None:
    cases = setup_cases(["windows"], [0.5])
    (rows,) = results = simulate(setup.run, cases, replications=200, seed=3, workers=1)
    table = estimates(cases, results, setup.ESTIMATES)
    alone = [setup.run(cases[0].params, Seed(3, point_key(cases[0].params), k)) for k in range(200)]
    failed = sum(row["failed"] for row in alone) / 200
    (line,) = table.where(estimate="p_fail")
    assert line["value"] == failed
    assert (line["profile"], line["loss"], line["source"], line["n"]) == ("windows", 0.5, "simulation", 200)
    assert len(rows) == 200


def test_common_numbers_make_differences_sharp() -> None:
    """Two variants draw the same numbers: what is left of the difference is what the variants do."""

    def run(params: Mapping[str, float], seed: Seed) -> Mapping[str, Any]:
        return {"x": params["shift"] + seed.stream("a").random(), "failed": None if seed.replication == 7 else False}

    cases = [Case({"variant": name, "loss": 0.1}, {"shift": shift}) for name, shift in (("base", 0.0), ("other", 0.25))]
    for common, spread in ((True, 1e-12), (False, 0.02)):
        results = simulate(run, cases, replications=2000, seed=3, workers=1, common=common)
        (line,) = differences(cases, results, ["x"], by="variant", base="base")
        assert (line["variant"], line["against"], line["estimate"], line["n"]) == ("other", "base", "x", 2000)
        low, value, high = (number(line, name) for name in ("low", "value", "high"))
        assert low <= value <= high <= low + 2.2 * spread
        assert (high - low > 0.01) is not common
        assert value == pytest.approx(0.25, abs=spread)
    (line,) = differences(cases, results, ["failed"], by="variant", base="base")
    assert (line["value"], line["n"]) == (0.0, 1999)


def test_a_run_that_fails_stops_the_study() -> None:
    def broken(params: Any, seed: Seed) -> Mapping[str, Any]:
        raise KeyError("no such thing")

    with pytest.raises(RuntimeError, match="2 of 2 runs failed, the first with KeyError"):
        simulate(broken, setup_cases(["linux"], [0.1]), replications=2, seed=1, workers=1)


def test_theory_is_tidy_too() -> None:
    table = exact(setup.theory, setup_cases(["rfc9293"], [0.1]))
    (line,) = table.where(estimate="setup_latency")
    assert line["value"] == pytest.approx(0.35, abs=1e-4)  # Cardwell: 0.1 + 2 * 0.1 / (1 - 0.2); retries are limited
    assert set(table.column("source")) == {"exact"}


def test_the_ccdf_counts_what_is_beyond() -> None:
    cases = setup_cases(["windows"], [0.3])
    (rows,) = results = simulate(setup.run, cases, replications=300, seed=1, workers=1)
    table = latency_ccdf(cases, results)
    latencies = [math.inf if math.isnan(x) else x for x in rows.array("client_latency")]
    simulated = table.where(source="simulation")
    assert len(simulated) >= 4
    for line in simulated:
        assert line["value"] == sum(x > line["t"] for x in latencies) / 300
        assert line["low"] <= line["value"] <= line["high"]
    assert simulated.column("value")[-1] == sum(map(math.isinf, latencies)) / 300


def test_steps_are_named_by_the_rto_before_them() -> None:
    """Windows 2000 to 7 sends SYNs at 0, 3 and 9 s: RTOs of 3 and 6 s, and the round trip is 0.1 s."""
    cases = setup_cases(["windows"], [0.1])
    results = simulate(setup.run, cases, replications=1, seed=1, workers=1)
    rtos = latency_ccdf(cases, results).where(source="rto")
    assert rtos.column("value") == [3.0, 6.0]
    assert rtos.column("t") == pytest.approx([3.1, 9.1])


def test_bursts_have_no_exact_value() -> None:
    """They stand beside what is known of independent losses; nothing else of that table is taken."""
    columns = ("profile", "loss", "estimate", "source", "value", "low", "high", "n")
    known = Rows.from_dicts(
        dict(zip(columns, line, strict=True))
        for line in (
            ("linux", 0.2, "setup_latency", "simulation", 0.6, 0.5, 0.7, 20),
            ("linux", 0.1, "setup_latency", "exact", 0.3, None, None, None),
            ("linux", 0.2, "setup_latency_p50", "simulation", 0.1, None, None, 20),
            ("freebsd", 0.2, "setup_latency", "simulation", 0.7, None, None, 20),
        )
    )
    table = burst_table(
        lambda cases: simulate(setup.run, cases, replications=20, seed=1, workers=1),
        known,
        losses=[0.0, 0.2],
        profile="linux",
        burst=5.0,
    )
    assert [(r["losses"], r["loss"]) for r in table.where(source="exact")] == [("independent", 0.1)]
    seen = [(r["losses"], r["loss"]) for r in table.where(source="simulation")]
    assert seen == [("independent", 0.2), ("bursts of 5 s", 0.0), ("bursts of 5 s", 0.2)]


def test_the_points_of_the_stale_study() -> None:
    cases = stale_cases([0.0, 0.5])
    assert [(c.labels["isn"], c.labels["time_wait"]) for c in cases[::2]] == [(i, w) for i in ISNS for w in HEADINGS]
    for case in cases:
        assert case.params.client.isn == case.params.server.isn == ISNS[str(case.labels["isn"])]
        assert case.params.time_wait == case.labels["time_wait"]
        assert (case.params.msl, case.params.duplicate) == (LIFETIME, 0.2)
        assert case.params.duplicate_delay == Exponential(10.0)
    assert set(HEADINGS) == {0.0, MSL, 2 * MSL}


@pytest.fixture(scope="module")
def example() -> Example:
    return find_example(1)


def test_the_search_ends_at_the_run_that_the_figures_name(example: Example) -> None:
    row = stale.run(example_params(), Seed(1, point_key(example_params()), example.replication))
    assert row == example.row
    assert row["wrong_bytes"] > 0


def test_the_sequence_plot_has_one_old_segment_inside_and_one_outside(example: Example) -> None:
    rows = sequence_rows(example)
    old = list(rows.where(kind="old"))
    assert sorted(str(row["verdict"]) for row in old) == [clauses.CHECK_1_SEQUENCE, "accepted"]
    for row in old:
        window = [w for w in rows.where(kind="window") if w["time"] <= row["time"]]
        before = [w for w in window if w["time"] < row["time"]][-1]
        inside = before["seq"] < row["end"] and row["seq"] < before["end"]
        assert inside == (row["verdict"] == "accepted")


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_the_data_that_was_read_has_the_wrong_bytes_that_the_scenario_counted(seed: int) -> None:
    example = find_example(seed)
    runs = [run.split(" x ") for run in data_read(example).split(", ")]
    assert sum(int(count) for count, byte in runs if byte == "'1' (old)") == example.row["wrong_bytes"]
    assert sum(int(count) for count, _ in runs) == example.params.data_bytes


def test_the_ladder_shows_the_wrong_bytes(example: Example) -> None:
    text = example_text(example)
    assert "old (incarnation 1)" in text
    assert "ACCEPTED: DATA" in text
    assert "'111111" in text
    assert text.endswith(f"{example.row['wrong_bytes']} wrong bytes, and no error at either end.\n")
