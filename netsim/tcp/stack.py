"""A host's TCP: demultiplexing, listeners, active OPENs, timers, RST for no connection (RFC 9293 3.10.7.1).

Sans I/O: each input returns the actions that it causes. ``next_deadline`` says when ``on_timer`` must be called. A
driver that has an event queue of its own passes ``set_wakeup`` instead: the stack calls it with a deadline and a
connection, and the driver calls ``on_wakeup`` with that connection when the deadline has come. Times are integer
nanoseconds.
"""

from collections.abc import Callable
from typing import Any

from netsim.tcp.actions import Action, Dropped, Freed
from netsim.tcp.clauses import ABORT, CLOSE, NO_CONNECTION, OPEN, RFC6191_DROP
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.connection import dropped, end
from netsim.tcp.counters import Counters
from netsim.tcp.errors import (
    ConnectionAborted,
    ConnectionAlreadyExists,
    ConnectionReset,
    InsufficientResources,
)
from netsim.tcp.host_context import HostContext, Streams
from netsim.tcp.listening.listener import Listener
from netsim.tcp.output import output, send_abort, send_reset_for
from netsim.tcp.segment import ACK, RST, SYN, FourTuple, Segment
from netsim.tcp.segment_arrives.checks import eight_checks
from netsim.tcp.segment_arrives.icmp import IcmpError, icmp_arrives
from netsim.tcp.segment_arrives.syn_sent import in_syn_sent
from netsim.tcp.segment_arrives.time_wait import first_beyond, may_replace, reopens_time_wait
from netsim.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT, TIME_WAIT, State
from netsim.tcp.tcb import Tcb
from netsim.tcp.timeouts import timers_expire
from netsim.tcp.timers import NEVER, TimerQueue
from netsim.tcp.user_calls import open_active

_new = tuple.__new__  # half the price of FourTuple(...)


