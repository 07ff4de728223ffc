"""Connects of a recorded kernel, simulated and exact, on the same axes. Run alone, or by ``netsim reproduce e11``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.kernel_figures import connects_figure
from netsim.plots.output import save
from netsim.plots.style import styled
from netsim.scenarios import setup
from netsim.scenarios.kernel_study import connect_cases, connect_table
from netsim.scenarios.studies import simulate

TITLE = "How long did a real kernel's connects take over a lossy path, and is that what the simulation says?"
LOSS = 0.3
RUNS = 500  # at each phase of the timer wheel, for each schedule


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """The distribution of the connect latency with both SYN schedules of Linux: recorded, simulated, exact."""
    runs = 10 * RUNS if full else RUNS
    with nullcontext(progress) if progress else experiments.progress("e11") as tell, styled():
        run = partial(simulate, setup.run, seed=seed, workers=workers, progress=tell)
        cases = connect_cases(LOSS)
        table = connect_table(cases, run(cases, replications=runs), experiments.folder(), loss=LOSS)
        yield from save(connects_figure(table, loss=LOSS, seed=seed), table, out, "e11a_connects")


if __name__ == "__main__":
    script(main)
