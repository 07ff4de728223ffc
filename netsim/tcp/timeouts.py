"""Timeouts: RFC 9293 3.10.8, with the timers of RFC 6298, 3.8.4 (keep-alive) and 3.8.6 (persist, delayed ACK)."""

from netsim.tcp.clauses import FIN_WAIT_2_TIMEOUT, KEEP_ALIVE, R2, TIME_WAIT_TIMEOUT, USER_TIMEOUT
from netsim.tcp.connection import end, signal
from netsim.tcp.errors import ConnectionTimedOut
from netsim.tcp.listening.defer_accept import suppresses_synack
from netsim.tcp.output import output, retransmit, send_abort, send_new, send_one_segment, send_syn, transmit
from netsim.tcp.recovery.delayed_ack import delayed_ack_expires
from netsim.tcp.recovery.rack import mark_lost_by_timeout
from netsim.tcp.recovery.rto import model_timeout
from netsim.tcp.recovery.scoreboard import clear_if_reneged, reordering_timeout
from netsim.tcp.segment import ACK, FIN, MASK, PSH
from netsim.tcp.state import FIN_WAIT_2, SYN_RECEIVED, SYN_SENT, TIME_WAIT
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import DELACK, KEEPALIVE, NEVER, PERSIST, PROBE, REXMT, TIME_WAIT_TIMER, USER


def timers_expire(tcb: Tcb, now: int) -> int:
    """Run every timer of ``tcb`` that has expired, in the order of deadlines. Returns the next deadline."""
    ctx = tcb.ctx
    ctx.in_timer = True
    while (deadline := min(tcb.deadlines)) <= now:
        kind = tcb.deadlines.index(deadline)
        tcb.deadlines[kind] = NEVER
        _HANDLERS[kind](tcb, now)
    ctx.in_timer = False
    return deadline


def _user_timeout(tcb: Tcb, now: int) -> None:
    tcb.ctx.counters.TcpExtTCPAbortOnTimeout += 1
    end(tcb, USER_TIMEOUT, ConnectionTimedOut())


def _time_wait_or_fin_wait_2(tcb: Tcb, now: int) -> None:
    """The end of TIME-WAIT after 2MSL, or of FIN-WAIT-2 for an orphaned connection: the two share a slot."""
    if tcb.state is TIME_WAIT:
        end(tcb, TIME_WAIT_TIMEOUT, None)
    elif tcb.state is FIN_WAIT_2:
        end(tcb, FIN_WAIT_2_TIMEOUT, None)


def _retransmission(tcb: Tcb, now: int) -> None:
    if tcb.state is SYN_SENT or tcb.snd_una == tcb.iss:
        return _retransmit_syn(tcb, now)
    tcb.backoff += 1
    tcb.probe_end = -1
    config, counters = tcb.config, tcb.ctx.counters
    counters.TcpExtTCPTimeouts += 1
    if _r2_reached(tcb, now):
        counters.TcpExtTCPAbortOnTimeout += 1
        return end(tcb, R2, ConnectionTimedOut())
    if tcb.backoff == config.retries1 + 1:
        signal(tcb)  # R1: the user may look at the state of the connection
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    congestion = tcb.congestion
    if congestion is not None:
        congestion.frto = config.frto and (tcb.backoff > 1 or not congestion.recovering)
        congestion.frto_probing = False
        if tcb.backoff == 1:
            congestion.timeout(tcb.snd_nxt, flight, now)
        congestion.recover = tcb.snd_nxt
    if tcb.sack_ok:
        clear_if_reneged(tcb)
    mark_lost_by_timeout(tcb, now)
    tcb.rto = min(2 * tcb.rto, config.ns.rto_max)
    tcb.arm(REXMT, now, tcb.rto)
    assert tcb.queue, "the retransmission timer is running only while something is unacknowledged"
    return retransmit(tcb, tcb.queue[0], now)


