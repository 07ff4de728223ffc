"""The figure of RFC 1185's four cases: a square for every ISN, with what theory says and what was observed."""

import math
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from netsim.figures.labels import footer, percent, power_of_ten, widest
from netsim.figures.style import SMALLEST, board, sheet
from netsim.sweep import Rows

_NAMES: Final = {"clock": "clock", "rfc6528": "RFC 6528", "constant": "constant", "random": "random"}
_SAFE, _UNSAFE, _UNKNOWN = "#ffffff", "#BB5566", "#dddddd"


def cells_figure(table: Rows, *, n: int, seed: int, model: str) -> Figure:
    """A row for every kind of connection, a column for every ISN, and one for TIME-WAIT with all of them.

    ``table``: columns kind, isn, time_wait, estimate (p_stale_data_accepted, unsafe), source, value, n.
    """
    seen = table.where(estimate="p_stale_data_accepted", source="simulation")
    meaning = "words: theory; numbers: runs in which old data was accepted, for random ISNs the expected value"
    note = footer(n, widest(seen), "no loss", model, meaning, seed=seed, per="square")
    title = cells_title(table)
    figure, (ax,) = sheet(title, note, height=5.9, label_room=0.15, left_room=0.85, head_room=0.5)
    waits = sorted(set(table.floats("time_wait")))
    kinds = [str(kind) for (kind,) in table.group_by("kind")]
    for y, kind in enumerate(kinds):
        here = table.where(kind=kind)
        for x, isn in enumerate(_NAMES):
            _square(ax, x, y, here.where(isn=isn, time_wait=waits[0]))
        _square(ax, len(_NAMES), y, here.where(time_wait=waits[-1]))
    board(ax, [*_NAMES.values(), "TIME-WAIT\n(any ISN)"], [kind.replace(", ", ",\n") for kind in kinds])
    return figure


def _square(ax: Axes, x: int, y: int, rows: Rows) -> None:
    verdicts = set(rows.where(estimate="unsafe").floats("value"))
    colour = _UNKNOWN if not verdicts else _UNSAFE if 1.0 in verdicts else _SAFE
    word = {_UNKNOWN: "rarely", _UNSAFE: "unsafe", _SAFE: "safe"}[colour]
    seen = rows.where(estimate="p_stale_data_accepted", source="simulation")
    n = sum(seen.ints("n"))
    share = sum(p * m for p, m in zip(seen.floats("value"), seen.ints("n"), strict=True)) / n
    ax.add_patch(Rectangle((x + 0.04, y + 0.06), 0.92, 0.88, facecolor=colour, edgecolor="#777777", linewidth=0.8))
    ink = "white" if colour == _UNSAFE else "black"
    number = percent(share) if share else f"0 of {n}"
    if colour == _UNKNOWN:
        probability = rows.where(estimate="p_stale_data_expected").floats("value")[0]
        number = f"about {power_of_ten(10.0 ** round(math.log10(probability)))}" if probability else number
    ax.text(x + 0.5, y + 0.36, word, ha="center", va="center", size=SMALLEST, color=ink, weight="bold")
    ax.text(x + 0.5, y + 0.68, number, ha="center", va="center", size=SMALLEST, color=ink)


def cells_title(table: Rows) -> str:
    """Which connections a clock-driven ISN keeps apart, and whether TIME-WAIT keeps all apart."""
    seen = table.where(estimate="p_stale_data_accepted", source="simulation")
    waits = sorted(set(seen.floats("time_wait")))
    clock, waited = seen.where(isn="clock", time_wait=waits[0]), seen.where(time_wait=waits[-1])
    good = [kind for kind, p in zip(clock.strings("kind"), clock.floats("value"), strict=True) if not p]
    kept = "all" if len(good) == len(clock) else f"only {' and '.join(good)}" if good else "no"
    rest = "not even TIME-WAIT protects all" if any(waited.floats("value")) else "TIME-WAIT protects all"
    return f"A clock-driven ISN protects {kept} connections; {rest}"
