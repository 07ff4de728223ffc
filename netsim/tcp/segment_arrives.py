"""SEGMENT ARRIVES for a connection that exists: RFC 9293 3.10.7.3 (SYN-SENT) and 3.10.7.4 (all later states).

The eight checks of 3.10.7.4 stand in the RFC's order: sequence number, RST, security (no such thing here), SYN, ACK,
URG, text, FIN. A check returns True when processing goes on.
"""

from netsim.tcp.connection import (
    accepted,
    await_peer_fin,
    dropped,
    end,
    enter,
    enter_time_wait,
    release,
    restart_time_wait,
    signal,
)
from netsim.tcp.errors import ConnectionRefused, ConnectionReset, TcpError
from netsim.tcp.establish import established
from netsim.tcp.options import echo_sample, negotiate, record_timestamp, refused_by_timestamp
from netsim.tcp.output import retransmit, send_ack, send_reset_for, send_syn
from netsim.tcp.retransmission import acknowledge, fin_acknowledged, measured, rearm
from netsim.tcp.segment import ACK, FIN, RST, SYN, SYN_ACK, URG, Segment
from netsim.tcp.seq import HALF, MASK
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
from netsim.tcp.text import fin_arrives, text_arrives
from netsim.tcp.timers import NEVER, PERSIST, REXMT

_SYN_SENT_1 = "3.10.7.3, first: ACK"
_SYN_SENT_2 = "3.10.7.3, second: RST"
_SYN_SENT_4 = "3.10.7.3, fourth: SYN"
_SYN_SENT_5 = "3.10.7.3, fifth: neither SYN nor RST"
_FIRST = "3.10.7.4, first: sequence number"
_SECOND = "3.10.7.4, second: RST"
_FOURTH = "3.10.7.4, fourth: SYN"
_FIFTH = "3.10.7.4, fifth: ACK"
_RFC793_SYN = "RFC 793 3.9, fourth: SYN"


def in_syn_sent(tcb: Tcb, segment: Segment, now: int) -> None:
    """3.10.7.3. What the segment calls for is sent by ``output`` afterwards, if it is no SYN or RST."""
    flags = segment.flags
    if flags & ACK and not 0 < (segment.ack - tcb.iss) & MASK <= (tcb.snd_nxt - tcb.iss) & MASK:
        send_reset_for(tcb.ctx, segment, tcb.id)
        return dropped(tcb, segment, _SYN_SENT_1)
    if flags & RST:
        if not flags & ACK:
            return dropped(tcb, segment, _SYN_SENT_2)
        accepted(tcb, segment, "RST", _SYN_SENT_2)
        tcb.ctx.counters.TcpAttemptFails += 1
        return end(tcb, _SYN_SENT_2, ConnectionRefused())
    if not flags & SYN:
        return dropped(tcb, segment, _SYN_SENT_5)
    if tcb.ctx.record:
        accepted(tcb, segment, "SYN", _SYN_SENT_4)
    tcb.irs = segment.seq
    tcb.rcv_nxt = (segment.seq + 1) & MASK
    negotiate(tcb, segment.options, now)
    tcb.snd_wnd = tcb.max_snd_wnd = segment.window
    tcb.snd_wl1, tcb.snd_wl2 = segment.seq, segment.ack
    if not flags & ACK:
        enter(tcb, SYN_RECEIVED, _SYN_SENT_4)
        # "Queue them for processing after the ESTABLISHED state has been reached": text and FIN.
        if tcb.config.syn_data != "drop":
            tcb.syn_text = segment.payload
        if flags & FIN:
            tcb.peer_fin = (segment.seq + 1 + len(segment.payload)) & MASK
        tcb.syn_answered_at = now
        return send_syn(tcb, now)
    tcb.ack_wanted = True
    enter(tcb, ESTABLISHED, _SYN_SENT_4)
    established(tcb, segment, now)
    if segment.payload or flags & FIN:
        start = (segment.seq + 1) & MASK
        text_arrives(tcb, segment, start, now)
        fin_arrives(tcb, segment, start, now)
    return None


