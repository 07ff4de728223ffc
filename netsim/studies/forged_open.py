"""The study of forged connections: how often an off-path attacker opens one, against guesses of the ISN."""

from collections.abc import Sequence
from typing import Final

from netsim.scenarios import forged_open
from netsim.studies.study import Case
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, HashIsn, IsnPolicy
from netsim.tcp.config.profiles import rfc9293

JITTER: Final = 0.001  # s
OTHERS: Final = 2.0  # connections a second that others open
POLICIES: Final[dict[str, tuple[IsnPolicy, float, float]]] = {  # ISN policy, jitter, others
    "constant": (ConstantIsn(), JITTER, OTHERS),
    "4.3BSD counter": (CounterIsn(), 0.0, OTHERS),
    "clock of RFC 793": (ClockIsn(), JITTER, OTHERS),
    "RFC 6528": (HashIsn(), JITTER, OTHERS),
}


def forged_open_cases(guesses: Sequence[int]) -> list[Case]:
    """Every ISN policy, with what keeps an attacker from predicting it exactly, against the number of guesses."""
    return [
        Case(
            {"isn": name, "guesses": n},
            forged_open.Params(guesses=n, jitter=jitter, background_rate=others, server=rfc9293().replace(isn=isn)),
        )
        for name, (isn, jitter, others) in POLICIES.items()
        for n in guesses
    ]
