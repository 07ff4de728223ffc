"""What the TCP core asks of whoever drives it, and what it tells an observer.

``Transmit`` and ``Signal`` are always emitted; the others only while ``stack.record`` is set, so that tracing costs
nothing when nobody listens. ``connection`` is the number of the endpoint's connection record (its TCB), counted from 1
per stack; 0 where there is none (a RST for no connection).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from netsim.tcp.segment import FourTuple, Segment
from netsim.tcp.state import State


class Transmit(NamedTuple):
    """Send ``segment``. ``timer`` tells whether a timer caused it (a retransmission, a probe, a delayed ACK)."""

    segment: Segment
    connection: int
    timer: bool = False


class Signal(NamedTuple):
    """``owner`` (a socket) has news: connected, readable, writable, acceptable; or ended, and then the ``last``."""

    owner: Any
    last: bool = False


@dataclass(slots=True)
class Moved:
    """A connection changed its state, by the rule in ``clause``."""

    connection: int
    flow: FourTuple
    old: State
    new: State
    clause: str


@dataclass(slots=True)
class Dropped:
    """A segment had no effect (but for the reply that the clause may ask for)."""

    connection: int
    segment: Segment
    clause: str


@dataclass(slots=True)
class Accepted:
    """A segment took effect: ``what`` is one of SYN, RST, ACK, DATA, FIN."""

    connection: int
    segment: Segment
    what: str
    clause: str


@dataclass(slots=True)
class Allocated:
    """An endpoint set up a connection record."""

    connection: int
    flow: FourTuple
    state: State


@dataclass(slots=True)
class Freed:
    """An endpoint gave up a connection record. ``outcome`` is empty, or the error the user is told."""

    connection: int
    flow: FourTuple
    outcome: str


Action: TypeAlias = Transmit | Signal | Moved | Dropped | Accepted | Allocated | Freed
