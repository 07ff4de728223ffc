"""The figures of reused four-tuples: how often data of the old connection is accepted, and one run in which it is."""

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from netsim.figures import curves
from netsim.figures.labels import BOUND, WILSON, footer, label_curves, percent, rare, seconds
from netsim.figures.style import SMALLEST, Look, in_percent, sheet
from netsim.sweep import Rows, Scalar, number

_EXPECTED: Final = f"dashed: expected value given each run's times; {BOUND}"
_ACCEPTED: Final = "P(old data accepted)"
_SHADES: Final = LinearSegmentedColormap.from_list("probabilities", ["#ffffff", "#BB5566"])
_WINDOW: Final = "#cccccc"
_NEW, _TAKEN, _REFUSED = Look("#004488", "o"), Look("#BB5566", "s"), Look("#000000", "X")


def acceptance(ax: Axes, table: Rows, *, x: str, by: str, low: float, dodge: float = 3.0) -> Axes:
    """P(old data accepted), logarithmic down to ``low``, against column ``x``, a curve for each value of ``by``.

    ``table``: columns x, by, estimate, value, low, high, upper_bound. Marks are observed proportions; the
    dashed line is the expected value given the times of each run and integrated over the sequence numbers.
    """
    curves.probability_axis(ax, low)
    names = {"p_stale_data_accepted": "simulation", "p_stale_data_expected": "exact"}
    shown = [{**row, "source": names[str(row["estimate"])]} for row in table if row["estimate"] in names]
    return curves.line(ax, Rows.from_dicts(shown), x=x, by=by, dodge=dodge)


