"""System calls on script descriptors, carried out on the sans-I/O socket.

A call is begun once and gives an attempt: a function that returns the result, or None as long as it must wait.
"""

from collections.abc import Callable
from typing import Literal

from netsim.referees.packetdrill.host_under_test import DEFAULT_TTL, Exchange
from netsim.referees.packetdrill.language.script import Application, Call, Expression, Number, Structure
from netsim.referees.packetdrill.socket_under_test import Subject
from netsim.referees.packetdrill.system_calls import files, readiness
from netsim.referees.packetdrill.system_calls import messages as vectors
from netsim.referees.packetdrill.system_calls import transfers as messages
from netsim.referees.packetdrill.system_calls.connections import connect_later, is_first, send_first
from netsim.referees.packetdrill.system_calls.errno import errno_of
from netsim.referees.packetdrill.system_calls.error_queue import Notices
from netsim.referees.packetdrill.system_calls.process import Attempt, Result, names, pointed
from netsim.referees.packetdrill.system_calls.socket_options import get_option, set_option
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.errors import ConnectionClosing, ConnectionDoesNotExist, TcpError
from netsim.tcp.output import FIN_UNACKNOWLEDGED, may_speak
from netsim.tcp.socket import Socket, disconnect
from netsim.tcp.state import CLOSED, ESTABLISHED, LISTEN, TIME_WAIT
from netsim.tcp.user_calls import Status

LONGEST_BACKLOG = 0x7FFFFFFF  # what a negative one stands for: hosts cut it to their somaxconn
UNEXPECTED = 99  # a descriptor that no script opens
MOST_TEXT = 1 << 24  # bytes in one write


