"""TCP_INFO's times: busy while data is unacknowledged, limited while the peer's window holds some back."""

from netsim.tcp.config.profiles import linux, rfc9293
from netsim.tcp.recovery.tcp_info import SendTimes
from netsim.tcp.segment import ACK, Options
from netsim.tcp.user_calls import send
from tests.tcp.harness import PEER_ISS, Solo

ONE = PEER_ISS + 1


def times(solo: Solo) -> tuple[float, float]:
    times: SendTimes | None = solo.tcb.send_times
    return (0, 0) if times is None else (times.busy.read(solo.ns) / 1e9, times.rwnd_limited.read(solo.ns) / 1e9)


def test_busy_from_the_send_to_the_last_ack() -> None:
    """Idle until .5 s; data from then to its ACK at .7 s; data again at 1.7 s, for a tenth of a second."""
    solo = Solo(rfc9293())
    solo.establish(options=Options(mss=1000))
    solo.advance(0.5)
    assert times(solo) == (0, 0)
    solo.call(send, bytes(1000))
    solo.advance(0.6)
    assert times(solo) == (0.1, 0)
    solo.advance(0.7)
    solo.feed(ACK, ONE, 2001)
    solo.advance(1.7)
    assert times(solo) == (0.2, 0)
    solo.call(send, bytes(10))
    solo.advance(1.8)
    solo.feed(ACK, ONE, 2011)
    solo.advance(5.0)
    assert times(solo) == (0.3, 0)


def test_rwnd_limited_while_the_window_is_too_small() -> None:
    """A window of 2,000 for 3,000 bytes: the last thousand waits from .1 to .3 s, when the window has moved."""
    solo = Solo(linux().replace(timestamps=False))
    solo.establish(options=Options(mss=1000), window=2000)
    assert len(solo.call(send, bytes(3000))) == 2
    solo.advance(0.2)
    assert times(solo) == (0.1, 0.1)
    solo.advance(0.3)
    solo.feed(ACK, ONE, 2001, window=2000)
    solo.advance(0.5)
    assert times(solo) == (0.4, 0.2)


def test_a_smaller_congestion_window_is_no_limit_of_the_peer() -> None:
    solo = Solo(rfc9293().replace(initial_window=2))
    solo.establish(options=Options(mss=1000))
    assert len(solo.call(send, bytes(3000))) == 2
    solo.advance(0.2)
    assert times(solo) == (0.1, 0)
