"""Three segments or four, and how soon both ends are done. Run alone, or by ``netsim reproduce e05``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.close_figures import latency_figure, segments_figure, shares_figure
from netsim.plots.output import save
from netsim.plots.style import styled
from netsim.scenarios import teardown
from netsim.scenarios.close_study import exact, latency_survival, segment_cases, segment_shares, teardown_cases
from netsim.scenarios.studies import differences, estimates, simulate
from netsim.sweep import Rows

NAMES = ("p_three_segments", "p_four_segments", "segments")
TITLE = "Does a close take four segments or three, and how soon are both ends done?"
THINKS = [0.002, 0.01, 0.03, 0.1, 0.3, 1.0, 5.0]  # s, mean
FINE = [0.001 * 1.1**k for k in range(98)]  # for the exact curves, up to 10 s
LOSS = {"segments": 0.02, "latency": 0.1}
LOSSES = [k / 20 for k in range(11)]
RUNS = {"segments": 2_000, "latency": 6_000, "shares": 1_000}  # a point; ten times as many for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """P(3 segments) and P(4) against the server's think time and its ACK policy; when either end is done."""
    n = {name: 10 * runs if full else runs for name, runs in RUNS.items()}
    with nullcontext(progress) if progress else experiments.progress("e05") as tell:
        run = partial(simulate, teardown.run, seed=seed, workers=workers, progress=tell)
        cases = segment_cases(THINKS, loss=LOSS["segments"])
        results = run(cases, replications=n["segments"], common=True)
        simulated = estimates(cases, results, {name: teardown.ESTIMATES[name] for name in NAMES})
        paired = differences(cases, results, ["segments"], by="fin_ack", base="ACK at once")
        fine = exact(teardown.theory, segment_cases(FINE, loss=LOSS["segments"]), NAMES)
        table = Rows.concatenate([simulated, paired, fine])
        with styled():
            figure = segments_figure(table, think=0.1, n=n["segments"], seed=seed, loss=LOSS["segments"])
            yield from save(figure, table, out, "e05a_segments")
        cases = teardown_cases([LOSS["latency"]])
        table = latency_survival(cases[0], run(cases, replications=n["latency"])[0])
        with styled():
            figure = latency_figure(table, loss=LOSS["latency"], n=n["latency"], seed=seed)
            yield from save(figure, table, out, "e05b_latency")
        cases = teardown_cases(LOSSES)
        table = segment_shares(cases, run(cases, replications=n["shares"]))
        with styled():
            yield from save(shares_figure(table, n=n["shares"], seed=seed), table, out, "e05c_segments")


if __name__ == "__main__":
    script(main)
