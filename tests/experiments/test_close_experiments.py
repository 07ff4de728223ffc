"""e03 and e05 with few replications: what they write, and that their simulated points lie where theory has them."""

import math
from pathlib import Path

import pytest

from netsim.experiments import Lab, folder
from netsim.sweep import Rows, number, read_csv
from tests.experiments.test_experiments import TIDY, load
from tests.experiments.words import unclear

E03 = folder() / "e03_time_wait.py"
E05 = folder() / "e05_teardown.py"
FILES = {
    "e03": ["e03a_time_wait", "e03b_assassination", "e03c_why_four"],
    "e05": ["e05a_segments", "e05b_latency", "e05c_segments", "e05d_ends", "e05e_unsent"],
}


@pytest.fixture(scope="module")
def folder_of_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("close")
    runs = {"time_wait": 200, "cost": 1, "early": 60, "segments": 40}
    e03 = load(E03, RUNS=runs, LOSSES=[0.2], LENGTHS=[0.0, 60.0], COUNTED=[0.5], DUPLICATES=[0.1, 0.3])
    runs = {"segments": 150, "latency": 300, "shares": 60, "ends": 100, "unsent": 60}
    e05 = load(E05, RUNS=runs, THINKS=[0.03, 0.1], LOSSES=[0.0, 0.5])
    for module in (e03, e05):
        list(module.main(Lab(out, workers=1)))
    return out


def simulated_within(table: Rows, *labels: str) -> int:
    """How many simulated proportions there are whose Wilson interval, stretched to 3.9 / 1.96, misses the exact one."""
    exact = {tuple(row[c] for c in labels): number(row, "value") for row in table.where(source="exact")}
    missed = 0
    for row in table.where(source="simulation"):
        at = tuple(row[c] for c in labels)
        if at in exact:
            p, n, value = exact[at], number(row, "n"), number(row, "value")
            missed += abs(value - p) > 3.9 * math.sqrt(p * (1 - p) / n) + 1e-9
    return missed


@pytest.mark.parametrize("name", FILES)
def test_the_close_experiments_write_their_figures(name: str, folder_of_results: Path) -> None:
    written = {path.name for path in folder_of_results.iterdir() if path.name.startswith(name)}
    assert written == {f"{file}.{ending}" for file in FILES[name] for ending in ("csv", "pdf", "png", "svg")}
    for file in FILES[name]:
        assert set(read_csv(folder_of_results / f"{file}.csv").columns) >= TIDY


def test_their_titles_are_short_and_their_footers_complete(folder_of_results: Path) -> None:
    assert unclear(folder_of_results) == []


def test_the_points_of_e03_lie_on_the_recursion(folder_of_results: Path) -> None:
    """Each within 3.9 standard errors; the lengths 0 and 60 s are not on the fine grid, whose next step is taken."""
    table = read_csv(folder_of_results / "e03a_time_wait.csv").where(estimate="p_unclean")
    exact = [(number(r, "time_wait"), number(r, "value")) for r in table.where(source="exact")]
    seen = {number(r, "time_wait"): number(r, "value") for r in table.where(source="simulation")}
    assert set(seen) == {0.0, 60.0}
    for length, value in seen.items():
        p = min(exact, key=lambda point: abs(point[0] - length))[1]
        assert abs(value - p) < 3.9 * math.sqrt(p * (1 - p) / 200) + 1e-9


def test_e03_has_paired_differences_and_the_cost(folder_of_results: Path) -> None:
    table = read_csv(folder_of_results / "e03a_time_wait.csv")
    (difference,) = table.where(source="paired difference")
    unclean = {r["time_wait"]: r["value"] for r in table.where(estimate="p_unclean", source="simulation")}
    assert difference["value"] == pytest.approx(unclean[60.0] - unclean[0.0])  # type: ignore[operator]
    assert number(difference, "value") < 0
    assert difference["against"] == 0.0
    ceiling = {r["time_wait"]: r["value"] for r in table.where(estimate="rate_ceiling")}
    assert ceiling[60.0] == pytest.approx(470.53, abs=0.01)  # 28,232 ports over 60 s


