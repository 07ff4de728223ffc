"""The figures of the studies of attackers, whole: sentence, panels, footer."""

import math
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from netsim.figures import titles
from netsim.figures.close import DASHES, bars, logarithmic, numbers, proportions
from netsim.figures.labels import Label, label_curves
from netsim.figures.style import SMALLEST, Look, looks_of, sheet
from netsim.sweep import Rows

RATE: Final = 10_000.0  # forged segments a second, for the lines that tell how long a sweep takes
_TIMES: Final = {"1 s": 1.0, "1 h": 3600.0, "1 day": 86_400.0, "1 year": 365.25 * 86_400}
_NONE: Final = "no losses, constant delays"
_WORLDS: Final = "95 % t intervals over runs"


def injection_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Segments of a sweep until it hits, against the window: counted (open), sent (filled), exact (dashes)."""
    note = titles.footer(
        n=n,
        seed=seed,
        interval=f"means, whose standard error is {100 / math.sqrt(3 * n):.0f} %",
        loss=_NONE,
        more="open: counted from what the TCP takes; filled: all segments sent; dashes: exact; dotted: how long at "
        f"{RATE:,.0f} a second; with a MAC (RFC 5925) none of them succeeds",
    )
    figure, (ax,) = sheet(_injection_title(table), note, height=5.4, left_room=1.15)
    ax.set_xscale("log", base=2)
    names = looks_of(table, "attack")
    labels = [_counted(ax, table.where(attack=name), name, look) for name, look in names.items()]
    highest = max(numbers(table.where(source="exact"), "value"))
    logarithmic(ax, 1.0, highest * 5)
    powers = range(0, math.ceil(math.log10(highest)) + 1, 3)
    ax.set_yticks([10.0**k for k in powers], ["1", *(f"$10^{{{k}}}$" for k in powers if k)], size=SMALLEST)
    windows = {2**10: "1 kB", 2**14: "16 kB", 2**18: "256 kB", 2**22: "4 MB", 2**26: "64 MB", 2**30: "1 GB"}
    ax.set_xticks(list(windows), list(windows.values()))
    ax.set_xticks([], minor=True)
    beside: dict[str, Any] = {"size": SMALLEST, "color": "#666666", "ha": "right", "va": "top"}
    for text, seconds in _TIMES.items():
        ax.axhline(seconds * RATE, color="#999999", linewidth=0.8, linestyle=":")
        ax.text(0.99, seconds * RATE, text, transform=ax.get_yaxis_transform(), **beside)
    ax.set_xlabel("receive window")
    ax.set_ylabel("forged segments, on average")
    return _labelled(figure, ax, labels)


def _counted(ax: Axes, rows: Rows, name: str, look: Look) -> Label:
    exact, simulated = rows.where(source="exact"), rows.where(source="simulation")
    for estimate, face in (("segments_needed", "white"), ("segments_used", look.colour)):
        shown = simulated.where(estimate=estimate)
        ax.plot(
            numbers(shown, "window"),
            numbers(shown, "value"),
            color=look.colour,
            marker=look.marker,
            markerfacecolor=face,
            markersize=8 if face == "white" else 4,
            linestyle="",
            zorder=3,
        )
    values = numbers(exact, "value")
    ax.plot(numbers(exact, "window"), values, color=look.colour, linestyle=DASHES, linewidth=1.3, marker="")
    return Label(name, values[-1], look)


def _injection_title(table: Rows) -> str:
    exact = table.where(source="exact", window=2**16)
    old, new = (float(exact.where(attack=f"RST, {rules}").array("value")[0]) for rules in ("RFC 793", "RFC 5961"))
    return (
        f"With a window of 64 kB a blind reset takes {old:,.0f} forged segments on average under RFC 793, "
        f"{new / 1e9:.1f} billion under RFC 5961"
    )


def forged_open_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """P(the forged connection opens) against guesses, a curve for each ISN policy."""
    more = (
        "dashes: exact; arrows: none seen, 95 % bound; clock: 1 ms of jitter; counter: others open 2 connections/s, "
        "0.5 s after the sample"
    )
    note = titles.footer(n=n, seed=seed, interval=titles.WILSON, loss="no losses", more=more)
    figure, (ax,) = sheet(_forged_title(table), note, height=5.2, label_room=1.95)
    logarithmic(ax, 1e-10, 2.0)
    ax.set_xscale("log")
    names = looks_of(table, "isn")
    labels = proportions(ax, table, x="guesses", by="isn", names=names)
    guesses = sorted(set(numbers(table, "guesses")))
    ticks = [k for k in (1, 10, 100, 1000) if k <= guesses[-1]]
    ax.set_xticks(ticks, [f"{k:g}" for k in ticks])
    ax.set_xticks([], minor=True)
    powers = range(-10, 1, 2)
    ax.set_yticks([10.0**k for k in powers], ["1" if k == 0 else f"$10^{{{k}}}$" for k in powers], size=SMALLEST)
    ax.set_xlabel("guesses of the ISN")
    ax.set_ylabel("P(forged connection opens)")
    return _labelled(figure, ax, labels)


def _forged_title(table: Rows) -> str:
    once = table.where(source="exact", guesses=1)
    p = {str(name): float(rows.array("value")[0]) for (name,), rows in once.group_by("isn").items()}
    constant, counter, clock, keyed = p.values()
    return (
        f"One guess opens a connection in another's name with probability {constant:g} (constant ISN), "
        f"{counter:.2f} (counter), {clock:.3f} (clock), 1 in {1 / keyed:,.0f} (keyed, RFC 6528)"
    )


def syn_data_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Above: memory that half-open connections take; below: how long clients wait for a busy server."""
    more = (
        "10 s of attack from empty, on Fast Open with stolen cookies; dashes: exact above, below Pollaczek and "
        "Khinchine's wait with the attack's load alone; below: 5 ms a segment and 15 \N{MICRO SIGN}s a byte"
    )
    note = titles.footer(n=n, seed=seed, interval=_WORLDS, loss=_NONE, more=more)
    memory, times = table.where(estimate="half_open_memory_end"), table.where(estimate="response_time")
    title = _syn_data_title(memory, times)
    figure, (above, below) = sheet(title, note, rows=2, height=6.6, label_room=1.7, share_y=False)
    names = looks_of(table, "curve")
    above.set_xscale("log")
    _scaled(above, 1e3, 3e6, {1e3: "1 kB", 1e4: "10 kB", 1e5: "100 kB", 1e6: "1 MB"}, "memory")
    highest = max(v for name in ("value", "high") for v in numbers(times, name) if not math.isnan(v))
    below.set_ylim(0.0, 1.05 * highest)
    below.set_ylabel("response time (s)")
    for ax, rows, dashed in ((above, memory, "exact"), (below, times, "formula")):
        here = [str(name) for (name,) in rows.group_by("curve")]
        label_curves(ax, [_mean(ax, rows.where(curve=name), name, names[name], dashed) for name in here])
    ticks = [k for k in (1, 2, 5, 10, 20, 40) if k <= max(numbers(table, "rate"))]
    below.set_xticks(ticks, [f"{k:g}" for k in ticks])
    below.set_xticks([], minor=True)
    below.set_xlabel("forged SYNs a second (with 1,000 bytes: kB/s of attack)")
    return figure


