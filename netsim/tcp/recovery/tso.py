"""Segmentation offload (TSO), as far as segments show it: Linux sets PSH on the last segment of each burst.

The host hands several segments to its network interface together: at least ``min_tso_segs``, and about a millisecond's
worth at its pacing rate. The last segment of such a burst carries PSH "to expedite GRO flush at receiver"
(net/ipv4/tcp_output.c, __tcp_transmit_skb and tcp_tso_autosize). A segment that is sent alone does not carry it, nor
does a retransmission.
"""

from collections.abc import Iterator
from typing import Final

_LARGEST: Final = 65536 - 1 - 320  # bytes: include/net/sock.h, GSO_LEGACY_MAX_SIZE, less the headers
_MS: Final = 1_000_000


def burst_size(minimum: int, mss: int, window: int, ssthresh: int, srtt: int | None) -> int:
    """The number of segments of a burst: what a millisecond at twice the ``window`` per round trip, ``srtt`` ns, sends.

    In congestion avoidance, or close to it, the pacing rate is 1.2 times the window; without an RTT sample all that
    fits is one burst. A burst is at most half the window, so that two are in flight (tcp_cwnd_test).
    """
    size = _LARGEST
    if srtt:
        percent = 200 if window < ssthresh // 2 else 120
        shift = srtt // 512_000  # tcp_tso_rtt_log: bursts to near peers are larger
        size = min(_LARGEST, window * percent * _MS // (100 * srtt) + (_LARGEST >> shift if shift < 32 else 0))
    return min(max(size // mss, minimum), max(window // mss // 2, 1))


def burst_ends(count: int, segments: int) -> Iterator[bool]:
    """For each of ``count`` segments whether it is the last of a burst of several; a burst has ``segments``."""
    for index in range(count):
        place = index % segments
        yield place > 0 and (place == segments - 1 or index == count - 1)
