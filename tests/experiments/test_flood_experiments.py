"""e07 and e08 with few runs: what they write, and that their points lie where theory and the kernel have them."""

import math
from pathlib import Path

import pytest

from netsim.experiments import Lab, folder
from netsim.sweep import number, read_csv
from tests.experiments.test_experiments import load
from tests.experiments.words import unclear

E07 = folder() / "e07_syn_flood.py"
E08 = folder() / "e08_half_open.py"
FILES = ("e07a_served", "e07b_population", "e07c_cookies", "e07d_costs", "e07e_queues")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("e07")
    runs = {"served": 2, "population": 1, "cookies": 60, "costs": 1}
    rates = {"RATES": [1.0, 50.0, 100.0], "RECORDED": [50.0], "CROWDED": [100.0], "FINE": [1.0, 100.0]}
    module = load(E07, RUNS=runs, LOSSES=[0.0, 0.2], **rates)
    written = {path.name for path in module.main(Lab(out, workers=1))}
    assert written == {f"{name}.{ending}" for name in FILES for ending in ("csv", "pdf", "png", "svg")}
    return out


def test_their_titles_are_short_and_their_footers_complete(results: Path) -> None:
    assert unclear(results) == []


def test_the_served_share_is_tidy_and_near_the_closed_forms_and_the_kernel(results: Path) -> None:
    table = read_csv(results / "e07a_served.csv")
    assert {"defence", "rate", "source", "value", "low", "high", "n"} <= set(table.columns)

    def value(defence: str, rate: float, source: str) -> float:
        (row,) = table.where(defence=defence, rate=rate, source=source)
        return number(row, "value")

    assert value("SYN cookies", 100.0, "simulation") == 1
    # B/a = 128/6300 and 128/300, the fluid limits of 1 - Erlang B
    assert value("no defence", 100.0, "exact") == pytest.approx(0.0203, abs=0.003)
    assert value("short timer (3 s)", 100.0, "exact") == pytest.approx(0.4267, abs=0.01)
    for defence in ("no defence", "short timer (3 s)"):
        assert abs(value(defence, 100.0, "simulation") - value(defence, 100.0, "exact")) < 0.15
    for rate, recorded in ((50.0, 0.2725),):
        assert value("Linux 6.18 rules", rate, "kernel") == recorded
        assert value("Linux 6.18 rules", rate, "simulation") == pytest.approx(recorded, abs=0.12)


def test_queues_that_evict_serve_clients_when_a_longer_queue_is_full(results: Path) -> None:
    rows = read_csv(results / "e07e_queues.csv").where(rate=100.0)
    exact = {str(row["defence"]): number(row, "value") for row in rows.where(source="exact")}
    found = {str(row["defence"]): number(row, "value") for row in rows.where(source="simulation")}
    # 1,024/(100 x 63), for clients hold a place for one round trip; e^(-100 x .1/128); a round trip brings 10 SYNs,
    # far fewer than 128 places
    assert exact["queue of 1,024"] == pytest.approx(0.1625, abs=0.003)
    assert exact["random drop"] == pytest.approx(0.925, abs=0.005)
    assert exact["evict oldest"] == pytest.approx(1.0, abs=1e-6)
    for defence, value in exact.items():
        assert abs(found[defence] - value) < 0.1


def test_cookies_leave_silent_clients_established_alone_and_a_queue_does_not(results: Path) -> None:
    rows = read_csv(results / "e07c_cookies.csv").where(estimate="p_diverged", source="simulation", loss=0.2)
    alone = {str(row["server"]): number(row, "value") for row in rows}
    assert alone["SYN cookies"] > 0.05 > alone["SYN queue"]


def test_the_times_of_e08_are_those_of_the_timers(tmp_path: Path) -> None:
    module = load(E08, RUNS={"failures": 1, "alone": 100}, RETRIES=[0, 1, 5], TIMEOUTS=[1.0], LOSSES=[0.2], FINE=[0.2])
    written = {path.name for path in module.main(Lab(tmp_path, workers=1))}
    names = ("e08a_failures", "e08b_lifetime", "e08c_alone")
    assert written == {f"{name}.{ending}" for name in names for ending in ("csv", "pdf", "png", "svg")}
    assert unclear(tmp_path) == []
    lives = {
        row["synack_retries"]: row["value"]
        for row in read_csv(tmp_path / "e08b_lifetime.csv").where(source="simulation")
    }
    assert lives == pytest.approx({0: 1.05, 1: 3.05, 5: 63.05})  # the SYN takes 50 ms
    failures = read_csv(tmp_path / "e08a_failures.csv").where(source="simulation", profile="rfc9293")
    found = {row["case"]: row["value"] for row in failures}
    assert found["crash; data"] == pytest.approx(1.1)
    assert found["crash; nothing"] == found["vanished; nothing"] == math.inf
    alone = read_csv(tmp_path / "e08c_alone.csv").where(server="SYN cookies", source="simulation")
    assert 0.05 < float(alone.array("value")[0]) < 0.4
