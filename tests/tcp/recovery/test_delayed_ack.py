"""When data is acknowledged: delayed, at once, or on the back of an answer (RFC 9293 3.8.6.3, RFC 5681 4.2)."""

import pytest

from netsim.tcp.config.profiles import linux, rfc9293
from netsim.tcp.segment import ACK, FIN, PSH
from netsim.tcp.user_calls import close, send
from tests.tcp.harness import PEER_ISS, Solo

ONE = PEER_ISS + 1


def test_delayed_ack_waits_for_its_timer_or_for_a_second_segment() -> None:
    """RFC 9293 3.8.6.3: within .5 s, and for at least every second full segment."""
    solo = Solo(rfc9293())
    solo.establish(rtt=0.1)
    assert solo.feed(ACK | PSH, ONE, 1001, data=b"x" * 536) == []
    ((at, segment),) = solo.advance(1)
    assert at == pytest.approx(0.3)
    assert segment.ack == ONE + 536
    assert solo.feed(ACK, ONE + 536, 1001, data=b"x" * 536) == []
    (both,) = solo.feed(ACK, ONE + 1072, 1001, data=b"x" * 536)
    assert both.ack == ONE + 3 * 536
    assert solo.advance(5) == []


def test_an_ack_is_piggybacked_on_data() -> None:
    solo = Solo(rfc9293())
    solo.establish(rtt=0.1)
    assert solo.feed(ACK, ONE, 1001, data=b"question") == []
    (answer,) = solo.call(send, b"answer")
    assert (answer.ack, answer.payload) == (ONE + 8, b"answer")
    solo.feed(ACK, ONE + 8, 1007)
    assert solo.advance(5) == []


def test_the_first_acks_are_immediate_and_all_are_without_a_timer() -> None:
    for config, quick in ((rfc9293().replace(quick_acks=3), 3), (rfc9293().replace(delayed_ack=None), 5)):
        solo = Solo(config)
        solo.establish(rtt=0.1)
        at_once = 0
        for k in range(5):
            at_once += len(solo.feed(ACK, ONE + k, 1001, data=b"x"))
            solo.advance(solo.now + 1)
        assert at_once == quick


def test_out_of_order_data_and_what_fills_the_gap_are_acknowledged_immediately() -> None:
    """RFC 5681 4.2: a duplicate ACK for each segment behind a gap, and an ACK for what fills it, in part or whole."""
    solo = Solo(rfc9293())
    solo.establish(rtt=0.1)
    assert [s.ack for s in solo.feed(ACK, ONE + 10, 1001, data=b"x" * 10)] == [ONE]
    assert [s.ack for s in solo.feed(ACK, ONE + 30, 1001, data=b"x" * 10)] == [ONE]
    assert [s.ack for s in solo.feed(ACK, ONE, 1001, data=b"x" * 10)] == [ONE + 20]
    assert [s.ack for s in solo.feed(ACK, ONE + 20, 1001, data=b"x" * 10)] == [ONE + 40]
    assert [s.ack for s in solo.feed(ACK, ONE + 20, 1001, data=b"x" * 10)] == [ONE + 40]  # all of it is old


def test_a_fin_is_acknowledged_immediately() -> None:
    solo = Solo(rfc9293())
    solo.establish(rtt=0.1)
    assert [s.ack for s in solo.feed(FIN | ACK, ONE, 1001, data=b"bye")] == [ONE + 4]
    solo.call(close)
    assert solo.log[-1][1].flags == FIN | ACK


def test_linux_acknowledges_sixteen_segments_immediately_and_then_delays_by_40_ms() -> None:
    solo = Solo(linux().replace(timestamps=False))
    solo.establish(rtt=0.1)
    for k in range(16):
        assert len(solo.feed(ACK, ONE + k, 1001, data=b"x")) == 1
    assert solo.feed(ACK, ONE + 16, 1001, data=b"x") == []
    assert [t for t, _ in solo.advance(1)] == [pytest.approx(0.14)]
    assert solo.stack.counters.TcpExtDelayedACKs == 1
