"""Old segments in a reopened connection, against loss. Run alone, or by ``netsim reproduce e02``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.output import save, save_text
from netsim.plots.reuse_figures import acceptance_figure, sequence_figure
from netsim.plots.style import styled
from netsim.scenarios import stale
from netsim.scenarios.accident import accident_text, describe, sequence_rows
from netsim.scenarios.reuse_study import COPIES, HEADINGS, find_accident, stale_cases
from netsim.scenarios.studies import estimates, simulate

TITLE = "Does a reopened connection accept segments of the connection before it?"
LOSSES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
RUNS = 400  # a point; twenty-five times as many for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """P(old data accepted) for three ISN policies and three TIME-WAITs, and one accident from close by."""
    accident = find_accident(seed)
    rows = sequence_rows(accident)
    with styled():
        paths = save(sequence_figure(rows, describe(accident)), rows, out, "e02b_sequence")
    yield from [*paths, *save_text(accident_text(accident), out, "e02c_accident")]

    cases = stale_cases(LOSSES)
    n = 25 * RUNS if full else RUNS
    with nullcontext(progress) if progress else experiments.progress("e02") as tell:
        results = simulate(stale.run, cases, replications=n, seed=seed, workers=workers, progress=tell)
    table = estimates(cases, results, stale.ESTIMATES)
    with styled():
        figure = acceptance_figure(table, headings=HEADINGS, n=n, seed=seed, model=COPIES)
        paths = save(figure, table, out, "e02a_acceptance")
    yield from paths


if __name__ == "__main__":
    script(main)
