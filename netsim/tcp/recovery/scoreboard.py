"""The scoreboard of selectively acknowledged segments, and SACK-based loss recovery (RFC 6675).

A segment is lost if more than two segments' worth of data beyond it has been selectively acknowledged, or by RACK
(rack.py). The pipe is what is in flight; recovery sends while the pipe is smaller than the congestion window.
"""

from netsim.tcp.output import retransmit, retransmit_lost, retransmit_segments
from netsim.tcp.recovery.congestion import Congestion
from netsim.tcp.recovery.prr import Prr
from netsim.tcp.recovery.rack import arm_reordering_timer, detect_loss, min_rtt
from netsim.tcp.recovery.undo import dsack_arrives, original_sacked
from netsim.tcp.recovery.variables import Rack, Sent
from netsim.tcp.segment import HALF, MASK, Segment
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT


def sack_recovery(tcb: Tcb, segment: Segment, now: int, una: int) -> None:
    """Process the SACK blocks of an ACK: enter loss recovery, or go on with it (RFC 6675 5).

    An ACK with new blocks is a duplicate ACK. SND.UNA was ``una`` before this segment.
    """
    congestion = tcb.congestion
    assert congestion is not None
    blocks = segment.options.sack if segment.options is not None else ()
    newly = 0
    if blocks:
        if una == tcb.snd_una or congestion.undo is None:  # else ``check_undo`` has processed the D-SACK
            dsack_arrives(tcb, segment, una)
        newly = update_scoreboard(tcb, blocks, now)
    third = newly > 0 and not congestion.in_recovery and congestion.duplicate_ack(tcb.snd_una)
    wait = 0
    if not tcb.config.rack:
        if newly and not congestion.recovering and (third or is_lost(tcb)):
            enter_recovery(tcb, now, newly)
    elif (rack := congestion.rack) is not None and 0 < (rack.fack - tcb.snd_una) & MASK < HALF:
        wait = detect_loss(tcb, rack, now)
        if not congestion.recovering:
            if any(sent.lost for sent in tcb.queue):
                enter_recovery(tcb, now, newly)
            elif congestion.limited_transmit:
                congestion.extra_bytes = sum(sent.length for sent in tcb.queue if sent.sacked)
    if congestion.in_recovery:
        send_in_recovery(tcb, now)
    arm_reordering_timer(tcb, now, wait)


def update_scoreboard(tcb: Tcb, blocks: tuple[tuple[int, int], ...], now: int) -> int:
    """Mark the segments that the blocks cover (RFC 6675 4, Update). Returns the bytes newly acknowledged.

    Blocks below SND.UNA report duplicates (RFC 2883) and are ignored here, as are blocks beyond SND.NXT.
    """
    una, end = tcb.snd_una, (tcb.snd_nxt - tcb.snd_una) & MASK
    newly = 0
    original = False
    for left, right in blocks:
        start, stop = (left - una) & MASK, (right - una) & MASK
        if start >= HALF or not start < stop <= end:
            continue
        for sent in tcb.queue:
            offset = (sent.seq - una) & MASK
            if offset >= stop:
                break
            if not sent.sacked and start <= offset and offset + sent.length <= stop:
                sent.sacked, sent.lost = True, False
                newly += sent.length
                original = _segment_sacked(tcb, sent, now) or original
    if original:
        original_sacked(tcb)
    return newly


def _segment_sacked(tcb: Tcb, sent: Sent, now: int) -> bool:
    """Update RACK with a segment that was selectively acknowledged.

    Returns whether it was transmitted only once and was sent before the current recovery began.
    """
    congestion = tcb.congestion
    assert congestion is not None
    end = (sent.seq + sent.length) & MASK
    if tcb.config.rack:
        rack = congestion.rack
        if rack is None:
            rack = congestion.rack = Rack(end)
        if 0 < (rack.fack - end) & MASK < HALF and (rack.fack - tcb.snd_una) & MASK < HALF:
            if sent.transmissions == 1:
                between = sum((rack.fack - s.seq) & MASK < HALF and rack.fack != s.seq for s in tcb.queue)
                before = sum((s.seq - sent.seq) & MASK >= HALF for s in tcb.queue)
                rack.detect_reordering(between - before)
        else:
            rack.fack = end
        rack.update(sent, now, min_rtt(tcb))
    return sent.transmissions == 1 and (congestion.recover - end) & MASK < HALF


def is_lost(tcb: Tcb) -> bool:
    """Whether the oldest segment is lost (RFC 6675 4, IsLost), where RACK is off."""
    queue = tcb.queue
    if not queue or queue[0].sacked:
        return False
    beyond = sum(sent.length for sent in queue if sent.sacked)
    return beyond > 2 * tcb.snd_mss


