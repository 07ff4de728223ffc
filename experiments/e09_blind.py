"""Forged segments and forged connections. Run alone, or by ``netsim reproduce e09``."""

from collections.abc import Iterator
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.blind import injection_figure
from netsim.figures.forged_open import forged_open_figure
from netsim.figures.output import save_table
from netsim.scenarios import blind, forged_open
from netsim.studies.blind import injection_cases, rfc4953_table, rfc4953_text
from netsim.studies.forged_open import forged_open_cases
from netsim.studies.study import estimates, exact, pick
from netsim.sweep import Rows

TITLE = "How many forged segments does an off-path attacker need?"
WINDOWS = [2**10, 2**14, 2**16, 2**20, 2**24, 2**28, (1 << 30) - 1]
GUESSES = [1, 3, 10, 30, 100, 300]
RUNS = {"injection": 150, "forged": 100}  # per point; ten times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """Segments of blind attacks against the window; P(a forged connection opens) for four ISN policies; RFC 4953."""
    run, n = lab.simulate, lab.runs(RUNS)
    cases = injection_cases(WINDOWS)
    wanted = pick(blind.ESTIMATES, "segments_needed", "segments_used")
    counted = estimates(cases, run(blind.run, cases, replications=n["injection"]), wanted)
    table = Rows.concatenate([counted, exact(blind.theory, cases, ["segments_needed"])])
    yield from lab.figure("e09a_injection", injection_figure, table, n=n["injection"], seed=lab.seed)

    cases = forged_open_cases(GUESSES)
    wanted = pick(forged_open.ESTIMATES, "p_opened")
    seen = estimates(cases, run(forged_open.run, cases, replications=n["forged"]), wanted)
    table = Rows.concatenate([seen, exact(forged_open.theory, cases, wanted)])
    yield from lab.figure("e09b_forged_open", forged_open_figure, table, n=n["forged"], seed=lab.seed)
    table = rfc4953_table()
    yield from save_table(table, rfc4953_text(table), lab.out, "e09c_rfc4953")


if __name__ == "__main__":
    script(main)
