"""A sans-I/O socket: what an application sees of a connection, never blocking.

Calls that would wait return None (``accept``, ``receive``) or 0 (``send``); the stack's ``Signal`` says when to try
again. What the peer or the network did comes out as an exception of ``netsim.tcp.errors``. Times are ns.
"""

from typing import Any

from netsim.tcp import user_calls
from netsim.tcp.config import TcpConfig
from netsim.tcp.errors import (
    ConnectionAlreadyExists,
    ConnectionClosing,
    ConnectionDoesNotExist,
    InsufficientResources,
    RemoteSocketUnspecified,
)
from netsim.tcp.listener import Listener
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYN_RECEIVED, TIME_WAIT, State
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import KEEPALIVE


class Socket:
    """One end of a connection, or a listener. ``config`` overrides the host's; ``observer`` is whom signals are for.

    Options: ``linger_zero`` (SO_LINGER with time 0), ``reuse_address`` (SO_REUSEADDR, before ``bind`` or ``listen``).
    """

    __slots__ = ("config", "linger_zero", "listener", "observer", "port", "reuse_address", "stack", "tcb")

    def __init__(self, stack: Stack, *, config: TcpConfig | None = None, tcb: Tcb | None = None) -> None:
        self.stack = stack
        self.config = config
        self.tcb = tcb
        self.listener: Listener | None = None
        self.port: int | None = None
        self.observer: Any = None
        self.linger_zero = self.reuse_address = False
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

    def listen(self, port: int | None = None, backlog: int = 128) -> None:
        """Passive OPEN on ``port``, or on the port bound before."""
        self._must_be_new()
        if port is not None:
            self.bind(port)
        if self.port is None:
            raise ConnectionDoesNotExist("listen before bind")
        if not isinstance(backlog, int) or isinstance(backlog, bool) or backlog < 0:
            raise ValueError(f"backlog = {backlog!r}: allowed is an integer >= 0")
        self.listener = self.stack.listen(self.port, backlog, self, self.config)

    def connect(self, dst: str, dport: int, now: int, *, text: bytes = b"") -> None:
        """Active OPEN; ``connected`` tells how it goes. A socket in LISTEN turns from passive to active (3.10.1).

        ``text`` is sent first, on the SYN if Fast Open allows (sendto with MSG_FASTOPEN); a listener has none.
        InsufficientResources if there is no room for it.
        """
        _check_port("remote port", dport)
        if self.listener is not None:
            return self._turn_active((dst, dport), now, "3.10.1: OPEN")
        self._must_be_new()
        room = (self.config or self.stack.config).send_buffer
        if len(text) > room:
            raise InsufficientResources(f"{len(text)} bytes, room for {room}")
        self.tcb = self.stack.open(dst, dport, now, sport=self.port, config=self.config, owner=self, text=text)
        return None

    @property
    def connected(self) -> bool:
        """Whether the OPEN has succeeded; raises the error with which it failed."""
        tcb = self.tcb
        if tcb is None:
            raise ConnectionDoesNotExist()
        if tcb.state is CLOSED:
            raise tcb.error or ConnectionDoesNotExist()
        return tcb.state >= ESTABLISHED

    def accept(self) -> "Socket | None":
        """The oldest connection that is ESTABLISHED, or None."""
        if self.listener is None:
            if self.tcb is None and self.port is not None:
                raise ConnectionClosing("the listener was closed")
            raise ConnectionDoesNotExist("accept on a socket that does not listen")
        queue = self.listener.accept_queue
        return Socket(self.stack, config=self.config, tcb=queue.popleft()) if queue else None

    def send(self, text: bytes, now: int, *, to: tuple[str, int] | None = None) -> int:
        """SEND as much of ``text`` as there is room for; how many bytes that was.

        In LISTEN the remote socket must be named, and the connection is opened actively (3.10.2).
        """
        if self.listener is not None:
            if to is None:
                raise RemoteSocketUnspecified()
            self._turn_active(to, now, "3.10.2: SEND")
        tcb = self._connection()
        part = text[: max(user_calls.send_room(tcb), 0)]
        if part or not text:
            user_calls.send(tcb, part, now)
            self.stack.schedule(tcb)
        return len(part)

    def receive(self, size: int, now: int) -> bytes | None:
        """RECEIVE up to ``size`` bytes; empty at the peer's end of stream; None if there is nothing yet."""
        if self.listener is not None:
            return None
        return user_calls.receive(self._connection(), size, now)

    def shutdown(self, now: int) -> None:
        """CLOSE in RFC 9293's sense: no more to send; what the peer sends can still be received (half-close)."""
        if self.listener is not None:
            return self.close(now)
        tcb = self._connection()
        user_calls.close(tcb, now)
        return self.stack.schedule(tcb)

    def close(self, now: int) -> None:
        """Give the socket up: FIN after the text already sent, no more reading.

        Text that was received and never read is lost, and the peer is told by a RST (RFC 9293 3.6.1, SHLD-3).
        """
        if self.listener is not None:
            self.stack.close_listener(self.listener, now)
            self.listener = None
            return
        tcb = self.tcb
        if tcb is None or tcb.state is CLOSED or tcb.state is LISTEN or tcb.orphan:
            return
        unread = bool(tcb.rcv_buffer) and tcb.state > SYN_RECEIVED and tcb.state is not TIME_WAIT
        if unread or self.linger_zero:
            self.stack.counters.TcpExtTCPAbortOnClose += unread
            return self.abort(now)
        if not tcb.close_called:
            user_calls.close(tcb, now)
        user_calls.forsake(tcb, now)
        if tcb.wake < tcb.scheduled:
            self.stack.schedule(tcb)

    def keepalive(self, now: int, *, idle: float, interval: float, probes: int) -> None:
        """Keep-alive on (RFC 9293 3.8.4): a probe after ``idle`` s of silence, then ``interval`` s apart, so many."""
        tcb = self.tcb
        config = tcb.config if tcb is not None else self.config if self.config is not None else self.stack.config
        config = config.replace(
            keepalive=True, keepalive_idle=idle, keepalive_interval=interval, keepalive_probes=probes
        )
        if tcb is None:
            self.config = config
            return
        tcb.config, tcb.keepalive = config, True
        if tcb.state >= ESTABLISHED:
            tcb.arm(KEEPALIVE, now, max(config.ns.keepalive_idle - (now - tcb.last_received_at), 0))
            self.stack.schedule(tcb)

    def abort(self, now: int) -> None:
        """ABORT: both queues are dropped and the peer gets a RST."""
        if self.listener is not None:
            self.stack.close_listener(self.listener, now, "3.10.5: ABORT")
            self.listener = None
            return
        user_calls.abort(self._connection(), now)

    def status(self) -> user_calls.Status:
        """STATUS (3.10.6)."""
        if self.listener is not None:
            room = self.listener.config.receive_buffer
            return user_calls.Status(LISTEN, self.listener.flow, 0, room, 0, 0, 0, 0)
        return user_calls.status(self._connection())

    @property
    def error(self) -> Exception | None:
        """What ended the connection, if it ended badly (SO_ERROR, without clearing it)."""
        return self.tcb.error if self.tcb is not None else None

    def _turn_active(self, remote: tuple[str, int], now: int, clause: str) -> None:
        """From LISTEN to SYN-SENT, with the listener's port."""
        dst, dport = remote
        self.tcb = self.stack.open(
            dst, dport, now, config=self.config, owner=self, listener=self.listener, clause=clause
        )
        self.listener = None

    def _connection(self) -> Tcb:
        if self.tcb is None:
            raise ConnectionDoesNotExist()
        return self.tcb

    def _must_be_new(self) -> None:
        if self.tcb is not None or self.listener is not None:
            raise ConnectionAlreadyExists()


def _check_port(name: str, port: int) -> None:
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise ValueError(f"{name} = {port!r}: allowed is an integer from 1 to 65535")
