"""Every edge of TRANSITIONS is taken by public calls and segments; every other one is refused.

``ROWS`` is the table of RFC 9293 3.3.2 and 3.10, typed from the data: the two must agree in both directions.
"""

import itertools
from collections.abc import Callable

import pytest

from netsim.tcp import clauses
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.connection import enter
from netsim.tcp.segment import FourTuple, Segment
from netsim.tcp.segment_arrives.icmp import IcmpError
from netsim.tcp.state import TRANSITIONS, Edge, State
from netsim.tcp.user_calls import abort, close, send
from tests.tcp.harness import BASE, LEGAL, PORTS, RfcSolo, flags_of, flow_from, reach

RFC_793 = BASE.replace(rst_policy="rfc793", syn_policy="rfc793", ack_policy="rfc793")
GIVES_UP = BASE.replace(retries2=2, syn_retries=1, synack_retries=1, user_timeout=None)
IMPATIENT = BASE.replace(connect_timeout=5.0, user_timeout=5.0)
PROBING = BASE.replace(
    keepalive=True, keepalive_idle=1.0, keepalive_interval=1.0, keepalive_probes=1, rto_min=100.0, rto_initial=100.0
)
Drive = Callable[[], RfcSolo]
Key = tuple[str, str, str]  # old, new, clause

TWO_WAY = clauses.TWO_WAY
OPEN, CLOSE, ABORT = clauses.OPEN, clauses.CLOSE, clauses.ABORT
RST, SYN, ACK, FIN = clauses.CHECK_2_RST, clauses.CHECK_4_SYN, clauses.CHECK_5_ACK, clauses.CHECK_8_FIN
ICMP = clauses.ICMP_ERROR
SENT = ("SYN-SENT", "SYN-RECEIVED")
SYNCHRONIZED = (
    "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
)  # fmt: skip
UNACKNOWLEDGED = (*SENT, "ESTABLISHED", "FIN-WAIT-1", "CLOSE-WAIT", "CLOSING", "LAST-ACK")

# From, to, clause: RFC 9293 3.3.2 (figure 5 and its notes) and 3.10.
ROWS: list[Key] = [
    ("CLOSED", "LISTEN", OPEN),
    ("CLOSED", "SYN-SENT", OPEN),
    ("LISTEN", "SYN-SENT", OPEN),
    ("LISTEN", "SYN-SENT", clauses.SEND),
    ("LISTEN", "SYN-RECEIVED", clauses.LISTEN_3_SYN),
    ("LISTEN", "CLOSED", CLOSE),
    ("LISTEN", "CLOSED", ABORT),
    ("SYN-SENT", "ESTABLISHED", clauses.SYN_SENT_4_SYN),
    ("SYN-SENT", "SYN-RECEIVED", clauses.SYN_SENT_4_SYN),
    ("SYN-SENT", "CLOSED", clauses.SYN_SENT_2_RST),
    ("SYN-SENT", "CLOSED", CLOSE),
    ("SYN-RECEIVED", "ESTABLISHED", ACK),
    ("SYN-RECEIVED", "LISTEN", RST),  # passive OPEN
    ("SYN-RECEIVED", "LISTEN", SYN),  # passive OPEN
    ("SYN-RECEIVED", "FIN-WAIT-1", CLOSE),
    ("ESTABLISHED", "FIN-WAIT-1", CLOSE),
    ("ESTABLISHED", "CLOSE-WAIT", FIN),
    ("FIN-WAIT-1", "FIN-WAIT-2", ACK),
    ("FIN-WAIT-1", "CLOSING", FIN),
    ("FIN-WAIT-1", "TIME-WAIT", FIN),  # note 2
    ("FIN-WAIT-2", "TIME-WAIT", FIN),
    ("CLOSE-WAIT", "LAST-ACK", CLOSE),
    ("CLOSING", "TIME-WAIT", ACK),
    ("LAST-ACK", "CLOSED", ACK),
    ("TIME-WAIT", "CLOSED", clauses.TIME_WAIT_TIMEOUT),
    ("TIME-WAIT", "SYN-RECEIVED", clauses.MAY_2),
    *((state, "CLOSED", RST) for state in ("SYN-RECEIVED", *SYNCHRONIZED)),
    *((state, "CLOSED", ABORT) for state in (*SENT, *SYNCHRONIZED)),
    # Nothing is unacknowledged in FIN-WAIT-2 and TIME-WAIT: the user timeout and R2 cannot run out there.
    *((state, "CLOSED", clauses.USER_TIMEOUT) for state in UNACKNOWLEDGED),
    *((state, "CLOSED", clauses.R2) for state in UNACKNOWLEDGED),
    # MUST-26: keep-alive only while nothing is unacknowledged.
    *((state, "CLOSED", clauses.KEEP_ALIVE) for state in ("ESTABLISHED", "FIN-WAIT-2", "CLOSE-WAIT")),
    # 3.9.2.2: an ICMP error about a segment that is not acknowledged.
    ("SYN-RECEIVED", "LISTEN", ICMP),  # passive OPEN
    *((state, "CLOSED", ICMP) for state in UNACKNOWLEDGED),
    *((state, "CLOSED", clauses.RFC793_SYN) for state in ("SYN-RECEIVED", *SYNCHRONIZED)),
    ("FIN-WAIT-1", "CLOSED", clauses.SHLD_3),
    ("FIN-WAIT-2", "CLOSED", clauses.SHLD_3),
    # Not in the RFC: a handshake of two segments, and what real hosts do.
    ("SYN-RECEIVED", "ESTABLISHED", TWO_WAY),
    ("SYN-RECEIVED", "CLOSED", clauses.ACCEPT_QUEUE_FULL),
    ("SYN-RECEIVED", "CLOSED", clauses.EVICTED),
    ("LISTEN", "SYN-RECEIVED", clauses.SYN_COOKIE),
    ("FIN-WAIT-2", "CLOSED", clauses.FIN_WAIT_2_TIMEOUT),
    ("TIME-WAIT", "CLOSED", OPEN),
    ("TIME-WAIT", "CLOSED", clauses.MAY_2),  # the old connection, whose four-tuple a new SYN has opened again
]  # fmt: skip


