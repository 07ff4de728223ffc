"""The studies of the SYN flood: clients served, entries of the SYN queue, and what the defences cost."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

from netsim.scenarios import setup, syn_flood
from netsim.seeds import Seed
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar, number, read_csv
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.tcp.config.syn_cookie import BernsteinCookie

BACKLOG: Final = 128
LINUX: Final = "Linux 6.18 rules"
_RFC: Final = rfc9293().replace(synack_retries=5)
_LINUX_0: Final = linux().replace(syn_cookies="off", timer_hz=250)
DEFENCES: Final[dict[str, TcpConfig]] = {
    "no defence": _RFC,
    "short timer (3 s)": _RFC.replace(synack_retries=1),
    "random drop": _RFC.replace(syn_queue_full="random-drop"),
    "SYN cookies": _RFC.replace(syn_cookies="always"),
    LINUX: _LINUX_0,
}
ERLANG: Final = "Erlang B, e^(-\N{GREEK SMALL LETTER LAMDA}R/B); hollow: Linux 6.18 recorded, cookies off"
EVICTION: Final = "Erlang B, e^(-\N{GREEK SMALL LETTER LAMDA}R/B), Poisson arrivals behind an entry"
_LONG: Final = "queue of 1,024"
QUEUES: Final[dict[str, TcpConfig]] = {
    _LONG: _RFC,
    "random drop": DEFENCES["random drop"],
    "evict oldest": _RFC.replace(syn_queue_full="recycle-oldest"),
    "SYN cache": _RFC.replace(syncache_hashsize=8, syncache_bucketlimit=16),
}
TEXTBOOK: Final = tuple(name for name in DEFENCES if name != LINUX)
WITHOUT_ATTACK: Final[dict[str, TcpConfig]] = {
    "drop new": _LINUX_0,
    "short timer": _LINUX_0.replace(synack_retries=1),
    "evict oldest": _LINUX_0.replace(syn_queue_full="recycle-oldest"),
    "random drop": _LINUX_0.replace(syn_queue_full="random-drop"),
    "SYN cache": _LINUX_0.replace(syncache_hashsize=512),
    "Linux cookies": _LINUX_0.replace(syn_cookies="always"),
    "DJB's cookies": _LINUX_0.replace(syn_cookies="always", syn_cookie=BernsteinCookie()),
}


def recorded_times(rate: float) -> tuple[float, float]:
    """How long (s) the recorded kernel was flooded before clients arrived, and how long clients then arrived."""
    return (75.0, 60.0) if rate < 50 else (40.0, 40.0)


def visits(rate: float) -> tuple[float, float]:
    """The rate of clients (1/s), at least five and a fortieth of the attack, and how long (s) it takes 75 to arrive."""
    clients = max(5.0, rate / 40)
    return clients, 75.0 / clients


def flood_params(server: TcpConfig, rate: float, *, backlog: int = BACKLOG) -> syn_flood.Params:
    """A flood of ``rate`` SYNs per second.

    Linux starts with an empty queue, as it was recorded; clients of the others arrive when the queue is stationary.
    """
    if server.name == "linux":
        warm_up, observation_time = recorded_times(rate)
        return syn_flood.Params(
            attack_rate=rate, backlog=backlog, server=server, client=linux().replace(syn_retries=0),
            client_rate=20.0, warm_up=warm_up, observation_time=observation_time,
        )  # fmt: skip
    clients, window = visits(rate)
    drops = server.syn_queue_full == "drop" and server.syncache_hashsize is None
    stationary = server.syn_cookies == "off" and drops  # the scenario starts the queue in its stationary state
    return syn_flood.Params(
        attack_rate=rate,
        backlog=backlog,
        server=server,
        client=rfc9293().replace(syn_retries=0),
        client_rate=clients,
        warm_up=None if stationary else min(2.0 * BACKLOG / rate, sum(server.synack_intervals())),
        observation_time=window,
    )


def flood_cases(rates: Sequence[float], names: Sequence[str] = tuple(DEFENCES)) -> list[Case]:
    """Every defence at every attack rate; a client has one SYN, since only the first SYN matters here."""
    return [
        Case({"defence": name, "rate": rate}, flood_params(DEFENCES[name], rate)) for name in names for rate in rates
    ]


def queue_cases(rates: Sequence[float]) -> list[Case]:
    """A longer queue of 1,024, and queues of 128 that evict an entry when full, at every attack rate."""
    return [
        Case(
            {"defence": name, "rate": rate},
            flood_params(server, rate, backlog=1024 if name == _LONG else BACKLOG),
        )
        for name, server in QUEUES.items()
        for rate in rates
    ]


def served_studies(
    rates: Sequence[float], recorded: Sequence[float], crowded: Sequence[float], fine: Sequence[float], folder: Path
) -> list[tuple[str, list[Case], list[Case], list[Rows], str]]:
    """For each figure of the clients served at their first SYN: its name, the simulated cases, the cases of the closed
    forms, the recorded rows (read in ``folder``), and the names of the closed forms.
    """
    textbook = flood_cases(rates, TEXTBOOK) + flood_cases(recorded, [LINUX])
    return [
        ("e07a_served", textbook, flood_cases(fine, TEXTBOOK), [kernel_rows(folder)], ERLANG),
        ("e07e_queues", queue_cases(crowded), queue_cases(fine), [], EVICTION),
    ]


def kernel_rows(folder: Path) -> Rows:
    """The proportion of first SYNs that the recorded kernel answered without SYN cookies (read in ``folder``)."""
    table: list[dict[str, Scalar]] = []
    for row in read_csv(folder / "kernel_syn_flood.csv"):
        if row["syncookies"] == 0 and row["lambda_per_s"]:
            found: dict[str, Scalar] = {"defence": LINUX, "rate": number(row, "lambda_per_s")}
            found |= {"estimate": "p_served_at_first_syn", "source": "kernel"}
            table.append({**found, "value": number(row, "legit_first_syn_answered"), "n": row["n_legit"]})
    return Rows.from_dicts(table)


def populations(*, rate: float, length: float, runs: int, seed: int) -> Rows:
    """Mean number of SYN-RECEIVED entries, second by second, from an empty queue. No clients."""
    table: list[dict[str, Scalar]] = []
    for name in ("no defence", "short timer (3 s)", LINUX):
        params = syn_flood.Params(
            attack_rate=rate,
            backlog=BACKLOG,
            server=DEFENCES[name],
            client_rate=0.0,
            warm_up=0.0,
            observation_time=length,
        )
        point = f"population {name}"
        played = [
            syn_flood.play(params, Seed(seed, point, k), clients=(0.0, length))[1].population for k in range(runs)
        ]
        for moments in zip(*played, strict=True):
            value = fmean(n for _, n in moments)
            table.append(
                {"defence": name, "rate": rate, "t": moments[0][0], "source": "simulation", "value": value, "n": runs}
            )
    return Rows.from_dicts(table)


def cookie_cases(losses: Sequence[float]) -> list[Case]:
    """One silent client at a time, Linux at both ends, with a SYN queue and with SYN cookies, against loss."""
    servers = {"SYN queue": linux().replace(syn_cookies="off"), "SYN cookies": linux().replace(syn_cookies="always")}
    return [
        Case(
            {"server": name, "loss": loss},
            setup.Params(loss_forward=loss, loss_reverse=loss, client=linux(), server=server),
        )
        for name, server in servers.items()
        for loss in losses
    ]


def cost_cases() -> list[Case]:
    """Every defence without an attack: 50 clients per second."""
    return [
        Case(
            {"defence": name},
            syn_flood.Params(
                attack_rate=0.0, client_rate=50.0, server=server, client=linux(), warm_up=1.0, observation_time=10.0
            ),
        )
        for name, server in WITHOUT_ATTACK.items()
    ]
