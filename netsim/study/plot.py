"""The figure of a table: a line with intervals, or the distribution of a column by curve."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, assert_never, get_args

from netsim.figures import curves, output
from netsim.figures.labels import BOUND, NORMAL, ORDER, STUDENT, WILSON, footer, label_curves, name_of
from netsim.figures.style import in_percent, sheet, styled
from netsim.study.subject import Subject
from netsim.sweep import Estimator, Rows, Scalar, number
from netsim.sweep.statistics import survival
from netsim.units import did_you_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["line", "ecdf", "ccdf"]
_INTERVALS: Final = {"Wilson": WILSON, "normal": NORMAL, "Student t": STUDENT, "order statistics": ORDER}
_ENDINGS: Final = (".png", ".svg", ".pdf", ".csv")
_WIDE: Final = 30.0  # a probability whose largest value is this many times the smallest gets a logarithmic axis
_FINE: Final = 40  # intervals between exact values of a smooth curve
_MOST_TICKS: Final = 8  # the closest points are at least this part of the axis apart
_DODGE: Final = 3.0  # points between the marks of neighbouring curves
_ALL: Final = "all runs"  # the curve of a figure that has one only


class Table(Protocol):
    """What is drawn; see ``netsim.study.Table``."""

    @property
    def estimates(self) -> Rows: ...
    @property
    def runs(self) -> Rows: ...
    @property
    def axes(self) -> tuple[str, ...]: ...
    @property
    def subject(self) -> Subject: ...
    @property
    def estimators(self) -> Mapping[str, Estimator]: ...
    @property
    def replications(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def fixed(self) -> dict[str, str]: ...
    def exact_at(self, labels: Mapping[str, Scalar], changes: Mapping[str, Scalar], /) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A figure: ``figure`` and ``axes`` are matplotlib's, ``table`` the numbers. A notebook shows it."""

    figure: "Figure"
    axes: "Axes"
    table: Rows

    def save(self, name: str | Path) -> list[Path]:
        """Write ``name``.png, ``name``.svg, ``name``.pdf, and the numbers to ``name``.csv; the paths.

        A folder in ``name`` is made if it is missing; one of these endings at its end is left out. OSError.
        """
        path = Path(name)
        if path.suffix in _ENDINGS:
            path = path.with_suffix("")
        path.parent.mkdir(parents=True, exist_ok=True)
        with styled():
            return output.save(self.figure, self.table, path.parent, path.name)

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        with styled():
            self.figure.savefig(buffer, format="png", dpi=120)
        return buffer.getvalue()

    def __repr__(self) -> str:
        return f"<Plot of {len(self.table)} rows; save('NAME') writes it>"


def plot(
    table: Table,
    column: str,
    *,
    x: str | None,
    by: str | None,
    kind: Kind,
    ax: "Axes | None",
    title: str | None,
    xscale: str | None,
    yscale: str | None,
) -> Plot:
    """Draw an estimate or a distribution; ``Table.plot`` documents the arguments. ValueError if one does not fit."""
    if kind not in get_args(Kind):
        raise ValueError(f"kind = {kind!r}: must be one of {', '.join(get_args(Kind))}")
    with styled():
        match kind:
            case "line":
                return _line(table, column, x=x, by=by, ax=ax, title=title, scales=(xscale, yscale))
            case "ecdf" | "ccdf":
                if x is not None:
                    raise ValueError(f"x = {x!r}: is for kind='line'; a distribution has the column at its x axis")
                return _distribution(table, column, by=by, kind=kind, ax=ax, title=title, xscale=xscale)
            case _:
                assert_never(kind)


def _line(
    table: Table,
    name: str,
    *,
    x: str | None,
    by: str | None,
    ax: "Axes | None",
    title: str | None,
    scales: tuple[str | None, str | None],
) -> Plot:
    estimator = _known(name, table.estimators, "estimate")
    x, by = _roles(table, x, by)
    chosen = table.estimates.where(estimate=name)
    rows = Rows.concatenate([_drawn(chosen, x, by), _between(table, chosen, name, x, by, log=scales[0] == "log")])
    yscale = scales[1] or _scale(estimator, rows)
    figure, axes = _place(
        ax,
        title or f"{table.subject.title}: {name} against {x}{f', by {by}' if by else ''}",
        _footer(table, estimator, rows, x=x, by=by, arrows=yscale == "log"),
        [name_of(value, _short(by)) for value in chosen.column(by)] if by else [],
    )
    axes.set_xscale(scales[0] or "linear")
    axes.set_yscale(yscale)
    curve = _short(by) if by else "estimate"
    named = Rows({_short(column) if column == by else column: rows.column(column) for column in rows.columns})
    curves.line(axes, _in_order(named, x), x=x, by=curve, dodge=_DODGE)
    _x_ticks(axes, table, x, chosen)
    _y_ticks(axes)
    if estimator.kind == "proportion" and axes.get_yscale() == "linear":
        in_percent(axes.yaxis)
    axes.set_xlabel(_axis_label(table, x))
    axes.set_ylabel(name + (_unit(table, estimator.column) if estimator.kind != "proportion" else ""))
    if by:
        label_curves(axes)
    return Plot(figure, axes, rows)


