"""Loss by time: RACK (RFC 8985 6), as far as the oldest segment is concerned.

A segment is lost if one that was sent later has been delivered and it has not, a round trip and a little more after it
was sent: the little, a quarter of the RTT, is for segments that overtake others.
"""

from typing import Final

from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import NEVER, PROBE, REXMT

_MANY: Final = 3  # segments beyond it delivered: no more patience (RFC 8985 6.2, step 4; DupThresh)
_LEAST: Final = 2_000_000  # ns; include/net/tcp.h, TCP_TIMEOUT_MIN_US


def overdue(tcb: Tcb, now: int) -> bool:
    """Whether the oldest segment is lost by now; if it may yet come, the reordering timer is set (step 5).

    That timer is the tail loss probe's: while something was selectively acknowledged, no probe is due.
    """
    oldest, rtt = next(iter(tcb.queue)), tcb.rtt
    delivered = [sent for sent in tcb.queue if sent.sacked]
    later = [
        sent
        for sent in delivered
        if sent.sent_at > oldest.sent_at
        or (sent.sent_at == oldest.sent_at and 0 < (sent.seq - oldest.seq) & MASK < HALF)
    ]
    if oldest.sacked or not later or rtt is None:
        return False
    patience = 0 if len(delivered) >= _MANY else rtt.srtt // 4
    remaining = oldest.sent_at + rtt.srtt + patience - now
    if remaining <= 0:
        return True
    tcb.deadlines[REXMT] = NEVER
    tcb.arm(PROBE, now, remaining + _LEAST)
    return False
