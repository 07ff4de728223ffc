"""Socket calls as SimPy events, to be yielded by processes. Errors are exceptions with the names of RFC 9293."""

from collections.abc import Callable
from typing import Any, Protocol

from simpy import Event

from netsim.sim.clock import done
from netsim.sim.connection import Connection
from netsim.sim.pump import Pump
from netsim.tcp.actions import Action
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import TcpError
from netsim.tcp.socket import Socket as Core
from netsim.tcp.state import State
from netsim.tcp.user_calls import Status

_WAIT = object()  # what an attempt returns while it would block


class Named(Protocol):
    """What ``connect`` needs of a host."""

    @property
    def name(self) -> str:
        """The name, which is its address."""
        ...


class Socket:
    """A TCP socket of a simulated host.

    Every call returns a SimPy event. ``connect``, ``accept``, ``send`` and ``recv`` may take simulated time; the others
    complete immediately and need not be yielded.
    """

    __slots__ = ("__weakref__", "_env", "_pump", "_traced", "core", "waiting")

    def __init__(self, pump: Pump, config: TcpConfig | None = None, core: Core | None = None) -> None:
        self._pump = pump
        self.core = core = core if core is not None else Core(pump.stack, config)
        self._env = pump.network.env
        self._traced = pump.network.observer is not None
        self.waiting: list[tuple[str, Event, Callable[[], Any]]] = []
        core.observer, core.waiting = self, self.waiting

    @property
    def state(self) -> State:
        """The connection's state (RFC 9293 3.3.2)."""
        return self.core.state

    @property
    def connection(self) -> Connection | None:
        """The connection as it is now, to look at; None for a listener and before ``connect``."""
        return Connection(self.core.tcb) if self.core.tcb is not None else None

    @property
    def syn_queue_length(self) -> int:
        """How many SYN-RECEIVED entries the SYN queue of this listener holds; 0 for a socket that does not listen."""
        return self.core.listener.syn_queue_length if self.core.listener is not None else 0

    def bind(self, port: int) -> Event:
        """Use ``port`` as the local port. ConnectionAlreadyExists (EADDRINUSE) if another connection uses it."""
        if self._traced:
            self._pump.called("call", "bind", port)
        return self._take_port("bind", self.core.bind, port)

    def listen(self, port: int | None = None, backlog: int = 128) -> Event:
        """Passive OPEN on ``port``. ConnectionAlreadyExists (EADDRINUSE) as in ``bind``."""
        if self._traced:
            self._pump.called("call", "listen", port)
        return self._take_port("listen", self.core.listen, port, backlog)

    def _take_port(self, call: str, act: Callable[..., list[Action] | None], *arguments: int | None) -> Event:
        try:
            actions = act(*arguments)
        except TcpError as error:
            self._pump.called("return", call, error)
            raise
        return self._at_once(actions or [])

    def connect(self, address: tuple[Named | str, int], data: bytes | None = None) -> Event:
        """Active OPEN to (host, port); done when ESTABLISHED, fails with ConnectionRefused or ConnectionTimedOut.

        ValueError for a name that no host has. ``data`` is sent first: on the SYN with Fast Open
        (``TcpConfig.fast_open``), else after the handshake. With Fast Open empty data asks for a cookie.
        """
        peer, port = address
        name = peer if isinstance(peer, str) else peer.name
        pump = self._pump
        if name not in pump.network.names and pump.route(name) is None:
            raise ValueError(f"host = {name!r}: this world has {', '.join(map(repr, pump.network.names))}")
        if self._traced:
            self._pump.called("call", "connect", f"{name}:{port}")
        self._pump.perform(self.core.connect(name, port, self._env.time, data))
        return self._later("connect", self._try_connect)  # the answer to a SYN takes time

    def accept(self) -> Event:
        """The next connection, as a new Socket."""
        if self._traced:
            self._pump.called("call", "accept", "")
        return self._wait("accept", self._try_accept)

    def send(self, data: bytes) -> Event:
        """SEND all of ``data``; done when the last byte is in the send buffer."""
        if self._traced:
            self._pump.called("call", "send", len(data), self.core.tcb)
        rest = memoryview(bytes(data))

        def attempt() -> Any:
            nonlocal rest
            count, actions = self.core.send(bytes(rest), self._env.time)
            if actions:
                self._pump.perform(actions)
            rest = rest[count:]
            return _WAIT if rest else len(data)

        return self._wait("send", attempt)

    def recv(self, size: int = 65536) -> Event:
        """RECEIVE: at least one byte and at most ``size``; ``b""`` when the peer has closed."""
        if self._traced:
            self._pump.called("call", "recv", size, self.core.tcb)

        def attempt() -> Any:
            data, actions = self.core.receive(size, self._env.time)
            if actions:
                self._pump.perform(actions)
            return _WAIT if data is None else data

        return self._wait("recv", attempt)

    def shutdown(self) -> Event:
        """Half-close: a FIN follows the data sent so far; receiving continues."""
        if self._traced:
            self._pump.called("call", "shutdown", "", self.core.tcb)
        return self._at_once(self.core.shutdown(self._env.time))

    def close(self) -> Event:
        """A FIN follows the data sent so far, and receiving ends; the TCP completes the close by itself."""
        if self._traced:
            self._pump.called("call", "close", "", self.core.tcb)
        return self._at_once(self.core.close(self._env.time))

    def keepalive(self, *, idle: float, interval: float, probes: int) -> Event:
        """Keep-alive: after ``idle`` s without a segment ``probes`` probes at most, ``interval`` s apart."""
        if self._traced:
            self._pump.called("call", "keepalive", probes)
        config = self.core.options.replace(
            keepalive=True, keepalive_idle=idle, keepalive_interval=interval, keepalive_probes=probes
        )
        return self._at_once(self.core.configure(config, self._env.time))

    def abort(self) -> Event:
        """Drop the connection with a RST."""
        if self._traced:
            self._pump.called("call", "abort", "", self.core.tcb)
        return self._at_once(self.core.abort(self._env.time))

    def status(self) -> Status:
        """STATUS (RFC 9293 3.10.6); not an event."""
        return self.core.status()

    def wake(self) -> None:
        """The core has signalled: retry the calls that wait. Called by the pump."""
        waiting = self.waiting[:]
        self.waiting.clear()
        for call, event, attempt in waiting:
            try:
                result = attempt()
            except TcpError as error:
                self._pump.called("return", call, error, self.core.tcb)
                event.fail(error)
                continue
            if result is _WAIT:
                self.waiting.append((call, event, attempt))
            else:
                if self._traced:
                    self._returned(call, result)
                event.succeed(result)

    def _try_connect(self) -> Any:
        return self if self.core.connected else _WAIT

    def _try_accept(self) -> Any:
        core = self.core.accept()
        return _WAIT if core is None else Socket(self._pump, None, core)

    def _wait(self, call: str, attempt: Callable[[], Any]) -> Event:
        """The result of a call, if it need not wait; else an event that a later signal triggers."""
        env = self._env
        try:
            result = attempt()
        except TcpError as error:
            self._pump.called("return", call, error, self.core.tcb)
            return env.event().fail(error)
        if result is not _WAIT:
            if self._traced:
                self._returned(call, result)
            return done(env, result)
        return self._later(call, attempt)

    def _later(self, call: str, attempt: Callable[[], Any]) -> Event:
        """An event that a later signal triggers."""
        event = Event(self._env)
        self.waiting.append((call, event, attempt))
        return event

    def _at_once(self, actions: list[Action]) -> Event:
        """Perform the actions of a call that need not wait."""
        if actions:
            self._pump.perform(actions)
        if self.waiting:
            self.wake()  # an accept that waits fails when its listener is closed
        return self._pump.network.done

    def _returned(self, call: str, result: Any) -> None:
        core = result.core if isinstance(result, Socket) else self.core
        self._pump.called("return", call, len(result) if isinstance(result, bytes) else "", core.tcb)