def in_later_states(tcb: Tcb, segment: Segment, now: int) -> None:
    """3.10.7.4. What the segment calls for is sent by ``output`` afterwards, if it is no challenge ACK or RST."""
    flags = segment.flags
    crossed = flags & SYN and _is_crossed_synack(tcb, segment)
    if not crossed:
        in_window = (segment.seq - tcb.rcv_nxt) & MASK < tcb.rcv_wnd  # most are; else, or with timestamps, look closer
        if (not in_window or tcb.ts_ok) and not _first_sequence(tcb, segment, now):
            return
        if flags & RST:
            return _second_rst(tcb, segment, now)
        if flags & SYN:
            return _fourth_syn(tcb, segment, now)
    if not flags & ACK:
        return dropped(tcb, segment, _FIFTH)
    if not _fifth_ack(tcb, segment, now):
        return
    if flags & URG:
        _sixth_urgent(tcb, segment)
    start = (segment.seq + 1) & MASK if crossed else segment.seq
    if segment.payload and not text_arrives(tcb, segment, start, now):
        return
    if flags & FIN or tcb.peer_fin >= 0:
        fin_arrives(tcb, segment, start, now)
    if crossed and tcb.config.crossed_synack == "linux":
        tcb.ack_wanted = True
    if tcb.fin_seq >= 0 and tcb.state is FIN_WAIT_1 and fin_acknowledged(tcb):
        # Step five orders this; it waits until here so that a FIN in the same segment leads to TIME-WAIT at once
        # (figure 5, note 2).
        enter(tcb, FIN_WAIT_2, _FIFTH)
        if tcb.orphan:
            await_peer_fin(tcb, now)
        signal(tcb)


def _is_crossed_synack(tcb: Tcb, segment: Segment) -> bool:
    """Simultaneous open, figure 7: the peer's SYN-ACK repeats its SYN, one before RCV.NXT, and must count all the same.

    The literal text refuses its number in step one (RFC 9293 A.2 admits it); TcpConfig.crossed_synack decides.
    """
    return (
        tcb.state is SYN_RECEIVED
        and segment.flags & (SYN_ACK | RST) == SYN_ACK
        and segment.seq == tcb.irs
        and tcb.listener is None
        and tcb.config.crossed_synack != "literal"
    )


def acceptable(tcb: Tcb, segment: Segment) -> bool:
    """The four cases of the acceptability table (3.10.7.4, first)."""
    window = tcb.rcv_wnd
    if tcb.config.window_edge == "inclusive":
        window += 1
    elif not window:
        return segment.length == 0 and segment.seq == tcb.rcv_nxt
    offset = (segment.seq - tcb.rcv_nxt) & MASK
    if offset < window:
        return True
    length = segment.length
    return length > 0 and (offset + length - 1) & MASK < window


def _first_sequence(tcb: Tcb, segment: Segment, now: int) -> bool:
    if tcb.ts_ok:
        reason = refused_by_timestamp(tcb, segment, now)
        if reason:
            if reason.endswith("PAWS"):
                tcb.ctx.counters.TcpExtPAWSEstab += 1
                _answer_unacceptable(tcb, segment, now)
            dropped(tcb, segment, reason)
            return False
    if acceptable(tcb, segment):
        if tcb.ts_ok:
            record_timestamp(tcb, segment, now)
        return True
    if tcb.rcv_wnd == 0 and segment.seq == tcb.rcv_nxt and not segment.flags & SYN:
        tcb.ack_wanted = True  # MUST-66: a zero window still takes RST, URG and ACK
        return True
    dropped(tcb, segment, _FIRST)
    if segment.flags & RST:
        return False
    if _is_duplicate_syn(tcb, segment):
        _answer_duplicate_syn(tcb, now)
        return False
    _answer_unacceptable(tcb, segment, now)
    if tcb.state is TIME_WAIT and _restarts_time_wait(tcb, segment):
        restart_time_wait(tcb, now)
    return False


def _is_duplicate_syn(tcb: Tcb, segment: Segment) -> bool:
    """The SYN that opened this half-open connection, again."""
    return (
        tcb.state is SYN_RECEIVED
        and segment.flags & SYN_ACK == SYN
        and segment.seq == tcb.irs
        and tcb.listener is not None
        and tcb.config.duplicate_syn != "ack"
    )


def _answer_duplicate_syn(tcb: Tcb, now: int) -> None:
    """A SYN-ACK at once, as real hosts do; Linux also restarts the SYN-ACK timer (tcp_minisocks.c, tcp_check_req)."""
    config = tcb.config
    if now - tcb.syn_answered_at < config.ns.synack_ratelimit:
        return
    tcb.syn_answered_at = now
    send_syn(tcb, now)
    if config.duplicate_syn == "synack-rearm":
        delay = config.ns.synack_intervals[tcb.transmissions - 1]
        tcb.arm(REXMT, now, delay)


