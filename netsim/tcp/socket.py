"""A sans-I/O socket: what an application sees of a connection, never blocking.

Calls that would wait return None (``accept``, ``receive``) or 0 (``send``); the stack's ``Signal`` says when to try
again. What the peer or the network did comes out as an exception of ``netsim.tcp.errors``. Times are ns.
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
    """One end of a connection, or a listener. ``config`` overrides the host's; ``observer`` is whom signals are for.

    ``waiting``: what waits for a signal, such as a list of calls. While it is empty only the ``last`` one is emitted.

    Options: ``linger_zero`` (SO_LINGER with time 0), ``reuse_address`` (SO_REUSEADDR, before ``bind`` or ``listen``),
    ``nonblocking`` (O_NONBLOCK: whoever drives the socket must not wait for it). The others are fields of TcpConfig.
    ``sticky_error``: every call tells what ended the connection; else only the first one does, as on real hosts
    (SO_ERROR), and then there is the end of the stream to read and ConnectionClosing to write.
    """

    __slots__ = (
        "_told",  # a call has reported how the connection ended: SO_ERROR is clear
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
        self.linger_zero = self.reuse_address = self.nonblocking = self.read_shut = self._told = False
        self.sticky_error = True
        self.waiting: Sized | bool = True
        if tcb is not None:
            tcb.owner = self

    @property
    def state(self) -> State:
        """The state of RFC 9293 3.3.2; CLOSED before OPEN and after the end."""
        if self.listener is not None:
            return LISTEN
        return self.tcb.state if self.tcb is not None else CLOSED

    def bind(self, port: int) -> None:
        """Use ``port`` as the local port. ConnectionAlreadyExists once the socket is open, or if the port is in use."""
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
        """Active OPEN; ``connected`` tells how it goes. A socket in LISTEN turns from passive to active (3.10.1).

        ``data`` is sent first, on the SYN if Fast Open allows (sendto with MSG_FASTOPEN); a listener has none.
        InsufficientResources if there is no room for it.
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
        """Whether the OPEN has succeeded; raises the error with which it failed."""
        tcb = self.tcb
        if tcb is None:
            raise ConnectionDoesNotExist()
        if tcb.state is CLOSED:
            self._told = True
            raise tcb.error or ConnectionDoesNotExist()
        return tcb.state >= ESTABLISHED

    def accept(self) -> "Socket | None":
        """The oldest connection that is ESTABLISHED, or None."""
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
            actions += self.stack.finish(tcb)
        return len(part), actions

    def receive(self, size: int, now: int, *, peek: bool = False) -> tuple[bytes | None, list[Action]]:
        """RECEIVE up to ``size`` bytes; empty at the end of stream; None if there is nothing yet.

        The stream ends with the peer's FIN, with ``shutdown`` for reading, and when the error that ended the connection
        has been told. ``peek`` leaves the text where it is (MSG_PEEK).
        """
        if self.listener is not None:
            return None, []
        tcb = self._connection()
        if peek and tcb.rcv_buffer:
            return bytes(tcb.rcv_buffer[:size]), []
        if tcb.state is CLOSED and not self.sticky_error and not (tcb.rcv_buffer or user_calls.peer_closed(tcb)):
            if self._told:
                return b"", []
            self._told = True
        data = user_calls.receive(tcb, size, now)
        return b"" if data is None and self.read_shut else data, self.stack.finish(tcb)

    def shutdown(self, now: int, how: Literal["write", "read", "both"] = "write") -> list[Action]:
        """CLOSE in RFC 9293's sense: no more to send; what the peer sends can still be received (half-close).

        For reading, RECEIVE no longer waits; the peer does not hear of it. ConnectionDoesNotExist once it has ended.
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
        """Give the socket up: FIN after the text already sent, no more reading.

        Text that was received and never read is lost, and the peer is told by a RST (RFC 9293 3.6.1, SHLD-3).
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
        """Socket options, before OPEN or at any time after it: the connection goes on with ``config``."""
        self.config = config
        if self.listener is not None:
            self.listener.config = config
        elif self.tcb is not None:
            user_calls.options_changed(self.tcb, config, now)
        return self.stack.finish(self.tcb)

    @property
    def options(self) -> TcpConfig:
        """The configuration that holds for this socket."""
        if self.tcb is not None:
            return self.tcb.config
        return self.config if self.config is not None else self.stack.config

    def abort(self, now: int) -> list[Action]:
        """ABORT: both queues are dropped and the peer gets a RST."""
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
        """SO_ERROR: what the peer or the network did to end the connection. Reported once, here or by another call."""
        error = pending_error(self)
        self._told = self._told or error is not None
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
    error = tcb.error if tcb is not None and tcb.state is CLOSED and not socket._told else None
    return error if isinstance(error, _OF_THE_NETWORK) and not isinstance(error, ConnectionAborted) else None


def disconnect(socket: Socket, now: int) -> list[Action]:
    """ABORT, after which the socket can be opened anew (connect(2) with AF_UNSPEC; net/ipv4/tcp.c, tcp_disconnect)."""
    actions = socket.abort(now) if socket.listener is not None or socket.state is not CLOSED else []
    socket.tcb, socket._told, socket.read_shut = None, False, False
    return actions


_OF_THE_NETWORK = (ConnectionReset, ConnectionTimedOut, Unreachable)


def _check_port(name: str, port: int) -> None:
    if type(port) is not int or not 0 < port < 65536:
        raise ValueError(f"{name} = {port!r}: must be an integer from 1 to 65535")
