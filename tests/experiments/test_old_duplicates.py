"""The experiments on old duplicates, with few replications: what they write, and what it says."""

from pathlib import Path
from types import ModuleType

import pytest
from scipy import stats

from netsim.experiments import Lab, folder
from netsim.studies.two_way import find_old_syn
from netsim.sweep import read_csv
from tests.experiments.test_experiments import load
from tests.experiments.words import unclear

E06 = folder() / "e06_reincarnation.py"
E04 = folder() / "e04_why_three.py"
FIGURES_OF_E04 = ["e04a_why_three", "e04b_memory", "e04d_delay"]


def quick_e04() -> ModuleType:
    runs = {"ghosts": 20, "memory": 10, "delay": 40, "differences": 20}
    return load(E04, RUNS=runs, DUPLICATES=[0.0, 0.3], MEMORIES=[0.0, 9.0], DELAYS=[1.0], REORDERED=[0.0, 0.4])


@pytest.fixture(scope="module")
def e04(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return list(quick_e04().main(Lab(tmp_path_factory.mktemp("e04"), workers=1)))


def test_e04_writes_its_figures_and_its_differences(e04: list[Path]) -> None:
    figures = [f"{name}.{ending}" for name in FIGURES_OF_E04 for ending in ("pdf", "svg", "png", "csv")]
    assert [path.name for path in e04] == [*figures, "e04c_differences.txt", "e04c_differences.csv"]
    assert all(path.stat().st_size for path in e04)
    assert len(E04.read_text(encoding="utf-8").splitlines()) <= 60
    assert unclear(e04[0].parent) == []


def test_e04_repeats_itself(e04: list[Path], tmp_path: Path) -> None:
    for path, before in zip(quick_e04().main(Lab(tmp_path, workers=1)), e04, strict=True):
        assert path.read_bytes() == before.read_bytes(), path.name


def test_differences_of_e04_to_read_are_those_of_the_table(e04: list[Path]) -> None:
    table = read_csv(e04[-1])
    assert {"ack_policy", "handshake", "against", "estimate", "value", "low", "high", "n"} <= set(table.columns)
    (row,) = table.where(ack_policy="rfc5961", handshake="two-way", estimate="server_latency")
    assert row["value"] == pytest.approx(-0.1)
    text = e04[-2].read_text()
    assert sum(line.split()[:3] == ["rfc793", "two-way", "three-way"] for line in text.splitlines()) == 6


def test_delayed_syns_of_e04_become_ghost_connections_as_often_as_theory_says(e04: list[Path]) -> None:
    """Both panels have a dashed curve, and 40 runs lie where it says (two-sided binomial, alpha 1e-4 each)."""
    table = read_csv(next(path for path in e04 if path.name == "e04d_delay.csv"))
    for cause, x in (("delay", 1.0), ("reorder", 0.4)):
        exact = table.only("value", source="exact", cause=cause, x=x)
        seen = table.only("value", source="simulation", cause=cause, x=x, handshake="two-way")
        assert stats.binomtest(round(40 * seen), 40, exact).pvalue > 1e-4
        assert table.where(source="simulation", cause=cause, handshake="three-way", x=x).column("value") == [0.0]


def test_the_old_syn_is_the_same_in_both_ladders() -> None:
    found = find_old_syn(1)
    two, three = (list(found.rows.where(handshake=name)) for name in ("two-way", "three-way"))
    assert [row["segment"] for row in two] == [row["segment"] for row in three] == ["SYN", "SYN,ACK", "RST"]
    assert [row["arrives"] for row in two] == [row["arrives"] for row in three]
    assert [row["state"] for row in two] == ["ESTABLISHED", "", "CLOSED"]
    assert [row["state"] for row in three] == ["SYN-RECEIVED", "", "LISTEN"]
    assert two[0]["arrives"] == pytest.approx(0.05 + found.late)


def test_e06_has_a_verdict_for_every_case_and_isn(tmp_path: Path) -> None:
    paths = list(load(E06, RUNS={"cells": 6, "waiting": 2}).main(Lab(tmp_path, workers=1)))
    assert [path.name for path in paths] == [f"e06a_cells.{ending}" for ending in ("pdf", "svg", "png", "csv")]
    assert unclear(tmp_path) == []
    table = read_csv(paths[-1])
    exact = table.where(estimate="unsafe", time_wait=0.0)
    verdicts = {(row["cell"], row["isn"]): row["value"] for row in exact}
    assert len(verdicts) == 12  # random ISNs have none
    assert [isn for (cell, isn), value in verdicts.items() if not value and cell == "F1"] == ["clock", "rfc6528"]
    assert all(verdicts[cell, isn] for cell in ("F2", "F3", "F4") for isn in ("clock", "rfc6528", "constant"))
    assert not any(table.where(estimate="unsafe", time_wait=3.0).column("value"))
    assert len(E06.read_text(encoding="utf-8").splitlines()) <= 60