def enter_recovery(tcb: Tcb, now: int, newly: int = 0) -> None:
    """A loss was detected: reduce the window until all that is in flight now is acknowledged (RFC 6675 5, (4)).

    ``newly`` is the number of bytes that the ACK newly reports as delivered.
    """
    congestion = tcb.congestion
    assert congestion is not None
    tcb.ctx.counters.TcpExtTCPFastRetrans += 1
    if congestion.uses_prr and tcb.sack_ok:
        sacked = sum(sent.length for sent in tcb.queue if sent.sacked)
        congestion.prr = Prr(congestion.cwnd, (tcb.snd_una + sacked - newly) & MASK, tcb.snd_una)
    congestion.enter_recovery(tcb.snd_nxt, (tcb.snd_nxt - tcb.snd_una) & MASK, now)
    probes = sum(sent.transmissions > 1 and not sent.sacked and not sent.lost for sent in tcb.queue)
    if probes and congestion.undo is not None:
        congestion.undo.retransmitted = probes  # a tail loss probe is one: net/ipv4/tcp_input.c, tcp_init_undo


def reordering_timeout(tcb: Tcb, congestion: Congestion, now: int) -> None:
    """RACK's reordering timer has expired: segments that have not been acknowledged by now are lost (RFC 8985 6.3)."""
    assert congestion.rack is not None
    wait = detect_loss(tcb, congestion.rack, now)
    if any(sent.lost for sent in tcb.queue):
        if not congestion.recovering:
            enter_recovery(tcb, now)
        if congestion.in_recovery:
            send_in_recovery(tcb, now)
        else:
            retransmit_lost(tcb, now)
    tcb.arm(REXMT, now, tcb.rto)
    arm_reordering_timer(tcb, now, wait)


def send_in_recovery(tcb: Tcb, now: int) -> None:
    """Retransmit lost segments while the pipe is smaller than ssthresh, or than PRR allows (RFC 6675 5, (C)).

    Afterwards the congestion window is set so that new data may fill what is left.
    """
    congestion = tcb.congestion
    assert congestion is not None
    pipe, sacked, lost, next_seg = set_pipe(tcb, congestion.recovery_at)
    allowed, prr = congestion.ssthresh, congestion.prr
    if prr is not None:
        new = (tcb.snd_nxt - congestion.recover) & MASK
        allowed = prr.update(tcb.snd_una, sacked, lost, pipe, new, congestion.ssthresh, tcb.snd_mss)
    if tcb.config.rack:
        chosen = []
        for sent in tcb.queue:
            if sent.lost and pipe + sent.length <= allowed:
                pipe += sent.length
                chosen.append(sent)
            elif sent.lost:
                break
        if prr is not None:
            prr.retransmitted += sum(sent.length for sent in chosen)
        retransmit_segments(tcb, chosen, now)
        next_seg = None
    while next_seg is not None and (pipe + next_seg.length <= allowed or (prr is None and next_seg.seq == tcb.snd_una)):
        if prr is not None:
            prr.retransmitted += next_seg.length
        retransmit(tcb, next_seg, now)
        pipe, _, _, next_seg = set_pipe(tcb, congestion.recovery_at)
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    congestion.cwnd = allowed + flight - pipe


def set_pipe(tcb: Tcb, since: int) -> tuple[int, int, int, Sent | None]:
    """The pipe, the bytes selectively acknowledged, the bytes lost, and the next segment to retransmit (RFC 6675 4).

    With RACK a segment is lost if it is marked so. Otherwise it is lost if more than two segments' worth of data beyond
    it was delivered and it was not retransmitted since recovery began, at ``since``.
    """
    pipe = beyond = lost = 0
    next_seg, threshold, rack = None, 2 * tcb.snd_mss, tcb.config.rack
    for sent in reversed(tcb.queue):
        if sent.sacked:
            beyond += sent.length
        elif sent.lost if rack else not _retransmitted(sent, since) and (beyond > threshold or sent.seq == tcb.snd_una):
            lost += sent.length
            next_seg = sent  # without RACK, recovery takes the oldest segment for lost
        else:
            pipe += sent.length
    return pipe, beyond, lost, next_seg


def _retransmitted(sent: Sent, since: int) -> bool:
    return sent.sent_at >= since and sent.transmissions > 1


def clear_if_reneged(tcb: Tcb) -> None:
    """A timeout although the oldest segment was selectively acknowledged: the peer has discarded it (RFC 2018 8)."""
    queue = tcb.queue
    if queue and queue[0].sacked:
        for sent in queue:
            sent.sacked = False
