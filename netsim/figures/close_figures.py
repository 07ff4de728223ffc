"""The figures of the studies of the close, whole: sentence, panels, footer."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import titles
from netsim.figures.close import logarithmic, means, numbers, proportions, seconds_axis, survival
from netsim.figures.labels import label_curves
from netsim.figures.style import LOOKS, in_percent, looks, looks_of, sheet
from netsim.sweep import Rows, Scalar


def time_wait_figure(table: Rows, *, loss: float, rate: float, n: int, seed: int) -> Figure:
    """Above: P(the server closes uncleanly) against the length of TIME-WAIT; below: what that length costs."""
    more = f"RTO of 1 s, doubling; dashes: exact recursion; below: {_price(rate)}"
    difference = table.where(source="paired difference", loss=loss, time_wait=60.0)
    more = "; ".join(filter(None, [more, titles.paired(difference, "unclean with 60 s less without")]))
    note = titles.footer(
        n=n, seed=seed, interval=titles.WILSON, loss="independent losses after the second close", more=more
    )
    title = titles.time_wait_title(table, loss=loss)
    figure, panels = sheet(title, note, rows=2, height=6.6, label_room=1.75, left_room=1.4, share_y=False)
    _worth_and_price(panels, table)
    return figure


def why_four_figure(
    table: Rows, *, think: float, lost: float, loss: float, rate: float, n: Mapping[str, int], seed: int
) -> Figure:
    """Why four: P(3) and P(4) segments against think time; why 2MSL: below, as ``time_wait_figure``."""
    more = (
        f"above: exponential think time (title: {titles.duration(think)}), loss of {titles.percent(lost)}, "
        f"n = {n['segments']:,}, an ACK that waits does for 200 ms; dashes: exact; below: {_price(rate)}"
    )
    losses = "independent losses"
    note = titles.footer(n=n["time_wait"], seed=seed, interval=titles.WILSON, loss=losses, more=more)
    title = titles.why_four_title(table, think=think, loss=loss)
    room = 2.6
    figure, panels = sheet(
        title, note, rows=2, height=9.0, label_room=1.9, left_room=1.4, head_room=room, share_y=False
    )
    _worth_and_price(panels, table)
    box, height = panels[0].get_position(), float(figure.get_size_inches()[1])
    above = figure.add_axes((box.x0, box.y1 + 0.95 / height, box.width, (room - 0.95) / height))
    curves = {"4, ACK at once": ("ACK at once", "four"), "4, ACK waits": ("ACK waits 200 ms", "four"),
              "3, ACK waits": ("ACK waits 200 ms", "three")}  # fmt: skip
    named: list[dict[str, Scalar]] = []
    for name, (fin_ack, count) in curves.items():
        rows = table.where(fin_ack=fin_ack, estimate=f"p_{count}_segments")
        named += [{**row, "curve": name} for row in rows]
    labels = proportions(above, Rows.from_dicts(named), x="think", by="curve", names=looks(list(curves)))
    above.set_ylim(-0.04, 1.04)
    seconds_axis(above, [0.001, 0.01, 0.1, 1.0, 10.0], "the server's mean think time before its own close")
    above.set_xlim(0.0008, 12.0)
    above.set_ylabel("P(3 or 4\nsegments)")
    label_curves(above, labels)
    return figure


def _price(rate: float) -> str:
    return f"at {rate:g} connections/s, 28,232 ports, dashes: Little's law and ports over time"


def _worth_and_price(panels: Sequence[Axes], table: Rows) -> None:
    """P(the server closes uncleanly), and below it sockets held and connections a second, against TIME-WAIT."""
    above, below = panels
    unclean = table.where(estimate="p_unclean")
    losses = sorted(set(numbers(unclean, "loss")))
    names = {titles.percent(value) + " loss": value for value in losses}
    named = _named(unclean, "loss", {value: name for name, value in names.items()})
    logarithmic(above, 1e-4, 1.0)
    labels = proportions(above, named, x="time_wait", by="curve", names=looks(list(names)))
    seconds_axis(below, [0.0, 0.5, 2.0, 8.0, 30.0, 60.0, 240.0], "length of TIME-WAIT (s)")
    lengths = numbers(unclean.where(source="exact"), "time_wait")
    above.set_xlim(-0.06, max(lengths) * 1.1)
    label_curves(above, labels)
    above.set_ylabel("P(server closes\nuncleanly)")
    logarithmic(below, 10.0, 1e5)
    held = means(
        below, table.where(estimate="client_time_wait_sockets"), x="time_wait", name="sockets held", look=LOOKS[3]
    )
    most = means(
        below, table.where(estimate="rate_ceiling"), x="time_wait", name="connections/s\nat most", look=LOOKS[4]
    )
    label_curves(below, [held, most])
    below.set_ylabel("sockets, or\nconnections/s")


def assassination_figure(table: Rows, *, duplicate: float, n: int, seed: int) -> Figure:
    """P(a RST ends TIME-WAIT) against the share of segments that have a late copy."""
    note = titles.footer(
        n=n, seed=seed, interval=titles.WILSON, loss="no losses",
        more="copies late by 20 s on average, exponential; TIME-WAIT of 240 s; RFC 1337: F1 ignores RSTs in TIME-WAIT, "
        "F2 for 2 s; dashes: exact, none known with F2",
    )  # fmt: skip
    figure, (ax,) = sheet(titles.assassination_title(table, duplicate=duplicate), note, label_room=1.2)
    names = looks_of(table, "rst")
    labels = proportions(ax, table.where(estimate="p_assassinated"), x="duplicate", by="rst", names=names)
    ax.set_ylim(-0.02, 1.0)
    in_percent(ax.xaxis)
    ax.set_xlabel("segments with a late copy")
    ax.set_ylabel("P(TIME-WAIT is killed)")
    label_curves(ax, labels)
    return figure


def segments_figure(table: Rows, *, think: float, n: int, seed: int, loss: float) -> Figure:
    """P(three segments) above, P(four) below, against the server's mean think time."""
    difference = table.where(source="paired difference", think=think, fin_ack="ACK waits 200 ms")
    more = "; ".join(
        filter(
            None, ["think time exponential; dashes: exact", titles.paired(difference, "segments, 200 ms less at once")]
        )
    )
    note = titles.footer(
        n=n, seed=seed, interval=titles.WILSON, loss=f"independent losses of {titles.percent(loss)}", more=more
    )
    figure, panels = sheet(titles.segments_title(table, think=think), note, rows=2, height=5.6, label_room=2.0)
    names = looks_of(table, "fin_ack")
    for ax, estimate, heading in zip(
        panels, ("p_three_segments", "p_four_segments"), ("P(3 segments)", "P(4 segments)"), strict=True
    ):
        rows = table.where(estimate=estimate)
        labels = proportions(ax, rows, x="think", by="fin_ack", names=names)
        ax.set_ylabel(heading)
    panels[0].set_ylim(-0.04, 1.0)
    seconds_axis(panels[-1], [0.001, 0.01, 0.1, 1.0, 10.0], "the server's mean think time before its own close")
    panels[0].set_xlim(0.0008, 12.0)
    label_curves(panels[-1], labels)
    return figure


