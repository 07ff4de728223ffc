"""What the steps of a scenario do, and what Linux's system calls then return.

A step gives whether the steps go on after it, at once or as a SimPy generator.
"""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from simpy import Event

from netsim.referees.packetdrill.system_calls.errno import errno_of, so_error
from netsim.referees.recordings.scenario import Rule, Step
from netsim.tcp.errors import ConnectionAlreadyExists, TcpError

if TYPE_CHECKING:
    from netsim.referees.recordings.program import Descriptor, Program

GoesOn: TypeAlias = Generator[Event, Any, bool]

_CHUNK: Final = 65536


def _connect(program: "Program", descriptor: "Descriptor") -> GoesOn:
    connected = descriptor.socket.connection is not None
    try:
        yield program.open(descriptor)
    except TcpError as error:
        descriptor.told = True
        program.result(f"connect {_connect_errno(error, connected=connected)}")
        return False
    descriptor.since = program.run.world.env.now
    program.result("connect ok")
    return True


def _connect_nowait(program: "Program", descriptor: "Descriptor") -> bool:
    connected = descriptor.socket.connection is not None
    try:
        program.open(descriptor)
    except TcpError as error:
        program.result(f"connect {_connect_errno(error, connected=connected)}")
        return False
    descriptor.socket.waiting = []  # nobody waits
    program.result("connect EINPROGRESS")
    return True


def _connect_errno(error: TcpError, *, connected: bool) -> str:
    """connect(2): EISCONN for a socket that has been opened, EADDRNOTAVAIL for a four-tuple that is in use."""
    if isinstance(error, ConnectionAlreadyExists):
        return "EISCONN" if connected else "EADDRNOTAVAIL"
    return errno_of(error)


def _bind(program: "Program", descriptor: "Descriptor", port: int) -> bool:
    try:
        descriptor.socket.bind(port)
    except TcpError as error:
        program.result(f"bind {errno_of(error)}")
    return True


def _accept(program: "Program", descriptor: "Descriptor") -> GoesOn:
    """Take the oldest connection; the steps go on with it."""
    listener = program.listener
    assert listener is not None
    try:
        descriptor.socket = yield listener.accept()
    except TcpError as error:
        program.result(f"accept {errno_of(error)}")
        return False
    program.sockets.append(descriptor.socket)
    descriptor.since, descriptor.told = program.run.world.env.now, False
    program.result("accept")
    if program.plan.listener_closed_after_accept:
        listener.close()
    return True


def _accept_each(program: "Program", descriptor: "Descriptor", steps: tuple[Step, ...]) -> GoesOn:
    """Take every connection, and play the steps with each in a process of its own."""
    while True:
        each = type(descriptor)(descriptor.socket)
        if not (yield from _accept(program, each)):
            return False
        program.spawn(program.play(steps, each))


def _socket(program: "Program", descriptor: "Descriptor") -> bool:
    """A new socket; the one before stays open."""
    descriptor.socket, descriptor.told = program.socket(), False
    return True


def _send(program: "Program", descriptor: "Descriptor", count: int) -> GoesOn:
    """A failure does not end the steps."""
    yield from _send_or_fail(program, descriptor, count)
    return True


def _send_or_fail(program: "Program", descriptor: "Descriptor", count: int) -> GoesOn:
    program.act()
    if not program.first_send.triggered:
        program.first_send.succeed()
    try:
        yield descriptor.socket.send(bytes(count))
    except TcpError as error:
        connection = descriptor.socket.connection
        # Once the peer's FIN was taken, what comes after it is a broken pipe (net/ipv4/tcp_input.c, tcp_reset).
        name = None if descriptor.told or connection is None or connection.peer_closed else so_error(error)
        descriptor.told = descriptor.told or name is not None
        program.result(f"send {name or 'EPIPE'}")
        return False
    return True


def _recv(program: "Program", descriptor: "Descriptor", count: int) -> GoesOn:
    """A failure does not end the steps."""
    program.act()
    yield from _receive(program, descriptor, count)
    return True


