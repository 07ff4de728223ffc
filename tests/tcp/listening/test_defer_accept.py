"""TCP_DEFER_ACCEPT (tcp(7)); Linux's schedule: three seconds are two time-outs of the SYN-ACK (1 and 2 s)."""

import pytest

from netsim.tcp.config.profiles import linux
from netsim.tcp.segment import ACK, FIN, SYN, Segment
from netsim.tcp.state import CLOSE_WAIT, ESTABLISHED, SYN_RECEIVED, State
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Solo

CONFIG = linux().replace(defer_accept=3.0, timestamps=False)
ONE = PEER_ISS + 1


def waiting() -> Solo:
    solo = Solo(CONFIG)
    solo.stack.listen(80, 5)
    feed(solo, SYN, PEER_ISS)
    return solo


def feed(solo: Solo, flags: int, seq: int, data: bytes = b"") -> list[Segment]:
    return solo.feed(flags, seq, 1001 if flags & ACK else 0, data=data, flow=TO_PORT_80)


def state(solo: Solo) -> State:
    (tcb,) = solo.stack.connections.values()
    return tcb.state


@pytest.mark.parametrize(
    ("flags", "data", "after"), [(ACK, b"", SYN_RECEIVED), (ACK, b"GET", ESTABLISHED), (ACK | FIN, b"", CLOSE_WAIT)]
)
def test_a_bare_ack_is_not_enough(flags: int, data: bytes, after: State) -> None:
    solo = waiting()
    feed(solo, flags, ONE, data)
    assert state(solo) is after
    assert len(solo.stack.listeners[80].accept_queue) == (after is not SYN_RECEIVED)


def test_data_that_arrives_later_completes_the_handshake() -> None:
    solo = waiting()
    assert feed(solo, ACK, ONE) == []
    assert [s.ack for s in feed(solo, ACK, ONE, b"GET")] == [ONE + 3]
    assert state(solo) is ESTABLISHED


def test_no_syn_ack_is_retransmitted_until_the_time_is_over() -> None:
    """Silent at 1 s, again at 3 s; from then on a bare ACK completes the handshake."""
    solo = waiting()
    feed(solo, ACK, ONE)
    assert solo.advance(2.9) == []
    assert [at for at, _ in solo.advance(3.1)] == [3.0]
    assert feed(solo, ACK, ONE) == []
    assert state(solo) is ESTABLISHED


def test_without_any_ack_the_syn_ack_is_retransmitted_as_usual() -> None:
    solo = waiting()
    assert [at for at, _ in solo.advance(8.0)] == [1.0, 3.0, 7.0]
