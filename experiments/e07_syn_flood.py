"""The SYN flood: who is still served, and what the defences cost. Run alone, or by ``netsim reproduce e07``."""

from collections.abc import Iterator
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab, folder
from netsim.figures.flood_figures import cookie_cost_figure, peace_figure, population_figure, served_figure
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
SERVED, COST = "p_served_at_first_syn", ("setup_latency", "p_only_client_established")
PEACE = ("setup_latency", "p_options_lost", "half_open_memory_max")
RUNS = {"served": 5, "population": 4, "cookies": 2_200, "peace": 3}  # worlds, or connections; more for a report


def main(lab: Lab) -> Iterator[Path]:
    """Share served against attack rate, the queue over time, what cookies cost under loss and all defences in peace."""
    run, n, seed = lab.simulate, lab.runs(RUNS, report=8), lab.seed
    for name, cases, fine, recorded, dashes in study.served_studies(RATES, RECORDED, CROWDED, FINE, folder()):
        results = run(syn_flood.long_run, cases, replications=n["served"])
        found = estimates(cases, results, pick(syn_flood.ESTIMATES, SERVED))
        table = Rows.concatenate([found, exact(syn_flood.theory, fine, [SERVED]), *recorded])
        yield from lab.figure(name, served_figure, table, dashes=dashes, n=n["served"], seed=seed)
    table = study.populations(rate=5.0, length=200.0, worlds=n["population"], seed=seed)
    yield from lab.figure("e07b_population", population_figure, table, n=n["population"], seed=seed)
    cases = study.cookie_cases(LOSSES)
    found = estimates(cases, run(setup.run, cases, replications=n["cookies"]), pick(setup.ESTIMATES, *COST))
    table = Rows.concatenate([found, exact(setup.theory, cases, COST)])
    yield from lab.figure("e07c_cookies", cookie_cost_figure, table, loss=0.2, n=n["cookies"], seed=seed)
    cases = study.peace_cases()
    results = run(syn_flood.long_run, cases, replications=n["peace"])
    table = estimates(cases, results, pick(syn_flood.ESTIMATES, *PEACE))
    yield from lab.figure("e07d_peace", peace_figure, table, n=n["peace"], seed=seed)


if __name__ == "__main__":
    script(main)
