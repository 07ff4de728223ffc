"""The shell: plain processes over sockets, errors as exceptions, who is served first, half-close, crash."""

from collections.abc import Callable
from typing import Any

import pytest

from netsim.link import Path, Scripted
from netsim.sim import Socket, World
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.errors import (
    ConnectionAborted,
    ConnectionAlreadyExists,
    ConnectionClosing,
    ConnectionDoesNotExist,
    ConnectionRefused,
    ConnectionReset,
    ConnectionTimedOut,
)
from netsim.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYN_RECEIVED, TIME_WAIT
from netsim.trace.events import Sent
from tests.sim.programs import Run, ask, echo, pair

# Programs


def test_a_program_as_a_reader_would_write_it() -> None:
    world = World(seed=7)
    client_host, server_host = world.host("client", "linux"), world.host("server", "linux")
    world.link(client_host, server_host, Path(loss=0.2, delay=0.05, reorder=0.1))
    lines: list[str] = []

    def server() -> Run:
        listener = server_host.socket()
        yield listener.listen(80)
        connection = yield listener.accept()
        request = yield connection.recv()
        yield connection.send(b"hello, " + request)
        yield connection.close()

    def client() -> Run:
        socket = client_host.socket()
        yield socket.connect((server_host, 80))
        yield socket.send(b"world")
        lines.append((yield socket.recv()).decode())
        lines.append((yield socket.recv()).decode())
        yield socket.close()

    world.process(server())
    world.process(client())
    world.run()
    assert lines == ["hello, world", ""]


def test_the_clock_is_exact() -> None:
    """50 ms in each direction: connected after .1 s, asked and answered after .2 s, the end of the answer with it."""
    world, a, b = pair()
    got: list[Any] = []
    world.process(echo(b))
    world.process(ask(a, b, b"hello", got))
    world.run(5)
    assert got == [(0.2, b"hello")]
    assert world.now == 5


