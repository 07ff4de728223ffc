"""The studies of half-open connections: failures and what detects them, and lifetimes of SYN-RECEIVED entries."""

import math
from collections.abc import Sequence
from typing import Any, Final

from netsim.scenarios import half_open
from netsim.studies.study import Case
from netsim.sweep import Estimator, Rows, Scalar
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.profiles import linux, profile

NEVER: Final = math.inf
FAILURES: Final[dict[str, dict[str, Any]]] = {
    "crash; data": {"detected_by": "data"},
    "crash; new SYN": {"detected_by": "open"},
    "crash; keep-alive": {"detected_by": "keepalive"},
    "crash; nothing": {"detected_by": "nothing"},
    "vanished; data": {"failure": "vanishes", "detected_by": "data"},
    "vanished; keep-alive": {"failure": "vanishes", "detected_by": "keepalive"},
    "vanished; nothing": {"failure": "vanishes", "detected_by": "nothing"},
    "vanished in handshake": {"failure": "vanishes", "during": "handshake"},
}
PROFILES: Final = ("rfc9293", "linux")
RETRIES: Final[dict[str, Any]] = {
    "1 retry": linux().replace(synack_retries=1, syn_cookies="off"),
    "2 retries": linux().replace(synack_retries=2, syn_cookies="off"),
    "5 retries": linux().replace(synack_retries=5, syn_cookies="off"),
    "SYN cookies": linux().replace(syn_cookies="always"),
}


def failure_cases() -> list[Case]:
    """Every failure with all that may detect it, for two TCPs; one second later an end sends data or a SYN."""
    return [
        Case(
            {"case": name, "profile": host},
            half_open.Params(pause=1.0, client=profile(host), server=profile(host), **change),
        )
        for host in PROFILES
        for name, change in FAILURES.items()
    ]


def lifetime_cases(retries: Sequence[int], timeouts: Sequence[float]) -> list[Case]:
    """SYN-RECEIVED entries whose SYN-ACK nobody answers, by SYN-ACK retries and by the first timeout (s)."""
    return [
        Case(
            {"first_timeout": timeout, "synack_retries": number},
            half_open.Params(
                failure="vanishes",
                during="handshake",
                server=profile("rfc9293").replace(
                    synack_backoff=BackOff(initial=timeout), synack_retries=number, rto_max=1000.0
                ),
            ),
        )
        for timeout in timeouts
        for number in retries
    ]


def alone_cases(losses: Sequence[float]) -> list[Case]:
    """No failure, only losses: a Linux client that sends no data, servers that retransmit SYN-ACKs 1 to 5 times."""
    return [
        Case(
            {"server": name, "loss": loss},
            half_open.Params(
                failure="none", detected_by="nothing", run_duration=300.0, loss_forward=loss, loss_reverse=loss,
                client=linux(), server=server,
            ),
        )
        for name, server in RETRIES.items()
        for loss in losses
    ]  # fmt: skip


def detection_times(cases: Sequence[Case], results: Sequence[Rows]) -> Rows:
    """Mean time to detection (s) in every case, infinite where no run detected it, and the exact one if it is known."""
    mean = Estimator(column="time_to_detection", kind="mean")
    table: list[dict[str, Scalar]] = []
    for case, rows in zip(cases, results, strict=True):
        found = mean(rows)
        value = NEVER if found.value is None else found.value
        table.append(
            {**case.labels, "estimate": "time_to_detection", "source": "simulation", "value": value, "n": len(rows)}
        )
        values = half_open.theory(case.params)
        if values:
            exact = NEVER if values["p_never_detected"] else values["time_to_detection"]
            table.append({**case.labels, "estimate": "time_to_detection", "source": "exact", "value": exact})
    return Rows.from_dicts(table)
