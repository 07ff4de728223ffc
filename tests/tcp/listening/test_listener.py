"""The SYN queue and the accept queue: limits, overflow, time-outs, close, counters."""

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux, linux_classic, rfc9293
from netsim.tcp.errors import ConnectionAlreadyExists, ConnectionDoesNotExist, ConnectionReset
from netsim.tcp.segment import ACK, FIN, RST, SYN, FourTuple, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYN_RECEIVED, State
from tests.tcp.harness import PEER_ISS, Pair, Solo

ONE = PEER_ISS + 1


def _from(k: int) -> FourTuple:
    return FourTuple(f"c{k}", 4000, "a", 80)


class Server:
    """A stack that listens on port 80; silent or well-behaved peers c0, c1, ..."""

    def __init__(self, config: TcpConfig, backlog: int) -> None:
        self.solo = Solo(config)
        self.stack = self.solo.stack
        self.socket = Socket(self.stack)
        self.socket.listen(80, backlog)
        listener = self.socket.listener
        assert listener is not None
        self.listener = listener

    def syn(self, k: int) -> list[Segment]:
        return self.solo.feed(SYN, PEER_ISS, flow=_from(k))

    def ack(self, k: int, **arguments) -> list[Segment]:  # type: ignore[no-untyped-def]
        return self.solo.feed(ACK, ONE, 1001, flow=_from(k), **arguments)

    def connect(self, k: int) -> None:
        self.syn(k)
        self.ack(k)

    def state(self, k: int) -> State:
        tcb = self.stack.connections.get(_from(k))
        return tcb.state if tcb is not None else CLOSED


# Limits


LINUX_0 = linux().replace(syn_cookies="off")  # net.ipv4.tcp_syncookies = 0


@pytest.mark.parametrize(
    ("config", "backlog", "entries"),
    [
        (rfc9293(), 4, 4),
        (LINUX_0, 4, 5),  # sk_acceptq_is_full and reqsk_queue_is_full compare with ">": one more fits
        (linux_classic().replace(syn_cookies="off"), 4, 5),
        (LINUX_0, 0, 1),
        (rfc9293(), 0, 1),  # at least one, or nobody could ever connect
        (LINUX_0.replace(somaxconn=2), 100, 3),
        (rfc9293().replace(max_syn_backlog=3), 100, 3),
    ],
)
def test_syn_queue_limit(config: TcpConfig, backlog: int, entries: int) -> None:
    server = Server(config, backlog)
    answered = [bool(server.syn(k)) for k in range(10)]
    assert answered == [k < entries for k in range(10)]
    assert server.listener.syn_queue_length == entries
    counters = server.stack.counters
    assert counters.TcpExtTCPReqQFullDrop == counters.TcpExtListenDrops == 10 - entries
    assert counters.TcpExtListenOverflows == 0
    # A place becomes free when a peer answers, resets, or is given no answer.
    server.ack(0)
    assert server.socket.accept() is not None
    assert server.syn(20)
    if entries > 1:
        server.solo.feed(RST, ONE, flow=_from(1))
        assert server.state(1) is CLOSED
        assert server.syn(21)
    server.solo.advance(300)
    assert server.listener.syn_queue_length == 0
    assert server.syn(22)


@pytest.mark.parametrize(("config", "backlog", "entries"), [(rfc9293(), 3, 3), (linux(), 3, 4), (linux(), 0, 1)])
def test_accept_queue_limit(config: TcpConfig, backlog: int, entries: int) -> None:
    server = Server(config, backlog)
    for k in range(entries):
        server.connect(k)
        assert server.state(k) is ESTABLISHED
    assert server.listener.accept_queue_full
    assert server.syn(50) == []  # SYNs are dropped in silence
    assert server.stack.counters.TcpExtListenOverflows == server.stack.counters.TcpExtListenDrops == 1
    assert server.stack.counters.TcpPassiveOpens == entries
    assert server.socket.accept() is not None
    assert server.syn(50)


def test_connections_are_accepted_in_the_order_of_their_completion() -> None:
    server = Server(rfc9293(), 5)
    for k in (1, 2, 3):
        server.syn(k)
    for k in (2, 3, 1):
        server.ack(k)
    taken = [server.socket.accept() for _ in range(4)]
    assert [s.tcb.four_tuple.dst for s in taken if s is not None and s.tcb is not None] == ["c2", "c3", "c1"]
    assert taken[3] is None


# The final ACK finds the accept queue full


def _overflow(config: TcpConfig) -> Server:
    """Room for two: c0 and c1 fill the accept queue after c2's SYN was taken; now c2's final ACK comes."""
    server = Server(config.replace(backlog_slack=0), 2)
    server.syn(0)
    server.syn(1)
    server.ack(0)
    assert server.syn(2)
    server.ack(1)
    assert server.listener.accept_queue_full
    return server


@pytest.mark.parametrize("config", [rfc9293(), linux()], ids=lambda c: c.name)
def test_client_established_server_not(config: TcpConfig) -> None:
    """tcp_abort_on_overflow 0: the final ACK is ignored until the SYN-ACK timer asks again."""
    pair = Pair(config)
    listener = pair.socket("b")
    listener.listen(80, 2 - config.backlog_slack)
    clients = [pair.socket("a") for _ in range(3)]
    for client, start in zip(clients, (0, 0.02, 0.11), strict=True):  # the third SYN comes between the others' ACKs
        pair.run(start)
        client.connect("b", 80, pair.ns)
    pair.run(0.5)
    assert all(client.state is ESTABLISHED for client in clients)
    assert clients[2].tcb is not None
    server = pair.stacks["b"].connections[clients[2].tcb.four_tuple]
    assert server.state is SYN_RECEIVED
    assert pair.stacks["b"].counters.TcpExtListenOverflows == 1
    pair.run(1.4)  # the SYN-ACK went out again at 1.16, its ACK was here at 1.26, and found no room again
    assert server.state is SYN_RECEIVED
    assert pair.stacks["b"].counters.TcpExtListenOverflows == 2
    assert listener.accept() is not None
    pair.run(3.25)
    assert server.state is SYN_RECEIVED  # there is room now, but nobody has asked
    pair.run(3.27)  # asked at 3.16
    assert server.state is ESTABLISHED


