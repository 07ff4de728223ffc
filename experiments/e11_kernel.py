"""Connects of a recorded kernel, simulated and exact, on the same axes. Run alone, or by ``netsim reproduce e11``."""

from collections.abc import Iterator
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab, folder
from netsim.figures.kernel import connects_figure
from netsim.scenarios import setup
from netsim.studies.kernel import connect_cases, connect_table

TITLE = "How long did a real kernel's connects take over a lossy path, and is that what the simulation says?"
LOSS = 0.3
RUNS = {"connects": 500}  # at each phase of the timer wheel, for each schedule


def main(lab: Lab) -> Iterator[Path]:
    """The distribution of the connect latency with both SYN schedules of Linux: recorded, simulated, exact."""
    cases = connect_cases(LOSS)
    results = lab.simulate(setup.run, cases, replications=lab.runs(RUNS)["connects"])
    table = connect_table(cases, results, folder(), loss=LOSS)
    yield from lab.figure("e11a_connects", connects_figure, table, loss=LOSS, seed=lab.seed)


if __name__ == "__main__":
    script(main)
