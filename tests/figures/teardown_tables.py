"""Small tables as the studies of the close make them, with numbers chosen by hand."""

from netsim.sweep import Rows, Scalar

LENGTHS = (0.0, 0.5, 4.0, 60.0)
THINKS = (0.01, 0.1, 1.0)


def _simulated(value: float | None) -> dict[str, Scalar]:
    """A proportion and its interval; None: never seen."""
    v = value or 0.0
    return {"source": "simulation", "value": v, "low": 0.9 * v, "high": 1.1 * v + 0.001 * (value is None), "n": 1000,
            "upper_bound": 0.003 if value is None else None}  # fmt: skip


def time_wait() -> Rows:
    table: list[dict[str, Scalar]] = []
    curves = {0.1: [0.1, 0.1, 0.006, None], 0.2: [0.2, 0.2, 0.03, 0.0012], 0.3: [0.3, 0.3, 0.1, 0.01]}
    for loss, values in curves.items():
        for length, value in zip(LENGTHS, values, strict=True):
            labels: dict[str, Scalar] = {"loss": loss, "time_wait": length, "estimate": "p_unclean"}
            table.append({**labels, **_simulated(value)})
            table.append({**labels, "source": "exact", "value": 0.9 * (value or 1e-5)})
    for length in LENGTHS[1:]:
        held: dict[str, Scalar] = {"time_wait": length, "estimate": "client_time_wait_sockets", "value": 100 * length}
        table += [{**held, "source": "simulation", "n": 10}, {**held, "source": "exact"}]
        table.append({**held, "estimate": "rate_ceiling", "source": "exact", "value": 28232 / length})
    return Rows.from_dicts(table)


def segments() -> Rows:
    table: list[dict[str, Scalar]] = []
    for name, three in {
        "immediate ACK": [0, 0, 0],
        "delayed ACK, 40 ms": [0.9, 0.3, 0.04],
        "delayed ACK, 200 ms": [0.94, 0.8, 0.2],
    }.items():
        for think, p in zip(THINKS, three, strict=True):
            for estimate, value in (("p_three_segments", p), ("p_four_segments", 0.94 - p)):
                labels: dict[str, Scalar] = {"fin_ack": name, "think_time": think, "estimate": estimate}
                table.append({**labels, **_simulated(value or None)})
                table.append({**labels, "source": "exact", "value": value})
    return Rows.from_dicts(table)


def latency() -> Rows:
    table: list[dict[str, Scalar]] = []
    for end, shift in (("client", 0.0), ("server", 0.05)):
        for t, p in ((0.1, 0.19), (1.1, 0.03), (3.1, 0.004), (7.1, 0.0)):
            table.append({"end": end, "t": t + shift, **_simulated(p)})
            table.append({"end": end, "t": t + shift, "source": "exact", "value": 0.9 * p + 1e-5})
    return Rows.from_dicts(table)


def shares() -> Rows:
    curves = {"4 segments": [1.0, 0.5, 0.1], "5 segments": [0.0, 0.2, 0.1], "6 segments": [0.0, 0.14, 0.14],
              "7 segments": [0.0, 0.08, 0.1], "more": [0.0, 0.08, 0.56]}  # fmt: skip
    return Rows.from_dicts(
        [
            {"segments": name, "loss": loss, **_simulated(value)}
            for name, values in curves.items()
            for loss, value in zip((0.0, 0.2, 0.5), values, strict=True)
        ]
    )


def assassination() -> Rows:
    curves = {
        "no fix": [0.07, 0.5, 0.9],
        "fix F2": [0.06, 0.45, 0.86],
        "fix F1": [0.0, 0.0, 0.0],
    }
    table: list[dict[str, Scalar]] = []
    for name, values in curves.items():
        for duplicate, value in zip((0.01, 0.1, 0.3), values, strict=True):
            labels: dict[str, Scalar] = {"rst": name, "duplicate": duplicate, "estimate": "p_assassinated"}
            table.append({**labels, **_simulated(value or None)})
            if name != "fix F2":
                table.append({**labels, "source": "exact", "value": value})
    return Rows.from_dicts(table)


def ends() -> Rows:
    outcomes = {
        ("one after the other", "client"): {"TIME-WAIT": 1.0},
        ("one after the other", "server"): {"clean": 0.998, "timeout": 0.002},
        ("the client aborts", "client"): {"abort": 1.0},
        ("the client aborts", "server"): {"reset": 0.7, "never": 0.3},
        ("the server has unread data", "client"): {"reset": 0.8, "never": 0.2},
        ("the server has unread data", "server"): {"abort": 1.0},
    }
    return Rows.from_dicts(
        [
            {"close": close, "end": end, "how": how, **_simulated(share)}
            for (close, end), shares in outcomes.items()
            for how, share in shares.items()
        ]
    )
