"""SEGMENT ARRIVES in every state after SYN-SENT: the eight checks of RFC 9293 3.10.7.4, and three of them in full."""

from typing import Final

from netsim.tcp.clauses import (
    CHECK_2_CHALLENGE_ACK,
    CHECK_2_RST,
    CHECK_4_CHALLENGE_ACK,
    CHECK_4_SYN,
    CHECK_5_ACK,
    RFC793_SYN,
    RFC793_SYN_OUTSIDE,
    RFC1337_F1,
    RFC1337_F2,
)
from netsim.tcp.connection import accepted, await_peer_fin, dropped, end, enter, release, signal
from netsim.tcp.errors import BrokenPipe, ConnectionRefused, ConnectionReset, TcpError
from netsim.tcp.output import send_abort, send_reset_for
from netsim.tcp.recovery.queue import fin_acknowledged
from netsim.tcp.recovery.sack import report_dsack
from netsim.tcp.segment import ACK, FIN, HALF, MASK, RST, SYN, URG, Segment
from netsim.tcp.segment_arrives.ack import check_5_ack
from netsim.tcp.segment_arrives.data import check_7_segment_text, check_8_fin
from netsim.tcp.segment_arrives.sequence import answer_unacceptable, challenge, check_1_sequence, is_crossed_synack
from netsim.tcp.segment_arrives.time_wait import host_rule_applies
from netsim.tcp.state import (
    CLOSE_WAIT,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    SYN_RECEIVED,
    TIME_WAIT,
)
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import TIME_WAIT_TIMER

_F2_PERIOD: Final = 2_000_000_000  # ns; W of RFC 1337 4 (F2), two ticks of the slowest timestamp clock


def eight_checks(tcb: Tcb, segment: Segment, now: int) -> None:
    """3.10.7.4. The stack calls ``output`` afterwards, which sends what has become due."""
    flags = segment.flags
    if tcb.state is TIME_WAIT and host_rule_applies(tcb, segment, now):
        return None
    # "First, check sequence number". Most segments begin inside the window, and need no more if they have no options.
    in_window = (segment.seq - tcb.rcv_nxt) & MASK < tcb.rcv_wnd
    if (not in_window or tcb.with_options) and not check_1_sequence(tcb, segment, now):
        return None
    # "Second, check the RST bit"
    if flags & RST:
        return check_2_rst(tcb, segment, now)
    # "Third, check security": nothing to do, as segments have no security compartment here.
    # "Fourth, check the SYN bit"
    if flags & SYN and not is_crossed_synack(tcb, segment):
        return check_4_syn(tcb, segment, now)
    # "Fifth, check the ACK field: If the ACK bit is off, drop the segment and return."
    if not flags & ACK:
        return dropped(tcb, segment, CHECK_5_ACK)
    if not check_5_ack(tcb, segment, now):
        return None
    # "Sixth, check the URG bit"
    if flags & URG:
        check_6_urg(tcb, segment)
    # "Seventh, process the segment text"; it begins behind a SYN.
    start = (segment.seq + 1) & MASK if flags & SYN else segment.seq
    if segment.payload and not check_7_segment_text(tcb, segment, start, now):
        return None
    # "Eighth, check the FIN bit"; it may have arrived before the data that precedes it.
    if flags & FIN or tcb.peer_fin >= 0:
        check_8_fin(tcb, segment, start, now)
    if flags & SYN and tcb.config.crossed_synack == "accept-and-ack":
        report_dsack(tcb, segment.seq, start)
        tcb.ack_wanted = True
    if tcb.fin_seq >= 0 and tcb.state is FIN_WAIT_1 and fin_acknowledged(tcb):
        _enter_fin_wait_2(tcb, now)
    return None


def _enter_fin_wait_2(tcb: Tcb, now: int) -> None:
    """ "If the FIN segment is now acknowledged, then enter FIN-WAIT-2 and continue processing in that state."

    Check 5 orders it. It comes last, so that a FIN in the same segment leads to TIME-WAIT directly (figure 5, note 2).
    """
    enter(tcb, FIN_WAIT_2, CHECK_5_ACK)
    if tcb.orphan:
        await_peer_fin(tcb, now)
    signal(tcb)