class Calls:
    """The system calls of the one process that a script describes."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.descriptors: dict[int, Socket] = {}
        self.counted: dict[str, int] = {}  # the host's counters when nstat last told them
        self.objects: dict[int, readiness.Epoll | files.File | files.Pipe] = {}  # descriptors that are no sockets
        self.files: dict[str, int] = {}  # sizes of the files that the script has made
        self.notices: dict[Socket, Notices] = {}  # error queues, of sockets that ask for one
        self.full: set[Socket] = set()  # somebody has seen that they take no text
        self.linger: dict[Socket, int] = {}  # how long close waits for the peer's ACK, ns
        self.inq: set[Socket] = set()  # TCP_INQ is on
        self.tolerance = 0  # ns, for times that calls tell
        self.at_connect: set[Socket] = set()  # TCP_FASTOPEN_CONNECT is on
        self.deferred: dict[Socket, Expression] = {}  # whose connect has returned, and whose SYN waits for text
        self._opening: set[int] = set()  # sockets opened actively whose connect has not told success

    def begin(self, call: Call) -> Attempt:
        """Start a call. Unsupported for one that is not known."""
        simple = self.plain(call)
        handler = _HANDLERS.get(simple.name)
        if handler is None:
            raise Unsupported(call.line, f"the system call {call.name}")
        if call.name not in _WITHOUT_SOCKET and self.integer(call, 0) not in self.descriptors:
            other = call.name == "close" and self.objects.pop(self.integer(call, 0), None) is not None
            return _done(Result(0) if other else Result(-1, "EBADF"))
        try:
            attempt = handler(self, simple)
            wants_more = simple is not call and "msg_control" in messages.fields_of(call)
            return messages.with_inq(self, call, attempt) if wants_more else attempt
        except TcpError as error:
            return _done(Result(-1, errno_of(error)))
        except ValueError as error:
            raise Unsupported(call.line, f"{call.name}: {error}") from None

    @staticmethod
    def plain(call: Call) -> Call:
        """The call in its simplest form: sendmsg and writev are send, recvmsg and readv recv.

        A recvmsg from the error queue stays one.
        """
        if call.name == "recvmsg" and len(call.arguments) > 2 and "MSG_ERRQUEUE" in names(call.arguments[2]):
            return call
        return vectors.plain(call) if call.name in ("sendmsg", "recvmsg", "writev", "readv") else call

    def blocks(self, call: Call) -> bool:
        """Whether this call waits rather than return EAGAIN."""
        call = self.plain(call)
        if call.name in _WITHOUT_SOCKET or call.name == "close":
            return True  # unless it has waited long enough, which it knows itself
        return not self.of(call).nonblocking and "MSG_DONTWAIT" not in self._flags(call)

    def _flags(self, call: Call) -> set[str]:
        """The MSG_ flags of a call that has such an argument."""
        return names(self.argument(call, 3)) if call.name in _WITH_FLAGS else set()

    def of(self, call: Call) -> Socket:
        """The socket that a call's first argument names."""
        return self.descriptors[self.integer(call, 0)]

    def argument(self, call: Call, index: int) -> Expression:
        """An argument. Failure if there are fewer."""
        if index >= len(call.arguments):
            raise Failure(call.line, f"{call.name}: argument {index + 1} is missing")
        return call.arguments[index]

    def integer(self, call: Call, index: int) -> int:
        """An argument that must be a number. Unsupported if it is something else."""
        value = pointed(self.argument(call, index))
        if isinstance(value, Number):
            return value.value
        raise Unsupported(call.line, f"{call.name}: argument {index + 1} that is no number")

    def _socket(self, call: Call) -> Attempt:
        kinds = names(self.argument(call, 1))
        if kinds - {"SOCK_STREAM", "SOCK_NONBLOCK", "SOCK_CLOEXEC"}:
            raise Unsupported(call.line, f"sockets other than SOCK_STREAM: {', '.join(sorted(kinds))}")
        protocols = names(self.argument(call, 2)) - {"IPPROTO_TCP", "IPPROTO_IP"}
        if protocols:
            raise Unsupported(call.line, f"sockets of {', '.join(sorted(protocols))}")
        self._open(call, Socket(self.exchange.stack), nonblocking="SOCK_NONBLOCK" in kinds)
        exchange = self.exchange
        exchange.subject, exchange.passive = Subject(), False
        exchange.ttl, exchange.tos = DEFAULT_TTL, 0
        return _done(_opened(call))

    def _open(self, call: Call, socket: Socket, *, nonblocking: bool = False) -> None:
        if call.result is not None and call.result >= 0:
            if call.result in self.descriptors:
                raise Failure(call.line, f"{call.name}: descriptor {call.result} is open already")
            socket.nonblocking, socket.sticky_error = nonblocking, False
            self.descriptors[call.result] = socket

    def _bind(self, call: Call) -> Attempt:
        port = _port(self.argument(call, 1), self.exchange.bind_port)
        self.of(call).bind(port)
        self.exchange.bind_port = port  # where inbound segments go that do not say their ports
        return _done(Result(0))

    def _listen(self, call: Call) -> Attempt:
        backlog = self.integer(call, 1)
        self.exchange.perform(self.of(call).listen(None, backlog if backlog >= 0 else LONGEST_BACKLOG))
        self.exchange.passive = True
        return _done(Result(0))

    def _connect(self, call: Call) -> Attempt:
        socket = self.of(call)
        if "AF_UNSPEC" in names(self.argument(call, 1)):
            self.exchange.perform(disconnect(socket, self.exchange.now))
            self.exchange.settle()
            return _done(Result(0))
        if socket.tcb is None:
            if socket not in self.at_connect:
                self.open_to(socket, self.argument(call, 1))
            elif connect_later(self, socket, self.argument(call, 1)):
                return _done(Result(0))
            self._opening.add(id(socket))
        elif socket.state >= ESTABLISHED and (id(socket) not in self._opening or self.exchange.host.tools != "linux"):
            return _done(Result(-1, "EISCONN"))
        elif CLOSED < socket.state < ESTABLISHED:
            return _done(Result(-1, "EALREADY"))

        def attempt() -> Result | None:
            try:
                if not socket.connected:
                    return None
            except TcpError as error:
                return Result(-1, errno_of(error))
            self._opening.discard(id(socket))  # Linux tells of success once (net/ipv4/af_inet.c, inet_stream_connect)
            return Result(0)

        return attempt

    def open_to(self, socket: Socket, address: Expression, text: bytes | None = None) -> None:
        """Active OPEN to an address of the script, with text by Fast Open."""
        exchange = self.exchange
        port = _port(address, exchange.connect_port)
        exchange.perform(socket.connect(exchange.remote, port, exchange.now, data=text))
        assert socket.tcb is not None
        exchange.subject, exchange.passive = Subject(socket.tcb.flow), False

    def _accept(self, call: Call) -> Attempt:
        listener = self.of(call)
        nonblocking = call.name == "accept4" and "SOCK_NONBLOCK" in names(self.argument(call, 3))

        def attempt() -> Result | None:
            socket = listener.accept()
            if socket is None:
                return None
            self._open(call, socket, nonblocking=nonblocking)
            if listener in self.notices:
                self.notices[socket] = Notices(zerocopy=self.notices[listener].zerocopy)
            return _opened(call)

        if listener.listener is None:
            return _done(Result(-1, "EINVAL"))
        return attempt

    def _write(self, call: Call) -> Attempt:
        socket, exchange = self.of(call), self.exchange
        flags = self._flags(call)
        first = is_first(self, call, socket, flags)
        if flags - _SEND_FLAGS - ({"MSG_FASTOPEN"} if first else set()):
            raise Unsupported(call.line, f"{call.name} with {', '.join(sorted(flags))}")
        if "NULL" in names(self.argument(call, 1)):
            return _done(Result(-1, "EFAULT"))
        size, done, socket, blocks = self.integer(call, 2), 0, socket, self.blocks(call)
        if not 0 <= size <= MOST_TEXT:
            raise Unsupported(call.line, f"{call.name} of {size} bytes")
        if first:
            address = self.deferred.pop(socket) if socket in self.deferred else self.argument(call, 4)
            opened = send_first(self, call, socket, address, size)
            self._noted(socket, zerocopy="MSG_ZEROCOPY" in flags and size > 0)
            return opened
        unconnected = "EPIPE" if exchange.host.tools == "linux" else "ENOTCONN"  # net/core/stream.c; uipc_socket.c

        def attempt() -> Result | None:
            nonlocal done
            if CLOSED < socket.state < ESTABLISHED and (socket.tcb is None or not may_speak(socket.tcb)):
                return Result(-1, unconnected) if socket.state is LISTEN else None
            try:
                more, record = "MSG_MORE" in flags, "MSG_EOR" in flags
                count, actions = socket.send(bytes(size - done), exchange.now, more=more, record=record)
            except ConnectionDoesNotExist:
                return Result(-1, unconnected)
            except TcpError as error:
                return Result(-1, errno_of(error))
            exchange.perform(actions)
            done += count
            if done < size:
                self.full.add(socket)
            if done == size or (done and not blocks):
                self._noted(socket, zerocopy="MSG_ZEROCOPY" in flags and size > 0)
                return Result(done)
            return None

        return attempt

    def _noted(self, socket: Socket, *, zerocopy: bool) -> None:
        """The error queue is to tell of the text just given."""
        notices = self.notices.get(socket)
        if notices is not None:
            notices.sent(socket, zerocopy=zerocopy)
            notices.look(socket, self.exchange.now)

    def look(self) -> None:
        """Segments have come or gone: the error queues may tell of it."""
        for socket, notices in self.notices.items():
            notices.look(socket, self.exchange.now)

    def _read(self, call: Call) -> Attempt:
        socket = self.of(call)
        flags = self._flags(call)
        if socket in self.deferred:
            return lambda: None
        if flags - {"MSG_DONTWAIT", "MSG_PEEK"}:
            raise Unsupported(call.line, f"{call.name} with {', '.join(sorted(flags))}")
        size, nowhere = self.integer(call, 2), "NULL" in names(self.argument(call, 1))

        def attempt() -> Result | None:
            try:
                text, actions = socket.receive(size, self.exchange.now, peek="MSG_PEEK" in flags or nowhere)
            except TcpError as error:
                return Result(-1, errno_of(error))
            self.exchange.perform(actions)
            if text and nowhere:
                return Result(-1, "EFAULT")
            return Result(len(text)) if text is not None else None

        return attempt

    def _shutdown(self, call: Call) -> Attempt:
        socket, how = self.of(call), names(self.argument(call, 1))
        if how not in ({"SHUT_RD"}, {"SHUT_WR"}, {"SHUT_RDWR"}):
            raise Unsupported(call.line, "shutdown with a number")
        if socket.tcb is None or socket.state in (CLOSED, TIME_WAIT):  # soisdisconnected; tcp_time_wait, tcp_done
            return _done(Result(-1, "ENOTCONN"))
        try:
            self.exchange.perform(socket.shutdown(self.exchange.now, _SHUTDOWN[how.pop()]))
        except ConnectionClosing:
            return _done(Result(0))
        return _done(Result(0))

    def _close(self, call: Call) -> Attempt:
        socket = self.of(call)
        del self.descriptors[self.integer(call, 0)]
        self.notices.pop(socket, None)
        exchange, tcb = self.exchange, socket.tcb
        exchange.perform(socket.close(exchange.now))
        limit = exchange.now + self.linger.pop(socket, 0)
        exchange.alarm = limit if limit > exchange.now else exchange.alarm

        def attempt() -> Result | None:  # net/core/stream.c, sk_stream_wait_close
            lingers = tcb is not None and tcb.state in FIN_UNACKNOWLEDGED and exchange.now < limit
            return None if lingers else Result(0)

        return attempt

    def _getsockopt(self, call: Call) -> Attempt:
        return _done(get_option(self, call))

    def _setsockopt(self, call: Call) -> Attempt:
        return _done(set_option(self, call))

    def _fcntl(self, call: Call) -> Attempt:
        socket, command = self.of(call), names(self.argument(call, 1))
        if command == {"F_GETFL"}:
            return _done(Result(0x2 | (self.exchange.host.nonblock if socket.nonblocking else 0)))
        if command != {"F_SETFL"} or names(self.argument(call, 2)) - {"O_RDWR", "O_NONBLOCK", "2"}:
            raise Unsupported(call.line, f"fcntl with {', '.join(sorted(command))}")
        socket.nonblocking = "O_NONBLOCK" in names(self.argument(call, 2))
        return _done(Result(0))

    def _ioctl(self, call: Call) -> Attempt:
        socket, command = self.of(call), "".join(names(self.argument(call, 1)))
        if command not in _COUNTS:
            raise Unsupported(call.line, f"ioctl with {command}")
        status = socket.status()
        count, expected = _COUNTS[command](status), self.integer(call, 2)
        if count != expected:
            raise Failure(call.line, f"ioctl {command}: another number of bytes", str(expected), str(count))
        return _done(Result(0))


