"""``netsim run``: many runs of a scenario, estimates and theory."""

from collections.abc import Mapping, Sequence

from netsim.cli.against import Differences, paired, sharing
from netsim.cli.input import FAILED, INTERRUPTED, require_writable, say
from netsim.cli.report import Result
from netsim.cli.request import Request
from netsim.sweep import Estimate, Rows, SweepFailed, SweepInterrupted, point_key, sweep, write_csv
from netsim.sweep.progress import progress


def run(what: Request, *, out: str | None, as_json: bool, against: Request | None = None) -> int:
    """Run it, print the result, write the rows; the exit status.

    ``against``: a variant that runs on the same random numbers; the paired differences are printed too.
    After Ctrl-C (130) or a breakdown of the workers (1), the same with the runs that are done.
    """
    if out is not None:
        require_writable(out)
    studies = [what] if against is None else [what, against]
    for warning in dict.fromkeys(warning for one in studies for warning in one.subject.warnings(one.params)):
        say(f"warning: {warning}")
    theory = [_theory(one) for one in studies]
    status = 0
    try:
        with progress(what.subject.title) as tell:
            rows = sweep(
                what.subject.run if against is None else sharing(what.subject.run, what.params),
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


def _found(studies: Sequence[Request], rows: Rows, theory: Sequence[Mapping[str, float]]) -> Result | Differences:
    """What came of one study, or of two that share their random numbers."""
    parts = [rows.where(point=point_key(one.params)) for one in studies]
    found = [_result(*one) for one in zip(studies, parts, theory, strict=True)]
    if len(found) == 1:
        return found[0]
    result, variant = found
    return Differences(result, variant, paired(parts[1], parts[0], result.estimators))


def _result(what: Request, rows: Rows, theory: Mapping[str, float]) -> Result:
    estimators = what.subject.estimators(rows)
    nothing = Estimate(None, None, None, 0)
    estimates = {n: e(rows) if e.column in rows.columns else nothing for n, e in estimators.items()}
    return Result(
        subject=what.subject,
        params=what.params,
        seed=what.seed,
        n=len(rows),
        estimators=estimators,
        estimates=estimates,
        theory=theory,
    )


def _theory(what: Request) -> dict[str, float]:
    try:
        values: dict[str, float] = dict(what.subject.theory(what.params))
    except ValueError as error:
        say(f"no theory for these parameters: {error}")
        return {}
    return values


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