class Stack:
    """One host's TCP at ``address``. ``config`` holds for calls that name none.

    ``streams`` returns the random stream of a name. ``secret`` is the host's key for ISNs and cookies; without it the
    key is drawn from a stream. ``set_wakeup``: see above.
    """

    __slots__ = ("__weakref__", "_timers", "address", "config", "ctx", "listeners", "set_wakeup")

    def __init__(
        self,
        address: str,
        streams: Streams,
        config: TcpConfig | None = None,
        secret: bytes | None = None,
        set_wakeup: Callable[[int, Tcb], None] | None = None,
    ) -> None:
        self.address = address
        self.config = config if config is not None else rfc9293()
        self.ctx: HostContext[Tcb] = HostContext(streams, secret)
        self.listeners: dict[int, Listener] = {}
        self._timers: TimerQueue[Tcb] | None = None
        if set_wakeup is None:
            self._timers = TimerQueue()
            set_wakeup = self._timers.add
        self.set_wakeup = set_wakeup

    @property
    def counters(self) -> Counters:
        """The host's nstat counters."""
        return self.ctx.counters

    @property
    def connections(self) -> dict[FourTuple, Tcb]:
        """Every connection that this host holds, by the four-tuple as the peer writes it."""
        return self.ctx.connections

    def finish(self, tcb: Tcb | None = None) -> list[Action]:
        """End a user call: set the wake-up of its connection, ``tcb``, and return the actions that it has caused."""
        if tcb is not None and tcb.wake < tcb.scheduled:
            self._schedule(tcb)
        actions = self.ctx.actions
        self.ctx.actions = []
        return actions

    def on_segment(self, segment: Segment, now: int) -> list[Action]:
        """SEGMENT ARRIVES (3.10.7), for the connection or listener that it belongs to."""
        ctx = self.ctx
        ctx.counters.TcpInSegs += 1
        tcb = ctx.connections.get(segment.flow)
        if tcb is None or (tcb.state is TIME_WAIT and segment.flags & (SYN | ACK | RST) == SYN):
            tcb = self._in_closed_or_listen(segment, now, tcb)
        elif tcb.state is SYN_SENT:
            in_syn_sent(tcb, segment, now)
        else:
            eight_checks(tcb, segment, now)
        if tcb is not None:
            tcb.last_received_at = now
            if tcb.ack_wanted or tcb.close_called or tcb.snd_buffer:
                output(tcb, now)
            if tcb.wake < tcb.scheduled:
                self._schedule(tcb)
        actions = ctx.actions
        ctx.actions = []
        return actions

    def on_icmp(self, message: IcmpError, now: int) -> list[Action]:
        """An ICMP error about a segment of this host arrives; it may be old or forged."""
        tcb = self.ctx.connections.get(message.flow.reverse())
        if tcb is not None:
            icmp_arrives(tcb, message, now)
        return self.finish(tcb)

    def _in_closed_or_listen(self, segment: Segment, now: int, tcb: Tcb | None) -> Tcb | None:
        """3.10.7.1, 3.10.7.2: no connection, or one in TIME-WAIT that a SYN may reopen. Returns the one it is for."""
        listener = self.listeners.get(segment.flow.dport)
        if tcb is None:
            if listener is not None:
                return listener.segment_arrives(segment, now)
            send_reset_for(self.ctx, segment)
            if self.ctx.tracing:
                self.ctx.actions.append(Dropped(0, segment, NO_CONNECTION))
        elif listener is not None and reopens_time_wait(tcb, segment, listener.config):
            return listener.segment_arrives(segment, now, tcb)
        elif listener is not None and listener.config.time_wait_reuse == "rfc6191":
            dropped(tcb, segment, RFC6191_DROP)
        else:
            eight_checks(tcb, segment, now)
        return tcb

    def on_timer(self, now: int) -> list[Action]:
        """Run every timer that has expired by ``now``. Not for a driver that passed ``set_wakeup``."""
        assert self._timers is not None
        actions = []
        for tcb in self._timers.due(now):
            actions += self.on_wakeup(tcb, now)
        return actions

    def next_deadline(self) -> int:
        """When to call ``on_timer`` next, in ns: not later than the first timer expires."""
        assert self._timers is not None
        return self._timers.earliest()

    def on_wakeup(self, tcb: Tcb, now: int) -> list[Action]:
        """A wake-up of ``tcb`` is due: run those of its timers that have expired, and set the next wake-up."""
        if tcb.scheduled <= now:  # else another wake-up has done the work
            tcb.scheduled = NEVER
            tcb.wake = wake = timers_expire(tcb, now)
            if wake != NEVER:
                tcb.scheduled = wake
                self.set_wakeup(wake, tcb)
        actions = self.ctx.actions
        self.ctx.actions = []
        return actions

    def _schedule(self, tcb: Tcb) -> None:
        """Set a wake-up for the earliest deadline of ``tcb``, which lies before the wake-up that is set already.

        A wake-up that comes before any timer expires does no harm: it only sets the next one. None is ever cancelled.
        """
        tcb.scheduled = tcb.wake
        self.set_wakeup(tcb.wake, tcb)

    def listen(
        self, port: int, backlog: int, owner: Any = None, config: TcpConfig | None = None
    ) -> tuple[Listener, list[Action]]:
        """Passive OPEN (3.10.1) on ``port``. ConnectionAlreadyExists if it is taken."""
        if port in self.listeners:
            raise ConnectionAlreadyExists(f"port {port} of {self.address} has a listener")
        flow = _new(FourTuple, (self.address, port, "", 0))
        listener = Listener(self.ctx, config if config is not None else self.config, flow, backlog, owner)
        self.listeners[port] = listener
        return listener, self.finish()

    def address_in_use(self, port: int, *, reuse_address: bool) -> bool:
        """Whether a bind to ``port`` must fail (EADDRINUSE): a listener or a connection uses it, TIME-WAIT included.

        With SO_REUSEADDR, connections whose sockets have that option too are no obstacle
        (net/ipv4/inet_connection_sock.c: inet_csk_bind_conflict); accepted connections inherit it from their listener.
        """
        if port in self.listeners:
            return True
        for key, tcb in self.ctx.connections.items():
            if key.dport == port:
                user = tcb.listener.owner if tcb.listener is not None else tcb.owner
                if not (reuse_address and getattr(user, "reuse_address", False)):
                    return True
        return False

    def close_listener(self, listener: Listener, now: int, clause: str = CLOSE) -> list[Action]:
        """CLOSE or ABORT in LISTEN: SYN-RECEIVED entries are removed, connections not yet accepted are reset."""
        listener.enter(CLOSED, clause)
        self._forget(listener, now)
        return self.finish()

    def _forget(self, listener: Listener, now: int) -> None:
        if self.listeners.get(listener.port) is listener:
            del self.listeners[listener.port]
        for tcb in [t for t in self.ctx.connections.values() if t.listener is listener and t.state is SYN_RECEIVED]:
            end(tcb, ABORT, None)
        while listener.accept_queue:
            tcb = listener.accept_queue.popleft()
            if tcb.state is not CLOSED:
                send_abort(tcb, now)
                end(tcb, ABORT, ConnectionAborted())

    def open(
        self,
        dst: str,
        dport: int,
        now: int,
        sport: int | None = None,
        config: TcpConfig | None = None,
        owner: Any = None,
        data: bytes | None = None,
        *,
        listener: Listener | None = None,
        clause: str = OPEN,
    ) -> tuple[Tcb, list[Action]]:
        """Active OPEN (3.10.1) to ``dst``:``dport``, from ``sport`` or a port of the host's choice.

        ``data`` is sent first, on the SYN if Fast Open allows; if it is empty, the SYN carries or requests a cookie.
        ``listener``: this passive OPEN becomes active, by the call that ``clause`` names (3.10.1, or SEND: 3.10.2).
        Raises ConnectionAlreadyExists for a four-tuple in use, InsufficientResources when no port is free.
        """
        config = config if config is not None else self.config
        if listener is not None:
            sport = listener.port
        if sport is None:
            sport = self._free_port(dst, dport, config)
        key = _new(FourTuple, (dst, dport, self.address, sport))
        flow = key.reverse()
        old = self.ctx.connections.get(key)
        if old is not None:
            if old.state is not TIME_WAIT or not may_replace(old, config, now):
                raise ConnectionAlreadyExists(f"{flow} is in {old.state}")
            end(old, OPEN, None)
        if listener is not None:
            self._forget(listener, now)
        origin = CLOSED if listener is None else LISTEN
        iss = first_beyond(old) if old is not None and config.time_wait_open == "replace-after-1s" else None
        tcb = open_active(self.ctx, config, flow, key, now, origin, clause, data, iss)
        tcb.owner = owner
        return tcb, self.finish(tcb)

    def _free_port(self, dst: str, dport: int, config: TcpConfig) -> int:
        ctx, ports, address = self.ctx, config.ports, self.address
        first, size = ports.first, ports.last - ports.first + 1
        start = ports.start(address, dst, dport, ctx.counters.TcpActiveOpens, ctx)
        for port in range(start, start + size):
            port = first + port % size
            if (dst, dport, address, port) not in ctx.connections:
                return port
        raise InsufficientResources(f"no free port to {dst}:{dport}")

    def crash(self) -> list[Action]:
        """The host loses power: every connection and listener is gone, and no peer is notified."""
        ctx = self.ctx
        for tcb in list(ctx.connections.values()):
            if ctx.tracing:
                ctx.actions.append(Freed(tcb.id, tcb.four_tuple, "crash"))
            tcb.state = CLOSED  # without an edge: no rule of TCP leads here
            tcb.deadlines = [NEVER] * len(tcb.deadlines)
            tcb.error = ConnectionReset()
        self.ctx.connections.clear()
        self.listeners.clear()
        if self._timers is not None:
            self._timers.clear()
        return self.finish()

    def census(self) -> dict[State, int]:
        """The number of connections in each state."""
        counts: dict[State, int] = {}
        for tcb in self.ctx.connections.values():
            counts[tcb.state] = counts.get(tcb.state, 0) + 1
        return counts