def _opened(call: Call) -> Result:
    """A new descriptor: the script's number for it, or one that it does not expect if it expects none."""
    return Result(call.result if call.result is not None and call.result >= 0 else UNEXPECTED)


def _done(result: Result) -> Attempt:
    return lambda: result


def _port(address: Expression, default: int) -> int:
    """The port of a sockaddr_in, where the script writes one out."""
    fields = dict(address.fields) if isinstance(address, Structure) else {}
    port = fields.get("sin_port", fields.get("sin6_port"))
    if isinstance(port, Application) and port.arguments and isinstance(port.arguments[0], Number):
        return port.arguments[0].value
    return default


_SHUTDOWN: dict[str, Literal["read", "write", "both"]] = {"SHUT_RD": "read", "SHUT_WR": "write", "SHUT_RDWR": "both"}
_WITH_FLAGS = {"send", "sendto", "recv", "recvfrom"}
_SEND_FLAGS = {"MSG_DONTWAIT", "MSG_NOSIGNAL", "MSG_MORE", "MSG_ZEROCOPY", "MSG_EOR"}
_WITHOUT_SOCKET = {
    "socket",
    "open",
    "pipe",
    "splice",
    "poll",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
}
_COUNTS: dict[str, Callable[[Status], int]] = {
    "SIOCINQ": lambda status: status.unread,
    "FIONREAD": lambda status: status.unread,
    "SIOCOUTQ": lambda status: status.unacknowledged + status.unsent,
    "SIOCOUTQNSD": lambda status: status.unsent,
}
_HANDLERS: dict[str, Callable[[Calls, Call], Attempt]] = {
    "socket": Calls._socket,
    "bind": Calls._bind,
    "listen": Calls._listen,
    "connect": Calls._connect,
    "accept": Calls._accept,
    "accept4": Calls._accept,
    "write": Calls._write,
    "send": Calls._write,
    "sendto": Calls._write,
    "read": Calls._read,
    "recv": Calls._read,
    "recvmsg": messages.from_error_queue,
    "recvfrom": Calls._read,
    "shutdown": Calls._shutdown,
    "close": Calls._close,
    "getsockopt": Calls._getsockopt,
    "setsockopt": Calls._setsockopt,
    "fcntl": Calls._fcntl,
    "ioctl": Calls._ioctl,
    "open": files.open_file,
    "pipe": files.pipe,
    "sendfile": files.sendfile,
    "splice": files.splice,
    "poll": readiness.poll,
    "epoll_create": readiness.create,
    "epoll_create1": readiness.create,
    "epoll_ctl": readiness.control,
    "epoll_wait": readiness.wait,
}
