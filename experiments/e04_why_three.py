"""Why the handshake has three segments: an old SYN and three servers. Run alone, or by ``netsim reproduce e04``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.output import save_table
from netsim.figures.two_way import delay_figure, memory_figure, why_three_figure
from netsim.scenarios import two_way
from netsim.studies import two_way as study
from netsim.studies.study import differences, differences_text

TITLE = "Why does the handshake have three segments?"
DUPLICATES = [0.0, 0.1, 0.2, 0.3]
MEMORIES = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
DELAYS, REORDERED = [0.1, 0.3, 0.6, 1.0, 1.5], [0.0, 0.1, 0.2, 0.4]  # s, means; proportions of segments
FINE = [k / 20 for k in range(201)]
RUNS = {"ghosts": 800, "memory": 500, "delay": 500, "differences": 2_000}  # per point; ten times as many for a report
MODEL = "delayed duplicates, 5 s late on average (exponential)"


def main(lab: Lab) -> Iterator[Path]:
    """Two ladders of one old SYN; ghost connections against duplication, the server's memory, delay and reordering."""
    run, n, seed = partial(lab.simulate, two_way.run, common=True), lab.runs(RUNS), lab.seed
    found, cases = study.find_old_syn(seed), study.ghost_cases(DUPLICATES)
    table = study.with_theory(run, cases, cases, n=n["ghosts"])
    draw = partial(why_three_figure, found.rows, late=found.late, model=MODEL)
    yield from lab.figure("e04a_why_three", draw, table, n=n["ghosts"], seed=seed)
    table = study.with_theory(run, study.memory_cases(MEMORIES), study.memory_cases(FINE), n=n["memory"])
    draw = partial(memory_figure, lifetime=study.LIFETIME, model=MODEL)
    yield from lab.figure("e04b_memory", draw, table, n=n["memory"], seed=seed)
    fine = study.delay_cases([k / 40 for k in range(1, 61)], [k / 100 for k in range(41)])
    table = study.with_theory(run, study.delay_cases(DELAYS, REORDERED), fine, n=n["delay"])
    draw = partial(delay_figure, syn_delay=study.SYN_DELAY, duration=study.DURATION)
    yield from lab.figure("e04d_delay", draw, table, n=n["delay"], seed=seed)
    cases = study.difference_cases()
    results = run(cases, replications=n["differences"])
    table = differences(cases, results, study.COMPARED, by="handshake", base="three-way")
    yield from save_table(table, differences_text(table, study.DIFFERENCES), lab.out, "e04c_differences")


if __name__ == "__main__":
    script(main)