def at(state: str, config: TcpConfig = BASE) -> RfcSolo:
    """SYN-RECEIVED here is that of an active OPEN, unless it says "passive"."""
    return reach("SYN-RECEIVED active" if state == "SYN-RECEIVED" else state, config)


def peer_sends(state: str, names: str, seq: int, ack: int = 0, config: TcpConfig = BASE) -> Drive:
    def drive() -> RfcSolo:
        lone = at(state, config)
        lone.arrive(names, seq, ack)
        return lone

    return drive


def user_calls(state: str, name: str, *args: object, config: TcpConfig = BASE, **named: object) -> Drive:
    def drive() -> RfcSolo:
        lone = at(state, config)
        lone.call(name, *args, lone.ns, **named)
        return lone

    return drive


def icmp_says(state: str) -> Drive:
    """Protocol unreachable, about our first segment that is not acknowledged."""

    def drive() -> RfcSolo:
        lone = at(state)
        if state == "CLOSE-WAIT":
            lone.do(send, b"unacknowledged", lone.ns)
        tcb = lone.connection
        message = IcmpError(tcb.four_tuple, tcb.snd_una, "protocol_unreachable")
        lone.end.note(lone.stack.on_icmp(message, lone.ns))
        return lone

    return drive


def on_connection(state: str, call: Callable[..., None]) -> Drive:
    def drive() -> RfcSolo:
        lone = at(state)
        lone.do(call, lone.ns)
        return lone

    return drive


def time_passes(state: str, config: TcpConfig, seconds: float) -> Drive:
    def drive() -> RfcSolo:
        lone = at(state, config)
        if state == "CLOSE-WAIT":
            lone.do(send, b"unacknowledged", lone.ns)
        lone.wait(seconds)
        return lone

    return drive


def falls_silent(state: str) -> Drive:
    def drive() -> RfcSolo:
        lone = at(state, PROBING)
        if state == "ESTABLISHED":
            lone.arrive("ACK", 5001, 1011)
        lone.wait(10.0)
        return lone

    return drive


def opens_passively() -> RfcSolo:
    lone = RfcSolo()
    lone.listen()
    return lone


def accept_queue_overflows() -> RfcSolo:
    """Backlog 2: three SYN-RECEIVED entries, of which the last to complete finds the queue full and is reset."""
    lone = RfcSolo(BASE.replace(abort_on_overflow=True))
    lone.call("listen", PORTS["A"], backlog=2)

    def arrives(names: str, port: int, seq: int, ack: int = 0) -> None:
        flow = FourTuple("B", port, "A", PORTS["A"])
        lone.end.note(lone.stack.on_segment(Segment(flow, seq, ack, flags_of(names), 1000), lone.ns))

    arrives("SYN", 1, 5000)
    arrives("ACK", 1, 5001, 1001)
    arrives("SYN", 2, 5000)
    arrives("SYN", 3, 5000)
    arrives("ACK", 2, 5001, 1001)
    arrives("ACK", 3, 5001, 1001)
    return lone


def evicted() -> RfcSolo:
    lone = RfcSolo(BASE.replace(syn_queue_full="recycle-oldest"))
    lone.call("listen", PORTS["A"], backlog=1)
    lone.arrive("SYN", 5000)
    newer = Segment(FourTuple("B", 1, "A", PORTS["A"]), 1, 0, flags_of("SYN"), 1000)
    lone.end.note(lone.stack.on_segment(newer, lone.ns))
    return lone


