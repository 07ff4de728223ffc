"""Old segments in a new connection: how often one is taken, and one case in time and sequence numbers."""

import math
from collections.abc import Mapping
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from netsim.figures.against_loss import draw_proportion, share
from netsim.figures.style import SMALLEST, Look, in_percent, looks
from netsim.sweep import Rows, Scalar

FLOOR: Final = 1e-14
_DODGE: Final = 0.02  # of the loss axis
_BAND: Final = "#cccccc"
_NEW, _TAKEN, _REFUSED = Look("#004488", "o"), Look("#BB5566", "s"), Look("#000000", "X")


def acceptance(ax: Axes, table: Rows, heading: str) -> Axes:
    """P(old data is accepted) against loss for one TIME-WAIT, a curve for each ISN policy.

    ``table``: columns isn, loss, estimate, value, low, high, upper_bound. Points are counted, arrows hang from the
    upper bound where nothing was seen, dashes are the expectation given each run's times.
    """
    ax.set_yscale("log")
    ax.set_ylim(FLOOR, 1.0)
    for index, (name, look) in enumerate(looks(_names(table)).items()):
        rows = table.where(isn=name)
        counted = rows.where(estimate="p_stale_data_accepted")
        expected = rows.where(estimate="p_stale_data_expected")
        shift = (index - 1) * _DODGE
        x = [loss + shift for loss in counted.array("loss")]
        for at, row in zip(x, counted, strict=True):
            draw_proportion(ax, at, row, look)
        values = [v if v > 0 else math.nan for v in map(float, expected.array("value"))]
        ax.plot(expected.array("loss"), values, color=look.colour, linestyle=(0, (4, 2)), linewidth=1.3, marker="")
    ticks = [10.0**k for k in range(-12, 1, 3)]
    ax.set_yticks(ticks, [share(t) for t in ticks], size=SMALLEST)
    ax.set_yticks([], minor=True)
    ax.set_xlim(-0.05, 1.1 * max(map(float, table.array("loss"))))
    ax.xaxis.set_major_locator(MultipleLocator(0.2))
    in_percent(ax.xaxis)
    ax.set_title(heading, size=SMALLEST)
    return ax


def _names(table: Rows) -> list[str]:
    return [str(name) for (name,) in table.group_by("isn")]


def sequence_plot(ax: Axes, rows: Rows) -> Axes:
    """Time against relative sequence number at the receiver, its window a band.

    ``rows``: columns kind (window, new, old), time (s), seq, end (both relative to the receiver's IRS), verdict.
    """
    window = rows.where(kind="window")
    times, low, high = (list(map(float, window.array(c))) for c in ("time", "seq", "end"))
    segments = [row for row in rows if row["kind"] != "window"]
    last = max(float(row["time"] or 0.0) for row in segments) + 0.3
    ax.fill_between([*times, last], [*low, low[-1]], [*high, high[-1]], step="post", color=_BAND, linewidth=0)
    for row in segments:
        _draw_segment(ax, row)
    _name(ax)
    ax.set_xlim(times[0] - 0.1, last)
    ax.set_ylim(0, max(high[:-1]) * 1.02)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("SEQ, relative to the SYN")
    return ax


def _draw_segment(ax: Axes, row: Mapping[str, Scalar]) -> None:
    """A text segment as a line over its numbers; old ones are thick."""
    old, taken = row["kind"] == "old", row["verdict"] == "accepted"
    look = _NEW if not old else _TAKEN if taken else _REFUSED
    t, start, end = (float(row[name] or 0.0) for name in ("time", "seq", "end"))
    ax.plot([t, t], [start, end], color=look.colour, linewidth=3.0 if old else 1.6, marker="", zorder=3)
    size = 9 if old else 6
    ax.plot([t], [(start + end) / 2], color=look.colour, marker=look.marker, markersize=size, linestyle="", zorder=3)


def _name(ax: Axes) -> None:
    """What the marks and the band are, in one line above the panel: within it there may be no room."""
    above: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
    for x, name, look in ((0.20, "new text", _NEW), (0.42, "old, taken", _TAKEN), (0.68, "old, refused", _REFUSED)):
        ax.plot([x], [1.06], color=look.colour, marker=look.marker, markersize=8, linestyle="", **above)
        ax.text(x + 0.025, 1.06, name, va="center", size=SMALLEST, transform=ax.transAxes)
    ax.fill_between([-0.15, -0.11], 1.03, 1.09, color=_BAND, linewidth=0, **above)
    ax.text(-0.10, 1.06, "receive window", va="center", size=SMALLEST, transform=ax.transAxes)
