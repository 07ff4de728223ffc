"""The studies of the close: three segments or four, what becomes of either end, and how soon both ends are done."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from netsim.link import Exponential
from netsim.scenarios import teardown
from netsim.scenarios.teardown_theory import exact_latency
from netsim.studies.study import Case, estimates, exact, pick
from netsim.sweep import Rows, Scalar, proportion
from netsim.sweep.statistics import survival
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import rfc9293

THINKS: Final = (0.01, 0.03, 0.1, 0.3, 1.0)  # s, mean
FINE_THINKS: Final = tuple(sorted({*THINKS, *(0.001 * 1.1**k for k in range(98))}))  # for the exact curves, up to 10 s
CLOSES: Final[dict[teardown.Close, str]] = {
    "half-close": "one after the other",
    "simultaneous": "both at once",
    "abort": "the client aborts",
    "unread": "the server has unread data",
}
IMMEDIATE, DELAYED = "immediate ACK", "delayed ACK, 200 ms"
UNSENT: Final = (0, 1, 100, 1460, 2920, 14_600)  # bytes
ACKS: Final[dict[str, float | None]] = {IMMEDIATE: None, "delayed ACK, 40 ms": 0.04, DELAYED: 0.2}


def closer(waits: str) -> TcpConfig:
    """RFC 9293, with the ACK of a FIN immediate or delayed as ``ACKS`` says."""
    wait = ACKS[waits]
    return rfc9293() if wait is None else rfc9293().replace(fin_ack="delayed", delayed_ack=wait)


def segment_cases(thinks: Sequence[float], *, loss: float, waits: Sequence[str] = tuple(ACKS)) -> list[Case]:
    """A server that thinks for an exponential time of mean ``think`` (s), and acknowledges a FIN as ``ACKS`` says."""
    cases = []
    for name in waits:
        server = closer(name)
        for think in thinks:
            params = teardown.Params(loss_forward=loss, loss_reverse=loss, think_time=Exponential(think), server=server)
            cases.append(Case({"fin_ack": name, "think_time": think}, params))
    return cases


def why_four(run: Callable[..., list[Rows]], *, loss: float, n: int) -> Rows:
    """P(3 segments) and P(4) against the server's mean think time, with an immediate and with a delayed ACK of the FIN.

    ``run`` is ``simulate`` with everything given but the scenario, the cases and their number.
    """
    names = ("p_three_segments", "p_four_segments")
    shown = partial(segment_cases, loss=loss, waits=(IMMEDIATE, DELAYED))
    results = run(teardown.run, cases := shown(THINKS), replications=n, common=True)
    simulated = estimates(cases, results, pick(teardown.ESTIMATES, *names))
    return Rows.concatenate([simulated, exact(teardown.theory, shown(FINE_THINKS), names)])


def unsent(run: Callable[..., list[Rows]], *, loss: float, n: int) -> Rows:
    """P(3 segments), P(4) and P(all data is read) against the bytes left to send; ``run`` as for ``why_four``.

    Columns: ``curve``, ``unsent_bytes``, ``estimate``, ``source``, ``value`` with its interval, ``n``.
    """
    curves: dict[str, tuple[str, str, teardown.Close]] = {
        "3, delayed ACK": ("p_three_segments", DELAYED, "half-close"),
        "4, delayed ACK": ("p_four_segments", DELAYED, "half-close"),
        "4, immediate": ("p_four_segments", IMMEDIATE, "half-close"),
        "half-close": ("p_data_delivered", IMMEDIATE, "half-close"),
        "close": ("p_data_delivered", IMMEDIATE, "close"),
    }
    kinds = dict.fromkeys((waits, close) for _, waits, close in curves.values())
    points = {
        (*kind, left): teardown.Params(
            close=kind[1], unsent_bytes=left, loss_forward=loss, loss_reverse=loss, server=closer(kind[0])
        )
        for kind in kinds
        for left in UNSENT
    }
    cases = {at: Case({"unsent_bytes": at[2]}, params) for at, params in points.items()}
    found = dict(zip(cases, run(teardown.run, list(cases.values()), replications=n), strict=True))
    parts: list[Rows] = []
    for name, (estimate, *kind) in curves.items():
        chosen = [at for at in cases if [*at[:2]] == kind]
        named = [Case({"curve": name, **cases[at].labels}, cases[at].params) for at in chosen]
        parts.append(estimates(named, [found[at] for at in chosen], pick(teardown.ESTIMATES, estimate)))
        parts.append(exact(teardown.theory, named, [estimate]))
    return Rows.concatenate([part for part in parts if len(part)])


def teardown_cases(losses: Sequence[float]) -> list[Case]:
    """RFC 9293 at both ends, a server that closes immediately, the same loss in both directions."""
    return [Case({"loss": loss}, teardown.Params(loss_forward=loss, loss_reverse=loss)) for loss in losses]


def segment_shares(cases: Sequence[Case], results: Sequence[Rows]) -> Rows:
    """How many segments the closes took: 4 to 7, or more, each as a share, with the exact one of 4.

    Columns: labels, ``segments``, ``source``, ``value``, ``low``, ``high``, ``upper_bound``, ``n``.
    """
    table: list[dict[str, Scalar]] = []
    for name, counts in {**{f"{k} segments": range(k, k + 1) for k in (4, 5, 6, 7)}, "more": range(8, 1 << 30)}.items():
        for case, rows in zip(cases, results, strict=True):
            e = proportion([count in counts for count in rows.ints("segments")])
            numbers: dict[str, Scalar] = {
                "value": e.value, "low": e.low, "high": e.high, "upper_bound": e.upper_bound, "n": e.n,
            }  # fmt: skip
            table.append({**case.labels, "segments": name, "source": "simulation", **numbers})
    for case in cases:
        value = teardown.theory(case.params)["p_four_segments"]
        table.append({**case.labels, "segments": "4 segments", "source": "exact", "value": value})
    return Rows.from_dicts(table)


def ends(run: Callable[..., list[Rows]], *, loss: float, n: int) -> Rows:
    """What becomes of either end by the kind of close; ``run`` as for ``why_four``.

    Columns: ``close``, ``end`` (client or server), ``how``, ``source``, ``value``, ``low``, ``high``, ``n``.
    """
    cases = [
        Case({"close": name}, teardown.Params(close=kind, loss_forward=loss, loss_reverse=loss))
        for kind, name in CLOSES.items()
    ]
    table: list[dict[str, Scalar]] = []
    for case, rows in zip(cases, run(teardown.run, cases, replications=n), strict=True):
        for end in ("client", "server"):
            outcomes = rows.column(f"{end}_outcome")
            for how in dict.fromkeys(outcomes):
                e = proportion([outcome == how for outcome in outcomes])
                numbers: dict[str, Scalar] = {"value": e.value, "low": e.low, "high": e.high, "n": e.n}
                table.append({**case.labels, "end": end, "how": how, "source": "simulation", **numbers})
    return Rows.from_dicts(table)


def latency_survival(case: Case, rows: Rows) -> Rows:
    """P(an end is not done by t) at every t (s) at which it changes, simulated and exact.

    Columns: labels, ``end`` (client or server), ``source``, ``t``, ``value``, ``low``, ``high``, ``n``.
    """
    table: list[dict[str, Scalar]] = []
    distributions = exact_latency(case.params)
    assert distributions is not None
    for end, distribution in (("client", distributions.client), ("server", distributions.server)):
        for line in survival(rows.array(f"{end}_latency")):
            table.append({**case.labels, "end": end, "source": "simulation", **line})
        for t in map(float, distribution.times):
            table.append({**case.labels, "end": end, "source": "exact", "t": t, "value": distribution.ccdf(t)})
    return Rows.from_dicts(table)
