"""The figure of blind injection: how many forged segments an off-path attacker needs, against the receive window."""

import math
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import curves
from netsim.figures.labels import footer, label_curves
from netsim.figures.style import SMALLEST, Look, looks_of, sheet
from netsim.sweep import Rows

RATE: Final = 10_000.0  # forged segments per second, for the lines that say how long a sweep takes
_TIMES: Final = {"1 s": 1.0, "1 h": 3600.0, "1 day": 86_400.0, "1 year": 365.25 * 86_400}
_WINDOWS: Final[dict[float, str]] = {
    2**10: "1 kB",
    2**14: "16 kB",
    2**18: "256 kB",
    2**22: "4 MB",
    2**26: "64 MB",
    2**30: "1 GB",
}


def injection_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Segments of a sweep until one is accepted, against the window: computed (hollow), sent (filled) and exact."""
    note = footer(
        n, f"means, standard error {100 / math.sqrt(3 * n):.0f} %, without intervals", "no loss, constant delays",
        "hollow: computed from what the TCP accepts; filled: all segments sent; dashed: exact",
        f"dotted: duration at {RATE:,.0f} segments per second; none succeeds against TCP-AO (RFC 5925)", seed=seed,
    )  # fmt: skip
    figure, (ax,) = sheet(injection_title(table), note, height=5.4, left_room=1.15)
    ax.set_xscale("log", base=2)
    curves.count_axis(ax, 1.0, 5 * max(table.where(source="exact").floats("value")))
    for name, look in looks_of(table, "attack").items():
        _sweep(ax, table.where(attack=name), name, look)
    powers = range(3, math.ceil(math.log10(ax.get_ylim()[1])), 3)
    curves.ticks(ax.yaxis, {1.0: "1", **{10.0**k: f"$10^{{{k}}}$" for k in powers}})
    curves.ticks(ax.xaxis, _WINDOWS)
    beside: dict[str, Any] = {"size": SMALLEST, "color": "#666666", "ha": "right", "va": "top"}
    for words, duration in _TIMES.items():
        ax.axhline(duration * RATE, color="#999999", linewidth=0.8, linestyle=":")
        ax.text(0.99, duration * RATE, words, transform=ax.get_yaxis_transform(), **beside)
    ax.set_xlabel("receive window")
    ax.set_ylabel("mean number of forged segments")
    label_curves(ax)
    return figure


def _sweep(ax: Axes, rows: Rows, name: str, look: Look) -> None:
    simulated, exact = curves.by_source(rows)
    for estimate, face, size in (("segments_needed", "white", 8.0), ("segments_used", look.colour, 4.0)):
        shown = simulated.where(estimate=estimate)
        ax.plot(
            shown.floats("window"), curves.numbers(shown, "value"), color=look.colour, marker=look.marker,
            markerfacecolor=face, markersize=size, linestyle="", zorder=3,
        )  # fmt: skip
    x, y = exact.floats("window"), exact.floats("value")
    ax.plot(x, y, color=look.colour, linestyle=curves.DASHED, linewidth=1.3, marker="", label=name)


def injection_title(table: Rows) -> str:
    """What a blind reset takes under either RFC's rules, with a window of 64 kB."""
    exact = table.where(source="exact", window=2**16)
    old, new = (exact.only("value", attack=f"RST, {rules}") for rules in ("RFC 793", "RFC 5961"))
    return f"Blind reset, 64 kB window: {old:,.0f} segments (RFC 793), {new / 1e9:.1f} billion (RFC 5961)"
