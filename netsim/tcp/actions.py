"""Actions: what the TCP core asks its driver to do, and what it reports to a trace.

Every input of the stack returns a list of them. ``Transmit`` and ``Signal`` are always emitted; the others only while
``HostContext.tracing`` is set, so that they cost nothing without a trace. ``connection`` is the number of the TCB,
counted from 1 on each stack; 0 if there is none (a RST for no connection).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from netsim.tcp.segment import FourTuple, Segment
from netsim.tcp.state import State


class Transmit(NamedTuple):
    """Send ``segment``. ``timer``: a timer caused it (a retransmission, a probe, a delayed ACK)."""

    segment: Segment
    connection: int
    timer: bool = False


class Signal(NamedTuple):
    """The state of ``owner``, a socket, may have changed: connected, readable, writable; ended, if ``last``."""

    owner: Any
    last: bool = False


@dataclass(slots=True)
class Moved:
    """A connection has changed its state, by ``clause``."""

    connection: int
    flow: FourTuple
    old: State
    new: State
    clause: str


@dataclass(slots=True)
class Dropped:
    """A segment had no effect, apart from the answer that ``clause`` may ask for."""

    connection: int
    segment: Segment
    clause: str


@dataclass(slots=True)
class Accepted:
    """A segment had an effect: ``what`` is one of SYN, RST, ACK, DATA, FIN."""

    connection: int
    segment: Segment
    what: str
    clause: str


@dataclass(slots=True)
class Allocated:
    """A TCB was created."""

    connection: int
    flow: FourTuple
    state: State


@dataclass(slots=True)
class Freed:
    """A TCB was deleted. ``outcome`` is the error that the user gets, or empty."""

    connection: int
    flow: FourTuple
    outcome: str


Action: TypeAlias = Transmit | Signal | Moved | Dropped | Accepted | Allocated | Freed