def _mean(ax: Axes, rows: Rows, name: str, look: Look, dashed: str, x: str = "rate") -> Label:
    simulated, line = rows.where(source="simulation"), rows.where(source=dashed)
    values = numbers(simulated, "value")
    bars(ax, numbers(simulated, x), simulated, look)
    if len(line):
        ax.plot(numbers(line, x), numbers(line, "value"), color=look.colour, linestyle=DASHES, linewidth=1.3, marker="")
    else:
        ax.plot(numbers(simulated, x), values, color=look.colour, linewidth=1.3, marker="")
    return Label(name, values[-1], look)


def _scaled(ax: Axes, low: float, high: float, ticks: dict[float, str], label: str) -> None:
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    ax.set_yticks(list(ticks), list(ticks.values()), size=SMALLEST)
    ax.set_yticks([], minor=True)
    ax.set_ylabel(label)


def _syn_data_title(memory: Rows, times: Rows) -> str:
    rate = max(numbers(memory, "rate"))
    held, dropped = (
        float(memory.where(source="exact", curve=name, rate=rate).array("value")[0])
        for name in ("text held", "text dropped")
    )
    slow = times.where(source="simulation", rate=max(numbers(times.where(source="simulation"), "rate")))
    with_text, bare = (float(row["value"] or 0.0) for row in slow)
    return (
        f"Text of 1,000 bytes on {rate:g} SYNs/s takes {held / dropped:.1f} times the memory; a busy server then "
        f"answers in {titles.seconds(with_text)}, without the text in {titles.seconds(bare)}"
    )


