"""OPEN, SEND, RECEIVE, CLOSE, ABORT and STATUS in every state, with the RFC's errors (RFC 9293 3.10.1 to 3.10.6).

Where the RFC answers RECEIVE with "connection closing", a socket shows the end of the stream: empty bytes.
"""

from collections.abc import Callable

import pytest

from netsim.tcp.errors import (
    ConnectionAborted,
    ConnectionAlreadyExists,
    ConnectionClosing,
    ConnectionDoesNotExist,
    ConnectionRefused,
    ConnectionReset,
    ConnectionTimedOut,
    InsufficientResources,
    RemoteSocketUnspecified,
    TcpError,
)
from netsim.tcp.socket import Socket
from netsim.tcp.user_calls import send
from tests.tcp.harness import BASE, PORTS, STATES, RfcSolo, reach

OPENING = ("SYN-SENT", "SYN-RECEIVED passive", "SYN-RECEIVED active")
Answer = type[TcpError] | list[str] | None

# What the call does in each state: the error it raises, or what it sends and the state it leads to.
SEND: dict[str, Answer] = {
    "CLOSED": ConnectionDoesNotExist,
    "LISTEN": RemoteSocketUnspecified,
    "SYN-SENT": [],  # queued until ESTABLISHED
    "SYN-RECEIVED passive": [],
    "SYN-RECEIVED active": [],
    "ESTABLISHED": [],  # Nagle: ten bytes are in flight
    "FIN-WAIT-1": ConnectionClosing,
    "FIN-WAIT-2": ConnectionClosing,
    "CLOSE-WAIT": ["<SEQ=1001><ACK=5002><CTL=ACK><DATA=4>"],
    "CLOSING": ConnectionClosing,
    "LAST-ACK": ConnectionClosing,
    "TIME-WAIT": ConnectionClosing,
}
CLOSE: dict[str, tuple[Answer, str]] = {
    "CLOSED": (ConnectionDoesNotExist, "CLOSED"),
    "LISTEN": ([], "CLOSED"),
    "SYN-SENT": ([], "CLOSED"),
    "SYN-RECEIVED passive": (["<SEQ=1001><ACK=5001><CTL=FIN,ACK>"], "FIN-WAIT-1"),
    "SYN-RECEIVED active": (["<SEQ=1001><ACK=5001><CTL=FIN,ACK>"], "FIN-WAIT-1"),
    "ESTABLISHED": (["<SEQ=1011><ACK=5001><CTL=FIN,ACK>"], "FIN-WAIT-1"),
    "FIN-WAIT-1": (ConnectionClosing, "FIN-WAIT-1"),
    "FIN-WAIT-2": (ConnectionClosing, "FIN-WAIT-2"),
    "CLOSE-WAIT": (["<SEQ=1001><ACK=5002><CTL=FIN,ACK>"], "LAST-ACK"),
    "CLOSING": (ConnectionClosing, "CLOSING"),
    "LAST-ACK": (ConnectionClosing, "LAST-ACK"),
    "TIME-WAIT": (ConnectionClosing, "TIME-WAIT"),
}
ABORT: dict[str, Answer] = {
    "CLOSED": ConnectionDoesNotExist,
    "LISTEN": [],
    "SYN-SENT": [],
    "SYN-RECEIVED passive": ["<SEQ=1001><CTL=RST>"],
    "SYN-RECEIVED active": ["<SEQ=1001><CTL=RST>"],
    "ESTABLISHED": ["<SEQ=1011><CTL=RST>"],
    "FIN-WAIT-1": ["<SEQ=1002><CTL=RST>"],
    "FIN-WAIT-2": ["<SEQ=1002><CTL=RST>"],
    "CLOSE-WAIT": ["<SEQ=1001><CTL=RST>"],
    "CLOSING": [],
    "LAST-ACK": [],
    "TIME-WAIT": [],
}
RECEIVE: dict[str, type[TcpError] | bytes | None] = {
    "CLOSED": ConnectionDoesNotExist,
    "LISTEN": None,  # waits
    "SYN-SENT": None,
    "SYN-RECEIVED passive": None,
    "SYN-RECEIVED active": None,
    "ESTABLISHED": None,
    "FIN-WAIT-1": None,
    "FIN-WAIT-2": None,
    "CLOSE-WAIT": b"",
    "CLOSING": b"",
    "LAST-ACK": b"",
    "TIME-WAIT": b"",
}


def in_state(state: str) -> RfcSolo:
    """As ``reach``; the socket is the connection's, also before it is accepted."""
    lone = reach(state)
    if state == "SYN-RECEIVED passive":
        lone.socket = Socket(lone.stack, tcb=lone.tcb)
    lone.sent = []
    return lone


