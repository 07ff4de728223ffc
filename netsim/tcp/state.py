"""The eleven states and every legal edge between them, each with its clause (RFC 9293 3.3.2 and 3.10).

``TRANSITIONS`` serves the run-time guard, the exhaustive test, the state diagram and the vocabulary of the trace.
CLOSED is the absence of a TCB.
"""

from collections import defaultdict
from enum import IntEnum
from typing import Final, NamedTuple

from netsim.tcp.clauses import (
    ABORT,
    ACCEPT_QUEUE_FULL,
    CHECK_2_RST,
    CHECK_4_SYN,
    CHECK_5_ACK,
    CHECK_8_FIN,
    CLOSE,
    EVICTED,
    FIN_WAIT_2_TIMEOUT,
    ICMP_ERROR,
    KEEP_ALIVE,
    LISTEN_3_SYN,
    MAY_2,
    OPEN,
    R2,
    RFC793_SYN,
    SEND,
    SHLD_3,
    SYN_COOKIE,
    SYN_SENT_2_RST,
    SYN_SENT_4_SYN,
    TIME_WAIT_TIMEOUT,
    TWO_WAY,
    USER_TIMEOUT,
)


class State(IntEnum):
    """A connection's state, in the order of RFC 9293 3.3.2."""

    CLOSED = 0
    LISTEN = 1
    SYN_SENT = 2
    SYN_RECEIVED = 3
    ESTABLISHED = 4
    FIN_WAIT_1 = 5
    FIN_WAIT_2 = 6
    CLOSE_WAIT = 7
    CLOSING = 8
    LAST_ACK = 9
    TIME_WAIT = 10

    def __str__(self) -> str:
        return self.name.replace("_", "-")


CLOSED = State.CLOSED
LISTEN = State.LISTEN
SYN_SENT = State.SYN_SENT
SYN_RECEIVED = State.SYN_RECEIVED
ESTABLISHED = State.ESTABLISHED
FIN_WAIT_1 = State.FIN_WAIT_1
FIN_WAIT_2 = State.FIN_WAIT_2
CLOSE_WAIT = State.CLOSE_WAIT
CLOSING = State.CLOSING
LAST_ACK = State.LAST_ACK
TIME_WAIT = State.TIME_WAIT

SYNCHRONIZED: Final = frozenset(State) - {CLOSED, LISTEN, SYN_SENT, SYN_RECEIVED}


class Edge(NamedTuple):
    """One legal change of state: the event, and the clause that orders it."""

    old: State
    new: State
    event: str
    clause: str


def _reset(state: State) -> Edge:
    return Edge(state, CLOSED, "rcv RST", CHECK_2_RST)


def _abort(state: State) -> Edge:
    return Edge(state, CLOSED, "ABORT", ABORT)


def _expire(state: State) -> Edge:
    return Edge(state, CLOSED, "user timeout", USER_TIMEOUT)


def _abort_by_r2(state: State) -> Edge:
    return Edge(state, CLOSED, "R2 reached", R2)


def _killed_by_syn(state: State) -> Edge:
    return Edge(state, CLOSED, "rcv SYN in window", RFC793_SYN)


def _unreachable(state: State) -> Edge:
    return Edge(state, CLOSED, "ICMP error", ICMP_ERROR)


def _orphan_data(state: State) -> Edge:
    return Edge(state, CLOSED, "rcv data after CLOSE", SHLD_3)


_OPEN: Final = (
    Edge(CLOSED, LISTEN, "passive OPEN", OPEN),
    Edge(CLOSED, SYN_SENT, "active OPEN", OPEN),
    Edge(LISTEN, SYN_SENT, "active OPEN", OPEN),
    Edge(LISTEN, SYN_SENT, "SEND", SEND),
    Edge(LISTEN, SYN_RECEIVED, "rcv SYN", LISTEN_3_SYN),
    Edge(LISTEN, SYN_RECEIVED, "rcv ACK of a SYN cookie", SYN_COOKIE),
    Edge(LISTEN, CLOSED, "CLOSE", CLOSE),
    Edge(LISTEN, CLOSED, "ABORT", ABORT),
    Edge(SYN_SENT, ESTABLISHED, "rcv SYN,ACK", SYN_SENT_4_SYN),
    Edge(SYN_SENT, SYN_RECEIVED, "rcv SYN", SYN_SENT_4_SYN),
    Edge(SYN_SENT, CLOSED, "rcv RST", SYN_SENT_2_RST),
    Edge(SYN_SENT, CLOSED, "CLOSE", CLOSE),
    Edge(SYN_RECEIVED, ESTABLISHED, "rcv ACK of SYN", CHECK_5_ACK),
    Edge(SYN_RECEIVED, ESTABLISHED, "SYN answered, two-way", TWO_WAY),
    Edge(SYN_RECEIVED, LISTEN, "rcv RST, passive OPEN", CHECK_2_RST),
    Edge(SYN_RECEIVED, LISTEN, "rcv SYN in window, passive OPEN", CHECK_4_SYN),
    Edge(SYN_RECEIVED, LISTEN, "ICMP error, passive OPEN", ICMP_ERROR),
    Edge(SYN_RECEIVED, FIN_WAIT_1, "CLOSE", CLOSE),
    Edge(SYN_RECEIVED, CLOSED, "accept queue full", ACCEPT_QUEUE_FULL),
    Edge(SYN_RECEIVED, CLOSED, "evicted by a new SYN", EVICTED),
)

