"""TSO bursts: how large Linux makes them (tcp_output.c, tcp_tso_autosize), and which segments end one."""

import pytest

from netsim.tcp.recovery.tso import burst_ends, burst_size

MS = 1_000_000  # ns
NO_THRESHOLD = 1 << 60


@pytest.mark.parametrize(
    ("window", "ssthresh", "srtt", "segments"),
    [
        (10_000, NO_THRESHOLD, 100 * MS, 2),  # 2 * 10 kB / 100 ms: 200 bytes in 1 ms, so the minimum
        (400_000, NO_THRESHOLD, 100 * MS, 8),  # 2 * 400 kB / 100 ms: 8 kB in 1 ms
        (400_000, 400_000, 100 * MS, 4),  # congestion avoidance: 1.2 * 400 kB / 100 ms: 4.8 kB in 1 ms
        (400_000, NO_THRESHOLD, None, 65),  # no round trip measured: 65,215 bytes, the largest burst
        (10_000, NO_THRESHOLD, None, 5),  # half the window, so that two bursts are in flight
        (1000, NO_THRESHOLD, 100 * MS, 1),
    ],
)
def test_segments_of_a_burst(window: int, ssthresh: int, srtt: int | None, segments: int) -> None:
    assert burst_size(2, 1000, window, ssthresh, srtt) == segments


@pytest.mark.parametrize(
    ("count", "segments", "shown"),
    [(7, 2, ".P.P.P."), (10, 5, "....P....P"), (7, 5, "....P.P"), (2, 1, ".."), (6, 5, "....P.")],
)
def test_which_segments_end_a_burst(count: int, segments: int, shown: str) -> None:
    assert "".join("P" if ends else "." for ends in burst_ends(count, segments)) == shown
