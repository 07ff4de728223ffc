"""Forged segments and forged connections. Run alone, or by ``netsim reproduce e09``."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from netsim import experiments
from netsim.cli import script
from netsim.plots.attack_figures import forged_open_figure, injection_figure
from netsim.plots.output import save, save_table
from netsim.plots.style import styled
from netsim.scenarios import blind, forged_open
from netsim.scenarios.attack_study import forged_open_cases, injection_cases, rfc4953_table, rfc4953_text
from netsim.scenarios.close_study import exact
from netsim.scenarios.studies import estimates, simulate
from netsim.sweep import Rows

TITLE = "How many forged segments does an attacker need who sees nothing of the connection?"
WINDOWS = [2**10, 2**14, 2**16, 2**20, 2**24, 2**28, (1 << 30) - 1]
GUESSES = [1, 3, 10, 30, 100, 300]
RUNS = {"injection": 150, "forged": 100}  # a point; ten times as many for a report


def main(
    out: Path,
    *,
    full: bool = False,
    seed: int = 1,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Path]:
    """Segments of blind attacks against the window; P(a forged connection opens) for four ISN policies; RFC 4953."""
    n = {name: 10 * runs if full else runs for name, runs in RUNS.items()}
    with nullcontext(progress) if progress else experiments.progress("e09") as tell:
        run = partial(simulate, seed=seed, workers=workers, progress=tell)
        cases = injection_cases(WINDOWS)
        wanted = {name: blind.ESTIMATES[name] for name in ("segments_needed", "segments_used")}
        counted = estimates(cases, run(blind.run, cases, replications=n["injection"]), wanted)
        table = Rows.concatenate([counted, exact(blind.theory, cases, ["segments_needed"])])
        with styled():
            yield from save(injection_figure(table, n=n["injection"], seed=seed), table, out, "e09a_injection")

        cases = forged_open_cases(GUESSES)
        wanted = {"p_opened": forged_open.ESTIMATES["p_opened"]}
        seen = estimates(cases, run(forged_open.run, cases, replications=n["forged"]), wanted)
    table = Rows.concatenate([seen, exact(forged_open.theory, cases, ["p_opened"])])
    with styled():
        yield from save(forged_open_figure(table, n=n["forged"], seed=seed), table, out, "e09b_forged_open")
    rfc4953 = rfc4953_table()
    yield from save_table(rfc4953, rfc4953_text(rfc4953), out, "e09c_rfc4953")


if __name__ == "__main__":
    script(main)
