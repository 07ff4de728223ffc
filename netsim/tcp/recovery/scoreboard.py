"""What the peer's SACK blocks tell the sender, and loss recovery by them (RFC 6675).

A segment counts as lost when more than two segments' worth of text beyond it was selectively acknowledged; what is on
its way is the pipe, and recovery sends while the pipe is smaller than the congestion window.
"""

from netsim.tcp.output import repair, resend, retransmit
from netsim.tcp.recovery.congestion import NewReno
from netsim.tcp.recovery.prr import Prr
from netsim.tcp.recovery.queue import Sent
from netsim.tcp.recovery.rack import Rack, await_reordered, least_rtt, mark_lost
from netsim.tcp.recovery.spurious import original_delivered, report_duplicate
from netsim.tcp.segment import Segment
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT


def selective(tcb: Tcb, segment: Segment, now: int, una: int) -> None:
    """Duplicate ACKs and recovery where SACK is agreed on: new blocks are what counts (RFC 6675 5).

    SND.UNA was ``una`` before this segment.
    """
    congestion = tcb.congestion
    assert congestion is not None
    told = segment.options.sack if segment.options is not None else ()
    news = 0
    if told:
        if una == tcb.snd_una or congestion.undo is None:  # else it has been looked at
            report_duplicate(tcb, segment, una)
        news = blocks_arrive(tcb, told, now)
    third = news > 0 and not congestion.in_recovery and congestion.duplicate(tcb.snd_una)
    wait = 0
    if not tcb.config.rack:
        if news and not congestion.repairing and (third or loss_is_plain(tcb)):
            begin_recovery(tcb, now, news)
    elif (rack := congestion.rack) is not None and 0 < (rack.high - tcb.snd_una) & MASK < HALF:
        wait = mark_lost(tcb, rack, now)
        if not congestion.repairing:
            if any(sent.lost for sent in tcb.queue):
                begin_recovery(tcb, now, news)
            elif congestion.limited_transmit:
                congestion.beyond = sum(sent.length for sent in tcb.queue if sent.sacked)
    if congestion.in_recovery:
        recover(tcb, now)
    await_reordered(tcb, now, wait)


def blocks_arrive(tcb: Tcb, told: tuple[tuple[int, int], ...], now: int) -> int:
    """Mark what the blocks cover (RFC 6675 4, Update). Returns how many bytes of it are news.

    If any are, the ACK is a duplicate one. Blocks below SND.UNA report duplicates (RFC 2883), and others are no
    business of this connection.
    """
    una, end = tcb.snd_una, (tcb.snd_nxt - tcb.snd_una) & MASK
    news = 0
    original = False
    for left, right in told:
        start, stop = (left - una) & MASK, (right - una) & MASK
        if start >= HALF or not start < stop <= end:
            continue
        for sent in tcb.queue:
            offset = (sent.seq - una) & MASK
            if offset >= stop:
                break
            if not sent.sacked and start <= offset and offset + sent.length <= stop:
                sent.sacked, sent.lost = True, False
                news += sent.length
                original = _sacked(tcb, sent, now) or original
    if original:
        original_delivered(tcb)
    return news


def _sacked(tcb: Tcb, sent: Sent, now: int) -> bool:
    """RACK hears of a segment that has arrived. True if it was sent only once, before what is being repaired began."""
    congestion = tcb.congestion
    assert congestion is not None
    end = (sent.seq + sent.length) & MASK
    if tcb.config.rack:
        rack = congestion.rack
        if rack is None:
            rack = congestion.rack = Rack(end)
        if 0 < (rack.high - end) & MASK < HALF and (rack.high - tcb.snd_una) & MASK < HALF:
            if sent.transmissions == 1:
                between = sum((rack.high - s.seq) & MASK < HALF and rack.high != s.seq for s in tcb.queue)
                before = sum((s.seq - sent.seq) & MASK >= HALF for s in tcb.queue)
                rack.overtaken(between - before)
        else:
            rack.high = end
        rack.delivered(sent, now, least_rtt(tcb))
    return sent.transmissions == 1 and (congestion.recover - end) & MASK < HALF


def loss_is_plain(tcb: Tcb) -> bool:
    """Whether the oldest segment counts as lost (RFC 6675 4, IsLost)."""
    queue = tcb.queue
    if not queue or queue[0].sacked:
        return False
    beyond = sum(sent.length for sent in queue if sent.sacked)
    return beyond > 2 * tcb.snd_mss


