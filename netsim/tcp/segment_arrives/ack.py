"""Check 5 of RFC 9293 3.10.7.4: the ACK field, which advances SND.UNA, the send window and the state."""

from netsim.tcp.clauses import CHECK_5_ACK, DEFER_ACCEPT, RFC5961_OLD_ACK
from netsim.tcp.connection import accepted, dropped, end, enter, enter_time_wait, signal
from netsim.tcp.listening.defer_accept import waits_for_data
from netsim.tcp.output import retransmit, send_reset_for
from netsim.tcp.recovery.queue import acknowledge, fin_acknowledged, restart_timers, update_rto
from netsim.tcp.recovery.rack import newly_acked
from netsim.tcp.recovery.scoreboard import enter_recovery, sack_recovery
from netsim.tcp.recovery.undo import check_undo, dsack_arrives
from netsim.tcp.segment import HALF, MASK, SYN, Segment
from netsim.tcp.segment_arrives.established import established
from netsim.tcp.segment_arrives.options import echo_sample
from netsim.tcp.segment_arrives.sequence import answer_unacceptable, challenge
from netsim.tcp.segment_arrives.time_wait import is_expected_ack
from netsim.tcp.state import CLOSE_WAIT, CLOSING, ESTABLISHED, LAST_ACK, SYN_RECEIVED, TIME_WAIT
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER, PERSIST


def check_5_ack(tcb: Tcb, segment: Segment, now: int) -> bool:
    """3.10.7.4, fifth: the ACK field. Returns whether to go on with check 6.

    "If SND.UNA < SEG.ACK =< SND.NXT, then set SND.UNA <- SEG.ACK. Any segments on the retransmission queue that are
    thereby entirely acknowledged are removed."
    """
    if tcb.state is SYN_RECEIVED:
        return _ack_of_syn(tcb, segment, now)
    ack, una = segment.ack, tcb.snd_una
    ahead = (ack - una) & MASK
    flight = (tcb.snd_nxt - una) & MASK
    if ahead > flight:  # outside of SND.UNA =< SEG.ACK =< SND.NXT
        behind = (una - ack) & MASK
        # "If the ACK acks something not yet sent (SEG.ACK > SND.NXT), then send an ACK, drop the segment, and return."
        if ahead < HALF:
            dropped(tcb, segment, CHECK_5_ACK)
            if tcb.config.future_ack == "answer":
                answer_unacceptable(tcb, segment, now)
            elif tcb.state is not ESTABLISHED:
                challenge(tcb, now)
            return False
        if tcb.config.ack_policy == "rfc5961" and behind > tcb.max_snd_wnd:
            dropped(tcb, segment, RFC5961_OLD_ACK)
            challenge(tcb, now)
            return False
        if tcb.sack_ok and tcb.queue and tcb.congestion is not None:
            sack_recovery(tcb, segment, now, una)  # SACK blocks count on an old ACK too: net/ipv4/tcp_input.c, tcp_ack
    else:
        if ahead:
            _advance(tcb, segment, now)
        elif tcb.probe_end == ack:
            tcb.probe_end = -1  # the original and its probe have both arrived (RFC 8985 7.4.2)
        _update_window(tcb, segment, now, ahead, flight)
        if tcb.state > CLOSE_WAIT and fin_acknowledged(tcb):
            return _closing_states(tcb, segment, now)
    if tcb.state is not CLOSING:
        return True  # "If the ACK is a duplicate (SEG.ACK =< SND.UNA), it can be ignored"; its data is processed
    dropped(tcb, segment, CHECK_5_ACK)  # CLOSING: "...; otherwise, ignore the segment"
    return False


