"""Three segments or four, and how soon both ends are done. Run alone, or by ``netsim reproduce e05``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.teardown import ends_figure, latency_figure, segments_figure, shares_figure, unsent_figure
from netsim.scenarios import teardown
from netsim.studies import teardown as study
from netsim.studies.study import differences, estimates, exact, pick
from netsim.sweep import Rows

NAMES, THINKS = ("p_three_segments", "p_four_segments", "segments"), study.THINKS
TITLE = "Does a close take four segments or three, and how soon are both ends done?"
LOSS, LOSSES = {"segments": 0.02, "latency": 0.1, "ends": 0.2, "unsent": 0.02}, [k / 10 for k in range(6)]
RUNS = {"segments": 2_000, "latency": 6_000, "shares": 1_000, "ends": 1_000, "unsent": 500}  # per point


def main(lab: Lab) -> Iterator[Path]:
    """P(3 segments) and P(4) against think time, delayed ACKs and unsent data; when either end is done, and how."""
    run, n, seed = lab.simulate, lab.runs(RUNS), lab.seed
    cases = study.segment_cases(THINKS, loss=LOSS["segments"])
    results = run(teardown.run, cases, replications=n["segments"], common=True)
    parts = [estimates(cases, results, pick(teardown.ESTIMATES, *NAMES))]
    parts.append(differences(cases, results, ["segments"], by="fin_ack", base=study.IMMEDIATE))
    cases = study.segment_cases(study.FINE_THINKS, loss=LOSS["segments"])
    table = Rows.concatenate([*parts, exact(teardown.theory, cases, NAMES)])
    facts = {"loss": LOSS["segments"], "think_time": 0.1}
    yield from lab.figure("e05a_segments", segments_figure, table, n=n["segments"], seed=seed, **facts)
    cases = study.teardown_cases([LOSS["latency"]])
    table = study.latency_survival(cases[0], run(teardown.run, cases, replications=n["latency"])[0])
    yield from lab.figure("e05b_latency", latency_figure, table, loss=LOSS["latency"], n=n["latency"], seed=seed)
    cases = study.teardown_cases(LOSSES)
    table = study.segment_shares(cases, run(teardown.run, cases, replications=n["shares"]))
    yield from lab.figure("e05c_segments", shares_figure, table, n=n["shares"], seed=seed)
    table = study.ends(run, loss=LOSS["ends"], n=n["ends"])
    yield from lab.figure("e05d_ends", ends_figure, table, loss=LOSS["ends"], n=n["ends"], seed=seed)
    table = study.unsent(run, loss=LOSS["unsent"], n=n["unsent"])
    draw = partial(unsent_figure, wait=study.ACKS[study.DELAYED])
    yield from lab.figure("e05e_unsent", draw, table, loss=LOSS["unsent"], n=n["unsent"], seed=seed)


if __name__ == "__main__":
    script(main)
