"""``netsim run --against``: a scenario and a variant of it on the same random numbers, and the paired differences."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from netsim.cli.errors import UsageError
from netsim.cli.report import Result
from netsim.seeds import Seed
from netsim.study.text import aligned, interval, number
from netsim.sweep import Estimate, Estimator, Rows, Scalar, paired_difference, paired_proportions, point_key, world_mean


def read_changes(words: Iterable[str]) -> dict[str, str]:
    """``NAME=VALUE`` by name, the names are those of the options, without the leading hyphens. UsageError."""
    changes: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UsageError(f"against = {word!r}: must be NAME=VALUE, for example time-wait=60")
        if name in changes:
            raise UsageError(f"against = {word!r}: {name} is given twice")
        changes[name] = value.strip()
    return changes


def sharing(run: Callable[..., Mapping[str, Any]], params: Any) -> Callable[..., Mapping[str, Any]]:
    """``run``, but with the random numbers that it has for ``params``, whatever the parameters are."""
    return partial(_with_numbers_of, run, point_key(params))


def _with_numbers_of(run: Callable[..., Mapping[str, Any]], point: str, params: Any, seed: Seed) -> Mapping[str, Any]:
    return run(params, replace(seed, point=point))


@dataclass(frozen=True, slots=True)
class Differences:
    """What a study and its variant found, each alone, and the differences run by run."""

    result: Result
    variant: Result
    differences: Mapping[str, Estimate]

    def as_json(self) -> str:
        """The object of ``netsim run``, and in ``against`` the variant: params, estimates, theory, differences."""
        other = json.loads(self.variant.as_json())
        against = {name: other[name] for name in ("params", "n", "estimates", "theory")}
        against["differences"] = {name: e.as_dict() for name, e in self.differences.items()}
        return json.dumps(json.loads(self.result.as_json()) | {"against": against}, indent=2, allow_nan=False)

    def as_table(self) -> str:
        """One line for each estimate: here, in the variant, the difference with its 95 % interval, and in theory."""
        lines = [f"{self.result.subject.title}: {self.result.subject.question}"]
        lines.append(f"seed {self.result.seed}, {self.result.n} runs; {self.result.changes()}")
        lines += [f"against the same runs with {self._changes()}", ""]
        head = ("", "this", "against", "difference", "95 % interval", "n", "theory")
        lines += aligned([head, *map(self._cells, self.differences)])
        notes = ["differences: this less against, over runs that share their random numbers; quantiles have none"]
        if any(e.low is None and e.n for e in self.differences.values()):
            notes.append("means: no interval below 2000 pairs, it would cover too little")
        return "\n".join([*lines, "", *notes])

    def _cells(self, name: str) -> tuple[str, ...]:
        e, here, there = self.differences[name], self.result.theory, self.variant.theory
        theory = number(_less(here[name], there[name])) if name in here and name in there else ""
        values = (self.result.estimates[name].value, self.variant.estimates[name].value, e.value)
        return name, *map(number, values), interval(e.low, e.high), str(e.n), theory

    def _changes(self) -> str:
        record = self.result.subject.record
        here, there = record(self.result.params), record(self.variant.params)
        changed = [name for name in there if name not in here or there[name] != here[name]]
        return ", ".join(f"{name} = {_other(there[name], here.get(name))}" for name in changed)


def paired(first: Rows, second: Rows, estimators: Mapping[str, Estimator]) -> dict[str, Estimate]:
    """For every mean and share, ``second`` less ``first``, by replication. A run that either lacks is left out."""
    both = set(first.column("replication")) & set(second.column("replication"))
    found = {}
    for name, estimator in estimators.items():
        if estimator.kind != "quantile" and estimator.column in first.columns:
            before, after = (_values(rows, estimator, both) for rows in (first, second))
            found[name] = _difference(before, after, estimator)
    return found


def _values(rows: Rows, estimator: Estimator, wanted: set[Scalar]) -> list[Scalar]:
    pairs = zip(rows.column("replication"), rows.column(estimator.column), strict=True)
    values = [value for replication, value in pairs if replication in wanted]
    if estimator.equals is None:
        return values
    return [None if value is None else value == estimator.equals for value in values]


def _difference(first: Sequence[Scalar], second: Sequence[Scalar], estimator: Estimator) -> Estimate:
    if estimator.kind == "proportion":
        return paired_proportions(first, second)
    before, after = ([None if v is None else float(v) for v in values] for values in (first, second))
    if estimator.kind == "world_mean":
        return world_mean(b - a for a, b in zip(before, after, strict=True) if a is not None and b is not None)
    return paired_difference(before, after, horizon=estimator.at)


def _less(here: float, there: float) -> float:
    """The difference of two exact values; what rounding leaves of equal ones is nothing."""
    return 0.0 if math.isclose(here, there, rel_tol=1e-12) else here - there


def _other(value: Any, here: Any) -> str:
    """A value that differs; of a host's TCP only what differs."""
    if not isinstance(value, dict) or not isinstance(here, dict):
        return str(value)
    fields = {**dict.fromkeys(here, "default"), **value}
    return " ".join(f"{name}={v}" for name, v in fields.items() if v != here.get(name))