def test_any_number_of_hosts_and_connections() -> None:
    """Ten clients with twenty connections each, two servers, one of them with two ports."""
    world = World(seed=3)
    servers = [world.host(f"s{k}") for k in range(2)]
    got: list[Any] = []
    for k in range(10):
        client = world.host(f"c{k}")
        for server in servers:
            world.link(client, server, Path(loss=0.05, delay=0.01, duplicate=0.1))
        for n in range(20):
            text = f"{k}/{n} ".encode() * 100
            world.process(ask(client, servers[n % 2], text, got, port=80 + n % 4 // 2 * (n % 2)))
    world.process(echo(servers[0]))
    world.process(echo(servers[1], 80))
    world.process(echo(servers[1], 81))
    world.run()
    assert sorted(answer for _, answer in got) == sorted(
        f"{k}/{n} ".encode() * 100 for k in range(10) for n in range(20)
    )
    assert all(not host.connections for host in world.hosts.values())


def test_hosts_without_a_link_receive_nothing_from_each_other() -> None:
    world = World()
    a, b = world.host("a", rfc9293().replace(syn_retries=0)), world.host("b")
    error: list[Any] = []
    world.process(echo(b))
    world.process(_fails(lambda: a.socket().connect((b, 80)), error))
    world.run()
    assert isinstance(error[0], ConnectionTimedOut)
    with pytest.raises(ValueError, match="host = 'a'"):
        world.host("a")
    with pytest.raises(ValueError, match="profile = 'vax'"):
        world.host("c", "vax")


def test_a_name_that_no_host_has_is_an_immediate_error() -> None:
    world = World()
    a, b = world.host("client"), world.host("server")
    world.link(a, b, Path())
    with pytest.raises(ValueError, match=r"^host = 'sever': this world has 'client', 'server'$"):
        a.socket().connect(("sever", 80))


def _fails(operate: Callable[[], Any], errors: list[Any]) -> Run:
    try:
        yield operate()
    except Exception as error:
        errors.append(error)


# Errors


def test_errors_are_exceptions_of_the_process() -> None:
    world, a, b = pair(Path(stages=[Scripted("drop SYN 2-")]))
    errors: list[Any] = []
    world.process(_fails(lambda: a.socket().connect((b, 80)), errors))  # nobody listens
    world.run(1)
    assert isinstance(errors.pop(), ConnectionRefused)
    world.process(_fails(lambda: a.socket().connect((b, 80)), errors))  # the network has gone
    world.run(500)
    assert isinstance(errors.pop(), ConnectionTimedOut)
    new = a.socket()
    world.process(_fails(lambda: new.recv(), errors))
    world.process(_fails(lambda: new.send(b"x"), errors))
    world.process(_fails(lambda: new.accept(), errors))
    world.process(_fails(lambda: new.shutdown(), errors))
    world.run(501)
    assert [type(error) for error in errors] == [ConnectionDoesNotExist] * 4


def test_a_reset_fails_waiting_calls_and_later_ones() -> None:
    world, a, b = pair()
    seen: list[Any] = []

    def server() -> Run:
        listener = b.socket()
        yield listener.listen(80)
        connection = yield listener.accept()
        yield world.timeout(1)
        yield connection.abort()
        yield from _fails(lambda: connection.send(b"x"), seen)

    def client() -> Run:
        socket = a.socket()
        yield socket.connect((b, 80))
        yield from _fails(lambda: socket.recv(), seen)
        seen.append(world.now)
        yield from _fails(lambda: socket.send(b"x"), seen)
        assert socket.state is CLOSED

    world.process(server())
    world.process(client())
    world.run()
    assert [type(s) for s in seen] == [ConnectionAborted, ConnectionReset, float, ConnectionReset]
    assert seen[2] == pytest.approx(1.2)  # accepted at .15, aborted at 1.15


def test_calls_in_the_wrong_state() -> None:
    world, a, b = pair()
    seen: list[Any] = []

    def client() -> Run:
        socket, other = a.socket(reuse_address=True), a.socket(reuse_address=True)
        yield socket.connect((b, 80))
        yield socket.shutdown()
        yield from _fails(lambda: socket.send(b"late"), seen)
        yield from _fails(lambda: socket.shutdown(), seen)
        yield from _fails(lambda: socket.connect((b, 80)), seen)
        other.bind(socket.connection.four_tuple.sport)  # type: ignore[union-attr]
        yield from _fails(lambda: other.connect((b, 80)), seen)

    world.process(echo(b))
    world.process(client())
    world.run()
    kinds = [ConnectionClosing, ConnectionClosing, ConnectionAlreadyExists, ConnectionAlreadyExists]
    assert [type(s) for s in seen] == kinds


def test_waiting_calls_fail_at_a_close_or_an_abort() -> None:
    world, a, b = pair()
    seen: list[Any] = []
    listener, client = b.socket(), a.socket()
    listener.listen(80)

    def server() -> Run:
        yield listener.accept()
        yield from _fails(lambda: listener.accept(), seen)

    def reader() -> Run:
        yield client.connect((b, 80))
        yield from _fails(lambda: client.recv(), seen)

    world.process(server())
    world.process(reader())
    world.run(1)
    assert seen == []
    listener.close()
    client.abort()
    world.run(2)
    assert [type(error) for error in seen] == [ConnectionClosing, ConnectionAborted]


def test_an_error_that_no_process_handles_ends_the_run() -> None:
    world, a, b = pair()

    def client() -> Run:
        yield a.socket().connect((b, 80))

    world.process(client())
    with pytest.raises(ConnectionRefused, match=r"^connection refused$"):
        world.run()


# Who waits first is served first


def test_accept_and_recv_serve_in_the_order_of_the_calls() -> None:
    world, a, b = pair()
    order: list[Any] = []
    listener = b.socket()
    listener.listen(80)

    def accepts(name: str) -> Run:
        connection = yield listener.accept()
        order.append((name, connection.connection.four_tuple.dport))
        if name == "first":
            for reader in ("one", "two", "three"):
                world.process(reads(reader, connection))

    def reads(name: str, connection: Socket) -> Run:
        order.append((name, (yield connection.recv(4))))

    def connects(port: int) -> Run:
        socket = a.socket()
        socket.bind(port)
        yield socket.connect((b, 80))
        if port == 1001:
            yield world.timeout(1)
            yield socket.send(b"aaaabbbbcccc")

    for name in ("first", "second"):
        world.process(accepts(name))
    for port in (1001, 1002):
        world.process(connects(port))
    world.run(10)
    assert order == [
        ("first", 1001), ("second", 1002), ("one", b"aaaa"), ("two", b"bbbb"), ("three", b"cccc"),
    ]  # fmt: skip


def test_send_waits_for_room_and_recv_for_data() -> None:
    """A send buffer of 1,000 bytes and a receiver that takes 500 a second."""
    world = World()
    small = rfc9293().replace(send_buffer=1000, receive_buffer=500)
    a, b = world.host("a", small), world.host("b", small)
    world.link(a, b, Path(delay=0.01))
    at: list[float] = []
    got = bytearray()

    def client() -> Run:
        socket = a.socket()
        yield socket.connect((b, 80))
        yield socket.send(bytes(range(250)) * 20)
        at.append(world.now)
        yield socket.close()

    def server() -> Run:
        listener = b.socket()
        yield listener.listen(80)
        connection = yield listener.accept()
        while True:
            yield world.timeout(1)
            text = yield connection.recv(500)
            got.extend(text)
            if not text:
                return

    world.process(client())
    world.process(server())
    world.run(100)
    assert bytes(got) == bytes(range(250)) * 20
    assert 6 < at[0] < 12


def test_half_close() -> None:
    world, a, b = pair()
    got: list[Any] = []

    def server() -> Run:
        listener = b.socket()
        yield listener.listen(80)
        connection = yield listener.accept()
        assert (yield connection.recv()) == b"all I have"
        assert (yield connection.recv()) == b""
        yield world.timeout(5)
        yield connection.send(b"thank you")
        yield connection.close()

    world.process(server())
    world.process(ask(a, b, b"all I have", got))
    world.run(10)
    assert got == [(pytest.approx(5.2), b"thank you")]
    assert a.states == {TIME_WAIT: 1}
    assert b.states == {}


# Crash


def test_half_open_discovery_after_a_crash() -> None:
    """RFC 9293 figure 10: data of the surviving endpoint draws a reset from a host that has no such connection."""
    world, a, b = pair()
    seen: list[Any] = []

    def client() -> Run:
        socket = a.socket()
        yield socket.connect((b, 80))
        yield world.timeout(1)
        b.crash()
        assert socket.state is ESTABLISHED
        yield socket.send(b"anybody there?")
        yield from _fails(lambda: socket.recv(), seen)
        seen.append(world.now)

    world.process(echo(b))
    world.process(client())
    world.run()
    assert isinstance(seen[0], ConnectionReset)
    assert seen[1] == pytest.approx(1.2)
    assert not b.connections
    assert not b.pump.stack.listeners


def test_a_crashed_client_comes_back_with_the_same_port() -> None:
    """Figure 9: the old connection's ACK is reset, and the SYN that follows opens the new one."""
    world, a, b = pair()
    seen: list[Any] = []

    def client() -> Run:
        socket = a.socket()
        socket.bind(4000)
        yield socket.connect((b, 80))
        yield world.timeout(1)
        a.crash()
        again = a.socket()
        again.bind(4000)
        yield again.connect((b, 80))
        seen.append((world.now, again.state))

    world.process(echo(b))
    world.process(client())
    world.run(10)
    assert seen == [(pytest.approx(1.1 + 1 + 0.1), ESTABLISHED)]  # after the SYN's repetition at one second


def test_names_and_states_that_a_program_may_read() -> None:
    world, a, b = pair()
    listener, socket = b.socket(), a.socket()
    listener.listen(80, backlog=1)
    assert (listener.state, socket.state, socket.connection) == (LISTEN, CLOSED, None)
    socket.connect((b, 80))
    world.run(0.06)
    assert b.states == {SYN_RECEIVED: 1}
    world.run(0.2)
    assert socket.status().state is ESTABLISHED
    assert repr(a) == "Host('a', profile='rfc9293')"
    assert a.config is rfc9293()


@pytest.mark.parametrize(("text", "cookie"), [(None, None), (b"", b"")])
def test_a_plain_connect_asks_for_no_cookie(text: bytes | None, cookie: bytes | None) -> None:
    """connect(2) carries no data: only an OPEN with data asks for a Fast Open cookie (RFC 7413 4.1.1)."""
    world = World(trace=True)
    a, b = world.host("a", rfc9293().replace(fast_open="client")), world.host("b")
    world.link(a, b, Path(delay=0.05))
    a.socket().connect((b, 80), *([] if text is None else [text]))
    options = next(event.packet.segment.options for event in world.trace if isinstance(event, Sent))
    assert options is not None
    assert options.cookie == cookie
