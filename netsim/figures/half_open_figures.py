"""The figures of the studies of half-open connections, whole: sentence, panels, footer."""

import math
from typing import Final

from matplotlib.figure import Figure

from netsim.figures.close import logarithmic, numbers, proportions
from netsim.figures.labels import Label, label_curves
from netsim.figures.style import SMALLEST, in_percent, looks, looks_of, sheet
from netsim.figures.titles import WILSON, footer, percent
from netsim.sweep import Rows

_TICKS: Final = {0.1: "0.1 s", 1.0: "1 s", 60.0: "1 min", 3600.0: "1 h"}
PAUSE: Final = 1.0  # s, from the accident to the data
_GREY: Final = "#777777"


def time(t: float) -> str:
    """A duration in the unit that suits it."""
    for unit, name in ((3600.0, "h"), (60.0, "min")):
        if t >= unit:
            return f"{t / unit:.2g} {name}"
    return f"{t:.2g} s"


def accident_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """How long the survivor holds the connection, by accident and by what finds it; two hosts' TCPs."""
    simulated = table.where(source="simulation")
    cases = [str(name) for (name,) in table.group_by("case")]
    names = looks_of(table, "profile")
    life = {(str(r["case"]), str(r["profile"])): float(r["value"] or 0.0) for r in simulated}
    first = next(iter(names))
    never = [case for case in cases if life[case, first] == math.inf]
    probed, found = life["crash; keep-alive", first], life["crash; data", first] - PAUSE
    title = (
        f"A crash is found {1000 * found:.0f} ms after the first data, {time(probed)} later by keep-alive, "
        f"and in {len(never)} of {len(cases)} cases never"
    )
    note = footer(
        n=n, seed=seed, interval="no spread without loss", loss="no loss, 100 ms RTT",
        more="data and new SYN one second after the accident; rings: from the timers alone, where those are enough",
    )  # fmt: skip
    figure, (ax,) = sheet(title, note, height=5.2, left_room=2.35, label_room=1.3)
    ever = 1e6
    for row, name in enumerate(reversed(cases)):
        for k, (host, look) in enumerate(names.items()):
            y = row + 0.16 - 0.32 * k
            x = min(life[name, host], ever)
            ax.plot([x], [y], color=look.colour, marker=look.marker, linestyle="", zorder=3)
            exact = table.where(source="exact", case=name, profile=host)
            for value in numbers(exact, "value"):
                ax.plot(
                    [min(value, ever)], [y], color=look.colour, marker="o", markersize=11, markerfacecolor="none",
                    linestyle="", markeredgewidth=0.9,
                )  # fmt: skip
    ax.axvline(ever, color=_GREY, linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.set_xlim(0.5, 2.5e6)
    ax.set_xticks([*list(_TICKS)[1:], ever], [*list(_TICKS.values())[1:], "for ever"], size=SMALLEST)
    ax.set_xticks([], minor=True)
    ax.set_yticks(range(len(cases)), list(reversed(cases)), size=SMALLEST)
    ax.set_ylim(-0.6, len(cases) - 0.4)
    ax.set_xlabel("life of the survivor's connection after the accident")
    label_curves(ax, [Label(host, len(cases) - 1 - k, look) for k, (host, look) in enumerate(names.items())])
    return figure


def life_figure(table: Rows, *, seed: int) -> Figure:
    """How long a half-open entry lives by SYN-ACK retries, a curve for each first wait."""
    waits = [float(wait) for (wait,) in table.group_by("wait")]  # type: ignore[arg-type]
    names = looks([f"first wait {wait:g} s" for wait in waits])
    one = {int(r["retries"] or 0): float(r["value"] or 0.0) for r in table.where(source="simulation", wait=1.0)}
    title = f"Each retry doubles the life of a half-open entry: {one[1]:.0f} s with one, {one[5]:.0f} s with five"
    note = footer(
        n=1,
        seed=seed,
        interval="no spread",
        loss="no loss",
        more="dashes: T0 (2^(m+1) - 1) after the SYN came",
    )
    figure, (ax,) = sheet(title, note, label_room=1.75)
    logarithmic(ax, 0.3, 1000.0)
    labels = []
    for wait, (name, look) in zip(waits, names.items(), strict=True):
        rows = table.where(wait=wait)
        simulated, exact = rows.where(source="simulation"), rows.where(source="exact")
        ax.plot(
            numbers(simulated, "retries"),
            numbers(simulated, "value"),
            color=look.colour,
            marker=look.marker,
            linestyle="",
        )
        ax.plot(
            numbers(exact, "retries"), numbers(exact, "value"), color=look.colour, linestyle=(0, (4, 2)), linewidth=1.3
        )
        labels.append(Label(name, numbers(exact, "value")[-1], look))
    ax.set_xlabel("SYN-ACK retransmissions")
    ax.set_ylabel("life (s)")
    label_curves(ax, labels)
    return figure


def alone_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """P(the client is ESTABLISHED and the server is not) against loss, by what the server does."""
    at = {str(r["server"]): float(r["value"] or 0.0) for r in table.where(source="simulation", loss=loss)}
    worst, best = max(at, key=at.__getitem__), min(at, key=at.__getitem__)
    title = (
        f"At {percent(loss)} loss {percent(at[worst])} of silent clients are ESTABLISHED alone with {worst}, "
        f"{percent(at[best]) if at[best] else 'none'} with {best}"
    )
    note = footer(
        n=n, seed=seed, interval=WILSON, loss="independent losses, 50 ms each way",
        more="Linux at both ends; dashes: exact; arrows: none seen, 95 % bound",
    )  # fmt: skip
    figure, (ax,) = sheet(title, note, label_room=1.5)
    logarithmic(ax, 1e-4, 1.0)
    labels = proportions(ax, table, x="loss", by="server", names=looks_of(table, "server"))
    in_percent(ax.xaxis)
    ax.set_xlabel("loss, each way")
    ax.set_ylabel("P(client alone)")
    label_curves(ax, labels)
    return figure
