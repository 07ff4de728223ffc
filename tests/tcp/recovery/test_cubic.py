"""CUBIC against RFC 9438's formulas, worked out by hand: C = .4, beta = .7."""

import pytest

from netsim.tcp.recovery.congestion import CongestionControl, Reno
from netsim.tcp.recovery.cubic import Cubic

MSS = 1000
MS = 1_000_000


def window_after(
    control: CongestionControl, window: int, *, rtt_ms: int, seconds: float, start: int = 10**9
) -> dict[int, int]:
    """The window in segments at each millisecond of a round trip's end, if all of it is acknowledged evenly."""
    cwnd, now, seen = window * MSS, start, {}
    while now < start + seconds * 1e9:
        count = cwnd // MSS
        for index in range(count):
            cwnd += control.increase(cwnd, MSS, now + rtt_ms * MS * index // count)
        now += rtt_ms * MS
        seen[(now - start) // MS] = cwnd // MSS
    return seen


def after_a_loss(window: int) -> tuple[Cubic, int]:
    control = Cubic(MSS)
    control.rtt_sample(100 * MS, window * MSS, 0, 0, 0, slow_start=False)
    return control, control.ssthresh(window * MSS, 0, of_window=True) // MSS


def test_a_loss_leaves_seven_tenths() -> None:
    """RFC 9438 4.6: ssthresh = beta_cubic * cwnd; no less than two segments."""
    assert after_a_loss(100)[1] == 70
    assert Cubic(MSS).ssthresh(2 * MSS, 0, of_window=True) == 2 * MSS


def test_the_old_window_is_reached_after_k() -> None:
    """RFC 9438 4.2: K = cbrt((W_max - cwnd) / C); of 100 segments 70 are left: cbrt(30 / .4) = 4.217 s.

    The window is aimed at one round trip ahead (Target = W_cubic(t + RTT)).
    """
    control, window = after_a_loss(100)
    seen = window_after(control, window, rtt_ms=100, seconds=12)
    assert seen[4200] in (99, 100, 101)
    assert seen[2000] == pytest.approx(100 - 0.4 * (4.217 - 2.1) ** 3, abs=1.5)  # 96.2
    assert seen[1000] == pytest.approx(100 - 0.4 * (4.217 - 1.1) ** 3, abs=2.5)  # 87.9
    assert seen[9000] == pytest.approx(100 + 0.4 * (9.1 - 4.217) ** 3, rel=0.03)  # 146.6
    assert seen[12000] == pytest.approx(100 + 0.4 * (12.1 - 4.217) ** 3, rel=0.03)  # 295.9


def test_never_slower_than_reno() -> None:
    """RFC 9438 4.3: in the Reno-friendly region 3 (1 - beta) / (1 + beta) = .529 segments each round trip.

    100 round trips of 10 ms after a loss at 100 that is 70 + 52.9; the cubic function would be at 87 by then.
    """
    control, window = after_a_loss(100)
    assert window_after(control, window, rtt_ms=10, seconds=1.0)[1000] == pytest.approx(122.9, rel=0.04)


def test_fast_convergence_after_a_second_loss() -> None:
    """RFC 9438 4.7, fast convergence: lost at 80 below the old 100, W_max is 80 (1 + .7) / 2 = 68."""
    control, _ = after_a_loss(100)
    control.ssthresh(80 * MSS, 0, of_window=True)
    assert control.w_max == 68
    control.ssthresh(90 * MSS, 0, of_window=True)
    assert control.w_max == 90


def test_idle_time_does_not_count() -> None:
    """net/ipv4/tcp_cubic.c, cubictcp_cwnd_event: three seconds of silence move the epoch on by as much."""
    control, window = after_a_loss(100)
    seen = window_after(control, window, rtt_ms=100, seconds=2)
    control.after_idle(3 * 10**9, 6 * 10**9)
    later = window_after(control, seen[2000], rtt_ms=100, seconds=0.1, start=6 * 10**9)
    assert later[100] <= seen[2000] + 2


def test_without_a_loss_five_percent_each_round_trip() -> None:
    """net/ipv4/tcp_cubic.c, bictcp_update: before any loss one segment for 20 at least, 100 to 105 in a round trip."""
    assert window_after(Cubic(MSS), 100, rtt_ms=100, seconds=0.1)[100] == 105


def test_reno_adds_a_segment_each_round_trip() -> None:
    assert window_after(Reno(MSS), 100, rtt_ms=100, seconds=1)[1000] == pytest.approx(110, abs=1)


def test_slow_start_ends_as_the_round_trip_rises() -> None:
    """Ha and Rhee 2008; net/ipv4/tcp_cubic.c, hystart_update: the minimum of eight samples of a round lies more than an
    eighth of the minimum RTT, 12.5 ms, above it. With ACKs 3 ms apart they make no train."""
    control, now, ended = Cubic(MSS), 0, []
    for sample in [100] * 9 + [112] * 9 + [113] * 9:
        now += 3 * MS
        una, nxt = now // MS, now // MS + 26
        ended.append(control.rtt_sample(sample * MS, 20 * MSS, una, nxt, now, slow_start=True))
    assert not any(ended[:18])
    assert any(ended[18:])


def test_slow_start_ends_with_a_long_train_of_acks() -> None:
    """ACKs 1 ms apart for more than half of the minimum RTT of 40 ms; not with a window of less than 16 segments."""
    for window, wanted in ((20, 21), (15, None)):
        control = Cubic(MSS)
        ended = [control.rtt_sample(40 * MS, window * MSS, 1, 100, at * MS, slow_start=True) for at in range(30)]
        assert (ended.index(True) if True in ended else None) == wanted
