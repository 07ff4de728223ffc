"""The figure of TIME-WAIT assassination (RFC 1337): how often a RST ends TIME-WAIT early."""

from matplotlib.figure import Figure

from netsim.figures import curves
from netsim.figures.labels import WILSON, footer, label_curves, percent, rare
from netsim.figures.style import in_percent, sheet
from netsim.sweep import Rows


def assassination_figure(table: Rows, *, duplicate: float, n: int, seed: int) -> Figure:
    """P(a RST ends TIME-WAIT) against the share of segments with a delayed duplicate; the title is about one share."""
    note = footer(
        n, WILSON, "no loss", "duplicates 20 s late on average (exponential); TIME-WAIT of 240 s",
        "RFC 1337: fix F1 ignores RSTs in TIME-WAIT, fix F2 only for 2 s; dashed: exact, unknown for F2", seed=seed,
    )  # fmt: skip
    figure, (ax,) = sheet(assassination_title(table, duplicate=duplicate), note, label_room=1.2)
    curves.line(ax, table.where(estimate="p_assassinated"), x="duplicate", by="rst")
    ax.set_ylim(-0.02, 1.0)
    in_percent(ax.xaxis)
    ax.set_xlabel("segments with a delayed duplicate")
    ax.set_ylabel("P(RST ends TIME-WAIT)")
    label_curves(ax)
    return figure


def assassination_title(table: Rows, *, duplicate: float) -> str:
    """How often TIME-WAIT ends early without a fix, and with the better one."""
    rows = table.where(source="simulation", duplicate=duplicate, estimate="p_assassinated")
    found = dict(zip(rows.strings("rst"), rows.floats("value"), strict=True))
    (_, plain), *_ = found.items()
    best = min(found, key=lambda name: found[name])
    return (
        f"At {percent(duplicate)} duplication a RST ends TIME-WAIT early in {percent(plain)} of runs, "
        f"in {rare(found[best])} with {best}"
    )