def _recv_all(program: "Program", descriptor: "Descriptor") -> GoesOn:
    while (yield from _receive(program, descriptor, _CHUNK)):
        pass
    return True


def _serve(program: "Program", descriptor: "Descriptor", answer: int) -> GoesOn:
    """Answer every piece until the end of the stream; a failure ends the steps."""
    while True:
        count = yield from _receive(program, descriptor, _CHUNK)
        if not count:
            return count is not None
        if answer and not (yield from _send_or_fail(program, descriptor, answer)):
            return False


def _receive(program: "Program", descriptor: "Descriptor", count: int) -> Generator[Event, Any, int | None]:
    """How many bytes came: 0 at the end of the stream, None for a failure. An error is told once, then the end."""
    if descriptor.socket.connection is None:
        program.result("recv ENOTCONN")
        return None
    try:
        text = yield descriptor.socket.recv(count)
    except TcpError as error:
        name = None if descriptor.told else so_error(error)
        descriptor.told = True
        program.result(f"recv {name}" if name else "EOF")
        return None if name else 0
    program.result(f"{len(text)} bytes" if text else "EOF")
    return len(text)


def _sleep(program: "Program", descriptor: "Descriptor", seconds: float) -> GoesOn:
    yield program.run.world.timeout(seconds)
    return True


def _at(program: "Program", descriptor: "Descriptor", seconds: float) -> GoesOn:
    """Wait until so long after the connection was opened."""
    return (yield from _until(program, descriptor.since / 1e9 + seconds))


def _clock(program: "Program", descriptor: "Descriptor", seconds: float) -> GoesOn:
    """Wait until so long after the run began."""
    return (yield from _until(program, seconds))


def _until(program: "Program", time: float) -> GoesOn:
    rest = time - program.run.world.now
    if rest > 0:
        yield program.run.world.timeout(rest)
    return True


def _shutdown(program: "Program", descriptor: "Descriptor") -> bool:
    program.act()
    try:
        descriptor.socket.shutdown()
    except TcpError:
        program.result("shutdown ENOTCONN")
    return True


def _close(program: "Program", descriptor: "Descriptor") -> bool:
    program.act()
    descriptor.socket.close()
    return True


def _abort(program: "Program", descriptor: "Descriptor") -> bool:
    """SO_LINGER with no time, then close."""
    descriptor.socket.core.linger_zero = True
    return _close(program, descriptor)


def _keepalive(program: "Program", descriptor: "Descriptor", idle: float, interval: float, probes: int) -> bool:
    """SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT."""
    descriptor.socket.keepalive(idle=idle, interval=interval, probes=probes)
    return True


def _rule(program: "Program", descriptor: "Descriptor", rule: Rule) -> bool:
    """A link rule starts."""
    program.act()
    program.run.wires[rule.sender].add(rule.fault)
    return True


def _barrier(program: "Program", descriptor: "Descriptor") -> GoesOn:
    """Wait for the other end to get here."""
    yield program.run.at_barrier()
    return True


def _kill_at(program: "Program", descriptor: "Descriptor", seconds: float) -> GoesOn:
    """The end comes from outside."""
    yield program.run.world.env.event()
    return False


ACTS: Final[dict[str, Callable[..., bool | GoesOn]]] = {
    "accept": _accept,
    "accept_each": _accept_each,
    "abort": _abort,
    "at": _at,
    "barrier": _barrier,
    "bind": _bind,
    "clock": _clock,
    "close": _close,
    "connect": _connect,
    "connect_nowait": _connect_nowait,
    "keepalive": _keepalive,
    "kill_at": _kill_at,
    "recv": _recv,
    "recv_all": _recv_all,
    "rule": _rule,
    "send": _send,
    "serve": _serve,
    "shutdown_wr": _shutdown,
    "sleep": _sleep,
    "socket": _socket,
}