def _ack_of_syn(tcb: Tcb, segment: Segment, now: int) -> bool:
    """SYN-RECEIVED: the ACK of our SYN, the handshake's final ACK, leads to ESTABLISHED; a RST answers any other.

    ``established`` sets SND.WND, SND.WL1 and SND.WL2, which is all that "continue processing" amounts to.
    """
    if not 0 < (segment.ack - tcb.snd_una) & MASK <= (tcb.snd_nxt - tcb.snd_una) & MASK:
        send_reset_for(tcb.ctx, segment, tcb)
        dropped(tcb, segment, CHECK_5_ACK)
        return False
    listener = tcb.listener
    if listener is not None:
        if tcb.config.defer_accept is not None and waits_for_data(listener, tcb, segment):
            dropped(tcb, segment, DEFER_ACCEPT)
            return False
        if not listener.admit(tcb, segment):
            return False
    if tcb.ctx.tracing:
        accepted(tcb, segment, "ACK", CHECK_5_ACK)
    enter(tcb, ESTABLISHED, CHECK_5_ACK)
    established(tcb, segment, now)
    if listener is not None:
        listener.handshake_completes(tcb)
    if tcb.queue and tcb.sack_ok and tcb.congestion is not None:
        sack_recovery(tcb, segment, now, tcb.snd_una)  # Fast Open has sent data, and some of it has arrived
    return True


def _advance(tcb: Tcb, segment: Segment, now: int) -> None:
    """New data is acknowledged: advance SND.UNA, take an RTT sample, restart the timers, grow the congestion window."""
    if tcb.ctx.tracing:
        accepted(tcb, segment, "ACK", CHECK_5_ACK)
    una, flight = tcb.snd_una, (tcb.snd_nxt - tcb.snd_una) & MASK
    congestion = tcb.congestion
    recovering = congestion is not None and congestion.recovering
    original = False
    if congestion is not None and (recovering or congestion.duplicate_acks):
        original = newly_acked(tcb, segment.ack, now)
    sample = acknowledge(tcb, segment.ack, now)
    if congestion is not None and (recovering or congestion.undo is not None):
        check_undo(tcb, segment, una, original=original)
    if congestion is not None and sample is not None and tcb.config.congestion == "cubic":
        congestion.rtt_sample(sample, tcb.snd_una, tcb.snd_nxt, now)
    if tcb.ts_ok:
        echo = echo_sample(tcb, segment, now)
        sample = sample if echo is None else echo
    if sample is not None:
        update_rto(tcb, sample)
    restart_timers(tcb, now)
    if (
        congestion is not None
        and congestion.ack_arrives((segment.ack - una) & MASK, tcb.snd_una, flight, now)
        and tcb.queue
        and not tcb.sack_ok  # with SACK the scoreboard decides
    ):
        retransmit(tcb, tcb.queue[0], now)
    if tcb.snd_buffer is not None:
        if tcb.send_times is not None and not tcb.snd_buffer:
            tcb.send_times.stop(now)
        signal(tcb)  # the send buffer may have room


def _update_window(tcb: Tcb, segment: Segment, now: int, ahead: int, flight: int) -> None:
    """Set SND.WND, SND.WL1 and SND.WL2, and count a duplicate ACK (RFC 5681 3.2).

    ``ahead`` bytes are newly acknowledged, of ``flight`` that were outstanding.
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
    if tcb.congestion is None or not tcb.queue:
        if tcb.congestion is not None and tcb.congestion.undo is not None and not ahead:
            dsack_arrives(tcb, segment, tcb.snd_una)
        return
    if tcb.sack_ok:
        sack_recovery(tcb, segment, now, (tcb.snd_una - ahead) & MASK)
    elif same and not ahead and flight and segment.length == 0 and tcb.congestion.duplicate_ack(tcb.snd_una):
        enter_recovery(tcb, now)
        retransmit(tcb, tcb.queue[0], now)


def _window_opened(tcb: Tcb, now: int) -> None:
    """The zero window has ended: retransmit the byte of a probe immediately, and use the retransmission timer again."""
    tcb.deadlines[PERSIST] = NEVER
    tcb.probes = 0
    if tcb.queue:
        retransmit(tcb, tcb.queue[0], now)
        restart_timers(tcb, now)


def _closing_states(tcb: Tcb, segment: Segment, now: int) -> bool:
    """Our FIN is acknowledged, in CLOSING, LAST-ACK or TIME-WAIT."""
    if tcb.state is CLOSING:
        enter_time_wait(tcb, now, CHECK_5_ACK)
    elif tcb.state is LAST_ACK:
        end(tcb, CHECK_5_ACK, None)
        return False
    elif tcb.state is TIME_WAIT and tcb.config.time_wait_ack == "any":
        tcb.ack_wanted = not is_expected_ack(tcb, segment)
    return True
