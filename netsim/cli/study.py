"""``netsim run`` and ``netsim trace``: a scenario with its parameters, run many times or looked at once."""

import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from netsim.cli.against import Differences, paired, sharing
from netsim.cli.errors import UsageError, checked_input
from netsim.cli.report import Result, number
from netsim.scenarios import scenario
from netsim.scenarios.names import build, read_file
from netsim.scenarios.values import read, show
from netsim.seeds import Seed
from netsim.sweep import Estimate, Rows, SweepFailed, SweepInterrupted, point_key, sweep, write_csv
from netsim.sweep.progress import progress

if TYPE_CHECKING:
    from netsim.trace import Trace

FAILED: Final = 1
INTERRUPTED: Final = 130
SEED: Final = 1
REPLICATIONS: Final = 2000
_MOST_WORKERS: Final = 1024
_LARGEST: Final = 2**63 - 1
_WIDTH: Final = 100  # columns of a ladder
LINES: Final = 400  # of each pair of hosts
_PAIRS: Final = 4  # of hosts, unless all is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What to run: a scenario's module and parameters, how often, from which seed, on how many processes."""

    name: str
    module: Any
    params: Any
    replications: int
    seed: int
    workers: int | None

    @classmethod
    def read(
        cls,
        name: str,
        given: Mapping[str, Any],
        *,
        config: str | None = None,
        replications: str | None = None,
        seed: str | None = None,
        workers: str | None = None,
        changes: Mapping[str, str] | None = None,
    ) -> "Study":
        """From the command line and, where one is named, a file; ``changes`` win over both. UsageError if bad."""
        module = scenario(name)
        with checked_input():
            in_file = read_file(config, module.Params) if config is not None else {}
            params = build(module.Params, in_file, given, changes or {})
        return cls(
            name=name,
            module=module,
            params=params,
            replications=natural("replications", replications, least=1) or default_replications(module),
            seed=read_seed(seed),
            workers=read_workers(workers),
        )


def default_replications(module: Any) -> int:
    """How many runs a scenario gets that is not told: fewer where each run is a whole world of connections."""
    own: int = getattr(module, "REPLICATIONS", REPLICATIONS)
    return own


def natural(name: str, text: str | None, *, least: int = 0, most: int = _LARGEST) -> int | None:
    """An integer in that range from text; None for None. UsageError otherwise."""
    if text is None:
        return None
    try:
        value: int = read(int, text, name=name)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        upper = f" and <= {most}" if most < _LARGEST or value > most else ""
        raise UsageError(f"{name} = {text}: must be an integer >= {least}{upper}")
    return value


def read_seed(text: str | None) -> int:
    """The root seed, or the default one."""
    seed = natural("seed", text)
    return SEED if seed is None else seed


def read_workers(text: str | None) -> int | None:
    """The number of processes; None for one per core."""
    return natural("workers", text, least=1, most=_MOST_WORKERS)


def study(what: Study, *, out: str | None, as_json: bool, against: Study | None = None) -> int:
    """Run it, print the result, write the rows; the exit status.

    ``against``: a variant that runs on the same random numbers; the paired differences are printed too.
    After Ctrl-C (130) or a breakdown of the workers (1), the same with the runs that are done.
    """
    if out is not None:
        require_writable(out)
    studies = [what] if against is None else [what, against]
    for warning in dict.fromkeys(warning for one in studies for warning in warnings(one)):
        say(f"warning: {warning}")
    theory = [_theory(one) for one in studies]
    status = 0
    try:
        with progress(what.name) as tell:
            rows = sweep(
                what.module.run if against is None else sharing(what.module.run, what.params),
                [one.params for one in studies],
                replications=what.replications,
                seed=what.seed,
                workers=what.workers,
                progress=tell,
            )
    except (SweepInterrupted, SweepFailed) as stop:
        rows, status = stop.rows, INTERRUPTED if isinstance(stop, SweepInterrupted) else FAILED
        kept = f"; their rows are in {out}" if out is not None and len(rows) else ""
        say(f"{stop}{kept}")
    if len(rows):
        status = _keep(rows, out) or status
        result = _found(studies, rows, theory)
        print(result.as_json() if as_json else result.as_table(), flush=True)
    return _report_failures(rows) or status


