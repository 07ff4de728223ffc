"""What a run shows, recorded or simulated: packets, results of application calls, and states, in a comparable form.

Times are seconds from the client's connect call. Sequence numbers are relative to the ISN of the incarnation to which
they belong: the nearest ISN below them among the SYNs seen on the same port pair in the same direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from netsim.referees.recordings.scenario import CLIENT, ENDS, SERVER
from netsim.tcp.segment import ACK, MASK, SYN

Ports = tuple[int, int]  # the sender's, the receiver's
_FAR: Final = 1 << 28  # more than any exchange sends: a number that far from all ISNs belongs to none
_LETTERS: Final = ((SYN, "S"), (0x01, "F"), (0x04, "R"), (ACK, "A"))  # PSH depends on segmentation offload


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPacket:
    """A packet as the wire shows it: ``seq`` and ``ack`` may count from any number.

    ``arrivals`` are the times at which the packet and its copies arrived. ``since`` is the time since anything else
    happened at its sender (s): a packet was sent or arrived, or an application acted. ``timer``: a timer caused it,
    which is known of simulated packets only.
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
    """A packet in comparable form.

    ``pair`` numbers the port pairs in the order of their appearance. ``seq`` and ``ack`` are None where they have no
    meaning, or belong to no incarnation.
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

    def one_way_delays(self) -> list[float]:
        """The one-way delay (s) of each copy that arrived, in the order of arrival."""
        return [arrival - self.time for arrival in sorted(self.arrivals)]

    def compared(self) -> tuple[object, ...]:
        """The values that must be equal in two exchanges."""
        return (self.pair, self.flags, self.seq, self.ack, self.length, self.options, len(self.arrivals))

    def __str__(self) -> str:
        numbers = f"{'?' if self.seq is None else self.seq}"
        numbers += f" ack {self.ack}" if self.ack is not None else ""
        line = f"{self.time:9.3f} {self.sender} {self.flags:<2} {numbers}"
        line += f" len {self.length}" if self.length else ""
        line += f" <{' '.join(self.options)}>" if self.options else ""
        line += f" pair {self.pair}" if self.pair else ""
        return line + (" lost" if self.lost else f" x{len(self.arrivals)}" if len(self.arrivals) > 1 else "")


@dataclass(slots=True)
class Exchange:
    """One run. ``results`` of application calls and ``states`` of connections, each in order, by end.

    ``error_delays``: for each result that is an error, the time (s) since anything else had happened at that end.
    """

    packets: list[RawPacket] = field(default_factory=list)
    results: dict[str, list[str]] = field(default_factory=lambda: {end: [] for end in ENDS})
    states: dict[str, list[str]] = field(default_factory=lambda: {end: [] for end in ENDS})
    error_delays: dict[str, list[float]] = field(default_factory=lambda: {end: [] for end in ENDS})

    def result(self, end: str, what: str) -> None:
        """Record what a call returned; the bytes of consecutive receive calls are added up."""
        results = self.results[end]
        count, _, unit = what.partition(" ")
        if unit == "bytes" and results and results[-1].endswith(" bytes"):
            what = f"{int(results.pop().split()[0]) + int(count)} bytes"
        results.append(what)

    def normalized(self) -> list[Packet]:
        """The packets in comparable form, in the order of sending."""
        isns: dict[tuple[str, Ports], list[int]] = {}
        pairs: dict[Ports, int] = {}
        packets = []
        for raw in self.packets:
            there, back = (raw.sender, raw.ports), (other(raw.sender), raw.ports[::-1])
            pair = raw.ports if raw.sender == CLIENT else raw.ports[::-1]
            own = isns.setdefault(there, [])
            if raw.flags & SYN and raw.seq not in own:
                own.append(raw.seq)
            packets.append(
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
        return packets


def _relative(number: int, isns: Sequence[int]) -> int | None:
    """The distance of ``number`` from the nearest ISN below it; the number itself if there is none, None if too far."""
    if not isns:
        return number
    distance = min((number - isn) & MASK for isn in isns)
    return distance if distance < _FAR else None


def is_error(result: str) -> bool:
    """Whether a call returned an error, and not immediately: ``connect ETIMEDOUT``."""
    word = result.rpartition(" ")[2]
    return len(word) > 1 and word[0] == "E" and word.isupper() and word not in ("EOF", "EINPROGRESS")


def other(end: str) -> str:
    """The other end."""
    return SERVER if end == CLIENT else CLIENT
