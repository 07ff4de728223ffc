"""Why three segments: what an old SYN starts at two servers, and how many connections it makes that nobody opened."""

import math
from collections.abc import Mapping
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import titles
from netsim.figures.labels import Label, label_curves
from netsim.figures.style import SMALLEST, WIDTH, Look, in_percent, looks, sheet
from netsim.sweep import Rows, Scalar

_CLIENT, _SERVER = 0.05, 0.56  # where the two lifelines stand
_LADDER: Final = 2.5  # inches
_DASHES: Final[Any] = (0, (4, 2))


def exchange(ax: Axes, rows: Rows, heading: str, verdict: str) -> Axes:
    """What an old SYN starts, as a ladder (not to scale): ``rows`` of one handshake, in order of arrival.

    ``rows``: columns sender, segment, sent, arrives (s), state (the server's afterwards). ``verdict`` stands below.
    """
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(1, 0)
    ax.set_title(heading, size=SMALLEST, weight="bold", loc="left", x=0.0)
    for x, name in ((_CLIENT, "client"), (_SERVER, "server")):
        ax.plot([x, x], [0.12, 0.88], color="#777777", linewidth=1.0, marker="")
        ax.text(x, 0.06, name, ha="center", va="center", size=SMALLEST)
    ax.fill_between([_CLIENT, _SERVER], 0.16, 0.36, color="#dddddd", linewidth=0)
    step = 0.42 / max(len(rows) - 1, 1)
    for index, row in enumerate(rows):
        start = 0.14 if index == 0 else 0.44 + (index - 1) * step
        _arrow(ax, row, start, 0.44 + index * step, old=index == 0)
    ax.text(_SERVER - 0.02, 0.205, "a connection", ha="right", va="center", size=SMALLEST)
    ax.text(_CLIENT, 0.97, verdict, ha="left", va="center", size=SMALLEST)
    return ax


def _arrow(ax: Axes, row: Mapping[str, Scalar], start: float, stop: float, *, old: bool) -> None:
    """One segment on its way, and the server's state where it makes one."""
    there = row["sender"] == "client"
    ends = (_CLIENT, _SERVER) if there else (_SERVER, _CLIENT)
    colour = "#BB5566" if old else "#000000"
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.6 if old else 1.2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=(ends[1], stop), xytext=(ends[0], start), arrowprops=style)
    x, y = (ends[0] + ends[1]) / 2, (start + stop) / 2
    name = str(row["segment"])
    if old:
        x, y, name = _CLIENT + 0.16, 0.41, f"old {name}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    ax.text(x, y, name, ha="center", va="center", size=SMALLEST, color=colour, bbox=box)
    if row["state"]:
        ax.text(_SERVER + 0.03, stop, str(row["state"]), ha="left", va="center", size=SMALLEST)


def ghosts_against_duplication(ax: Axes, table: Rows) -> Axes:
    """Ghosts per 1,000 connections against the share of segments that are copied, a curve for each handshake.

    ``table``: columns handshake, duplicate, source, value, low, high, upper_bound.
    """
    labels = _ghosts(ax, table, x="duplicate", apart=0.003)
    ax.set_ylim(bottom=0)
    ax.margins(y=0.08)
    ax.set_xlabel("segments that have a late copy")
    ax.set_ylabel("ghosts per 1,000")
    in_percent(ax.xaxis)
    return label_curves(ax, labels)


def _ghosts(ax: Axes, table: Rows, *, x: str, apart: float) -> list[Label]:
    """A curve for each handshake against column ``x``, their marks ``apart``: dashes if exact, or joined points."""
    labels = []
    names = [str(name) for (name,) in table.group_by("handshake")]
    for index, (name, look) in enumerate(looks(names).items()):
        rows = table.where(handshake=name)
        simulated, exact = rows.where(source="simulation"), rows.where(source="exact")
        _points(ax, simulated, x, look, shift=(index - 1) * apart)
        curve, line = (exact, _DASHES) if len(exact) else (simulated, "-")
        y = [1000 * float(v) for v in curve.array("value")]
        ax.plot(curve.array(x), y, color=look.colour, linestyle=line, linewidth=1.3, marker="")
        labels.append(Label(name, y[-1], look))
    return labels


