"""How a connection is created, changes its state, and is deleted. Every change of state goes through ``enter``."""

from netsim.tcp.actions import Accepted, Allocated, Dropped, Freed, Moved, Signal
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import ConnectionTimedOut, TcpError
from netsim.tcp.host_context import HostContext
from netsim.tcp.segment import FourTuple, Segment
from netsim.tcp.state import CLOSED, LEADS_TO, LISTEN, SYN_RECEIVED, TIME_WAIT, State
from netsim.tcp.tcb import NO_SEGMENTS, Tcb
from netsim.tcp.timers import FIN_WAIT_2_TIMER, NEVER, TIME_WAIT_TIMER, idle

_new = tuple.__new__  # half the price of Signal(...)


def allocate(
    ctx: HostContext[Tcb],
    config: TcpConfig,
    four_tuple: FourTuple,
    peer_four_tuple: FourTuple,
    state: State,
    now: int,
    iss: int | None = None,
) -> Tcb:
    """Create the TCB of a connection, in the state it comes from, and enter it in the table of connections.

    The ISN policy chooses its ISS, unless ``iss`` is given (a SYN cookie); SND.UNA = SND.NXT = ISS before the SYN.
    """
    ctx.opened += 1
    tcb = Tcb(ctx, config, four_tuple, peer_four_tuple, ctx.opened)
    tcb.state = state
    ctx.connections[peer_four_tuple] = tcb
    if ctx.tracing:
        ctx.actions.append(Allocated(tcb.id, four_tuple, state))
    if iss is None:
        iss = config.isn.initial(now, four_tuple, ctx.opened - 1, ctx)
    tcb.iss = tcb.snd_una = tcb.snd_nxt = iss
    return tcb


def enter(tcb: Tcb, new: State, clause: str) -> None:
    """Change the state to ``new`` by ``clause``; AssertionError if TRANSITIONS has no such edge."""
    old = tcb.state
    assert new in LEADS_TO[old][clause], f"no edge {old} -> {new} by {clause}"
    tcb.state = new
    if old is SYN_RECEIVED and tcb.listener is not None:
        tcb.listener.leaves_syn_queue(tcb)
    if tcb.ctx.tracing:
        tcb.ctx.actions.append(Moved(tcb.id, tcb.four_tuple, old, new, clause))


def release(tcb: Tcb, error: TcpError | None) -> None:
    """Delete the TCB: flush the queues, stop the timers, signal the user. Its state is CLOSED, or LISTEN if passive."""
    ctx = tcb.ctx
    if ctx.connections.get(tcb.peer_four_tuple) is tcb:
        del ctx.connections[tcb.peer_four_tuple]
        previous = tcb.previous
        if previous is not None and tcb.state is LISTEN and previous.state is TIME_WAIT:
            ctx.connections[tcb.peer_four_tuple] = previous  # an old duplicate: RFC 1122 4.2.2.13
    tcb.deadlines = idle()
    tcb.wake = tcb.scheduled = NEVER  # a wake-up that is still pending finds no timer running
    tcb.queue = NO_SEGMENTS
    tcb.snd_buffer = tcb.reassembly = None
    tcb.ack_wanted = tcb.close_called = False  # nothing more is sent
    if tcb.soft_error is not None and isinstance(error, ConnectionTimedOut):
        error = tcb.soft_error  # 3.9.2.2: the ICMP error explains why no answer came
    tcb.error = error
    if ctx.tracing:
        ctx.actions.append(Freed(tcb.id, tcb.four_tuple, error.text if error is not None else ""))
    if tcb.owner is not None:
        ctx.actions.append(_new(Signal, (tcb.owner, True)))
        tcb.owner = None  # the socket keeps the TCB for the data that can still be read


def end(tcb: Tcb, clause: str, error: TcpError | None) -> None:
    """Enter CLOSED and delete the TCB."""
    enter(tcb, CLOSED, clause)
    release(tcb, error)


def enter_time_wait(tcb: Tcb, now: int, clause: str) -> None:
    """Enter TIME-WAIT: stop every other timer, start the TIME_WAIT timer (2MSL)."""
    enter(tcb, TIME_WAIT, clause)
    tcb.ctx.counters.TcpExtTW += 1
    tcb.deadlines = idle()
    if tcb.rcv_wnd > 65535 << tcb.rcv_wscale:
        tcb.rcv_space = tcb.rcv_wnd = 65535 << tcb.rcv_wscale  # the largest window that can be announced
    restart_time_wait(tcb, now)
    signal(tcb)


def restart_time_wait(tcb: Tcb, now: int) -> None:
    """Start or restart the TIME_WAIT timer (2MSL)."""
    tcb.arm(TIME_WAIT_TIMER, now, tcb.config.ns.time_wait)


def await_peer_fin(tcb: Tcb, now: int) -> None:
    """Start the FIN_WAIT_2 timer of an orphaned connection in FIN-WAIT-2, where the configuration has one."""
    timeout = tcb.config.ns.fin_wait_2_timeout
    if tcb.orphan and timeout is not None:
        tcb.arm(FIN_WAIT_2_TIMER, now, max(timeout, round(tcb.config.fin_wait_2_floor * tcb.rto)))


def signal(tcb: Tcb) -> None:
    """Signal the socket that the connection has changed, if it waits for that."""
    owner = tcb.owner
    if owner is not None and owner.waiting:
        tcb.ctx.actions.append(_new(Signal, (owner, False)))


def dropped(tcb: Tcb, segment: Segment, clause: str) -> None:
    """Report to the trace, if there is one, by which clause a segment had no effect."""
    if tcb.ctx.tracing:
        tcb.ctx.actions.append(Dropped(tcb.id, segment, clause))


def accepted(tcb: Tcb, segment: Segment, what: str, clause: str) -> None:
    """Report to the trace, if there is one, that a segment had an effect."""
    if tcb.ctx.tracing:
        tcb.ctx.actions.append(Accepted(tcb.id, segment, what, clause))
