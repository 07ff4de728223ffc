"""e09 and e10 with few replications: what they write, and that their points lie where theory has them."""

import math
from pathlib import Path

import pytest

from netsim.experiments import Lab, folder
from netsim.studies.syn_data import load_formula
from netsim.sweep import Rows, number, read_csv
from tests.experiments.test_experiments import TIDY, load
from tests.experiments.words import unclear

FILES = {"e09": ["e09a_injection", "e09b_forged_open"], "e10": ["e10a_attack", "e10b_duplicates", "e10c_amplification"]}
INJECTED = 30


@pytest.fixture(scope="module")
def attack_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("attacks")
    e09 = load(
        folder() / "e09_blind.py",
        RUNS={"injection": INJECTED, "forged": 40},
        WINDOWS=[2**16, 2**28],
        GUESSES=[1, 30],
    )
    e10 = load(
        folder() / "e10_syn_data.py",
        RUNS={"attack": 4, "duplicates": 4},
        RATES=[2.0, 20.0],
        DUPLICATES=[0.0, 0.5],
        AMOUNTS=[0, 100],
    )
    for module in (e09, e10):
        list(module.main(Lab(out, workers=1)))
    return out


def values(table: Rows, *labels: str, source: str) -> dict[tuple[object, ...], float]:
    """Values by labels; a row without one (segments that were only computed, not sent) is left out."""
    known = [row for row in table.where(source=source) if row["value"] is not None]
    return {tuple(row[c] for c in labels): number(row, "value") for row in known}


@pytest.mark.parametrize("name", FILES)
def test_the_attack_experiments_write_their_figures(name: str, attack_results: Path) -> None:
    written = {path.name for path in attack_results.iterdir() if path.name.startswith(name)}
    wanted = {f"{file}.{ending}" for file in FILES[name] for ending in ("csv", "pdf", "png", "svg")}
    assert written == wanted | ({"e09c_rfc4953.csv", "e09c_rfc4953.txt"} if name == "e09" else set())
    for file in FILES[name][:-1]:
        assert set(read_csv(attack_results / f"{file}.csv").columns) >= TIDY


def test_their_titles_are_short_and_their_footers_complete(attack_results: Path) -> None:
    assert unclear(attack_results) == []


def test_counted_sweeps_are_as_long_as_theory_says(attack_results: Path) -> None:
    """The length of a sweep is nearly uniform: its mean over 30 runs is off by less than 3.9 / sqrt(3 x 30), 41 %."""
    table = read_csv(attack_results / "e09a_injection.csv")
    exact = values(table, "attack", "window", source="exact")
    counted = values(table.where(estimate="segments_needed"), "attack", "window", source="simulation")
    assert exact["RST, RFC 793", 65536] == 32_768.5
    assert exact["RST, RFC 5961", 65536] == 2**31 + 0.5
    for at, mean in counted.items():
        assert abs(mean / exact[at] - 1) < 3.9 / math.sqrt(3 * INJECTED)
    sent = values(table.where(estimate="segments_used"), "attack", "window", source="simulation")
    for at in (("RST, RFC 793", 2**28), ("data, RFC 793", 2**28), ("data, RFC 5961", 2**28)):
        assert sent[at] == counted[at]


def test_forged_connections_open_as_often_as_theory_says(attack_results: Path) -> None:
    table = read_csv(attack_results / "e09b_forged_open.csv")
    exact = values(table, "isn", "guesses", source="exact")
    for at, share in values(table, "isn", "guesses", source="simulation").items():
        p = exact[at]
        assert abs(share - p) < 3.9 * math.sqrt(p * (1 - p) / 40) + 1e-9 or (p < 0.1 and share < 0.2)


def test_the_table_of_rfc4953(attack_results: Path) -> None:
    """Figure 1's counts and times, figure 2's counts, as the RFC prints them."""
    table = read_csv(attack_results / "e09c_rfc4953.csv")
    first = table.where(figure=1)
    assert first.column("resets") == [35, 344, 3436, 34_360, 343_598, 3_435_974]
    printed = [1.1e-6, 110e-6, 11e-3, 1.1, 110.0, 3.05 * 3600]
    assert list(map(float, first.array("seconds"))) == pytest.approx(printed, rel=0.02)
    assert table.where(figure=2).column("resets") == [33_555, 134_218, 1_073_742]
    assert "3,435,974" in (attack_results / "e09c_rfc4953.txt").read_text()


def test_memory_and_waiting(attack_results: Path) -> None:
    table = read_csv(attack_results / "e10a_attack.csv")
    exact = values(table, "curve", "rate", source="exact")
    assert exact["data kept", 20.0] == 20 * 10 * 1280
    assert exact["data discarded", 20.0] == 20 * 10 * 280
    memory = values(table.where(estimate="half_open_memory_end"), "curve", "rate", source="simulation")
    for at, value in exact.items():
        assert abs(memory[at] / value - 1) < 3.9 / math.sqrt(4 * float(at[1]) * 10)  # type: ignore[arg-type]
    times = values(table.where(estimate="response_time"), "curve", "rate", source="simulation")
    assert times["1,000 bytes", 20.0] > times["no data", 20.0] > 0.2 + 0.0115 - 1e-9


def test_the_wait_formula_by_hand() -> None:
    """20 SYNs a second of 20 ms: load .4, wait .4 x .02 / 1.2 = 6.67 ms, twice; services 5 + 6.5 ms; two RTTs."""
    (row,) = load_formula([20.0]).where(curve="1,000 bytes")
    assert row["value"] == pytest.approx(0.2 + 0.0115 + 2 * 0.4 * 0.02 / 1.2)


def test_copies_and_amplification(attack_results: Path) -> None:
    table = read_csv(attack_results / "e10b_duplicates.csv").where(estimate="p_delivered_twice")
    twice = values(table, "curve", "duplicate", source="simulation")
    assert twice["handshake", 0.5] == 0.0
    assert abs(twice["Fast Open", 0.5] - 0.5) < 3.9 * math.sqrt(0.25 / 150)
    table = read_csv(attack_results / "e10c_amplification.csv")
    exact = values(table, "curve", "data_bytes", source="exact")
    assert len(exact) > 3 * 70
    for at, factor in values(table, "curve", "data_bytes", source="simulation").items():
        assert factor == pytest.approx(exact[at]), at
