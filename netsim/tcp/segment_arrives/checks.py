"""SEGMENT ARRIVES for a connection that exists: RFC 9293 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all later states).

The eight checks of 3.10.7.4 stand in the RFC's order: sequence number, RST, security (no such thing here), SYN, ACK,
URG, text, FIN; the first is ``acceptability``, the fifth ``ack_arrives``, the last two are ``text``. A check returns
True when processing goes on.
"""

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
    SYN_SENT_1_ACK,
    SYN_SENT_2_RST,
    SYN_SENT_4_SYN,
    SYN_SENT_5_NEITHER,
    SYNACK_FOREIGN_ECHO,
)
from netsim.tcp.connection import accepted, await_peer_fin, dropped, end, enter, release, signal
from netsim.tcp.errors import BrokenPipe, ConnectionRefused, ConnectionReset, TcpError
from netsim.tcp.listening.fast_open import store_cookie
from netsim.tcp.output import send_abort, send_reset_for, send_syn
from netsim.tcp.recovery.ecn import negotiate_ecn
from netsim.tcp.recovery.queue import fin_acknowledged
from netsim.tcp.recovery.sack import report_dsack
from netsim.tcp.segment import ACK, CWR, ECE, FIN, HALF, MASK, RST, SYN, URG, Segment
from netsim.tcp.segment_arrives.ack import fifth_ack
from netsim.tcp.segment_arrives.data import fin_arrives, text_arrives
from netsim.tcp.segment_arrives.established import established
from netsim.tcp.segment_arrives.options import echoes_our_syn, negotiate
from netsim.tcp.segment_arrives.sequence import (
    answer_unacceptable,
    authentic,
    challenge,
    first_sequence,
    is_crossed_synack,
)
from netsim.tcp.segment_arrives.time_wait import settled_in_time_wait
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
from netsim.tcp.timers import LINGER, REXMT

_F2_WAIT = 2_000_000_000  # ns; W of RFC 1337 4 (F2), two ticks of the slowest timestamp clock


def in_syn_sent(tcb: Tcb, segment: Segment, now: int) -> None:
    """3.10.7.3. What the segment calls for is sent by ``output`` afterwards, if it is no SYN or RST."""
    flags = segment.flags
    if tcb.with_options and not authentic(tcb, segment):
        return
    if flags & ACK and not 0 < (segment.ack - tcb.iss) & MASK <= (tcb.snd_nxt - tcb.iss) & MASK:
        send_reset_for(tcb.ctx, segment, tcb)
        soon = tcb.config.ns.syn_rto_after_wrong_ack
        if soon is not None and tcb.transmissions == 1:
            tcb.arm(REXMT, now, soon)
        return dropped(tcb, segment, SYN_SENT_1_ACK)
    if flags & ACK and tcb.config.synack_echo_check and not echoes_our_syn(tcb, segment, now):
        tcb.ctx.counters.TcpExtPAWSActive += 1
        send_reset_for(tcb.ctx, segment, tcb)
        return dropped(tcb, segment, SYNACK_FOREIGN_ECHO)
    if flags & RST:
        if not flags & ACK:
            return dropped(tcb, segment, SYN_SENT_2_RST)
        accepted(tcb, segment, "RST", SYN_SENT_2_RST)
        tcb.ctx.counters.TcpAttemptFails += 1
        return end(tcb, SYN_SENT_2_RST, ConnectionRefused())
    if not flags & SYN:
        return dropped(tcb, segment, SYN_SENT_5_NEITHER)
    if tcb.ctx.record:
        accepted(tcb, segment, "SYN", SYN_SENT_4_SYN)
    tcb.irs = segment.seq
    tcb.rcv_nxt = (segment.seq + 1) & MASK
    negotiate(tcb, segment.options, now)
    if flags & (ECE | CWR):
        negotiate_ecn(tcb, segment)
    tcb.snd_wnd = tcb.max_snd_wnd = segment.window
    tcb.snd_wl1, tcb.snd_wl2 = segment.seq, segment.ack
    if not flags & ACK:
        enter(tcb, SYN_RECEIVED, SYN_SENT_4_SYN)
        # "Queue them for processing after the ESTABLISHED state has been reached": text and FIN.
        if tcb.config.syn_data != "drop":
            tcb.syn_data = segment.payload
        if flags & FIN:
            tcb.peer_fin = (segment.seq + 1 + len(segment.payload)) & MASK
        tcb.syn_answered_at = now
        return send_syn(tcb, now)
    tcb.ack_wanted = True
    if tcb.config.fast_open != "off":
        store_cookie(tcb, segment)
    enter(tcb, ESTABLISHED, SYN_SENT_4_SYN)
    established(tcb, segment, now)
    if segment.payload or flags & FIN:
        start = (segment.seq + 1) & MASK
        text_arrives(tcb, segment, start, now)
        fin_arrives(tcb, segment, start, now)
    return None