def test_the_points_of_e03b_lie_where_the_closed_form_has_them(folder_of_results: Path) -> None:
    table = read_csv(folder_of_results / "e03b_assassination.csv")
    assert len(table.where(source="exact")) == 2 * 31  # accepted, and fix F1; a fine grid
    assert simulated_within(table, "rst", "duplicate") == 0
    f1 = table.where(rst="fix F1", source="simulation")
    assert set(f1.column("value")) == {0.0}


def test_a_lost_rst_leaves_a_peer_that_never_closes_and_a_lost_fin_does_not(folder_of_results: Path) -> None:
    table = read_csv(folder_of_results / "e05d_ends.csv")
    left = {(r["close"], r["end"]): number(r, "value") for r in table.where(how="never")}
    assert set(left) == {("the client aborts", "server"), ("the server has unread data", "client")}
    for share in left.values():  # one RST, lost with .2
        assert abs(share - 0.2) < 3.9 * math.sqrt(0.2 * 0.8 / 100)
    for (_, _), rows in table.group_by("close", "end").items():
        assert sum(map(float, rows.array("value"))) == pytest.approx(1.0)


def test_unsent_data_takes_a_segment_and_is_lost_on_a_client_that_has_closed(folder_of_results: Path) -> None:
    """Without data FIN, FIN with ACK, ACK: three that must arrive; with a data segment four, if the ACK is delayed.

    A client that has closed its socket answers data with a RST (RFC 9293 3.6.1, SHLD-3); half-closed, it reads on.
    """
    table = read_csv(folder_of_results / "e05e_unsent.csv")
    assert simulated_within(table, "curve", "unsent_bytes") == 0
    exact = {(row["curve"], row["unsent_bytes"]): row["value"] for row in table.where(source="exact")}
    assert exact["3, delayed ACK", 0] == pytest.approx(0.98**3)
    assert exact["4, delayed ACK", 1460] == pytest.approx(0.98**4)
    assert exact["4, immediate", 1] == 0.0
    assert ("4, delayed ACK", 2920) not in exact
    seen = {(row["curve"], row["unsent_bytes"]): row["value"] for row in table.where(source="simulation")}
    assert {seen["half-close", n] for n in (0, 1, 14_600)} == {seen["close", 0]} == {1.0}
    assert {seen["close", n] for n in (1, 100, 14_600)} == {0.0}


def test_why_four_shows_the_third_and_the_fourth_segment_where_theory_has_them(folder_of_results: Path) -> None:
    table = read_csv(folder_of_results / "e03c_why_four.csv")
    assert len(table.where(estimate="p_unclean", source="simulation")) == 2  # what TIME-WAIT is for, in the same figure
    for name in ("p_three_segments", "p_four_segments"):
        assert len(table.where(estimate=name, source="simulation")) == 10  # five think times, immediate and delayed ACK
    # RFC 9293's ACK is immediate: a close never takes three segments; it takes four
    # unless a FIN or the last ACK is lost (the first ACK may be: the FIN behind it says the same)
    exact = table.where(source="exact", fin_ack="immediate ACK")
    assert {row["value"] for row in exact.where(estimate="p_three_segments")} == {0.0}
    first = exact.where(estimate="p_four_segments").array("value")[0]
    assert first == pytest.approx(0.98**3, abs=1e-3)


def test_the_points_of_e05_lie_where_the_closed_forms_have_them(folder_of_results: Path) -> None:
    latency = read_csv(folder_of_results / "e05b_latency.csv")
    assert len(latency.where(source="simulation")) > 4
    assert simulated_within(latency, "end", "t") == 0
    shares = read_csv(folder_of_results / "e05c_segments.csv")
    assert simulated_within(shares, "segments", "loss") == 0
    three = read_csv(folder_of_results / "e05a_segments.csv").where(estimate="p_three_segments", source="simulation")
    at = {(r["fin_ack"], r["think_time"]): number(r, "value") for r in three}
    assert at["immediate ACK", 0.1] == 0
    p = (1 - math.exp(-2)) * 0.98**3  # 200 ms against a mean of 100 ms; three segments, none lost
    assert abs(at["delayed ACK, 200 ms", 0.1] - p) < 3.9 * math.sqrt(p * (1 - p) / 150)
