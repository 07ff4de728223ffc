"""A sans-I/O socket: the application's interface to a connection. No call blocks, and each returns its actions.

A call that would block returns None (``accept``, ``receive``) or zero bytes (``send``); a ``Signal`` for the socket
reports when to try again. A call raises an exception of ``netsim.tcp.errors`` for what the caller does wrong, and for
what the peer or the network has done to the connection. Times are ns.
"""

from collections.abc import Sized
from typing import Any, Literal

from netsim.tcp import user_calls
from netsim.tcp.actions import Action
from netsim.tcp.clauses import ABORT, OPEN, SEND
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import (
    ConnectionAborted,
    ConnectionAlreadyExists,
    ConnectionClosing,
    ConnectionDoesNotExist,
    ConnectionReset,
    ConnectionTimedOut,
    InsufficientResources,
    RemoteSocketUnspecified,
    TcpError,
    Unreachable,
)
from netsim.tcp.listening.listener import Listener
from netsim.tcp.recovery.send_buffer import send_room
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYN_RECEIVED, TIME_WAIT, State
from netsim.tcp.tcb import Tcb


class Socket:
    """One endpoint of a connection, or a listener. ``config`` overrides the host's.

    ``observer`` is the driver's object that signals are for. ``waiting``: what waits for a signal, such as a list of
    blocked calls; while it is empty, only the ``last`` signal is emitted.

    Options: ``linger_zero`` (SO_LINGER with time 0), ``reuse_address`` (SO_REUSEADDR, before ``bind`` or ``listen``),
    ``nonblocking`` (O_NONBLOCK, for the driver). The others are fields of TcpConfig. ``sticky_error``: every call
    raises the error that ended the connection. Otherwise only the first call does, as on real hosts (SO_ERROR); after
    it ``receive`` returns the end of the stream and ``send`` raises ConnectionClosing.
    """

    __slots__ = (
        "_reported",  # a call has raised the error that ended the connection: SO_ERROR is clear
        "config",
        "linger_zero",
        "listener",
        "nonblocking",
        "observer",
        "port",
        "read_shut",
        "reuse_address",
        "stack",
        "sticky_error",
        "tcb",
        "waiting",
    )

    def __init__(self, stack: Stack, config: TcpConfig | None = None, tcb: Tcb | None = None) -> None:
        self.stack = stack
        self.config = config
        self.tcb = tcb
        self.listener: Listener | None = None
        self.port: int | None = None
        self.observer: Any = None
        self.linger_zero = self.reuse_address = self.nonblocking = self.read_shut = self._reported = False
        self.sticky_error = True
        self.waiting: Sized | bool = True
        if tcb is not None:
            tcb.owner = self

    @property
    def state(self) -> State:
        """The state of RFC 9293 3.3.2; CLOSED before OPEN and after the connection has ended."""
        if self.listener is not None:
            return LISTEN
        return self.tcb.state if self.tcb is not None else CLOSED

    def bind(self, port: int) -> None:
        """Use ``port`` as the local port. Raises ConnectionAlreadyExists if the socket is open or the port in use."""
        self._must_be_new()
        _check_port("port", port)
        if self.stack.address_in_use(port, reuse_address=self.reuse_address):
            raise ConnectionAlreadyExists(f"address already in use: port {port} of {self.stack.address}")
        self.port = port

    def listen(self, port: int | None = None, backlog: int = 128) -> list[Action]:
        """Passive OPEN on ``port``, or on the port bound before."""
        if port is not None:
            self.bind(port)
        else:
            self._must_be_new()
        if self.port is None:
            raise ConnectionDoesNotExist("listen before bind")
        if type(backlog) is not int or backlog < 0:
            raise ValueError(f"backlog = {backlog!r}: must be an integer >= 0")
        self.listener, actions = self.stack.listen(self.port, backlog, self, self.config)
        return actions

    def connect(self, dst: str, dport: int, now: int, data: bytes | None = None) -> list[Action]:
        """Active OPEN; ``connected`` reports its result. A socket in LISTEN turns from passive to active (3.10.1).

        ``data`` is sent first, on the SYN if Fast Open allows (sendto with MSG_FASTOPEN); for a listener it is ignored.
        Raises InsufficientResources if the send buffer has no room for it.
        """
        _check_port("remote port", dport)
        if self.listener is not None:
            return self._turn_active((dst, dport), now, OPEN)
        self._must_be_new()
        room = (self.config or self.stack.config).send_buffer
        if data is not None and len(data) > room:
            raise InsufficientResources(f"{len(data)} bytes, room for {room}")
        self.tcb, actions = self.stack.open(dst, dport, now, self.port, self.config, self, data)
        return actions

    @property
    def connected(self) -> bool:
        """Whether the OPEN has succeeded. Raises the error with which it failed."""
        tcb = self.tcb
        if tcb is None:
            raise ConnectionDoesNotExist()
        if tcb.state is CLOSED:
            self._reported = True
            raise tcb.error or ConnectionDoesNotExist()
        return tcb.state >= ESTABLISHED

    def accept(self) -> "Socket | None":
        """The connection that has waited longest in the accept queue, or None."""
        if self.listener is None:
            if self.tcb is None and self.port is not None:
                raise ConnectionClosing("the listener was closed")
            raise ConnectionDoesNotExist("accept on a socket that does not listen")
        queue = self.listener.accept_queue
        if not queue:
            return None
        socket = Socket(self.stack, self.config, queue.popleft())
        socket.sticky_error = self.sticky_error
        return socket

    def send(
        self,
        data: bytes,
        now: int,
        *,
        to: tuple[str, int] | None = None,
        more: bool = False,
        record: bool = False,
    ) -> tuple[int, list[Action]]:
        """SEND as much of ``data`` as the send buffer has room for; returns the number of bytes, and the actions.

        ``more``: the user will send more soon (MSG_MORE). ``record``: a record ends with the last byte, and no segment
        carries bytes from both sides of that boundary (MSG_EOR).
        In LISTEN the call must name the remote socket, ``to``, and the connection is opened actively (3.10.2).
        """
        actions: list[Action] = []
        if self.listener is not None:
            if to is None:
                raise RemoteSocketUnspecified()
            actions = self._turn_active(to, now, SEND)
        tcb = self._connection()
        if tcb.state is CLOSED and not self.sticky_error:
            raise self.take_error() or ConnectionClosing()
        part = data[: max(send_room(tcb), 0)]
        if part or not data:
            user_calls.send(tcb, part, now, more=more, record=record and len(part) == len(data))
            finished = self.stack.finish(tcb)
            actions = actions + finished if actions else finished
        return len(part), actions

    def receive(self, size: int, now: int, *, peek: bool = False) -> tuple[bytes | None, list[Action]]:
        """RECEIVE up to ``size`` bytes and the actions; no bytes at the end of the stream, None if nothing has arrived.

        The stream ends with the peer's FIN, with ``shutdown`` for reading, and after the error that ended the
        connection was raised. ``peek`` leaves the data in the receive buffer (MSG_PEEK).
        """
        if self.listener is not None:
            return None, []
        tcb = self._connection()
        if peek and tcb.rcv_buffer:
            return bytes(tcb.rcv_buffer[:size]), []
        if tcb.state is CLOSED and not self.sticky_error and not (tcb.rcv_buffer or user_calls.peer_closed(tcb)):
            if self._reported:
                return b"", []
            self._reported = True
        data = user_calls.receive(tcb, size, now)
        return b"" if data is None and self.read_shut else data, self.stack.finish(tcb)

    def shutdown(self, now: int, how: Literal["write", "read", "both"] = "write") -> list[Action]:
        """CLOSE in RFC 9293's sense: no more data to send; the peer's data can still be received (half-close).

        For reading, RECEIVE returns the end of the stream instead of None; nothing is sent to the peer. Raises
        ConnectionDoesNotExist if the connection has ended.
        """
        if self.listener is not None:
            return self.close(now)
        tcb = self._connection()
        if how != "write":
            if tcb.state is CLOSED:
                raise ConnectionDoesNotExist()
            self.read_shut = True
            if how == "read":
                return []
        user_calls.close(tcb, now)
        return self.stack.finish(tcb)

    def close(self, now: int) -> list[Action]:
        """Close the socket: FIN after the data already given, and no more reading.

        Data that was received and not read is lost, which a RST reports to the peer (RFC 9293 3.6.1, SHLD-3).
        """
        if self.listener is not None:
            listener, self.listener = self.listener, None
            return self.stack.close_listener(listener, now)
        tcb = self.tcb
        if tcb is None or tcb.state is CLOSED or tcb.state is LISTEN or tcb.orphan:
            return []
        unread = bool(tcb.rcv_buffer) and tcb.state > SYN_RECEIVED and tcb.state is not TIME_WAIT
        if unread or self.linger_zero:
            self.stack.counters.TcpExtTCPAbortOnClose += unread
            return self.abort(now)
        if not tcb.close_called:
            user_calls.close(tcb, now)
        user_calls.make_orphan(tcb, now)
        return self.stack.finish(tcb)

    def configure(self, config: TcpConfig, now: int) -> list[Action]:
        """Set socket options, before OPEN or at any time after it: ``config`` holds from now on."""
        self.config = config
        if self.listener is not None:
            self.listener.config = config
        elif self.tcb is not None:
            user_calls.options_changed(self.tcb, config, now)
        return self.stack.finish(self.tcb)

    @property
    def options(self) -> TcpConfig:
        """The configuration of this socket."""
        if self.tcb is not None:
            return self.tcb.config
        return self.config if self.config is not None else self.stack.config

    def abort(self, now: int) -> list[Action]:
        """ABORT: the data in both buffers is dropped and the peer receives a RST."""
        if self.listener is not None:
            listener, self.listener = self.listener, None
            return self.stack.close_listener(listener, now, ABORT)
        user_calls.abort(self._connection(), now)
        return self.stack.finish()

    def status(self) -> user_calls.Status:
        """STATUS (3.10.6)."""
        if self.listener is not None:
            room = self.listener.config.receive_buffer
            return user_calls.Status(LISTEN, self.listener.flow, 0, room, 0, 0, 0, 0)
        return user_calls.status(self._connection())

    def take_error(self) -> TcpError | None:
        """SO_ERROR: the error with which the peer or the network ended the connection. One call only reports it."""
        error = pending_error(self)
        self._reported = self._reported or error is not None
        return error

    def _turn_active(self, remote: tuple[str, int], now: int, clause: str) -> list[Action]:
        """From LISTEN to SYN-SENT, with the listener's port."""
        dst, dport = remote
        self.tcb, actions = self.stack.open(
            dst, dport, now, config=self.config, owner=self, listener=self.listener, clause=clause
        )
        self.listener = None
        return actions

    def _connection(self) -> Tcb:
        if self.tcb is None:
            raise ConnectionDoesNotExist()
        return self.tcb

    def _must_be_new(self) -> None:
        if self.tcb is not None or self.listener is not None:
            raise ConnectionAlreadyExists()


def pending_error(socket: Socket) -> TcpError | None:
    """What ``take_error`` would return, without clearing it."""
    tcb = socket.tcb
    error = tcb.error if tcb is not None and tcb.state is CLOSED and not socket._reported else None
    return error if isinstance(error, _OF_THE_NETWORK) and not isinstance(error, ConnectionAborted) else None


def disconnect(socket: Socket, now: int) -> list[Action]:
    """ABORT, after which the socket can be opened anew (connect(2) with AF_UNSPEC; net/ipv4/tcp.c, tcp_disconnect)."""
    actions = socket.abort(now) if socket.listener is not None or socket.state is not CLOSED else []
    socket.tcb, socket._reported, socket.read_shut = None, False, False
    return actions


_OF_THE_NETWORK = (ConnectionReset, ConnectionTimedOut, Unreachable)


def _check_port(name: str, port: int) -> None:
    if type(port) is not int or not 0 < port < 65536:
        raise ValueError(f"{name} = {port!r}: must be an integer from 1 to 65535")
