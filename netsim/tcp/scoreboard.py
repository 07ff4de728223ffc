"""What the peer's SACK blocks tell the sender, and loss recovery by them (RFC 6675).

A segment counts as lost when more than two segments' worth of text beyond it was selectively acknowledged; what is on
its way is the pipe, and recovery sends while the pipe is smaller than the congestion window.
"""

from netsim.tcp.output import retransmit
from netsim.tcp.prr import Prr
from netsim.tcp.retransmission import Sent
from netsim.tcp.segment import Segment
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import Tcb


def blocks_arrive(tcb: Tcb, segment: Segment) -> int:
    """Mark what the blocks cover (RFC 6675 4, Update). Returns how many bytes of it are news.

    If any are, the ACK is a duplicate one. Blocks below SND.UNA report duplicates (RFC 2883), and others are no
    business of this connection.
    """
    options = segment.options
    una, end = tcb.snd_una, (tcb.snd_nxt - tcb.snd_una) & MASK
    news = 0
    for left, right in options.sack if options is not None else ():
        start, stop = (left - una) & MASK, (right - una) & MASK
        if start >= HALF or not start < stop <= end:
            continue
        for sent in tcb.queue:
            offset = (sent.seq - una) & MASK
            if offset >= stop:
                break
            if not sent.sacked and start <= offset and offset + sent.length <= stop:
                sent.sacked = True
                news += sent.length
    return news


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
    while hole is not None and (pipe + hole.length <= allowed or (prr is None and hole.seq == tcb.snd_una)):
        if prr is not None:
            prr.again += hole.length
        retransmit(tcb, hole, now)
        pipe, _, _, hole = _survey(tcb, congestion.recovery_at)
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    congestion.cwnd = allowed + flight - pipe


def _survey(tcb: Tcb, since: int) -> tuple[int, int, int, Sent | None]:
    """The pipe, what was selectively acknowledged, what is lost (in bytes), and the first lost segment.

    Lost is what was not sent again since recovery began, at ``since``. By RACK whatever is behind a delivered segment
    is lost now (RFC 8985 6.2).
    """
    pipe = beyond = lost = 0
    hole, threshold = None, 0 if tcb.config.rack else 2 * tcb.snd_mss
    for sent in reversed(tcb.queue):
        if sent.sacked:
            beyond += sent.length
        elif sent.sent_at >= since and sent.transmissions > 1:
            pipe += sent.length
        elif beyond > threshold or sent.seq == tcb.snd_una:
            lost += sent.length
            hole = sent  # whoever enters recovery takes the oldest one for lost
        else:
            pipe += sent.length
    return pipe, beyond, lost, hole


def forget_if_reneged(tcb: Tcb) -> None:
    """A time-out whose oldest segment was selectively acknowledged: the peer has thrown it away (RFC 2018 8)."""
    queue = tcb.queue
    if queue and queue[0].sacked:
        for sent in queue:
            sent.sacked = False
