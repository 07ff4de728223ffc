"""What POSIX adds to the RFC's calls: SO_ERROR told once, MSG_PEEK, shutdown for reading, options at any time."""

from typing import Literal

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import freebsd, linux, rfc9293
from netsim.tcp.errors import (
    BrokenPipe,
    ConnectionClosing,
    ConnectionDoesNotExist,
    ConnectionReset,
    TcpError,
)
from netsim.tcp.socket import Socket
from netsim.tcp.state import CLOSED, ESTABLISHED
from tests.tcp.harness import Pair


def joined(config: TcpConfig | None = None) -> tuple[Pair, Socket, Socket]:
    pair = Pair(config if config is not None else rfc9293())
    client, server = pair.connect()
    client.sticky_error = server.sticky_error = False
    return pair, client, server


def reset(pair: Pair, socket: Socket) -> None:
    socket.abort(pair.ns)
    pair.run(pair.now + 1)


def test_the_error_is_raised_once_then_the_stream_ends() -> None:
    """SO_ERROR clears the error; after that a read returns 0 and a write fails with EPIPE."""
    pair, client, server = joined()
    reset(pair, server)
    assert client.state is CLOSED
    assert type(client.take_error()) is ConnectionReset
    assert client.take_error() is None
    assert client.receive(1, pair.ns) == b""
    with pytest.raises(ConnectionClosing):
        client.send(b"x", pair.ns)


@pytest.mark.parametrize("call", ["send", "receive"])
def test_any_call_may_raise_the_error(call: str) -> None:
    pair, client, server = joined()
    reset(pair, server)
    with pytest.raises(ConnectionReset):
        client.send(b"x", pair.ns) if call == "send" else client.receive(1, pair.ns)
    assert client.take_error() is None
    assert client.receive(1, pair.ns) == b""


def test_a_sticky_error_is_raised_by_every_call() -> None:
    pair, client, server = joined()
    client.sticky_error = True
    reset(pair, server)
    for _ in range(2):
        with pytest.raises(ConnectionReset):
            client.receive(1, pair.ns)


def test_what_was_received_before_the_reset_can_still_be_read() -> None:
    pair, client, server = joined()
    pair.send(server, b"last words")
    pair.run(pair.now + 1)
    reset(pair, server)
    assert client.receive(4, pair.ns) == b"last"
    assert client.receive(99, pair.ns) == b" words"
    with pytest.raises(ConnectionReset):
        client.receive(1, pair.ns)


@pytest.mark.parametrize(
    ("config", "error"), [(linux(), BrokenPipe), (freebsd(), ConnectionReset), (rfc9293(), ConnectionReset)]
)
def test_a_reset_after_the_peers_fin(config: TcpConfig, error: type[TcpError]) -> None:
    """net/ipv4/tcp_input.c, tcp_reset: EPIPE in CLOSE-WAIT; sys/netinet/tcp_input.c and the RFC: reset."""
    pair, client, server = joined(config)
    pair.shutdown(server)
    pair.run(pair.now + 1)
    reset(pair, server)
    assert type(client.take_error()) is error


def test_an_abort_by_this_end_is_no_error_of_the_network() -> None:
    pair, client, _ = joined()
    reset(pair, client)
    assert client.take_error() is None


def test_peeking_leaves_the_data_in_the_buffer() -> None:
    pair, client, server = joined()
    assert client.receive(9, pair.ns, peek=True) is None
    pair.send(server, b"data")
    pair.run(pair.now + 1)
    assert client.receive(2, pair.ns, peek=True) == b"da"
    assert client.receive(9, pair.ns, peek=True) == b"data"
    assert client.receive(9, pair.ns) == b"data"
    pair.shutdown(server)
    pair.run(pair.now + 1)
    assert client.receive(9, pair.ns, peek=True) == b""


@pytest.mark.parametrize("how", ["read", "both"])
def test_shutdown_for_reading_ends_the_stream_once_it_is_read(how: Literal["read", "both"]) -> None:
    pair, client, server = joined()
    pair.send(server, b"data")
    pair.run(pair.now + 1)
    client.shutdown(pair.ns, how)
    assert client.receive(9, pair.ns) == b"data"
    assert client.receive(9, pair.ns) == b""
    pair.run(pair.now + 1)
    if how == "read":
        assert server.state is ESTABLISHED  # the peer is not notified
        pair.send(client, b"still writing")
    else:
        assert server.receive(9, pair.ns) == b""
        with pytest.raises(ConnectionClosing):
            client.send(b"x", pair.ns)


