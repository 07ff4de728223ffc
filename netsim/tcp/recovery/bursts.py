"""Segmentation offload, as far as segments show it: Linux puts PSH on the last segment of each piece of a burst.

The host hands several segments at once to its interface, at least ``min_tso_segs`` and about a millisecond's worth of
its pacing rate; such a piece carries PSH "to expedite GRO flush at receiver" (net/ipv4/tcp_output.c, __tcp_transmit_skb
and tcp_tso_autosize). A segment that goes alone does not, nor does one that is sent again.
"""

from collections.abc import Iterator
from typing import Final

_LARGEST: Final = 65536 - 1 - 320  # bytes: include/net/sock.h, GSO_LEGACY_MAX_SIZE, less the headers
_MS: Final = 1_000_000


def piece(least: int, mss: int, window: int, ssthresh: int, srtt: int | None) -> int:
    """Segments of one piece: a millisecond's worth of twice the ``window`` per round trip, ``srtt`` ns.

    In congestion avoidance, or close to it, 1.2 times the window; while no round trip was measured all that fits. No
    more than half the window, so that two pieces are on their way (tcp_cwnd_test).
    """
    size = _LARGEST
    if srtt:
        share = 200 if window < ssthresh // 2 else 120
        shift = srtt // 512_000  # tcp_tso_rtt_log: near peers get greater pieces
        size = min(_LARGEST, window * share * _MS // (100 * srtt) + (_LARGEST >> shift if shift < 32 else 0))
    return min(max(size // mss, least), max(window // mss // 2, 1))


def pushes(count: int, segments: int) -> Iterator[bool]:
    """For each segment of a burst of ``count`` whether it ends a piece of several; pieces have ``segments``."""
    for index in range(count):
        place = index % segments
        yield place > 0 and (place == segments - 1 or index == count - 1)
