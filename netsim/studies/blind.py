"""The study of blind injection: how many forged segments an off-path attacker needs, against the window."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from netsim.scenarios import blind
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar, number
from netsim.tcp.config.profiles import rfc793, rfc9293
from netsim.theory import attack_duration, bandwidth_delay_window, blind_reset

RULES: Final = {"RFC 793": rfc793(), "RFC 5961": rfc9293()}
INJECTIONS: Final[tuple[blind.Attack, ...]] = ("rst", "data")
NAMED: Final = {"rst": "RST", "data": "data"}
SENDABLE: Final = 300  # forged segments of a whole sweep that are few enough to be sent
FIGURE_1: Final = (10e9, 1e9, 100e6, 10e6, 1e6, 100e3)  # bit/s; RFC 4953 figure 1, with an RTT of 100 ms
FIGURE_2: Final = (128_000, 32_000, 4000)  # bytes; figure 2


def injection_cases(windows: Sequence[int]) -> list[Case]:
    """Sweeps of RSTs and of data under either RFC's rules; all segments are sent only where the sweep is short."""
    cases = []
    for attack in INJECTIONS:
        for rules, config in RULES.items():
            for window in windows:
                params = blind.Params(
                    attack=attack, receive_window=window, max_segments=0, client=config, server=config
                )
                worst = blind.attack_on(params, blind.fields(params)).worst
                if worst <= SENDABLE:
                    params = dataclasses.replace(params, max_segments=int(worst))
                cases.append(Case({"attack": f"{NAMED[attack]}, {rules}", "window": window}, params))
    return cases


def rfc4953_table() -> Rows:
    """RFC 4953 figures 1 and 2, computed: RSTs of 40 bytes that cover the sequence space, and how long they take.

    In figure 1 the window is the bandwidth-delay product for the bandwidth at which the RSTs arrive. Figure 2 gives the
    windows; its numbers of RSTs follow from them, its times do not and are left out.
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
    """The table of ``rfc4953_table`` as text."""
    lines = ["RFC 4953: RSTs of 40 bytes for a whole sweep, by netsim.theory.blind", "", "figure 1 (RTT 100 ms)"]
    lines.append(f"{'bandwidth':>12}  {'window':>11}  {'RSTs':>9}  {'time':>12}")
    for row in table.where(figure=1):
        rate, seconds = number(row, "bandwidth"), number(row, "seconds")
        lines.append(f"{rate / 1e6:>7g} Mb/s  {row['window']:>9,} B  {row['resets']:>9,}  {seconds:>10.3g} s")
    lines += ["", "figure 2", f"{'':>12}  {'window':>11}  {'RSTs':>9}"]
    lines += [f"{'':>12}  {row['window']:>9,} B  {row['resets']:>9,}" for row in table.where(figure=2)]
    return "\n".join(lines) + "\n"
