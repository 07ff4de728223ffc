"""The SYN flood: who is still served, and what the defences cost. Run alone, or by ``netsim reproduce e07``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.flood_figures import cookie_cost_figure, peace_figure, population_figure, served_figure
from netsim.plots.output import save
from netsim.plots.style import styled
from netsim.scenarios import flood_study as study
from netsim.scenarios import setup, syn_flood
from netsim.scenarios.close_study import exact
from netsim.scenarios.studies import estimates, simulate
from netsim.sweep import Rows

TITLE = "How many clients does a server under a SYN flood still serve, and what do the defences cost?"
RATES = [0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 300.0, 1000.0]
RECORDED = [1.0, 2.0, 5.0, 12.0, 25.0, 50.0, 100.0, 300.0]
CROWDED = [5.0, 20.0, 100.0, 300.0, 1000.0]
FINE = [0.5 * 1.08**k for k in range(100)]  # for the closed forms
LOSSES = [0.0, 0.05, 0.1, 0.2, 0.3]
SERVED, COST = "p_served_at_first_syn", ("setup_latency", "p_diverged")
PEACE = ("setup_latency", "p_options_lost", "half_open_memory")
RUNS = {"served": 5, "population": 4, "cookies": 2_000, "peace": 3}  # worlds, or connections; more for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """Share served against attack rate, the queue over time, what cookies cost under loss and all defences in peace."""
    n = {name: 8 * runs if full else runs for name, runs in RUNS.items()}
    with nullcontext(progress) if progress else experiments.progress("e07") as tell, styled():
        run = partial(simulate, seed=seed, workers=workers, progress=tell)
        studies = study.served_studies(RATES, RECORDED, CROWDED, FINE, experiments.folder())
        for name, cases, fine, recorded, dashes in studies:
            found = estimates(cases, run(syn_flood.long_run, cases, replications=n["served"]), study.pick(SERVED))
            table = Rows.concatenate([found, exact(syn_flood.theory, fine, [SERVED]), *recorded])
            yield from save(served_figure(table, dashes=dashes, n=n["served"], seed=seed), table, out, name)
        table = study.populations(rate=5.0, length=200.0, worlds=n["population"], seed=seed)
        yield from save(population_figure(table, n=n["population"], seed=seed), table, out, "e07b_population")
        cases = study.cookie_cases(LOSSES)
        wanted = {name: setup.ESTIMATES[name] for name in COST}
        found = estimates(cases, run(setup.run, cases, replications=n["cookies"]), wanted)
        table = Rows.concatenate([found, exact(setup.theory, cases, COST)])
        yield from save(cookie_cost_figure(table, loss=0.2, n=n["cookies"], seed=seed), table, out, "e07c_cookies")
        cases = study.peace_cases()
        table = estimates(cases, run(syn_flood.long_run, cases, replications=n["peace"]), study.pick(*PEACE))
        yield from save(peace_figure(table, n=n["peace"], seed=seed), table, out, "e07d_peace")


if __name__ == "__main__":
    script(main)