def _loss_probe(tcb: Tcb, now: int) -> None:
    """Probe for a lost tail (RFC 8985 7.3) with new data, or else by retransmitting the last segment; then the RTO.

    While one probe is unanswered no second one is sent (net/ipv4/tcp_output.c, tcp_send_loss_probe). The slot is also
    RACK's reordering timer.
    """
    assert tcb.queue, "the loss probe's timer is running only while something is unacknowledged"
    congestion = tcb.congestion
    if congestion is not None and congestion.rack is not None and any(sent.sacked for sent in tcb.queue):
        return reordering_timeout(tcb, congestion, now)
    if tcb.probe_end >= 0:
        return tcb.arm(REXMT, now, max(tcb.queue[0].sent_at + tcb.rto - now, 1))
    tcb.ctx.counters.TcpExtTCPLossProbes += 1
    if send_one_segment(tcb, now):
        tcb.probe_end = (tcb.snd_nxt - 1) & MASK  # the ACK of that data ends the probe
    elif (last := tcb.queue[-1]) is tcb.queue[0] or (last.seq - tcb.snd_una) & MASK < tcb.snd_wnd:
        tcb.probe_end = tcb.snd_nxt  # only an ACK of later data ends it
        retransmit(tcb, last, now)  # unless it lies outside a window that has shrunk: __tcp_retransmit_skb
    tcb.deadlines[PROBE] = NEVER
    return tcb.arm(REXMT, now, tcb.rto)


def _r2_reached(tcb: Tcb, now: int) -> bool:
    """Whether R2 is reached, so that the connection is aborted instead of retransmission number ``tcb.backoff``."""
    limit = _r2(tcb)
    if limit is None or tcb.config.r2_measure == "count":
        return limit is not None and tcb.backoff > limit
    if tcb.backoff == 1:
        tcb.silent_since = now
        return False
    ns = tcb.config.ns
    return now - tcb.silent_since >= model_timeout(limit, ns.rto_min, ns.rto_max)


def _r2(tcb: Tcb) -> int | None:
    """R2 as a number of retransmissions. Orphaned connections may have a limit of their own.

    Measured in time, that limit is zero once the RTO has reached its maximum.
    """
    config = tcb.config
    if not tcb.orphan or config.orphan_retries is None:
        return config.retries2
    return 0 if config.r2_measure == "time" and tcb.rto >= config.ns.rto_max else config.orphan_retries


def _retransmit_syn(tcb: Tcb, now: int) -> None:
    """A SYN or SYN-ACK is unanswered: retransmit it by the schedule, and abort when that ends (R2 of MUST-23)."""
    ns, counters, listener = tcb.config.ns, tcb.ctx.counters, tcb.listener
    if tcb.snd_nxt == tcb.iss:  # Fast Open: the SYN-ACK was delayed for data, and none came
        tcb.arm(REXMT, now, ns.synack_intervals[0])
        return send_syn(tcb, now)
    intervals = ns.syn_intervals
    counters.TcpExtTCPTimeouts += 1
    if tcb.state is SYN_RECEIVED and listener is not None:
        intervals = ns.synack_intervals
        continues = listener.may_retransmit_synack(tcb, len(intervals))
    else:
        continues = tcb.transmissions < len(intervals)
    if not continues:
        counters.TcpAttemptFails += 1
        return end(tcb, R2, ConnectionTimedOut())
    if tcb.transmissions == 1:
        tcb.silent_since = tcb.sent_at
    tcb.transmissions += 1
    tcb.arm(REXMT, now, intervals[tcb.transmissions - 1])
    if listener is not None and listener.deferred and suppresses_synack(listener, tcb):
        return None
    counters.TcpRetransSegs += 1
    counters.TcpExtTCPSynRetrans += 1
    return send_syn(tcb, now)