def in_later_states(tcb: Tcb, segment: Segment, now: int) -> None:
    """3.10.7.4. What the segment calls for is sent by ``output`` afterwards, if it is no challenge ACK or RST."""
    flags = segment.flags
    if tcb.state is TIME_WAIT and settled_in_time_wait(tcb, segment, now):
        return None
    crossed = False
    if flags & SYN:
        if tcb.with_options and not authentic(tcb, segment):
            return None
        crossed = is_crossed_synack(tcb, segment)
    if not crossed:
        in_window = (segment.seq - tcb.rcv_nxt) & MASK < tcb.rcv_wnd  # most are; else, or with options, look closer
        if (not in_window or tcb.with_options) and not first_sequence(tcb, segment, now):
            return None
        if flags & RST:
            return _second_rst(tcb, segment, now)
        if flags & SYN:
            return _fourth_syn(tcb, segment, now)
    if not flags & ACK:
        return dropped(tcb, segment, CHECK_5_ACK)
    if not fifth_ack(tcb, segment, now):
        return None
    if flags & URG:
        _sixth_urgent(tcb, segment)
    start = (segment.seq + 1) & MASK if crossed else segment.seq
    if segment.payload and not text_arrives(tcb, segment, start, now):
        return None
    if flags & FIN or tcb.peer_fin >= 0:
        fin_arrives(tcb, segment, start, now)
    if crossed and tcb.config.crossed_synack == "accept-and-ack":
        report_dsack(tcb, segment.seq, start)
        tcb.ack_wanted = True
    if tcb.fin_seq >= 0 and tcb.state is FIN_WAIT_1 and fin_acknowledged(tcb):
        # Step five orders this; it waits until here so that a FIN in the same segment leads to TIME-WAIT at once
        # (figure 5, note 2).
        enter(tcb, FIN_WAIT_2, CHECK_5_ACK)
        if tcb.orphan:
            await_peer_fin(tcb, now)
        signal(tcb)
    return None


def _second_rst(tcb: Tcb, segment: Segment, now: int) -> None:
    config, state = tcb.config, tcb.state
    if state is TIME_WAIT and config.time_wait_rst != "accept":
        fix = _ignores_rst(tcb, now)
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
            return end(tcb, CHECK_2_RST, ConnectionReset())  # an application may hold it already
        enter(tcb, LISTEN, CHECK_2_RST)
        return release(tcb, None)
    if state is ESTABLISHED or state is CLOSE_WAIT:
        tcb.ctx.counters.TcpEstabResets += 1  # RFC 4022, tcpEstabResets
    return end(tcb, CHECK_2_RST, _reset_error(tcb))


def _reset_error(tcb: Tcb) -> TcpError | None:
    """What the user of a synchronized connection is told of its reset."""
    told, state = tcb.config.reset_errors, tcb.state
    if state is TIME_WAIT or (told == "rfc9293" and state in (CLOSING, LAST_ACK)):
        return None
    return BrokenPipe() if told == "reset-or-broken-pipe" and state is CLOSE_WAIT else ConnectionReset()


def _ignores_rst(tcb: Tcb, now: int) -> str:
    """By which fix of RFC 1337 a RST in TIME-WAIT is ignored now, or the empty string.

    F2 counts its 2 s from the last FIN that started the 2MSL timer: no older timestamp can be in a new connection then.
    """
    if tcb.config.time_wait_rst == "ignore":
        return RFC1337_F1
    waited = now - (tcb.deadlines[LINGER] - tcb.config.ns.time_wait)
    return RFC1337_F2 if waited < _F2_WAIT else ""


def _fourth_syn(tcb: Tcb, segment: Segment, now: int) -> None:
    config = tcb.config
    if config.syn_policy == "rfc793":
        return _syn_in_window(tcb, segment, now)
    if tcb.state is SYN_RECEIVED and tcb.passive:
        accepted(tcb, segment, "SYN", CHECK_4_SYN)
        enter(tcb, LISTEN, CHECK_4_SYN)
        return release(tcb, None)
    dropped(tcb, segment, CHECK_4_CHALLENGE_ACK)
    tcb.ctx.counters.TcpExtTCPSYNChallenge += 1
    return challenge(tcb, now)


def _syn_in_window(tcb: Tcb, segment: Segment, now: int) -> None:
    """RFC 793's rule: a SYN inside the window is an error and ends the connection."""
    if (segment.seq - tcb.rcv_nxt) & MASK >= tcb.rcv_wnd:  # only what came with it reaches into the window
        dropped(tcb, segment, RFC793_SYN_OUTSIDE)
        return answer_unacceptable(tcb, segment, now)
    accepted(tcb, segment, "SYN", RFC793_SYN)
    if tcb.config.syn_reset == "abort":
        send_abort(tcb, now)
    else:
        send_reset_for(tcb.ctx, segment, tcb)
    return end(tcb, RFC793_SYN, ConnectionReset())


def _sixth_urgent(tcb: Tcb, segment: Segment) -> None:
    """RCV.UP = max(RCV.UP, SEG.UP), while text may still come."""
    if tcb.state in (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2):
        pointer = (segment.seq + segment.urgent) & MASK
        if tcb.rcv_up < 0 or (pointer - tcb.rcv_up) & MASK < HALF:
            tcb.rcv_up = pointer
