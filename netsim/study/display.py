"""The ladder of a trace for a notebook or a script."""

import html
from dataclasses import dataclass

from netsim.trace import Trace
from netsim.trace.ladder import ladder as text_ladder


@dataclass(frozen=True, slots=True)
class Ladder:
    """A trace as a ladder: segments, states and timers. ``print`` and a notebook show it as it is."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<pre style="line-height: 1.2">{html.escape(self.text)}</pre>'


def ladder(trace: Trace, *, unicode: bool = False, width: int = 100, max_lines: int | None = 400) -> Ladder:
    """The ladder of a trace: ``netsim.ladder(world.trace)``.

    ``unicode``: smoother arrows. ``width``: characters of a line. ``max_lines``: lines per pair of hosts; None: all.
    """
    return Ladder(text_ladder(trace, unicode=unicode, width=width, max_lines=max_lines))
