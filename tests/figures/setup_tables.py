"""Small tables as the studies of set-up and of reused four-tuples make them, with numbers chosen by hand."""

import math

from netsim.sweep import Rows
from netsim.tcp import clauses

LOSSES = (0.0, 0.1, 0.3, 0.5)


def estimates(values: dict[str, list[float | None]], estimate: str = "setup_latency", *, by: str = "profile") -> Rows:
    """One estimate, a curve for each name; an exact curve ten per cent below it. None: a proportion never seen."""
    table = []
    for name, curve in values.items():
        for loss, value in zip(LOSSES, curve, strict=True):
            labels = {"profile": "linux", by: name, "loss": loss, "estimate": estimate}
            line = {"value": value or 0.0, "low": 0.9 * (value or 0.0), "high": 1.1 * (value or 0.0), "n": 1000}
            table.append({**labels, "source": "simulation", **line, "upper_bound": 0.003 if value is None else None})
            if not (value and math.isinf(value)):
                table.append({**labels, "source": "exact", "value": 0.9 * (value or 1e-5)})
    return Rows.from_dicts(table)


MEANS: dict[str, list[float | None]] = {
    "rfc9293": [0.1, 0.35, 1.54, 6.13],
    "linux": [0.1, 0.31, 0.92, 2.44],
    "linux_classic": [0.1, 0.33, 1.27, 4.36],
    "freebsd": [0.1, 0.33, 1.31, 4.6],
    "windows": [0.1, 0.76, 2.46, 4.33],
}
P99: dict[str, list[float | None]] = {
    "rfc9293": [0.1, 3.1, 15.1, 128.1],
    "linux": [0.1, 2.1, 4.1, 19.1],
    "linux_classic": [0.1, 3.1, 14.1, math.inf],
    "freebsd": [0.1, 3.3, 14.9, math.inf],
    "windows": [0.1, 9.1, 18.1, math.inf],
}
FAILED: dict[str, list[float | None]] = {
    "rfc9293": [None, None, None, 0.0078],
    "linux": [None, None, None, None],
    "linux_classic": [None, None, 0.0002, 0.0113],
    "freebsd": [None, None, 0.0003, 0.0153],
    "windows": [None, 0.001, 0.036, 0.199],
}


def ccdf() -> Rows:
    """Two profiles: three steps each, seen in 1,000 runs."""
    table = []
    for name, times, rtos in (("rfc9293", (0.1, 1.1, 3.1), (1.0, 2.0)), ("windows", (0.1, 3.1, 9.1), (3.0, 6.0))):
        for t, p in zip(times, (0.19, 0.03, 0.002), strict=True):
            table.append(
                {"profile": name, "source": "simulation", "t": t, "value": p, "low": p / 2, "high": 2 * p, "n": 1000}
            )
            table.append({"profile": name, "source": "exact", "t": t, "value": 1.01 * p})
        for t, rto in zip(times[1:], rtos, strict=True):
            table.append({"profile": name, "source": "rto", "t": t, "value": rto})
    return Rows.from_dicts(table)


def acceptance() -> Rows:
    """Constant ISNs accept in a fifth of the runs without TIME-WAIT, and then ever less; the others never."""
    table = []
    for isn, counted, expected in (("constant", 0.2, 0.19), ("clock", 0.0, 0.0), ("random", 0.0, 1e-10)):
        for wait, factor in ((0.0, 1.0), (30.0, 0.05), (60.0, 0.0025)):
            for loss in LOSSES:
                labels = {"isn": isn, "time_wait": wait, "loss": loss, "source": "simulation", "n": 500}
                p = counted * factor
                line = {"value": p, "low": p / 2, "high": 2 * p, "upper_bound": None if p else 0.006}
                table.append({**labels, "estimate": "p_stale_data_accepted", **line})
                table.append({**labels, "estimate": "p_stale_data_expected", "value": expected * factor})
    return Rows.from_dicts(table)


def sequence() -> Rows:
    """A window of 2,000 that moves twice; one old segment inside, one outside."""
    lines = [("window", 1.0, 1, 2001, None), ("window", 1.4, 1001, 3001, None), ("window", 1.8, 2001, 4001, None)]
    lines += [("new", 1.4, 1, 1001, "accepted"), ("old", 1.6, 1001, 2001, "accepted")]
    lines += [("old", 2.1, 1, 1001, clauses.CHECK_1_SEQUENCE), ("new", 1.8, 1001, 2001, "accepted")]
    return Rows.from_dicts(
        {"kind": kind, "time": time, "seq": seq, "end": end, "verdict": verdict}
        for kind, time, seq, end, verdict in lines
    )
