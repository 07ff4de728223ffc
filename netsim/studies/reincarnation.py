"""The study of incarnations: RFC 1185's four cases, with every ISN, with and without TIME-WAIT."""

from collections.abc import Sequence
from typing import Final, get_args

from netsim.scenarios import reincarnation
from netsim.scenarios.reincarnation import TURN, Isn, Params
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar
from netsim.theory import IncarnationCell

ISNS: Final[tuple[Isn, ...]] = get_args(Isn)
DEFAULT: Final = Params()
DUPLICATES: Final = (
    f"{100 * DEFAULT.duplicate:.0f} % of segments have a duplicate up to {DEFAULT.msl:g} s late (uniform); "
    f"ISN clock of {DEFAULT.clock_rate:,.0f}/s; long connections last as long as is worst"
)


def meeting(isn: Isn, rate: float) -> float:
    """The duration (s) of a long connection whose sequence numbers have wrapped and meet segments still alive.

    The new initial sequence number then lies in the middle of those segments.
    """
    clock_rate, waited = DEFAULT.clock_rate, 4 * DEFAULT.delay + DEFAULT.pause
    behind = rate * (DEFAULT.msl - waited) / 2
    if isn == "constant":
        return (TURN + behind) / rate
    lead = clock_rate * waited + behind
    return (TURN - lead) / (clock_rate - rate) if rate < clock_rate else (TURN + lead) / (rate - clock_rate)


def cell_params(cell: IncarnationCell, isn: Isn, *, time_wait: float = 0.0) -> Params:
    """A connection of this case, half or twice as fast as the clock; of the long ones the worst."""
    slow, long = cell.value.split(", ")
    rate = DEFAULT.clock_rate / 2 if slow == "slow" else 2 * DEFAULT.clock_rate
    duration = meeting(isn, rate) if long == "long" else DEFAULT.duration
    return Params(isn=isn, data_rate=rate, duration=duration, time_wait=time_wait)


def cell_cases(time_wait: float = 0.0) -> list[Case]:
    """Every case of RFC 1185 with every ISN."""
    return [
        Case({"cell": cell.name, "kind": cell.value, "isn": isn, "time_wait": time_wait}, params)
        for cell in IncarnationCell
        for isn in ISNS
        for params in [cell_params(cell, isn, time_wait=time_wait)]
    ]


def cell_theory(cases: Sequence[Case]) -> Rows:
    """What theory says of every case, as a tidy table: 1 where old data can be accepted, 0 where it cannot.

    It has no verdict for random ISNs, which are unsafe everywhere with a small probability.
    """
    table: list[dict[str, Scalar]] = []
    for case in cases:
        params = case.params
        verdict = 0.0 if reincarnation.theory(params) else reincarnation.unsafe(params)
        if verdict is not None:
            table.append({**case.labels, "estimate": "unsafe", "source": "exact", "value": float(verdict)})
    return Rows.from_dicts(table)
