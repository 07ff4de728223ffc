"""60,000 recorded connects of Linux 6.18 against as many or more simulated ones: their distributions must agree.

A kernel's timers expire up to a slot of its timer wheel late, so latencies are compared by the second of their value.
Both recorded hosts ran on one kernel with one wheel, which decides whether the server's retransmission timer or the
client's retransmitted SYN comes first.
"""

import csv
import gzip
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final, NamedTuple

import pytest
from scipy.stats import chi2

from netsim.link import Exponential
from netsim.scenarios import setup
from netsim.sweep import sweep
from netsim.tcp.config.profiles import linux
from netsim.tcp.config.sysctl import configure

ALPHA: Final = 0.001  # of all tests of one run together
SEED: Final = 618
NEVER: Final = "never"
MINIMUM_EXPECTED: Final = 5.0
WHEEL: Final = 2.048  # s; the coarsest slot of a timer below 129 s
PHASES: Final = 50
DELAYS: Final = {"A": 0.05, "B": Exponential(0.03, offset=0.02)}  # one-way delay, s


class Connect(NamedTuple):
    """One connect: when each end was ESTABLISHED (s; None: never), and the numbers of SYNs and SYN-ACKs sent."""

    client: float | None
    server: float | None
    syns: int
    synacks: int


Cell = tuple[str, int, float]  # set, tcp_syn_linear_timeouts, loss


def recorded() -> dict[Cell, list[Connect]]:
    """The kernel's connects by cell."""
    cells: dict[Cell, list[Connect]] = {}
    with gzip.open(Path(__file__).parent / "connect_latency.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            cell = (row["set"], int(row["linear_timeouts"]), float(row["loss"]))
            client = float(row["connect_latency_s"]) if row["result"] == "ok" else None
            accepted = row["server_accept_latency_s"]
            server = float(accepted) if accepted else None
            cells.setdefault(cell, []).append(Connect(client, server, int(row["n_syn"]), int(row["n_synack"])))
    return cells


RECORDED: Final = recorded()
# For each cell: SYNs, SYN-ACKs, second of the client, second of the server (or never), open at the client only.
BONFERRONI: Final = ALPHA / (5 * len(RECORDED))


def points(cell: Cell, **changes: Any) -> list[setup.Params]:
    """The cell's hosts and paths at each phase of the wheel; ``changes`` make the hosts wrong deliberately."""
    kind, linear, loss = cell
    settings = {"net.ipv4.tcp_syn_linear_timeouts": linear, "net.ipv4.tcp_syncookies": 0}
    host = configure(linux().replace(timer_hz=250, **changes), settings)
    hosts = [host.replace(timer_phase=(k + 0.5) * WHEEL / PHASES) for k in range(PHASES)]
    return [
        setup.Params(
            loss_forward=loss,
            loss_reverse=loss,
            delay_forward=DELAYS[kind],
            delay_reverse=DELAYS[kind],
            client=host,
            server=host,
        )
        for host in hosts
    ]


def simulated(cell: Cell, n: int, **changes: Any) -> list[Connect]:
    """``n`` connects, the same number at each phase."""
    rows = sweep(setup.run, points(cell, **changes), replications=n // PHASES, seed=SEED)
    columns = (rows.column(name) for name in ("client_latency", "server_latency", "syns", "synacks"))
    return [
        Connect(None if math.isnan(c) else c, None if math.isnan(s) else s, syns, synacks)
        for c, s, syns, synacks in zip(*columns, strict=True)
    ]


def second(latency: float | None) -> str | int:
    return NEVER if latency is None else int(latency)


def p_value(one: Iterable[str | int], other: Iterable[str | int]) -> float:
    """Chi-square test of homogeneity of two samples; categories with fewer than five expected are pooled."""
    counts = Counter(one), Counter(other)
    total = [sum(count.values()) for count in counts]
    share = [t / sum(total) for t in total]
    kinds = sorted(set(counts[0]) | set(counts[1]), key=lambda kind: counts[0][kind] + counts[1][kind])
    pooled: list[tuple[int, int]] = []
    few = (0, 0)
    for kind in kinds:
        few = (few[0] + counts[0][kind], few[1] + counts[1][kind])
        if min(share) * sum(few) >= MINIMUM_EXPECTED:
            pooled.append(few)
            few = (0, 0)
    if sum(few):
        last = pooled.pop()
        pooled.append((last[0] + few[0], last[1] + few[1]))
    statistic = sum((seen[i] - share[i] * sum(seen)) ** 2 / (share[i] * sum(seen)) for seen in pooled for i in (0, 1))
    return float(chi2.sf(statistic, len(pooled) - 1)) if len(pooled) > 1 else 1.0


def same_mean(kernel: Sequence[float], ours: Sequence[float]) -> bool:
    """Within 2 % and two standard errors of the difference."""
    error = math.hypot(stdev(kernel) / math.sqrt(len(kernel)), stdev(ours) / math.sqrt(len(ours)))
    return abs(fmean(kernel) - fmean(ours)) <= 0.02 * fmean(kernel) + 2 * error


def p_values(kernel: Sequence[Connect], ours: Sequence[Connect]) -> dict[str, float]:
    """The tests of a cell, each with its p-value."""
    return {
        "SYNs": p_value((c.syns for c in kernel), (c.syns for c in ours)),
        "SYN-ACKs": p_value((c.synacks for c in kernel), (c.synacks for c in ours)),
        "client": p_value((second(c.client) for c in kernel), (second(c.client) for c in ours)),
        "server": p_value((second(c.server) for c in kernel), (second(c.server) for c in ours)),
        "client alone": p_value(map(alone, kernel), map(alone, ours)),
    }


def alone(connect: Connect) -> int:
    """1 where only the client holds a connection, else 0."""
    return connect.client is not None and connect.server is None


def check(cell: Cell, n: int) -> None:
    kernel, ours = RECORDED[cell], simulated(cell, n)
    values = p_values(kernel, ours)
    print(label(cell), *(f"{what} {value:.2g}" for what, value in values.items()))
    assert min(values.values()) > BONFERRONI, values
    for end in ("client", "server"):
        there, here = ([getattr(c, end) for c in connects] for connects in (kernel, ours))
        assert same_mean([t for t in there if t is not None], [t for t in here if t is not None]), end


def label(cell: Cell) -> str:
    kind, linear, loss = cell
    return f"{kind}-linear{linear}-loss{loss}"


@pytest.mark.parametrize("cell", RECORDED, ids=label)
def test_connects_have_the_kernels_distribution(cell: Cell) -> None:
    check(cell, 3_000)


@pytest.mark.slow
@pytest.mark.parametrize("cell", RECORDED, ids=label)
def test_fifty_thousand_connects_have_the_kernels_distribution(cell: Cell) -> None:
    check(cell, 50_000)


@pytest.mark.parametrize(
    "changes",
    [
        {"duplicate_syn": "ack"},  # a retransmitted SYN draws no SYN-ACK
        {"duplicate_syn": "synack"},  # it draws one, and the timer of the SYN-ACK is not restarted
        {"synack_retries": 1},
        {"syn_retries": 0},
    ],
    ids=lambda changes: "-".join(f"{name}={value}" for name, value in changes.items()),
)
def test_a_wrong_host_is_detected(changes: dict[str, Any]) -> None:
    """The tests above can fail: hosts with one changed policy, at a loss of .3."""
    cell = ("A", 0, 0.3)
    assert min(p_values(RECORDED[cell], simulated(cell, 2_000, **changes)).values()) < BONFERRONI
