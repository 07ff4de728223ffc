"""Check 1 of RFC 9293 3.10.7.4: whether the sequence number is acceptable, and what answers a segment if it is not."""

from netsim.tcp.clauses import CHECK_1_SEQUENCE, PAWS
from netsim.tcp.connection import dropped, restart_time_wait
from netsim.tcp.output import send_ack, send_syn, transmit
from netsim.tcp.recovery.delayed_ack import enter_quickack
from netsim.tcp.recovery.ecn import ecn_arrives
from netsim.tcp.recovery.sack import report_dsack
from netsim.tcp.segment import ACK, FIN, HALF, MASK, RST, SYN, SYN_ACK, Segment
from netsim.tcp.segment_arrives.authentication import authentic
from netsim.tcp.segment_arrives.options import refused_by_timestamp, update_ts_recent
from netsim.tcp.state import SYN_RECEIVED, TIME_WAIT
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT


def is_crossed_synack(tcb: Tcb, segment: Segment) -> bool:
    """Whether this is the SYN-ACK of a simultaneous open (figure 7), whose number lies one before RCV.NXT.

    Taken literally, check 1 refuses it (RFC 9293 A.2 says so), and with it the handshake of figure 7;
    ``TcpConfig.crossed_synack`` decides.
    """
    return (
        tcb.state is SYN_RECEIVED
        and segment.flags & (SYN_ACK | RST) == SYN_ACK
        and segment.seq == tcb.irs
        and tcb.listener is None
        and tcb.config.crossed_synack != "refuse"
    )


def acceptable(tcb: Tcb, segment: Segment) -> bool:
    """Whether the segment overlaps the receive window: the four cases of the acceptability test (3.10.7.4, first)."""
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


def check_1_sequence(tcb: Tcb, segment: Segment, now: int) -> bool:
    """3.10.7.4, first: whether the segment may go on to check 2, by its MAC, its timestamp and its sequence number.

    "Initial tests on arrival are used to discard old duplicates". The MAC (RFC 5925) and the timestamp (PAWS, RFC 7323)
    come before the sequence number.
    """
    if tcb.with_options and not authentic(tcb, segment):
        return False
    if segment.flags & SYN and is_crossed_synack(tcb, segment):
        return True
    if tcb.ts_ok:
        reason = refused_by_timestamp(tcb, segment, now)
        if reason:
            return _refuse(tcb, segment, reason, now)
    # A retransmitted SYN counts as outside the window, even if the data that it carries reaches into it.
    if acceptable(tcb, segment) and not (segment.flags & SYN and segment.seq == tcb.irs):
        if tcb.ts_ok:
            update_ts_recent(tcb, segment, now)
        if tcb.ecn is not None:
            ecn_arrives(tcb, segment)
        return True
    if tcb.rcv_wnd == 0 and segment.seq == tcb.rcv_nxt and not segment.flags & SYN:
        tcb.ack_wanted = True  # MUST-66: with a zero window, RST, URG and ACK are processed
        return True
    # "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless the RST bit is set"
    dropped(tcb, segment, CHECK_1_SEQUENCE)
    if segment.flags & RST:
        return False
    if tcb.config.old_segment == "process-ack" and _only_ack_counts(tcb, segment):
        tcb.ack_wanted = True
        return True
    if _is_duplicate_syn(tcb, segment):
        _answer_duplicate_syn(tcb, now)
        return False
    answer_unacceptable(tcb, segment, now)
    if tcb.state is TIME_WAIT and _restarts_time_wait(tcb, segment):
        restart_time_wait(tcb, now)
    return False


def _refuse(tcb: Tcb, segment: Segment, reason: str, now: int) -> bool:
    """Drop a segment whose timestamp is missing or too old; an ACK answers the latter (RFC 7323 5.3, R1)."""
    if reason == PAWS:
        tcb.ctx.counters.TcpExtPAWSEstab += 1
        answer_unacceptable(tcb, segment, now)
    dropped(tcb, segment, reason)
    return False


