"""The figures of connection set-up: its latency, and how often it fails, against loss."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from netsim.figures import curves
from netsim.figures.labels import (
    BOUND,
    NORMAL,
    ORDER,
    WILSON,
    footer,
    label_curves,
    name_of,
    percent,
    power_of_ten,
    rare,
    seconds,
)  # fmt: skip
from netsim.figures.style import SMALLEST, in_percent, looks, sheet
from netsim.sweep import Rows

_PATH: Final = "independent losses, 50 ms in each direction"
_TICKS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # s
_FINE_TICKS: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one estimate becomes a figure: its file's name, how it is drawn, its title, its interval."""

    name: str
    draw: Callable[[Axes, Rows], Axes]
    title: Callable[[Rows], str]
    interval: str
    fact: str = "dashed: exact"


def latency_against_loss(ax: Axes, table: Rows, *, by: str = "profile") -> Axes:
    """A latency (s, logarithmic) against loss, a curve for each value of the column ``by``."""
    ax.set_yscale("log")
    curves.line(ax, table, x="loss", by=by, dodge=1.2)
    highest = max(v for v in curves.numbers(table, "value") if v < math.inf)
    at = [t for t in (_FINE_TICKS if highest < 10 else _TICKS) if t <= highest * 1.4]
    curves.ticks(ax.yaxis, {t: f"{t:g}" for t in at})
    never = math.inf in curves.numbers(table, "value")
    ax.set_ylim(0.08, highest * (2.6 if never else 1.4))
    ax.set_ylabel("latency (s)")
    return label_curves(_loss_axis(ax, table))


def probability_against_loss(ax: Axes, table: Rows, *, name: str, by: str = "profile", low: float = 1e-6) -> Axes:
    """A probability (logarithmic, down to ``low``) against loss; ``name`` stands at the axis."""
    curves.probability_axis(ax, low)
    curves.line(ax, table, x="loss", by=by, dodge=3.0)
    ax.set_ylabel(name)
    return label_curves(_loss_axis(ax, table))


def _loss_axis(ax: Axes, table: Rows) -> Axes:
    highest = max(curves.numbers(table, "loss"))
    ax.set_xlim(-0.02 * highest, highest * 1.03)
    in_percent(ax.xaxis)
    ax.set_xlabel("loss in each direction")
    return ax


def extremes(table: Rows, *, loss: float) -> tuple[tuple[str, float], tuple[str, float]]:
    """The smallest value at this loss and the largest, each with the system that has it: exact where that is known.

    A quantile jumps from step to step; where it does, the simulated one may lie on either side.
    """
    values = curves.known(table, "profile", loss=loss)
    low, high = min(values.values()), max(values.values())
    return (_who(values, low), low), (_who(values, high), high)


def _who(values: Mapping[str, float], wanted: float) -> str:
    names = [name_of(name) for name, found in values.items() if found == wanted]
    return names[0] if len(names) == 1 else f"{len(names)} systems"


def mean_title(table: Rows, *, loss: float = 0.5) -> str:
    """The fastest system on average, and the slowest."""
    (best, low), (worst, high) = extremes(table, loss=loss)
    return f"Mean setup latency at {percent(loss)} loss: {seconds(low)} ({best}) to {seconds(high)} ({worst})"


def quantile_title(table: Rows, *, q: float, loss: float = 0.3) -> str:
    """The time within which the share ``q`` of all connections opens, with the best system and with the worst."""
    (best, low), (worst, high) = extremes(table, loss=loss)
    start = f"{'Median' if q == 0.5 else f'{100 * q:g}th percentile'} of latency at {percent(loss)} loss:"
    if low == high:
        return f"{start} {seconds(low)} with every system"
    return f"{start} {seconds(low)} ({best}) to {'never' if high == math.inf else seconds(high)} ({worst})"


def failure_title(table: Rows, *, loss: float = 0.5) -> str:
    """How often connections fail with the system that is best, and with the worst."""
    (best, low), (worst, high) = extremes(table, loss=loss)
    return f"At {percent(loss)} loss {rare(low)} ({best}) to {percent(high)} ({worst}) of connections fail"


def divergence_title(table: Rows, *, loss: float = 0.5) -> str:
    """How often the client is ESTABLISHED and the server is not."""
    _, (worst, high) = extremes(table, loss=loss)
    return f"At {percent(loss)} loss only the client is ESTABLISHED in up to {percent(high)} of runs ({worst})"


def _quantile(name: str, q: float) -> Plan:
    return Plan(name, latency_against_loss, lambda table: quantile_title(table, q=q), ORDER)


