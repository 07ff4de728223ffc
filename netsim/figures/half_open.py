"""The figures of half-open connections: when the surviving endpoint detects a failure, and entries in SYN-RECEIVED."""

import math
from typing import Final

from matplotlib.figure import Figure

from netsim.figures import curves
from netsim.figures.labels import BOUND, WILSON, footer, label_curves, name_of, percent, rare, seconds
from netsim.figures.style import SMALLEST, in_percent, looks_of, sheet
from netsim.sweep import Rows

_TICKS: Final = {1.0: "1 s", 60.0: "1 min", 3600.0: "1 h"}
_NEVER: Final = 1e6  # s; where "never" is drawn
PAUSE: Final = 1.0  # s, from the failure to the data


def failures_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Time from the failure to its detection, by what failed and by what detects it; two hosts' TCPs."""
    note = footer(
        n, "no losses, so no intervals", "RTT 100 ms", "data or new SYN one second after the failure",
        "circles: exact, from the timers", seed=seed, per="point",
    )  # fmt: skip
    figure, (ax,) = sheet(failures_title(table), note, height=5.2, left_room=2.35, label_room=2.1)
    cases = [str(name) for (name,) in table.group_by("case")]
    for k, (profile, look) in enumerate(looks_of(table, "profile").items()):
        for source, style in (("simulation", {"zorder": 3.0}), ("exact", {"markersize": 11.0, "markeredgewidth": 0.9})):
            rows = table.where(profile=profile, source=source)
            y = [len(cases) - 1 - cases.index(case) + 0.16 - 0.32 * k for case in rows.strings("case")]
            x = [min(t, _NEVER) for t in rows.floats("value")]
            marker, face = (look.marker, look.colour) if source == "simulation" else ("o", "none")
            ax.plot(x, y, color=look.colour, marker=marker, markerfacecolor=face, linestyle="", **style)  # type: ignore[arg-type]
        last = len(cases) - 1 - k
        ax.plot([math.nan, _NEVER], [math.nan, last], color=look.colour, linestyle="", label=name_of(profile))
    ax.axvline(_NEVER, color=curves.GREY, linewidth=0.8, linestyle=":")
    ax.set_xscale("log")
    ax.set_xlim(0.5, 2.5e6)
    curves.ticks(ax.xaxis, {**_TICKS, _NEVER: "never"})
    ax.set_yticks(range(len(cases)), list(reversed(cases)), size=SMALLEST)
    ax.set_ylim(-0.6, len(cases) - 0.4)
    ax.set_xlabel("time from the failure to its detection")
    label_curves(ax)
    return figure


def failures_title(table: Rows) -> str:
    """How soon data detects a crash, and how many failures are never detected, with the first TCP shown."""
    first = table.where(source="simulation", profile=table.strings("profile")[0])
    never = sum(t == math.inf for t in first.floats("value"))
    found = first.only("value", case="crash; data") - PAUSE
    return (
        f"A crash is detected {seconds(found)} after the next data; {never} of {len(first)} failures are never detected"
    )


def lifetime_figure(table: Rows, *, seed: int) -> Figure:
    """How long a SYN-RECEIVED entry lives by SYN-ACK retransmissions, a curve for each first timeout."""
    named = Rows.from_dicts(
        [
            {**row, "curve": f"first RTO {wait:g} s"}
            for row, wait in zip(table, table.floats("first_timeout"), strict=True)
        ]
    )
    note = footer(
        1,
        "nothing random, so no intervals",
        "no loss",
        "dashed: exact, T0 (2^(m+1) - 1) after the SYN arrived",
        seed=seed,
    )
    figure, (ax,) = sheet(lifetime_title(table), note, label_room=1.75)
    curves.count_axis(ax, 0.3, 1000.0)
    curves.line(ax, named, x="synack_retries", by="curve")
    ax.set_xlabel("SYN-ACK retransmissions")
    ax.set_ylabel("lifetime (s)")
    label_curves(ax)
    return figure


def lifetime_title(table: Rows) -> str:
    """The lifetime of an entry with the fewest retransmissions and with the most; the first timeout is 1 s."""
    rows = table.where(source="simulation", first_timeout=1.0)
    found = sorted(zip(rows.ints("synack_retries"), rows.floats("value"), strict=True))
    (few, short), (many, long) = found[0], found[-1]
    return (
        f"A SYN-RECEIVED entry lives {seconds(short)} with {few} SYN-ACK retransmissions, {seconds(long)} with {many}"
    )


def alone_figure(table: Rows, *, loss: float, n: int, seed: int) -> Figure:
    """P(the client is ESTABLISHED and the server is not) against loss, by what the server does."""
    note = footer(
        n, WILSON, "independent losses, 50 ms in each direction",
        "Linux 6.5 and later at both ends, clients that send no data", "dashed: exact", BOUND, seed=seed,
    )  # fmt: skip
    figure, (ax,) = sheet(alone_title(table, loss=loss), note, label_room=1.5)
    curves.count_axis(ax, 1e-4, 1.0)
    curves.line(ax, table, x="loss", by="server")
    in_percent(ax.xaxis)
    ax.set_xlabel("loss in each direction")
    ax.set_ylabel("P(only client ESTABLISHED)")
    label_curves(ax)
    return figure


def alone_title(table: Rows, *, loss: float) -> str:
    """The worst server and the best."""
    at = curves.known(table, "server", loss=loss)
    worst, best = max(at, key=at.__getitem__), min(at, key=at.__getitem__)
    range_of = f"{rare(at[best])} ({best}) to {percent(at[worst])} ({worst})"
    return f"At {percent(loss)} loss only the client is ESTABLISHED: {range_of}"
