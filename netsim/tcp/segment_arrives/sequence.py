"""Step one of RFC 9293 3.10.7.4: is the sequence number acceptable, and what answers a segment that is not."""

from netsim.tcp.clauses import CHECK_1_SEQUENCE
from netsim.tcp.connection import dropped, restart_time_wait
from netsim.tcp.output import send_ack, send_syn, transmit
from netsim.tcp.recovery.delayed_ack import enter_quickack
from netsim.tcp.recovery.ecn import ecn_arrives
from netsim.tcp.recovery.sack import report_dsack
from netsim.tcp.segment import ACK, FIN, HALF, MASK, RST, SYN, SYN_ACK, Segment
from netsim.tcp.segment_arrives.authentication import refused_by_mac
from netsim.tcp.segment_arrives.options import record_timestamp, refused_by_timestamp
from netsim.tcp.state import SYN_RECEIVED, TIME_WAIT
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT


def is_crossed_synack(tcb: Tcb, segment: Segment) -> bool:
    """Simultaneous open, figure 7: the peer's SYN-ACK repeats its SYN, one before RCV.NXT, and must count all the same.

    The literal text refuses its number in step one (RFC 9293 A.2 admits it); TcpConfig.crossed_synack decides.
    """
    return (
        tcb.state is SYN_RECEIVED
        and segment.flags & (SYN_ACK | RST) == SYN_ACK
        and segment.seq == tcb.irs
        and tcb.listener is None
        and tcb.config.crossed_synack != "refuse"
    )


def authentic(tcb: Tcb, segment: Segment) -> bool:
    """Whether the segment carries the MAC that it must carry, if any; before all other checks (RFC 5925 7.3)."""
    key = tcb.config.authentication_key
    reason = refused_by_mac(segment, key, tcb.ctx.counters) if key is not None else ""
    if reason:
        dropped(tcb, segment, reason)
    return not reason


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


def first_sequence(tcb: Tcb, segment: Segment, now: int) -> bool:
    if tcb.with_options and not segment.flags & SYN and not authentic(tcb, segment):
        return False
    if tcb.ts_ok:
        reason = refused_by_timestamp(tcb, segment, now)
        if reason:
            if reason.endswith("PAWS"):
                tcb.ctx.counters.TcpExtPAWSEstab += 1
                answer_unacceptable(tcb, segment, now)
            dropped(tcb, segment, reason)
            return False
    # A repeated SYN lies outside the window even where text behind its number does not.
    if acceptable(tcb, segment) and not (segment.flags & SYN and segment.seq == tcb.irs):
        if tcb.ts_ok:
            record_timestamp(tcb, segment, now)
        if tcb.ecn is not None:
            ecn_arrives(tcb, segment)
        return True
    if tcb.rcv_wnd == 0 and segment.seq == tcb.rcv_nxt and not segment.flags & SYN:
        tcb.ack_wanted = True  # MUST-66: a zero window still takes RST, URG and ACK
        return True
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


def _only_ack_counts(tcb: Tcb, segment: Segment) -> bool:
    """Whether this segment from before the window may still acknowledge, as 4.4BSD has it."""
    old = 0 < (tcb.rcv_nxt - segment.seq) & MASK < HALF
    half_open = tcb.state is SYN_RECEIVED and tcb.listener is not None
    return old and segment.flags & SYN_ACK == ACK and tcb.state is not TIME_WAIT and not half_open


def _is_duplicate_syn(tcb: Tcb, segment: Segment) -> bool:
    """The SYN that opened this connection, again, if a SYN-ACK answers it: nobody else repeats it for a two-way one."""
    if segment.flags & SYN_ACK != SYN or segment.seq != tcb.irs or tcb.listener is None:
        return False
    if tcb.config.handshake == "two-way":
        return tcb.state is not TIME_WAIT
    return tcb.state is SYN_RECEIVED and tcb.config.duplicate_syn != "ack"


def _answer_duplicate_syn(tcb: Tcb, now: int) -> None:
    """A SYN-ACK at once, as real hosts do; Linux also restarts the SYN-ACK timer (tcp_minisocks.c, tcp_check_req)."""
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
    """``<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>``, within the rate limit for segments that could be part of an ACK loop."""
    again = segment.length and not segment.flags & SYN  # text and FIN are no part of an ACK loop
    if again and tcb.state is not TIME_WAIT and 0 < (tcb.rcv_nxt - segment.seq) & MASK < HALF:
        enter_quickack(tcb)
        count = segment.length if tcb.config.sack_fin else len(segment.payload)
        report_dsack(tcb, segment.seq, (segment.seq + count) & MASK)  # all of it lies before RCV.NXT
    limit = tcb.config.ns.invalid_ratelimit
    if limit and not again:
        if now - tcb.acked_at < limit:
            return
        tcb.acked_at = now
    if segment.flags & SYN:
        transmit(tcb, now, ACK, tcb.snd_nxt)  # as a challenge ACK, also where other ACKs repeat a FIN
    else:
        send_ack(tcb, now)


def _restarts_time_wait(tcb: Tcb, segment: Segment) -> bool:
    """A retransmitted FIN has a number one before RCV.NXT: step one refuses it before step eight can see it."""
    policy = tcb.config.time_wait_restart
    if policy == "any":
        return bool(segment.flags & ACK)
    return policy == "fin" and bool(segment.flags & FIN) and (segment.seq + segment.length) & MASK == tcb.rcv_nxt


def challenge(tcb: Tcb, now: int) -> None:
    """A challenge ACK (RFC 5961 3 to 5), within the limits of RFC 5961 7."""
    limit = tcb.config.ns.invalid_ratelimit
    if limit:
        if now - tcb.acked_at < limit:
            return
        tcb.acked_at = now
    if tcb.ctx.may_challenge(now, tcb.config):
        tcb.ctx.counters.TcpExtTCPChallengeACK += 1
        transmit(tcb, now, ACK, tcb.snd_nxt)
