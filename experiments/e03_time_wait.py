"""What TIME-WAIT prevents and what it costs. Run alone, or by ``netsim reproduce e03``."""

from collections.abc import Iterator
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures.assassination import assassination_figure
from netsim.figures.time_wait import time_wait_figure, why_four_figure
from netsim.scenarios import ports, time_wait
from netsim.studies import time_wait as study
from netsim.studies.assassination import assassinated
from netsim.studies.study import differences, estimates, exact, pick
from netsim.studies.teardown import why_four
from netsim.sweep import Rows

NAMES = ("p_unclean", "p_reset", "p_timeout")
TITLE = "What does TIME-WAIT prevent, and what does it cost?"
LOSSES = [0.1, 0.2, 0.3]
DUPLICATES = [0.01, 0.05, 0.1, 0.2, 0.3]  # proportion of segments with a delayed duplicate
LENGTHS = [0.0, 1.5, 4.0, 12.0, 60.0]  # s
COUNTED = [0.5, 1.5, 4.0]  # s; for these the sockets are counted too
FINE = [0.0, *(0.25 * 1.06**k for k in range(119))]  # for the exact curves, up to 240 s
RUNS = {"time_wait": 2_000, "cost": 10, "early": 400, "segments": 400}  # per point; ten times as many for a report


def main(lab: Lab) -> Iterator[Path]:
    """P(the server closes uncleanly) against TIME-WAIT, and what TIME-WAIT costs; P(a RST ends TIME-WAIT early)."""
    run, n = lab.simulate, lab.runs(RUNS)
    cases = study.time_wait_cases(LOSSES, LENGTHS)
    results = run(time_wait.run, cases, replications=n["time_wait"], common=True)
    parts = [estimates(cases, results, pick(time_wait.ESTIMATES, *NAMES))]
    parts.append(differences(cases, results, ["unclean"], by="time_wait", base=0.0))
    parts.append(exact(time_wait.theory, study.time_wait_cases(LOSSES, sorted({*FINE, *LENGTHS})), NAMES))
    cases = study.cost_cases(COUNTED)
    results = run(ports.run, cases, replications=n["cost"])
    parts.append(estimates(cases, results, pick(ports.ESTIMATES, "client_time_wait_sockets")))
    parts.append(study.cost(sorted({*FINE, *LENGTHS} - {0.0})))
    early = assassinated(run, DUPLICATES, n=n["early"])
    close = why_four(run, loss=0.02, n=n["segments"])
    facts = {"rate": study.RATE, "seed": lab.seed}
    table = Rows.concatenate(parts)
    yield from lab.figure("e03a_time_wait", time_wait_figure, table, loss=0.2, n=n["time_wait"], **facts)
    table = Rows.concatenate([close, table])
    yield from lab.figure("e03c_why_four", why_four_figure, table, think_time=0.1, lost=0.02, n=n, **facts)
    yield from lab.figure("e03b_assassination", assassination_figure, early, duplicate=0.1, n=n["early"], seed=lab.seed)


if __name__ == "__main__":
    script(main)
