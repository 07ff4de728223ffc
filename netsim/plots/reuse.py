"""Old segments in a new connection: how often one is taken, and one case in time and sequence numbers."""

import math
from collections.abc import Mapping
from typing import Final

from matplotlib.axes import Axes

from netsim.plots.against_loss import draw_proportion, share
from netsim.plots.style import SMALLEST, Look, looks
from netsim.sweep import Rows, Scalar

FLOOR: Final = 1e-14
_DODGE: Final = 0.02  # of the loss axis
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
    ax.set_xlim(-0.05, 0.55)
    ax.set_xticks([0.0, 0.25, 0.5], ["0", "25 %", "50 %"], size=SMALLEST)
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
    ax.fill_between([*times, last], [*low, low[-1]], [*high, high[-1]], step="post", color="#cccccc", linewidth=0)
    # The name stands in the band, where it has most room.
    ends = [*times[1:], last]
    wide = max((k for k in range(len(times)) if high[k] > low[k]), key=lambda k: ends[k] - times[k])
    place = (times[wide] + ends[wide]) / 2, (low[wide] + high[wide]) / 2
    ax.text(*place, "receive window", ha="center", va="center", size=SMALLEST, color="#222222", zorder=4)
    for row in segments:
        _draw_segment(ax, row)
    newest = [row for row in segments if row["kind"] == "new" and row["verdict"] == "accepted"][-1]
    _point_out(ax, "new text", _middle(newest), (0.97, 0.20), colour=_NEW.colour)
    ax.set_xlim(times[0] - 0.1, last)
    ax.set_ylim(0, max(high[:-1]) * 1.02)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("SEQ, relative to the SYN")
    return ax


def _draw_segment(ax: Axes, row: Mapping[str, Scalar]) -> None:
    """A text segment as a line over its numbers; old ones are thick, and named."""
    old, taken = row["kind"] == "old", row["verdict"] == "accepted"
    look = _NEW if not old else _TAKEN if taken else _REFUSED
    t, middle = _middle(row)
    start, end = float(row["seq"] or 0.0), float(row["end"] or 0.0)
    ax.plot([t, t], [start, end], color=look.colour, linewidth=3.0 if old else 1.6, marker="", zorder=3)
    size = 9 if old else 6
    ax.plot([t], [middle], color=look.colour, marker=look.marker, markersize=size, linestyle="", zorder=3)
    if old and taken:
        _point_out(ax, "old segment, inside: taken", (t, middle), (0.03, 0.93), colour=look.colour)
    elif old:
        _point_out(ax, "old segment, outside: refused", (t, middle), (0.97, 0.06), colour=look.colour)


def _middle(row: Mapping[str, Scalar]) -> tuple[float, float]:
    return float(row["time"] or 0.0), (float(row["seq"] or 0.0) + float(row["end"] or 0.0)) / 2


def _point_out(ax: Axes, text: str, at: tuple[float, float], place: tuple[float, float], *, colour: str) -> None:
    """Text in a free corner (the band rises from the lower left), with a line to what it names."""
    ax.annotate(
        text,
        at,
        xytext=place,
        textcoords="axes fraction",
        ha="left" if place[0] < 0.5 else "right",
        va="center",
        size=SMALLEST,
        color=colour,
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkB": 5},
        zorder=4,
    )
