"""The experiments: where they are, and how one is run so that its results replace the old ones atomically.

An experiment is a module ``e01_....py`` with ``TITLE`` and ``main(lab)``, which writes files into the folder
``lab.out`` and returns their paths, or yields each as soon as it is complete. Functions that a sweep sends to its
workers must be in the package, not in the script.
"""

import ast
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import netsim

if TYPE_CHECKING:  # a list of the experiments needs neither
    from netsim.studies.study import Case
    from netsim.sweep import Rows, Workers
    from netsim.sweep.progress import Progress


@dataclass(frozen=True, slots=True)
class Lab:
    """How an experiment is run, and the functions that all experiments use.

    ``out``: the folder of its files. ``full``: more runs, for a report. ``seed``: root of all random numbers.
    ``workers``: number of processes, or processes that are shared with other experiments; None: one per core.
    ``label``: the name at the progress bar. ``progress``: called instead of drawing a bar.
    """

    out: Path
    full: bool = False
    seed: int = 1
    workers: "int | Workers | None" = None
    label: str = ""
    progress: "Progress | None" = None

    def runs(self, runs: Mapping[str, int], *, report: int = 10) -> dict[str, int]:
        """The runs per point of each study: ``report`` times as many for a report."""
        return {name: n * report if self.full else n for name, n in runs.items()}

    def simulate(
        self,
        run: Callable[..., Mapping[str, Any]],
        cases: "Sequence[Case]",
        *,
        replications: int,
        common: bool = False,
    ) -> "list[Rows]":
        """The rows of each case, as ``netsim.studies.study.simulate`` has them."""
        from netsim.studies import study
        from netsim.sweep.progress import progress

        with nullcontext(self.progress) if self.progress else progress(self.label) as tell:
            return study.simulate(
                run,
                cases,
                replications=replications,
                seed=self.seed,
                workers=self.workers,
                progress=tell,
                common=common,
            )

    def figure(self, name: str, draw: Callable[..., Any], table: "Rows", **facts: Any) -> list[Path]:
        """Save the figure ``draw(table, **facts)`` as ``name`` in three formats, with its table as CSV; their paths."""
        from netsim.figures.output import save
        from netsim.figures.style import styled

        with styled():
            return save(draw(table, **facts), table, self.out, name)


Main = Callable[[Lab], Iterable[Path]]


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment that can be run: its name (that of its file) and its title."""

    name: str
    title: str

    def load(self) -> Main:
        """Its ``main``; this imports it."""
        home = folder()
        if home.name == "_experiments":
            main: Main = importlib.import_module(f"netsim._experiments.{self.name}").main
            return main
        if str(home) not in sys.path:
            sys.path.append(str(home))  # the workers of a sweep get this path too, and so find the module
        main = importlib.import_module(self.name).main
        return main


def folder() -> Path:
    """Where the experiments are: in the package (installed from a wheel) or beside it (an editable install)."""
    package = Path(netsim.__file__).parent
    inside = package / "_experiments"
    return inside if inside.is_dir() else package.parent / "experiments"


def experiments() -> dict[str, Experiment]:
    """All experiments by name, in order. None of them is imported."""
    paths = sorted(folder().glob("e[0-9][0-9]_*.py"))
    return {path.stem: Experiment(path.stem, _title(path)) for path in paths}


def aliases() -> dict[str, str]:
    """The short names of the experiments: ``e01`` and ``setup_latency`` are e01_setup_latency."""
    return {part: name for name in experiments() for part in name.split("_", 1)}


def publish(
    main: Main, name: str, out: Path, *, full: bool, seed: int, workers: "int | Workers | None"
) -> Iterator[Path]:
    """Run an experiment; yield each file as soon as it is in ``out``, where it replaces an old one atomically.

    Files are written in a temporary folder and then moved, so that no partial file is ever seen in ``out``.
    """
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=out) as staging:
        lab = Lab(Path(staging), full=full, seed=seed, workers=workers, label=name.partition("_")[0])
        for written in main(lab):
            target = out / written.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(written, target)
            yield target


def _title(path: Path) -> str:
    """The constant TITLE of a script, read without running it."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        target: Any = None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign):
            target = statement.target
        if isinstance(target, ast.Name) and target.id == "TITLE":
            value = statement.value  # type: ignore[attr-defined]
            return str(value.value) if isinstance(value, ast.Constant) else ""
    return ""
