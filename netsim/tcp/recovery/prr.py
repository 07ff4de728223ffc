"""Proportional rate reduction: how much to send in loss recovery (RFC 6937), with the bound of RFC 9937 as in Linux.

While more than ssthresh is in flight, sending slows in proportion to what is delivered. Below ssthresh, what is
delivered is replaced, and one segment more is sent for an ACK that advances SND.UNA without reporting a new loss.
"""

from dataclasses import dataclass

from netsim.tcp.segment import HALF, MASK


@dataclass(slots=True)
class Prr:
    """One loss recovery; everything in bytes.

    ``recover_fs`` is the window when it began (RFC 6937 takes what was in flight, Linux cwnd), ``start`` the sequence
    number then delivered: SND.UNA plus the bytes selectively acknowledged. ``una``, ``prr_delivered`` and ``lost`` are
    those of the last ACK. ``retransmitted`` is what recovery has retransmitted; with the new data it has sent that is
    prr_out. ``window`` is what may be in flight now.
    """

    recover_fs: int
    start: int
    una: int
    prr_delivered: int = 0
    lost: int = 0
    retransmitted: int = 0
    window: int = 0

    def update(self, una: int, sacked: int, lost: int, pipe: int, new: int, ssthresh: int, mss: int) -> int:
        """What may be in flight after an ACK of ``una``, with ``sacked`` bytes beyond it and ``new`` bytes sent."""
        delivered = (una + sacked - self.start) & MASK
        delivered = 0 if delivered >= HALF else delivered
        newly = max(delivered - self.prr_delivered, 0)
        advances = una != self.una and lost + self.retransmitted <= self.lost
        self.una, self.prr_delivered, self.lost = una, delivered, max(self.lost, lost + self.retransmitted)
        prr_out = self.retransmitted + new
        if pipe > ssthresh:
            sndcnt = -(-ssthresh * delivered // (self.recover_fs * mss)) * mss - prr_out
        else:
            sndcnt = min(max(delivered - prr_out, newly) + (mss if advances else 0), ssthresh - pipe)
        self.window = pipe + max(sndcnt, 0 if prr_out else mss)
        return self.window
