"""The SYN flood: which clients are served, and what defences cost. Run alone, or by ``netsim reproduce e07``."""

from collections.abc import Iterator
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab, folder
from netsim.figures.syn_flood import cookies_figure, costs_figure, population_figure, served_figure
from netsim.scenarios import setup, syn_flood
from netsim.studies import syn_flood as study
from netsim.studies.study import estimates, exact, pick
from netsim.sweep import Rows

TITLE = "How many clients does a server under a SYN flood still serve, and what do the defences cost?"
RATES = [0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 300.0, 1000.0]
RECORDED = [1.0, 2.0, 5.0, 12.0, 25.0, 50.0, 100.0, 300.0]
CROWDED = [5.0, 20.0, 100.0, 300.0, 1000.0]
FINE = [0.5 * 1.08**k for k in range(100)]  # for the closed forms
LOSSES = [0.0, 0.05, 0.1, 0.2, 0.3]
SERVED, COOKIES = "p_served_at_first_syn", ("setup_latency", "p_diverged")
COSTS = ("setup_latency", "p_options_lost", "half_open_memory_max")
RUNS = {"served": 5, "population": 4, "cookies": 2_200, "costs": 3}  # runs per point; eight times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """Share served against attack rate, the queue over time, what defences cost without an attack."""
    run, n, seed = lab.simulate, lab.runs(RUNS, report=8), lab.seed
    for name, cases, fine, recorded, exact_by in study.served_studies(RATES, RECORDED, CROWDED, FINE, folder()):
        results = run(syn_flood.long_run, cases, replications=n["served"])
        found = estimates(cases, results, pick(syn_flood.ESTIMATES, SERVED))
        table = Rows.concatenate([found, exact(syn_flood.theory, fine, [SERVED]), *recorded])
        yield from lab.figure(name, served_figure, table, exact=exact_by, n=n["served"], seed=seed)
    table = study.populations(rate=5.0, length=200.0, runs=n["population"], seed=seed)
    yield from lab.figure("e07b_population", population_figure, table, n=n["population"], seed=seed)
    cases = study.cookie_cases(LOSSES)
    found = estimates(cases, run(setup.run, cases, replications=n["cookies"]), pick(setup.ESTIMATES, *COOKIES))
    table = Rows.concatenate([found, exact(setup.theory, cases, COOKIES)])
    yield from lab.figure("e07c_cookies", cookies_figure, table, loss=0.2, n=n["cookies"], seed=seed)
    cases = study.cost_cases()
    results = run(syn_flood.long_run, cases, replications=n["costs"])
    table = estimates(cases, results, pick(syn_flood.ESTIMATES, *COSTS))
    yield from lab.figure("e07d_costs", costs_figure, table, n=n["costs"], seed=seed)


if __name__ == "__main__":
    script(main)