def _answer_unacceptable(tcb: Tcb, segment: Segment, now: int) -> None:
    """``<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>``, within the rate limit for segments that could be part of an ACK loop."""
    limit = tcb.config.ns.invalid_ratelimit
    if limit and (not segment.payload or segment.flags & SYN):
        if now - tcb.acked_at < limit:
            return
        tcb.acked_at = now
    send_ack(tcb, now)


def _restarts_time_wait(tcb: Tcb, segment: Segment) -> bool:
    """A retransmitted FIN has a number one before RCV.NXT: step one refuses it before step eight can see it."""
    policy = tcb.config.time_wait_restart
    if policy == "any":
        return bool(segment.flags & ACK)
    return policy == "fin" and bool(segment.flags & FIN) and (segment.seq + segment.length) & MASK == tcb.rcv_nxt


def _challenge(tcb: Tcb, now: int) -> None:
    """A challenge ACK (RFC 5961 3 to 5), within the limits of RFC 5961 7."""
    limit = tcb.config.ns.invalid_ratelimit
    if limit:
        if now - tcb.acked_at < limit:
            return
        tcb.acked_at = now
    if tcb.ctx.may_challenge(now, tcb.config):
        tcb.ctx.counters.TcpExtTCPChallengeACK += 1
        send_ack(tcb, now)


def _second_rst(tcb: Tcb, segment: Segment, now: int) -> None:
    config, state = tcb.config, tcb.state
    if config.rst_policy == "rfc5961" and segment.seq != tcb.rcv_nxt:
        dropped(tcb, segment, "3.10.7.4, second: RST, challenge ACK")
        return _challenge(tcb, now)
    if state is TIME_WAIT and config.time_wait_rst == "ignore":
        return dropped(tcb, segment, "RFC 1337, fix F1")
    accepted(tcb, segment, "RST", _SECOND)
    if state is SYN_RECEIVED:
        tcb.ctx.counters.TcpAttemptFails += 1
        if tcb.passive:
            enter(tcb, LISTEN, _SECOND)
            return release(tcb, None)
        return end(tcb, _SECOND, ConnectionRefused())
    error: TcpError | None = None
    if state not in (CLOSING, LAST_ACK, TIME_WAIT):
        tcb.ctx.counters.TcpEstabResets += 1
        error = ConnectionReset()
    return end(tcb, _SECOND, error)


def _fourth_syn(tcb: Tcb, segment: Segment, now: int) -> None:
    config = tcb.config
    if config.syn_policy == "rfc793":
        accepted(tcb, segment, "SYN", _RFC793_SYN)
        send_reset_for(tcb.ctx, segment, tcb.id)
        return end(tcb, _RFC793_SYN, ConnectionReset())
    if tcb.state is SYN_RECEIVED and tcb.passive:
        accepted(tcb, segment, "SYN", _FOURTH)
        enter(tcb, LISTEN, _FOURTH)
        return release(tcb, None)
    dropped(tcb, segment, "3.10.7.4, fourth: SYN, challenge ACK")
    tcb.ctx.counters.TcpExtTCPSYNChallenge += 1
    return _challenge(tcb, now)


def _fifth_ack(tcb: Tcb, segment: Segment, now: int) -> bool:
    if tcb.state is SYN_RECEIVED:
        return _ack_of_syn(tcb, segment, now)
    ack, una = segment.ack, tcb.snd_una
    ahead = (ack - una) & MASK
    flight = (tcb.snd_nxt - una) & MASK
    if ahead > flight:
        behind = (una - ack) & MASK
        if ahead < HALF:
            dropped(tcb, segment, _FIFTH)
            _answer_unacceptable(tcb, segment, now)
            return False
        if tcb.config.ack_policy == "rfc5961" and behind > tcb.max_snd_wnd:
            dropped(tcb, segment, "RFC 5961 5: old ACK")
            _challenge(tcb, now)
            return False
    else:
        if ahead:
            _advance(tcb, segment, now)
        _update_window(tcb, segment, now, ahead, flight)
        if tcb.state > CLOSE_WAIT and fin_acknowledged(tcb):
            return _closing_states(tcb, segment, now)
    if tcb.state is not CLOSING:
        return True  # an old ACK is ignored, the text behind it is not
    dropped(tcb, segment, _FIFTH)  # in CLOSING, what does not acknowledge our FIN is ignored
    return False