@dataclass(frozen=True, slots=True)
class Run:
    """One run with its trace; ``title`` tells which it is, ``outcome`` what came of it."""

    params: Any
    trace: "Trace"
    title: str
    outcome: str

    def ladder(self, *, unicode: bool, limit: int | None) -> str:
        """What came of it, then its ladder; ``limit`` lines of each of the first pairs of hosts, or all."""
        from netsim.trace.ladder import ladder

        pairs = None if limit is None else _PAIRS
        head = textwrap.fill(f"{self.title}: {self.outcome}", width=_WIDTH, subsequent_indent="  ")
        text = ladder(self.trace, unicode=unicode, width=_WIDTH, max_lines=limit, max_pairs=pairs)
        cut = "\n\nCut short: --limit 0 shows all." if "\n... " in text else ""
        return f"{head}\n\n{text}{cut}"


def traced(what: Study, *, replication: str | None) -> Run:
    """The run that ``netsim run`` makes with this seed."""
    from netsim.trace import Trace

    k = natural("replication", replication) or 0
    trace = Trace()
    row = what.module.run(what.params, Seed(what.seed, point_key(what.params), k), observers=[trace.events.append])
    outcome = ", ".join(f"{name} {_cell(value)}" for name, value in row.items())
    return Run(what.params, trace, f"{what.name}, seed {what.seed}, run {k}", outcome)


def say(line: str) -> None:
    """One line on stderr."""
    print(f"netsim: {line}", file=sys.stderr, flush=True)


def _found(studies: Sequence[Study], rows: Rows, theory: Sequence[Mapping[str, float]]) -> Result | Differences:
    """What came of one study, or of two that share their random numbers."""
    parts = [rows.where(point=point_key(one.params)) for one in studies]
    found = [_result(*one) for one in zip(studies, parts, theory, strict=True)]
    if len(found) == 1:
        return found[0]
    result, variant = found
    return Differences(result, variant, paired(parts[1], parts[0], result.estimators))


def _result(what: Study, rows: Rows, theory: Mapping[str, float]) -> Result:
    estimators = what.module.ESTIMATES
    nothing = Estimate(None, None, None, 0)
    estimates = {n: e(rows) if e.column in rows.columns else nothing for n, e in estimators.items()}
    return Result(
        scenario=what.name,
        question=what.module.QUESTION,
        params=what.params,
        seed=what.seed,
        n=len(rows),
        estimators=estimators,
        estimates=estimates,
        theory=theory,
    )


def warnings(what: Study) -> tuple[str, ...]:
    """What the scenario has to say of parameters that do not do what they seem to."""
    told: tuple[str, ...] = what.module.warnings(what.params) if hasattr(what.module, "warnings") else ()
    return told


def _theory(what: Study) -> dict[str, float]:
    try:
        values: dict[str, float] = what.module.theory(what.params)
    except ValueError as error:
        say(f"no theory for these parameters: {error}")
        return {}
    return values


def require_writable(out: str, name: str = "out") -> None:
    """UsageError unless a file of that name can be written, found out before hours of work."""
    target = Path(out)
    try:
        if target.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise UsageError(f"{name} = {out!r}: {problem}; must be a file in a folder that can be written") from None


def _keep(rows: Rows, out: str | None) -> int:
    if out is None:
        return 0
    try:
        write_csv(rows, out)
    except OSError as error:
        say(f"out = {out!r}: cannot be written: {error.strerror}")
        return FAILED
    return 0


def _report_failures(rows: Rows) -> int:
    failed = rows.failed()
    for row in failed:
        say(f"{len(failed)} of {len(rows)} runs failed; replication {row['replication']}: {row['error']}")
        return FAILED
    return 0


def _cell(value: Any) -> str:
    return number(value) if isinstance(value, float) else show(value)
