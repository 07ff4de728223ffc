"""Curves that all figures share: a line with intervals and the exact value dashed, and distributions as steps.

Every function takes the Axes and what to draw and returns the Axes. Set the scales of the Axes first: what is drawn for
a probability of 0 depends on them. A curve carries its name as matplotlib's label; `labels.label_curves`, called when
the limits are final, writes the names at the right of the panel.

A table has the columns that `netsim.studies` describes: ``source`` (``simulation`` or ``exact``; a table without it is
simulated), ``value`` with its 95 % interval ``low`` to ``high``, and ``upper_bound`` for a proportion of which none was
observed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.transforms import ScaledTranslation, Transform

from netsim.figures.labels import name_of, power_of_ten, seconds
from netsim.figures.style import SMALLEST, Look, looks
from netsim.sweep import Rows, Scalar, number
from netsim.sweep.statistics import survival

DASHED: Final[Any] = (0, (4, 2))
GREY: Final = "#777777"
_NEVER: Final = {"log": 2.2, "linear": 1.2}  # where an infinite value is drawn, as a multiple of the largest finite one


def line(
    ax: Axes,
    rows: Rows,
    *,
    x: str,
    by: str,
    y: str = "value",
    dodge: float = 0.0,
    among: Mapping[str, Look] | None = None,
) -> Axes:
    """Column ``y`` against column ``x``, a curve for each value of the column ``by``.

    Simulated points are marks with a bar for their 95 % interval, exact values a dashed line; where there are none, the
    marks are joined. ``dodge`` (points) moves the marks of neighbouring curves apart. An infinite value is drawn on a
    line of its own, "never". ``among``: the looks of these curves, where other panels have more. ValueError for more
    curves than there are looks.
    """
    groups = {str(name): (name_of(name, by), part) for (name,), part in rows.group_by(by).items()}
    chosen = among or looks(list(groups))
    never = _never(ax, rows, y)
    for k, (key, (name, part)) in enumerate(groups.items()):
        shift = (k - (len(groups) - 1) / 2) * dodge
        curve(ax, part, x=x, y=y, name=name, look=chosen[key], shift=shift, never=never)
    return ax


def curve(
    ax: Axes,
    rows: Rows,
    *,
    x: str,
    name: str,
    look: Look,
    y: str = "value",
    shift: float = 0.0,
    never: float = math.inf,
) -> Axes:
    """One curve of `line`; infinite values are drawn at ``never``. ``shift`` (points) moves its marks to the right."""
    simulated, exact = by_source(rows)
    place = _moved(ax, shift)
    bars(ax, simulated, x=x, look=look, place=place, intervals=y == "value")
    at, values = numbers(simulated, x), _drawn(ax, simulated, y, never)
    (marks,) = ax.plot(at, values, color=look.colour, marker=look.marker, linestyle="", zorder=3, clip_on=False)
    marks.set_transform(place)
    shown, style = (exact, DASHED) if len(exact) else (simulated, "-")
    values = _drawn(ax, shown, y, never)
    ax.plot(numbers(shown, x), values, color=look.colour, linestyle=style, linewidth=1.3, marker="", label=name)
    return ax


def bars(ax: Axes, rows: Rows, *, x: str, look: Look, place: Transform | None = None, intervals: bool = True) -> Axes:
    """The 95 % intervals at column ``x``; on a logarithmic axis an arrow from the upper bound where none was observed.

    ``place``: where they are drawn if not in the data's own coordinates.
    """
    if not intervals or not {"low", "high"} <= set(rows.columns):
        return ax
    place = place or ax.transData
    for row in rows:
        at = number(row, x)
        if row.get("upper_bound") is not None and ax.get_yscale() == "log":
            hang_bound(ax, at, number(row, "upper_bound"), look, place)
        elif row["low"] is not None and row["high"] is not None:
            ends = [number(row, "low"), number(row, "high")]
            (bar,) = ax.plot([at, at], ends, color=look.colour, linewidth=1.4, marker="")
            bar.set_transform(place)
    return ax


def hang_bound(ax: Axes, x: float, bound: float, look: Look, place: Transform) -> None:
    """An arrow that points down from an upper bound: somewhere below it lies the probability."""
    arrow = {"arrowstyle": "<-", "color": look.colour, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=(x, bound), xycoords=place, xytext=(0, -14), textcoords="offset points", arrowprops=arrow)
    (mark,) = ax.plot(
        [x], [bound], color=look.colour, marker=look.marker, markersize=4.5, markerfacecolor="white", zorder=3
    )
    mark.set_transform(place)


def ccdf(ax: Axes, values: Mapping[str, Iterable[float]]) -> Axes:
    """P(X > t) of each named sample as steps with their 95 % band, probability logarithmic; NaN and infinity: never."""
    ax.set_yscale("log")
    return _distributions(ax, values, beyond=True)


def ecdf(ax: Axes, values: Mapping[str, Iterable[float]]) -> Axes:
    """P(X <= t) of each named sample as steps with their 95 % band (Wilson, at each t); NaN and infinity: never."""
    return _distributions(ax, values, beyond=False)


def _distributions(ax: Axes, values: Mapping[str, Iterable[float]], *, beyond: bool) -> Axes:
    samples = {name: Rows.from_dicts(survival(sample)) for name, sample in values.items()}
    times = [t for rows in samples.values() if len(rows) for t in numbers(rows, "t")]
    end = max(times, default=1.0) * 1.05
    start = min([0.0, *times]) if ax.get_xscale() != "log" else min(times, default=1.0) / 2
    for name, look in looks(list(samples)).items():
        if len(samples[name]):
            steps(ax, samples[name], name=name, look=look, start=start, end=end, beyond=beyond)
    ax.set_xlim(start, end)
    if beyond:
        largest = max((n for rows in samples.values() if len(rows) for n in numbers(rows, "n")), default=1.0)
        ax.set_ylim(0.5 / largest, 1.3)
    else:
        ax.set_ylim(0.0, 1.03)
    return ax


def steps(ax: Axes, rows: Rows, *, name: str, look: Look, start: float, end: float, beyond: bool = True) -> Axes:
    """P(X > t) from ``start`` to ``end``: simulated steps with their 95 % band, exact ones dashed in black.

    ``rows``: columns ``t``, ``value``, ``low``, ``high``, and ``source`` as above. With ``beyond=False``: P(X <= t).
    """
    simulated, exact = by_source(rows)
    t, low = _stairs(simulated, "low", start, end, beyond=beyond)
    _, high = _stairs(simulated, "high", start, end, beyond=beyond)
    _, value = _stairs(simulated, "value", start, end, beyond=beyond)
    ax.fill_between(t, low, high, step="post", color=look.colour, alpha=0.22, linewidth=0)
    ax.step(t, value, where="post", color=look.colour, linewidth=2.0, label=name)
    if len(exact):
        t, value = _stairs(exact, "value", start, end, beyond=beyond)
        ax.step(t, value, where="post", color="black", linewidth=1.1, linestyle=DASHED)
    return ax


def _stairs(rows: Rows, column: str, start: float, end: float, *, beyond: bool) -> tuple[list[float], list[float]]:
    inside = [(t, p) for t, p in zip(numbers(rows, "t"), numbers(rows, column), strict=True) if start <= t <= end]
    shown = [(start, 1.0), *inside, (end, inside[-1][1] if inside else 1.0)]
    return [t for t, _ in shown], [p if beyond else 1.0 - p for _, p in shown]


def by_source(rows: Rows) -> tuple[Rows, Rows]:
    """The simulated rows and the exact ones."""
    if "source" not in rows.columns:
        return rows, Rows({})
    return rows.where(source="simulation"), rows.where(source="exact")


def numbers(rows: Rows, column: str) -> list[float]:
    """A column to draw; NaN, which leaves a gap, where there is no value."""
    return rows.floats(column, missing=math.nan) if len(rows) else []


def _drawn(ax: Axes, rows: Rows, column: str, never: float) -> list[float]:
    """Values as they are drawn: infinity at ``never``; a logarithmic axis has no place for 0."""
    logarithmic = ax.get_yscale() == "log"
    return [
        never if value == math.inf else math.nan if logarithmic and value <= 0 else value
        for value in numbers(rows, column)
    ]


def _moved(ax: Axes, shift: float) -> Transform:
    """The data's coordinates, moved to the right by this many points."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return ax.transData + ScaledTranslation(shift / 72.0, 0.0, figure.dpi_scale_trans)


