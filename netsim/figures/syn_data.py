"""The figures of data on SYNs and of TCP Fast Open: memory and waiting, requests delivered twice, amplification."""

from typing import Final

from matplotlib.figure import Figure

from netsim.figures import curves
from netsim.figures.labels import STUDENT, footer, label_curves, percent, rare
from netsim.figures.style import looks_of, sheet
from netsim.sweep import Rows

_MEMORY: Final = {1e3: "1 kB", 1e4: "10 kB", 1e5: "100 kB", 1e6: "1 MB"}
_FACTORS: Final = (0.1, 0.3, 1, 3, 10, 30, 100, 300)


def attack_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """Above: memory of the connections in SYN-RECEIVED; below: how long clients wait for a busy server."""
    note = footer(
        n, STUDENT, "no loss, constant delays", "10 s of attack on an empty queue, Fast Open with stolen cookies",
        "below: 5 ms of processor time per segment and 15 \N{MICRO SIGN}s per byte",
        "dashed: exact above; below Pollaczek-Khinchine, from the attack's load alone", seed=seed,
    )  # fmt: skip
    memory, times = table.where(estimate="half_open_memory_end"), table.where(estimate="response_time")
    figure, (above, below) = sheet(attack_title(memory), note, rows=2, height=6.6, label_room=1.7, share_y=False)
    names = looks_of(table, "curve")
    above.set_xscale("log")
    above.set_yscale("log")
    curves.line(above, memory, x="rate", by="curve", among=names)
    above.set_ylim(1e3, 3e6)
    curves.ticks(above.yaxis, _MEMORY)
    above.set_ylabel("memory")
    formula = [{**row, "source": "exact" if row["source"] == "formula" else row["source"]} for row in times]
    curves.line(below, Rows.from_dicts(formula), x="rate", by="curve", among=names)
    highest = max(max(times.floats(name, missing=0.0)) for name in ("value", "high"))
    below.set_ylim(0.0, 1.05 * highest)
    below.set_ylabel("response time (s)")
    curves.ticks(below.xaxis, {k: f"{k}" for k in (1, 2, 5, 10, 20, 40) if k <= max(table.floats("rate"))})
    below.set_xlabel("forged SYNs per second (with 1,000 bytes: kB/s)")
    for ax in (above, below):
        label_curves(ax)
    return figure


def attack_title(memory: Rows) -> str:
    """What it costs to keep the data of SYNs instead of discarding it."""
    exact = memory.where(source="exact", rate=max(memory.floats("rate")))
    kept, discarded = (exact.only("value", curve=name) for name in ("data kept", "data discarded"))
    return f"Keeping the data of SYNs with 1,000 bytes takes {kept / discarded:.1f} times the memory of discarding it"


def duplicates_figure(table: Rows, *, n: int, seed: int) -> Figure:
    """P(a request is delivered twice) against the share of duplicated segments."""
    model = "duplicates 3 s late; 50 requests per run"
    note = footer(n, STUDENT, "no loss", model, "dashed: exact", seed=seed)
    figure, (ax,) = sheet(duplicates_title(table), note, label_room=1.6)
    curves.line(ax, table.where(estimate="p_delivered_twice"), x="duplicate", by="curve")
    ax.set_xlabel("P(the path duplicates a segment)")
    ax.set_ylabel("P(request delivered twice)")
    label_curves(ax)
    return figure


def duplicates_title(table: Rows) -> str:
    """Requests delivered twice with and without Fast Open, at the highest duplication."""
    duplicate = max(table.floats("duplicate"))
    rows = table.where(source="simulation", estimate="p_delivered_twice", duplicate=duplicate)
    fast, plain = (rows.only("value", curve=name) for name in ("Fast Open", "handshake"))
    return (
        f"At {percent(duplicate)} duplication Fast Open delivers {percent(fast)} of requests twice, a handshake "
        f"{rare(plain)}"
    )


def amplification_figure(table: Rows, *, seed: int) -> Figure:
    """Bytes to a silent address for each byte of a forged SYN, against the data on it."""
    note = footer(
        1, "nothing random, so no intervals", "no loss, constant delays", "eight SYN-ACKs (RFC 9293)", "dashed: exact",
        seed=seed,
    )  # fmt: skip
    figure, (ax,) = sheet(amplification_title(table), note, label_room=2.1)
    ax.set_yscale("log")
    curves.line(ax, table, x="data_bytes", by="curve")
    curves.ticks(ax.yaxis, {t: f"{t:g}" for t in _FACTORS if t < 2 * max(table.floats("value"))})
    ax.axhline(1.0, color="#999999", linewidth=0.8, linestyle=":")
    ax.set_xlabel("data on the forged SYN (bytes)")
    ax.set_ylabel("bytes sent per byte received")
    label_curves(ax)
    return figure


def amplification_title(table: Rows) -> str:
    """The factor of a SYN with a little data, without a cookie and with a stolen one."""
    simulated = table.where(source="simulation")
    least = min(amount for amount in simulated.floats("data_bytes") if amount > 0)
    factors = simulated.where(data_bytes=least).floats("value")
    return (
        f"A forged SYN with {least:g} bytes draws {factors[0]:.1f} times its size, {factors[-1]:.0f} times with a "
        "stolen cookie"
    )
