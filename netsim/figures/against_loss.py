"""One estimate against loss, a curve for each profile: points with bands or bars are simulated, dashes exact."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Literal

from matplotlib.axes import Axes

from netsim.figures.labels import Label, label_curves
from netsim.figures.style import SMALLEST, Look, in_percent, looks
from netsim.sweep import Rows, Scalar

Step = Literal["mid"] | None
Draw = Callable[[Axes, Sequence[float], Rows, Look], None]

# So that equal points of two curves are both seen, they are set apart by these shares of loss.
_DODGE: Final = 0.002
_WIDE_DODGE: Final = 0.005
_TICKS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # s
_FINE_TICKS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_ABOVE: Final = 2.2  # where "never" is drawn, as a multiple of the largest finite value


def mean_against_loss(ax: Axes, table: Rows, *, by: str = "profile") -> Axes:
    """Mean latency (s, logarithmic) against loss, with its 95 % band.

    ``table``: one estimate, with the columns ``by``, loss, source, value, low, high.
    """
    return _latency(ax, table, by, step=None)


def quantile_against_loss(ax: Axes, table: Rows, *, by: str = "profile") -> Axes:
    """A quantile of the latency (s, logarithmic) against loss; it moves in steps, and so does its 95 % band.

    ``table``: as above. Values that are infinite, because more connections fail than the quantile leaves out, are
    drawn on a line of their own at the top: ``never``.
    """
    return _latency(ax, table, by, step="mid")


def _latency(ax: Axes, table: Rows, by: str, *, step: Step) -> Axes:
    highest = max(v for v in _numbers(table, "value") if v < math.inf)
    never = highest * _ABOVE
    reaches_never = any(v == math.inf for v in _numbers(table, "value"))
    ax.set_yscale("log")
    ax.set_ylim(0.08, never * 1.15 if reaches_never else highest * 1.4)
    draw = partial(_band, ceiling=never, step=step)
    labels = _curves(ax, table, by, draw, ceiling=never, dodge=_DODGE)
    ticks = [t for t in (_FINE_TICKS if highest < 10 else _TICKS) if t <= highest * 1.4]
    _value_axis(ax, ticks, [f"{t:g}" for t in ticks])
    if reaches_never:
        ax.axhline(never, color="#999999", linewidth=0.8, linestyle=":")
        ax.set_yticks([*ticks, never], [*(f"{t:g}" for t in ticks), "never"])
    ax.set_ylabel("latency (s)")
    return label_curves(_loss_axis(ax, table), labels)


def probability_against_loss(
    ax: Axes, table: Rows, *, by: str = "profile", name: str = "probability", floor: float = 1e-6
) -> Axes:
    """A probability (logarithmic, the axis has its ``name``) against loss, down to ``floor``.

    ``table``: as above, with ``upper_bound``: a proportion of which none was seen is an arrow that hangs from it.
    """
    ax.set_yscale("log")
    ax.set_ylim(floor, 1.0)
    labels = _curves(ax, table, by, _bars, ceiling=1.0, dodge=_WIDE_DODGE)
    ticks = [10.0**k for k in range(round(math.log10(floor)), 1, 1 if floor > 1e-5 else 2)]
    _value_axis(ax, ticks, [share(t) for t in ticks])
    ax.set_ylabel(name)
    return label_curves(_loss_axis(ax, table), labels)


def hang_bound(ax: Axes, x: float, bound: float, look: Look) -> None:
    """An arrow that points down from an upper bound: somewhere below it lies the probability."""
    arrow = {"arrowstyle": "<-", "color": look.colour, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=(x, bound), xytext=(0, -14), textcoords="offset points", arrowprops=arrow)
    ax.plot([x], [bound], color=look.colour, marker=look.marker, markersize=4.5, markerfacecolor="white", zorder=3)


def _curves(ax: Axes, table: Rows, by: str, draw: Draw, *, ceiling: float, dodge: float) -> list[Label]:
    """All curves of the table, and where their names belong."""
    labels = []
    groups = {str(name): rows for (name,), rows in table.group_by(by).items()}
    for index, (name, look) in enumerate(looks(list(groups)).items()):
        shift = (index - (len(groups) - 1) / 2) * dodge
        exact, simulated = groups[name].where(source="exact"), groups[name].where(source="simulation")
        x = [loss + shift for loss in _numbers(simulated, "loss")]
        draw(ax, x, simulated, look)
        if len(exact):
            y = [value or math.nan for value in _clipped(exact, "value", ceiling)]  # 0 has no place on this axis
            ax.plot(_numbers(exact, "loss"), y, color=look.colour, linestyle=(0, (4, 2)), linewidth=1.3, marker="")
        else:
            ax.plot(x, _clipped(simulated, "value", ceiling), color=look.colour, linestyle="-", marker="")
        end = exact if len(exact) else simulated
        labels.append(Label(name, _clipped(end, "value", ceiling)[-1], look))
    return labels


def _band(ax: Axes, x: Sequence[float], rows: Rows, look: Look, *, ceiling: float, step: Step) -> None:
    low, high = _clipped(rows, "low", ceiling), _clipped(rows, "high", ceiling)
    ax.fill_between(x, low, high, step=step, color=look.colour, alpha=0.2, linewidth=0)
    y = _clipped(rows, "value", ceiling)
    ax.plot(x, y, color=look.colour, marker=look.marker, linestyle="", zorder=3)


def _bars(ax: Axes, x: Sequence[float], rows: Rows, look: Look) -> None:
    """A proportion with a bar for its interval, or hanging from a bound if none was seen."""
    for at, row in zip(x, rows, strict=True):
        draw_proportion(ax, at, row, look)


def draw_proportion(ax: Axes, x: float, row: Mapping[str, Scalar], look: Look) -> None:
    """One proportion: its mark and a bar for its interval, or an arrow from the bound if none was seen."""
    if row["upper_bound"] is not None:
        return hang_bound(ax, x, float(row["upper_bound"]), look)
    low, value, high = (float(row[name] or 0.0) for name in ("low", "value", "high"))
    ax.plot([x, x], [low, high], color=look.colour, linewidth=1.4, marker="")
    ax.plot([x], [value], color=look.colour, marker=look.marker, linestyle="", zorder=3)


def _numbers(rows: Rows, column: str) -> list[float]:
    return [math.nan if v is None else float(v) for v in rows.column(column)]


def _clipped(rows: Rows, column: str, ceiling: float) -> list[float]:
    return [ceiling if v == math.inf else v for v in _numbers(rows, column)]


def _loss_axis(ax: Axes, table: Rows) -> Axes:
    highest = max(_numbers(table, "loss"))
    ax.set_xlim(-0.02 * highest, highest * 1.03)
    in_percent(ax.xaxis)
    ax.set_xlabel("loss, each way")
    return ax


def _value_axis(ax: Axes, ticks: Sequence[float], names: Sequence[str]) -> None:
    ax.set_yticks(list(ticks), list(names), size=SMALLEST)
    ax.set_yticks([], minor=True)


def share(p: float) -> str:
    """A power of ten as the name of a tick: 1, 0.1, 0.01, 10⁻³, ..."""
    if p >= 0.01:
        return f"{p:g}"
    return "10" + str(round(math.log10(p))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
