"""Birth, change of state and death of a connection record. ``enter`` is the only door between states."""

from netsim.tcp.actions import Accepted, Allocated, Dropped, Freed, Moved, Signal
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import ConnectionTimedOut, TcpError
from netsim.tcp.host_context import HostContext
from netsim.tcp.segment import FourTuple, Segment
from netsim.tcp.state import CLOSED, LEADS_TO, LISTEN, SYN_RECEIVED, TIME_WAIT, State
from netsim.tcp.tcb import NO_SEGMENTS, Tcb
from netsim.tcp.timers import LINGER, NEVER, idle

_new = tuple.__new__  # half the price of Signal(...)


def allocate(
    ctx: HostContext[Tcb],
    config: TcpConfig,
    flow: FourTuple,
    key: FourTuple,
    state: State,
    now: int,
    iss: int | None = None,
) -> Tcb:
    """A new record for ``flow`` (as this end writes it; ``key``: as the peer does), in the state it comes from.

    Its ISS is chosen, unless a cookie was it; SND.UNA = SND.NXT = ISS until the SYN is sent.
    """
    ctx.opened += 1
    tcb = Tcb(ctx, config, flow, key, ctx.opened)
    tcb.state = state
    ctx.connections[key] = tcb
    if ctx.tracing:
        ctx.actions.append(Allocated(tcb.id, flow, state))
    if iss is None:
        iss = config.isn.initial(now, flow, ctx.opened - 1, ctx)
    tcb.iss = tcb.snd_una = tcb.snd_nxt = iss
    return tcb


def enter(tcb: Tcb, new: State, clause: str) -> None:
    """Move to ``new``, as ``clause`` orders; AssertionError if no such edge exists."""
    old = tcb.state
    assert new in LEADS_TO[old][clause], f"no edge {old} -> {new} by {clause}"
    tcb.state = new
    if old is SYN_RECEIVED and tcb.listener is not None:
        tcb.listener.leaves_syn_queue(tcb)
    if tcb.ctx.tracing:
        tcb.ctx.actions.append(Moved(tcb.id, tcb.flow, old, new, clause))


def release(tcb: Tcb, error: TcpError | None) -> None:
    """Free the record: queues flushed, timers off, the user told. The state is CLOSED, or LISTEN for a passive one."""
    ctx = tcb.ctx
    if ctx.connections.get(tcb.key) is tcb:
        del ctx.connections[tcb.key]
        previous = tcb.previous
        if previous is not None and tcb.state is LISTEN and previous.state is TIME_WAIT:
            ctx.connections[tcb.key] = previous  # the SYN was an old duplicate: TIME-WAIT goes on (RFC 1122 4.2.2.13)
    tcb.deadlines = idle()
    tcb.wake = tcb.scheduled = NEVER  # a wake-up still to come finds no timer running
    tcb.queue = NO_SEGMENTS
    tcb.snd_buffer = tcb.reassembly = None
    tcb.ack_wanted = tcb.close_called = False  # nothing more goes out
    if tcb.soft_error is not None and isinstance(error, ConnectionTimedOut):
        error = tcb.soft_error  # 3.9.2.2: what ICMP told explains why no answer came
    tcb.error = error
    if ctx.tracing:
        ctx.actions.append(Freed(tcb.id, tcb.flow, error.text if error is not None else ""))
    if tcb.owner is not None:
        ctx.actions.append(_new(Signal, (tcb.owner, True)))
        tcb.owner = None  # the socket keeps the record, for what can still be read; nothing more will happen to it


def end(tcb: Tcb, clause: str, error: TcpError | None) -> None:
    """Enter CLOSED and free the record."""
    enter(tcb, CLOSED, clause)
    release(tcb, error)


def enter_time_wait(tcb: Tcb, now: int, clause: str) -> None:
    """TIME-WAIT: every other timer off, the 2MSL timer on."""
    enter(tcb, TIME_WAIT, clause)
    tcb.ctx.counters.TcpExtTW += 1
    tcb.deadlines = idle()
    if tcb.rcv_wnd > 65535 << tcb.rcv_wscale:
        tcb.rcv_space = tcb.rcv_wnd = 65535 << tcb.rcv_wscale  # what was offered last; there is no buffer any more
    restart_time_wait(tcb, now)
    signal(tcb)


def restart_time_wait(tcb: Tcb, now: int) -> None:
    """Start the 2MSL timer (again)."""
    tcb.arm(LINGER, now, tcb.config.ns.time_wait)


def await_peer_fin(tcb: Tcb, now: int) -> None:
    """In FIN-WAIT-2 with no user left to read, wait only so long."""
    timeout = tcb.config.ns.fin_wait_2_timeout
    if tcb.orphan and timeout is not None:
        tcb.arm(LINGER, now, max(timeout, round(tcb.config.fin_wait_2_floor * tcb.rto)))


def signal(tcb: Tcb) -> None:
    """Tell the socket that something changed, if it waits for that."""
    owner = tcb.owner
    if owner is not None and owner.waiting:
        tcb.ctx.actions.append(_new(Signal, (owner, False)))


def dropped(tcb: Tcb, segment: Segment, clause: str) -> None:
    """Note why a segment had no effect, if anybody listens."""
    if tcb.ctx.tracing:
        tcb.ctx.actions.append(Dropped(tcb.id, segment, clause))


def accepted(tcb: Tcb, segment: Segment, what: str, clause: str) -> None:
    """Note that a segment took effect, if anybody listens."""
    if tcb.ctx.tracing:
        tcb.ctx.actions.append(Accepted(tcb.id, segment, what, clause))