_CLOSE: Final = (
    Edge(ESTABLISHED, FIN_WAIT_1, "CLOSE", CLOSE),
    Edge(ESTABLISHED, CLOSE_WAIT, "rcv FIN", CHECK_8_FIN),
    Edge(FIN_WAIT_1, FIN_WAIT_2, "rcv ACK of FIN", CHECK_5_ACK),
    Edge(FIN_WAIT_1, CLOSING, "rcv FIN", CHECK_8_FIN),
    Edge(FIN_WAIT_1, TIME_WAIT, "rcv FIN, own FIN acknowledged", CHECK_8_FIN),
    Edge(FIN_WAIT_2, TIME_WAIT, "rcv FIN", CHECK_8_FIN),
    Edge(FIN_WAIT_2, CLOSED, FIN_WAIT_2_TIMEOUT, FIN_WAIT_2_TIMEOUT),
    Edge(CLOSE_WAIT, LAST_ACK, "CLOSE", CLOSE),
    Edge(CLOSING, TIME_WAIT, "rcv ACK of FIN", CHECK_5_ACK),
    Edge(LAST_ACK, CLOSED, "rcv ACK of FIN", CHECK_5_ACK),
    Edge(TIME_WAIT, CLOSED, "2MSL timeout", TIME_WAIT_TIMEOUT),
    Edge(TIME_WAIT, SYN_RECEIVED, "rcv new SYN", MAY_2),
    Edge(TIME_WAIT, CLOSED, "replaced by an active OPEN", OPEN),
    Edge(TIME_WAIT, CLOSED, "reopened by a new SYN, now ESTABLISHED", MAY_2),
)

# States in which a segment may be unacknowledged: in FIN-WAIT-2 and TIME-WAIT no retransmission reaches R2.
_AWAITING_ACK: Final = (SYN_SENT, SYN_RECEIVED, *sorted(SYNCHRONIZED - {FIN_WAIT_2, TIME_WAIT}))

_ENDS: Final = (
    *(_reset(s) for s in (SYN_RECEIVED, *sorted(SYNCHRONIZED))),
    *(_abort(s) for s in (SYN_SENT, SYN_RECEIVED, *sorted(SYNCHRONIZED))),
    *(_expire(s) for s in _AWAITING_ACK),
    *(_abort_by_r2(s) for s in _AWAITING_ACK),
    *(_unreachable(s) for s in _AWAITING_ACK),
    *(_killed_by_syn(s) for s in (SYN_RECEIVED, *sorted(SYNCHRONIZED))),
    *(_orphan_data(s) for s in (FIN_WAIT_1, FIN_WAIT_2)),
    # MUST-26: only while nothing is unacknowledged, so never with an outstanding FIN.
    *(Edge(s, CLOSED, "keep-alive probes unanswered", KEEP_ALIVE) for s in (ESTABLISHED, FIN_WAIT_2, CLOSE_WAIT)),
)

TRANSITIONS: Final[tuple[Edge, ...]] = (*_OPEN, *_CLOSE, *_ENDS)


def _by_origin() -> tuple[defaultdict[str, tuple[State, ...]], ...]:
    table = tuple(defaultdict[str, tuple[State, ...]](tuple) for _ in State)
    for edge in TRANSITIONS:
        table[edge.old][edge.clause] += (edge.new,)
    return table


LEADS_TO: Final = _by_origin()  # for the run-time guard: from each state, the states that a clause leads to
