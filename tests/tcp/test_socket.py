"""The sans-I/O socket: readiness, would-block, errors, close, abort, linger, signals; and how errors travel."""

import copy
import pickle

import pytest

from netsim.tcp.actions import Signal
from netsim.tcp.config.profiles import linux, rfc9293
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
from netsim.tcp.segment import ACK, FIN, RST, SYN, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LISTEN, SYN_SENT, TIME_WAIT
from netsim.tcp.timers import NEVER
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Pair, Solo, streams

ONE = PEER_ISS + 1
S = 10**9


def _wire(pair: Pair, who: str) -> list[int]:
    return [s.flags for _, name, s, _ in pair.wire if name == who]


# Life of a socket


def test_from_closed_to_closed() -> None:
    pair = Pair(rfc9293().replace(time_wait=1.0))
    listener, client = pair.socket("b"), pair.socket("a")
    assert (listener.state, client.state) == (CLOSED, CLOSED)
    listener.listen(80)
    assert listener.state is LISTEN
    assert listener.accept() is None
    client.connect("b", 80, 0)
    assert client.state is SYN_SENT
    assert client.connected is False
    assert client.receive(10, 0) is None
    pair.run(0.12)
    assert client.connected is True
    pair.run(0.2)
    server = listener.accept()
    assert server is not None
    assert server.state is ESTABLISHED
    assert pair.read(server) is None
    pair.close(client)
    pair.run(0.5)
    assert server.state is CLOSE_WAIT
    assert [pair.read(server), pair.read(server)] == [b"", b""]
    pair.close(server)
    pair.run(0.8)
    assert (client.state, server.state) == (TIME_WAIT, CLOSED)
    pair.run(5)
    assert client.state is CLOSED
    assert client.tcb.error is server.tcb.error is None
    pair.close(client)  # once more does nothing
    pair.close(server)


def test_signals_name_the_socket() -> None:
    """Connected, acceptable, readable, writable and ended: a Signal each; the core calls nobody."""
    solo = Solo(rfc9293())
    client = Socket(solo.stack)
    client.bind(4000)
    solo.collect(client.connect("b", 80, 0))
    solo.tcb = client.tcb  # type: ignore[assignment]

    def signalled(flags: int, seq: int, ack: int, data: bytes = b"") -> bool:
        actions = solo.stack.on_segment(Segment(TO_CLIENT, seq, ack, flags, 65535, data), solo.ns)
        return any(isinstance(a, Signal) and a.owner is client for a in actions)

    assert signalled(SYN | ACK, PEER_ISS, 1001)
    assert client.connected
    assert signalled(ACK, ONE, 1001, b"data")
    client.send(b"x", solo.ns)
    assert signalled(ACK, ONE + 4, 1002)
    assert signalled(FIN | ACK, ONE + 4, 1002)
    assert signalled(RST, ONE + 5, 1002)
    assert client.state is CLOSED


TO_CLIENT = TO_PORT_80._replace(sport=80, dport=4000)


def test_the_listener_is_signalled_when_a_connection_is_complete() -> None:
    solo = Solo(rfc9293())
    listener = Socket(solo.stack)
    listener.listen(80, 5)
    solo.feed(SYN, PEER_ISS, flow=TO_PORT_80)
    actions = solo.stack.on_segment(Segment(TO_PORT_80, ONE, 1001, ACK, 65535), solo.ns)
    assert [a.owner for a in actions if isinstance(a, Signal)] == [listener]


# What ends a connection badly


def test_refused() -> None:
    pair = Pair()
    client = pair.socket("a")
    client.connect("b", 80, 0)
    pair.run(1)
    with pytest.raises(ConnectionRefused):
        _ = client.connected
    for operate in (lambda: client.send(b"x", 0), lambda: client.receive(1, 0), lambda: client.shutdown(0)):
        with pytest.raises(ConnectionRefused):
            operate()
    assert isinstance(client.tcb.error, ConnectionRefused)
    assert pair.stacks["a"].connections == {}


def test_timed_out() -> None:
    pair = Pair(link=lambda now, who, segment, nth: [])
    client = pair.socket("a")
    client.connect("b", 80, 0)
    pair.run(254)
    assert client.connected is False
    pair.run(256)
    with pytest.raises(ConnectionTimedOut):
        _ = client.connected


def test_reset_by_the_peer_after_data_that_can_still_be_read() -> None:
    pair = Pair()
    client, server = pair.connect()
    pair.send(server, b"last words")
    pair.run(2)
    server.abort(pair.ns)
    pair.run(3)
    assert client.state is CLOSED
    assert pair.read(client) == b"last words"
    with pytest.raises(ConnectionReset):
        pair.read(client)


# Close


def test_close_with_unread_data_resets() -> None:
    """RFC 9293 3.6.1 (RFC 2525 2.17): the peer learns that its data was lost."""
    pair = Pair()
    client, server = pair.connect()
    pair.send(client, b"unread")
    pair.run(2)
    pair.close(server)
    pair.run(3)
    assert _wire(pair, "b")[-1] & RST
    assert pair.stacks["b"].counters.TcpExtTCPAbortOnClose == 1
    assert isinstance(client.tcb.error, ConnectionReset)