def cookie_comes_back() -> RfcSolo:
    lone = RfcSolo(BASE.replace(syn_cookies="always"))
    lone.listen()
    (cookie,) = lone.arrive("SYN", 5000)
    lone.arrive("ACK", 5001, int(cookie.split("=")[1].split(">")[0]) + 1)
    return lone


def data_for_an_orphan(state: str) -> Drive:
    def drive() -> RfcSolo:
        lone = at("ESTABLISHED")
        lone.arrive("ACK", 5001, 1011)
        lone.call("close", lone.ns)
        if state == "FIN-WAIT-2":
            lone.arrive("ACK", 5001, 1012)
        lone.arrive("ACK", 5001, 1011, b"for nobody")
        return lone

    return drive


def orphan_waits() -> RfcSolo:
    lone = at("ESTABLISHED", BASE.replace(fin_wait_2_timeout=60.0))
    lone.call("close", lone.ns)
    lone.arrive("ACK", 5001, 1012)
    lone.wait(60.0)
    return lone


def reopened_by_the_peer() -> RfcSolo:
    lone = at("TIME-WAIT", BASE.replace(time_wait_reuse="rfc1122"))
    lone.stack.listen(PORTS["A"], 5)
    lone.arrive("SYN", 6000)
    return lone


def reopened_for_good() -> RfcSolo:
    lone = at("TIME-WAIT", BASE.replace(time_wait_reuse="rfc1122"))
    lone.stack.listen(PORTS["A"], 5)
    (answer,) = lone.arrive("SYN", 6000)
    assert (
        State.TIME_WAIT,
        State.CLOSED,
        clauses.MAY_2,
    ) not in lone.end.edges  # the SYN may be an old duplicate still
    lone.arrive("ACK", 6001, int(answer.split("=")[1].split(">")[0]) + 1)
    return lone


def reopened_from_here() -> RfcSolo:
    lone = at("TIME-WAIT", BASE.replace(time_wait_open="replace"))
    lone.end.note(lone.stack.open("B", PORTS["B"], lone.ns, sport=PORTS["A"])[1])
    return lone


RCV_NXT = {
    "SYN-RECEIVED": 5001, "ESTABLISHED": 5001, "FIN-WAIT-1": 5001, "FIN-WAIT-2": 5001,
    "CLOSE-WAIT": 5002, "CLOSING": 5002, "LAST-ACK": 5002, "TIME-WAIT": 5002,
}  # fmt: skip

