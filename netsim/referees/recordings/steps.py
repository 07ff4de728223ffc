"""What each step of a scenario does, and what a Linux system call then returns.

The function of a step returns whether the steps continue after it, either directly or as the result of a SimPy process.
"""

from collections.abc import Callable, Generator, Sequence
from types import GeneratorType
from typing import Any, Final, TypeAlias

from simpy import Event

from netsim.referees.packetdrill.system_calls.errno import errno_of, so_error
from netsim.referees.recordings.application import Application, Descriptor
from netsim.referees.recordings.run import LEAD
from netsim.referees.recordings.scenario import Rule, Step
from netsim.tcp.errors import ConnectionAlreadyExists, TcpError

Continues: TypeAlias = Generator[Event, Any, bool]

_CHUNK: Final = 65536


def _connect(application: Application, descriptor: Descriptor) -> Continues:
    connected = descriptor.socket.connection is not None
    try:
        yield application.connect(descriptor)
    except TcpError as error:
        descriptor.error_reported = True
        application.result(f"connect {_connect_errno(error, connected=connected)}")
        return False
    descriptor.opened_at = application.run.world.env.now
    application.result("connect ok")
    return True


def _connect_nowait(application: Application, descriptor: Descriptor) -> bool:
    connected = descriptor.socket.connection is not None
    try:
        application.connect(descriptor)
    except TcpError as error:
        application.result(f"connect {_connect_errno(error, connected=connected)}")
        return False
    descriptor.socket.waiting = []  # the process does not wait for the connection
    application.result("connect EINPROGRESS")
    return True


def _connect_errno(error: TcpError, *, connected: bool) -> str:
    """connect(2): EISCONN for a socket that is connected, EADDRNOTAVAIL for a four-tuple that is in use."""
    if isinstance(error, ConnectionAlreadyExists):
        return "EISCONN" if connected else "EADDRNOTAVAIL"
    return errno_of(error)


def _bind(application: Application, descriptor: Descriptor, port: int) -> bool:
    try:
        descriptor.socket.bind(port)
    except TcpError as error:
        application.result(f"bind {errno_of(error)}")
    return True


def _accept(application: Application, descriptor: Descriptor) -> Continues:
    """Accept the oldest connection, with which the steps continue."""
    listener = application.listener
    assert listener is not None
    try:
        descriptor.socket = yield listener.accept()
    except TcpError as error:
        application.result(f"accept {errno_of(error)}")
        return False
    application.sockets.append(descriptor.socket)
    descriptor.opened_at, descriptor.error_reported = application.run.world.env.now, False
    application.result("accept")
    if application.plan.listener_closed_after_accept:
        listener.close()
    return True


def _accept_each(application: Application, descriptor: Descriptor, steps: tuple[Step, ...]) -> Continues:
    """Accept every connection, and play the steps with each of them in a process of its own."""
    while True:
        each = Descriptor(descriptor.socket)
        if not (yield from _accept(application, each)):
            return False
        application.spawn(play(application, steps, each))


def _socket(application: Application, descriptor: Descriptor) -> bool:
    """Use a new socket; the previous one stays open."""
    descriptor.socket, descriptor.error_reported = application.socket(), False
    return True


def _send(application: Application, descriptor: Descriptor, count: int) -> Continues:
    """The steps continue after an error."""
    yield from _send_or_fail(application, descriptor, count)
    return True


def _send_or_fail(application: Application, descriptor: Descriptor, count: int) -> Continues:
    application.act()
    application.run.sends(application.end)
    try:
        yield descriptor.socket.send(bytes(count))
    except TcpError as error:
        connection = descriptor.socket.connection
        # After the peer's FIN every error is a broken pipe (net/ipv4/tcp_input.c, tcp_reset).
        name = None if descriptor.error_reported or connection is None or connection.peer_closed else so_error(error)
        descriptor.error_reported = descriptor.error_reported or name is not None
        application.result(f"send {name or 'EPIPE'}")
        return False
    return True


def _recv(application: Application, descriptor: Descriptor, count: int) -> Continues:
    """The steps continue after an error."""
    application.act()
    yield from _receive(application, descriptor, count)
    return True


