"""The study of connects: of Linux 6.18 as recorded, as simulated, and by exact enumeration."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from netsim.scenarios import setup
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar, number, read_csv
from netsim.sweep.statistics import survival
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile

SCHEDULES: Final = {"linux": 4, "linux_classic": 0}  # by profile: net.ipv4.tcp_syn_linear_timeouts
PHASES: Final = 20
_WHEEL: Final = 2.048  # s; the coarsest slot of a timer below 129 s
_HZ: Final = 250


def connect_cases(loss: float) -> list[Case]:
    """Either schedule of SYNs at each phase of the timer wheel, which both ends share as they did when recorded."""
    return [
        Case({"schedule": name, "phase": k}, _params(_on_wheel(name, k), loss))
        for name in SCHEDULES
        for k in range(PHASES)
    ]


def _on_wheel(name: str, k: int) -> TcpConfig:
    return profile(name).replace(timer_hz=_HZ, timer_phase=(k + 0.5) * _WHEEL / PHASES)


def _params(host: TcpConfig, loss: float) -> setup.Params:
    return setup.Params(loss_forward=loss, loss_reverse=loss, client=host, server=host)


def connect_table(cases: Sequence[Case], results: Sequence[Rows], folder: Path, *, loss: float) -> Rows:
    """P(latency > t) for each schedule and source: kernel (read in ``folder``), simulation, exact.

    Columns: schedule, source, t (s), value, n.
    """
    table: list[dict[str, Scalar]] = []
    recorded = read_csv(folder / "kernel_connects.csv")
    for name, linear in SCHEDULES.items():
        kernel: list[float] = []
        for row in recorded.where(linear_timeouts=linear, loss=loss):
            never = row["latency"] in (None, "")
            kernel += [math.inf if never else number(row, "latency")] * int(number(row, "count"))
        ours = [
            float(t)
            for case, rows in zip(cases, results, strict=True)
            if case.labels["schedule"] == name
            for t in rows.array("client_latency")
        ]
        for source, latencies in (("kernel", kernel), ("simulation", ours)):
            for line in survival(latencies):
                shown = {column: line[column] for column in ("t", "value", "n")}
                table.append({"schedule": name, "source": source, **shown})
        exact = setup.exact_latency(_params(profile(name), loss))
        assert exact is not None, "two hosts without a wheel and constant delays have an exact distribution"
        for t in map(float, exact.client.times):
            table.append({"schedule": name, "source": "exact", "t": t, "value": exact.client.ccdf(t)})
    return Rows.from_dicts(table)
