"""Half-open connections: how long they live and what detects them. Run alone, or by ``netsim reproduce e08``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.half_open import alone_figure, failures_figure, lifetime_figure
from netsim.scenarios import half_open
from netsim.studies.half_open import alone_cases, detection_times, failure_cases, lifetime_cases
from netsim.studies.study import estimates, exact, pick
from netsim.sweep import Rows

TITLE = "One end has crashed or vanished: how long does the other keep the connection, and what detects it?"
RETRIES = list(range(8))
TIMEOUTS = [0.5, 1.0, 3.0]  # s
LOSSES = [0.05, 0.1, 0.2, 0.3, 0.4]
FINE = [k / 100 for k in range(2, 41)]  # for the exact curves
ALONE = "p_diverged"
RUNS = {"failures": 2, "alone": 2_000}  # per point; ten times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """Time to detection by failure; lifetime of SYN-RECEIVED entries; clients ESTABLISHED alone against loss."""
    run, n = partial(lab.simulate, half_open.run), lab.runs(RUNS)
    cases = failure_cases()
    table = detection_times(cases, run(cases, replications=n["failures"]))
    yield from lab.figure("e08a_failures", failures_figure, table, n=n["failures"], seed=lab.seed)
    cases = lifetime_cases(RETRIES, TIMEOUTS)
    table = detection_times(cases, run(cases, replications=1))
    yield from lab.figure("e08b_lifetime", lifetime_figure, table, seed=lab.seed)
    cases = alone_cases(LOSSES)
    found = estimates(cases, run(cases, replications=n["alone"]), pick(half_open.ESTIMATES, ALONE))
    table = Rows.concatenate([found, exact(half_open.theory, alone_cases(FINE), [ALONE])])
    yield from lab.figure("e08c_alone", alone_figure, table, loss=0.2, n=n["alone"], seed=lab.seed)


if __name__ == "__main__":
    script(main)