def _ack_of_syn(tcb: Tcb, segment: Segment, now: int) -> bool:
    """SYN-RECEIVED: the ACK of our SYN makes ESTABLISHED; any other draws a RST.

    ``established`` does all that "continue processing" in step five would: it sets SND.WND, SND.WL1 and SND.WL2.
    """
    if not 0 < (segment.ack - tcb.snd_una) & MASK <= (tcb.snd_nxt - tcb.snd_una) & MASK:
        send_reset_for(tcb.ctx, segment, tcb.id)
        dropped(tcb, segment, _FIFTH)
        return False
    listener = tcb.listener
    if listener is not None and not listener.admit(tcb, segment, now):
        return False
    if tcb.ctx.record:
        accepted(tcb, segment, "ACK", _FIFTH)
    enter(tcb, ESTABLISHED, _FIFTH)
    established(tcb, segment, now)
    if listener is not None:
        listener.complete(tcb)
    return True


def _advance(tcb: Tcb, segment: Segment, now: int) -> None:
    """SND.UNA moves: the queue shrinks, the RTT is measured, the timer restarts."""
    if tcb.ctx.record:
        accepted(tcb, segment, "ACK", _FIFTH)
    una, flight = tcb.snd_una, (tcb.snd_nxt - tcb.snd_una) & MASK
    sample = acknowledge(tcb, segment.ack, now)
    if tcb.ts_ok:
        echo = echo_sample(tcb, segment, now)
        sample = sample if echo is None else echo
    if sample is not None:
        measured(tcb, sample)
    rearm(tcb, now)
    congestion = tcb.congestion
    if (
        congestion is not None
        and congestion.acknowledged((segment.ack - una) & MASK, tcb.snd_una, flight)
        and tcb.queue
    ):
        retransmit(tcb, tcb.queue[0], now)
    if tcb.snd_buffer is not None:
        signal(tcb)  # there may be room for more


def _update_window(tcb: Tcb, segment: Segment, now: int, ahead: int, flight: int) -> None:
    """SND.WND, SND.WL1, SND.WL2 (3.10.7.4, fifth), and what duplicate ACKs tell (RFC 5681 3.2).

    ``ahead`` numbers are newly acknowledged, of ``flight`` that were outstanding.
    """
    window = segment.window << (0 if segment.flags & SYN else tcb.snd_wscale)
    same = window == tcb.snd_wnd
    seq, ack = segment.seq, segment.ack
    newer = (seq - tcb.snd_wl1) & MASK
    if newer < HALF and (newer or (ack - tcb.snd_wl2) & MASK < HALF):
        tcb.snd_wl1 = seq
        tcb.snd_wl2 = ack
        if not same:
            tcb.snd_wnd = window
            if window > tcb.max_snd_wnd:
                tcb.max_snd_wnd = window
            if window and tcb.deadlines[PERSIST] != NEVER:
                _window_opened(tcb, now)
    congestion = tcb.congestion
    if congestion is not None and same and not ahead and flight and segment.length == 0 and tcb.queue:
        flight = (tcb.snd_nxt - tcb.snd_una) & MASK
        if congestion.duplicate(tcb.snd_una, tcb.snd_nxt, flight):
            tcb.ctx.counters.TcpExtTCPFastRetrans += 1
            retransmit(tcb, tcb.queue[0], now)


def _window_opened(tcb: Tcb, now: int) -> None:
    """The zero window is over: a probe's byte that was refused goes out again at once, with the usual timer."""
    tcb.deadlines[PERSIST] = NEVER
    tcb.probes = 0
    if tcb.queue:
        retransmit(tcb, tcb.queue[0], now)
        rearm(tcb, now)


def _closing_states(tcb: Tcb, segment: Segment, now: int) -> bool:
    """Our FIN is acknowledged: CLOSING and LAST-ACK end here."""
    if tcb.state is CLOSING:
        enter_time_wait(tcb, now, _FIFTH)
    elif tcb.state is LAST_ACK:
        end(tcb, _FIFTH, None)
        return False
    return True


def _sixth_urgent(tcb: Tcb, segment: Segment) -> None:
    """RCV.UP = max(RCV.UP, SEG.UP), while text may still come."""
    if tcb.state in (ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2):
        pointer = (segment.seq + segment.urgent) & MASK
        if (pointer - tcb.rcv_up) & MASK < HALF:
            tcb.rcv_up = pointer
