"""Incarnations of a four-tuple: RFC 1185's four cells. Run alone, or by ``netsim reproduce e06``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.incarnations import cells_figure
from netsim.plots.output import save
from netsim.plots.style import styled
from netsim.scenarios import reincarnation
from netsim.scenarios.incarnation_study import COPIES, DEFAULT, cell_cases, cell_theory
from netsim.scenarios.studies import estimates, simulate
from netsim.sweep import Rows

TITLE = "Which ISNs keep a connection apart from the one before it: slow or fast, short or long?"
RUNS = {"cells": 60, "waiting": 20}  # a point; twenty-five times as many for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """The four cells with every ISN, by theory and by run, and with a TIME-WAIT as long as segments live."""
    n = {name: 25 * runs if full else runs for name, runs in RUNS.items()}
    tables = []
    with nullcontext(progress) if progress else experiments.progress("e06") as tell:
        run = partial(simulate, reincarnation.run, seed=seed, workers=workers, progress=tell)
        for name, wait in (("cells", 0.0), ("waiting", DEFAULT.lifetime)):
            cases = cell_cases(wait)
            results = run(cases, replications=n[name])
            tables += [estimates(cases, results, reincarnation.ESTIMATES), cell_theory(cases)]
    table = Rows.concatenate(tables)
    with styled():
        figure = cells_figure(table, n=n["cells"], seed=seed, model=COPIES)
        paths = save(figure, table, out, "e06a_cells")
    yield from paths


if __name__ == "__main__":
    script(main)