PLANS: Final = {
    "setup_latency": Plan(
        "b_mean", latency_against_loss, mean_title, NORMAL, "mean of the connections that opened; dashed: exact"
    ),
    "setup_latency_p50": _quantile("c_median", 0.5),
    "setup_latency_p95": _quantile("d_p95", 0.95),
    "setup_latency_p99": _quantile("e_p99", 0.99),
    "p_fail": Plan(
        "f_failed",
        lambda ax, table: probability_against_loss(ax, table, name="P(connection fails)"),
        failure_title,
        WILSON,
        f"dashed: exact; {BOUND}",
    ),
    "p_diverged": Plan(
        "g_diverged",
        lambda ax, table: probability_against_loss(ax, table, name="P(only client ESTABLISHED)"),
        divergence_title,
        WILSON,
        f"dashed: exact; {BOUND}",
    ),
}


def estimate_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """The table's estimate, one of ``PLANS``, against loss: a curve for each profile."""
    (plan,) = (PLANS[str(estimate)] for (estimate,) in table.group_by("estimate"))
    figure, (ax,) = sheet(
        plan.title(table), footer(n, plan.interval, _PATH, plan.fact, seed=seed), label_room=2.1, left_room=1.0
    )
    plan.draw(ax, table)
    return figure


def ccdf_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """The distribution of the latency at one loss, a panel for each profile, one above the other."""
    note = footer(n, WILSON, _PATH, "dashed: exact; dotted: retransmission timeouts (RTO) of the SYN", seed=seed)
    groups = {str(name): rows for (name,), rows in table.group_by("profile").items()}
    figure, panels = sheet(
        ccdf_title(table, loss=loss), note, rows=len(groups), height=2.0 + 0.95 * len(groups), label_room=0.2
    )
    for ax, (name, look) in zip(panels, looks(list(groups)).items(), strict=True):
        _latency_steps(ax, groups[name])
        ax.set_ylim(0.5 / n, 1.6)
        curves.ticks(ax.yaxis, {p: power_of_ten(p) for p in (1.0, 0.1, 0.01, 1e-3) if p > 0.5 / n})
        simulated, _ = curves.by_source(groups[name])
        never = simulated.column("value")[-1] != 0
        start = min(table.where(source="exact").floats("t")) / 2
        end = 200.0 if never else max(simulated.floats("t"))
        curves.steps(ax, groups[name], name="_", look=look, start=start, end=end)
        ax.set_xlim(start, 200.0)
        place = {"transform": ax.transAxes, "ha": "right", "va": "top", "size": 13, "weight": "bold"}
        ax.text(0.985, 0.93, name_of(name), **place)  # type: ignore[arg-type]
    curves.ticks(panels[-1].xaxis, {t: f"{t:g}" for t in _TICKS})
    panels[-1].set_xlabel("latency t (s)")
    panels[len(panels) // 2].set_ylabel("P(latency > t)")
    return figure


def ccdf_title(table: Rows, *, loss: float) -> str:
    """How many connections wait for the SYN's timer: the first step of every profile."""
    groups = table.where(source="simulation").group_by("profile")
    waiting = sum(rows.floats("value")[0] for rows in groups.values()) / len(groups)
    return f"At {percent(loss)} loss {percent(waiting)} of connections wait for a retransmission timer"


def _latency_steps(ax: Axes, rows: Rows) -> None:
    """Logarithmic axes, and a dotted line at every RTO that was waited for; equal neighbours share a name."""
    ax.set_xscale("log")
    ax.set_yscale("log")
    last = max(rows.where(source="simulation").floats("t"))
    groups: list[tuple[float, list[float]]] = []
    rtos = rows.where(source="rto")
    for t, rto in zip(rtos.floats("t"), rtos.floats("value"), strict=True):
        if t > last * 1.01:
            break
        if groups and groups[-1][0] == rto:
            groups[-1][1].append(t)
        else:
            groups.append((rto, [t]))
    place = blended_transform_factory(ax.transData, ax.transAxes)
    for index, (rto, times) in enumerate(groups):
        for t in times:
            ax.axvline(t, color="#999999", linewidth=0.8, linestyle=":")
        count = f"{len(times)} \N{MULTIPLICATION SIGN} " if len(times) > 1 else ""
        words = f"{'RTO ' if index == 0 else ''}{count}{rto:g} s"
        ax.text(times[0] * 1.04, 0.90, words, transform=place, ha="left", va="top", size=SMALLEST)


def bursts_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """The mean latency with independent losses and in bursts of the same mean; the title is about ``loss``."""
    independent, bursts = (str(name) for (name,) in table.group_by("losses"))
    burst = table.only("value", source="simulation", loss=loss, losses=bursts)
    ratio = burst / table.only("value", source="exact", loss=loss, losses=independent)
    title = f"At {percent(loss)} loss in {bursts} the mean latency is {ratio:.1f} times that of independent losses"
    (profile,) = {name_of(name) for name in table.column("profile")}
    more = f"{profile} at both ends; mean of the connections that opened; dashed: exact, for independent losses"
    note = footer(n, NORMAL, "50 ms in each direction", more, seed=seed)
    figure, (ax,) = sheet(title, note)
    latency_against_loss(ax, table, by="losses")
    return figure
