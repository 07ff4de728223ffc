"""The result of ``netsim run``: a table to read, or one JSON object."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netsim.study.subject import Subject
from netsim.study.text import aligned, interval, number
from netsim.sweep import Estimate, Estimator

_MEANS = ("mean", "restricted_mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What ``netsim run`` found; ``n`` is the number of runs that are done."""

    subject: Subject
    params: Any
    seed: int
    n: int
    estimators: Mapping[str, Estimator]
    estimates: Mapping[str, Estimate]
    theory: Mapping[str, float]

    def as_json(self) -> str:
        """One JSON object. What is infinite or no number is null; ``params.horizon`` is that of restricted means."""
        result = {
            "scenario": self.subject.title,
            "params": self.subject.record(self.params) | _horizon(self.estimators),
            "seed": self.seed,
            "n": self.n,
            "estimates": {name: estimate.as_dict() for name, estimate in self.estimates.items()},
            "theory": {name: value if math.isfinite(value) else None for name, value in self.theory.items()},
        }
        return json.dumps(result, indent=2, allow_nan=False)

    def as_table(self) -> str:
        """One line for each estimate: value, 95 % interval, number of observations, theory."""
        lines = [
            f"{self.subject.title}: {self.subject.question}",
            f"seed {self.seed}, {self.n} runs; {self.changes()}",
            "",
        ]
        head = ("", "estimate", "95 % interval", "n", "theory")
        return "\n".join([*lines, *aligned([head, *map(self._cells, self.estimates)]), *self._notes()])

    def _cells(self, name: str) -> tuple[str, str, str, str, str]:
        e = self.estimates[name]
        theory = number(self.theory[name]) if name in self.theory else ""
        return name, number(e.value), interval(e.low, e.high), str(e.n), theory

    def changes(self) -> str:
        """The parameters that are not at their defaults."""
        now, default = self.subject.record(self.params), self.subject.defaults
        changed = [
            f"{name} = {_short(value)}" for name, value in now.items() if name not in default or value != default[name]
        ]
        return ", ".join(changed) or "all parameters at their defaults"

    def _notes(self) -> list[str]:
        notes = []
        for name, estimator in self.estimators.items():
            if estimator.kind == "restricted_mean":
                notes.append(f"{name}: failures counted at the horizon, {estimator.at:g} s")
        if any(self.estimators[name].kind in _MEANS and e.low is None for name, e in self.estimates.items()):
            notes.append("means: no interval below 2000 observations, it would cover too little")
        return ["", *notes] if notes else []


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join([str(value["profile"]), *(f"{k}={v}" for k, v in value.items() if k != "profile")])
    return str(value)


def _horizon(estimators: Mapping[str, Estimator]) -> dict[str, float]:
    """The horizon of the restricted means, if there are any; they share it."""
    horizons = [e.at for e in estimators.values() if e.kind == "restricted_mean" and e.at is not None]
    return {"horizon": horizons[0]} if horizons else {}
