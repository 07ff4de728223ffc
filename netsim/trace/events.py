"""What a trace holds: one ``TraceEvent`` for each thing that happened, in the order in which it happened. Times are ns.

``packet`` numbers the packets of a world from 1 in order of sending; the copies of a packet share its number.
"""

from dataclasses import dataclass
from typing import TypeAlias

from netsim.tcp.actions import Accepted, Allocated, Dropped, Freed, Moved
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import Segment

Decision: TypeAlias = Moved | Dropped | Accepted | Allocated | Freed


@dataclass(slots=True)
class Packet:
    """A segment in flight with its ground truth, which no TCP reads.

    ``connection`` is the sender's number of its connection (0: none); ``incarnation`` counts the sender's connections
    on this four-tuple; ``forged``: no TCP sent it; ``timer``: a timer did.
    """

    number: int
    segment: Segment
    sender: str
    sent_at: int
    connection: int
    incarnation: int
    forged: bool = False
    timer: bool = False


@dataclass(slots=True)
class Sent:
    """A host sent a packet; ``arrivals`` are the times at which its copies will arrive (none: lost to ``cause``)."""

    time: int
    host: str
    packet: Packet
    arrivals: tuple[int, ...]
    cause: str


@dataclass(slots=True)
class Arrived:
    """A copy of a packet reached ``host``. ``stale``: its sender has opened a newer connection on the four-tuple."""

    time: int
    host: str
    packet: Packet
    stale: bool


@dataclass(slots=True)
class Decided:
    """The TCP of ``host`` decided something; ``packet`` is the one that it processes, None for timers and calls."""

    time: int
    host: str
    decision: Decision
    packet: Packet | None


@dataclass(slots=True)
class Called:
    """An application's socket call: ``phase`` is ``call`` or ``return``, ``detail`` its argument or its result.

    ``detail`` is a string, a number (a port, a count of bytes), or the TcpError that the call raises; nothing whose
    string form could differ between two runs. ``connection`` is the number of the socket's connection; 0: none yet.
    """

    time: int
    host: str
    phase: str
    call: str
    detail: str | int | TcpError | None
    connection: int = 0


TraceEvent: TypeAlias = Sent | Arrived | Decided | Called
