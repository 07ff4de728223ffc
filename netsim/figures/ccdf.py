"""How often the set-up takes longer than t: steps, each named by the RTO that made it."""

from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from netsim.figures.style import SMALLEST, Look
from netsim.sweep import Rows


def latency_ccdf(ax: Axes, table: Rows, name: str, look: Look) -> Axes:
    """P(latency > t), both logarithmic: simulated steps with their band, exact ones dashed, the RTOs above them.

    ``table``: one profile, with the columns source (simulation, exact, rto), t, value, low, high.
    """
    simulated, exact = table.where(source="simulation"), table.where(source="exact")
    n = max(simulated.array("n"))
    start, end = float(exact.array("t")[0]) / 2, 200.0
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(start, end)
    ax.set_ylim(0.5 / n, 1.6)
    steps = {c: [1.0, *map(float, simulated.array(c))] for c in ("value", "low", "high")}
    t = [start, *map(float, simulated.array("t"))]
    if steps["value"][-1] > 0:  # some never opened: the curve goes on for ever
        t.append(end)
        steps = {c: [*values, values[-1]] for c, values in steps.items()}
    seen = [v > 0 for v in steps["value"]]
    low, high = steps["low"], steps["high"]
    ax.fill_between(t, low, high, where=seen, step="post", color=look.colour, alpha=0.22, linewidth=0)
    ax.step(t, steps["value"], where="post", color=look.colour, linewidth=2.2)
    exact_t = [start, *map(float, exact.array("t")), end]
    exact_p = [1.0, *map(float, exact.array("value")), float(exact.array("value")[-1])]
    ax.step(exact_t, exact_p, where="post", color="black", linewidth=1.1, linestyle=(0, (4, 2)))
    _name_steps(ax, table.where(source="rto"), last=float(simulated.array("t")[-1]))
    ax.text(0.985, 0.93, name, transform=ax.transAxes, ha="right", va="top", size=13, weight="bold")
    return ax


def _name_steps(ax: Axes, rtos: Rows, *, last: float) -> None:
    """A tick at the foot of every step that was seen; equal RTOs next to each other share a name."""
    groups: list[tuple[float, list[float]]] = []
    for t, rto in zip(map(float, rtos.array("t")), map(float, rtos.array("value")), strict=True):
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
        count = f"{len(times)} x " if len(times) > 1 else ""
        text = f"{'RTO ' if index == 0 else ''}{count}{rto:g} s"
        ax.text(times[0] * 1.04, 0.90, text, transform=place, ha="left", va="top", size=SMALLEST)
