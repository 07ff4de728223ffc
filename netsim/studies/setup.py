"""The study of connection set-up: latency and failure against loss for the TCPs of five systems."""

from collections.abc import Callable, Sequence
from typing import Final

from netsim.scenarios import setup
from netsim.studies.study import Case, estimates, pick
from netsim.sweep import Rows, Scalar
from netsim.sweep.statistics import survival
from netsim.tcp.config.profiles import profile

PROFILES: Final = ("rfc9293", "linux", "linux_classic", "freebsd", "windows")


def setup_cases(profiles: Sequence[str], losses: Sequence[float], *, burst: float = 0.0) -> list[Case]:
    """Every profile at both ends, the same loss in both directions; ``burst``: mean length of loss bursts (s)."""
    cases = []
    for name in profiles:
        config = profile(name)
        for loss in losses:
            params = setup.Params(loss_forward=loss, loss_reverse=loss, client=config, server=config, loss_burst=burst)
            cases.append(Case({"profile": name, "loss": loss}, params))
    return cases


def burst_table(
    run: Callable[[Sequence[Case]], Sequence[Rows]],
    table: Rows,
    *,
    losses: Sequence[float],
    profile: str,
    burst: float,
) -> Rows:
    """Mean latency with bursts of mean length ``burst`` (s) beside that with independent losses, found in ``table``.

    ``run`` is ``simulate`` with everything given but the cases. The column ``losses`` is ``independent`` or
    ``bursts of 5 s``; there is no exact value for the latter.
    """
    shown = table.where(profile=profile, estimate="setup_latency")
    independent = Rows.from_dicts([{**row, "losses": "independent"} for row in shown])
    cases = [
        Case({**case.labels, "losses": f"bursts of {burst:g} s"}, case.params)
        for case in setup_cases([profile], losses, burst=burst)
    ]
    simulated = estimates(cases, run(cases), pick(setup.ESTIMATES, "setup_latency"))
    return Rows.concatenate([independent.where(source="simulation"), simulated, independent.where(source="exact")])


def latency_ccdf(cases: Sequence[Case], results: Sequence[Rows]) -> Rows:
    """P(client's latency > t) at every t (s) at which it changes: simulated, exact, and the RTO that made the step.

    Columns: labels, ``source``, ``t``, ``value``, ``low``, ``high``, ``n``; with source ``rto``, ``value`` is the RTO
    (s) after which the client retransmits the SYN that is answered at ``t`` if nothing else is lost.
    """
    table: list[dict[str, Scalar]] = []
    for case, rows in zip(cases, results, strict=True):
        table += [{**case.labels, "source": "simulation", **line} for line in survival(rows.array("client_latency"))]
        distributions = setup.exact_latency(case.params)
        assert distributions is not None
        for t in map(float, distributions.client.times):
            table.append({**case.labels, "source": "exact", "t": t, "value": distributions.client.ccdf(t)})
        sent = float(distributions.client.times[0])  # one round trip
        for rto in case.params.client.syn_intervals()[:-1]:
            sent += rto
            table.append({**case.labels, "source": "rto", "t": sent, "value": rto})
    return Rows.from_dicts(table)
