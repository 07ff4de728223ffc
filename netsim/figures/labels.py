"""What is written on a figure: names of curves beside the curves, numbers, the footer, and systems by their names."""

import math
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes

from netsim.figures.style import SMALLEST
from netsim.sweep import Rows, Scalar
from netsim.tcp.config.profiles import TITLES

WILSON: Final = "95 % intervals (Wilson)"
NORMAL: Final = "95 % intervals (normal)"
STUDENT: Final = "95 % intervals (Student's t, over runs)"
ORDER: Final = "95 % intervals (order statistics)"
BOUND: Final = "arrows: none observed, upper 95 % bound (Clopper-Pearson)"
_GAP: Final = 1.3  # smallest distance of two names, in type sizes
_GREY: Final = "#777777"


def name_of(value: Scalar, column: str = "") -> str:
    """The name of a curve: a system's instead of its profile's identifier, ``column = value`` for a number."""
    if isinstance(value, str):
        return TITLES.get(value, value)
    return f"{column} = {value:g}" if isinstance(value, int | float) and column else str(value)


def footer(runs: int, interval: str, *facts: str, seed: int, per: str = "point") -> str:
    """What is needed to repeat and to judge a figure: ``500 runs per point; 95 % intervals (Wilson); ...; seed 1.``"""
    counted = f"{runs:,} run{'s' if runs != 1 else ''} per {per}"
    return "; ".join([counted, interval, *filter(None, facts), f"seed {seed}"]) + "."


def widest(rows: Rows) -> str:
    """The widest of the intervals of these rows, for a figure that shows proportions as numbers."""
    ends = zip(rows.column("low"), rows.column("high"), strict=True)
    half = max((float(high) - float(low)) / 2 for low, high in ends if low is not None and high is not None)
    return f"{WILSON}, at most \N{PLUS-MINUS SIGN}{percent(half)}"


def percent(p: float) -> str:
    """A proportion with two digits, or as many as tell it from 100 %."""
    return f"{100 * p:.2g} %" if p < 0.99 else f"{100 * p:.4g} %"


def rare(p: float) -> str:
    """A proportion that may be none, or very small."""
    if p <= 0:
        return "none"
    if p > 1e-5:
        return percent(p)
    power = 10.0 ** math.floor(math.log10(p) + 1e-9)
    return f"{p / power:.0f} \N{MULTIPLICATION SIGN} {power_of_ten(power)}"


def power_of_ten(p: float) -> str:
    """A power of ten as the name of a tick: 1, 0.1, 0.01, 10⁻³, ..."""
    if p >= 0.01:
        return f"{p:g}"
    return "10" + str(round(math.log10(p))).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def seconds(t: float) -> str:
    """A duration with two digits: ``100 ms``, ``2.4 s``, ``128 s``, ``2.2 h``."""
    if t < 1:
        return f"{1000 * t:.3g} ms" if t else "0 s"
    if t >= 3600:
        return f"{t / 3600:.2g} h"
    return f"{t:.2g} s" if t < 10 else f"{t:.0f} s"


def spread(wanted: Sequence[float], *, gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Positions as near as possible to the wanted ones, in their order, at least ``gap`` apart, in [low, high].

    Neighbours that are too close form a block around the mean of what they want.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[float]] = []  # of wanted positions
    for i in order:
        blocks.append([wanted[i]])
        while len(blocks) > 1 and _top(blocks[-2], gap) + gap > _start(blocks[-1], gap):
            last = blocks.pop()
            blocks[-1] += last
    placed: list[float] = []
    for block in blocks:
        placed += [_start(block, gap) + k * gap for k in range(len(block))]
    for k in range(len(placed)):  # back into the panel: first from below, then from above
        placed[k] = max(placed[k], low + k * gap)
    for k in range(len(placed)):
        placed[-1 - k] = min(placed[-1 - k], high - k * gap)
    positions = [0.0] * len(wanted)
    for rank, i in enumerate(order):
        positions[i] = placed[rank]
    return positions


def _start(block: Sequence[float], gap: float) -> float:
    return sum(block) / len(block) - (len(block) - 1) * gap / 2


def _top(block: Sequence[float], gap: float) -> float:
    return _start(block, gap) + (len(block) - 1) * gap


def label_curves(ax: Axes) -> Axes:
    """Write the names of the curves at the right of the panel, each with its mark and a thin line to the curve's end.

    Call it when the limits of the axes are final.
    """
    named = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    figure = ax.get_figure(root=True)
    assert figure is not None
    box, inches = ax.get_position(), figure.get_size_inches()
    width, height = box.width * inches[0] * 72.0, box.height * inches[1] * 72.0  # points
    to_axes = ax.transData + ax.transAxes.inverted()
    marks = {line.get_color(): line.get_marker() for line in ax.get_lines() if line.get_marker() not in ("", "None")}
    right = ax.get_xlim()[1]
    ends = []
    for line in named:
        seen = [float(y) for y in line.get_ydata() if math.isfinite(y)]  # type: ignore[union-attr, arg-type]
        ends.append(min(max(float(to_axes.transform((right, seen[-1]))[1]), 0.0), 1.0) if seen else 0.0)
    for line, end, y in zip(named, ends, spread(ends, gap=_GAP * SMALLEST / height), strict=True):
        free: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
        start, stop, mark, words = (1 + points / width for points in (2, 14, 22, 30))
        ax.plot([start, stop], [end, y], color=_GREY, linewidth=0.7, marker="", linestyle="-", **free)
        if line.get_color() in marks:
            ax.plot([mark], [y], color=line.get_color(), marker=marks[line.get_color()], linestyle="", **free)
        else:
            beside = 5 / width
            ax.plot([mark - beside, mark + beside], [y, y], color=line.get_color(), linewidth=2.5, marker="", **free)
        ax.text(words, y, str(line.get_label()), size=SMALLEST, va="center_baseline", ha="left", transform=ax.transAxes)
    return ax
