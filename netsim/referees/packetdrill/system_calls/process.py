"""The one process of a script: its descriptors, and how the arguments of its system calls are read.

A system call is started once and gives an ``Attempt``: a function that returns the call's result, or None while the
call still has to wait. Every module of this package works on a ``Process`` and none of them knows the table of calls
(``calls``), which stands above them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from netsim.referees.packetdrill.host_under_test import HostUnderTest
from netsim.referees.packetdrill.language.script import (
    Array,
    BitwiseOr,
    Call,
    Expression,
    Name,
    Number,
    Structure,
)
from netsim.referees.packetdrill.system_calls.error_queue import ErrorQueue
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.socket import Socket

WITH_FLAGS = {"send", "sendto", "recv", "recvfrom"}
"""Calls whose fourth argument is a set of MSG_ flags."""


class Result(NamedTuple):
    """What a call returns; ``errno`` is the name of the error if it failed."""

    value: int
    errno: str | None = None


Attempt = Callable[[], Result | None]


def returns(value: int, errno: str | None = None) -> Attempt:
    """The attempt of a call that returns immediately."""
    result = Result(value, errno)
    return lambda: result


@dataclass(slots=True)
class File:
    """A file of ``size`` zero bytes; reading continues at ``position``."""

    size: int
    position: int = 0


@dataclass(slots=True)
class Pipe:
    """The number of bytes in a pipe; the descriptors of both its ends refer to it."""

    size: int = 0


@dataclass(slots=True)
class Watch:
    """One descriptor of an epoll set.

    ``wanted`` are the events asked for and ``how`` the modes (ET, ONESHOT). ``seen`` is the socket's
    progress when the descriptor was last reported (``readiness.progress``).
    """

    wanted: set[str]
    how: set[str]
    seen: tuple[object, ...] | None = None


@dataclass(slots=True)
class Epoll:
    """An epoll set: its descriptors in the order in which they were added."""

    watched: dict[int, Watch] = field(default_factory=dict)


class Process:
    """The process that makes a script's system calls, on ``host``."""

    def __init__(self, host: HostUnderTest, *, tolerance: int = 0) -> None:
        self.host = host
        self.tolerance = tolerance  # ns; for time stamps that calls return
        self.descriptors: dict[int, Socket] = {}
        self.objects: dict[int, Epoll | File | Pipe] = {}  # the descriptors that are not sockets
        self.files: dict[str, int] = {}  # sizes (bytes) of the files that the script's commands have made
        self.counters: Mapping[str, int] = {}  # the host's counters when nstat was last called
        self.error_queues: dict[Socket, ErrorQueue] = {}  # of the sockets that have asked for one
        self.full: set[Socket] = set()  # sockets that were seen to be not writable
        self.linger: dict[Socket, int] = {}  # how long close waits for the peer's ACK, ns
        self.inq: set[Socket] = set()  # sockets with TCP_INQ
        self.fast_open_connect: set[Socket] = set()  # sockets with TCP_FASTOPEN_CONNECT
        self.deferred: dict[Socket, Expression] = {}  # connect has returned; the SYN waits for the first write
        self.connecting: set[Socket] = set()  # sockets whose connect has not yet reported success

    def socket(self, call: Call) -> Socket:
        """The socket that a call's first argument names."""
        return self.descriptors[integer(call, 0)]

    def send(self, socket: Socket, size: int, *, more: bool = False, record: bool = False) -> int:
        """SEND as many of ``size`` bytes as the socket takes, and return their number."""
        count, actions = socket.send(bytes(size), self.host.now, more=more, record=record)
        self.host.perform(actions)
        return count

    def receive(self, socket: Socket, size: int, *, peek: bool = False) -> bytes | None:
        """RECEIVE up to ``size`` bytes; None if the socket has none yet."""
        data, actions = socket.receive(size, self.host.now, peek=peek)
        self.host.perform(actions)
        return data

    def watch_progress(self) -> None:
        """From now on the error queues are updated whenever segments have been sent or acknowledged."""
        self.host.on_progress = self.update_error_queues

    def update_error_queues(self) -> None:
        """Put into the error queues what the segments that were sent and acknowledged have completed."""
        for socket, queue in self.error_queues.items():
            queue.update(socket, self.host.now)


def argument(call: Call, index: int) -> Expression:
    """An argument of a call. Failure if the call has fewer."""
    if index >= len(call.arguments):
        raise Failure(call.line, f"{call.name}: argument {index + 1} is missing")
    return call.arguments[index]


def integer(call: Call, index: int) -> int:
    """An argument that must be a number, or ``[number]``. Unsupported if it is something else."""
    value = pointed_to(argument(call, index))
    if isinstance(value, Number):
        return value.value
    raise Unsupported(call.line, f"{call.name}: argument {index + 1} is not a number")


def flags_of(call: Call) -> set[str]:
    """The MSG_ flags of a call, if it is one that has such an argument."""
    return symbols(argument(call, 3)) if call.name in WITH_FLAGS else set()


def symbols(expression: Expression) -> set[str]:
    """The symbols of an argument such as ``O_RDWR|O_NONBLOCK``; a number other than 0 counts as a symbol too."""
    parts = expression.parts if isinstance(expression, BitwiseOr) else (expression,)
    found = {part.value for part in parts if isinstance(part, Name)}
    return found | {str(part.value) for part in parts if isinstance(part, Number) and part.value}


def listed(words: set[str]) -> str:
    """Symbols for an error message."""
    return ", ".join(sorted(words))


def pointed_to(expression: Expression) -> Expression:
    """The value that ``[value]`` points to."""
    if isinstance(expression, Array) and len(expression.items) == 1:
        return expression.items[0]
    return expression


def fields_of(expression: Expression | None) -> dict[str, Expression]:
    """The fields of a structure by name; none if the expression is not a structure."""
    return dict(expression.fields) if isinstance(expression, Structure) else {}


def descriptor(call: Call, otherwise: int) -> int:
    """The script's number for a new descriptor; ``otherwise`` where the script expects the call to fail."""
    return call.result if call.result is not None and call.result >= 0 else otherwise
