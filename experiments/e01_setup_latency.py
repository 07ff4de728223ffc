"""Setup latency against loss for five systems, simulated and exact. Run alone, or by ``netsim reproduce e01``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.setup import PLANS, bursts_figure, ccdf_figure, estimate_figure
from netsim.scenarios import setup
from netsim.studies.setup import PROFILES, burst_table, latency_ccdf, setup_cases
from netsim.studies.study import estimates, exact
from netsim.sweep import Rows

TITLE = "How long does it take to open a connection over a lossy path, and when does it fail?"
LOSSES = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
FINE = [k / 100 for k in range(51)]  # for the exact curves
RUNS = {"distribution": 6_000, "estimates": 2_600}  # per point; ten times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """Setup latency and failures against loss for the TCPs of five systems, with the exact curves."""
    run, n = lab.simulate, lab.runs(RUNS)
    cases = setup_cases(PROFILES, [0.1])
    table = latency_ccdf(cases, run(setup.run, cases, replications=n["distribution"]))
    yield from lab.figure("e01a_ccdf", ccdf_figure, table, loss=0.1, n=n["distribution"], seed=lab.seed)

    cases = setup_cases(PROFILES, LOSSES)
    simulated = estimates(cases, run(setup.run, cases, replications=n["estimates"]), setup.ESTIMATES)
    table = Rows.concatenate([simulated, exact(setup.theory, setup_cases(PROFILES, FINE))])
    for name, plan in PLANS.items():
        shown = table.where(estimate=name)
        yield from lab.figure(f"e01{plan.name}", estimate_figure, shown, n=n["estimates"], seed=lab.seed)

    repeat = partial(run, setup.run, replications=n["estimates"])
    table = burst_table(repeat, table, losses=LOSSES, profile="linux", burst=5.0)
    yield from lab.figure("e01h_bursts", bursts_figure, table, loss=0.1, n=n["estimates"], seed=lab.seed)


if __name__ == "__main__":
    script(main)
