"""The figures of handshakes: what a delayed duplicate of a SYN starts, and how many ghost connections there are.

A ghost connection is one that only the server believes in: its application was given it, and no client opened it.
"""

from collections.abc import Mapping
from typing import Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from netsim.figures import curves
from netsim.figures.labels import WILSON, footer, label_curves, seconds
from netsim.figures.style import SMALLEST, WIDTH, in_percent, looks, looks_of, sheet
from netsim.sweep import Rows, Scalar

_CLIENT, _SERVER = 0.05, 0.56  # where the two lifelines are
_LADDER: Final = 2.5  # inches
_GHOST: Final = "ghost connection: one that only the server believes in"
_COMMON: Final = "all points use the same random numbers"
_RATE: Final = "ghost connections\nper 1,000"


def why_three_figure(rows: Rows, table: Rows, *, late: float, n: int, seed: int, model: str) -> Figure:
    """Two ladders of one old SYN (``rows``, ``late`` s late) above, ghost connections against duplication below.

    ``table``: columns handshake, duplicate, source, value, low, high, upper_bound.
    """
    note = footer(n, WILSON, "no loss", model, _COMMON, _GHOST, "dashed: exact", seed=seed)
    figure, (ax,) = sheet(ghost_title(table), note, height=7.9, head_room=_LADDER + 0.5, label_room=1.5)
    curves.line(ax, table, x="duplicate", by="handshake", dodge=3.0)
    ax.set_ylim(bottom=0)
    in_percent(ax.xaxis)
    _per_thousand(ax.yaxis)
    ax.set_xlabel("segments with a delayed duplicate")
    ax.set_ylabel(_RATE)
    label_curves(ax)
    top, height = ax.get_position().y1, float(figure.get_size_inches()[1])
    verdicts = {"two-way": "the application gets a ghost", "three-way": "nothing for the application"}
    for k, name in enumerate(verdicts):
        place = (0.02 + 0.5 * k, top + 0.2 / height, 0.49 - 0.12 / WIDTH, _LADDER / height)
        panel = figure.add_axes(place)
        exchange(panel, rows.where(handshake=name), f"{name}: a SYN {late:.1f} s late", verdicts[name])
    return figure


def ghost_title(table: Rows) -> str:
    """Ghost connections of every handshake at the highest duplication shown."""
    simulated = table.where(source="simulation")
    two_way = curves.known(table, "handshake", duplicate=max(simulated.floats("duplicate")))["two-way"]
    others = simulated.column("handshake"), simulated.floats("value")
    some = any(value for name, value in zip(*others, strict=True) if name != "two-way")
    rest = "others open some, too" if some else "others none"
    return f"A two-way handshake opens {1000 * two_way:.0f} ghost connections per 1,000, {rest}"


def exchange(ax: Axes, rows: Rows, heading: str, verdict: str) -> Axes:
    """What an old SYN starts, as a ladder (not to scale): ``rows`` of one handshake, in order of arrival.

    ``rows``: columns sender, segment, sent, arrives (s), state (the server's afterwards). ``verdict`` stands below.
    """
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(1, 0)
    ax.set_title(heading, size=SMALLEST, weight="bold", loc="left", x=0.0)
    for x, name in ((_CLIENT, "client"), (_SERVER, "server")):
        ax.plot([x, x], [0.12, 0.88], color=curves.GREY, linewidth=1.0, marker="")
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
    """One segment in flight, and the server's state where it changes that."""
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


def delay_figure(table: Rows, *, syn_delay: float, duration: float, n: int, seed: int) -> Figure:
    """Ghost connections of retransmitted SYNs: against the delay of all SYNs, and against the share that is delayed.

    ``syn_delay``: the mean delay (s) of those that are; ``duration``: of the server's connections (s).
    """
    note = footer(
        n, WILSON, "no loss, no duplication by the path",
        f"two SYNs 1 s apart; one-way delay 50 ms and what is drawn in addition; connections last {seconds(duration)}",
        _COMMON, _GHOST, "dashed: exact", seed=seed,
    )  # fmt: skip
    title = delay_title(table)
    figure, (left, right) = sheet(title, note, columns=2, height=5.6, label_room=1.4, head_room=0.25, share_x=False)
    names = looks_of(table, "handshake")
    for ax, cause in ((left, "delay"), (right, "reorder")):
        curves.line(ax, table.where(cause=cause), x="x", by="handshake", dodge=3.0, among=names)
    left.set_title("every SYN is delayed", size=SMALLEST)
    right.set_title("some SYNs are delayed", size=SMALLEST)
    left.set_xlabel("mean delay (s)")
    right.set_xlabel(f"share, by {seconds(syn_delay)} on average")
    in_percent(right.xaxis)
    _per_thousand(left.yaxis)
    left.set_ylabel(_RATE)
    left.set_ylim(bottom=0)
    label_curves(right)
    return figure


def delay_title(table: Rows) -> str:
    """Ghost connections at the delay or the share that is worst."""
    simulated, exact = curves.by_source(table.where(handshake="two-way"))
    worst = max((exact if len(exact) else simulated).floats("value"))
    return f"Delayed SYNs open up to {1000 * worst:.0f} ghost connections per 1,000 with a two-way handshake"


def memory_figure(table: Rows, *, lifetime: float, n: int, seed: int, model: str) -> Figure:
    """Ghost connections against how long the server remembers old connections, and where there are none."""
    note = footer(n, WILSON, "no loss", model, _COMMON, _GHOST, "dashed: exact", seed=seed)
    figure, (ax,) = sheet(memory_title(table, lifetime=lifetime), note, label_room=0.3)
    look = looks(["two-way"])["two-way"]
    curves.curve(ax, table, x="server_memory", name="_", look=look)
    exact = table.where(source="exact")
    safe, most = _safe(table), max(exact.floats("server_memory"))
    ax.axvspan(safe, most, color="#dddddd", linewidth=0, zorder=0)
    ax.text((safe + most) / 2, 0.6, "safe", ha="center", size=SMALLEST, transform=ax.get_xaxis_transform())
    ax.set_xlim(0, most)
    ax.set_ylim(bottom=0)
    _per_thousand(ax.yaxis)
    ax.set_xlabel("how long the server remembers old connections (s)")
    ax.set_ylabel(_RATE)
    return figure


def memory_title(table: Rows, *, lifetime: float) -> str:
    """Whether it is enough that the server remembers old connections for longer than segments live."""
    simulated, safe = table.where(source="simulation"), _safe(table)
    seen = zip(simulated.floats("server_memory"), simulated.floats("value"), strict=True)
    verdict = (
        "Ghost connections occur even" if any(v for memory, v in seen if memory >= safe) else "No ghost connections"
    )
    return f"{verdict} if the server remembers old ones longer than segments live ({seconds(lifetime)})"


def _safe(table: Rows) -> float:
    """The shortest memory (s) for which theory has no ghost connections."""
    exact = table.where(source="exact")
    return min(memory for memory, p in zip(exact.floats("server_memory"), exact.floats("value"), strict=True) if p == 0)


def _per_thousand(axis: Axis) -> None:
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{1000 * share:.0f}"))
