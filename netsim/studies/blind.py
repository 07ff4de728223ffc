"""The studies of attackers: blind injection against the window, a forged opening against guesses, data on SYNs."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from netsim.scenarios import blind, forged_open, syn_data
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar
from netsim.tcp.config.isn import BsdIsn, ClockIsn, ConstantIsn, HashIsn, IsnPolicy
from netsim.tcp.config.profiles import rfc793, rfc9293
from netsim.theory import (
    attack_duration,
    bandwidth_delay_window,
    blind_reset,
    pollaczek_khinchine_wait,
)

RULES: Final = {"RFC 793": rfc793(), "RFC 5961": rfc9293()}
INJECTIONS: Final[tuple[blind.Attack, ...]] = ("rst", "data")
NAMED: Final = {"rst": "RST", "data": "data"}
FINE_TEXTS: Final = (1, *range(20, 1461, 20))  # bytes; for the exact curves
SENDABLE: Final = 300  # forged segments of a whole sweep that are few enough to be sent
JITTER: Final = 0.001  # s
OTHERS: Final = 2.0  # connections a second that others open
POLICIES: Final[dict[str, tuple[IsnPolicy, float, float]]] = {  # ISN policy, jitter, others
    "constant": (ConstantIsn(), JITTER, OTHERS),
    "4.3BSD counter": (BsdIsn(), 0.0, OTHERS),
    "clock of RFC 793": (ClockIsn(), JITTER, OTHERS),
    "RFC 6528": (HashIsn(), JITTER, OTHERS),
}
PER_SEGMENT: Final = 0.005  # s of the server's processor
PER_BYTE: Final = 15e-6
TEXTS: Final = {"1,000 bytes": 1000, "no text": 0}
FAST: Final = {"client": rfc9293().replace(fast_open="client"), "server": rfc9293().replace(fast_open="server")}
ROOM: Final = 1024  # of the server's pending limit, where copies of SYNs would reach the usual one
FIGURE_1: Final = (10e9, 1e9, 100e6, 10e6, 1e6, 100e3)  # bit/s; RFC 4953 figure 1, with an RTT of 100 ms
FIGURE_2: Final = (128_000, 32_000, 4000)  # bytes; figure 2


def injection_cases(windows: Sequence[int]) -> list[Case]:
    """A sweep of RSTs and one of data, under both rules, counted; sent too where it is short."""
    cases = []
    for attack in INJECTIONS:
        for rules, config in RULES.items():
            for window in windows:
                params = blind.Params(attack=attack, window=window, segments=0, client=config, server=config)
                worst = blind.attack_on(params, blind.fields(params)).worst
                if worst <= SENDABLE:
                    params = dataclasses.replace(params, segments=int(worst))
                cases.append(Case({"attack": f"{NAMED[attack]}, {rules}", "window": window}, params))
    return cases


def forged_open_cases(guesses: Sequence[int]) -> list[Case]:
    """Each ISN policy, and how well an attacker knows what it depends on."""
    return [
        Case(
            {"isn": name, "guesses": n},
            forged_open.Params(guesses=n, jitter=jitter, others=others, server=rfc9293().replace(isn=isn)),
        )
        for name, (isn, jitter, others) in POLICIES.items()
        for n in guesses
    ]


def memory_cases(rates: Sequence[float]) -> list[Case]:
    """SYNs of 1000 bytes: text held, dropped, or taken by Fast Open from whoever has a cookie."""
    kinds: dict[str, dict[str, Any]] = {
        "text held": {},
        "text dropped": {"server": rfc9293().replace(syn_data="drop")},
        "Fast Open": {**FAST, "stolen_cookies": True},
    }
    return [
        Case({"curve": name, "rate": rate}, syn_data.Params(attack_rate=rate, backlog=4096, legit_rate=0.0, **changes))
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
                attack_text=text,
                backlog=4096,
                legit_rate=0.5,
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
            syn_data.Params(attack_rate=0.0, legit_rate=5.0, duplicate=copy, **changes),
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
            params = syn_data.Params(attack_text=text, **changes)
            label: dict[str, Scalar] = {"curve": name, "text": text, "estimate": "amplification"}
            table.append({**label, "source": "exact", "value": syn_data.theory(params)["amplification"]})
            if text in texts:
                table.append({**label, "source": "simulation", "value": syn_data.amplification(params), "n": 1})
    return Rows.from_dicts(table)


def rfc4953_table() -> Rows:
    """RFC 4953 figures 1 and 2, computed: RSTs of 40 bytes that cover the sequence space, and how long they take.

    Figure 1's window fills the path at the bandwidth at which the RSTs come. Figure 2 gives windows; its column of RSTs
    follows from them, its times do not, and are left out.
    """
    table: list[dict[str, Scalar]] = []
    for rate in FIGURE_1:
        window = bandwidth_delay_window(bandwidth=rate, rtt=0.1)
        resets = blind_reset(window=window, rules="rfc793").worst
        seconds = attack_duration(segments=resets, bandwidth=rate)
        table.append({"figure": 1, "bandwidth": rate, "window": window, "resets": resets, "seconds": seconds})
    for window in FIGURE_2:
        table.append({"figure": 2, "window": window, "resets": blind_reset(window=window, rules="rfc793").worst})
    return Rows.from_dicts(table)


def rfc4953_text(table: Rows) -> str:
    """The same to read."""
    lines = ["RFC 4953: RSTs of 40 bytes for a whole sweep, by netsim.theory.blind", "", "figure 1 (RTT 100 ms)"]
    lines.append(f"{'bandwidth':>12}  {'window':>11}  {'RSTs':>9}  {'time':>12}")
    for row in table.where(figure=1):
        rate, seconds = float(row["bandwidth"] or 0), float(row["seconds"] or 0)
        lines.append(f"{rate / 1e6:>7g} Mb/s  {row['window']:>9,} B  {row['resets']:>9,}  {seconds:>10.3g} s")
    lines += ["", "figure 2", f"{'':>12}  {'window':>11}  {'RSTs':>9}"]
    lines += [f"{'':>12}  {row['window']:>9,} B  {row['resets']:>9,}" for row in table.where(figure=2)]
    return "\n".join(lines) + "\n"
