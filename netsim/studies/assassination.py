"""The study of TIME-WAIT assassination (RFC 1337): how often a RST ends TIME-WAIT early."""

from collections.abc import Callable, Sequence
from typing import Final

from netsim.scenarios import assassination
from netsim.studies.study import Case, estimates, exact, pick
from netsim.sweep import Rows
from netsim.tcp.config.profiles import rfc9293

FIXES: Final = {"no fix": "accept", "fix F2": "ignore-2s", "fix F1": "ignore"}  # RFC 1337 4
FINE_DUPLICATES: Final = tuple(k / 100 for k in range(31))  # for the exact curves


def assassination_cases(duplicates: Sequence[float]) -> list[Case]:
    """RSTs in TIME-WAIT accepted, or ignored as RFC 1337 proposes; duplicates 20 s late on average, TIME-WAIT 240 s."""
    return [
        Case(
            {"rst": name, "duplicate": duplicate},
            assassination.Params(duplicate=duplicate, client=rfc9293().replace(time_wait_rst=policy)),
        )
        for name, policy in FIXES.items()
        for duplicate in duplicates
    ]


def assassinated(run: Callable[..., list[Rows]], duplicates: Sequence[float], *, n: int) -> Rows:
    """P(a RST ends TIME-WAIT), simulated and exact; ``run`` as for ``teardown.why_four``."""
    cases = assassination_cases(duplicates)
    results = run(assassination.run, cases, replications=n)
    simulated = estimates(cases, results, pick(assassination.ESTIMATES, "p_assassinated"))
    return Rows.concatenate(
        [simulated, exact(assassination.theory, assassination_cases(FINE_DUPLICATES), ["p_assassinated"])]
    )
