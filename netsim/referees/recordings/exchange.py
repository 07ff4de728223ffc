"""What one run shows, whether a kernel's or our own: packets, application results, states; in a form that compares.

Times are seconds from the client's connect call. Sequence numbers are relative to the ISN of the incarnation they
belong to: the nearest below them among the SYNs that were seen on the same port pair and in the same direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from netsim.referees.recordings.scenario import CLIENT, SERVER
from netsim.tcp.segment import ACK, SYN
from netsim.tcp.seq import MASK

ENDS: Final = (CLIENT, SERVER)
Ports = tuple[int, int]  # the sender's, the receiver's
_FAR: Final = 1 << 28  # no exchange sends as much: a number further from every ISN belongs to none
_LETTERS: Final = ((SYN, "S"), (0x01, "F"), (0x04, "R"), (ACK, "A"))  # PSH follows segmentation offload: not shown


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPacket:
    """A packet as a wire shows it: ``seq`` and ``ack`` count from anywhere; ``arrivals`` of it and its copies (s).

    ``since`` is the time since anything else happened at its sender (s): a packet came or went, an application acted.
    ``timer`` tells that a timer sent it; a wire does not show that.
    """

    time: float
    sender: str
    ports: Ports
    flags: int
    seq: int
    ack: int
    length: int
    options: tuple[str, ...]
    arrivals: tuple[float, ...]
    since: float
    timer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet in the form that compares.

    ``pair`` numbers the port pairs by first appearance. ``seq`` and ``ack`` are None where they mean nothing, or belong
    to no incarnation.
    """

    time: float
    sender: str
    pair: int
    flags: str
    seq: int | None
    ack: int | None
    length: int
    options: tuple[str, ...]
    arrivals: tuple[float, ...]
    since: float
    timer: bool

    @property
    def lost(self) -> bool:
        """Whether no copy arrived."""
        return not self.arrivals

    def transits(self) -> list[float]:
        """How long each copy that arrived was on its way (s), the first to arrive first."""
        return [arrival - self.time for arrival in sorted(self.arrivals)]

    def what(self) -> tuple[object, ...]:
        """What must be the same in two exchanges."""
        return (self.pair, self.flags, self.seq, self.ack, self.length, self.options, len(self.arrivals))

    def __str__(self) -> str:
        numbers = f"{'?' if self.seq is None else self.seq}"
        numbers += f" ack {self.ack}" if self.ack is not None else ""
        text = f"{self.time:9.3f} {self.sender} {self.flags:<2} {numbers}"
        text += f" len {self.length}" if self.length else ""
        text += f" <{' '.join(self.options)}>" if self.options else ""
        text += f" pair {self.pair}" if self.pair else ""
        return text + (" lost" if self.lost else f" x{len(self.arrivals)}" if len(self.arrivals) > 1 else "")


@dataclass(slots=True)
class Exchange:
    """One run. ``results`` are the applications', ``states`` the kernel's, each in order, by end.

    ``failed_after`` says of each result that is an error how long (s) nothing else had happened at that end.
    """

    packets: list[RawPacket] = field(default_factory=list)
    results: dict[str, list[str]] = field(default_factory=lambda: {end: [] for end in ENDS})
    states: dict[str, list[str]] = field(default_factory=lambda: {end: [] for end in ENDS})
    failed_after: dict[str, list[float]] = field(default_factory=lambda: {end: [] for end in ENDS})

    def result(self, end: str, what: str) -> None:
        """Note what a call returned; bytes received one after another count together."""
        results = self.results[end]
        count, _, unit = what.partition(" ")
        if unit == "bytes" and results and results[-1].endswith(" bytes"):
            what = f"{int(results.pop().split()[0]) + int(count)} bytes"
        results.append(what)

    def normal(self) -> list[Packet]:
        """The packets in the form that compares, in order of sending."""
        isns: dict[tuple[str, Ports], list[int]] = {}
        pairs: dict[Ports, int] = {}
        normal = []
        for raw in self.packets:
            there, back = (raw.sender, raw.ports), (other(raw.sender), raw.ports[::-1])
            pair = raw.ports if raw.sender == CLIENT else raw.ports[::-1]
            own = isns.setdefault(there, [])
            if raw.flags & SYN and raw.seq not in own:
                own.append(raw.seq)
            normal.append(
                Packet(
                    time=raw.time,
                    sender=raw.sender,
                    pair=pairs.setdefault(pair, len(pairs)),
                    flags="".join(letter for bit, letter in _LETTERS if raw.flags & bit),
                    seq=_relative(raw.seq, own),
                    ack=_relative(raw.ack, isns.get(back, ())) if raw.flags & ACK else None,
                    length=raw.length,
                    options=raw.options,
                    arrivals=raw.arrivals,
                    since=raw.since,
                    timer=raw.timer,
                )
            )
        return normal


def _relative(number: int, isns: Sequence[int]) -> int | None:
    """How far ``number`` lies beyond the nearest ISN below it; itself before there is any, None far from all."""
    if not isns:
        return number
    distance = min((number - isn) & MASK for isn in isns)
    return distance if distance < _FAR else None


def is_failure(result: str) -> bool:
    """Whether a call returned an error that took its time to come: ``connect ETIMEDOUT``."""
    word = result.rpartition(" ")[2]
    return len(word) > 1 and word[0] == "E" and word.isupper() and word not in ("EOF", "EINPROGRESS")


def other(end: str) -> str:
    """The end at the other side."""
    return SERVER if end == CLIENT else CLIENT