def acceptance_figure(table: Rows, *, headings: Mapping[float, str], n: int, seed: int, model: str) -> Figure:
    """Against loss, a panel for each TIME-WAIT (its ``headings`` by seconds); ``model``: how duplicates arise."""
    note = footer(n, WILSON, "independent losses", model, _EXPECTED, _never(table), seed=seed)
    title = acceptance_title(table)
    figure, panels = sheet(title, note, columns=len(headings), height=5.6, label_room=1.3, head_room=0.25)
    for ax, (wait, heading) in zip(panels, headings.items(), strict=True):
        acceptance(ax, table.where(time_wait=wait), x="loss", by="isn", low=1e-14)
        ax.set_title(heading, size=SMALLEST)
    panels[0].set_xlim(-0.05, 1.1 * max(table.floats("loss")))
    panels[0].xaxis.set_major_locator(MultipleLocator(0.2))
    in_percent(panels[0].xaxis)
    panels[0].set_ylabel(_ACCEPTED)
    panels[len(panels) // 2].set_xlabel("loss in each direction")
    label_curves(panels[-1])
    return figure


def acceptance_title(table: Rows) -> str:
    """The worst case, and the ISN that is best there: expected values, given the times of the runs."""
    rows = table.where(estimate="p_stale_data_expected")
    found = zip(rows.floats("value"), rows.floats("loss"), rows.floats("time_wait"), rows.strings("isn"), strict=True)
    most, loss, wait, worst = max(found, key=lambda row: row[:3])
    there = rows.where(loss=loss, time_wait=wait)
    least, best = min(zip(there.floats("value"), there.strings("isn"), strict=True))
    waited = f"After {seconds(wait)} of" if wait else "Without"
    seldom = f"in {rare(least)}" if least else "never"
    return f"{waited} TIME-WAIT {worst} ISNs accept old data in {percent(most)} of runs, {best} ISNs {seldom}"


def _never(table: Rows) -> str:
    """The ISNs whose expected value is 0 in every run, which no logarithmic axis can show."""
    expected = table.where(estimate="p_stale_data_expected")
    zero = [str(isn) for (isn,), rows in expected.group_by("isn").items() if not any(rows.floats("value"))]
    return f"{' and '.join(zero)} ISNs: exactly 0" if zero else ""


def tails_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Against TIME-WAIT for several distributions of the duplicates' delay, a panel for each loss."""
    model = "20 % of segments have a delayed duplicate, 10 s late on average, at most 120 s old; constant ISNs"
    note = footer(n, WILSON, "independent losses", model, _EXPECTED, seed=seed)
    losses = sorted(set(table.floats("loss")))
    figure, panels = sheet(tails_title(table), note, columns=len(losses), height=5.6, label_room=1.5, head_room=0.25)
    for ax, loss in zip(panels, losses, strict=True):
        acceptance(ax, table.where(loss=loss), x="time_wait", by="tail", low=1e-5, dodge=5.0)
        ax.set_title(f"loss {percent(loss)}", size=SMALLEST)
        ax.set_xticks([0, 30, 60, 90])
        ax.set_xlim(-8, 108)
        ax.set_xlabel("TIME-WAIT (s)")
    panels[0].set_ylabel(_ACCEPTED)
    label_curves(panels[-1])
    return figure


def tails_title(table: Rows) -> str:
    """What a long TIME-WAIT leaves, by the distribution's tail, without losses."""
    rows = table.where(estimate="p_stale_data_expected", loss=0.0)
    middle = sorted(set(rows.floats("time_wait")))[-2]
    there = rows.where(time_wait=middle)
    at = dict(zip(there.strings("tail"), there.floats("value"), strict=True))
    worst, best = max(at, key=lambda tail: at[tail]), min(at, key=lambda tail: at[tail])
    few, many = f"{rare(at[best])} ({best})", f"{percent(at[worst])} ({worst})"
    return f"{seconds(middle)} of TIME-WAIT leave old data in {few} to {many} of runs"


def bytes_figure(table: Rows, *, n: int, seed: int, clock: float, edge: float) -> Figure:
    """Against the bytes of the old connection, a curve for each ISN; ``edge``: where it has outrun the ``clock``."""
    model = (
        "20 % of segments have a delayed duplicate, 2 s late on average (exponential); the ISN clock runs at "
        f"{clock:,.0f}/s, the data at ten times that"
    )
    note = footer(n, WILSON, "no loss", model, _EXPECTED, seed=seed)
    figure, (ax,) = sheet(bytes_title(table, edge=edge), note, height=5.6, label_room=1.4)
    ax.set_xscale("log")
    acceptance(ax, table, x="size", by="isn", low=1e-8)
    ax.axvline(edge, color=curves.GREY, linewidth=1.0, linestyle=":")
    ax.text(edge * 0.94, 3e-8, "X = r D", ha="right", size=SMALLEST, color="#444444")
    highest = max(table.floats("size"))
    curves.ticks(ax.xaxis, {size: f"{size:,}" for size in (1000, 2000, 5000, 10_000, 20_000) if size <= highest})
    ax.set_xlabel("bytes sent by the old connection")
    ax.set_ylabel(_ACCEPTED)
    label_curves(ax)
    return figure


def bytes_title(table: Rows, *, edge: float) -> str:
    """Whether the clock protects the new connection where the old one has sent less than the clock has counted."""
    rows = table.where(isn="clock", estimate="p_stale_data_expected")
    below = any(p for size, p in zip(rows.floats("size"), rows.floats("value"), strict=True) if size < edge)
    only = "even if the old connection sent less than" if below else "only if the old connection sent more than"
    return f"A clock ISN accepts old data {only} {edge:,.0f} bytes"


def lifetime_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """TIME-WAIT against the lifetime of segments: the probability in every square."""
    model = (
        "30 % of segments have a delayed duplicate, 20 s late on average (exponential); constant ISNs; expected values "
        "given each run's times"
    )
    note = footer(n, "means over runs, without intervals", "no loss", model, seed=seed)
    figure, (ax,) = sheet(lifetime_title(table), note, height=5.2, label_room=0.3, head_room=0.1)
    rows = table.where(estimate="p_stale_data_expected")
    waits, lifetimes = sorted(set(rows.floats("time_wait"))), sorted(set(rows.floats("lifetime")))
    highest = max(rows.floats("value"))
    columns = (rows.floats(name) for name in ("time_wait", "lifetime", "value"))
    for wait, lifetime, p in zip(*columns, strict=True):
        x, y = waits.index(wait), lifetimes.index(lifetime)
        ax.fill_between([x, x + 1], y, y + 1, color=_SHADES(p / highest if highest else 0.0), linewidth=0)
        ink = "white" if p > 0.6 * highest else "black"
        ax.text(x + 0.5, y + 0.5, percent(p) if p else "0", ha="center", va="center", size=SMALLEST, color=ink)
    ax.set_xticks([x + 0.5 for x in range(len(waits))], [f"{w:g}" for w in waits])
    ax.set_yticks([y + 0.5 for y in range(len(lifetimes))], [f"{v:g}" for v in lifetimes])
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.set_xlim(0, len(waits))
    ax.set_ylim(0, len(lifetimes))
    ax.set_xlabel("TIME-WAIT (s)")
    ax.set_ylabel("maximum lifetime of segments (s)")
    return figure


def lifetime_title(table: Rows) -> str:
    """Whether waiting as long as segments live is enough."""
    rows = table.where(estimate="p_stale_data_expected")
    columns = (rows.floats(name) for name in ("time_wait", "lifetime", "value"))
    waited = any(p for wait, lifetime, p in zip(*columns, strict=True) if wait >= lifetime)
    verdict = "Old data is accepted even" if waited else "No old data is accepted"
    return f"{verdict} after a TIME-WAIT as long as segments live"


def timestamps_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """P(wrong bytes) against the share of delayed duplicates, with and without timestamps."""
    model = "duplicates 5 s late on average (exponential); constant ISNs; all points use the same random numbers"
    note = footer(n, WILSON, "no loss", model, seed=seed)
    rows = table.where(estimate="p_wrong_bytes")
    figure, (ax,) = sheet(timestamps_title(rows), note, label_room=1.9)
    names = {"without": "no timestamps", "with": "timestamps"}
    named = Rows.from_dicts([{**row, "curve": names[str(row["timestamps"])]} for row in rows])
    curves.line(ax, named, x="duplicate", by="curve", dodge=4.0)
    ax.set_ylim(bottom=0)
    in_percent(ax.xaxis, ax.yaxis)
    ax.set_xlabel("segments with a delayed duplicate")
    ax.set_ylabel("P(wrong bytes read)")
    label_curves(ax)
    return figure


def timestamps_title(rows: Rows) -> str:
    """What timestamps achieve at the highest share of duplicates."""
    most = rows.where(duplicate=max(rows.floats("duplicate")))
    without, stamped = (most.only("value", timestamps=name) for name in ("without", "with"))
    return f"Wrong bytes are read in {percent(without)} of runs without timestamps, in {rare(stamped)} with them (PAWS)"


def sequence_figure(rows: Rows, note: str) -> Figure:
    """Time against sequence number of one run; ``note``: which run it is."""
    figure, (ax,) = sheet(sequence_title(rows), note, label_room=0.3, head_room=0.25)
    sequence_plot(ax, rows)
    return figure


def sequence_title(rows: Rows) -> str:
    """What became of the old segments."""
    verdicts = rows.where(kind="old").column("verdict")
    taken = sum(v == "accepted" for v in verdicts)
    return f"The new connection accepted {taken} of {len(verdicts)} old segments, which lay in its receive window"


def sequence_plot(ax: Axes, rows: Rows) -> Axes:
    """Time against relative sequence number at the receiver, its window a band.

    ``rows``: columns kind (window, new, old), time (s), seq, end (both relative to the receiver's IRS), verdict.
    """
    window = rows.where(kind="window")
    times, low, high = (window.floats(c) for c in ("time", "seq", "end"))
    segments = [row for row in rows if row["kind"] != "window"]
    last = max(t for kind, t in zip(rows.column("kind"), rows.floats("time"), strict=True) if kind != "window") + 0.3
    ax.fill_between([*times, last], [*low, low[-1]], [*high, high[-1]], step="post", color=_WINDOW, linewidth=0)
    for row in segments:
        _draw_segment(ax, row)
    _key(ax)
    ax.set_xlim(times[0] - 0.1, last)
    ax.set_ylim(0, max(high[:-1]) * 1.02)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("SEQ, relative to the SYN")
    return ax


def _draw_segment(ax: Axes, row: Mapping[str, Scalar]) -> None:
    """A data segment as a line over its sequence numbers; old ones are thick."""
    old, taken = row["kind"] == "old", row["verdict"] == "accepted"
    look = _NEW if not old else _TAKEN if taken else _REFUSED
    t, start, end = (number(row, name) for name in ("time", "seq", "end"))
    ax.plot([t, t], [start, end], color=look.colour, linewidth=3.0 if old else 1.6, marker="", zorder=3)
    size = 9 if old else 6
    ax.plot([t], [(start + end) / 2], color=look.colour, marker=look.marker, markersize=size, linestyle="", zorder=3)


def _key(ax: Axes) -> None:
    """What the marks and the band are, in one line above the panel: within it there may be no room."""
    above: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
    for x, name, look in ((0.20, "new data", _NEW), (0.42, "old, accepted", _TAKEN), (0.70, "old, refused", _REFUSED)):
        ax.plot([x], [1.06], color=look.colour, marker=look.marker, markersize=8, linestyle="", **above)
        ax.text(x + 0.025, 1.06, name, va="center", size=SMALLEST, transform=ax.transAxes)
    ax.fill_between([-0.15, -0.11], 1.03, 1.09, color=_WINDOW, linewidth=0, **above)
    ax.text(-0.10, 1.06, "receive window", va="center", size=SMALLEST, transform=ax.transAxes)
