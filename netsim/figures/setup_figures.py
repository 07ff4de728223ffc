"""The figures of the set-up study, whole: sentence, panels, footer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import titles
from netsim.figures.against_loss import mean_against_loss, probability_against_loss, quantile_against_loss, share
from netsim.figures.ccdf import latency_ccdf
from netsim.figures.style import looks, sheet
from netsim.sweep import Rows


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one estimate becomes a figure."""

    name: str
    draw: Callable[[Axes, Rows], Axes]
    title: Callable[[Rows], str]
    interval: str
    note: str = "dashes: exact"


_INDEPENDENT: Final = "independent losses, 50 ms each way"
_MEAN: Final = "mean of those that opened, 95 % normal intervals"
_BOUNDS: Final = "dashes: exact; arrows: none seen, 95 % bound by Clopper and Pearson"


def _quantile(name: str, q: float) -> _Plan:
    title = partial(titles.quantile_title, q=q, loss=0.3)
    return _Plan(name, quantile_against_loss, title, "95 % intervals by order statistics")


PLANS: Final = {
    "setup_latency": _Plan("b_mean", mean_against_loss, partial(titles.mean_title, loss=0.5), _MEAN),
    "setup_latency_p50": _quantile("c_median", 0.5),
    "setup_latency_p95": _quantile("d_p95", 0.95),
    "setup_latency_p99": _quantile("e_p99", 0.99),
    "p_fail": _Plan(
        "f_failed",
        partial(probability_against_loss, name="P(connection fails)"),
        partial(titles.failure_title, loss=0.5),
        titles.WILSON,
        _BOUNDS,
    ),
    "p_only_client_established": _Plan(
        "g_diverged",
        partial(probability_against_loss, name="P(client is alone)"),
        partial(titles.divergence_title, loss=0.5),
        titles.WILSON,
        _BOUNDS,
    ),
}


def estimate_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """The table's estimate, one of ``PLANS``, against loss: a curve for each profile."""
    (plan,) = (PLANS[str(estimate)] for (estimate,) in table.group_by("estimate"))
    note = titles.footer(n=n, seed=seed, interval=plan.interval, loss=_INDEPENDENT, more=plan.note)
    figure, (ax,) = sheet(plan.title(table), note)
    plan.draw(ax, table)
    return figure


def ccdf_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """The distribution of the latency at one loss, a panel for each profile, one above the other."""
    more = "dashes: exact; RTO: the client's, waited out before the SYN that made the step"
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss=_INDEPENDENT, more=more)
    profiles = {str(name): rows for (name,), rows in table.group_by("profile").items()}
    height = 2.0 + 0.95 * len(profiles)
    title = titles.ccdf_title(table, loss=loss)
    figure, panels = sheet(title, note, rows=len(profiles), height=height, label_room=0.2)
    for ax, (name, look) in zip(panels, looks(list(profiles)).items(), strict=True):
        latency_ccdf(ax, profiles[name], name, look)
        ax.set_yticks([1.0, 0.1, 0.01, 1e-3], [share(p) for p in (1.0, 0.1, 0.01, 1e-3)])
        ax.set_yticks([], minor=True)
    ticks = [0.1, 0.3, 1, 3, 10, 30, 100]
    panels[-1].set_xticks(ticks, [f"{t:g}" for t in ticks])
    panels[-1].set_xticks([], minor=True)
    panels[-1].set_xlabel("latency t (s)")
    panels[len(panels) // 2].set_ylabel("P(latency > t)")
    return figure


def bursts_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """The mean latency with independent losses and in bursts of the same mean; the title speaks of ``loss``."""
    independent, bursts = (str(name) for (name,) in table.group_by("losses"))
    title = titles.bursts_title(table, loss=loss, independent=independent, bursts=bursts)
    profile = table.column("profile")[0]
    more = f"{profile} at both ends; dashes: exact for independent losses"
    note = titles.footer(n=n, seed=seed, interval=_MEAN, loss="losses as named, 50 ms each way", more=more)
    figure, (ax,) = sheet(title, note)
    mean_against_loss(ax, table, by="losses")
    return figure