def _drawn(rows: Rows, x: str, by: str | None) -> Rows:
    """The rows as figures have them: a row for each simulated value, and one for each exact value."""
    found: list[dict[str, Scalar]] = []
    for row in rows:
        labels = {name: row[name] for name in (x, by, "estimate") if name is not None}
        if row["value"] is not None:
            numbers = {name: row[name] for name in ("value", "low", "high", "upper_bound", "n")}
            found.append({**labels, "source": "simulation", **numbers})
        if row["exact"] is not None:
            found.append({**labels, "source": "exact", "value": row["exact"]})
    if not any(row["source"] == "simulation" for row in found):
        raise ValueError("rows: there is no value to draw")
    return Rows.from_dicts(found)


def _between(table: Table, chosen: Rows, name: str, x: str, by: str | None, *, log: bool) -> Rows:
    """Exact values between the points, where ``x`` is a real number and theory is quick: the dashed curve is smooth."""
    option = table.subject.options.get(x)
    real = option is not None and float in (option.hint, *get_args(option.hint))
    if not real or table.estimators[name].kind == "world_mean" or all(v is None for v in chosen.column("exact")):
        return Rows({})
    at = sorted(set(chosen.floats(x)))
    low, high = at[0], at[-1]
    steps = [k / _FINE for k in range(1, _FINE)]
    fine = [low * (high / low) ** s if log and low > 0 else low + (high - low) * s for s in steps]
    found: list[dict[str, Scalar]] = []
    for (key,), part in chosen.group_by(by or "estimate").items():
        labels = {axis: part.column(axis)[0] for axis in table.axes if axis != x}
        for value in fine:
            exact = table.exact_at(labels, {x: value}).get(name)
            if exact is not None and value not in at:
                found.append({x: value, by or "estimate": key, "estimate": name, "source": "exact", "value": exact})
    return Rows.from_dicts(found)


def _in_order(rows: Rows, x: str) -> Rows:
    """The rows by ascending ``x``, so that lines go from left to right."""
    return Rows.from_dicts(sorted(rows, key=lambda row: number(row, x)))


def _short(name: str) -> str:
    """A name without the end that it belongs to: "syn_retries" for "client.syn_retries"."""
    return name.rpartition(".")[2]


def _x_ticks(ax: "Axes", table: Table, x: str, chosen: Rows) -> None:
    """A tick at each point, if there are few and far between; probabilities in per cent."""
    option = table.subject.options.get(x)
    percent = option is not None and option.probability
    at = sorted(set(chosen.floats(x)))
    gaps = [after - before for before, after in itertools.pairwise(at)]
    if ax.get_xscale() == "linear" and gaps and min(gaps) * _MOST_TICKS >= at[-1] - at[0]:
        curves.ticks(ax.xaxis, {value: f"{100 * value:g} %" if percent else f"{value:g}" for value in at})
    elif percent:
        in_percent(ax.xaxis)


def _y_ticks(ax: "Axes") -> None:
    """On a logarithmic axis of less than two decades ticks at 1, 2 and 5 times the powers of ten."""
    low, high = ax.get_ylim()
    if ax.get_yscale() != "log" or high > 100 * low:
        return
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    at = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    curves.ticks(ax.yaxis, {value: f"{value:g}" for value in at if low <= value <= high})


def _distribution(
    table: Table, column: str, *, by: str | None, kind: Kind, ax: "Axes | None", title: str | None, xscale: str | None
) -> Plot:
    columns = [name for name in table.runs.columns if name not in table.axes]
    _known(column, dict.fromkeys(columns), "column")
    by = by or _only(_varying(table), "by")
    _require_fixed(table, {by} if by else set())
    samples = dict(_samples(table.runs, column, by))
    rows = Rows.concatenate(_survival(name, by, sample) for name, sample in samples.items())
    sign = ">" if kind == "ccdf" else "\N{LESS-THAN OR EQUAL TO}"
    facts = ["bands: 95 % (Wilson, at each t)", *_facts(table, {by} if by else set())]
    figure, axes = _place(
        ax,
        title or f"{table.subject.title}: distribution of {column}{f', by {by}' if by else ''}",
        footer(table.replications, *facts, seed=table.seed),
        list(samples) if by else [],
    )
    axes.set_xscale(xscale or "linear")
    (curves.ccdf if kind == "ccdf" else curves.ecdf)(axes, samples)
    axes.set_xlabel(f"{column}, t{_unit(table, column)}")
    axes.set_ylabel(f"P({column} {sign} t)")
    if by:
        label_curves(axes)
    return Plot(figure, axes, rows)