def _points(ax: Axes, rows: Rows, column: str, look: Look, *, shift: float) -> None:
    for row in rows:
        x = float(row[column] or 0.0) + shift
        low, value, high = (1000 * float(row[name] or 0.0) for name in ("low", "value", "high"))
        if row["upper_bound"] is not None:
            low, high = 0.0, 1000 * float(row["upper_bound"])
        ax.plot([x, x], [low, high], color=look.colour, linewidth=1.4, marker="")
        ax.plot([x], [value], color=look.colour, marker=look.marker, linestyle="", zorder=3, clip_on=False)


def why_three_figure(rows: Rows, table: Rows, *, late: float, n: int, seed: int, model: str) -> Figure:
    """Two ladders of one old SYN (``rows``, the copy ``late`` s late) above, ghosts against duplication below."""
    more = f"{model}; points share random numbers; dashes: exact"
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="no losses", more=more)
    figure, (ax,) = sheet(titles.ghost_title(table), note, height=7.9, head_room=_LADDER + 0.5)
    ghosts_against_duplication(ax, table)
    top, height = ax.get_position().y1, float(figure.get_size_inches()[1])
    verdicts = {"two-way": "the application was given a ghost", "three-way": "the application never heard of it"}
    for k, name in enumerate(verdicts):
        place = (0.02 + 0.5 * k, top + 0.2 / height, 0.49 - 0.12 / WIDTH, _LADDER / height)
        panel = figure.add_axes(place)
        exchange(panel, rows.where(handshake=name), f"{name}: a SYN {late:.1f} s late", verdicts[name])
    return figure


def late_figure(table: Rows, *, held: float, life: float, n: int, seed: int) -> Figure:
    """Ghosts of SYNs that were sent twice: against how late all of them are, and against how many are held back.

    ``held``: for how long (s, mean); ``life``: of the server's connections (s).
    """
    more = (
        f"two SYNs, 1 s apart, 50 ms one way and what is drawn more; connections live for {titles.seconds(life)}; "
        f"points share random numbers; dashes: exact; where none was seen, up to the 95 % bound"
    )
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="no losses or copies", more=more)
    title = titles.late_title(table)
    figure, (left, right) = sheet(title, note, columns=2, height=5.4, label_room=1.4, head_room=0.25, share_x=False)
    for ax, why, apart in ((left, "delay", 0.012), (right, "reorder", 0.003)):
        labels = _ghosts(ax, table.where(why=why), x="x", apart=apart)
    left.set_title("every SYN is late", size=SMALLEST)
    right.set_title("some are held back", size=SMALLEST)
    left.set_xlabel("by how much, mean (s)")
    right.set_xlabel(f"share, by {titles.seconds(held)} on average")
    in_percent(right.xaxis)
    left.set_ylabel("ghosts per 1,000")
    left.set_ylim(bottom=0)
    label_curves(right, labels)
    return figure


def memory_figure(table: Rows, *, lifetime: float, n: int, seed: int, model: str) -> Figure:
    """Ghosts against how long the server remembers, and where nothing can be left."""
    more = f"{model}; points share random numbers; dashes: exact; where none was seen, up to the 95 % bound"
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="no losses", more=more)
    figure, (ax,) = sheet(titles.memory_title(table, lifetime=lifetime), note, label_room=0.3)
    look = looks(["two-way"])["two-way"]
    simulated, exact = table.where(source="simulation"), table.where(source="exact")
    x = list(map(float, exact.array("memory")))
    y = [1000 * float(v) if v > 0 else math.nan for v in map(float, exact.array("value"))]
    ax.plot(x, y, color=look.colour, linestyle=_DASHES, linewidth=1.3, marker="")
    for row in simulated:
        at = float(row["memory"] or 0.0)
        low, value, high = (1000 * float(row[name] or 0.0) for name in ("low", "value", "high"))
        if row["upper_bound"] is not None:
            high = 1000 * float(row["upper_bound"])
        ax.plot([at, at], [low, high], color=look.colour, linewidth=1.4, marker="")
        ax.plot([at], [value], color=look.colour, marker=look.marker, linestyle="", zorder=3, clip_on=False)
    safe = next(at for at, value in zip(x, map(float, exact.array("value")), strict=True) if value == 0)
    ax.axvspan(safe, max(x), color="#dddddd", linewidth=0, zorder=0)
    ax.text((safe + max(x)) / 2, 0.6, "safe", ha="center", size=SMALLEST, transform=ax.get_xaxis_transform())
    ax.set_xlim(0, max(x))
    ax.set_ylim(bottom=0)
    ax.set_xlabel("how long the server remembers a closed connection (s)")
    ax.set_ylabel("ghosts per 1,000")
    return figure
