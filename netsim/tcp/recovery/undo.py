"""What a repair took from the windows, so that it can be given back if nothing was lost (RFC 4015 3; RFC 3708)."""

from dataclasses import dataclass

from netsim.tcp.seq import HALF, MASK


@dataclass(slots=True)
class Undo:
    """One repair: SND.UNA as it began is ``marker``; ``cwnd`` and ``ssthresh`` were the windows in bytes.

    ``again``: segments sent again that the peer has not reported as duplicates; None before the first. ``stamp`` is the
    timestamp of the first of them, if they carry one.
    """

    marker: int
    cwnd: int
    ssthresh: int
    again: int | None = None
    stamp: int | None = None

    def sent_again(self, stamp: int | None) -> None:
        """A segment goes out again."""
        self.again = (self.again or 0) + 1
        if self.stamp is None:
            self.stamp = stamp

    def duplicate(self, end: int, una: int, segments: int) -> None:
        """The peer had text up to ``end`` already, all of it acknowledged before, when SND.UNA was ``una``."""
        if self.again and (una - end) & MASK < HALF and 0 < (end - self.marker) & MASK < HALF:
            self.again = max(self.again - segments, 0)

    def echoes_the_original(self, echo: int | None) -> bool:
        """Whether an ACK with this echo was caused by a segment sent before the first one went out again (RFC 3522)."""
        return bool(echo) and self.stamp is not None and 0 < (self.stamp - (echo or 0)) & MASK < HALF
