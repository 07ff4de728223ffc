"""The protocol of a stage, and the parts that stages share; the package explains how they work together."""

from collections.abc import Callable, Collection
from typing import ClassVar, Protocol, TypeVar

from netsim.link.distributions import Source

Draw = TypeVar("Draw")

Stream = Callable[[str], Source]
"""Gives the source of a name; the same name must be asked for once only."""

Step = Callable[[list[int], int, int, Collection[str]], list[int]]
"""(times, sent, size, kinds) -> times: arrivals so far and time of sending (ns), bytes, kinds of packet.

The first of `times` belongs to the original, the others to its copies; an empty list is a lost packet.
"""


class PathCounters:
    """Counters of one open path, by stage, and the last stage that lost a packet (``cause``)."""

    __slots__ = ("cause", "counts")

    def __init__(self) -> None:
        self.cause = ""
        self.counts: dict[str, int] = {}

    def count(self, name: str, copies: int = 1) -> None:
        """Note what the stage `name` did to some copies."""
        self.counts[name] = self.counts.get(name, 0) + copies

    def lose(self, name: str, copies: int = 1) -> None:
        """Note that the stage `name` lost some copies of the packet at hand."""
        self.cause = name
        self.count(name, copies)

    def keep(self, name: str, times: list[int], kept: list[int]) -> list[int]:
        """`kept`, after noting how many of `times` the stage `name` left out of it."""
        if len(kept) < len(times):
            self.lose(name, len(times) - len(kept))
        return kept


class Stage(Protocol):
    """One impairment, as configured. Frozen, without state: the state belongs to the step that it starts."""

    name: ClassVar[str]
    """Its stream and its counter; the second of a kind in a path is "NAME.2"."""

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """The step that works under this name; None if it would do nothing (it then takes no stream)."""


def draws(
    make: Callable[[Source], Callable[[], Draw]], name: str, stream: Stream
) -> tuple[Callable[[], Draw], Callable[[], Draw]]:
    """The draw for packets and the draw for copies; the stream of the latter is made on first use."""
    copy: list[Callable[[], Draw]] = []

    def draw_for_copy() -> Draw:
        if not copy:
            copy.append(make(stream(f"{name}.copies")))
        return copy[0]()

    return make(stream(name)), draw_for_copy


def losing(make: Callable[[Source], Callable[[], bool]], name: str, stream: Stream, counters: PathCounters) -> Step:
    """A step that loses each copy for which a draw says so."""
    lost, lost_copy = draws(make, name, stream)

    def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
        gone = lost()  # drawn for a lost packet too, so that the draws of the n-th packet depend on n alone
        if len(times) > 1:
            kept = [] if gone else times[:1]
            kept += [time for time in times[1:] if not lost_copy()]
            return counters.keep(name, times, kept)
        if gone and times:
            counters.lose(name)
            return []
        return times

    return step


def bernoulli(probability: float) -> Callable[[Source], Callable[[], bool]]:
    """Makes a draw that is true with the given probability."""

    def make(rng: Source) -> Callable[[], bool]:
        random = rng.random
        return lambda: random() < probability

    return make
