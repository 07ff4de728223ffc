"""Where both ends end up: a square for each kind of close and each end, with the shares of its outcomes."""

from textwrap import fill
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from netsim.figures import titles
from netsim.figures.style import SMALLEST, board, sheet
from netsim.sweep import Rows

_ENDS: Final = ("client", "server")
_OPEN: Final = "never"
_WORDS: Final = {"clean": "CLOSED by ACK", "reset": "reset", "abort": "CLOSED by RST",
                 "timeout": "gives up", _OPEN: "open for ever"}  # fmt: skip


def ends_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """``table``: columns close, end, how, value; what becomes of either end."""
    more = "the other end's application closes at once; no keep-alive, which would find an end that is open for ever"
    losses = f"independent losses of {titles.percent(loss)} each way"
    note = titles.footer(n=n, seed=seed, interval=titles.within(table), loss=losses, more=more)
    title = titles.ends_title(table, loss=loss)
    figure, (ax,) = sheet(title, note, height=5.6, label_room=0.15, left_room=1.75, head_room=0.35)
    _squares(ax, table)
    return figure


def _squares(ax: Axes, table: Rows) -> None:
    kinds = [str(kind) for (kind,) in table.group_by("close")]
    for y, kind in enumerate(kinds):
        for x, end in enumerate(_ENDS):
            _square(ax, x, y, table.where(close=kind, end=end))
    board(ax, _ENDS, [fill(kind, 15) for kind in kinds])


def _square(ax: Axes, x: int, y: int, rows: Rows) -> None:
    """The outcomes of one end, the most frequent first; dark if it may stay open for ever."""
    shares = sorted(((float(row["value"] or 0.0), str(row["how"])) for row in rows), reverse=True)
    dark = any(how == _OPEN for _, how in shares)
    face = "#BB5566" if dark else "#ffffff"
    ax.add_patch(Rectangle((x + 0.02, y + 0.06), 0.96, 0.88, facecolor=face, edgecolor="#777777", linewidth=0.8))
    lines = [f"{_WORDS.get(how, how)}: {titles.percent(share)}" for share, how in shares]
    ink = "white" if dark else "black"
    ax.text(x + 0.5, y + 0.5, "\n".join(lines), ha="center", va="center", size=SMALLEST, color=ink)
