"""Scripted faults: what happens to the n-th packet of a kind, as in "drop SYN 1" or "delay FIN 2 0.3"."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from netsim.link.distributions import require_delay
from netsim.link.stage import PathCounters, Step, Stream
from netsim.units import nanoseconds, parse_seconds, require_choice

KINDS = ("SYN", "SYNACK", "HSACK", "FIN", "ACKFIN", "RST", "DATA", "ACK", "ANY")
"""The sender names the kinds of each packet; a packet may be of several.

HSACK is the pure ACK of a SYN-ACK, ACKFIN that of the peer's FIN, ANY every packet.
"""

FaultAction = Literal["drop", "delay", "dup"]

_FORM = "ACTION KIND NTH [SECONDS] [from START], as in: drop SYN 1 | delay FIN 2 0.3 | dup ANY 3- 10ms from 2s"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One rule: what to do to which packets of one kind.

    nth: "1", "1-3", "2-" or "*", counted by this rule alone over the packets of its kind that were sent at
    or after `start` (s), whether or not another stage or rule loses them. action: "drop"; "delay" by `seconds`;
    "dup": a copy arrives `seconds` later. Raises ValueError for anything else.
    """

    kind: str
    nth: str = "1"
    action: FaultAction = "drop"
    seconds: float = 0.0
    start: float = 0.0

    def __post_init__(self) -> None:
        require_choice("kind", self.kind, KINDS)
        require_choice("action", self.action, get_args(FaultAction))
        _ordinals(self.nth)
        require_delay("seconds", self.seconds)
        require_delay("start", self.start)
        if self.action == "drop" and self.seconds:
            raise ValueError(f"seconds = {self.seconds}: must be 0 for a fault that drops")


@dataclass(frozen=True)
class Scripted:
    """Faults by ordinal and kind, applied in their order; a string in place of a Fault is parsed."""

    faults: Sequence[Fault | str] | str
    name: ClassVar[str] = "scripted"

    def __post_init__(self) -> None:
        object.__setattr__(self, "faults", self.rules())

    def rules(self) -> tuple[Fault, ...]:
        """The faults as Fault objects; in one string they are separated by ";" or line ends."""
        if not isinstance(self.faults, str | Sequence):
            raise ValueError(f"faults = {self.faults!r}: must be a sequence of Fault, or a string: {_FORM}")
        faults = re.split(r"[;\n]", self.faults) if isinstance(self.faults, str) else self.faults
        return tuple(fault if isinstance(fault, Fault) else parse_fault(fault) for fault in faults if fault)

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step | None:
        """See Stage."""
        matchers = [_Matcher(rule) for rule in self.rules()]
        return _apply_in_turn(matchers, name, counters) if matchers else None


class LiveScript:
    """A script that grows during a run: an added fault counts packets from then on. For one open path only."""

    name: ClassVar[str] = "scripted"

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._matchers = [_Matcher(fault) for fault in faults]

    def add(self, fault: Fault) -> None:
        """Let ``fault`` strike from now on."""
        self._matchers.append(_Matcher(fault))

    def start(self, name: str, stream: Stream, counters: PathCounters) -> Step:
        """See Stage."""
        return _apply_in_turn(self._matchers, name, counters)


def _apply_in_turn(matchers: list["_Matcher"], name: str, counters: PathCounters) -> Step:
    """The step that applies each rule in turn to the packets it matches."""

    def step(times: list[int], sent: int, size: int, kinds: Collection[str]) -> list[int]:
        for matcher in matchers:
            if matcher.matches(sent, kinds) and times:
                times = matcher.apply(times)
                counters.count(name)
                if not times:
                    counters.cause = name
        return times

    return step


class _Matcher:
    """A rule during one run: it counts the packets of its kind."""

    __slots__ = ("_action", "_delay", "_first", "_kind", "_last", "_seen", "_start")

    def __init__(self, rule: Fault) -> None:
        self._action, self._kind = rule.action, rule.kind
        self._delay, self._start = nanoseconds(rule.seconds), nanoseconds(rule.start)
        self._first, self._last = _ordinals(rule.nth)
        self._seen = 0

    def matches(self, sent: int, kinds: Collection[str]) -> bool:
        if sent < self._start or not (self._kind == "ANY" or self._kind in kinds):
            return False
        self._seen += 1
        return self._first <= self._seen and (self._last is None or self._seen <= self._last)

    def apply(self, times: list[int]) -> list[int]:
        if self._action == "drop":
            return []
        if self._action == "delay":
            return [time + self._delay for time in times]
        return [*times, times[0] + self._delay]


def parse_fault(text: str) -> Fault:
    """A fault from a string: ACTION KIND NTH [SECONDS] [from START]; durations as 0.3 or 300ms.

    Raises ValueError that quotes the string and says what is wrong with it.
    """
    words = text.split() if isinstance(text, str) else []
    start = "0"
    if len(words) >= 2 and words[-2].lower() == "from":
        start = words[-1]
        words = words[:-2]
    needs = {"drop": (3,), "delay": (4,), "dup": (3, 4)}
    action = words[0].lower() if words else ""
    if len(words) not in needs.get(action, ()):
        raise ValueError(f"fault {text!r}: must be {_FORM}")
    try:
        return Fault(
            kind=words[1].upper(),
            nth=words[2],
            action=action,  # type: ignore[arg-type]
            seconds=parse_seconds(words[3], name="seconds") if len(words) == 4 else 0.0,
            start=parse_seconds(start, name="start"),
        )
    except ValueError as error:
        raise ValueError(f"fault {text!r}: {error}") from None


def _ordinals(nth: str) -> tuple[int, int | None]:
    """First and last ordinal; None: no last."""
    if nth == "*":
        return 1, None
    match = re.fullmatch(r"([0-9]{1,9})(-([0-9]{1,9})?)?", nth) if isinstance(nth, str) else None
    if match is not None:
        first = int(match[1])
        last = int(match[3]) if match[3] else (None if match[2] else first)
        if first >= 1 and (last is None or last >= first):
            return first, last
    raise ValueError(f"nth = {nth!r}: must be 1, 1-3, 2- or * (ordinals from 1)")
