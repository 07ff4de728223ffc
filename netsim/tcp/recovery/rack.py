"""Loss by time: RACK (RFC 8985 6; net/ipv4/tcp_recovery.c).

A segment is lost if one that was sent later has been delivered and it has not, a round trip and a little more after it
was sent, whether it is sent for the first time or again. The little is for segments that overtake others: a quarter
of the least RTT, nothing until reordering was seen if recovery is on or three segments have overtaken, and more of
these quarters for each round trip in which the peer tells that it had a segment already.
"""

from dataclasses import dataclass
from typing import Final

from netsim.tcp.recovery.queue import Sent
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER, PROBE, REXMT

_MANY: Final = 3  # segments delivered: no more patience (RFC 8985 6.2, step 4; DupThresh)
_LEAST: Final = 2_000_000  # ns; include/net/tcp.h, TCP_TIMEOUT_MIN_US
_PERSIST: Final = 16  # recoveries that a wider reordering window outlives (RFC 8985 6.2, step 4)
_MOST_REORDERING: Final = 300  # segments; net.ipv4.tcp_max_reordering


@dataclass(slots=True)
class Rack:
    """RACK's variables (RFC 8985 6.1); times in ns.

    Of the segment sent last among those delivered: when it was ``sent_at``, its ``end``, its ``rtt``, and how often it
    had gone out (``again``). ``high`` is the end of what was selectively acknowledged. ``seen``: segments overtook
    others, by ``reordering`` at most. ``steps`` of the reordering window, for ``persist`` more recoveries; it grows
    once for text up to ``round``.
    """

    high: int
    sent_at: int = -1
    again: int = 0
    end: int = 0
    rtt: int = 0
    seen: bool = False
    reordering: int = _MANY
    steps: int = 1
    persist: int = 0
    round: int | None = None

    def delivered(self, sent: Sent, now: int, least: int) -> None:
        """A segment has arrived. Sent again a moment ago, it was the first copy that did (RFC 8985 6.2, step 2)."""
        rtt = now - sent.sent_at
        if sent.transmissions > 1 and rtt < least:
            return
        self.rtt = rtt
        if not self.is_after(sent):
            self.sent_at, self.again, self.end = sent.sent_at, sent.transmissions, (sent.seq + sent.length) & MASK

    def is_after(self, sent: Sent) -> bool:
        """Whether the latest segment delivered was sent after this one (RFC 8985 6.2, RACK_sent_after).

        At one instant, those that are sent again go behind the others.
        """
        if self.sent_at != sent.sent_at:
            return self.sent_at > sent.sent_at
        if self.again != sent.transmissions:
            return self.again > sent.transmissions
        return 0 < (self.end - sent.seq - sent.length) & MASK < HALF

    def overtaken(self, segments: int) -> None:
        """A segment sent once comes so many segments behind one that was sent after it (step 3)."""
        self.seen = True
        self.reordering = min(max(self.reordering, segments), _MOST_REORDERING)

    def duplicate_seen(self, una: int, nxt: int) -> None:
        """The peer had a segment already: a wider window, once a round trip (step 4)."""
        if self.seen and (self.round is None or (una - self.round) & MASK < HALF):
            self.round, self.steps, self.persist = nxt, min(self.steps + 1, 255), _PERSIST

    def recovered(self) -> None:
        """A recovery is over: the window is as it was at first once enough of them are (step 4)."""
        self.persist = max(self.persist - 1, 0)
        if not self.persist:
            self.steps = 1


def least_rtt(tcb: Tcb) -> int:
    """The least RTT so far, ns."""
    return tcb.rtt.least if tcb.rtt is not None else 0


def tell(tcb: Tcb, ack: int, now: int) -> bool:
    """An ACK will take segments off the queue: what that tells. True if one that was sent only once is among them."""
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
            if once and 0 < (rack.high - end) & MASK < HALF:
                last = max((i for i, s in enumerate(tcb.queue) if s.sacked), default=index)
                rack.overtaken(last - index + 1)
            rack.delivered(sent, now, least_rtt(tcb))
    return original


def patience(tcb: Tcb, rack: Rack) -> int:
    """The reordering window, ns (step 4; net/ipv4/tcp_recovery.c, tcp_rack_reo_wnd)."""
    congestion, rtt = tcb.congestion, tcb.rtt
    if rtt is None or congestion is None:
        return 0
    if not rack.seen and (congestion.repairing or sum(sent.sacked for sent in tcb.queue) >= _MANY):
        return 0
    return min(rtt.least // 4 * rack.steps, rtt.srtt)


def mark_lost(tcb: Tcb, rack: Rack, now: int) -> int:
    """Mark what is lost by now (step 5). How long (ns) until the last of those that may yet come is lost too, or 0."""
    wait, window = 0, patience(tcb, rack)
    for sent in tcb.queue:
        if sent.sacked or sent.lost:
            continue
        if rack.is_after(sent):
            remaining = sent.sent_at + rack.rtt + window - now
            sent.lost = remaining <= 0
            wait = max(wait, remaining)
    return wait


def await_reordered(tcb: Tcb, now: int, wait: int) -> None:
    """Set the reordering timer. It is the tail loss probe's, for which nothing may be selectively acknowledged."""
    if wait:
        tcb.deadlines[REXMT] = NEVER
        tcb.arm(PROBE, now, wait + _LEAST)


def timed_out(tcb: Tcb, now: int) -> None:
    """The retransmission timer rang: all is lost but what arrived, and by RACK what was sent within a round trip
    (net/ipv4/tcp_input.c, tcp_timeout_mark_lost)."""
    congestion = tcb.congestion
    rtt = 0
    if tcb.config.rack and tcb.sack_ok and tcb.rtt is not None and congestion is not None:
        rtt = congestion.rack.rtt if congestion.rack is not None else tcb.rtt.srtt
    for index, sent in enumerate(tcb.queue):
        sent.lost = not sent.sacked and (index == 0 or sent.sent_at + rtt <= now)
