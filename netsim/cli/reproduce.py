"""``netsim reproduce``, and the command line of one experiment's script run alone."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from netsim.cli.errors import UsageError, pick
from netsim.cli.input import FAILED, INTERRUPTED, read_seed, read_workers, say
from netsim.experiments import Main, aliases, experiments, folder, publish
from netsim.sweep import SweepFailed, Workers

OUT: Final = "results"


def chosen(words: Sequence[str]) -> dict[str, Main | None]:
    """The experiments that are named (e01, e01_setup_latency, setup-latency), or all; none is imported yet.

    UsageError for an unknown one, or if there are none.
    """
    names = list(experiments())
    if not names:
        raise UsageError(f"experiments: none found in {folder()}; must be an installed netsim or its repository")
    short = aliases()
    picked = [short.get(word.replace("-", "_")) or pick("experiment", word, names) for word in words]
    return dict.fromkeys(picked or names)


def make(
    mains: Mapping[str, Main | None],
    *,
    out: str | None,
    full: bool,
    workers: str | None,
    seed: str | None,
) -> int:
    """Run them, each file on stdout when it is in its place; the exit status. A main that is None is imported."""
    root, processes = read_seed(seed), read_workers(workers)
    if out == "":  # most often a shell variable that is not set
        raise UsageError("out = '': must be a folder that can be written, . for this one")
    home = Path(OUT if out is None else out)
    _require_folder(home)
    done = 0
    say(f"seed {root}{', full' if full else ''}; results in {home}")
    try:
        with Workers(processes) as team:
            for name, main in mains.items():
                began = time.monotonic()
                known = experiments().get(name)
                say(f"{name}: {known.title if known else ''}".rstrip(": "))
                act = main or experiments()[name].load()
                for path in publish(act, name, home, full=full, seed=root, workers=team):
                    print(path, flush=True)
                    done += 1
                say(f"{name}: {time.monotonic() - began:.0f} s")
    except KeyboardInterrupt as stop:
        say(f"{str(stop) or 'interrupted'}; {done} files are complete in {home}")
        return INTERRUPTED
    except (SweepFailed, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        say(f"{error}; {done} files are complete in {home}")
        return FAILED
    return 0


def run_script(main: Main, argv: Sequence[str]) -> int:
    """The options of ``netsim reproduce`` for one experiment, whose module runs as a script."""
    from typing import Annotated

    from cyclopts import App, Parameter

    from netsim.cli.options import String, Switch

    path = Path(main.__code__.co_filename)

    def alone(
        *,
        out: Annotated[String, Parameter(help="folder for the results (default: results)")] = None,
        full: Annotated[Switch, Parameter(help="more runs and smaller intervals, for a report")] = False,
        workers: Annotated[String, Parameter(help="number of processes (default: one per core)")] = None,
        seed: Annotated[String, Parameter(help="root seed of all random numbers, an integer >= 0 (default 1)")] = None,
    ) -> int:
        return make({path.stem: main}, out=out, full=full, workers=workers, seed=seed)

    app = App(name=path.name, help=main.__doc__, help_formatter="plain", result_action="return_value")
    app.suppress_keyboard_interrupt = False
    app.default(alone)
    status: int | None = app(list(argv), exit_on_error=False, print_error=False)
    return status or 0


def _require_folder(home: Path) -> None:
    """UsageError unless files can be written into it; it is made if it is not there."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise UsageError(f"out = {str(home)!r}: {problem}; must be a folder that can be written") from None
