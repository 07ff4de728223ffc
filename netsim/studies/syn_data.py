"""The studies of data on SYNs and of TCP Fast Open: memory, waiting, repeated delivery, amplification."""

from collections.abc import Sequence
from typing import Any, Final

from netsim.scenarios import syn_data
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar
from netsim.tcp.config.profiles import rfc9293
from netsim.theory import pollaczek_khinchine_wait

FINE_TEXTS: Final = (1, *range(20, 1461, 20))  # bytes; for the exact curves
PER_SEGMENT: Final = 0.005  # s of the server's processor
PER_BYTE: Final = 15e-6
TEXTS: Final = {"1,000 bytes": 1000, "no text": 0}
FAST: Final = {"client": rfc9293().replace(fast_open="client"), "server": rfc9293().replace(fast_open="server")}
ROOM: Final = 1024  # of the server's pending limit, where copies of SYNs would reach the usual one


def memory_cases(rates: Sequence[float]) -> list[Case]:
    """SYNs of 1000 bytes: text held, dropped, or taken by Fast Open from whoever has a cookie."""
    kinds: dict[str, dict[str, Any]] = {
        "text held": {},
        "text dropped": {"server": rfc9293().replace(syn_data="drop")},
        "Fast Open": {**FAST, "stolen_cookies": True},
    }
    return [
        Case({"curve": name, "rate": rate}, syn_data.Params(attack_rate=rate, backlog=4096, client_rate=0.0, **changes))
        for name, changes in kinds.items()
        for rate in rates
    ]


def load_cases(rates: Sequence[float]) -> list[Case]:
    """A server whose processor takes time; SYNs with text and without."""
    return [
        Case(
            {"curve": name, "rate": rate},
            syn_data.Params(
                attack_rate=rate,
                attack_bytes=text,
                backlog=4096,
                client_rate=0.5,
                cpu_per_segment=PER_SEGMENT,
                cpu_per_byte=PER_BYTE,
            ),
        )
        for name, text in TEXTS.items()
        for rate in rates
    ]


def load_formula(rates: Sequence[float]) -> Rows:
    """Two round trips, the SYN's and the request's service, and a wait before each as the attack's SYNs alone make it.

    The wait is Pollaczek and Khinchine's; the clients' own load is left out.
    """
    table: list[dict[str, Scalar]] = []
    for name, text in TEXTS.items():
        service = PER_SEGMENT + PER_BYTE * text
        for rate in rates:
            if rate * service < 1:
                wait = pollaczek_khinchine_wait(rate=rate, service=service)
                value = 4 * 0.05 + 2 * PER_SEGMENT + PER_BYTE * 100 + 2 * wait
                table.append(
                    {"curve": name, "rate": rate, "estimate": "response_time", "source": "formula", "value": value}
                )
    return Rows.from_dicts(table)


def copy_cases(copies: Sequence[float]) -> list[Case]:
    """No attackers; the network copies segments of clients with and without Fast Open."""
    roomy = {**FAST, "server": FAST["server"].replace(fast_open_queue=ROOM)}
    kinds: dict[str, dict[str, Any]] = {"Fast Open": roomy, "handshake": {}}
    return [
        Case(
            {"curve": name, "copies": copy},
            syn_data.Params(attack_rate=0.0, client_rate=5.0, duplicate=copy, **changes),
        )
        for name, changes in kinds.items()
        for copy in copies
    ]


def amplification_table(texts: Sequence[int]) -> Rows:
    """Bytes to a silent address for each byte of one forged SYN: followed to its end, and by arithmetic."""
    server = rfc9293().replace(fast_open="server")
    kinds: dict[str, dict[str, Any]] = {
        "handshake": {},
        "stolen cookie,\n1 kB response": {"server": server, "stolen_cookies": True},
        "stolen cookie,\n10 kB response": {"server": server, "stolen_cookies": True, "response": 10_000},
    }
    table: list[dict[str, Scalar]] = []
    for name, changes in kinds.items():
        for text in sorted({*texts, *FINE_TEXTS}):
            params = syn_data.Params(attack_bytes=text, **changes)
            label: dict[str, Scalar] = {"curve": name, "text": text, "estimate": "amplification"}
            table.append({**label, "source": "exact", "value": syn_data.theory(params)["amplification"]})
            if text in texts:
                table.append({**label, "source": "simulation", "value": syn_data.amplification(params), "n": 1})
    return Rows.from_dicts(table)