def test_shutdown_for_reading_needs_a_connection() -> None:
    pair, client, server = joined()
    reset(pair, server)
    with pytest.raises(ConnectionDoesNotExist):
        client.shutdown(pair.ns, "read")


def test_options_of_an_open_connection() -> None:
    """TCP_NODELAY sends what Nagle's rule has delayed; SO_KEEPALIVE starts and stops; TCP_MAXSEG lowers the size."""
    pair, client, server = joined(rfc9293().replace(delayed_ack=0.2))
    pair.send(client, b"first")
    pair.send(client, b"held back")
    sent = [s.payload for _, end, s, _ in pair.wire if end == "a" and s.payload]
    assert sent == [b"first"]
    client.configure(client.options.replace(nagle=False), pair.ns)
    assert [s.payload for _, end, s, _ in pair.wire if end == "a" and s.payload] == [b"first", b"held back"]
    pair.run(pair.now + 1)
    client.configure(client.options.replace(mss=100), pair.ns)
    pair.send(client, bytes(250))
    assert [len(s.payload) for _, end, s, _ in pair.wire if end == "a"][-3:] == [100, 100, 50]
    pair.run(pair.now + 1)
    config = client.options.replace(keepalive=True, keepalive_idle=10.0, keepalive_interval=1.0, keepalive_probes=3)
    client.configure(config, pair.ns)
    before, start = len(pair.wire), pair.now
    pair.run(start + 15)
    assert [end for _, end, _, _ in pair.wire[before:]] == ["a", "b"]
    client.configure(client.options.replace(keepalive=False), pair.ns)
    before = len(pair.wire)
    pair.run(pair.now + 60)
    assert pair.wire[before:] == []
    assert server.state is ESTABLISHED


def test_a_larger_receive_buffer_opens_the_window() -> None:
    pair, client, server = joined(rfc9293().replace(receive_buffer=2000, congestion="none"))
    client.configure(client.options.replace(receive_buffer=8000), pair.ns)
    pair.send(client, b"x")
    pair.run(pair.now + 1)
    assert server.status().snd_wnd == 8000


def test_accepted_connections_inherit_the_options_of_the_listener() -> None:
    pair = Pair(rfc9293())
    listener, client = pair.socket("b"), pair.socket("a")
    listener.listen(80)
    listener.sticky_error = False
    listener.configure(listener.options.replace(mss=500), pair.ns)
    client.connect("b", 80, pair.ns)
    pair.run(1.0)
    server = listener.accept()
    assert server is not None
    assert (server.options.mss, server.sticky_error) == (500, False)
    assert client.status().snd_wnd
    assert client.tcb is not None
    assert client.tcb.snd_mss == 500


def sizes(pair: Pair, end: str = "a") -> list[int]:
    return [len(s.payload) for _, who, s, _ in pair.wire if who == end and s.payload]


def test_msg_more_delays_the_last_small_segment() -> None:
    """tcp(7): full segments go, the rest waits for the next send."""
    pair, client, _ = joined(rfc9293().replace(mss=100))
    client.send(bytes(250), pair.ns, more=True)
    assert sizes(pair) == [100, 100]
    client.send(bytes(30), pair.ns)
    assert sizes(pair) == [100, 100]  # Nagle: something is in flight
    pair.run(pair.now + 0.2)
    assert sizes(pair) == [100, 100, 80]


def test_a_cork_delays_small_segments_until_it_is_removed() -> None:
    pair, client, server = joined(rfc9293().replace(mss=100, rto_min=0.2, delayed_ack=None))
    client.configure(client.options.replace(cork=True), pair.ns)
    pair.send(client, bytes(150))
    pair.run(pair.now + 0.2)  # all that was sent is acknowledged
    assert sizes(pair) == [100]
    client.configure(client.options.replace(cork=False), pair.ns)
    assert sizes(pair) == [100, 50]
    pair.run(pair.now + 1)
    assert server.receive(999, pair.ns) == bytes(150)


def test_a_cork_delays_no_longer_than_a_timeout() -> None:
    """tcp(7): a ceiling of 200 ms on Linux; here the RTO, 0.3 s after one sample of 0.1 s (RFC 6298 2.2)."""
    pair, client, server = joined(rfc9293().replace(mss=100, rto_min=0.2, cork=True))
    start = pair.now
    pair.send(client, b"small")
    pair.run(start + 0.29)
    assert sizes(pair) == []
    pair.run(start + 0.31)
    assert sizes(pair) == [5]
    pair.run(start + 1)
    assert server.receive(9, pair.ns) == b"small"
