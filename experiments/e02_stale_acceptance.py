"""Old segments in a reopened connection. Run alone, or by ``netsim reproduce e02``."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from netsim.cli import script
from netsim.experiments import Lab
from netsim.figures import stale as figures
from netsim.figures.output import save_table, save_text
from netsim.scenarios import stale
from netsim.studies import stale as study
from netsim.studies.study import differences, differences_text, estimates

TITLE = "Does a reopened connection accept segments of the connection before it?"
LOSSES = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
RUNS = {"acceptance": 120, "tails": 60, "bytes": 60, "lifetime": 30, "timestamps": 150}  # per point
MORE = 25  # times as many for a report
ACCEPTANCE = partial(figures.acceptance_figure, headings=study.HEADINGS, model=study.DUPLICATES)
BYTES = partial(figures.bytes_figure, clock=study.CLOCK, edge=study.EDGE)


def main(lab: Lab) -> Iterator[Path]:
    """P(old data accepted) against loss, TIME-WAIT, bytes, lifetime and timestamps; one run in which it is."""
    rows = study.sequence_rows(example := study.find_example(lab.seed))
    yield from lab.figure("e02b_sequence", figures.sequence_figure, rows, note=study.describe(example))
    yield from save_text(study.example_text(example), lab.out, "e02c_example")
    studies = {
        "a_acceptance": (study.stale_cases(LOSSES), ACCEPTANCE),
        "d_tails": (study.tail_cases(), figures.tails_figure),
        "e_bytes": (study.bytes_cases(), BYTES),
        "f_lifetime": (study.lifetime_cases(), figures.lifetime_figure),
        "g_timestamps": (study.timestamp_cases(), figures.timestamps_figure),
    }
    runs = lab.runs(RUNS, report=MORE)
    for name, (cases, draw) in studies.items():
        n = runs[name[2:]]
        results = lab.simulate(stale.run, cases, replications=n, common=name == "g_timestamps")
        table = estimates(cases, results, stale.ESTIMATES)
        yield from lab.figure(f"e02{name}", draw, table, n=n, seed=lab.seed)
    table = differences(cases, results, study.COMPARED, by="timestamps", base="without")
    yield from save_table(table, differences_text(table, study.PAWS), lab.out, "e02h_differences")


if __name__ == "__main__":
    script(main)
