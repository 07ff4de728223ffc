"""The figures of the close: three segments or four, what becomes of either end, and how soon both ends are done."""

from textwrap import fill
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from netsim.figures import curves
from netsim.figures.labels import WILSON, footer, label_curves, percent, rare, seconds, widest
from netsim.figures.style import LOOKS, SMALLEST, Look, board, in_percent, looks, sheet
from netsim.sweep import Rows

_ENDS: Final = ("client", "server")
_OPEN: Final = "never"
_OUTCOMES: Final = {"clean": "CLOSED by ACK", "reset": "reset", "abort": "CLOSED by RST",
                    "timeout": "times out", _OPEN: "never closes"}  # fmt: skip
_COUNTS: Final = {"3, delayed ACK": LOOKS[0], "4, delayed ACK": LOOKS[1], "4, immediate": LOOKS[2]}
_READERS: Final = {"half-close": LOOKS[3], "close": LOOKS[4]}
_APART: Final = 0.12  # of the distance of two amounts
_HALF: Final = 0.22  # of an exact value's line


def segments_figure(table: Rows, *, think_time: float, n: int, seed: int, loss: float) -> Figure:
    """P(three segments) above, P(four) below, against the server's mean think time; the title is about one of them."""
    note = footer(
        n, WILSON, f"independent losses of {percent(loss)}", "exponential think time",
        f"title: think time of {seconds(think_time)}", "dashed: exact", seed=seed,
    )  # fmt: skip
    title = segments_title(table, think_time=think_time)
    figure, panels = sheet(title, note, rows=2, height=5.6, label_room=2.35)
    headings = {"p_three_segments": "P(3 segments)", "p_four_segments": "P(4 segments)"}
    for ax, (estimate, heading) in zip(panels, headings.items(), strict=True):
        curves.line(ax, table.where(estimate=estimate), x="think_time", by="fin_ack")
        ax.set_ylabel(heading)
    panels[0].set_ylim(-0.04, 1.0)
    curves.seconds_axis(panels[-1], [0.001, 0.01, 0.1, 1.0, 10.0], "mean think time of the server before it closes")
    panels[0].set_xlim(0.0008, 12.0)
    label_curves(panels[-1])
    return figure


def segments_title(table: Rows, *, think_time: float) -> str:
    """How many closes take three segments with the longest delayed ACK, and with the immediate one."""
    found = curves.known(table.where(estimate="p_three_segments"), "fin_ack", think_time=think_time)
    worst, best = min(found, key=lambda name: found[name]), max(found, key=lambda name: found[name])
    return f"Closes in three segments: {rare(found[worst])} ({worst}) to {rare(found[best])} ({best})"


def shares_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """How many segments a close takes, against loss: a curve for each number."""
    model = "the server closes immediately and acknowledges a FIN immediately"
    note = footer(n, WILSON, "independent losses", model, "dashed: exact", seed=seed)
    figure, (ax,) = sheet(shares_title(table), note, label_room=1.5)
    curves.line(ax, table, x="loss", by="segments")
    ax.set_ylim(-0.02, 1.0)
    in_percent(ax.xaxis)
    ax.set_xlabel("loss in each direction")
    ax.set_ylabel("proportion of closes")
    label_curves(ax)
    return figure


def shares_title(table: Rows) -> str:
    """How many of the shortest closes are left at the highest loss."""
    shortest = table.strings("segments")[0]
    rows = table.where(segments=shortest, source="simulation")
    (first, *_, last), loss = rows.floats("value"), rows.floats("loss")[-1]
    return f"{percent(first)} of closes take {shortest} without loss, {percent(last)} at {percent(loss)} loss"


def latency_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """P(an end is not done by t) for both ends."""
    losses = f"independent losses of {percent(loss)} in each direction"
    note = footer(n, WILSON, losses, "dashed: exact, without the ends that time out", seed=seed)
    figure, (ax,) = sheet(latency_title(table, loss=loss), note, label_room=1.3)
    curves.count_axis(ax, 0.5 / n, 1.3)
    simulated = table.where(source="simulation")
    for end, look in looks(_ENDS).items():
        times = simulated.where(end=end).floats("t")
        curves.steps(ax, table.where(end=end), name=end, look=look, start=min(times), end=max(times))
    curves.seconds_axis(ax, [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0], "t, seconds after the client's close")
    ax.set_xlim(0.08, max(simulated.floats("t")) * 1.1)
    ax.set_ylabel("P(not done by t)")
    label_curves(ax)
    return figure


def latency_title(table: Rows, *, loss: float) -> str:
    """How many closes wait for a timer, at either end: all that are not done in the first step."""
    client, server = (table.where(source="simulation", end=end).floats("value")[0] for end in _ENDS)
    return (
        f"At {percent(loss)} loss {percent(client)} of clients and {percent(server)} of servers wait for a "
        "retransmission"
    )


