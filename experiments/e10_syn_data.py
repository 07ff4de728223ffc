"""Data on SYNs and Fast Open. Run alone, or by ``netsim reproduce e10``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.attack_figures import amplification_figure, copies_figure, syn_data_figure
from netsim.plots.output import save
from netsim.plots.style import styled
from netsim.scenarios.attack_study import amplification_table, copy_cases, load_cases, load_formula, memory_cases
from netsim.scenarios.close_study import exact
from netsim.scenarios.studies import estimates, simulate
from netsim.scenarios.syn_data import ESTIMATES, run, theory
from netsim.sweep import Rows

TITLE = "What does it cost a server to take data on a SYN, and what does Fast Open change?"
RATES = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 45.0]
COPIES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
TEXTS = [0, 100, 250, 500, 1000, 1460]
RUNS = {"attack": 16, "copies": 24}  # a point; ten times as many for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """Memory and waiting under SYNs with data; requests delivered twice by Fast Open; amplification."""
    n = {name: 10 * runs if full else runs for name, runs in RUNS.items()}
    with nullcontext(progress) if progress else experiments.progress("e10") as tell:
        play = partial(simulate, run, seed=seed, workers=workers, progress=tell)
        parts = []
        for cases, name in ((memory_cases(RATES), "memory_end"), (load_cases(RATES), "response_time")):
            parts.append(estimates(cases, play(cases, replications=n["attack"]), {name: ESTIMATES[name]}))
        parts.append(exact(theory, memory_cases(RATES), ["memory_end"]))
        table = Rows.concatenate([*parts, load_formula(RATES)])
        with styled():
            yield from save(syn_data_figure(table, n=n["attack"], seed=seed), table, out, "e10a_attack")

        cases = copy_cases(COPIES)
        wanted = {name: ESTIMATES[name] for name in ("p_delivered_twice", "response_time")}
        seen = estimates(cases, play(cases, replications=n["copies"]), wanted)
    table = Rows.concatenate([seen, exact(theory, cases, ["p_delivered_twice"])])
    with styled():
        yield from save(copies_figure(table, n=n["copies"], seed=seed), table, out, "e10b_copies")
        table = amplification_table(TEXTS)
        yield from save(amplification_figure(table, seed=seed), table, out, "e10c_amplification")


if __name__ == "__main__":
    script(main)