def check_2_rst(tcb: Tcb, segment: Segment, now: int) -> None:
    """3.10.7.4, second: the RST bit; the number lies inside the window.

    "If the RST bit is set and the sequence number exactly matches the next expected sequence number (RCV.NXT), then TCP
    endpoints MUST reset the connection"; if it does not, they "MUST send an acknowledgment (challenge ACK)".
    """
    config, state = tcb.config, tcb.state
    if state is TIME_WAIT and config.time_wait_rst != "accept":
        fix = _time_wait_ignores_rst(tcb, now)
        if fix:
            return dropped(tcb, segment, fix)
    if config.rst_policy == "rfc5961" and segment.seq != tcb.rcv_nxt:
        dropped(tcb, segment, CHECK_2_CHALLENGE_ACK)
        return challenge(tcb, now)
    accepted(tcb, segment, "RST", CHECK_2_RST)
    if state is SYN_RECEIVED:
        tcb.ctx.counters.TcpAttemptFails += 1
        if tcb.listener is None:
            refused = config.reset_errors != "reset-or-broken-pipe"
            return end(tcb, CHECK_2_RST, ConnectionRefused() if refused else ConnectionReset())
        if tcb in tcb.listener.fast_open_pending:
            return end(tcb, CHECK_2_RST, ConnectionReset())  # the user may have accepted it already
        # "If this connection was initiated with a passive OPEN ..., then return this connection to LISTEN state"
        enter(tcb, LISTEN, CHECK_2_RST)
        return release(tcb, None)
    if state is ESTABLISHED or state is CLOSE_WAIT:
        tcb.ctx.counters.TcpEstabResets += 1  # RFC 4022, tcpEstabResets
    return end(tcb, CHECK_2_RST, _reset_error(tcb))


def _reset_error(tcb: Tcb) -> TcpError | None:
    """The error that a RST on a synchronized connection reports to the user; None if it reports none."""
    policy, state = tcb.config.reset_errors, tcb.state
    if state is TIME_WAIT or (policy == "rfc9293" and state in (CLOSING, LAST_ACK)):
        return None
    return BrokenPipe() if policy == "reset-or-broken-pipe" and state is CLOSE_WAIT else ConnectionReset()


def _time_wait_ignores_rst(tcb: Tcb, now: int) -> str:
    """The fix of RFC 1337 by which a RST in TIME-WAIT is ignored now, or the empty string.

    The 2 s of F2 are counted from the last FIN that started the TIME_WAIT timer: until then no segment of a new
    connection can have a newer timestamp.
    """
    if tcb.config.time_wait_rst == "ignore":
        return RFC1337_F1
    elapsed = now - (tcb.deadlines[TIME_WAIT_TIMER] - tcb.config.ns.time_wait)
    return RFC1337_F2 if elapsed < _F2_PERIOD else ""


def check_4_syn(tcb: Tcb, segment: Segment, now: int) -> None:
    """3.10.7.4, fourth: the SYN bit; the number lies inside the window.

    SYN-RECEIVED: "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN
    state".
    Synchronized states: send "a 'challenge ACK' to the remote peer" (RFC 5961 4).
    """
    if tcb.config.syn_policy == "rfc793":
        return _rfc793_syn(tcb, segment, now)
    if tcb.state is SYN_RECEIVED and tcb.passive:
        accepted(tcb, segment, "SYN", CHECK_4_SYN)
        enter(tcb, LISTEN, CHECK_4_SYN)
        return release(tcb, None)
    dropped(tcb, segment, CHECK_4_CHALLENGE_ACK)
    tcb.ctx.counters.TcpExtTCPSYNChallenge += 1
    return challenge(tcb, now)


def _rfc793_syn(tcb: Tcb, segment: Segment, now: int) -> None:
    """RFC 793: "If the SYN is in the window it is an error, send a reset", and the connection ends."""
    if (segment.seq - tcb.rcv_nxt) & MASK >= tcb.rcv_wnd:  # the SYN itself lies before the window, its data reaches in
        dropped(tcb, segment, RFC793_SYN_OUTSIDE)
        return answer_unacceptable(tcb, segment, now)
    accepted(tcb, segment, "SYN", RFC793_SYN)
    if tcb.config.syn_reset == "abort":
        send_abort(tcb, now)
    else:
        send_reset_for(tcb.ctx, segment, tcb)
    return end(tcb, RFC793_SYN, ConnectionReset())


def check_6_urg(tcb: Tcb, segment: Segment) -> None:
    """3.10.7.4, sixth: "RCV.UP <- max(RCV.UP, SEG.UP)", in the states in which the peer may still send data."""
    if tcb.state in (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2):
        pointer = (segment.seq + segment.urgent) & MASK
        if tcb.rcv_up < 0 or (pointer - tcb.rcv_up) & MASK < HALF:
            tcb.rcv_up = pointer
