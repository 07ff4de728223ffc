"""Small programs for the tests of the shell: an echo server, a client with one question, two hosts and a link."""

from collections.abc import Generator
from typing import Any

from netsim.link import Path
from netsim.sim import Host, Socket, World
from netsim.tcp.errors import ConnectionReset

Run = Generator[Any, Any, Any]


def echo(host: Host, port: int = 80, backlog: int = 128) -> Run:
    """Accepts connections without end, and sends back what each receives until the peer closes."""
    listener = host.socket()
    yield listener.listen(port, backlog)
    while True:
        connection = yield listener.accept()
        host.world.process(_serve(connection))


def _serve(connection: Socket) -> Run:
    try:
        while text := (yield connection.recv()):
            yield connection.send(text)
        yield connection.close()
    except ConnectionReset:
        pass


def ask(host: Host, server: Host, text: bytes, got: list[Any], port: int = 80) -> Run:
    """One question, the whole answer, and when it was complete."""
    socket = host.socket()
    yield socket.connect((server, port))
    yield socket.send(text)
    yield socket.shutdown()
    answer = b""
    while part := (yield socket.recv()):
        answer += part
    yield socket.close()
    got.append((host.world.now, answer))


def pair(forward: Path | None = None, reverse: Path | None = None, **world: Any) -> tuple[World, Host, Host]:
    w = World(**world)
    a, b = w.host("a"), w.host("b")
    w.link(a, b, forward if forward is not None else Path(), reverse)
    return w, a, b
