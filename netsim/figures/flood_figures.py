"""The figures of the studies of the SYN flood, whole: sentence, panels, footer."""

import math
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from netsim.figures.close import DASHES, bars, numbers
from netsim.figures.labels import Label, label_curves
from netsim.figures.style import SMALLEST, in_percent, looks, looks_of, sheet
from netsim.figures.titles import footer, percent, seconds
from netsim.sweep import Rows

BACKLOG: Final = 128  # of every flood shown
HOLD: Final = 63.0  # s: six SYN-ACKs, 1 + 2 + 4 + 8 + 16 + 32
_WORLDS: Final = "95 % t intervals over worlds"
_PEACE: Final = (
    ("setup_latency", "latency\n(ms)", 1e3),
    ("p_options_lost", "options\nlost (%)", 100.0),
    ("half_open_memory_max", "memory\n(bytes)", 1.0),
)
_GREY: Final = "#666666"


def _mark(ax: Axes, x: float, text: str) -> None:
    """A vertical line with its name along it."""
    ax.axvline(x, color=_GREY, linewidth=0.9, linestyle=":")
    ax.text(
        x,
        0.03,
        f"{text} ",
        size=SMALLEST,
        color=_GREY,
        ha="right",
        va="bottom",
        rotation=90,
        transform=ax.get_xaxis_transform(),
    )


def served_figure(table: Rows, *, dashes: str, n: int, seed: int) -> Figure:
    """Share of clients served at their first SYN against the attack rate: simulated, recorded, exact (``dashes``)."""
    full = BACKLOG / HOLD
    note = footer(
        n=n, seed=seed, interval=_WORLDS, loss="no loss, 100 ms RTT",
        more=f"a point is the mean over n worlds; dashes: {dashes}",
    )  # fmt: skip
    figure, (ax,) = sheet(_served_title(table, full), note, label_room=1.85)
    names = looks_of(table, "defence")
    labels = []
    ax.set_xscale("log")
    for name, look in names.items():
        rows = table.where(defence=name)
        simulated, exact, kernel = (rows.where(source=s) for s in ("simulation", "exact", "kernel"))
        bars(ax, numbers(simulated, "rate"), simulated, look)
        if len(exact):
            ax.plot(numbers(exact, "rate"), numbers(exact, "value"), color=look.colour, linestyle=DASHES, linewidth=1.3)
        else:
            ax.plot(numbers(simulated, "rate"), numbers(simulated, "value"), color=look.colour, linewidth=1.1)
        ax.plot(
            numbers(kernel, "rate"), numbers(kernel, "value"), color=look.colour, marker="o", linestyle="",
            markerfacecolor="white", markersize=10, markeredgewidth=1.6, zorder=2,
        )  # fmt: skip
        labels.append(Label(name, numbers(simulated, "value")[-1], look))
    ax.set_ylim(-0.03, 1.05)
    ax.set_xlim(min(numbers(table, "rate")) * 0.8, max(numbers(table, "rate")) * 1.2)
    _mark(ax, full, f"B/T = {full:.2f}/s")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    in_percent(ax.yaxis)
    ax.set_xlabel("attack (SYNs a second)")
    ax.set_ylabel("served at the first SYN")
    label_curves(ax, labels)
    return figure


def _served_title(table: Rows, full: float) -> str:
    rows = table.where(source="simulation")
    at = min(set(numbers(rows, "rate")), key=lambda rate: abs(math.log(rate / 100)))
    share = {str(row["defence"]): float(row["value"] or 0.0) for row in rows.where(rate=at)}
    worst, best = min(share, key=share.__getitem__), max(share, key=share.__getitem__)
    return (
        f"{full:.2f} SYNs a second fill a backlog of {BACKLOG}; at {at:g} a second the first SYN gets in for "
        f"{percent(share[worst])} of all clients with {worst}, for {percent(share[best])} with {best}"
    )