def begin_recovery(tcb: Tcb, now: int, news: int = 0) -> None:
    """Something is lost: a smaller window, until all that is outstanding now is acknowledged (RFC 6675 5, (4)).

    ``news`` are the bytes that the ACK which tells it newly reports as delivered.
    """
    congestion = tcb.congestion
    assert congestion is not None
    tcb.ctx.counters.TcpExtTCPFastRetrans += 1
    if congestion.proportional and tcb.sack_ok:
        sacked = sum(sent.length for sent in tcb.queue if sent.sacked)
        congestion.prr = Prr(congestion.cwnd, (tcb.snd_una + sacked - news) & MASK, tcb.snd_una)
    congestion.begin_recovery(tcb.snd_nxt, (tcb.snd_nxt - tcb.snd_una) & MASK, now)
    again = sum(sent.transmissions > 1 and not sent.sacked and not sent.lost for sent in tcb.queue)
    if again and congestion.undo is not None:
        congestion.undo.again = again  # by a tail loss probe: net/ipv4/tcp_input.c, tcp_init_undo


def reordering_timer(tcb: Tcb, congestion: NewReno, now: int) -> None:
    """RACK's timer: what has not come by now is lost (RFC 8985 6.3)."""
    assert congestion.rack is not None
    wait = mark_lost(tcb, congestion.rack, now)
    if any(sent.lost for sent in tcb.queue):
        if not congestion.repairing:
            begin_recovery(tcb, now)
        if congestion.in_recovery:
            recover(tcb, now)
        else:
            repair(tcb, now)
    tcb.arm(REXMT, now, tcb.rto)
    await_reordered(tcb, now, wait)


def recover(tcb: Tcb, now: int) -> None:
    """Send lost segments again while the pipe is smaller than half the old window (RFC 6675 5, (C)).

    The window is left so wide that new text may fill the rest of it.
    """
    congestion = tcb.congestion
    assert congestion is not None
    pipe, sacked, lost, hole = _survey(tcb, congestion.recovery_at)
    allowed, prr = congestion.ssthresh, congestion.prr
    if prr is not None:
        new = (tcb.snd_nxt - congestion.recover) & MASK
        allowed = prr.allow(tcb.snd_una, sacked, lost, pipe, new, congestion.ssthresh, tcb.snd_mss)
    if tcb.config.rack:
        chosen = []
        for sent in tcb.queue:
            if sent.lost and pipe + sent.length <= allowed:
                pipe += sent.length
                chosen.append(sent)
            elif sent.lost:
                break
        if prr is not None:
            prr.again += sum(sent.length for sent in chosen)
        resend(tcb, chosen, now)
        hole = None
    while hole is not None and (pipe + hole.length <= allowed or (prr is None and hole.seq == tcb.snd_una)):
        if prr is not None:
            prr.again += hole.length
        retransmit(tcb, hole, now)
        pipe, _, _, hole = _survey(tcb, congestion.recovery_at)
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    congestion.cwnd = allowed + flight - pipe


def _survey(tcb: Tcb, since: int) -> tuple[int, int, int, Sent | None]:
    """The pipe, what was selectively acknowledged, what is lost (in bytes), and the first lost segment.

    Lost is what RACK has marked; or what was not sent again since recovery began, at ``since``, and has enough
    delivered beyond it.
    """
    pipe = beyond = lost = 0
    hole, threshold, rack = None, 2 * tcb.snd_mss, tcb.config.rack
    for sent in reversed(tcb.queue):
        if sent.sacked:
            beyond += sent.length
        elif sent.lost if rack else not _again(sent, since) and (beyond > threshold or sent.seq == tcb.snd_una):
            lost += sent.length
            hole = sent  # without RACK whoever enters recovery takes the oldest one for lost
        else:
            pipe += sent.length
    return pipe, beyond, lost, hole


def _again(sent: Sent, since: int) -> bool:
    return sent.sent_at >= since and sent.transmissions > 1


def forget_if_reneged(tcb: Tcb) -> None:
    """A time-out whose oldest segment was selectively acknowledged: the peer has thrown it away (RFC 2018 8)."""
    queue = tcb.queue
    if queue and queue[0].sacked:
        for sent in queue:
            sent.sacked = False
