"""What can be seen of hosts, sockets and connections from outside."""

from typing import Any

import pytest

from netsim.link import Path
from netsim.sim import Connection
from netsim.tcp.config.isn import ClockIsn
from netsim.tcp.segment import SYN, FourTuple, Segment
from netsim.tcp.state import ESTABLISHED, FIN_WAIT_1, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT
from netsim.trace.events import Sent
from tests.sim.programs import ask, echo, pair


def test_a_connection_is_seen_as_it_is_now() -> None:
    world, a, b = pair(Path(delay=0.1), trace=True)
    listener = b.socket()
    listener.listen(80)
    sock = a.socket()
    assert sock.connection is None
    sock.connect((b, 80))
    near = sock.connection
    assert near is not None
    assert (near.number, near.state, near.four_tuple.dst, near.four_tuple.dport) == (1, SYN_SENT, "b", 80)
    assert (near.snd_una, near.snd_nxt) == (near.iss, near.iss + 1)
    world.run(until=0.15)
    assert (listener.state, listener.connection, listener.syn_queue_length) == (LISTEN, None, 1)
    assert b.states == {SYN_RECEIVED: 1}
    world.run(until=0.45)
    assert listener.syn_queue_length == sock.syn_queue_length == 0
    far = b.connection(near.four_tuple.reverse())
    assert far is not None
    assert (near.state, far.state) == (ESTABLISHED, ESTABLISHED)
    assert (near.iss, near.irs, near.syn_transmissions) == (far.irs, far.iss, 1)
    assert b.receiver_of(Segment(near.four_tuple, 0, 0, SYN, 0)).number == far.number  # type: ignore[union-attr]
    assert a.receiver_of(Segment(near.four_tuple, 0, 0, SYN, 0)) is None
    syn, syn_ack = (e.packet.segment for e in world.trace.events if isinstance(e, Sent) and e.packet.number < 3)
    assert (near.iss, far.iss) == (syn.seq, syn_ack.seq)
    assert repr(near) == f"<Connection 1: a:{near.four_tuple.sport} > b:80, ESTABLISHED>"

    sock.send(bytes(300))
    assert (near.buffered_bytes, far.buffered_bytes) == (300, 0)
    world.run(until=0.6)
    assert (far.buffered_bytes, far.rcv_nxt, far.out_of_order) == (300, far.irs + 301, False)
    assert far.rcv_wnd < near.rcv_wnd
    sock.shutdown()
    world.run(until=1.0)
    assert far.peer_closed
    assert not near.peer_closed
    assert near.snd_una == near.iss + 302  # data and FIN are acknowledged


def test_the_connections_of_a_host() -> None:
    world, a, b = pair(Path(delay=0.01))
    world.process(echo(b))
    got: list[Any] = []
    for _ in range(3):
        world.process(ask(a, b, b"x", got))
    world.run(until=0.025)
    assert [(c.number, c.state) for c in a.connections] == [(k, FIN_WAIT_1) for k in (1, 2, 3)]
    assert a.connections_opened == b.connections_opened == 3
    world.run(until=1.0)
    assert a.states == {TIME_WAIT: 3}
    assert b.connections == []
    assert b.connection(FourTuple("b", 80, "a", 1)) is None


def test_a_view_cannot_be_written_to() -> None:
    _, a, b = pair()
    sock = a.socket()
    sock.connect((b, 80))
    connection: Any = sock.connection
    assert isinstance(connection, Connection)
    with pytest.raises(AttributeError):
        connection.snd_nxt = 1


def test_what_a_host_would_choose() -> None:
    """A clock of 250 kHz is 250,000 further after a second (RFC 9293 3.4.1); a Fast Open cookie is of its client."""
    _, a, b = pair()
    clock = ClockIsn(250_000.0)
    first, second = (a.initial_sequence_number(clock, now=now * 10**9, opened=0) for now in (1, 2))
    assert (second - first) % 2**32 == 250_000
    assert b.fast_open_cookie("a") == b.fast_open_cookie("a") != b.fast_open_cookie("c")
    assert len(b.fast_open_cookie("a")) == b.config.fast_open_cookie
