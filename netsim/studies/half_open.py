"""The studies of half-open connections: what happens to whom, what finds it, and the tables that the figures show."""

import math
from collections.abc import Sequence
from typing import Any, Final

from netsim.scenarios import half_open
from netsim.studies.study import Case
from netsim.sweep import Estimator, Rows, Scalar
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.profiles import linux, profile

FOR_EVER: Final = math.inf
ACCIDENTS: Final[dict[str, dict[str, Any]]] = {
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


def accident_cases() -> list[Case]:
    """Every accident with everything that may find it, for two hosts' TCPs; one second after it somebody speaks."""
    return [
        Case(
            {"case": name, "profile": host},
            half_open.Params(pause=1.0, client=profile(host), server=profile(host), **change),
        )
        for host in PROFILES
        for name, change in ACCIDENTS.items()
    ]


def life_cases(retries: Sequence[int], waits: Sequence[float]) -> list[Case]:
    """Entries that nobody answers, by SYN-ACK retries and by the first wait (s)."""
    return [
        Case(
            {"wait": wait, "retries": number},
            half_open.Params(
                failure="vanishes",
                during="handshake",
                server=profile("rfc9293").replace(
                    synack_backoff=BackOff(initial=wait), synack_retries=number, rto_max=1000.0
                ),
            ),
        )
        for wait in waits
        for number in retries
    ]


def alone_cases(losses: Sequence[float]) -> list[Case]:
    """No accident but loss: Linux's client, silent, before servers that repeat their SYN-ACK more or less often."""
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


def lives(cases: Sequence[Case], results: Sequence[Rows]) -> Rows:
    """Mean life (s) in every case, infinite where no run found it, and what the timers say."""
    mean = Estimator(column="time_to_detection", kind="mean")
    table: list[dict[str, Scalar]] = []
    for case, rows in zip(cases, results, strict=True):
        found = mean(rows)
        value = FOR_EVER if found.value is None else found.value
        table.append(
            {**case.labels, "estimate": "time_to_detection", "source": "simulation", "value": value, "n": len(rows)}
        )
        values = half_open.theory(case.params)
        if values:
            exact = FOR_EVER if values["p_never_detected"] else values["time_to_detection"]
            table.append({**case.labels, "estimate": "time_to_detection", "source": "exact", "value": exact})
    return Rows.from_dicts(table)