def shares_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """How many segments a close takes, against loss: a curve for each number."""
    note = titles.footer(
        n=n, seed=seed, interval=titles.WILSON, loss="independent losses, the same each way",
        more="the server closes at once, and acknowledges a FIN at once; dashes: exact",
    )  # fmt: skip
    figure, (ax,) = sheet(titles.shares_title(table), note, label_room=1.5)
    names = looks_of(table, "segments")
    labels = proportions(ax, table, x="loss", by="segments", names=names)
    ax.set_ylim(-0.02, 1.0)
    in_percent(ax.xaxis)
    ax.set_xlabel("loss, each way")
    ax.set_ylabel("share of closes")
    label_curves(ax, labels)
    return figure


def latency_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """P(an end is not done by t) for both ends."""
    note = titles.footer(
        n=n, seed=seed, interval="95 % bands by Wilson", loss=f"independent losses of {titles.percent(loss)} each way",
        more="dashes: exact, but for ends that give up",
    )  # fmt: skip
    figure, (ax,) = sheet(titles.close_latency_title(table, loss=loss), note, label_room=1.3)
    logarithmic(ax, 0.5 / n, 1.3)
    labels = []
    for end, look in looks(["client", "server"]).items():
        labels.append(survival(ax, table.where(end=end), name=end, look=look))
    seconds_axis(ax, [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0], "t, seconds after the client's close")
    ax.set_xlim(0.08, max(t for t in numbers(table.where(source="simulation"), "t")) * 1.1)
    ax.set_ylabel("P(not done by t)")
    label_curves(ax, labels)
    return figure


def _named(table: Rows, column: str, names: dict[float, str]) -> Rows:
    rows: Sequence[dict[str, object]] = [{**row, "curve": names[float(row[column] or 0.0)]} for row in table]
    return Rows.from_dicts(rows)  # type: ignore[arg-type]