def copies_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """P(a request is delivered twice) against the share of copied segments."""
    twice = table.where(estimate="p_delivered_twice")
    note = titles.footer(
        n=n, seed=seed, interval=_WORLDS, loss="no losses, copies 3 s late", more="runs of 50 requests; dashes: exact"
    )
    figure, (ax,) = sheet(_copies_title(table), note, label_room=1.6)
    names = looks_of(twice, "curve")
    labels = [_mean(ax, twice.where(curve=name), name, look, "exact", "copies") for name, look in names.items()]
    ax.set_xlabel("P(the network copies a segment)")
    ax.set_ylabel("P(request delivered twice)")
    return _labelled(figure, ax, labels)


def _copies_title(table: Rows) -> str:
    def value(curve: str, estimate: str, copies: float) -> float:
        rows = table.where(source="simulation", curve=curve, estimate=estimate, copies=copies)
        return float(rows.array("value")[0])

    copies = max(numbers(table, "copies"))
    fast, plain = (value(curve, "response_time", 0.0) for curve in ("Fast Open", "handshake"))
    return (
        f"Fast Open answers in {titles.seconds(fast)} instead of {titles.seconds(plain)}, and delivers "
        f"{titles.percent(value('Fast Open', 'p_delivered_twice', copies))} of requests twice where "
        f"{titles.percent(copies)} of segments are copied"
    )


def amplification_figure(table: Rows, *, seed: int) -> Figure:
    """Bytes to a silent address for each byte of a forged SYN, against the text on it."""
    note = titles.footer(
        n=1, seed=seed, interval="nothing random", loss=_NONE, more="eight SYN-ACKs (rfc9293); dashes: by arithmetic"
    )
    figure, (ax,) = sheet(_amplification_title(table), note, label_room=2.1)
    names = looks_of(table, "curve")
    ax.set_yscale("log")
    labels = [_mean(ax, table.where(curve=name), name, look, "exact", "text") for name, look in names.items()]
    ticks = [t for t in (0.1, 0.3, 1, 3, 10, 30, 100, 300) if t < 2 * max(numbers(table, "value"))]
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks], size=SMALLEST)
    ax.set_yticks([], minor=True)
    ax.axhline(1.0, color="#999999", linewidth=0.8, linestyle=":")
    ax.set_xlabel("text on the forged SYN (bytes)")
    ax.set_ylabel("bytes sent for a byte received")
    return _labelled(figure, ax, labels)


def _amplification_title(table: Rows) -> str:
    def factor(curve: str, text: int) -> float:
        return float(table.where(source="simulation", curve=curve, text=text).array("value")[0])

    kinds = [str(name) for (name,) in table.group_by("curve")]
    least = min(int(t) for t in numbers(table.where(source="simulation"), "text") if t > 0)
    return (
        f"A bare forged SYN draws {factor(kinds[0], 0):g} times its bytes; with {least} bytes of text "
        f"{factor(kinds[0], least):.1f} times, but {factor(kinds[-1], least):.0f} times with a stolen cookie"
    )


def _labelled(figure: Figure, ax: Axes, labels: list[Label]) -> Figure:
    label_curves(ax, labels)
    return figure
