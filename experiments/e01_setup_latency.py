"""Setup latency against loss: five hosts' TCPs, simulated and exact. Run alone, or by ``netsim reproduce e01``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.output import save
from netsim.plots.setup_figures import bursts_figure, ccdf_figure, estimate_figures
from netsim.plots.style import styled
from netsim.scenarios import setup
from netsim.scenarios.studies import PROFILES, burst_table, estimates, latency_ccdf, setup_cases, setup_theory, simulate
from netsim.sweep import Rows

TITLE = "How long does it take to open a connection over a lossy path, and when does it fail?"
LOSSES = [0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
FINE = [k / 100 for k in range(51)]  # for the exact curves
RUNS = {"distribution": 6_000, "estimates": 2_600}  # a point; ten times as many for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """Setup latency, failure and divergence against loss for five hosts' TCPs, with the exact curves."""
    with nullcontext(progress) if progress else experiments.progress("e01") as tell:
        run = partial(simulate, setup.run, seed=seed, workers=workers, progress=tell)
        n = {name: 10 * runs if full else runs for name, runs in RUNS.items()}

        cases = setup_cases(PROFILES, [0.1])
        table = latency_ccdf(cases, run(cases, replications=n["distribution"]))
        with styled():
            paths = save(ccdf_figure(table, loss=0.1, n=n["distribution"], seed=seed), table, out, "e01a_ccdf")
        yield from paths

        cases = setup_cases(PROFILES, LOSSES)
        simulated = estimates(cases, run(cases, replications=n["estimates"]), setup.ESTIMATES)
        table = Rows.concatenate([simulated, setup_theory(setup_cases(PROFILES, FINE))])
        with styled():
            figures = estimate_figures(table, n=n["estimates"], seed=seed)
            paths = [path for name, rows, figure in figures for path in save(figure, rows, out, f"e01{name}")]
        yield from paths

        again = partial(run, replications=n["estimates"])
        table = burst_table(again, table, losses=LOSSES, profile="linux", burst=5.0)
        with styled():
            paths = save(bursts_figure(table, loss=0.1, n=n["estimates"], seed=seed), table, out, "e01h_bursts")
        yield from paths


if __name__ == "__main__":
    script(main)
