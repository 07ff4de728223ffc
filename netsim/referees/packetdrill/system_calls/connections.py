"""The calls that open and close connections: socket, bind, listen, connect, accept, shutdown, close.

TCP Fast Open (RFC 7413) opens a connection with data: sendto with MSG_FASTOPEN, or the first write after a connect with
TCP_FASTOPEN_CONNECT. Linux takes only as much data as its SYN can carry, and none while it has no cookie to send; a
blocking call then waits for the connection and sends the rest (net/ipv4/tcp.c, tcp_sendmsg_fastopen). FreeBSD takes all
of the data and keeps it for later.
"""

from contextlib import suppress
from typing import Literal

from netsim.referees.packetdrill.host_under_test import DEFAULT_TTL
from netsim.referees.packetdrill.language.script import Call, Expression, FunctionCall, Number
from netsim.referees.packetdrill.socket_under_test import SocketUnderTest
from netsim.referees.packetdrill.system_calls.errno import errno_of
from netsim.referees.packetdrill.system_calls.error_queue import ErrorQueue
from netsim.referees.packetdrill.system_calls.process import (
    Attempt,
    Process,
    Result,
    argument,
    descriptor,
    fields_of,
    integer,
    listed,
    returns,
    symbols,
)
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.errors import ConnectionClosing, TcpError
from netsim.tcp.listening.fast_open import syn_data_room
from netsim.tcp.output import FIN_UNACKNOWLEDGED
from netsim.tcp.socket import Socket, disconnect
from netsim.tcp.state import CLOSED, ESTABLISHED, TIME_WAIT

LARGEST_BACKLOG = 0x7FFFFFFF  # stands for a negative one, which hosts limit to their somaxconn
UNEXPECTED = 99  # the descriptor that a call returns which the script expects to fail; no script opens that one
_HOW: dict[str, Literal["read", "write", "both"]] = {"SHUT_RD": "read", "SHUT_WR": "write", "SHUT_RDWR": "both"}


def socket(process: Process, call: Call) -> Attempt:
    """socket(domain, type, protocol): the new socket becomes the socket under test."""
    kinds = symbols(argument(call, 1))
    if kinds - {"SOCK_STREAM", "SOCK_NONBLOCK", "SOCK_CLOEXEC"}:
        raise Unsupported(call.line, f"sockets other than SOCK_STREAM: {listed(kinds)}")
    protocols = symbols(argument(call, 2)) - {"IPPROTO_TCP", "IPPROTO_IP"}
    if protocols:
        raise Unsupported(call.line, f"sockets of {listed(protocols)}")
    host = process.host
    _install(process, call, Socket(host.stack), nonblocking="SOCK_NONBLOCK" in kinds)
    host.subject, host.listening = SocketUnderTest(), False
    host.ttl, host.tos = DEFAULT_TTL, 0
    return returns(descriptor(call, UNEXPECTED))


def _install(process: Process, call: Call, new: Socket, *, nonblocking: bool = False) -> None:
    """Give a new socket the descriptor that the script expects, if it expects the call to succeed."""
    number = descriptor(call, -1)
    if number < 0:
        return
    if number in process.descriptors:
        raise Failure(call.line, f"{call.name}: descriptor {number} is already open")
    new.nonblocking, new.sticky_error = nonblocking, False
    process.descriptors[number] = new


def bind(process: Process, call: Call) -> Attempt:
    """bind(fd, address, length). Inbound segments whose script gives no ports go to this port from now on."""
    port = _port(argument(call, 1), process.host.bind_port)
    process.socket(call).bind(port)
    process.host.bind_port = port
    return returns(0)


def listen(process: Process, call: Call) -> Attempt:
    """listen(fd, backlog): passive OPEN."""
    backlog = integer(call, 1)
    actions = process.socket(call).listen(None, backlog if backlog >= 0 else LARGEST_BACKLOG)
    process.host.perform(actions)
    process.host.listening = True
    return returns(0)


def accept(process: Process, call: Call) -> Attempt:
    """accept(fd, ..., ...) and accept4, whose last argument may be SOCK_NONBLOCK."""
    listener = process.socket(call)
    nonblocking = call.name == "accept4" and "SOCK_NONBLOCK" in symbols(argument(call, 3))

    def attempt() -> Result | None:
        accepted = listener.accept()
        if accepted is None:
            return None
        _install(process, call, accepted, nonblocking=nonblocking)
        if listener in process.error_queues:
            process.error_queues[accepted] = ErrorQueue(zerocopy=process.error_queues[listener].zerocopy)
        return Result(descriptor(call, UNEXPECTED))

    return returns(-1, "EINVAL") if listener.listener is None else attempt


