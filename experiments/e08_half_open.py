"""Half-open connections: how long they live and what finds them. Run alone, or by ``netsim reproduce e08``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.half_open_figures import accident_figure, alone_figure, life_figure
from netsim.plots.output import save
from netsim.plots.style import styled
from netsim.scenarios import half_open
from netsim.scenarios.close_study import exact
from netsim.scenarios.half_open_study import accident_cases, alone_cases, life_cases, lives
from netsim.scenarios.studies import estimates, simulate
from netsim.sweep import Rows

TITLE = "One end has vanished or crashed: how long does the other hold the connection, and what tells it?"
RETRIES = list(range(8))
WAITS = [0.5, 1.0, 3.0]  # s
LOSSES = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4]
FINE = [k / 100 for k in range(2, 41)]  # for the exact curves
ALONE = "p_client_alone"
RUNS = {"accident": 2, "alone": 2_000}  # a point; ten times as many for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """Life of the survivor's connection by accident; of half-open entries by retries; clients alone against loss."""
    n = {name: 10 * runs if full else runs for name, runs in RUNS.items()}
    with nullcontext(progress) if progress else experiments.progress("e08") as tell, styled():
        run = partial(simulate, half_open.run, seed=seed, workers=workers, progress=tell)
        cases = accident_cases()
        table = lives(cases, run(cases, replications=n["accident"]))
        yield from save(accident_figure(table, n=n["accident"], seed=seed), table, out, "e08a_accidents")
        cases = life_cases(RETRIES, WAITS)
        table = lives(cases, run(cases, replications=1))
        yield from save(life_figure(table, seed=seed), table, out, "e08b_life")
        cases = alone_cases(LOSSES)
        found = estimates(cases, run(cases, replications=n["alone"]), {ALONE: half_open.ESTIMATES[ALONE]})
        table = Rows.concatenate([found, exact(half_open.theory, alone_cases(FINE), [ALONE])])
        yield from save(alone_figure(table, loss=0.2, n=n["alone"], seed=seed), table, out, "e08c_alone")


if __name__ == "__main__":
    script(main)
