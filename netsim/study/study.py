"""A study: a scenario at many points."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from netsim.scenarios import default_replications, names, own, scenario
from netsim.scenarios.values import plain, read_any
from netsim.study.axes import Values, combinations, joined, split
from netsim.study.table import Table, tidy
from netsim.sweep import Estimator, Rows, Scalar, Workers, sweep
from netsim.sweep.progress import Progress, progress
from netsim.units import did_you_mean

Estimates = Mapping[str, Estimator] | Sequence[str]
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
        theory: Callable[[dict[str, Any]], Mapping[str, float]] | None = None,
        name: str | None = None,
        **given: Any,
    ) -> None:
        self._subject = _subject(scenario, estimates, theory, name)
        fixed, listed = split(given)
        axes, together, more = (self._subject.flat(table or {}) for table in (axes, zip, parameters))
        joined(**{"a fixed value": fixed, "a parameter": more, "a list": listed, "an axis": axes, "zip": together})
        fixed |= more
        self.axes: tuple[str, ...] = (*listed, *axes, *together)
        """The names of what varies."""
        self.points: tuple[Point, ...] = tuple(self._points(fixed, listed | axes, together))
        """All points, in the order of the table."""
        self._fixed = {name: str(self._subject.label(name, value)) for name, value in fixed.items()}
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
        subject = own.load(name, folder=folder).run if own.is_own(name) else name
        study = cls(subject, **{key: table.get(key) for key in _TABLES})
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
        if all runs failed.
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
        for place in combinations(axes, together):
            labels = {name: self._subject.label(name, value) for name, value in place.items()}
            given = {**fixed, **place}
            yield Point(labels, given, self._subject.build(given))

    def __repr__(self) -> str:
        varied = ", ".join(f"{name}: {len({point.labels[name] for point in self.points})} values" for name in self.axes)
        return f"<Study of {self._subject.title}: {len(self.points)} points{f' ({varied})' if varied else ''}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is studied, whether a scenario of the package or a function of the user."""

    title: str
    question: str
    identity: str
    replications: int
    run: Callable[..., Mapping[str, Any]]
    theory: Callable[[Any], Mapping[str, float]]
    estimators: Callable[[Rows], Mapping[str, Estimator]]
    build: Callable[[Values], Any]
    flat: Callable[[Values], dict[str, Any]]
    label: Callable[[str, Any], Scalar]
    options: Mapping[str, names.Option]


def _subject(
    what: str | own.Function,
    estimates: Estimates | None,
    theory: Callable[[dict[str, Any]], Mapping[str, float]] | None,
    name: str | None,
) -> Subject:
    if not isinstance(what, str):
        if estimates is not None and not isinstance(estimates, Mapping):
            raise ValueError(f"estimates = {estimates!r}: must be Estimators by name, for a function of your own")
        return _own_subject(own.own_scenario(what, name=name, estimates=estimates, theory=theory))
    if own.is_own(what):
        return _own_subject(own.load(what))
    for word, value in (("theory", theory), ("name", name)):
        if value is not None:
            raise ValueError(f"{word} = {value!r}: is for a function of your own; {what} has its own")
    module = scenario(what)
    wanted = _wanted(module.ESTIMATES, estimates)
    params = module.Params
    return Subject(
        title=what.replace("_", "-"),
        question=module.QUESTION,
        identity=what.replace("_", "-"),
        replications=default_replications(module),
        run=module.run,
        theory=module.theory,
        estimators=lambda rows: wanted,
        build=lambda given: names.build(params, given),
        flat=lambda table: _without_tables(params, table),
        label=lambda name, value: names.label(params, name, value),
        options=names.options(params),
    )


def _own_subject(what: own.OwnScenario) -> Subject:
    return Subject(
        title=what.name,
        question=what.question,
        identity=what.identity,
        replications=default_replications(what.run),
        run=what.run,
        theory=what.theory,
        estimators=what.estimators,
        build=what.build,
        flat=lambda table: dict(names.dotted(table)),
        label=lambda name, value: cast(Scalar, plain(read_any(value, name=name))),
        options={},
    )


def _without_tables(params: type[Any], table: Values) -> dict[str, Any]:
    """Dotted names for what stands in the table of an end: {"client": {"mss": [1]}} is {"client.mss": [1]}."""
    found = dict(names.flat(params, {n: v for n, v in table.items() if isinstance(v, Mapping)}))
    return found | {name: value for name, value in table.items() if not isinstance(value, Mapping)}


def _wanted(known: Mapping[str, Estimator], estimates: Estimates | None) -> Mapping[str, Estimator]:
    """The estimates of a scenario that are asked for, or all; Estimators of the user's own beside them."""
    if estimates is None:
        return known
    if isinstance(estimates, Mapping):
        return estimates
    for name in [estimates] if isinstance(estimates, str) else estimates:
        if name not in known:
            raise ValueError(f"estimate = {name!r}: must be one of {', '.join(known)}{did_you_mean(name, known)}")
    return {name: known[name] for name in ([estimates] if isinstance(estimates, str) else estimates)}
