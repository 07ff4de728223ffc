"""The studies of data on SYNs and of TCP Fast Open: memory, waiting, requests delivered twice, amplification."""

from collections.abc import Sequence
from typing import Any, Final

from netsim.scenarios import syn_data
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar
from netsim.tcp.config.profiles import rfc9293
from netsim.theory import pollaczek_khinchine_wait

FINE_AMOUNTS: Final = (1, *range(20, 1461, 20))  # bytes; for the exact curves
PER_SEGMENT: Final = 0.005  # s of the server's processor
PER_BYTE: Final = 15e-6
LOADS: Final = {"1,000 bytes": 1000, "no data": 0}
FAST: Final = {"client": rfc9293().replace(fast_open="client"), "server": rfc9293().replace(fast_open="server")}
QUEUE: Final = 1024  # of the server's Fast Open queue; duplicates of SYNs would fill the usual one


def memory_cases(rates: Sequence[float]) -> list[Case]:
    """SYNs of 1,000 bytes: their data kept, discarded, or delivered by Fast Open for stolen cookies."""
    kinds: dict[str, dict[str, Any]] = {
        "data kept": {},
        "data discarded": {"server": rfc9293().replace(syn_data="drop")},
        "Fast Open": {**FAST, "stolen_cookies": True},
    }
    return [
        Case({"curve": name, "rate": rate}, syn_data.Params(attack_rate=rate, backlog=4096, client_rate=0.0, **changes))
        for name, changes in kinds.items()
        for rate in rates
    ]


def load_cases(rates: Sequence[float]) -> list[Case]:
    """A server whose processor takes time; SYNs with data and without."""
    return [
        Case(
            {"curve": name, "rate": rate},
            syn_data.Params(
                attack_rate=rate,
                attack_bytes=size,
                backlog=4096,
                client_rate=0.5,
                cpu_per_segment=PER_SEGMENT,
                cpu_per_byte=PER_BYTE,
            ),
        )
        for name, size in LOADS.items()
        for rate in rates
    ]


def load_formula(rates: Sequence[float]) -> Rows:
    """Two round trips, the SYN's and the request's service, and a wait before each as the attack's SYNs alone make it.

    The wait is Pollaczek and Khinchine's; the clients' own load is left out.
    """
    table: list[dict[str, Scalar]] = []
    for name, size in LOADS.items():
        service = PER_SEGMENT + PER_BYTE * size
        for rate in rates:
            if rate * service < 1:
                wait = pollaczek_khinchine_wait(rate=rate, service=service)
                value = 4 * 0.05 + 2 * PER_SEGMENT + PER_BYTE * 100 + 2 * wait
                table.append(
                    {"curve": name, "rate": rate, "estimate": "response_time", "source": "formula", "value": value}
                )
    return Rows.from_dicts(table)


def duplicate_cases(shares: Sequence[float]) -> list[Case]:
    """No attack; the path duplicates segments of clients with and without Fast Open."""
    fast = {**FAST, "server": FAST["server"].replace(fast_open_queue=QUEUE)}
    kinds: dict[str, dict[str, Any]] = {"Fast Open": fast, "handshake": {}}
    return [
        Case(
            {"curve": name, "duplicate": share},
            syn_data.Params(attack_rate=0.0, client_rate=5.0, duplicate=share, **changes),
        )
        for name, changes in kinds.items()
        for share in shares
    ]


def amplification_table(amounts: Sequence[int]) -> Rows:
    """Bytes to a silent address for each byte of one forged SYN: followed to its end, and by arithmetic."""
    server = rfc9293().replace(fast_open="server")
    kinds: dict[str, dict[str, Any]] = {
        "handshake": {},
        "stolen cookie,\n1 kB response": {"server": server, "stolen_cookies": True},
        "stolen cookie,\n10 kB response": {"server": server, "stolen_cookies": True, "response_bytes": 10_000},
    }
    table: list[dict[str, Scalar]] = []
    for name, changes in kinds.items():
        for amount in sorted({*amounts, *FINE_AMOUNTS}):
            params = syn_data.Params(attack_bytes=amount, **changes)
            label: dict[str, Scalar] = {"curve": name, "data_bytes": amount, "estimate": "amplification"}
            table.append({**label, "source": "exact", "value": syn_data.theory(params)["amplification"]})
            if amount in amounts:
                table.append({**label, "source": "simulation", "value": syn_data.amplification(params), "n": 1})
    return Rows.from_dicts(table)