def _persist(tcb: Tcb, now: int) -> None:
    """A zero-window probe, with exponential back-off, as long as the peer answers (3.8.6.1, MUST-37)."""
    if not tcb.queue and send_one_segment(tcb, now):
        return None  # the window is open: data that waited for more (TCP_CORK, MSG_MORE) is sent now
    limit = _longest_silence(tcb)
    if tcb.last_received_at > tcb.silent_since or not tcb.probes:
        tcb.silent_since = now  # the last probe was answered: the silence begins with this one
    elif limit is not None and now - tcb.silent_since >= limit:
        tcb.ctx.counters.TcpExtTCPAbortOnTimeout += 1
        return end(tcb, USER_TIMEOUT if tcb.config.ns.user_timeout is not None else R2, ConnectionTimedOut())
    tcb.probes += 1
    delay = min(tcb.rto << min(tcb.probes, 20), tcb.config.ns.rto_max)
    if tcb.config.zero_window_probe == "empty":
        transmit(tcb, now, ACK, (tcb.snd_una - 1) & MASK)
    elif tcb.queue:
        retransmit(tcb, tcb.queue[0], now)
    elif tcb.snd_buffer:
        last = len(tcb.snd_buffer) == 1
        send_new(tcb, now, ACK | (PSH if last else 0), bytes(tcb.snd_buffer[:1]))
    elif tcb.close_called and tcb.fin_seq < 0:
        send_new(tcb, now, ACK | FIN, b"")
    tcb.deadlines[REXMT] = tcb.deadlines[PROBE] = tcb.deadlines[USER] = NEVER
    tcb.arm(PERSIST, now, delay)
    return None


def _longest_silence(tcb: Tcb) -> int | None:
    """How long (ns) probes may be unanswered: the user timeout, or as long as R2 retransmissions would take."""
    ns, limit = tcb.config.ns, _r2(tcb)
    timeout: int | None = ns.user_timeout
    if timeout is not None or limit is None:
        return timeout
    longest: int = ns.rto_max
    return sum(min(tcb.rto << min(k, 20), longest) for k in range(limit + 1))


def _delayed_ack(tcb: Tcb, now: int) -> None:
    tcb.ctx.counters.TcpExtDelayedACKs += 1
    delayed_ack_expires(tcb)
    tcb.ack_wanted = True
    output(tcb, now)


def _keep_alive(tcb: Tcb, now: int) -> None:
    """A probe with an old sequence number makes a peer that is alive send an ACK (3.8.4)."""
    config = tcb.config
    idle = now - tcb.last_received_at
    wait = config.ns.keepalive_idle
    if tcb.queue or tcb.deadlines[PERSIST] != NEVER:
        # MUST-26: not while data is in flight, whose own timer detects a dead peer
        tcb.arm(KEEPALIVE, now, wait)
        return
    if idle < wait:
        tcb.probes = 0
        tcb.arm(KEEPALIVE, now, wait - idle)
        return
    if tcb.last_received_at >= tcb.silent_since:
        tcb.probes = 0  # the last probe was answered, though longer ago than the idle time
    if tcb.probes >= config.keepalive_probes:
        tcb.ctx.counters.TcpExtTCPAbortOnTimeout += 1
        if config.keepalive_rst:
            send_abort(tcb, now)
        return end(tcb, KEEP_ALIVE, ConnectionTimedOut())
    if not tcb.probes:
        tcb.silent_since = now
    tcb.probes += 1
    tcb.ctx.counters.TcpExtTCPKeepAlive += 1
    transmit(tcb, now, ACK, (tcb.snd_una - 1) & MASK)
    tcb.arm(KEEPALIVE, now, config.ns.keepalive_interval)


_HANDLERS = {
    USER: _user_timeout,
    TIME_WAIT_TIMER: _time_wait_or_fin_wait_2,
    REXMT: _retransmission,
    PROBE: _loss_probe,
    PERSIST: _persist,
    DELACK: _delayed_ack,
    KEEPALIVE: _keep_alive,
}