def _samples(runs: Rows, column: str, by: str | None) -> Iterator[tuple[str, list[float]]]:
    """The values of the column by the name of the curve; failed runs have none."""
    groups = runs.group_by(by) if by else {(_ALL,): runs}
    for (value,), part in groups.items():
        done = [number for number in part.column(column) if number is not None]
        if any(isinstance(number, str) for number in done):
            raise ValueError(f"column = {column!r}: holds strings; must be a column of numbers")
        yield name_of(value, _short(by or "")), [float(number) for number in done]


def _survival(name: str, by: str | None, sample: list[float]) -> Rows:
    return Rows.from_dicts({by or "curve": name, **row} for row in survival(sample))


def _place(ax: "Axes | None", title: str, note: str, names: list[str]) -> "tuple[Figure, Axes]":
    """The given Axes, or those of a new sheet with its title and its footer."""
    if ax is None:
        room = 0.2 if not names else min(0.65 + 0.1 * max(map(len, names)), 3.0)  # inches, of type of 12 points
        figure, (axes,) = sheet(title, note, label_room=room)
        return figure, axes
    figure = ax.get_figure(root=True)  # type: ignore[assignment]
    assert figure is not None
    return figure, ax


def _roles(table: Table, x: str | None, by: str | None) -> tuple[str, str | None]:
    """Which axis is drawn at the bottom and which one makes the curves; ValueError unless all others are fixed."""
    varying = _varying(table)
    for role, name in (("x", x), ("by", by)):
        if name is not None:
            _known(name, dict.fromkeys(table.axes), role)
    if x is None:
        x = _only([name for name in varying if name != by], "x")
    if x is None:
        raise ValueError("x = None: nothing varies; must be one of the study's axes")
    if by is None:
        by = _only([name for name in varying if name != x], "by")
    texts = [value for value in table.estimates.column(x) if isinstance(value, str)]
    if texts:
        raise ValueError(f"x = {x!r}: {texts[0]!r} is no number; must be an axis of numbers (by={x!r} makes curves)")
    _require_fixed(table, {x, by} - {None})
    return x, by


def _varying(table: Table) -> list[str]:
    return [name for name in table.axes if len(set(table.estimates.column(name))) > 1]


def _only(names: list[str], role: str) -> str | None:
    """The one name, or none; ValueError if there are several to choose from."""
    if len(names) > 1:
        raise ValueError(f"{role} = None: must be one of {', '.join(names)}")
    return names[0] if names else None


def _require_fixed(table: Table, drawn: set[Any]) -> None:
    for name in _varying(table):
        if name not in drawn:
            value = table.estimates.column(name)[0]
            raise ValueError(f"{name}: varies too; choose one value with table.where({{{name!r}: {value!r}}})")


def _known(name: str, known: Mapping[str, Any], role: str) -> Any:
    if name not in known:
        raise ValueError(f"{role} = {name!r}: must be one of {', '.join(known)}{did_you_mean(name, known)}")
    return known[name]


def _scale(estimator: Estimator, rows: Rows) -> str:
    """Logarithmic for proportions that differ by more than a figure shows otherwise."""
    values = [value for value in rows.floats("value", missing=math.nan) if 0 < value < math.inf]
    wide = bool(values) and max(values) > _WIDE * min(values)
    return "log" if estimator.kind == "proportion" and wide else "linear"


def _unit(table: Table, column: str) -> str:
    """The unit that the meaning of a column names, in brackets."""
    found = re.search(r" \((s|bytes|1/s)\)", table.subject.columns.get(column, ""))
    return found[0] if found else ""


def _axis_label(table: Table, name: str) -> str:
    """The meaning of the parameter and its unit."""
    option = table.subject.options.get(name)
    if option is None or not option.text:
        return name
    unit = f" ({option.unit})" if option.unit else ""
    return f"{option.text}{unit}" if len(option.text) < 60 else f"{name}{unit}"


def _footer(table: Table, estimator: Estimator, rows: Rows, *, x: str, by: str | None, arrows: bool) -> str:
    facts = []
    if len(rows.where(source="exact")):
        facts.append("dashed: exact")
    if arrows and any(value is not None for value in rows.where(source="simulation").column("upper_bound")):
        facts.append(BOUND)
    interval = _INTERVALS[estimator.interval]
    if all(value is None for value in rows.where(source="simulation").column("low")):
        interval = "no intervals for means of fewer than 2,000 runs"
    return footer(table.replications, interval, *facts, *_facts(table, {x, by}), seed=table.seed)


def _facts(table: Table, drawn: set[Any]) -> list[str]:
    """The parameters that were given and the axes that have one value in this figure."""
    first = {name: table.estimates.column(name)[0] for name in table.axes if name not in drawn}
    chosen = {name: table.subject.text(name, value) for name, value in first.items()}
    return [f"{name} = {value}" for name, value in (table.fixed | chosen).items()]