def population_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Half-open entries over time from an empty queue."""
    rate, backlog = numbers(table, "rate")[0], BACKLOG
    note = footer(
        n=n, seed=seed, interval="means over n worlds", loss="no loss",
        more=f"{rate:g} spoofed SYNs a second, Poisson, nobody answers; dots: the backlog, {backlog}",
    ).replace(" a point", "")  # fmt: skip
    names = looks_of(table, "defence")
    last = {name: numbers(table.where(defence=name), "value")[-60:] for name in names}
    level = {name: sum(values) / len(values) for name, values in last.items()}
    low = min(level, key=level.__getitem__)
    first = table.where(defence=next(iter(names)))
    times, entries = numbers(first, "t"), numbers(first, "value")
    full = next((k for k, value in enumerate(entries) if value > 0.98 * backlog), None)
    filled = "is never full"
    if full is not None:
        after = sum(entries[full:]) / len(entries[full:])
        filled = f"is full after {seconds(times[full])} and holds {after:.0f} on average from then on"
    title = f"At {rate:g} SYNs a second the queue {filled}; {low}: {level[low]:.0f} entries"
    figure, (ax,) = sheet(title, note, label_room=1.85)
    labels = []
    for name, look in names.items():
        rows = table.where(defence=name)
        t, y = numbers(rows, "t"), numbers(rows, "value")
        ax.plot(t, y, color=look.colour, marker=look.marker, markevery=(10, 25), markersize=5)
        labels.append(Label(name, y[-1], look))
    ax.axhline(backlog, color=_GREY, linewidth=0.9, linestyle=":")
    ax.set_ylim(-3, 1.12 * backlog)
    ax.set_xlim(0, max(numbers(table, "t")))
    ax.set_xlabel("time since the attack began (s)")
    ax.set_ylabel("half-open entries")
    label_curves(ax, labels)
    return figure


def cookie_cost_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """Above: mean set-up latency against loss; below: clients that are ESTABLISHED alone; entries and cookies."""
    note = footer(
        n=n, seed=seed, interval="95 % intervals, normal and Wilson", loss="independent losses, 50 ms each way",
        more="Linux at both ends, silent clients, no attack; dashes: exact; no bar where a client failed",
    )  # fmt: skip
    alone = {
        str(r["server"]): float(r["value"] or 0.0)
        for r in table.where(source="simulation", loss=loss, estimate="p_only_client_established")
    }
    cookies, entries = alone["SYN cookies"], alone["entries"]
    title = (
        f"At {percent(loss)} loss {percent(cookies)} of clients are ESTABLISHED alone behind cookies, "
        f"{percent(entries) if entries else 'none'} behind entries"
    )
    figure, (above, below) = sheet(title, note, rows=2, height=6.0, label_room=1.5, share_y=False)
    names = looks_of(table, "server")
    for ax, estimate in ((above, "setup_latency"), (below, "p_only_client_established")):
        labels = []
        for name, look in names.items():
            rows = table.where(server=name, estimate=estimate)
            simulated, exact = rows.where(source="simulation"), rows.where(source="exact")
            bars(ax, numbers(simulated, "loss"), simulated, look)
            curve, dashes = (exact, DASHES) if len(exact) else (simulated, "-")
            values = numbers(curve, "value")
            ax.plot(numbers(curve, "loss"), values, color=look.colour, linestyle=dashes, linewidth=1.3)
            labels.append(Label(name, values[-1], look))
        label_curves(ax, labels)
    above.set_ylabel("mean latency (s)")
    below.set_ylabel("client alone")
    in_percent(below.xaxis, below.yaxis)
    below.set_xlabel("loss, each way")
    return figure


def peace_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """What every defence costs without an attack: latency, options, memory."""
    note = footer(
        n=n, seed=seed, interval=_WORLDS, loss="no loss, 100 ms RTT",
        more="50 clients a second, Linux at both ends, no attack; memory: the most entries held at once",
    )  # fmt: skip
    names = [str(name) for (name,) in table.group_by("defence")]
    value = {(str(r["defence"]), str(r["estimate"])): float(r["value"] or 0.0) for r in table}
    latencies = [value[name, "setup_latency"] for name in names]
    poor = [name for name in names if value[name, "p_options_lost"] > 0.5]
    spread = max(latencies) - min(latencies)
    same = 1000 * spread < 0.05
    costs = "no defence costs latency" if same else f"the defences differ by {1000 * spread:.1f} ms of latency"
    title = f"In peace {costs}; window scale and SACK are lost with {' and '.join(poor) if poor else 'none'}"
    figure, panels = sheet(title, note, rows=3, height=6.4, label_room=0.25, left_room=1.35, share_y=False)
    (look,) = looks(["all"]).values()
    for ax, (estimate, label, scale) in zip(panels, _PEACE, strict=True):
        rows = table.where(estimate=estimate)
        tops = [float(row["high"] or row["value"] or 0.0) for row in rows]
        for k, row in enumerate(rows):
            if row["low"] is not None and row["high"] is not None:
                ax.plot([k, k], [scale * float(row["low"]), scale * float(row["high"])], color=look.colour)
            ax.plot([k], [scale * float(row["value"] or 0.0)], color=look.colour, marker=look.marker, clip_on=False)
        ax.set_ylabel(label)
        ax.set_ylim(0, max(1.0, 1.15 * scale * max(tops)))
    panels[-1].set_xticks(range(len(names)), [name.replace(" ", "\n", 1) for name in names], size=SMALLEST)
    panels[-1].set_xlim(-0.5, len(names) - 0.5)
    return figure
