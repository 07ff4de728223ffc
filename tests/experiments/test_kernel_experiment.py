"""e11 with few runs: what it writes, that its kernel is the recorded one, and that the three curves lie together."""

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest

from netsim.experiments import Lab, folder
from netsim.sweep import number, read_csv
from tests.experiments.test_experiments import load
from tests.experiments.words import unclear

E11 = folder() / "e11_kernel.py"
RECORDED = Path(__file__).parent.parent / "referees" / "recordings" / "connect_latency.csv.gz"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("e11")
    module = load(E11, RUNS={"connects": 40})
    list(module.main(Lab(out, workers=1)))
    return out


def test_its_kernel_is_the_recorded_one() -> None:
    counts: Counter[tuple[int, float]] = Counter()
    with gzip.open(RECORDED, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if row["set"] == "A":
                counts[int(row["linear_timeouts"]), float(row["loss"])] += 1
    ours: Counter[tuple[int, float]] = Counter()
    for line in read_csv(folder() / "kernel_connects.csv"):
        ours[int(number(line, "linear_timeouts")), number(line, "loss")] += int(number(line, "count"))
    assert ours == counts


def test_their_titles_are_short_and_their_footers_complete(written: Path) -> None:
    assert unclear(written) == []


def test_kernel_simulation_and_theory_lie_together(written: Path) -> None:
    """P(latency > 1 s) = 1 - .7^2 = .51 of all three, within four standard errors (n = 10,000 and 800)."""
    table = read_csv(written / "e11a_connects.csv")
    for schedule in ("linux", "linux_classic"):
        for source, error in (("kernel", 0.005), ("simulation", 0.0177), ("exact", 1e-9)):
            rows = table.where(schedule=schedule, source=source)
            pairs = zip(rows.array("t"), rows.array("value"), strict=True)
            late = [float(p) for t, p in pairs if float(t) < 1.0][-1]
            assert late == pytest.approx(0.51, abs=4 * error), (schedule, source)
    assert {path.suffix for path in written.iterdir()} == {".pdf", ".svg", ".png", ".csv"}
