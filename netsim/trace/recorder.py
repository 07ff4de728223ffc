"""The recorder: a list of the events of a run, with its digest and its ladder."""

from collections.abc import Iterator, Sequence
from typing import Any

from netsim.trace.digest import digest
from netsim.trace.events import TraceEvent
from netsim.trace.ladder import ladder

_LINES = 200  # that a notebook shows for each pair of hosts
_PAIRS = 8  # of hosts that a notebook shows


class Trace:
    """The events of one run, in order. Printed, or shown by a notebook, it is a ladder."""

    def __init__(self) -> None:
        self.events: list[TraceEvent] = []

    def __iter__(self) -> Iterator[TraceEvent]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        return f"<Trace: {len(self.events)} events>"

    def __str__(self) -> str:
        return self.ladder()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows: the ladder, or its first lines if it is long."""
        printer.text(repr(self) if cycle else self.ladder(max_lines=_LINES, max_pairs=_PAIRS))

    def ladder(
        self,
        *,
        hosts: Sequence[str] | None = None,
        relative: bool = True,
        states: bool = True,
        width: int = 100,
        unicode: bool = False,
        max_lines: int | None = None,
        max_pairs: int | None = None,
    ) -> str:
        """The run as text, with times and states; see ``netsim.trace.ladder.ladder`` for the parameters."""
        return ladder(
            self.events,
            hosts=hosts,
            relative=relative,
            states=states,
            width=width,
            unicode=unicode,
            max_lines=max_lines,
            max_pairs=max_pairs,
        )

    def digest(self) -> str:
        """What identifies the run: see ``netsim.trace.digest.digest``."""
        return digest(self.events)
