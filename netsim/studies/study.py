"""What all studies share: cases, their simulation, and the tidy table, a row for each number that a figure shows.

Columns of a table: the labels of the case (``profile``, ``loss``, ...), ``estimate`` (its name in the scenario's
ESTIMATES), ``source`` (``simulation``, or ``exact`` for an enumeration), ``value`` with its 95 % interval ``low`` to
``high``, ``upper_bound`` (only for a proportion of which none was observed) and ``n``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from netsim.seeds import Seed
from netsim.sweep import (
    Estimate,
    Estimator,
    Rows,
    Scalar,
    Workers,
    paired_difference,
    paired_proportions,
    point_key,
    sweep,
)
from netsim.sweep.progress import Progress


@dataclass(frozen=True, slots=True)
class Case:
    """A point of a study: its labels in the table, and the scenario's parameters."""

    labels: dict[str, Scalar]
    params: Any


def simulate(
    run: Callable[..., Mapping[str, Any]],
    cases: Sequence[Case],
    *,
    replications: int,
    seed: int,
    workers: int | Workers | None = None,
    progress: Progress | None = None,
    common: bool = False,
) -> list[Rows]:
    """The rows of each case. RuntimeError if a run failed: a figure with holes would mislead.

    ``common``: a replication draws the same random numbers in every case, so that ``differences`` are sharp.
    """
    points = [case.params for case in cases]
    run = partial(_with_common_numbers, run) if common else run
    rows = sweep(run, points, replications=replications, seed=seed, workers=workers, progress=progress)
    failed = rows.failed()
    if len(failed):
        raise RuntimeError(f"{len(failed)} of {len(rows)} runs failed, the first with {failed.column('error')[0]}")
    by_point = rows.group_by("point")
    return [by_point[point_key(params),] for params in points]


def _with_common_numbers(run: Callable[..., Mapping[str, Any]], params: Any, seed: Seed) -> Mapping[str, Any]:
    return run(params, replace(seed, point=""))


def differences(
    cases: Sequence[Case], results: Sequence[Rows], columns: Sequence[str], *, by: str, base: Scalar
) -> Rows:
    """Paired differences: every case minus the case whose label ``by`` is ``base``, replication by replication.

    The cases must share their random numbers (``simulate(..., common=True)``). ``source`` is ``paired difference``.
    Differences of proportions always have an interval, others from 2,000 runs on.
    """
    table: list[dict[str, Scalar]] = []
    found = {tuple(case.labels.items()): rows for case, rows in zip(cases, results, strict=True)}
    for case, rows in zip(cases, results, strict=True):
        if case.labels[by] == base:
            continue
        reference = found[tuple((case.labels | {by: base}).items())]
        for column in columns:
            e = _difference(reference.column(column), rows.column(column))
            numbers = {"value": e.value, "low": e.low, "high": e.high, "n": e.n}
            labels = {**case.labels, "against": base}
            table.append({**labels, "estimate": column, "source": "paired difference", **numbers})
    return Rows.from_dicts(table)


def differences_text(table: Rows, heading: str) -> str:
    """The table of ``differences`` as text under a heading: a line for each, with its 95 % interval."""
    unlabelled = ("against", "estimate", "source", "value", "low", "high", "n")
    labels = [name for name in table.columns if name not in unlabelled]
    head = (*labels, "against", "estimate", "difference", "95 % interval")
    lines = [head]
    for row in table:
        interval = "-" if row["low"] is None else f"{row['low']:.5g} .. {row['high']:.5g}"
        value = "-" if row["value"] is None else f"{row['value']:.5g}"
        lines.append((*(str(row[name]) for name in (*labels, "against", "estimate")), value, interval))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([heading, "", *body, ""])


def _difference(first: Sequence[Scalar], second: Sequence[Scalar]) -> Estimate:
    if all(isinstance(value, bool | None) for value in (*first, *second)):
        return paired_proportions(first, second)
    return paired_difference(_numbers(first), _numbers(second))


def _numbers(values: Sequence[Scalar]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]


def pick(known: Mapping[str, Estimator], *names: str) -> dict[str, Estimator]:
    """The estimators of these names, out of a scenario's ESTIMATES. KeyError for an unknown name."""
    return {name: known[name] for name in names}


def estimates(cases: Sequence[Case], results: Sequence[Rows], wanted: Mapping[str, Estimator]) -> Rows:
    """The wanted estimates of every case, as a tidy table."""
    table = []
    for case, rows in zip(cases, results, strict=True):
        for name, estimator in wanted.items():
            e = estimator(rows)
            numbers = {"value": e.value, "low": e.low, "high": e.high, "upper_bound": e.upper_bound, "n": e.n}
            table.append({**case.labels, "estimate": name, "source": "simulation", **numbers})
    return Rows.from_dicts(table)


def exact(
    theory: Callable[[Any], Mapping[str, float]], cases: Sequence[Case], names: Iterable[str] | None = None
) -> Rows:
    """The exact values that a scenario's theory knows, as a tidy table: those of these names, or all.

    A case for which the theory has no answer is left out."""
    table: list[dict[str, Scalar]] = []
    for case in cases:
        values = theory(case.params)
        for name in values if names is None else [name for name in names if name in values]:
            table.append({**case.labels, "estimate": name, "source": "exact", "value": values[name]})
    return Rows.from_dicts(table)
