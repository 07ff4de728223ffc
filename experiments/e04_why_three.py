"""Why the handshake has three segments: an old SYN and three servers. Run alone, or by ``netsim reproduce e04``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.handshake import late_figure, memory_figure, why_three_figure
from netsim.plots.output import save, save_table
from netsim.plots.style import styled
from netsim.scenarios import handshake_study as study
from netsim.scenarios import two_way
from netsim.scenarios.studies import differences, differences_text, simulate

TITLE = "Why does the handshake have three segments?"
DUPLICATES = [0.0, 0.05, 0.1, 0.2, 0.3]
MEMORIES = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
DELAYS, HELD_BACK = [0.1, 0.3, 0.6, 1.0, 1.5], [0.0, 0.1, 0.2, 0.4]  # s, means; shares of segments
FINE = [k / 20 for k in range(201)]
RUNS = {"ghosts": 800, "memory": 500, "late": 500, "price": 2_000}  # a point; ten times as many for a report
COPIES = "late copies come 5 s after their originals on average (exponential)"


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """Two ladders of one old SYN, ghosts against duplication, the server's memory, delay and reordering."""
    found = study.find_old_syn(seed)
    n = {name: 10 * runs if full else runs for name, runs in RUNS.items()}
    with nullcontext(progress) if progress else experiments.progress("e04") as tell, styled():
        run = partial(simulate, two_way.run, seed=seed, workers=workers, progress=tell, common=True)
        cases = study.ghost_cases(DUPLICATES)
        table = study.with_theory(run, cases, cases, n=n["ghosts"])
        figure = why_three_figure(found.rows, table, late=found.late, n=n["ghosts"], seed=seed, model=COPIES)
        yield from save(figure, table, out, "e04a_why_three")
        table = study.with_theory(run, study.memory_cases(MEMORIES), study.memory_cases(FINE), n=n["memory"])
        figure = memory_figure(table, lifetime=study.LIFETIME, n=n["memory"], seed=seed, model=COPIES)
        yield from save(figure, table, out, "e04b_memory")
        fine = study.late_cases([k / 40 for k in range(1, 61)], [k / 100 for k in range(41)])
        table = study.with_theory(run, study.late_cases(DELAYS, HELD_BACK), fine, n=n["late"])
        figure = late_figure(table, held=study.HELD, life=study.SHORT, n=n["late"], seed=seed)
        yield from save(figure, table, out, "e04d_late")
        cases = study.price_cases()
        results = run(cases, replications=n["price"])
        table = differences(cases, results, study.COMPARED, by="handshake", base="three-way")
        yield from save_table(table, differences_text(table, study.PRICE), out, "e04c_differences")


if __name__ == "__main__":
    script(main)
