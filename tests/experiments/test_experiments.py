"""The experiments, run with few replications: what they write, that they repeat themselves, and as scripts alone."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from netsim.experiments import Lab, experiments, folder
from netsim.sweep import read_csv
from tests.experiments.words import unclear

E01 = folder() / "e01_setup_latency.py"
E02 = folder() / "e02_stale_acceptance.py"
FIGURES = {
    "e01": ["a_ccdf", "b_mean", "c_median", "d_p95", "e_p99", "f_failed", "g_diverged", "h_bursts"],
    "e02": ["a_acceptance", "b_sequence", "d_tails", "e_bytes", "f_lifetime", "g_timestamps"],
}
OTHERS = ["e02c_example.txt", "e02h_differences.csv", "e02h_differences.txt"]
TIDY = {"source", "value", "low", "high", "n"}


def load(path: Path, **constants: Any) -> ModuleType:
    """An experiment as a module, with other constants."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in constants.items():
        assert hasattr(module, name)
        setattr(module, name, value)
    return module


def quick_e01() -> ModuleType:
    losses = [0.0, 0.1, 0.3, 0.5]
    runs = {"distribution": 100, "estimates": 60}
    return load(E01, RUNS=runs, LOSSES=losses, FINE=losses)


def quick_e02() -> ModuleType:
    runs = {"acceptance": 8, "tails": 3, "bytes": 3, "lifetime": 3, "timestamps": 3}
    return load(E02, RUNS=runs, LOSSES=[0.0, 0.3])


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    out = tmp_path_factory.mktemp("out")
    (out / "notes.txt").write_text("mine")
    heard: list[tuple[int, int]] = []
    done = {
        "e01": list(quick_e01().main(Lab(out, workers=1, progress=lambda n, total: heard.append((n, total))))),
        "e02": list(quick_e02().main(Lab(out, workers=1, progress=lambda n, total: heard.append((n, total))))),
    }
    assert (500, 500) in heard
    return done


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_three_formats_and_a_table(name: str, outputs: dict[str, list[Path]]) -> None:
    names = sorted(path.name for path in outputs[name])
    wanted = [f"{name}{figure}.{ending}" for figure in FIGURES[name] for ending in ("csv", "pdf", "png", "svg")]
    assert names == sorted([*wanted, *(OTHERS if name == "e02" else [])])
    assert all(path.stat().st_size > 0 for path in outputs[name])


def test_titles_are_short_and_footers_complete(outputs: dict[str, list[Path]]) -> None:
    assert unclear(outputs["e01"][0].parent) == []


def test_nothing_else_is_touched(outputs: dict[str, list[Path]]) -> None:
    out = outputs["e01"][0].parent
    written = {path.name for paths in outputs.values() for path in paths}
    assert {path.name for path in out.iterdir()} == written | {"notes.txt"}


@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("e01a_ccdf.csv", {"profile", "loss", "t"}),
        ("e01b_mean.csv", {"profile", "loss", "estimate", "upper_bound"}),
        ("e01f_failed.csv", {"profile", "loss", "estimate", "upper_bound"}),
        ("e01h_bursts.csv", {"profile", "loss", "losses", "estimate"}),
        ("e02a_acceptance.csv", {"isn", "time_wait", "loss", "estimate", "upper_bound"}),
        ("e02d_tails.csv", {"tail", "time_wait", "loss", "estimate", "upper_bound"}),
        ("e02e_bytes.csv", {"isn", "size", "estimate", "upper_bound"}),
        ("e02f_lifetime.csv", {"time_wait", "lifetime", "estimate"}),
        ("e02g_timestamps.csv", {"timestamps", "duplicate", "estimate"}),
        ("e02h_differences.csv", {"timestamps", "duplicate", "against", "estimate"}),
    ],
)
def test_tables_are_tidy(file: str, columns: set[str], outputs: dict[str, list[Path]]) -> None:
    table = read_csv(outputs["e01"][0].parent / file)
    assert columns | TIDY <= set(table.columns)
    assert len(table) > 0


def test_the_sequence_plot_has_its_own_columns(outputs: dict[str, list[Path]]) -> None:
    table = read_csv(outputs["e02"][0].parent / "e02b_sequence.csv")
    assert table.columns == ("kind", "time", "seq", "end", "verdict")


def test_the_other_estimates_are_in_the_table_too(outputs: dict[str, list[Path]]) -> None:
    table = read_csv(outputs["e02"][0].parent / "e02a_acceptance.csv")
    names = set(table.column("estimate"))
    assert {"p_stale_data_accepted", "p_stale_data_expected", "p_wrong_bytes", "p_reopened"} <= names


def test_a_repetition_writes_the_same_bytes(outputs: dict[str, list[Path]], tmp_path: Path) -> None:
    again = list(quick_e02().main(Lab(tmp_path, workers=2)))
    assert [path.name for path in again] == [path.name for path in outputs["e02"]]
    for path, before in zip(again, outputs["e02"], strict=True):
        assert path.read_bytes() == before.read_bytes(), path.name


def test_the_seed_matters(outputs: dict[str, list[Path]], tmp_path: Path) -> None:
    figures = quick_e01().main(Lab(tmp_path, seed=2, workers=1))
    first = next(figures)
    figures.close()
    assert first.name == outputs["e01"][0].name
    other = tmp_path / "e01a_ccdf.csv"
    assert other.read_bytes() != (outputs["e01"][0].parent / "e01a_ccdf.csv").read_bytes()


@pytest.mark.parametrize("path", [folder() / f"{name}.py" for name in experiments()], ids=lambda path: path.stem[:3])
def test_scripts_are_thin(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
    assert load(path).TITLE.endswith("?")


def test_a_report_has_more_runs() -> None:
    assert Lab(Path()).runs({"a": 3, "b": 40}) == {"a": 3, "b": 40}
    assert Lab(Path(), full=True).runs({"a": 3, "b": 40}) == {"a": 30, "b": 400}
    assert Lab(Path(), full=True).runs({"a": 3}, report=25) == {"a": 75}


def test_a_script_runs_alone(tmp_path: Path) -> None:
    """The script itself, in a process of its own, from an empty folder; only the replications are cut down."""
    program = (
        "import runpy, sys; import netsim.studies.study as s; real = s.simulate\n"
        "s.simulate = lambda *a, replications, **k: real(*a, replications=2, **k)\n"
        f"sys.argv = ['e02', '--out', 'results', '--workers', '1', '--seed', '2']\n"
        f"runpy.run_path({str(E02)!r}, run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "results").iterdir())) == 27
    assert "e02b_sequence.png" in done.stdout


def test_a_script_refuses_a_bad_option(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(E01), "--out", str(tmp_path), "--seed", "-1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "seed" in done.stderr
    assert list(tmp_path.iterdir()) == []
