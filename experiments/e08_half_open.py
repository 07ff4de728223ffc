"""Half-open connections: how long they live and what finds them. Run alone, or by ``netsim reproduce e08``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.half_open_figures import accident_figure, alone_figure, life_figure
from netsim.scenarios import half_open
from netsim.studies.half_open import accident_cases, alone_cases, life_cases, lives
from netsim.studies.study import estimates, exact, pick
from netsim.sweep import Rows

TITLE = "One end has vanished or crashed: how long does the other hold the connection, and what tells it?"
RETRIES = list(range(8))
WAITS = [0.5, 1.0, 3.0]  # s
LOSSES = [0.05, 0.1, 0.2, 0.3, 0.4]
FINE = [k / 100 for k in range(2, 41)]  # for the exact curves
ALONE = "p_only_client_established"
RUNS = {"accident": 2, "alone": 2_000}  # a point; ten times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """Life of the survivor's connection by accident; of half-open entries by retries; clients alone against loss."""
    run, n = partial(lab.simulate, half_open.run), lab.runs(RUNS)
    cases = accident_cases()
    table = lives(cases, run(cases, replications=n["accident"]))
    yield from lab.figure("e08a_accidents", accident_figure, table, n=n["accident"], seed=lab.seed)
    cases = life_cases(RETRIES, WAITS)
    table = lives(cases, run(cases, replications=1))
    yield from lab.figure("e08b_life", life_figure, table, seed=lab.seed)
    cases = alone_cases(LOSSES)
    found = estimates(cases, run(cases, replications=n["alone"]), pick(half_open.ESTIMATES, ALONE))
    table = Rows.concatenate([found, exact(half_open.theory, alone_cases(FINE), [ALONE])])
    yield from lab.figure("e08c_alone", alone_figure, table, loss=0.2, n=n["alone"], seed=lab.seed)


if __name__ == "__main__":
    script(main)
