"""RFC 1185's four cells: a square for every ISN, with what theory says and what was seen."""

import math
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from netsim.figures import titles
from netsim.figures.against_loss import share as power_of_ten
from netsim.figures.style import SMALLEST, board, sheet
from netsim.sweep import Rows

_NAMES: Final = {"clock": "clock", "rfc6528": "RFC 6528", "constant": "constant", "random": "random"}
_SAFE, _UNSAFE, _UNKNOWN = "#ffffff", "#BB5566", "#dddddd"


def cells(ax: Axes, table: Rows) -> Axes:
    """A row for every cell, a column for every ISN, and one for TIME-WAIT with all of them.

    ``table``: columns kind, isn, time_wait, estimate (p_stale_data_accepted, unsafe), source, value, n.
    """
    waits = sorted(map(float, {w for (w,) in table.group_by("time_wait")}))  # type: ignore[arg-type]
    kinds = [str(kind) for (kind,) in table.group_by("kind")]
    for y, kind in enumerate(kinds):
        here = table.where(kind=kind)
        for x, isn in enumerate(_NAMES):
            _square(ax, x, y, here.where(isn=isn, time_wait=waits[0]))
        _square(ax, len(_NAMES), y, here.where(time_wait=waits[-1]))
    board(ax, [*_NAMES.values(), "TIME-WAIT\n(any ISN)"], [kind.replace(", ", ",\n") for kind in kinds])
    return ax


def _square(ax: Axes, x: int, y: int, rows: Rows) -> None:
    exact = rows.where(estimate="unsafe")
    verdicts = set(map(float, exact.array("value"))) if len(exact) else set()
    colour = _UNKNOWN if not verdicts else _UNSAFE if 1.0 in verdicts else _SAFE
    word = {_UNKNOWN: "rarely", _UNSAFE: "unsafe", _SAFE: "safe"}[colour]
    seen = rows.where(estimate="p_stale_data_accepted", source="simulation")
    n = sum(map(int, seen.array("n")))
    share = sum(float(v) * int(m) for v, m in zip(seen.array("value"), seen.array("n"), strict=True)) / n
    ax.add_patch(Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, facecolor=colour, edgecolor="#777777", linewidth=0.8))
    ink = "white" if colour == _UNSAFE else "black"
    number = titles.percent(share) if share else f"0 of {n}"
    if colour == _UNKNOWN:
        chance = float(rows.where(estimate="p_stale_data_expected").array("value")[0])
        number = f"about {power_of_ten(10.0 ** round(math.log10(chance)))}" if chance else number
    ax.text(x + 0.5, y + 0.36, word, ha="center", va="center", size=SMALLEST, color=ink, weight="bold")
    ax.text(x + 0.5, y + 0.68, number, ha="center", va="center", size=SMALLEST, color=ink)


def cells_figure(table: Rows, *, n: int, seed: int, model: str) -> Figure:
    """The four cells, whole."""
    more = (
        f"{model}; words: theory; numbers: runs in which old text was accepted, for random ISNs the conditional "
        "expectation"
    )
    interval = titles.within(table.where(estimate="p_stale_data_accepted", source="simulation"))
    note = titles.footer(n=n, seed=seed, interval=interval, loss="no losses", more=more)
    title = titles.incarnation_title(table)
    figure, (ax,) = sheet(title, note, height=5.9, label_room=0.15, left_room=0.85, head_room=0.5)
    cells(ax, table)
    return figure
