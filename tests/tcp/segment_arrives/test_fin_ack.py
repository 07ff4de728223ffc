"""When the ACK of a FIN goes out, and so whether a close takes four segments or three."""

from typing import Any

import pytest

from tests.tcp.figures import abandon_listener, config, established
from tests.tcp.harness import RfcPair


def half_closed(fin_ack: str, **changes: Any) -> RfcPair:
    """A has closed, and its FIN is with B: SEQ 100 and 300 as in figure 12."""
    b = config(299).replace(fin_ack=fin_ack, delayed_ack=0.2, **changes)
    pair = established(config(99), b)
    abandon_listener(pair)
    pair.call("A", "shutdown")
    pair.deliver("A")
    return pair


def test_the_ack_of_a_fin_is_immediate() -> None:
    pair = half_closed("immediate")
    assert pair.sent == ["A <SEQ=100><ACK=300><CTL=FIN,ACK>", "B <SEQ=300><ACK=101><CTL=ACK>"]


def test_a_close_in_time_takes_three_segments() -> None:
    """The ACK waits 0.2 s; the user closes after 0.1 s, and its FIN carries the ACK."""
    pair = half_closed("delayed")
    pair.wait(0.1)
    pair.call("B", "shutdown")
    pair.settle()
    assert pair.sent == [
        "A <SEQ=100><ACK=300><CTL=FIN,ACK>",
        "B <SEQ=300><ACK=101><CTL=FIN,ACK>",
        "A <SEQ=101><ACK=301><CTL=ACK>",
    ]
    assert (str(pair.state("A")), str(pair.state("B"))) == ("TIME-WAIT", "CLOSED")
    pair.wait(10.0)
    assert len(pair.sent) == 3


@pytest.mark.parametrize(("after", "sent"), [(0.199, 1), (0.2, 2)])
def test_the_ack_is_delayed_no_longer_than_the_timer(after: float, sent: int) -> None:
    pair = half_closed("delayed")
    pair.wait(after)
    assert len(pair.sent) == sent
    pair.call("B", "shutdown")
    pair.settle()
    assert len(pair.sent) == sent + 2


def test_quick_acks_and_a_timer_that_is_off_come_first() -> None:
    for changes in ({"quick_acks": 1}, {"delayed_ack": None}):  # type: dict[str, Any]
        b = config(299).replace(fin_ack="delayed", **{"delayed_ack": 0.2, **changes})
        pair = established(config(99), b)
        abandon_listener(pair)
        pair.call("A", "shutdown")
        pair.deliver("A")
        assert pair.sent[-1] == "B <SEQ=300><ACK=101><CTL=ACK>"


def test_a_retransmitted_fin_is_acknowledged_immediately() -> None:
    """A's RTO, 0.2 s, runs out before the delayed ACK of 0.5 s: an ACK answers old segments immediately."""
    pair = established(config(99, rto_min=0.2, rto_max=0.2), config(299).replace(fin_ack="delayed", delayed_ack=0.5))
    abandon_listener(pair)
    pair.call("A", "shutdown")
    pair.deliver("A")
    pair.wait(0.2)
    assert pair.sent == 2 * ["A <SEQ=100><ACK=300><CTL=FIN,ACK>"]
    pair.deliver("A")
    assert pair.sent[-1] == "B <SEQ=300><ACK=101><CTL=ACK>"
    pair.settle()
    pair.wait(0.5)
    assert len(pair.sent) == 3  # the delayed one has gone with it