def _only_ack_counts(tcb: Tcb, segment: Segment) -> bool:
    """Whether the ACK of this segment from before the window is processed all the same, as in 4.4BSD."""
    old = 0 < (tcb.rcv_nxt - segment.seq) & MASK < HALF
    syn_queue_entry = tcb.state is SYN_RECEIVED and tcb.listener is not None
    return old and segment.flags & SYN_ACK == ACK and tcb.state is not TIME_WAIT and not syn_queue_entry


def _is_duplicate_syn(tcb: Tcb, segment: Segment) -> bool:
    """Whether this is the SYN that opened the connection, retransmitted, and a SYN-ACK answers it.

    In a two-way handshake no timer retransmits the SYN-ACK, so that it is sent in every state but TIME-WAIT.
    """
    if segment.flags & SYN_ACK != SYN or segment.seq != tcb.irs or tcb.listener is None:
        return False
    if tcb.config.handshake == "two-way":
        return tcb.state is not TIME_WAIT
    return tcb.state is SYN_RECEIVED and tcb.config.duplicate_syn != "ack"


def _answer_duplicate_syn(tcb: Tcb, now: int) -> None:
    """Send the SYN-ACK immediately, as hosts do; Linux also restarts its timer (tcp_minisocks.c, tcp_check_req)."""
    config = tcb.config
    if now - tcb.syn_answered_at < config.ns.synack_ratelimit:
        return
    tcb.syn_answered_at = now
    tcb.ctx.counters.TcpRetransSegs += 1
    tcb.ctx.counters.TcpExtTCPSynRetrans += 1  # net/ipv4/tcp_output.c, tcp_rtx_synack
    send_syn(tcb, now)
    if config.duplicate_syn == "synack-rearm" and tcb.state is SYN_RECEIVED:
        delay = config.ns.synack_intervals[tcb.transmissions - 1]
        tcb.arm(REXMT, now, delay)


def answer_unacceptable(tcb: Tcb, segment: Segment, now: int) -> None:
    """Send ``<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>``; a rate limit holds for segments that may be part of an ACK loop."""
    data = segment.length and not segment.flags & SYN  # data and FIN are not part of an ACK loop
    if data and tcb.state is not TIME_WAIT and 0 < (tcb.rcv_nxt - segment.seq) & MASK < HALF:
        enter_quickack(tcb)
        count = segment.length if tcb.config.sack_fin else len(segment.payload)
        report_dsack(tcb, segment.seq, (segment.seq + count) & MASK)  # all of it lies before RCV.NXT
    limit = tcb.config.ns.invalid_ratelimit
    if limit and not data:
        if now - tcb.acked_at < limit:
            return
        tcb.acked_at = now
    if segment.flags & SYN:
        transmit(tcb, now, ACK, tcb.snd_nxt)  # as a challenge ACK, without the FIN that other ACKs may carry
    else:
        send_ack(tcb, now)


def _restarts_time_wait(tcb: Tcb, segment: Segment) -> bool:
    """Whether this unacceptable segment restarts the TIME_WAIT timer.

    A retransmitted FIN has the number before RCV.NXT: check 1 refuses it, so that check 8 never sees it.
    """
    policy = tcb.config.time_wait_restart
    if policy == "any":
        return bool(segment.flags & ACK)
    return policy == "fin" and bool(segment.flags & FIN) and (segment.seq + segment.length) & MASK == tcb.rcv_nxt


def challenge(tcb: Tcb, now: int) -> None:
    """Send a challenge ACK (RFC 5961 3 to 5), within the limits of RFC 5961 7."""
    limit = tcb.config.ns.invalid_ratelimit
    if limit:
        if now - tcb.acked_at < limit:
            return
        tcb.acked_at = now
    if tcb.ctx.may_challenge(now, tcb.config):
        tcb.ctx.counters.TcpExtTCPChallengeACK += 1
        transmit(tcb, now, ACK, tcb.snd_nxt)
