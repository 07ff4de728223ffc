"""The figure that puts connects of a recorded kernel, the simulation and the exact distribution on the same axes."""

from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import curves
from netsim.figures.labels import footer, name_of, percent
from netsim.figures.style import SMALLEST, sheet
from netsim.sweep import Rows
from netsim.sweep.statistics import wilson_interval

_LINES: Final[dict[str, dict[str, Any]]] = {
    "kernel": {"color": "#999999", "linewidth": 5.0, "alpha": 0.8},
    "simulation": {"color": "#004488", "linewidth": 1.8},
    "exact": {"color": "black", "linewidth": 1.0, "linestyle": curves.DASHED},
}
_NAMES: Final = {"kernel": "Linux 6.18, recorded", "simulation": "simulated", "exact": "exact, without timer wheel"}
_START, _END = 0.05, 60.0  # s
_LATE: Final = 1.0  # s; a connection that is not open by then waited for a timer


def connects_figure(table: Rows, *, loss: float, seed: int) -> Figure:
    """P(latency > t), a panel for each schedule of SYNs, one above the other."""
    groups = {str(name): rows for (name,), rows in table.group_by("schedule").items()}
    n = {source: max(table.where(source=source).ints("n")) for source in ("kernel", "simulation")}
    note = footer(
        n["simulation"], f"95 % intervals (Wilson) at most \N{PLUS-MINUS SIGN}{_half_width(min(n.values()))}",
        f"{n['kernel']:,} recorded connects per curve", "SYNs at 0 1 2 3 4 5 7 s above, at 0 1 3 7 15 s below",
        f"independent losses of {percent(loss)}, 50 ms in each direction; both hosts share a 250 Hz timer wheel",
        seed=seed, per="curve",
    )  # fmt: skip
    figure, panels = sheet(connects_title(groups, loss), note, rows=len(groups), height=5.4, label_room=0.25)
    for ax, (name, rows) in zip(panels, groups.items(), strict=True):
        _steps(ax, rows)
        ax.text(0.985, 0.93, name_of(name), transform=ax.transAxes, ha="right", va="top", weight="bold")
    for k, (source, look) in enumerate(_LINES.items()):
        y = 0.36 - 0.13 * k
        panels[0].plot([0.03, 0.10], [y, y], transform=panels[0].transAxes, **look)
        panels[0].text(0.12, y, _NAMES[source], transform=panels[0].transAxes, va="center", size=SMALLEST)
    curves.ticks(panels[-1].xaxis, {t: f"{t:g}" for t in (0.1, 0.3, 1, 3, 10, 30)})
    panels[-1].set_xlabel("connect latency t (s)")
    panels[0].set_ylabel("P(latency > t)", y=0.0)
    return figure


def _half_width(n: int) -> str:
    """Half of the widest of Wilson's intervals, that of a proportion of one half."""
    low, high = wilson_interval(n // 2, n)
    return percent((high - low) / 2)


def _steps(ax: Axes, rows: Rows) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(_START, _END)
    ax.set_ylim(8e-4, 1.4)
    for source, look in _LINES.items():
        curve = rows.where(source=source)
        ax.step([_START, *curve.floats("t")], [1.0, *curve.floats("value")], where="post", **look)
    curves.ticks(ax.yaxis, {1.0: "100 %", 0.1: "10 %", 0.01: "1 %", 0.001: "0.1 %"})


def connects_title(groups: dict[str, Rows], loss: float) -> str:
    """How many connects wait for a timer, by each source; of the first schedule."""
    rows = next(iter(groups.values()))
    late = {}
    for source in _NAMES:
        curve = rows.where(source=source)
        steps = zip(curve.floats("t"), curve.floats("value"), strict=True)
        late[source] = f"{100 * [p for t, p in steps if t < _LATE][-1]:.1f} %"
    return (
        f"Connects over 1 s at {percent(loss)} loss: {late['kernel']} recorded, {late['simulation']} simulated, "
        f"{late['exact']} exact"
    )
