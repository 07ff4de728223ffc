"""``netsim reproduce``, with experiments of the test's own."""

import sys
from pathlib import Path

import pytest

from netsim.experiments import experiments, folder
from netsim.sweep.pool import cores
from tests.cli.in_process import netsim

FIRST = '''
"""The first."""
from pathlib import Path
TITLE = "The first of two"

def main(lab):
    (lab.out / "tables").mkdir()
    written = [lab.out / "first.txt", lab.out / "tables" / "first.csv"]
    for path in written:
        path.write_text(f"{lab.full} {lab.seed} {lab.workers.count}")
    return written
'''

SECOND = """
TITLE: str = "The second"

def main(lab):
    for name in ("a.txt", "b.txt"):
        path = lab.out / name
        path.write_text("new")
        yield path
    (lab.out / "half.txt").write_text("not to be seen")
    raise KeyboardInterrupt
"""


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "scripts"
    home.mkdir()
    (home / "e01_first_of_two.py").write_text(FIRST)
    (home / "e02_second.py").write_text(SECOND)
    (home / "e1_no_experiment.py").write_text("raise SystemExit")
    monkeypatch.setattr("netsim.experiments.folder", lambda: home)
    monkeypatch.setattr("netsim.cli.reproduce.folder", lambda: home)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("e01_first_of_two", "e02_second"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return home


def test_found_by_number_and_titled_without_being_run(scripts: Path) -> None:
    assert {name: e.title for name, e in experiments().items()} == {
        "e01_first_of_two": "The first of two",
        "e02_second": "The second",
    }
    assert "e02_second  The second" in netsim("list", "e02_second").out
    assert "e02_second  The second" in netsim("list", "e02").out


@pytest.mark.parametrize("name", ["e01", "e01_first_of_two", "e01-first-of-two", "first_of_two", "first-of-two"])
def test_by_any_of_its_names(scripts: Path, tmp_path: Path, name: str) -> None:
    status, out, err = netsim("reproduce", name, "--full", "--seed", "7", "--workers", "3")
    assert status == 0
    written = [Path("results/first.txt"), Path("results/tables/first.csv")]
    assert out.split() == list(map(str, written))
    assert {path.read_text() for path in written} == {"True 7 3"}
    assert "The first of two" in err
    assert "seed 7" in err


def test_only_its_own_outputs_are_replaced(scripts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "first.txt").write_text("old")
    (out / "mine.txt").write_text("mine")
    assert netsim("reproduce", "e01", "--out", str(out)).status == 0
    assert (out / "first.txt").read_text() == f"False 1 {cores()}"
    assert (out / "mine.txt").read_text() == "mine"
    assert sorted(path.name for path in out.iterdir()) == ["first.txt", "mine.txt", "tables"]


def test_an_interrupt_keeps_what_is_complete_and_says_so(scripts: Path) -> None:
    status, out, err = netsim("reproduce")
    assert status == 130
    assert [Path(line).name for line in out.split()] == ["first.txt", "first.csv", "a.txt", "b.txt"]
    assert err.endswith("netsim: interrupted; 4 files are complete in results\n")
    assert sorted(p.name for p in Path("results").iterdir()) == ["a.txt", "b.txt", "first.txt", "tables"]


def test_an_unknown_experiment_is_guessed_before_anything_runs(scripts: Path) -> None:
    status, out, err = netsim("reproduce", "e01", "e02_secnd")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "experiment = 'e02_secnd'" in err
    assert "did you mean e02_second?" in err
    assert not Path("results").exists()


def test_an_output_folder_that_cannot_be_written(scripts: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in ("file", "file/below"):
        status, printed, err = netsim("reproduce", "e01", "--out", out)
        assert (status, printed, err.count("\n")) == (2, "", 1)
        assert f"out = '{out}'" in err


def test_no_experiments_at_all(scripts: Path) -> None:
    for path in scripts.iterdir():
        path.unlink()
    status, _, err = netsim("reproduce")
    assert (status, err.count("\n")) == (2, 1)


def test_the_folder_is_inside_a_wheel_or_beside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "netsim"
    package.mkdir()
    monkeypatch.setattr("netsim.__file__", str(package / "__init__.py"))
    assert folder() == tmp_path / "experiments"
    (package / "_experiments").mkdir()
    assert folder() == package / "_experiments"