def _never(ax: Axes, rows: Rows, column: str) -> float:
    """Where infinite values of the column are drawn; the line "never" if there are any."""
    values = numbers(rows, column)
    if math.inf not in values:
        return math.inf
    place = max((v for v in values if v < math.inf), default=1.0) * _NEVER[ax.get_yscale()]
    ax.axhline(place, color="#999999", linewidth=0.8, linestyle=":")
    ax.text(-0.012, place, "never", ha="right", va="center", size=SMALLEST, transform=ax.get_yaxis_transform())
    return place


def probability_axis(ax: Axes, low: float) -> Axes:
    """A logarithmic vertical axis of probabilities from ``low`` to 1."""
    ax.set_yscale("log")
    ax.set_ylim(low, 1.0)
    powers = range(0, math.ceil(math.log10(low) - 1e-9) - 1, -1 if low > 1e-5 else -2 if low > 1e-11 else -3)
    return ticks(ax.yaxis, {10.0**k: power_of_ten(10.0**k) for k in powers})


def count_axis(ax: Axes, low: float, high: float) -> Axes:
    """A logarithmic vertical axis with a tick at every power of ten."""
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    return ticks(ax.yaxis, {10.0**k: power_of_ten(10.0**k) if k < 0 else f"{10**k:,}" for k in powers})


def seconds_axis(ax: Axes, at: Sequence[float], label: str) -> Axes:
    """A logarithmic horizontal axis of durations (s) with these ticks; linear below the first of them."""
    positive = [t for t in at if t > 0]
    if len(positive) < len(at):
        ax.set_xscale("symlog", linthresh=positive[0], linscale=0.45)
    else:
        ax.set_xscale("log")
    ax.set_xlabel(label)
    return ticks(ax.xaxis, {t: seconds(t) if positive[0] < 0.1 else f"{t:g}" for t in at})


def ticks(axis: Axis, names: Mapping[float, str]) -> Axes:
    """These ticks with these names, and no others."""
    axis.set_ticks(list(names), list(names.values()), size=SMALLEST)
    axis.set_ticks([], minor=True)
    return axis.axes


def known(rows: Rows, by: str, **point: Scalar) -> dict[str, float]:
    """The value of each curve at one point, for titles: exact where the table has it, else simulated."""
    values: dict[str, float] = {}
    for source in ("simulation", "exact"):
        found = rows.where(source=source, **point)
        values |= dict(zip(found.strings(by), found.floats("value"), strict=True))
    return values
