"""The figures of TIME-WAIT: how many closes are unclean for want of it, and what it costs."""

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import curves
from netsim.figures.labels import WILSON, footer, label_curves, percent, rare, seconds
from netsim.figures.style import LOOKS, sheet
from netsim.sweep import Rows, Scalar

_LENGTHS: Final = (0.0, 0.5, 2.0, 8.0, 30.0, 60.0, 240.0)  # s; the ticks


def time_wait_figure(table: Rows, *, loss: float, rate: float, n: int, seed: int) -> Figure:
    """Above: P(the server closes uncleanly) against the length of TIME-WAIT; below: what that length costs."""
    difference = table.where(source="paired difference", loss=loss, time_wait=60.0)
    note = footer(
        n, WILSON, "independent losses after the second close; RTO 1 s, doubling",
        _difference(difference), _cost(rate), "dashed: exact", seed=seed,
    )  # fmt: skip
    title = time_wait_title(table, loss=loss)
    figure, panels = sheet(title, note, rows=2, height=6.6, label_room=1.75, left_room=1.4, share_y=False)
    _benefit_and_cost(panels, table)
    return figure


def time_wait_title(table: Rows, *, loss: float) -> str:
    """Unclean closes without TIME-WAIT, and with the longest that was simulated."""
    lengths = sorted(set(table.where(estimate="p_unclean", source="simulation", loss=loss).floats("time_wait")))
    exact = table.where(estimate="p_unclean", source="exact", loss=loss)
    without, longest = (exact.only("value", time_wait=length) for length in (lengths[0], lengths[-1]))
    return (
        f"At {percent(loss)} loss {seconds(lengths[-1])} of TIME-WAIT cut unclean closes from {percent(without)} to "
        f"{rare(longest)}"
    )


def why_four_figure(
    table: Rows, *, think_time: float, lost: float, rate: float, n: Mapping[str, int], seed: int
) -> Figure:
    """Why four segments: P(3) and P(4) against think time; why 2 MSL: below, as in ``time_wait_figure``."""
    note = footer(
        n["time_wait"], WILSON, "independent losses",
        f"above: {n['segments']:,} runs per point, {percent(lost)} loss, exponential think time (title: "
        f"{seconds(think_time)}), delayed ACK after 200 ms", _cost(rate), "dashed: exact", seed=seed,
    )  # fmt: skip
    room = 2.6
    figure, panels = sheet(
        why_four_title(table, think_time=think_time), note,
        rows=2, height=9.0, label_room=1.9, left_room=1.4, head_room=room, share_y=False,
    )  # fmt: skip
    _benefit_and_cost(panels, table)
    box, height = panels[0].get_position(), float(figure.get_size_inches()[1])
    above = figure.add_axes((box.x0, box.y1 + 0.95 / height, box.width, (room - 0.95) / height))
    shown = {"4, immediate": ("immediate ACK", "four"), "4, delayed ACK": ("delayed ACK, 200 ms", "four"),
             "3, delayed ACK": ("delayed ACK, 200 ms", "three")}  # fmt: skip
    named: list[dict[str, Scalar]] = []
    for name, (fin_ack, count) in shown.items():
        named += [{**row, "curve": name} for row in table.where(fin_ack=fin_ack, estimate=f"p_{count}_segments")]
    curves.line(above, Rows.from_dicts(named), x="think_time", by="curve")
    above.set_ylim(-0.04, 1.04)
    curves.seconds_axis(above, [0.001, 0.01, 0.1, 1.0, 10.0], "mean think time of the server before it closes")
    above.set_xlim(0.0008, 12.0)
    above.set_ylabel("P(3 or 4\nsegments)")
    label_curves(above)
    return figure


def why_four_title(table: Rows, *, think_time: float) -> str:
    """How many closes need the fourth segment only because the ACK of the FIN is immediate."""
    three = curves.known(table.where(estimate="p_three_segments"), "fin_ack", think_time=think_time)
    immediate, delayed = three["immediate ACK"], three["delayed ACK, 200 ms"]
    return (
        f"Closes in three segments: {rare(immediate)} with an immediate ACK of the FIN, {rare(delayed)} with a "
        "delayed ACK"
    )


def _difference(rows: Rows) -> str:
    """The paired difference of unclean closes with its interval; empty if none was estimated."""
    if not len(rows):
        return ""
    value, low, high = (rows.only(name) for name in ("value", "low", "high"))
    return f"60 s minus none, same random numbers: {value:+.3f} [{low:+.3f}, {high:+.3f}] unclean"


def _cost(rate: float) -> str:
    return f"below: {rate:g} connections/s, 28,232 ports; sockets: rate times length, maximum: ports over length"


def _benefit_and_cost(panels: Sequence[Axes], table: Rows) -> None:
    """P(the server closes uncleanly), and below it sockets held and connections per second, against TIME-WAIT."""
    above, below = panels
    unclean = table.where(estimate="p_unclean")
    named = zip(unclean, unclean.floats("loss"), strict=True)
    unclean = Rows.from_dicts([{**row, "curve": f"{percent(loss)} loss"} for row, loss in named])
    curves.count_axis(above, 1e-4, 1.0)
    curves.line(above, unclean, x="time_wait", by="curve")
    curves.seconds_axis(below, _LENGTHS, "length of TIME-WAIT (s)")
    above.set_xlim(-0.06, max(unclean.where(source="exact").floats("time_wait")) * 1.1)
    label_curves(above)
    above.set_ylabel("P(server closes\nuncleanly)")
    curves.count_axis(below, 10.0, 1e5)
    held, most = table.where(estimate="client_time_wait_sockets"), table.where(estimate="rate_ceiling")
    curves.curve(below, held, x="time_wait", name="sockets held", look=LOOKS[3])
    curves.curve(below, most, x="time_wait", name="maximum\nconnections/s", look=LOOKS[4])
    label_curves(below)
    below.set_ylabel("sockets, or\nconnections/s")