def ends_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """What becomes of either end: a square for each kind of close and each end, with the proportions of its outcomes.

    ``table``: columns close, end, how, value.
    """
    model = "the peer's application closes immediately; without keep-alive, which would detect an end that never closes"
    note = footer(n, widest(table), f"independent losses of {percent(loss)} in each direction", model, seed=seed)
    title = ends_title(table, loss=loss)
    figure, (ax,) = sheet(title, note, height=5.6, label_room=0.15, left_room=1.75, head_room=0.35)
    kinds = [str(kind) for (kind,) in table.group_by("close")]
    for y, kind in enumerate(kinds):
        for x, end in enumerate(_ENDS):
            _square(ax, x, y, table.where(close=kind, end=end))
    board(ax, _ENDS, [fill(kind, 15) for kind in kinds])
    return figure


def _square(ax: Axes, x: int, y: int, rows: Rows) -> None:
    """The outcomes of one end, the most frequent first; dark if it may never close."""
    shares = sorted(zip(rows.floats("value"), rows.strings("how"), strict=True), reverse=True)
    dark = any(how == _OPEN for _, how in shares)
    face = "#BB5566" if dark else "#ffffff"
    ax.add_patch(Rectangle((x + 0.02, y + 0.06), 0.96, 0.88, facecolor=face, edgecolor=curves.GREY, linewidth=0.8))
    lines = [f"{_OUTCOMES.get(how, how)}: {percent(share)}" for share, how in shares]
    ink = "white" if dark else "black"
    ax.text(x + 0.5, y + 0.5, "\n".join(lines), ha="center", va="center", size=SMALLEST, color=ink)


def ends_title(table: Rows, *, loss: float) -> str:
    """How often the peer never closes after a close by RST, and by FIN."""
    by_rst = {row["close"] for row in table.where(how="abort")}
    never = table.where(how=_OPEN)
    left = dict(zip(never.column("close"), never.floats("value"), strict=True)) if len(never) else {}
    groups = by_rst, {row["close"] for row in table} - by_rst
    rst, fin = (sum(left.get(close, 0.0) for close in group) / len(group) for group in groups)
    return f"At {percent(loss)} loss {percent(rst)} of closes by RST leave a peer that never closes, by FIN {rare(fin)}"


def unsent_figure(table: Rows, *, wait: float, loss: float, n: int, seed: int) -> Figure:
    """P(3 segments) and P(4) above, P(the client reads all data) below, against the bytes that were left to send.

    ``table``: columns curve, unsent_bytes, source, value, low, high, upper_bound; ``wait`` (s): of a delayed ACK.
    """
    note = footer(
        n, WILSON, f"independent losses of {percent(loss)} in each direction",
        f"the server closes immediately; delayed ACK after {seconds(wait)}; segments of 1,460 bytes",
        "below: after half-close the client reads on, after close it does not",
        "dashed: exact, known up to one segment", seed=seed,
    )  # fmt: skip
    title = unsent_title(table)
    figure, (above, below) = sheet(title, note, rows=2, height=6.4, label_room=1.75, left_room=1.2, share_y=False)
    amounts = sorted(set(table.ints("unsent_bytes")))
    for ax, shown in ((above, _COUNTS), (below, _READERS)):
        for k, (name, look) in enumerate(shown.items()):
            _amounts(ax, table.where(curve=name), amounts, name, look, (k - (len(shown) - 1) / 2) * _APART)
        ax.set_ylim(-0.06, 1.06)
        label_curves(ax)
    above.set_ylabel("P(3 or 4\nsegments)")
    below.set_ylabel("P(all data\nis read)")
    below.set_xticks(range(len(amounts)), [f"{amount:,}" for amount in amounts], size=SMALLEST)
    below.set_xlim(-0.5, len(amounts) - 0.5)
    below.set_xlabel("unsent bytes when the client closes")
    return figure


def _amounts(ax: Axes, rows: Rows, amounts: list[int], name: str, look: Look, shift: float) -> None:
    """The amounts side by side, not to scale: marks with their bars, a dashed line for each exact value."""
    simulated, exact = curves.by_source(rows)
    for amount, p in zip(exact.ints("unsent_bytes"), exact.floats("value"), strict=True):
        x = amounts.index(amount)
        ax.plot([x - _HALF, x + _HALF], [p, p], color=look.colour, linestyle=curves.DASHED, linewidth=1.3, marker="")
    placed = Rows.from_dicts([{**row, "x": amounts.index(row["unsent_bytes"]) + shift} for row in simulated])  # type: ignore[arg-type]
    curves.bars(ax, placed, x="x", look=look)
    ax.plot(placed.floats("x"), placed.floats("value"), color=look.colour, marker=look.marker, linestyle="", label=name)


def unsent_title(table: Rows) -> str:
    """How many closes take four segments if the client has little left to send and the ACK of its FIN is delayed."""
    rows = table.where(curve="4, delayed ACK")
    least = rows.where(unsent_bytes=min(amount for amount in rows.ints("unsent_bytes") if amount))
    source = "exact" if "exact" in least.column("source") else "simulation"
    four = least.only("value", source=source)
    return f"Unsent data makes {percent(four)} of closes take four segments if the ACK of the FIN is delayed"
