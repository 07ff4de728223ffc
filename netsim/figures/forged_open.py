"""The figure of forged connections: how often an off-path attacker opens one, against guesses of the ISN."""

from matplotlib.figure import Figure

from netsim.figures import curves
from netsim.figures.labels import BOUND, WILSON, footer, label_curves, rare
from netsim.figures.style import sheet
from netsim.sweep import Rows


def forged_open_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """P(the forged connection opens) against guesses, a curve for each ISN policy."""
    note = footer(
        n, WILSON, "no loss", "clock: 1 ms of jitter; counter: others open 2 connections/s, 0.5 s after the sample",
        "dashed: exact", BOUND, seed=seed,
    )  # fmt: skip
    figure, (ax,) = sheet(forged_open_title(table), note, height=5.2, label_room=1.95)
    ax.set_xscale("log")
    curves.probability_axis(ax, 1e-10)
    ax.set_ylim(1e-10, 2.0)
    curves.line(ax, table, x="guesses", by="isn")
    highest = max(table.floats("guesses"))
    curves.ticks(ax.xaxis, {k: f"{k}" for k in (1, 10, 100, 1000) if k <= highest})
    ax.set_xlabel("guesses of the ISN")
    ax.set_ylabel("P(forged connection opens)")
    label_curves(ax)
    return figure


def forged_open_title(table: Rows) -> str:
    """The success of one guess with the weakest ISN and with the strongest."""
    once = table.where(source="exact", guesses=1)
    p = dict(zip(once.strings("isn"), once.floats("value"), strict=True))
    worst, best = max(p, key=p.__getitem__), min(p, key=p.__getitem__)
    return f"One guess opens a forged connection: {rare(p[worst])} ({worst} ISN) to {rare(p[best])} ({best})"