def connect(process: Process, call: Call) -> Attempt:
    """connect(fd, address, length): active OPEN; an address of family AF_UNSPEC dissolves the connection."""
    one, address = process.socket(call), argument(call, 1)
    if "AF_UNSPEC" in symbols(address):
        process.host.perform(disconnect(one, process.host.now))
        process.host.settle()
        return returns(0)
    if one.tcb is None:
        if one not in process.fast_open_connect:
            _open(process, one, address)
        elif _defer(process, one, address):
            return returns(0)
        process.connecting.add(one)
    elif one.state >= ESTABLISHED and (one not in process.connecting or process.host.platform.system != "linux"):
        return returns(-1, "EISCONN")
    elif CLOSED < one.state < ESTABLISHED:
        return returns(-1, "EALREADY")

    def attempt() -> Result | None:
        result = _when_connected(one, 0)
        if result is not None and result.errno is None:
            process.connecting.discard(one)  # Linux reports success once (net/ipv4/af_inet.c, inet_stream_connect)
        return result

    return attempt


def _when_connected(one: Socket, value: int) -> Result | None:
    """``value`` once the connection is established, None before, or the error that ended it."""
    try:
        return Result(value) if one.connected else None
    except TcpError as error:
        return Result(-1, errno_of(error))


def _open(process: Process, one: Socket, address: Expression, data: bytes | None = None) -> None:
    """Active OPEN to an address of the script, with ``data`` by Fast Open; it becomes the socket under test."""
    host = process.host
    host.perform(one.connect(host.remote, _port(address, host.connect_port), host.now, data=data))
    assert one.tcb is not None
    host.subject, host.listening = SocketUnderTest(one.tcb.four_tuple), False


def _defer(process: Process, one: Socket, address: Expression) -> bool:
    """TCP_FASTOPEN_CONNECT: whether the SYN waits for the first write. Without a cookie it is sent now to get one."""
    host = process.host
    _enable_fast_open(process, one)
    if syn_data_room(host.stack.ctx, one.options, host.remote):
        process.deferred[one] = address
        return True
    _open(process, one, address, b"")
    return False


def opens_with_data(process: Process, call: Call, one: Socket, flags: set[str]) -> bool:
    """Whether this write opens the connection: its data may be sent on the SYN."""
    if one in process.deferred or (call.name == "sendto" and "MSG_FASTOPEN" in flags):
        return True
    unopened = call.name == "sendto" and one.tcb is None and one.state is CLOSED
    return unopened and one.options.fast_open in ("client", "both")


def open_with_data(process: Process, call: Call, one: Socket, size: int, *, waits: bool) -> Attempt:
    """A write of ``size`` bytes that opens the connection; ``waits``: the call blocks."""
    host = process.host
    address = process.deferred.pop(one) if one in process.deferred else argument(call, 4)
    if host.platform.system != "linux":
        _open(process, one, address, bytes(size))
        return returns(size)
    if not host.fast_open_client:
        return returns(-1, "EOPNOTSUPP")
    if one.state > CLOSED:
        return returns(-1, "EALREADY" if one.state < ESTABLISHED else "EISCONN")
    _enable_fast_open(process, one)
    taken = size if waits else min(size, syn_data_room(host.stack.ctx, one.options, host.remote))
    _open(process, one, address, bytes(taken))
    if not waits:
        return returns(taken) if taken else returns(-1, "EINPROGRESS")
    return lambda: _when_connected(one, size)


def _enable_fast_open(process: Process, one: Socket) -> None:
    host = process.host
    host.perform(one.configure(one.options.replace(fast_open="client"), host.now))


def shutdown(process: Process, call: Call) -> Attempt:
    """shutdown(fd, how)."""
    one, how = process.socket(call), symbols(argument(call, 1))
    if how not in ({"SHUT_RD"}, {"SHUT_WR"}, {"SHUT_RDWR"}):
        raise Unsupported(call.line, "shutdown with a number")
    if one.tcb is None or one.state in (CLOSED, TIME_WAIT):  # soisdisconnected; tcp_time_wait, tcp_done
        return returns(-1, "ENOTCONN")
    with suppress(ConnectionClosing):
        process.host.perform(one.shutdown(process.host.now, _HOW[how.pop()]))
    return returns(0)


def close(process: Process, call: Call) -> Attempt:
    """close(fd). With SO_LINGER it waits until the peer has acknowledged the FIN, or until the time is over."""
    number, host = integer(call, 0), process.host
    if number not in process.descriptors:
        del process.objects[number]
        return returns(0)
    one = process.descriptors.pop(number)
    process.error_queues.pop(one, None)
    tcb = one.tcb
    host.perform(one.close(host.now))
    limit = host.now + process.linger.pop(one, 0)
    if limit > host.now:
        host.call_deadline = limit

    def attempt() -> Result | None:  # net/core/stream.c, sk_stream_wait_close
        lingers = tcb is not None and tcb.state in FIN_UNACKNOWLEDGED and host.now < limit
        return None if lingers else Result(0)

    return attempt


def _port(address: Expression, default: int) -> int:
    """The port of a sockaddr_in that the script writes out, otherwise ``default``."""
    fields = fields_of(address)
    port = fields.get("sin_port", fields.get("sin6_port"))
    if isinstance(port, FunctionCall) and port.arguments and isinstance(port.arguments[0], Number):
        return port.arguments[0].value
    return default