def answer_of(lone: RfcSolo, call: Callable[[], object]) -> Answer:
    try:
        call()
    except TcpError as error:
        return type(error)
    return lone.sent


@pytest.mark.parametrize("state", STATES)
def test_active_open(state: str) -> None:
    """From CLOSED and LISTEN a SYN; elsewhere the connection already exists."""
    lone = in_state(state)
    answer = answer_of(lone, lambda: lone.call("connect", "B", PORTS["B"], lone.ns))
    if state in ("CLOSED", "LISTEN"):
        assert answer == ["<SEQ=1000><CTL=SYN>"]
        assert str(lone.socket.state) == "SYN-SENT"
    else:
        assert answer is ConnectionAlreadyExists
        # Another socket cannot have the same four-tuple either.
        with pytest.raises(ConnectionAlreadyExists):
            lone.stack.open("B", PORTS["B"], lone.ns, sport=PORTS["A"])
        assert str(lone.state) == state.split()[0]


@pytest.mark.parametrize("state", STATES)
def test_passive_open(state: str) -> None:
    lone = in_state(state)
    answer = answer_of(lone, lambda: lone.call("listen", PORTS["A"]))
    assert answer == ([] if state == "CLOSED" else ConnectionAlreadyExists)


def test_a_port_has_one_listener() -> None:
    lone = in_state("LISTEN")
    with pytest.raises(ConnectionAlreadyExists):
        Socket(lone.stack).listen(PORTS["A"])


@pytest.mark.parametrize("state", STATES)
def test_send(state: str) -> None:
    lone = in_state(state)
    assert answer_of(lone, lambda: lone.call("send", b"data", lone.ns)) == SEND[state]


def test_send_from_listen_with_the_remote_socket() -> None:
    """3.10.2: the connection turns active, the data follows the handshake."""
    lone = in_state("LISTEN")
    lone.call("send", b"data", lone.ns, to=("B", PORTS["B"]))
    assert lone.sent == ["<SEQ=1000><CTL=SYN>"]
    assert lone.arrive("SYN,ACK", 5000, 1001) == ["<SEQ=1001><ACK=5001><CTL=ACK><DATA=4>"]


@pytest.mark.parametrize("state", OPENING)
def test_data_queued_before_established(state: str) -> None:
    lone = in_state(state)
    lone.call("send", b"data", lone.ns)
    names, seq = ("SYN,ACK", 5000) if state == "SYN-SENT" else ("ACK", 5001)
    assert lone.arrive(names, seq, 1001) == ["<SEQ=1001><ACK=5001><CTL=ACK><DATA=4>"]


def test_send_without_room() -> None:
    lone = reach("ESTABLISHED", BASE.replace(send_buffer=100))
    with pytest.raises(InsufficientResources, match="100 bytes, room for 90"):
        lone.do(send, b"x" * 100, lone.ns)
    assert lone.call("send", b"x" * 100, lone.ns) == 90  # a socket takes what fits


@pytest.mark.parametrize("state", STATES)
def test_receive(state: str) -> None:
    lone = in_state(state)
    expected = RECEIVE[state]
    if isinstance(expected, type):
        with pytest.raises(expected):
            lone.call("receive", 100, lone.ns)
    else:
        assert lone.call("receive", 100, lone.ns) == expected


@pytest.mark.parametrize("state", ["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"])
def test_receive_data_then_the_end(state: str) -> None:
    lone = in_state(state)
    lone.arrive("FIN,ACK", 5001, 1001, b"data")
    assert [lone.call("receive", 3, lone.ns) for _ in range(4)] == [b"dat", b"a", b"", b""]


@pytest.mark.parametrize("state", STATES)
def test_close(state: str) -> None:
    lone = in_state(state)
    answer, new = CLOSE[state]
    assert answer_of(lone, lambda: lone.call("shutdown", lone.ns)) == answer
    assert str(lone.state) == new
    if new == "FIN-WAIT-1":
        with pytest.raises(ConnectionClosing):  # and no second FIN
            lone.call("shutdown", lone.ns)


@pytest.mark.parametrize("state", ["SYN-RECEIVED passive", "SYN-RECEIVED active"])
def test_close_waits_for_data_queued_before_established(state: str) -> None:
    """3.10.4: with SENDs queued, CLOSE is processed after ESTABLISHED."""
    lone = in_state(state)
    lone.call("send", b"data", lone.ns)
    lone.call("shutdown", lone.ns)
    assert str(lone.state) == "SYN-RECEIVED"
    assert lone.sent == []
    for name, args in (("shutdown", ()), ("send", (b"more",))):
        with pytest.raises(ConnectionClosing):
            lone.call(name, *args, lone.ns)
    assert lone.arrive("ACK", 5001, 1001) == ["<SEQ=1001><ACK=5001><CTL=FIN,ACK><DATA=4>"]
    assert str(lone.state) == "FIN-WAIT-1"


