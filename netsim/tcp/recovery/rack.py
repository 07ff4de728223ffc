"""Loss detection by time: RACK (RFC 8985 6; net/ipv4/tcp_recovery.c).

A segment, original or retransmission, is lost if one that was sent after it has been delivered and the reordering
window has passed since it could have been acknowledged. That window allows for reordered segments. It is a quarter of
the minimum RTT, and grows by as much for each round trip in which the peer reports a duplicate. It is zero while no
reordering has been observed and either loss recovery is on or three segments have been selectively acknowledged.
"""

from typing import Final

from netsim.tcp.recovery.variables import DUPTHRESH, Rack
from netsim.tcp.segment import HALF, MASK
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER, REORDERING, REXMT

_TIMEOUT_MIN: Final = 2_000_000  # ns; include/net/tcp.h, TCP_TIMEOUT_MIN_US


def min_rtt(tcb: Tcb) -> int:
    """The minimum RTT so far (ns), 0 without a sample."""
    return tcb.rtt.min_rtt if tcb.rtt is not None else 0


def newly_acked(tcb: Tcb, ack: int, now: int) -> bool:
    """Update RACK with the segments that an ACK, not yet processed, acknowledges cumulatively.

    Returns whether one of them was transmitted only once and was sent before the current recovery began.
    """
    congestion, una = tcb.congestion, tcb.snd_una
    assert congestion is not None
    rack, original, acked = congestion.rack, False, (ack - una) & MASK
    for index, sent in enumerate(tcb.queue):
        end = (sent.seq + sent.length) & MASK
        if (end - una) & MASK > acked:
            break
        if sent.sacked:
            continue
        once = sent.transmissions == 1
        original = original or (once and (congestion.recover - end) & MASK < HALF)
        if rack is not None:
            if once and 0 < (rack.fack - end) & MASK < HALF:
                last = max((i for i, s in enumerate(tcb.queue) if s.sacked), default=index)
                rack.detect_reordering(last - index + 1)
            rack.update(sent, now, min_rtt(tcb))
    return original


def reo_wnd(tcb: Tcb, rack: Rack) -> int:
    """The reordering window, ns (step 4; net/ipv4/tcp_recovery.c, tcp_rack_reo_wnd)."""
    congestion, rtt = tcb.congestion, tcb.rtt
    if rtt is None or congestion is None:
        return 0
    if not rack.reordering_seen and (congestion.recovering or sum(sent.sacked for sent in tcb.queue) >= DUPTHRESH):
        return 0
    return min(rtt.min_rtt // 4 * rack.reo_wnd_mult, rtt.srtt)


def detect_loss(tcb: Tcb, rack: Rack, now: int) -> int:
    """Mark the segments that are lost (step 5). Returns after how long (ns) the remaining ones are lost too, or 0."""
    wait, window = 0, reo_wnd(tcb, rack)
    for sent in tcb.queue:
        if sent.sacked or sent.lost:
            continue
        if rack.sent_after(sent):
            remaining = sent.sent_at + rack.rtt + window - now
            sent.lost = remaining <= 0
            wait = max(wait, remaining)
    return wait


def arm_reordering_timer(tcb: Tcb, now: int, wait: int) -> None:
    """Arm the reordering timer for ``wait`` ns. It shares its slot with the tail loss probe, which is not armed while
    a segment is selectively acknowledged."""
    if wait:
        tcb.deadlines[REXMT] = NEVER
        tcb.arm(REORDERING, now, wait + _TIMEOUT_MIN)


def mark_lost_by_timeout(tcb: Tcb, now: int) -> None:
    """The retransmission timer expired: every segment is lost that was not selectively acknowledged, nor, with RACK,
    sent within the last round trip (net/ipv4/tcp_input.c, tcp_timeout_mark_lost)."""
    congestion = tcb.congestion
    rtt = 0
    if tcb.config.rack and tcb.sack_ok and tcb.rtt is not None and congestion is not None:
        rtt = congestion.rack.rtt if congestion.rack is not None else tcb.rtt.srtt
    for index, sent in enumerate(tcb.queue):
        sent.lost = not sent.sacked and (index == 0 or sent.sent_at + rtt <= now)
