"""Text that is left to send when the client closes: how many segments that takes, and whether it arrives."""

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import titles
from netsim.figures.against_loss import draw_proportion
from netsim.figures.close import DASHES
from netsim.figures.labels import Label, label_curves
from netsim.figures.style import LOOKS, SMALLEST, Look, sheet
from netsim.sweep import Rows

_COUNTS: Final = {"3, ACK waits": LOOKS[0], "4, ACK waits": LOOKS[1], "4, ACK at once": LOOKS[2]}
_READERS: Final = {"half-close": LOOKS[3], "close": LOOKS[4]}
_APART: Final = 0.12  # of the distance of two amounts
_HALF: Final = 0.22  # of an exact value's line


def left_figure(table: Rows, *, wait: float, loss: float, n: int, seed: int) -> Figure:
    """P(3 segments) and P(4) above, P(the client reads all of the text) below, against the text left to send.

    ``table``: columns curve, left (bytes), source, value, low, high, upper_bound; ``wait`` (s): of an ACK that does.
    """
    more = (
        f"the server closes at once; an ACK that waits does for {titles.duration(wait)}; segments of 1,460 bytes; "
        "dashes: exact, known up to one segment; below: half-close reads on, close gives the socket up"
    )
    losses = f"independent losses of {titles.percent(loss)} each way"
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss=losses, more=more)
    figure, (above, below) = sheet(titles.left_title(table), note, rows=2, height=6.4, label_room=1.75, share_y=False)
    amounts = sorted({int(row["left"] or 0) for row in table})
    for ax, curves in ((above, _COUNTS), (below, _READERS)):
        labels = [
            _curve(ax, table.where(curve=name), amounts, look, (k - (len(curves) - 1) / 2) * _APART)
            for k, (name, look) in enumerate(curves.items())
        ]
        ax.set_ylim(-0.06, 1.06)
        label_curves(ax, [Label(name, y, look) for (name, look), y in zip(curves.items(), labels, strict=True)])
    above.set_ylabel("P(3 or 4\nsegments)")
    below.set_ylabel("P(all text\nis read)")
    below.set_xticks(range(len(amounts)), [f"{amount:,}" for amount in amounts], size=SMALLEST)
    below.set_xlim(-0.5, len(amounts) - 0.5)
    below.set_xlabel("text left to send when the client closes (bytes)")
    return figure


def _curve(ax: Axes, rows: Rows, amounts: list[int], look: Look, shift: float) -> float:
    """The amounts side by side, not to scale: marks with their bars, a dashed line for each exact value. The last y."""
    for row in rows.where(source="exact"):
        x, y = amounts.index(int(row["left"] or 0)), float(row["value"] or 0.0)
        ax.plot([x - _HALF, x + _HALF], [y, y], color=look.colour, linestyle=DASHES, linewidth=1.3, marker="")
    last = 0.0
    for row in rows.where(source="simulation"):
        last = float(row["value"] or 0.0)
        draw_proportion(ax, amounts.index(int(row["left"] or 0)) + shift, {**row, "upper_bound": None}, look)
    return last
