"""The figures of the SYN flood: which clients are served, what the SYN queue holds, and what the defences cost."""

import math
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from netsim.figures import curves
from netsim.figures.labels import NORMAL, STUDENT, footer, label_curves, percent, rare, seconds
from netsim.figures.style import LOOKS, SMALLEST, in_percent, looks_of, sheet
from netsim.sweep import Rows, number

BACKLOG: Final = 128  # of every flood shown
LIFETIME: Final = 63.0  # s, of a SYN-RECEIVED entry: six SYN-ACKs, 1 + 2 + 4 + 8 + 16 + 32
_PATH: Final = "no loss, RTT 100 ms"
_COSTS: Final = (
    ("setup_latency", "latency\n(ms)", 1e3),
    ("p_options_lost", "options\nlost (%)", 100.0),
    ("half_open_memory_max", "memory\n(bytes)", 1.0),
)


def served_figure(table: Rows, *, exact: str, n: int, seed: int) -> Figure:
    """Share of clients served at their first SYN against the attack rate: simulated, recorded, and ``exact``: what."""
    note = footer(n, STUDENT, _PATH, f"SYN queue of {BACKLOG} where not named; dashed: {exact}", seed=seed)
    figure, (ax,) = sheet(served_title(table), note, label_room=1.85)
    ax.set_xscale("log")
    names = looks_of(table, "defence")
    curves.line(ax, table.where(estimate="p_served_at_first_syn"), x="rate", by="defence", among=names)
    for name, look in names.items():
        kernel = table.where(defence=name, source="kernel")
        ax.plot(
            kernel.floats("rate"), kernel.floats("value"), color=look.colour, marker="o", linestyle="",
            markerfacecolor="white", markersize=10, markeredgewidth=1.6, zorder=2,
        )  # fmt: skip
    rates = table.floats("rate")
    ax.set_ylim(-0.03, 1.05)
    ax.set_xlim(min(rates) * 0.8, max(rates) * 1.2)
    _mark(ax, BACKLOG / LIFETIME, f"B/T = {BACKLOG / LIFETIME:.2f}/s")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    in_percent(ax.yaxis)
    ax.set_xlabel("attack rate (SYNs per second)")
    ax.set_ylabel("served at the first SYN")
    label_curves(ax)
    return figure


def served_title(table: Rows) -> str:
    """The worst defence and the best at about 100 SYNs per second."""
    rows = table.where(source="simulation")
    at = min(set(rows.floats("rate")), key=lambda rate: abs(math.log(rate / 100)))
    there = rows.where(rate=at)
    share = dict(zip(there.strings("defence"), there.floats("value"), strict=True))
    worst, best = min(share, key=share.__getitem__), max(share, key=share.__getitem__)
    return (
        f"At {at:g} SYNs/s {percent(share[worst])} ({worst}) to {percent(share[best])} ({best}) of first SYNs succeed"
    )


def _mark(ax: Axes, x: float, words: str) -> None:
    """A vertical line with its name along it."""
    ax.axvline(x, color="#666666", linewidth=0.9, linestyle=":")
    ax.text(
        x, 0.03, f"{words} ", size=SMALLEST, color="#666666", ha="right", va="bottom", rotation=90,
        transform=ax.get_xaxis_transform(),
    )  # fmt: skip


def population_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """SYN-RECEIVED entries over time from an empty queue."""
    rate = table.floats("rate")[0]
    model = f"{rate:g} spoofed SYNs per second (Poisson), which nobody answers; dotted: the queue's limit, {BACKLOG}"
    note = footer(n, "means over runs, without intervals", "no loss", model, seed=seed, per="curve")
    figure, (ax,) = sheet(population_title(table), note, label_room=1.85)
    for name, look in looks_of(table, "defence").items():
        rows = table.where(defence=name)
        t, entries = rows.floats("t"), rows.floats("value")
        ax.plot(t, entries, color=look.colour, marker=look.marker, markevery=(10, 25), markersize=5, label=name)
    ax.axhline(BACKLOG, color="#666666", linewidth=0.9, linestyle=":")
    ax.set_ylim(-3, 1.12 * BACKLOG)
    ax.set_xlim(0, max(table.floats("t")))
    ax.set_xlabel("time since the attack began (s)")
    ax.set_ylabel("SYN-RECEIVED entries")
    label_curves(ax)
    return figure