DRIVES: dict[Key, Drive] = {
    ("CLOSED", "LISTEN", OPEN): opens_passively,
    ("CLOSED", "SYN-SENT", OPEN): lambda: at("SYN-SENT"),
    ("LISTEN", "SYN-SENT", OPEN): user_calls("LISTEN", "connect", "B", PORTS["B"]),
    ("LISTEN", "SYN-SENT", clauses.SEND): user_calls("LISTEN", "send", b"x", to=("B", PORTS["B"])),
    ("LISTEN", "SYN-RECEIVED", clauses.LISTEN_3_SYN): peer_sends("LISTEN", "SYN", 5000),
    ("LISTEN", "CLOSED", CLOSE): user_calls("LISTEN", "close"),
    ("LISTEN", "CLOSED", ABORT): user_calls("LISTEN", "abort"),
    ("SYN-SENT", "ESTABLISHED", clauses.SYN_SENT_4_SYN): peer_sends("SYN-SENT", "SYN,ACK", 5000, 1001),
    ("SYN-SENT", "SYN-RECEIVED", clauses.SYN_SENT_4_SYN): peer_sends("SYN-SENT", "SYN", 5000),
    ("SYN-SENT", "CLOSED", clauses.SYN_SENT_2_RST): peer_sends("SYN-SENT", "RST,ACK", 0, 1001),
    ("SYN-SENT", "CLOSED", CLOSE): user_calls("SYN-SENT", "shutdown"),
    ("SYN-RECEIVED", "ESTABLISHED", ACK): peer_sends("SYN-RECEIVED passive", "ACK", 5001, 1001),
    ("SYN-RECEIVED", "ESTABLISHED", TWO_WAY): peer_sends(
        "LISTEN", "SYN", 5000, config=BASE.replace(handshake="two-way")
    ),
    ("SYN-RECEIVED", "LISTEN", RST): peer_sends("SYN-RECEIVED passive", "RST", 5001),
    ("SYN-RECEIVED", "LISTEN", SYN): peer_sends("SYN-RECEIVED passive", "SYN", 5001),
    ("SYN-RECEIVED", "FIN-WAIT-1", CLOSE): on_connection("SYN-RECEIVED passive", close),
    ("ESTABLISHED", "FIN-WAIT-1", CLOSE): user_calls("ESTABLISHED", "shutdown"),
    ("ESTABLISHED", "CLOSE-WAIT", FIN): peer_sends("ESTABLISHED", "FIN,ACK", 5001, 1011),
    ("FIN-WAIT-1", "FIN-WAIT-2", ACK): peer_sends("FIN-WAIT-1", "ACK", 5001, 1002),
    ("FIN-WAIT-1", "CLOSING", FIN): peer_sends("FIN-WAIT-1", "FIN,ACK", 5001, 1001),
    ("FIN-WAIT-1", "TIME-WAIT", FIN): peer_sends("FIN-WAIT-1", "FIN,ACK", 5001, 1002),
    ("FIN-WAIT-2", "TIME-WAIT", FIN): peer_sends("FIN-WAIT-2", "FIN,ACK", 5001, 1002),
    ("CLOSE-WAIT", "LAST-ACK", CLOSE): user_calls("CLOSE-WAIT", "shutdown"),
    ("CLOSING", "TIME-WAIT", ACK): peer_sends("CLOSING", "ACK", 5002, 1002),
    ("LAST-ACK", "CLOSED", ACK): peer_sends("LAST-ACK", "ACK", 5002, 1002),
    ("TIME-WAIT", "CLOSED", clauses.TIME_WAIT_TIMEOUT): time_passes("TIME-WAIT", BASE, 240.0),
    ("TIME-WAIT", "SYN-RECEIVED", clauses.MAY_2): reopened_by_the_peer,
    ("TIME-WAIT", "CLOSED", OPEN): reopened_from_here,
    ("TIME-WAIT", "CLOSED", clauses.MAY_2): reopened_for_good,
    ("SYN-RECEIVED", "LISTEN", ICMP): icmp_says("SYN-RECEIVED passive"),
    ("SYN-RECEIVED", "CLOSED", clauses.ACCEPT_QUEUE_FULL): accept_queue_overflows,
    ("SYN-RECEIVED", "CLOSED", clauses.EVICTED): evicted,
    ("LISTEN", "SYN-RECEIVED", clauses.SYN_COOKIE): cookie_comes_back,
    ("FIN-WAIT-2", "CLOSED", clauses.FIN_WAIT_2_TIMEOUT): orphan_waits,
    ("FIN-WAIT-1", "CLOSED", clauses.SHLD_3): data_for_an_orphan("FIN-WAIT-1"),
    ("FIN-WAIT-2", "CLOSED", clauses.SHLD_3): data_for_an_orphan("FIN-WAIT-2"),
}
ENDS: dict[str, Callable[[str], Drive]] = {
    RST: lambda state: peer_sends(state, "RST", RCV_NXT[state]),
    ICMP: icmp_says,
    ABORT: lambda state: on_connection(state, abort),
    clauses.USER_TIMEOUT: lambda state: time_passes(state, IMPATIENT, 6.0),
    clauses.R2: lambda state: time_passes(state, GIVES_UP, 30.0),
    clauses.KEEP_ALIVE: falls_silent,
    clauses.RFC793_SYN: lambda state: peer_sends(state, "SYN", RCV_NXT[state], 0, RFC_793),
}
for _row in ROWS:
    if _row not in DRIVES:
        DRIVES[_row] = ENDS[_row[2]](_row[0])


def key(edge: Edge) -> Key:
    return str(edge.old), str(edge.new), edge.clause


def test_the_table_has_the_rows_of_the_rfc_and_no_others() -> None:
    assert len(ROWS) == len(set(ROWS))
    assert sorted(ROWS) == sorted(key(edge) for edge in TRANSITIONS)


@pytest.mark.parametrize("edge", TRANSITIONS, ids=lambda e: f"{e.old}-{e.new}-{e.clause}")
def test_every_edge_is_taken(edge: Edge) -> None:
    lone = DRIVES[key(edge)]()
    edges = lone.end.edges
    assert (edge.old, edge.new, edge.clause) in edges
    assert set(edges) <= LEGAL


@pytest.mark.parametrize("clause", sorted({edge.clause for edge in TRANSITIONS}))
def test_every_other_edge_is_refused(clause: str) -> None:
    lone = at("ESTABLISHED")
    tcb = lone.connection
    refused = 0
    for old, new in itertools.product(State, State):
        if (str(old), str(new), clause) in ROWS:
            continue
        tcb.state = old
        with pytest.raises(AssertionError, match="no edge"):
            enter(tcb, new, clause)
        assert tcb.state is old
        refused += 1
    assert refused == 11 * 11 - sum(row[2] == clause for row in ROWS)
    assert flow_from("B") in lone.stack.connections  # nothing happened
