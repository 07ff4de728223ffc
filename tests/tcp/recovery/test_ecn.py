"""ECN: who agrees to it and when (RFC 3168 6.1.1), marks, echoes and answers (6.1.2, 6.1.3)."""

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import freebsd, linux, rfc9293
from netsim.tcp.recovery.ecn import CE, ECT_0, NOT_ECT
from netsim.tcp.segment import ACK, CWR, ECE, SYN, FourTuple, Options, Segment
from netsim.tcp.user_calls import send
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Solo

ONE = PEER_ISS + 1
REQUEST = rfc9293().replace(ecn="request", delayed_ack=None)
FLOW = FourTuple("b", 80, "a", 4000)
MSS = Options(mss=1000)


def bits(segment: Segment) -> int:
    return segment.flags & (ECE | CWR)


@pytest.mark.parametrize(
    ("config", "syn", "agreed"),
    [
        (rfc9293(), ECE | CWR, False),
        (linux(), ECE | CWR, True),
        (freebsd(), ECE | CWR, True),
        (REQUEST, ECE | CWR, True),
        (linux(), 0, False),
        (linux(), ECE, False),  # no ECN-setup SYN: both flags are one
        (linux(), CWR, False),
    ],
)
def test_ecn_of_a_passive_open(config: TcpConfig, syn: int, agreed: bool) -> None:
    solo = Solo(config)
    solo.stack.listen(80, 5)
    syn_ack = solo.feed(SYN | syn, PEER_ISS, flow=TO_PORT_80)[0]
    assert bits(syn_ack) == (ECE if agreed else 0)
    assert syn_ack.ecn == NOT_ECT  # 6.1.1: never on a SYN or SYN-ACK


@pytest.mark.parametrize(("answer", "agreed"), [(ECE, True), (0, False), (ECE | CWR, False), (CWR, False)])
def test_ecn_of_an_active_open(answer: int, agreed: bool) -> None:
    """6.1.1: an ECN-setup SYN-ACK has ECE and not CWR."""
    solo = Solo(REQUEST)
    assert bits(solo.open()[0]) == ECE | CWR
    solo.feed(SYN | ACK | answer, PEER_ISS, 1001, options=MSS)
    data = solo.call(send, b"data")[0]
    assert data.ecn == (ECT_0 if agreed else NOT_ECT)


@pytest.mark.parametrize("config", [rfc9293(), linux(), freebsd()])
def test_a_syn_without_ecn_is_answered_without_it(config: TcpConfig) -> None:
    solo = Solo(config)
    assert bits(solo.open()[0]) == 0
    solo.feed(SYN | ACK | ECE, PEER_ISS, 1001)
    assert solo.tcb.ecn is None


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_an_unanswered_syn_is_retransmitted_without_ecn(retries: int) -> None:
    """6.1.1.1: the path may drop such SYNs."""
    solo = Solo(REQUEST.replace(ecn_syn_retries=retries))
    solo.open()
    solo.advance(40.0)  # 0 1 3 7 15 31
    assert [bits(s) == ECE | CWR for _, s in solo.log] == [k <= retries for k in range(6)]


def agreed(config: TcpConfig = REQUEST) -> Solo:
    solo = Solo(config)
    solo.open()
    solo.feed(SYN | ACK | ECE, PEER_ISS, 1001, options=MSS)
    return solo


def marked(solo: Solo, seq: int, *, flags: int = 0, ecn: int = CE) -> list[Segment]:
    segment = Segment(FLOW, seq, 1001, ACK | flags, 65535, b"x", None, 0, ecn)
    return solo.collect(solo.stack.on_segment(segment, solo.ns))


def test_the_receiver_sends_ece_until_cwr_arrives() -> None:
    """6.1.3: every ACK from the CE mark on carries ECE, until a segment with CWR; a new mark starts again."""
    solo = agreed()
    assert [bits(s) for s in marked(solo, ONE, ecn=ECT_0)] == [0]
    assert [bits(s) for s in marked(solo, ONE + 1)] == [ECE]
    assert [bits(s) for s in marked(solo, ONE + 2, ecn=ECT_0)] == [ECE]
    assert [bits(s) for s in marked(solo, ONE + 3, flags=CWR, ecn=ECT_0)] == [0]
    assert [bits(s) for s in marked(solo, ONE + 4, flags=CWR)] == [ECE]


def test_without_ecn_marks_are_ignored() -> None:
    solo = Solo(linux())
    solo.establish()
    assert all(bits(s) == 0 for k in range(4) for s in marked(solo, ONE + k))


def test_the_sender_halves_its_window_once_per_round_trip_and_sends_cwr() -> None:
    """6.1.2: ten segments of 1,000 in flight; the first ECE halves, more for the same window do not; CWR goes out with
    the next new data only, retransmissions are not ECT (6.1.5)."""
    solo = agreed()
    sent = solo.call(send, bytes(30_000))
    assert len(sent) == 10
    assert {s.ecn for s in sent} == {ECT_0}
    solo.feed(ACK | ECE, ONE, 2001)
    congestion = solo.tcb.congestion
    assert congestion is not None
    assert congestion.ssthresh == 5000
    cut = congestion.cwnd
    assert cut <= 6000
    for ack in (3001, 4001, 5001):
        solo.feed(ACK | ECE, ONE, ack)
    assert congestion.ssthresh == 5000
    for ack in range(6001, 12_001, 1000):
        solo.feed(ACK, ONE, ack)
    new = [s for _, s in solo.log if s.payload][10:]
    assert [bits(s) for s in new] == [CWR, *[0] * (len(new) - 1)]
    solo.advance(5.0)
    again = [s for _, s in solo.log if s.payload][10 + len(new) :]
    assert again
    assert {(s.ecn, bits(s)) for s in again} == {(NOT_ECT, 0)}


def test_pure_acks_are_not_ect() -> None:
    """6.1.4."""
    solo = agreed()
    assert [s.ecn for s in marked(solo, ONE, ecn=ECT_0)] == [NOT_ECT]