def population_title(table: Rows) -> str:
    """When the queue of the first defence is full, and what the best one holds in the last minute."""
    values = {name: table.where(defence=name).floats("value") for name in looks_of(table, "defence")}
    level = {name: sum(entries[-60:]) / len(entries[-60:]) for name, entries in values.items()}
    least = min(level, key=level.__getitem__)
    first = next(iter(values))
    times = zip(table.where(defence=first).floats("t"), values[first], strict=True)
    full = next((t for t, entries in times if entries > 0.98 * BACKLOG), None)
    filled = "is never full" if full is None else f"is full after {seconds(full)}"
    return (
        f"At {table.floats('rate')[0]:g} SYNs/s a queue of {BACKLOG} {filled}; with {least} it holds {level[least]:.0f}"
    )


def cookies_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """Above: mean set-up latency against loss; below: clients of which only the client is ESTABLISHED."""
    note = footer(
        n, f"{NORMAL[:-1]} above, Wilson below)", "independent losses, 50 ms in each direction",
        "Linux 6.5 and later at both ends, clients that send no data, no attack",
        "dashed: exact; no bar where a connection failed", seed=seed,
    )  # fmt: skip
    figure, (above, below) = sheet(
        cookies_title(table, loss=loss), note, rows=2, height=6.0, label_room=1.5, left_room=1.25, share_y=False
    )
    for ax, estimate in ((above, "setup_latency"), (below, "p_diverged")):
        curves.line(ax, table.where(estimate=estimate), x="loss", by="server")
        in_percent(ax.xaxis)
        label_curves(ax)
    above.set_ylabel("mean latency (s)")
    below.set_ylabel("P(only client\nESTABLISHED)")
    in_percent(below.yaxis)
    below.set_xlabel("loss in each direction")
    return figure


def cookies_title(table: Rows, *, loss: float) -> str:
    """How often only the client is ESTABLISHED, with SYN cookies and with a SYN queue."""
    alone = curves.known(table.where(estimate="p_diverged"), "server", loss=loss)
    cookies, queue = alone["SYN cookies"], alone["SYN queue"]
    return (
        f"At {percent(loss)} loss SYN cookies leave {percent(cookies)} of clients ESTABLISHED alone, a SYN queue "
        f"{rare(queue)}"
    )


def costs_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """What every defence costs without an attack: latency, options, memory."""
    note = footer(
        n, STUDENT, _PATH, "50 clients per second, Linux 6.5 and later at both ends, no attack",
        "memory: maximum of all entries at one time", seed=seed, per="defence",
    )  # fmt: skip
    names = [str(name) for (name,) in table.group_by("defence")]
    figure, panels = sheet(costs_title(table), note, rows=3, height=6.4, label_room=0.25, left_room=1.35, share_y=False)
    look = LOOKS[0]
    for ax, (estimate, label, scale) in zip(panels, _COSTS, strict=True):
        rows = table.where(estimate=estimate)
        columns = ("value", "low", "high")
        scaled = [{name: None if row[name] is None else scale * number(row, name) for name in columns} for row in rows]
        shown = Rows.from_dicts([{"x": k, **row} for k, row in enumerate(scaled)])
        curves.bars(ax, shown, x="x", look=look)
        ax.plot(
            shown.floats("x"), shown.floats("value"), color=look.colour, marker=look.marker, linestyle="", clip_on=False
        )
        ax.set_ylabel(label)
        ax.set_ylim(0, max(1.0, 1.15 * max(*shown.floats("value"), *shown.floats("high", missing=0.0))))
    panels[-1].set_xticks(range(len(names)), [name.replace(" ", "\n", 1) for name in names], size=SMALLEST)
    panels[-1].set_xlim(-0.5, len(names) - 0.5)
    return figure


def costs_title(table: Rows) -> str:
    """Whether a defence costs latency, and with which ones TCP options are lost."""
    latency = table.where(estimate="setup_latency").floats("value")
    lost = table.where(estimate="p_options_lost")
    poor = [name for name, p in zip(lost.strings("defence"), lost.floats("value"), strict=True) if p > 0.5]
    spread = 1000 * (max(latency) - min(latency))
    costs = "no defence adds latency" if spread < 0.05 else f"latencies differ by {spread:.1f} ms"
    return f"Without an attack {costs}; {' and '.join(poor) if poor else 'none'} cost TCP options"
