"""The chance that old text is accepted, against anything: counted with intervals, expected as dashes."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from netsim.figures import titles
from netsim.figures.against_loss import draw_proportion, share
from netsim.figures.labels import Label, label_curves
from netsim.figures.style import SMALLEST, in_percent, looks, looks_of, sheet
from netsim.sweep import Rows

_DASHES: Final[Any] = (0, (4, 2))
_HOW: Final = "dashes: expectation given each run's times; arrows: none seen, 95 % bound by Clopper and Pearson"
Apart = Callable[[float, int], float]
_SHADES: Final = LinearSegmentedColormap.from_list("chances", ["#ffffff", "#BB5566"])


def chances(ax: Axes, table: Rows, *, x: str, by: str, floor: float, apart: Apart) -> list[Label]:
    """P(old text accepted), logarithmic down to ``floor``, against column ``x``, a curve for each value of ``by``.

    ``table``: columns ``x``, ``by``, estimate, value, low, high, upper_bound. ``apart(x, k)`` sets the marks of curve k
    (-1, 0, 1) apart. Returns where the curves end.
    """
    ax.set_yscale("log")
    ax.set_ylim(floor, 1.0)
    ticks = [10.0**k for k in range(round(math.log10(floor)), 1, 1 if floor > 1e-5 else 2)]
    ax.set_yticks(ticks, [share(t) for t in ticks], size=SMALLEST)
    ax.set_yticks([], minor=True)
    labels = []
    for k, (name, look) in enumerate(looks_of(table, by).items()):
        rows = table.where(**{by: name})
        for row in rows.where(estimate="p_stale_data_accepted"):
            draw_proportion(ax, apart(float(row[x] or 0.0), k - 1), row, look)
        expected = rows.where(estimate="p_stale_data_expected")
        values = [v if v > 0 else math.nan for v in map(float, expected.array("value"))]
        ax.plot(expected.array(x), values, color=look.colour, linestyle=_DASHES, linewidth=1.3, marker="")
        end = next((v for v in reversed(values) if v > 0), floor)
        labels.append(Label(name, end, look))
    return labels


def tails_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Against TIME-WAIT for several tails of the delay, a panel for each loss."""
    more = f"20 % of segments have a late copy, by 10 s on average, at most 120 s old; constant ISNs; {_HOW}"
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="independent losses", more=more)
    losses = sorted(float(loss or 0.0) for (loss,) in table.group_by("loss"))
    figure, panels = sheet(
        titles.tails_title(table), note, columns=len(losses), height=5.6, label_room=1.5, head_room=0.25
    )
    labels: Sequence[Label] = ()
    for ax, loss in zip(panels, losses, strict=True):
        labels = chances(ax, table.where(loss=loss), x="time_wait", by="tail", floor=1e-5, apart=lambda t, k: t + 3 * k)
        ax.set_title(f"loss {100 * loss:.0f} % each way", size=SMALLEST)
        ax.set_xticks([0, 30, 60, 90])
        ax.set_xlim(-8, 108)
    panels[0].set_ylabel("P(old text accepted)")
    panels[0].set_xlabel("TIME-WAIT (s)")
    panels[-1].set_xlabel("TIME-WAIT (s)")
    label_curves(panels[-1], labels)
    return figure


def bytes_figure(table: Rows, *, n: int, seed: int, clock: float, edge: float) -> Figure:
    """Against the bytes of the old connection, a curve for each ISN; ``edge``: where it has outrun the ``clock``."""
    more = (
        f"20 % of segments have a late copy, by 2 s on average (exponential); the clock counts {clock:,.0f} a second, "
        f"the text runs ten times as fast; {_HOW}"
    )
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="no losses", more=more)
    figure, (ax,) = sheet(titles.bytes_title(table, edge=edge), note, height=5.6, label_room=1.4)
    labels = chances(ax, table, x="size", by="isn", floor=1e-8, apart=lambda size, k: size * 1.06**k)
    ax.set_xscale("log")
    ax.axvline(edge, color="#777777", linewidth=1.0, linestyle=":")
    ax.text(edge * 0.94, 3e-8, "X = r D", ha="right", size=SMALLEST, color="#444444")
    sizes = [size for size in (1000, 2000, 5000, 10_000, 20_000) if size <= max(map(float, table.array("size")))]
    ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("bytes sent by the old connection")
    ax.set_ylabel("P(old text accepted)")
    label_curves(ax, labels)
    return figure


def lifetime_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """TIME-WAIT against the lifetime of segments: the chance in every square."""
    more = (
        "30 % of segments have a late copy, by 20 s on average (exponential); constant ISNs; expectation given each "
        "run's times"
    )
    note = titles.footer(n=n, seed=seed, interval="means over runs", loss="no losses", more=more)
    figure, (ax,) = sheet(titles.lifetime_title(table), note, height=5.2, label_room=0.3, head_room=0.1)
    rows = table.where(estimate="p_stale_data_expected")
    waits = sorted({float(row["time_wait"] or 0.0) for row in rows})
    lives = sorted({float(row["lifetime"] or 0.0) for row in rows})
    highest = max(map(float, rows.array("value")))
    for row in rows:
        x, y = waits.index(float(row["time_wait"] or 0.0)), lives.index(float(row["lifetime"] or 0.0))
        value = float(row["value"] or 0.0)
        ax.fill_between([x, x + 1], y, y + 1, color=_SHADES(value / highest), linewidth=0)
        ink = "white" if value > 0.6 * highest else "black"
        text = titles.percent(value) if value else "0"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", size=SMALLEST, color=ink)
    ax.set_xticks([x + 0.5 for x in range(len(waits))], [f"{w:g}" for w in waits])
    ax.set_yticks([y + 0.5 for y in range(len(lives))], [f"{v:g}" for v in lives])
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.set_xlim(0, len(waits))
    ax.set_ylim(0, len(lives))
    ax.set_xlabel("TIME-WAIT (s)")
    ax.set_ylabel("lifetime of segments (s)")
    return figure


def paws_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """P(wrong bytes) against the share of late copies, with and without timestamps."""
    copies = "late copies come 5 s after their originals on average (exponential)"
    more = f"{copies}; constant ISNs; an old SYN in LISTEN passes all the same; points share random numbers"
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="no losses", more=more)
    rows = table.where(estimate="p_wrong_bytes")
    figure, (ax,) = sheet(titles.paws_title(rows), note, label_room=1.75)
    labels = []
    names = [str(name) for (name,) in rows.group_by("timestamps")]
    for k, (name, look) in enumerate(looks(names).items()):
        curve = rows.where(timestamps=name)
        x = [float(v) + (k - 0.5) * 0.004 for v in curve.array("duplicate")]
        y = list(map(float, curve.array("value")))
        for at, row in zip(x, curve, strict=True):
            ax.plot([at, at], [float(row["low"] or 0), float(row["high"] or 0)], color=look.colour, marker="")
        ax.plot(x, y, color=look.colour, marker=look.marker, clip_on=False, zorder=3)
        labels.append(Label("no timestamps" if name == "without" else "timestamps", y[-1], look))
    ax.set_ylim(bottom=0)
    in_percent(ax.xaxis, ax.yaxis)
    ax.set_xlabel("segments that have a late copy")
    ax.set_ylabel("P(wrong bytes read)")
    label_curves(ax, labels)
    return figure
