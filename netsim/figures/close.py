"""Curves of the studies of the close: simulated points with their intervals, exact values dashed if there are any."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes

from netsim.figures.against_loss import draw_proportion, share
from netsim.figures.labels import Label
from netsim.figures.style import SMALLEST, Look
from netsim.figures.titles import duration
from netsim.sweep import Rows

DASHES: Final = (0, (4, 2))


def proportions(ax: Axes, table: Rows, *, x: str, by: str, names: Mapping[str, Look]) -> list[Label]:
    """A proportion against ``x``, a curve for each of ``names`` in the column ``by``; where their names belong.

    ``table``: columns x, by, source (simulation, exact), value, low, high, upper_bound.
    """
    labels = []
    for name, look in names.items():
        rows = table.where(**{by: name})
        simulated, exact = rows.where(source="simulation"), rows.where(source="exact")
        for row in simulated:
            # Zero has a place on a linear axis; on a logarithmic one an arrow hangs from the bound.
            shown = row if ax.get_yscale() == "log" else {**row, "upper_bound": None}
            draw_proportion(ax, float(row[x] or 0.0), shown, look)
        curve, dashes = (exact, DASHES) if len(exact) else (simulated, "-")
        values = numbers(curve, "value")
        ax.plot(numbers(curve, x), values, color=look.colour, linestyle=dashes, linewidth=1.3, marker="")
        labels.append(Label(name, values[-1], look))
    return labels


def means(ax: Axes, table: Rows, *, x: str, name: str, look: Look) -> Label:
    """A mean against ``x``, as above but without intervals; the label is put where the exact curve ends."""
    simulated, exact = table.where(source="simulation"), table.where(source="exact")
    ax.plot(
        numbers(simulated, x),
        numbers(simulated, "value"),
        color=look.colour,
        marker=look.marker,
        linestyle="",
        zorder=3,
    )
    values = numbers(exact, "value")
    ax.plot(numbers(exact, x), values, color=look.colour, linestyle=DASHES, linewidth=1.3, marker="")
    return Label(name, values[-1], look)


def bars(ax: Axes, x: Sequence[float], rows: Rows, look: Look) -> None:
    """Means with their intervals, where they have one."""
    for at, row in zip(x, rows, strict=True):
        low, high = row.get("low"), row.get("high")
        if low is not None and high is not None:
            ax.plot([at, at], [float(low), float(high)], color=look.colour, linewidth=1.4, marker="")
    ax.plot(x, numbers(rows, "value"), color=look.colour, marker=look.marker, linestyle="", zorder=3)


def survival(ax: Axes, table: Rows, *, name: str, look: Look) -> Label:
    """P(not done by t): simulated steps with their band, exact ones dashed; columns source, t, value, low, high."""
    simulated, exact = table.where(source="simulation"), table.where(source="exact")
    t = numbers(simulated, "t")
    ax.fill_between(
        t,
        numbers(simulated, "low"),
        numbers(simulated, "high"),
        step="post",
        color=look.colour,
        alpha=0.22,
        linewidth=0,
    )
    ax.step([t[0], *t], [1.0, *numbers(simulated, "value")], where="post", color=look.colour, linewidth=2.0)
    within = [k for k, at in enumerate(numbers(exact, "t")) if at <= t[-1]]
    dashed = [numbers(exact, "value")[k] for k in within]
    ax.step(
        [t[0], *(numbers(exact, "t")[k] for k in within)], [1.0, *dashed], where="post", color="black", linewidth=1.1,
        linestyle=DASHES,
    )  # fmt: skip
    return Label(name, dashed[-1], look)


def numbers(rows: Rows, column: str) -> list[float]:
    """A column as floats; NaN where there is nothing."""
    return [math.nan if v is None else float(v) for v in rows.column(column)]


def logarithmic(ax: Axes, low: float, high: float) -> Axes:
    """A logarithmic vertical axis with a tick at every power of ten."""
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    ticks = [10.0**k for k in powers]
    ax.set_yticks(ticks, [share(t) if t <= 1 else f"{t:,.0f}" for t in ticks], size=SMALLEST)
    ax.set_yticks([], minor=True)
    return ax


def seconds_axis(ax: Axes, ticks: Sequence[float], label: str) -> Axes:
    """A logarithmic axis of durations (s) with these ticks; one of 0 stands at the left end, beyond a linear piece."""
    positive = [t for t in ticks if t > 0]
    if len(positive) < len(ticks):
        ax.set_xscale("symlog", linthresh=positive[0], linscale=0.45)
    else:
        ax.set_xscale("log")
    short = positive[0] < 0.1
    ax.set_xticks(list(ticks), [duration(t) if short else f"{t:g}" for t in ticks], size=SMALLEST)
    ax.set_xticks([], minor=True)
    ax.set_xlabel(label)
    return ax
