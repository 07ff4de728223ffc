"""User calls on a connection: RFC 9293 3.10.1 to 3.10.6. A caller's mistake raises an error in the RFC's words.

``Socket`` makes these calls, and returns the actions that they append to ``tcb.ctx``. For the passive OPEN see
``netsim.tcp.listening``: a listener stays in LISTEN, and each SYN creates a connection.
"""

from dataclasses import dataclass

from netsim.tcp.clauses import ABORT, CLOSE
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.connection import allocate, await_peer_fin, end, enter
from netsim.tcp.errors import (
    ConnectionAborted,
    ConnectionClosing,
    ConnectionDoesNotExist,
    InsufficientResources,
)
from netsim.tcp.host_context import HostContext
from netsim.tcp.listening.fast_open import send_before_final_ack, send_fast_open_syn
from netsim.tcp.output import SENDING, may_send_data, output, send_abort, send_ack, send_syn, window_update_due
from netsim.tcp.recovery.delayed_ack import reading_prompts_ack
from netsim.tcp.recovery.send_buffer import end_record, send_room
from netsim.tcp.recovery.tcp_info import SendTimes
from netsim.tcp.segment import MASK, FourTuple
from netsim.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    State,
)
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import KEEPALIVE, NEVER, REXMT, USER

_CLOSE_DONE = frozenset({FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK, TIME_WAIT})
_MAY_SEND = frozenset({SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT})
_RESET_ON_ABORT = frozenset({SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT})


@dataclass(frozen=True, slots=True)
class Status:
    """The result of STATUS (3.10.6): the state, and in bytes the windows and the data in both buffers."""

    state: State
    flow: FourTuple
    snd_wnd: int
    rcv_wnd: int
    unacknowledged: int
    unsent: int
    unread: int
    retransmissions: int


def open_active(
    ctx: HostContext[Tcb],
    config: TcpConfig,
    four_tuple: FourTuple,
    peer_four_tuple: FourTuple,
    now: int,
    origin: State,
    clause: str,
    data: bytes | None,
    iss: int | None,
) -> Tcb:
    """3.10.1, active: choose an ISS, send ``<SEQ=ISS><CTL=SYN>``, enter SYN-SENT.

    ``data`` is sent first: on the SYN, if Fast Open allows, else as soon as the connection is ESTABLISHED. ``iss``, if
    given, replaces the policy's choice. ``origin`` is LISTEN where a passive OPEN becomes active, and ``clause`` then
    names the call that did it.
    """
    tcb = allocate(ctx, config, four_tuple, peer_four_tuple, origin, now)
    if iss is not None:
        tcb.iss = tcb.snd_una = tcb.snd_nxt = iss
    enter(tcb, SYN_SENT, clause)
    ctx.counters.TcpActiveOpens += 1
    tcb.transmissions = 1
    tcb.arm(REXMT, now, config.ns.syn_intervals[0])
    if config.ns.open_timeout is not None:
        tcb.arm(USER, now, config.ns.open_timeout)
    if data is not None:
        if data:
            tcb.snd_buffer = bytearray(data)
        if config.fast_open in ("client", "both"):
            send_fast_open_syn(tcb, now)
            return tcb
    send_syn(tcb, now)
    return tcb


def send(tcb: Tcb, data: bytes, now: int, *, more: bool = False, record: bool = False) -> None:
    """3.10.2: queue ``data`` and send what the windows allow; before ESTABLISHED it stays queued.

    ``more``: the user will send more soon (MSG_MORE). ``record``: a record ends with the last byte (MSG_EOR).
    """
    if tcb.state is CLOSED or tcb.state is LISTEN:
        raise tcb.error or ConnectionDoesNotExist()
    if tcb.state not in _MAY_SEND or tcb.close_called:
        raise ConnectionClosing()
    if len(data) > send_room(tcb):
        raise InsufficientResources(f"{len(data)} bytes, room for {send_room(tcb)}")
    if tcb.snd_buffer is None:
        tcb.snd_buffer = bytearray()
        tcb.send_times = SendTimes()
    tcb.snd_buffer += data
    if record:
        end_record(tcb)
    if tcb.state in SENDING:
        output(tcb, now, more=more)
    elif may_send_data(tcb):
        send_before_final_ack(tcb, now)


