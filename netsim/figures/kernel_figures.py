"""The figure that puts a recorded kernel, the simulation and the exact distribution on the same axes."""

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures.style import SMALLEST, sheet
from netsim.figures.titles import footer, percent
from netsim.sweep import Rows
from netsim.sweep.statistics import wilson_interval

_LINES: Final[dict[str, dict[str, Any]]] = {
    "kernel": {"color": "#999999", "linewidth": 5.0, "alpha": 0.8},
    "simulation": {"color": "#004488", "linewidth": 1.8},
    "exact": {"color": "black", "linewidth": 1.0, "linestyle": (0, (4, 2))},
}
_NAMES: Final = {"kernel": "Linux 6.18", "simulation": "simulated", "exact": "exact, no timer wheel"}
_HEADINGS: Final = {"linux": "SYNs at 0 1 2 3 4 5 7 s", "linux_classic": "SYNs at 0 1 3 7 15 s"}
_START, _END = 0.05, 60.0  # s
_LATE: Final = 1.0  # s; who is not connected by then waited for a timer


def connects_figure(table: Rows, *, loss: float, seed: int) -> Figure:
    """P(latency > t), a panel for each schedule, one above the other."""
    groups = {str(name): rows for (name,), rows in table.group_by("schedule").items()}
    n = {source: max(int(x) for x in table.where(source=source).array("n")) for source in ("kernel", "simulation")}
    note = footer(
        n=n["simulation"],
        seed=seed,
        interval=f"kernel n = {n['kernel']:,} a schedule, 95 % intervals at most \N{PLUS-MINUS SIGN}{_within(n)}",
        tie_break="both hosts on one timer wheel of 250 Hz",
        loss=f"independent losses of {percent(loss)} each way, 50 ms each way",
    )
    figure, panels = sheet(_title(groups, loss), note, rows=len(groups), height=5.4, label_room=0.25)
    for ax, (name, rows) in zip(panels, groups.items(), strict=True):
        _curves(ax, rows)
        ax.text(0.985, 0.93, _HEADINGS[name], transform=ax.transAxes, ha="right", va="top", weight="bold")
    for k, (source, look) in enumerate(_LINES.items()):
        y = 0.36 - 0.13 * k
        panels[0].plot([0.03, 0.10], [y, y], transform=panels[0].transAxes, **look)
        panels[0].text(0.12, y, _NAMES[source], transform=panels[0].transAxes, va="center", size=SMALLEST)
    ticks = [0.1, 0.3, 1, 3, 10, 30]
    panels[-1].set_xticks(ticks, [f"{t:g}" for t in ticks])
    panels[-1].set_xticks([], minor=True)
    panels[-1].set_xlabel("connect latency t (s)")
    panels[0].set_ylabel("P(latency > t)", y=0.0)
    return figure


def _within(n: dict[str, int]) -> str:
    """Half of the widest interval by Wilson, of a share of one half."""
    low, high = wilson_interval(min(n.values()) // 2, min(n.values()))
    return percent((high - low) / 2)


def _curves(ax: Axes, rows: Rows) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(_START, _END)
    ax.set_ylim(8e-4, 1.4)
    for source, look in _LINES.items():
        curve = rows.where(source=source)
        t = [_START, *map(float, curve.array("t"))]
        ax.step(t, [1.0, *map(float, curve.array("value"))], where="post", **look)
    ax.set_yticks([1.0, 0.1, 0.01, 0.001], ["100 %", "10 %", "1 %", "0.1 %"])
    ax.set_yticks([], minor=True)


def _title(groups: dict[str, Rows], loss: float) -> str:
    """How many connects wait for a timer, by each source; of the first schedule."""
    rows = next(iter(groups.values()))
    late = {}
    for source in _NAMES:
        curve = rows.where(source=source)
        late[source] = next(
            float(p) for t, p in zip(curve.array("t")[::-1], curve.array("value")[::-1], strict=True) if t < _LATE
        )
    return (
        f"At {percent(loss)} loss {100 * late['kernel']:.1f} % of a real kernel's connects waited for a timer, "
        f"{100 * late['simulation']:.1f} % simulated, {100 * late['exact']:.1f} % exact"
    )