def _recv_all(application: Application, descriptor: Descriptor) -> Continues:
    while (yield from _receive(application, descriptor, _CHUNK)):
        pass
    return True


def _serve(application: Application, descriptor: Descriptor, answer: int) -> Continues:
    """Answer every chunk until the end of the stream; an error ends the steps."""
    while True:
        count = yield from _receive(application, descriptor, _CHUNK)
        if not count:
            return count is not None
        if answer and not (yield from _send_or_fail(application, descriptor, answer)):
            return False


def _receive(application: Application, descriptor: Descriptor, count: int) -> Generator[Event, Any, int | None]:
    """The number of bytes received: 0 at the end of the stream, None for an error, which is reported once."""
    if descriptor.socket.connection is None:
        application.result("recv ENOTCONN")
        return None
    try:
        data = yield descriptor.socket.recv(count)
    except TcpError as error:
        name = None if descriptor.error_reported else so_error(error)
        descriptor.error_reported = True
        application.result(f"recv {name}" if name else "EOF")
        return None if name else 0
    application.result(f"{len(data)} bytes" if data else "EOF")
    return len(data)


def _sleep(application: Application, descriptor: Descriptor, seconds: float) -> Continues:
    yield application.run.world.timeout(seconds)
    return True


def _at(application: Application, descriptor: Descriptor, seconds: float) -> Continues:
    """Wait until ``seconds`` after the connection was opened."""
    return (yield from _until(application, descriptor.opened_at / 1e9 + seconds))


def _clock(application: Application, descriptor: Descriptor, seconds: float) -> Continues:
    """Wait until ``seconds`` after the start of the run."""
    return (yield from _until(application, seconds))


def _until(application: Application, time: float) -> Continues:
    rest = time - application.run.world.now
    if rest > 0:
        yield application.run.world.timeout(rest)
    return True


def _shutdown(application: Application, descriptor: Descriptor) -> bool:
    application.act()
    try:
        descriptor.socket.shutdown()
    except TcpError:
        application.result("shutdown ENOTCONN")
    return True


def _close(application: Application, descriptor: Descriptor) -> bool:
    application.act()
    descriptor.socket.close()
    return True


def _abort(application: Application, descriptor: Descriptor) -> bool:
    """SO_LINGER with time 0, then close."""
    descriptor.socket.core.linger_zero = True
    return _close(application, descriptor)


def _keepalive(application: Application, descriptor: Descriptor, idle: float, interval: float, probes: int) -> bool:
    """SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT."""
    descriptor.socket.keepalive(idle=idle, interval=interval, probes=probes)
    return True


def _rule(application: Application, descriptor: Descriptor, rule: Rule) -> bool:
    """A link rule starts."""
    application.act()
    application.run.links[rule.sender].add(rule.fault)
    return True


def _barrier(application: Application, descriptor: Descriptor) -> Continues:
    """Wait until the other end has reached its barrier."""
    yield application.run.at_barrier()
    return True


def _kill_at(application: Application, descriptor: Descriptor, seconds: float) -> Continues:
    """Wait to be killed (``start``)."""
    yield application.run.world.env.event()
    return False


_STEPS: Final[dict[str, Callable[..., bool | Continues]]] = {
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


def play(application: Application, steps: Sequence[Step], descriptor: Descriptor) -> Generator[Event, Any, None]:
    """The process that plays the steps in their order, until one of them ends them."""
    for step in steps:
        continues = _STEPS[step.kind](application, descriptor, *step.arguments)
        if isinstance(continues, GeneratorType):
            continues = yield from continues
        if not continues:
            return


def start(application: Application) -> None:
    """Listen, and start the processes of the application; the steps begin at the client's connect call."""
    application.listen()
    application.spawn(_begin(application))
    for step in application.plan.walk():
        if step.kind == "kill_at":
            application.run.world.process(_kill(application, *step.arguments))


def _begin(application: Application) -> Generator[Event, Any, None]:
    yield application.run.world.timeout(LEAD)
    yield from play(application, application.plan.steps, Descriptor(application.socket()))


def _kill(application: Application, seconds: Any) -> Generator[Event, Any, None]:
    """Kill the application ``seconds`` after the client's first send."""
    yield application.run.client_sends
    yield application.run.world.timeout(seconds)
    application.kill()