def receive(tcb: Tcb, size: int, now: int) -> bytes | None:
    """3.10.3: up to ``size`` bytes in order; none at the peer's FIN; None if no data has arrived.

    Raises the error that ended the connection, or ConnectionDoesNotExist.
    """
    buffer = tcb.rcv_buffer
    if buffer and size > 0:
        data = bytes(buffer[:size])
        del buffer[:size]
        more_may_come = tcb.state > SYN_RECEIVED and not peer_closed(tcb)
        if more_may_come and (window_update_due(tcb) or reading_prompts_ack(tcb)):
            send_ack(tcb, now)
        return data
    if peer_closed(tcb):
        return b""
    if tcb.state is CLOSED or tcb.state is LISTEN:
        raise tcb.error or ConnectionDoesNotExist()
    return None


def peer_closed(tcb: Tcb) -> bool:
    """Whether the peer's FIN was processed: the stream ends behind the data in the receive buffer."""
    return tcb.peer_fin >= 0 and tcb.rcv_nxt == (tcb.peer_fin + 1) & MASK


def options_changed(tcb: Tcb, config: TcpConfig, now: int) -> None:
    """Socket options of an open connection: windows and timers follow, data delayed by Nagle's rule may be sent."""
    old, tcb.config = tcb.config, config
    tcb.nodelay, tcb.keepalive = not config.nagle, config.keepalive
    if config.receive_buffer != old.receive_buffer:
        tcb.rcv_space = config.receive_buffer
    if tcb.state < ESTABLISHED:
        return
    tcb.snd_mss = min(tcb.snd_mss, config.mss)
    if not tcb.keepalive:
        tcb.deadlines[KEEPALIVE] = NEVER
    elif (config.keepalive, config.keepalive_idle) != (old.keepalive, old.keepalive_idle):
        tcb.arm(KEEPALIVE, now, max(config.ns.keepalive_idle - (now - tcb.last_received_at), 0))
    timeout = config.ns.user_timeout
    if timeout is None:
        tcb.deadlines[USER] = NEVER
    elif tcb.queue and timeout != old.ns.user_timeout:
        tcb.arm(USER, now, timeout)
    output(tcb, now)


def close(tcb: Tcb, now: int) -> None:
    """3.10.4: no more data to send. A FIN follows the queued data; the peer's data still arrives (half-close)."""
    state = tcb.state
    if state is CLOSED or state is LISTEN:
        raise tcb.error or ConnectionDoesNotExist()
    if tcb.close_called or state in _CLOSE_DONE:
        raise ConnectionClosing()
    if state is SYN_SENT:
        return end(tcb, CLOSE, ConnectionClosing())
    if state is SYN_RECEIVED and tcb.snd_nxt == tcb.iss:
        send_before_final_ack(tcb, now)
    tcb.close_called = True
    if state is SYN_RECEIVED and tcb.snd_buffer:
        return None  # "queue for processing after entering ESTABLISHED state"
    enter(tcb, LAST_ACK if state is CLOSE_WAIT else FIN_WAIT_1, CLOSE)
    return output(tcb, now)


def make_orphan(tcb: Tcb, now: int) -> None:
    """The user has closed the socket: no data is accepted any more, and a timer ends FIN-WAIT-2."""
    tcb.orphan = True
    if tcb.state is FIN_WAIT_2:
        await_peer_fin(tcb, now)


def abort(tcb: Tcb, now: int) -> None:
    """3.10.5: drop all data, and send a RST where the peer may hold a connection."""
    if tcb.state is CLOSED or tcb.state is LISTEN:
        raise tcb.error or ConnectionDoesNotExist()
    if tcb.state in _RESET_ON_ABORT:
        send_abort(tcb, now)
    end(tcb, ABORT, ConnectionAborted())


def status(tcb: Tcb) -> Status:
    """3.10.6."""
    if tcb.state is CLOSED:
        raise tcb.error or ConnectionDoesNotExist()
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    queued = len(tcb.snd_buffer) if tcb.snd_buffer else 0
    return Status(
        state=tcb.state,
        flow=tcb.four_tuple,
        snd_wnd=tcb.snd_wnd,
        rcv_wnd=tcb.rcv_wnd,
        unacknowledged=flight,
        unsent=max(queued - flight, 0),
        unread=len(tcb.rcv_buffer) if tcb.rcv_buffer else 0,
        retransmissions=tcb.backoff,
    )