def test_data_for_a_connection_that_the_accept_queue_refused_is_not_lost() -> None:
    server = _overflow(rfc9293())
    assert server.ack(2, data=b"hello") == []
    assert server.state(2) is SYN_RECEIVED
    for _ in range(2):
        assert server.socket.accept() is not None
    server.ack(2, data=b"hello")  # the client's retransmission
    assert server.state(2) is ESTABLISHED
    taken = server.socket.accept()
    assert taken is not None
    assert taken.receive(10, 0)[0] == b"hello"


def test_abort_on_overflow_resets() -> None:
    server = _overflow(rfc9293().replace(abort_on_overflow=True))
    (reset,) = server.ack(2)
    assert (reset.flags, reset.seq) == (RST, 1001)
    assert server.state(2) is CLOSED
    assert server.listener.syn_queue_length == 0
    assert server.stack.counters.TcpExtListenOverflows == 1


# The end of half-open connections


@pytest.mark.parametrize(
    ("config", "seconds"), [(rfc9293(), 255), (linux(), 63), (rfc9293().replace(synack_retries=1), 3)]
)
def test_lifetime_of_a_syn_received_entry(config: TcpConfig, seconds: float) -> None:
    server = Server(config, 5)
    server.syn(0)
    server.solo.advance(seconds - 0.001)
    assert server.state(0) is SYN_RECEIVED
    server.solo.advance(seconds + 0.001)
    assert server.state(0) is CLOSED
    assert server.listener.syn_queue_length == 0
    assert server.stack.counters.TcpAttemptFails == 1


def test_a_fin_or_a_wrong_ack_in_syn_received() -> None:
    server = Server(rfc9293(), 5)
    server.syn(0)
    (reset,) = server.solo.feed(ACK, ONE, 7777, flow=_from(0))
    assert (reset.flags, reset.seq) == (RST, 7777)
    assert server.state(0) is SYN_RECEIVED
    assert server.solo.feed(FIN, ONE, flow=_from(0)) == []
    assert server.state(0) is SYN_RECEIVED


# Close


def test_close_of_a_listener() -> None:
    """SYN-RECEIVED entries are removed, connections that nobody accepted are reset, accepted ones live on."""
    server = Server(rfc9293(), 5)
    for k in (0, 1):
        server.connect(k)
    server.syn(2)
    mine = server.socket.accept()
    assert mine is not None
    sent = server.solo.collect(server.socket.close(server.solo.ns))
    assert [(s.flow.dst, s.flags) for s in sent] == [("c1", RST)]
    assert [server.state(k) for k in (0, 1, 2)] == [ESTABLISHED, CLOSED, CLOSED]
    assert server.listener.syn_queue_length == 0
    assert [s.flags for s in server.ack(2)] == [RST]
    assert [s.flags for s in server.syn(3)] == [RST | ACK]
    assert server.socket.state is CLOSED
    assert [s.ack for s in server.ack(0, data=b"still here")] in ([], [ONE + 10])
    assert mine.receive(99, server.solo.ns)[0] == b"still here"
    again = Socket(server.stack)
    with pytest.raises(ConnectionAlreadyExists, match="port 80"):
        again.listen(80, 5)  # what was accepted still has the port
    server.socket.reuse_address = again.reuse_address = True
    again.listen(80, 5)
    assert server.syn(4)


def test_a_connection_that_died_in_the_accept_queue() -> None:
    """The peer reset before accept: the application gets the connection and learns of it then."""
    server = Server(rfc9293(), 5)
    server.connect(0)
    server.solo.feed(RST, ONE, flow=_from(0))
    taken = server.socket.accept()
    assert taken is not None
    with pytest.raises(ConnectionReset):
        taken.receive(10, 0)


def test_wrong_calls() -> None:
    server = Server(rfc9293(), 5)
    assert server.socket.state is LISTEN
    with pytest.raises(ConnectionAlreadyExists):
        Socket(server.stack).listen(80, 5)
    with pytest.raises(ConnectionDoesNotExist):
        Socket(server.stack).listen()
    with pytest.raises(ConnectionDoesNotExist):
        Socket(server.stack).accept()
    assert server.socket.receive(10, 0)[0] is None  # "queue for processing after entering ESTABLISHED" (3.10.3)


def test_counters_of_a_plain_connection() -> None:
    """Seven segments; each end counts what it did."""
    pair = Pair(rfc9293().replace(time_wait=1.0))
    client, server = pair.connect()
    pair.close(client)
    pair.run(2)
    pair.close(server)
    pair.run(10)
    a, b = pair.stacks["a"].counters, pair.stacks["b"].counters
    assert len(pair.wire) == 7
    assert (a.TcpActiveOpens, a.TcpPassiveOpens, a.TcpOutSegs, a.TcpInSegs, a.TcpExtTW) == (1, 0, 4, 3, 1)
    assert (b.TcpActiveOpens, b.TcpPassiveOpens, b.TcpOutSegs, b.TcpInSegs, b.TcpExtTW) == (0, 1, 3, 4, 0)
    assert a.TcpRetransSegs == b.TcpRetransSegs == a.TcpOutRsts == b.TcpOutRsts == 0
    assert pair.stacks["a"].connections == pair.stacks["b"].connections == {}
