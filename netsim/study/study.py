"""A study: a scenario at many points."""

import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from netsim.scenarios import names, own
from netsim.study.axes import Values, combinations, joined, split
from netsim.study.subject import Estimates, Theory, subject
from netsim.study.table import Table, tidy
from netsim.sweep import Scalar, Workers, sweep
from netsim.sweep.progress import Progress, progress
from netsim.units import did_you_mean

_TABLES: Final = ("parameters", "axes", "zip")
_SETTINGS: Final = ("scenario", "replications", "seed")
RESERVED: Final = ("estimate", "value", "low", "high", "upper_bound", "n", "exact")


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a study: what it is called in the table (axis -> value), what was given, and the parameters."""

    labels: dict[str, Scalar]
    given: dict[str, Any]
    params: Any


class Study:
    """A scenario at many points: ``Study("setup", loss=[0.05, 0.1], rtt="80ms", profile="linux")``.

    ``scenario``: the name of one (``netsim list`` has them), or a function ``run(params, seed) -> dict`` of your own,
    which gets a dict and a ``netsim.Seed``. A list given as a keyword is an axis, any other value is fixed; the points
    are all combinations of the axes. Names with dots stand in ``axes={"client.syn_retries": [0, 1, 3]}``, or, with a
    single value, in ``parameters={...}``. The lists of ``zip={...}`` vary side by side. Names, shorthands and units are
    those of the command line.

    ``estimates``: some names of the scenario's estimates, or for a function of your own ``Estimator``s by name (by
    default a proportion for each boolean column, a mean for each column of numbers). ``theory``: for a function of your
    own, exact values by the same names, from the parameters. ``name``: its identity, if not that of its source.

    ValueError, in one line, for an unknown scenario or parameter, an axis without values, a name given twice, zipped
    lists of different lengths, and values that the scenario refuses.
    """

    def __init__(
        self,
        scenario: str | own.Function,
        /,
        *,
        axes: Values | None = None,
        zip: Values | None = None,
        parameters: Values | None = None,
        estimates: Estimates | None = None,
        theory: Theory | None = None,
        name: str | None = None,
        **given: Any,
    ) -> None:
        self._subject = subject(scenario, estimates=estimates, theory=theory, name=name)
        fixed, listed = split(given)
        axes, together, more = (self._subject.flat(table or {}) for table in (axes, zip, parameters))
        joined(**{"a fixed value": fixed, "a parameter": more, "a list": listed, "an axis": axes, "zip": together})
        fixed |= more
        self.axes: tuple[str, ...] = (*listed, *axes, *together)
        """The names of what varies."""
        self.points: tuple[Point, ...] = tuple(self._points(fixed, listed | axes, together))
        """All points, in the order of the table."""
        label, text = self._subject.label, self._subject.text
        self._fixed = {name: _without_digest(text(name, label(name, value))) for name, value in fixed.items()}
        self._together = frozenset(together)
        self._defaults: dict[str, int] = {}

    @classmethod
    def from_toml(cls, path: str | Path) -> "Study":
        """The study that a file describes, with the words of Python.

        ``scenario = "setup"`` (or ``"FILE.py:FUNCTION"``, relative to the file), and the tables ``[parameters]``,
        ``[axes]`` and ``[zip]``; dotted names may be quoted or nested. ``replications`` and ``seed`` become the
        defaults of ``run``. ValueError names the file.
        """
        table = names.read_toml("path", str(path))
        try:
            return cls._from_table(table, Path(path).parent)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    @classmethod
    def _from_table(cls, table: Mapping[str, Any], folder: Path) -> "Study":
        known = (*_SETTINGS, *_TABLES)
        for key, value in table.items():
            if key not in known:
                raise ValueError(f"{key}: unknown; must be one of {', '.join(known)}{did_you_mean(key, known)}")
            if key in _TABLES and not isinstance(value, dict):
                raise ValueError(f"{key} = {value!r}: must be a table, [{key}]")
        name = table.get("scenario")
        if not isinstance(name, str):
            raise ValueError(f"scenario = {name!r}: must be the name of a scenario, or FILE.py:FUNCTION")
        study = cls(str(folder / name) if own.is_own(name) else name, **{key: table.get(key) for key in _TABLES})
        study._defaults = {key: table[key] for key in ("replications", "seed") if key in table}
        return study

    @property
    def identity(self) -> str:
        """What is studied: the scenario's name, or the identity of the function (``netsim.identity``)."""
        return self._subject.identity

    def run(
        self,
        replications: int | None = None,
        seed: int | None = None,
        *,
        workers: int | Workers | None = None,
        progress: bool | Progress | None = None,
    ) -> Table:
        """Run every point ``replications`` times (default: the scenario's own number, mostly 2000) from a root seed.

        The results are the same for any number of ``workers`` (processes; default one per core). ``progress``: True or
        False for a bar or none (default: a bar if stderr is a terminal), or a function ``(done, total)``. A run that
        raises is a row of ``table.runs`` with an ``error``, and a warning. ValueError for bad arguments; RuntimeError
        if all runs failed; Ctrl-C raises ``netsim.sweep.SweepInterrupted``, which has the rows that are done.
        """
        count = self._given("replications", replications, self._subject.replications)
        root = self._given("seed", seed, 1)
        with self._progress(progress) as report:
            rows = sweep(
                self._subject.run,
                [point.params for point in self.points],
                replications=count,
                seed=root,
                workers=workers,
                progress=report,
            )
        parts = list(rows.group_by("point").values())  # in the order of the points
        return tidy(
            self._subject,
            self.axes,
            self.points,
            parts,
            replications=count,
            seed=root,
            fixed=self._fixed,
            exact_at=self._exact_at,
        )

    def _exact_at(self, labels: Mapping[str, Scalar], changes: Mapping[str, Scalar]) -> Mapping[str, float]:
        """The exact values at the point with these labels, but for these parameters; empty where there are none."""
        point = next(point for point in self.points if labels.items() <= point.labels.items())
        if not self._together.isdisjoint(changes):
            return {}  # what varies with them is not known
        try:
            return self._subject.theory(self._subject.build({**point.given, **changes}) if changes else point.params)
        except ValueError:  # theory has none for these parameters
            return {}

    def _given(self, name: str, value: int | None, default: int) -> int:
        return self._defaults.get(name, default) if value is None else value

    def _progress(self, wanted: bool | Progress | None) -> Any:
        if callable(wanted):
            return nullcontext(wanted)
        return progress(self._subject.title, show=wanted)

    def _points(self, fixed: Values, axes: Values, together: Values) -> Iterator[Point]:
        for name in (*axes, *together):
            if name in RESERVED:
                raise ValueError(f"{name}: is a column of the table; an axis must have another name")
        seen: set[tuple[Scalar, ...]] = set()
        for place in combinations(axes, together):
            labels = {name: self._subject.label(name, value) for name, value in place.items()}
            if tuple(labels.values()) in seen:
                shown = ", ".join(f"{name} = {value}" for name, value in labels.items())
                raise ValueError(f"{shown}: stands twice in the lists; the points must be distinct")
            seen.add(tuple(labels.values()))
            given = {**fixed, **place}
            yield Point(labels, given, self._subject.build(given))

    def __repr__(self) -> str:
        varied = ", ".join(f"{name}: {len({point.labels[name] for point in self.points})} values" for name in self.axes)
        return f"<Study of {self._subject.title}: {len(self.points)} points{f' ({varied})' if varied else ''}>"


def _without_digest(label: str) -> str:
    """The name of a function alone, where a label is its whole identity."""
    return re.sub(r"^(?:[\w<>]+\.)*([\w<>]+):[0-9a-f]{16}$", r"\1", label)
