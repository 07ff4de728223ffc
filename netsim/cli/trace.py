"""``netsim trace``: one run of a scenario as a ladder."""

import textwrap
from dataclasses import dataclass
from typing import Any, Final

from netsim.cli.errors import UsageError
from netsim.cli.input import natural
from netsim.cli.request import Request
from netsim.scenarios.values import show
from netsim.seeds import Seed
from netsim.study.text import number
from netsim.sweep import point_key
from netsim.trace import Trace
from netsim.trace.ladder import ladder

_WIDTH: Final = 100  # columns of a ladder
LINES: Final = 400  # of each pair of hosts
_PAIRS: Final = 4  # of hosts, unless all are asked for


@dataclass(frozen=True, slots=True)
class Run:
    """One run with its trace; ``title`` says which run it is, ``outcome`` how it ended."""

    params: Any
    trace: Trace
    title: str
    outcome: str

    def ladder(self, *, unicode: bool, limit: int | None) -> str:
        """What came of it, then its ladder; ``limit`` lines of each of the first pairs of hosts, or all."""
        pairs = None if limit is None else _PAIRS
        head = textwrap.fill(f"{self.title}: {self.outcome}", width=_WIDTH, subsequent_indent="  ")
        text = ladder(self.trace, unicode=unicode, width=_WIDTH, max_lines=limit, max_pairs=pairs)
        cut = "\n\nCut short: --limit 0 shows all." if "\n... " in text else ""
        return f"{head}\n\n{text}{cut}"


def traced(what: Request, *, replication: str | None) -> Run:
    """The run that ``netsim run`` makes with this seed."""
    if not what.subject.options:
        raise UsageError(f"scenario = {what.subject.title!r}: is a function of your own, of which there is no trace")
    k = natural("replication", replication) or 0
    trace = Trace()
    row = what.subject.run(what.params, Seed(what.seed, point_key(what.params), k), observers=[trace.events.append])
    outcome = ", ".join(f"{name} {_cell(value)}" for name, value in row.items())
    return Run(what.params, trace, f"{what.subject.title}, seed {what.seed}, run {k}", outcome)


def _cell(value: Any) -> str:
    return number(value) if isinstance(value, float) else show(value)
