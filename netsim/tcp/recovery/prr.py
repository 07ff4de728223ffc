"""How much is sent in recovery: proportional rate reduction (RFC 6937), with Linux's bound of RFC 9937.

While more than the new window is on its way, the sending rate falls in proportion to what is delivered; below it, what
is delivered is replaced, and one segment more for an ACK that moves SND.UNA and tells of no new loss.
"""

from dataclasses import dataclass

from netsim.tcp.seq import HALF, MASK


@dataclass(slots=True)
class Prr:
    """One recovery: ``prior`` was the window in bytes, ``before`` the numbers delivered, SND.UNA and blocks beyond it.

    ``delivered`` and ``una`` are those of the last ACK, ``lost`` the bytes known to be lost, ``again`` those that were
    sent again. ``window`` is what may be on its way now.
    """

    prior: int
    before: int
    una: int
    delivered: int = 0
    lost: int = 0
    again: int = 0
    window: int = 0

    def allow(self, una: int, sacked: int, lost: int, pipe: int, new: int, ssthresh: int, mss: int) -> int:
        """What may be on its way (bytes) after an ACK up to ``una`` with ``sacked`` bytes beyond; ``new`` were sent."""
        delivered = (una + sacked - self.before) & MASK
        delivered = 0 if delivered >= HALF else delivered
        newly = max(delivered - self.delivered, 0)
        gain = una != self.una and lost + self.again <= self.lost
        self.una, self.delivered, self.lost = una, delivered, max(self.lost, lost + self.again)
        out = self.again + new
        if pipe > ssthresh:
            count = -(-ssthresh * delivered // (self.prior * mss)) * mss - out
        else:
            count = min(max(delivered - out, newly) + (mss if gain else 0), ssthresh - pipe)
        self.window = pipe + max(count, 0 if out else mss)
        return self.window