def test_close_is_orderly_when_all_was_read() -> None:
    pair = Pair()
    client, server = pair.connect()
    pair.send(client, b"read")
    pair.run(2)
    assert pair.read(server) == b"read"
    pair.send(server, bytes(100_000))
    pair.close(server)
    got = b""
    while len(got) < 100_000 and pair.step(30 * S):
        got += pair.read(client) or b""
    assert got == bytes(100_000)
    assert server.state in (FIN_WAIT_1, FIN_WAIT_2)
    assert not any(flags & RST for flags in _wire(pair, "b"))


@pytest.mark.parametrize(("config", "flags"), [(rfc9293(), RST), (linux(), RST | ACK)])
def test_linger_zero_and_abort(config, flags: int) -> None:  # type: ignore[no-untyped-def]
    """RFC 9293 3.10.5: <SEQ=SND.NXT><CTL=RST>; real hosts set ACK too. The data in both buffers is lost."""
    for operate in ("linger", "abort"):
        pair = Pair(config)
        client, server = pair.connect()
        pair.send(client, bytes(100_000))
        if operate == "linger":
            client.linger_zero = True
            pair.close(client)
        else:
            client.abort(pair.ns)
        assert client.state is CLOSED
        assert _wire(pair, "a")[-1] == flags
        pair.run(5)
        assert isinstance(server.tcb.error, ConnectionReset)
        assert isinstance(client.tcb.error, ConnectionAborted)


def test_close_in_syn_sent() -> None:
    pair = Pair()
    client = pair.socket("a")
    client.connect("b", 80, 0)
    pair.close(client)
    assert client.state is CLOSED
    pair.run(500)
    assert len(_wire(pair, "a")) == 1


# Callers' mistakes


def test_wrong_calls() -> None:
    pair = Pair()
    client, _ = pair.connect()
    for operate in (
        lambda: client.connect("b", 80, 0),
        lambda: client.listen(81),
        lambda: client.bind(9),
        lambda: pair.socket("b").listen(80),
    ):
        with pytest.raises(ConnectionAlreadyExists):
            operate()
    new = pair.socket("a")
    for operate in (
        lambda: new.send(b"x", 0),
        lambda: new.receive(1, 0),
        lambda: new.accept(),
        lambda: new.status(),
        lambda: new.abort(0),
        lambda: new.shutdown(0),
        lambda: new.connected,
    ):
        with pytest.raises(ConnectionDoesNotExist):
            operate()  # type: ignore[no-untyped-call]
    new.close(0)
    pair.shutdown(client)
    for operate in (lambda: client.send(b"x", pair.ns), lambda: client.shutdown(pair.ns)):
        with pytest.raises(ConnectionClosing):
            operate()
    taken = pair.socket("a")
    with pytest.raises(ConnectionAlreadyExists, match="address already in use: port 4000"):
        taken.bind(4000)
    client.reuse_address = taken.reuse_address = True  # the port may be shared, the four-tuple not
    taken.bind(4000)
    with pytest.raises(ConnectionAlreadyExists):
        taken.connect("b", 80, pair.ns)


def test_send_on_a_listener_must_name_the_remote_socket() -> None:
    """RFC 9293 3.10.2, LISTEN: "remote socket unspecified"; with one it opens actively."""
    stack = Stack("a", streams())
    listener = Socket(stack)
    listener.listen(80)
    with pytest.raises(RemoteSocketUnspecified):
        listener.send(b"x", 0)
    assert listener.send(b"x", 0, to=("b", 9))[0] == 1
    assert listener.state is SYN_SENT
    assert stack.listeners == {}


# Errors


@pytest.mark.parametrize("kind", TcpError.__subclasses__())
def test_errors_survive_being_copied(kind: type[TcpError]) -> None:
    """SimPy raises copies built from ``args``; a pool of processes pickles."""
    for error in (kind(), kind("b:80")):
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error)), type(error)(*error.args)):
            assert type(twin) is kind
            assert str(twin) == str(error)
    assert str(kind("b:80")) == f"{kind.text}: b:80"
    assert str(kind()) == kind.text


def test_the_words_of_the_rfc() -> None:
    """RFC 9293 3.10."""
    words = {
        ConnectionAlreadyExists: "connection already exists",
        ConnectionDoesNotExist: "connection does not exist",
        ConnectionClosing: "connection closing",
        InsufficientResources: "insufficient resources",
        RemoteSocketUnspecified: "remote socket unspecified",
        ConnectionRefused: "connection refused",
        ConnectionReset: "connection reset",
        ConnectionTimedOut: "connection aborted due to user timeout",
    }
    for kind, data in words.items():
        assert str(kind()) == data


def test_status_has_the_windows_and_the_buffered_data() -> None:
    pair = Pair(rfc9293(), rfc9293().replace(receive_buffer=3000))
    client, server = pair.connect()
    pair.send(client, bytes(5000))
    state = client.status()
    assert (state.state, state.snd_wnd, state.rcv_wnd) == (ESTABLISHED, 3000, 65535)
    assert (state.unacknowledged, state.unsent, state.unread) == (2920, 2080, 0)
    pair.run(1.5)
    assert server.status().unread == 2920
    assert server.status().rcv_wnd == 80


def test_a_crash_forgets_everything() -> None:
    pair = Pair()
    client, server = pair.connect()
    pair.send(client, b"x")
    pair.stacks["a"].crash()
    assert pair.stacks["a"].next_deadline() == NEVER
    assert pair.stacks["a"].connections == {}
    assert client.state is CLOSED
    with pytest.raises(ConnectionReset):
        client.send(b"x", pair.ns)
    pair.run(2)
    assert isinstance(server.tcb.error, ConnectionReset)  # its ACK of the byte went to a host that knows of nothing
