"""Loss detection by time: RACK (RFC 8985 6; net/ipv4/tcp_recovery.c).

A segment, original or retransmission, is lost if one that was sent after it has been delivered and the reordering
window has passed since it could have been acknowledged. That window allows for reordered segments. It is a quarter of
the minimum RTT, and grows by as much for each round trip in which the peer reports a duplicate. It is zero while no
reordering has been observed and either loss recovery is on or three segments have been selectively acknowledged.
"""

from dataclasses import dataclass
from typing import Final

from netsim.tcp.recovery.queue import Sent
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER, PROBE, REXMT

_DUPTHRESH: Final = 3  # segments selectively acknowledged: no reordering window (RFC 8985 6.2, step 4)
_TIMEOUT_MIN: Final = 2_000_000  # ns; include/net/tcp.h, TCP_TIMEOUT_MIN_US
_PERSIST: Final = 16  # recoveries after which a wider reordering window is reset (RFC 8985 6.2, step 4)
_MAX_REORDERING: Final = 300  # segments; net.ipv4.tcp_max_reordering


@dataclass(slots=True)
class Rack:
    """RACK's variables (RFC 8985 6.1); times in ns.

    ``xmit_ts``, ``end_seq``, ``rtt`` and ``transmissions`` are those of the segment that was sent last among those
    delivered. ``fack`` is the highest sequence number selectively acknowledged. ``reordering`` is the maximum distance
    of a reordered segment. ``reo_wnd_mult`` multiplies the reordering window, for ``reo_wnd_persist`` more recoveries;
    it grows once until SND.UNA reaches ``dsack_round``.
    """

    fack: int
    xmit_ts: int = -1
    transmissions: int = 0
    end_seq: int = 0
    rtt: int = 0
    reordering_seen: bool = False
    reordering: int = _DUPTHRESH
    reo_wnd_mult: int = 1
    reo_wnd_persist: int = 0
    dsack_round: int | None = None

    def update(self, sent: Sent, now: int, minimum: int) -> None:
        """A segment was delivered (RFC 8985 6.2, steps 1 and 2).

        A retransmission younger than the ``minimum`` RTT is ignored: the ACK is for an earlier transmission.
        """
        rtt = now - sent.sent_at
        if sent.transmissions > 1 and rtt < minimum:
            return
        self.rtt = rtt
        if not self.sent_after(sent):
            self.xmit_ts, self.transmissions = sent.sent_at, sent.transmissions
            self.end_seq = (sent.seq + sent.length) & MASK

    def sent_after(self, sent: Sent) -> bool:
        """Whether the latest segment delivered was sent after this one (RFC 8985 6.2, RACK_sent_after).

        Of segments sent at the same time, retransmissions count as sent after the others.
        """
        if self.xmit_ts != sent.sent_at:
            return self.xmit_ts > sent.sent_at
        if self.transmissions != sent.transmissions:
            return self.transmissions > sent.transmissions
        return 0 < (self.end_seq - sent.seq - sent.length) & MASK < HALF

    def detect_reordering(self, segments: int) -> None:
        """A segment transmitted once was delivered after ``segments`` later ones (step 3)."""
        self.reordering_seen = True
        self.reordering = min(max(self.reordering, segments), _MAX_REORDERING)

    def dsack_arrives(self, una: int, nxt: int) -> None:
        """The peer reports a duplicate: the reordering window grows, once per round trip (step 4)."""
        if self.reordering_seen and (self.dsack_round is None or (una - self.dsack_round) & MASK < HALF):
            self.dsack_round = nxt
            self.reo_wnd_mult, self.reo_wnd_persist = min(self.reo_wnd_mult + 1, 255), _PERSIST

    def recovery_ends(self) -> None:
        """A recovery is over: after 16 of them the reordering window is reset (step 4)."""
        self.reo_wnd_persist = max(self.reo_wnd_persist - 1, 0)
        if not self.reo_wnd_persist:
            self.reo_wnd_mult = 1


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
    if not rack.reordering_seen and (congestion.recovering or sum(sent.sacked for sent in tcb.queue) >= _DUPTHRESH):
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
        tcb.arm(PROBE, now, wait + _TIMEOUT_MIN)


def mark_lost_by_timeout(tcb: Tcb, now: int) -> None:
    """The retransmission timer expired: every segment is lost that was not selectively acknowledged, nor, with RACK,
    sent within the last round trip (net/ipv4/tcp_input.c, tcp_timeout_mark_lost)."""
    congestion = tcb.congestion
    rtt = 0
    if tcb.config.rack and tcb.sack_ok and tcb.rtt is not None and congestion is not None:
        rtt = congestion.rack.rtt if congestion.rack is not None else tcb.rtt.srtt
    for index, sent in enumerate(tcb.queue):
        sent.lost = not sent.sacked and (index == 0 or sent.sent_at + rtt <= now)
