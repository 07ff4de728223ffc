"""Incarnations of a four-tuple: RFC 1185's four cases. Run alone, or by ``netsim reproduce e06``."""

from collections.abc import Iterator
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.reincarnation import cells_figure
from netsim.scenarios import reincarnation
from netsim.studies.reincarnation import DEFAULT, DUPLICATES, cell_cases, cell_theory
from netsim.studies.study import estimates
from netsim.sweep import Rows

TITLE = "Which ISNs keep a connection apart from the one before it: slow or fast, short or long?"
RUNS = {"cells": 60, "waiting": 10}  # per point; 25 times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """The four cases with every ISN, by theory and by simulation, and with a TIME-WAIT as long as segments live."""
    n, tables = lab.runs(RUNS, report=25), []
    for name, wait in (("cells", 0.0), ("waiting", DEFAULT.msl)):
        cases = cell_cases(wait)
        results = lab.simulate(reincarnation.run, cases, replications=n[name])
        tables += [estimates(cases, results, reincarnation.ESTIMATES), cell_theory(cases)]
    table = Rows.concatenate(tables)
    yield from lab.figure("e06a_cells", cells_figure, table, n=n["cells"], seed=lab.seed, model=DUPLICATES)


if __name__ == "__main__":
    script(main)