@pytest.mark.parametrize("state", ["SYN-RECEIVED passive", "SYN-RECEIVED active"])
@pytest.mark.parametrize("acks", [[1001, 1002], [1002]])
def test_close_before_established_to_the_end(state: str, acks: list[int]) -> None:
    """From SYN-RECEIVED to FIN-WAIT-1: the ACK of SYN alone leaves the state, that of FIN leads on."""
    lone = in_state(state)
    lone.call("shutdown", lone.ns)
    for ack in acks:
        assert str(lone.state) == "FIN-WAIT-1"
        assert lone.arrive("ACK", 5001, ack) == []
    assert str(lone.state) == "FIN-WAIT-2"
    assert lone.arrive("FIN,ACK", 5001, 1002) == ["<SEQ=1002><ACK=5002><CTL=ACK>"]
    assert lone.wait(240.0) == []
    assert str(lone.connection.state if lone.tcb else "CLOSED") == "CLOSED"


@pytest.mark.parametrize("state", STATES)
def test_abort(state: str) -> None:
    lone = in_state(state)
    assert answer_of(lone, lambda: lone.call("abort", lone.ns)) == ABORT[state]
    assert lone.tcb is None
    if state not in ("CLOSED", "LISTEN"):
        assert isinstance(lone.socket.tcb.error, ConnectionAborted)
        assert lone.wait(1000.0) == []  # no timer is left


@pytest.mark.parametrize("state", STATES)
def test_status(state: str) -> None:
    lone = in_state(state)
    if state == "CLOSED":
        with pytest.raises(ConnectionDoesNotExist):
            lone.call("status")
        return
    status = lone.call("status")
    assert str(status.state) == state.split()[0]
    assert (status.flow.src, status.flow.sport) == ("A", PORTS["A"])
    assert status.rcv_wnd == 1000
    assert status.snd_wnd == (0 if state in ("LISTEN", "SYN-SENT") else 2000)
    outstanding = {"SYN-SENT": 1, "SYN-RECEIVED": 1, "ESTABLISHED": 10, "FIN-WAIT-1": 1, "CLOSING": 1, "LAST-ACK": 1}
    assert status.unacknowledged == outstanding.get(state.split()[0], 0)


@pytest.mark.parametrize(
    ("state", "names", "seq", "ack", "error"),
    [
        ("SYN-SENT", "RST,ACK", 0, 1001, ConnectionRefused),  # the RFC's text says "reset"; sockets say ECONNREFUSED
        ("SYN-RECEIVED active", "RST", 5001, 0, ConnectionRefused),
        ("ESTABLISHED", "RST", 5001, 0, ConnectionReset),
        ("FIN-WAIT-1", "RST", 5001, 0, ConnectionReset),
        ("FIN-WAIT-2", "RST", 5001, 0, ConnectionReset),
        ("CLOSE-WAIT", "RST", 5002, 0, ConnectionReset),
        ("CLOSING", "RST", 5002, 0, None),
        ("LAST-ACK", "RST", 5002, 0, None),
        ("TIME-WAIT", "RST", 5002, 0, None),
    ],
)
def test_the_error_after_a_reset(state: str, names: str, seq: int, ack: int, error: type[TcpError] | None) -> None:
    """3.10.7.3 and 3.10.7.4, second; afterwards every call but OPEN fails, with what ended the connection."""
    lone = in_state(state)
    lone.arrive(names, seq, ack)
    assert lone.tcb is None
    told = error or ConnectionDoesNotExist
    for name, args in (("send", (b"x",)), ("shutdown", ()), ("abort", ())):
        with pytest.raises(told):
            lone.call(name, *args, lone.ns)
    with pytest.raises(told):
        lone.call("status")
    if error is not None and state != "CLOSE-WAIT":  # there the peer's FIN came before
        with pytest.raises(told):
            lone.call("receive", 1, lone.ns)


def test_the_error_after_the_user_timeout() -> None:
    lone = reach("ESTABLISHED", BASE.replace(user_timeout=10.0))
    lone.wait(10.0)
    with pytest.raises(ConnectionTimedOut, match="connection aborted due to user timeout"):
        lone.call("send", b"x", lone.ns)


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (ConnectionAlreadyExists, "connection already exists"),
        (ConnectionDoesNotExist, "connection does not exist"),
        (ConnectionClosing, "connection closing"),
        (RemoteSocketUnspecified, "remote socket unspecified"),
        (InsufficientResources, "insufficient resources"),
        (ConnectionRefused, "connection refused"),
        (ConnectionReset, "connection reset"),
        (ConnectionTimedOut, "connection aborted due to user timeout"),
    ],
)
def test_errors_speak_the_rfc(error: type[TcpError], data: str) -> None:
    assert str(error()) == data
