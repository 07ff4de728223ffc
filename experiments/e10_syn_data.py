"""Data on SYNs and Fast Open. Run alone, or by ``netsim reproduce e10``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.syn_data import amplification_figure, attack_figure, duplicates_figure
from netsim.scenarios import syn_data
from netsim.studies.study import estimates, exact, pick
from netsim.studies.syn_data import amplification_table, duplicate_cases, load_cases, load_formula, memory_cases
from netsim.sweep import Rows

TITLE = "What does it cost a server to accept data on a SYN, and what does Fast Open change?"
RATES = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 45.0]
DUPLICATES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
AMOUNTS = [0, 100, 250, 500, 1000, 1460]
RUNS = {"attack": 16, "duplicates": 24}  # per point; ten times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """Memory and waiting under SYNs with data; requests delivered twice by Fast Open; amplification."""
    run, n = partial(lab.simulate, syn_data.run), lab.runs(RUNS)
    parts = []
    for cases, name in ((memory_cases(RATES), "half_open_memory_end"), (load_cases(RATES), "response_time")):
        wanted = pick(syn_data.ESTIMATES, name)
        parts.append(estimates(cases, run(cases, replications=n["attack"]), wanted))
    parts.append(exact(syn_data.theory, memory_cases(RATES), ["half_open_memory_end"]))
    table = Rows.concatenate([*parts, load_formula(RATES)])
    yield from lab.figure("e10a_attack", attack_figure, table, n=n["attack"], seed=lab.seed)

    cases = duplicate_cases(DUPLICATES)
    wanted = pick(syn_data.ESTIMATES, "p_delivered_twice", "response_time")
    seen = estimates(cases, run(cases, replications=n["duplicates"]), wanted)
    table = Rows.concatenate([seen, exact(syn_data.theory, cases, ["p_delivered_twice"])])
    yield from lab.figure("e10b_duplicates", duplicates_figure, table, n=n["duplicates"], seed=lab.seed)
    yield from lab.figure("e10c_amplification", amplification_figure, amplification_table(AMOUNTS), seed=lab.seed)


if __name__ == "__main__":
    script(main)
