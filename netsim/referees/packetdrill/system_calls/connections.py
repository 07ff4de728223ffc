"""Calls that open a connection with text: sendto with MSG_FASTOPEN, and writes after TCP_FASTOPEN_CONNECT (RFC 7413).

Linux takes only as much text as its SYN carries, none while it has no cookie to show; a call that blocks waits for the
connection and sends the rest (net/ipv4/tcp.c, tcp_sendmsg_fastopen). FreeBSD keeps all of it for later.
"""

from typing import TYPE_CHECKING

from netsim.referees.packetdrill.language.script import Call, Expression
from netsim.referees.packetdrill.system_calls.errno import errno_of
from netsim.referees.packetdrill.system_calls.process import Attempt, Result, names
from netsim.tcp.errors import TcpError
from netsim.tcp.listening.fast_open import first_room
from netsim.tcp.socket import Socket
from netsim.tcp.state import CLOSED, ESTABLISHED

if TYPE_CHECKING:
    from netsim.referees.packetdrill.system_calls.calls import Calls


def send_first(calls: "Calls", call: Call, socket: Socket, address: Expression, size: int) -> Attempt:
    """The connection is opened with the first of ``size`` bytes."""
    exchange, blocks = calls.exchange, calls.blocks(call)
    if exchange.host.tools != "linux":
        calls.open_to(socket, address, bytes(size))
        return lambda: Result(size)
    if not exchange.fast_open_client:
        return lambda: Result(-1, "EOPNOTSUPP")
    if CLOSED < socket.state < ESTABLISHED:
        return lambda: Result(-1, "EALREADY")
    if socket.state >= ESTABLISHED:
        return lambda: Result(-1, "EISCONN")
    _speaks_first(calls, socket)
    done = size if blocks else min(size, first_room(exchange.stack.ctx, socket.options, exchange.remote))
    calls.open_to(socket, address, bytes(done))
    if not blocks:
        return lambda: Result(done) if done else Result(-1, "EINPROGRESS")

    def attempt() -> Result | None:
        try:
            return Result(size) if socket.connected else None
        except TcpError as error:
            return Result(-1, errno_of(error))

    return attempt


def connect_later(calls: "Calls", socket: Socket, address: Expression) -> bool:
    """TCP_FASTOPEN_CONNECT: with a cookie at hand the first write opens the connection; else its SYN asks for one."""
    exchange = calls.exchange
    _speaks_first(calls, socket)
    if first_room(exchange.stack.ctx, socket.options, exchange.remote):
        calls.deferred[socket] = address
        return True
    calls.open_to(socket, address, b"")
    return False


def is_first(calls: "Calls", call: Call, socket: Socket, flags: set[str]) -> bool:
    """Whether this write opens the connection."""
    if socket in calls.deferred or (call.name == "sendto" and "MSG_FASTOPEN" in flags):
        return True
    fresh = call.name == "sendto" and socket.tcb is None and socket.state is CLOSED
    return fresh and socket.options.fast_open in ("client", "both")


def set_connect(calls: "Calls", socket: Socket, value: Expression) -> Result:
    """setsockopt TCP_FASTOPEN_CONNECT."""
    (calls.at_connect.add if names(value) else calls.at_connect.discard)(socket)
    return Result(0)


def _speaks_first(calls: "Calls", socket: Socket) -> None:
    exchange = calls.exchange
    exchange.perform(socket.configure(socket.options.replace(fast_open="client"), exchange.now))
