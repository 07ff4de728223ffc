"""Three segments or four, and how soon both ends are done. Run alone, or by ``netsim reproduce e05``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.close_figures import latency_figure, segments_figure, shares_figure
from netsim.plots.ends import ends_figure
from netsim.plots.output import save
from netsim.plots.style import styled
from netsim.scenarios import close_study as study
from netsim.scenarios import teardown
from netsim.scenarios.studies import differences, estimates, simulate
from netsim.sweep import Rows

NAMES, THINKS = ("p_three_segments", "p_four_segments", "segments"), study.THINKS
TITLE = "Does a close take four segments or three, and how soon are both ends done?"
LOSS, LOSSES = {"segments": 0.02, "latency": 0.1, "ends": 0.2}, [k / 20 for k in range(11)]
RUNS = {"segments": 2_000, "latency": 6_000, "shares": 1_000, "ends": 1_000}  # a point; ten times as many for a report


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
        run = partial(simulate, seed=seed, workers=workers, progress=tell)
        cases = study.segment_cases(THINKS, loss=LOSS["segments"])
        results = run(teardown.run, cases, replications=n["segments"], common=True)
        parts = [estimates(cases, results, {name: teardown.ESTIMATES[name] for name in NAMES})]
        parts.append(differences(cases, results, ["segments"], by="fin_ack", base="ACK at once"))
        cases = study.segment_cases(study.FINE_THINKS, loss=LOSS["segments"])
        table = Rows.concatenate([*parts, study.exact(teardown.theory, cases, NAMES)])
        with styled():
            figure = segments_figure(table, think=0.1, n=n["segments"], seed=seed, loss=LOSS["segments"])
            yield from save(figure, table, out, "e05a_segments")
        cases = study.teardown_cases([LOSS["latency"]])
        table = study.latency_survival(cases[0], run(teardown.run, cases, replications=n["latency"])[0])
        with styled():
            figure = latency_figure(table, loss=LOSS["latency"], n=n["latency"], seed=seed)
            yield from save(figure, table, out, "e05b_latency")
        cases = study.teardown_cases(LOSSES)
        shares = study.segment_shares(cases, run(teardown.run, cases, replications=n["shares"]))
        table = study.ends(run, loss=LOSS["ends"], n=n["ends"])
        with styled():
            yield from save(shares_figure(shares, n=n["shares"], seed=seed), shares, out, "e05c_segments")
            yield from save(ends_figure(table, loss=LOSS["ends"], n=n["ends"], seed=seed), table, out, "e05d_ends")


if __name__ == "__main__":
    script(main)
