"""Options of the SYN and timestamps: what is negotiated, what PAWS refuses, what reopens TIME-WAIT."""

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.tcp.errors import ConnectionAlreadyExists
from netsim.tcp.segment import ACK, FIN, RST, SYN, Options, Segment
from netsim.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED, TIME_WAIT
from netsim.tcp.user_calls import close, send
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Pair, Solo

ONE = PEER_ISS + 1
HALF = 1 << 31
WITH = rfc9293().replace(timestamps=True)


def _established(config: TcpConfig = WITH, ts: int = 1000) -> Solo:
    solo = Solo(config)
    solo.establish(options=Options(mss=1460, ts_val=ts, ts_ecr=0))
    return solo


def _stamp(value: int, echo: int = 0) -> Options:
    return Options(ts_val=value & 0xFFFFFFFF, ts_ecr=echo)


# Negotiation


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
@pytest.mark.parametrize("passive", [False, True])
def test_an_option_is_used_only_if_both_hosts_offer_it(ours, theirs, agreed, passive) -> None:  # type: ignore[no-untyped-def]
    config = rfc9293().replace(timestamps=ours, sack=ours, window_scale=4 if ours else None)
    peer = Options(mss=1000, wscale=2, sack_permitted=True, ts_val=55) if theirs else Options(mss=1000)
    solo = Solo(config)
    if passive:
        solo.stack.listen(80, 8)
        (synack,) = solo.feed(SYN, PEER_ISS, options=peer, flow=TO_PORT_80)
        assert synack.options is not None
        offered = (synack.options.ts_val is not None, synack.options.sack_permitted, synack.options.wscale is not None)
        assert offered == (agreed,) * 3
        assert synack.options.ts_ecr == (55 if agreed else 0)
        (tcb,) = solo.stack.connections.values()
    else:
        (third,) = solo.establish(options=peer)
        assert (third.options is not None) is agreed
        tcb = solo.tcb
    assert (tcb.ts_ok, tcb.sack_ok, tcb.scaling) == (agreed,) * 3


def test_once_negotiated_every_segment_but_a_reset_carries_a_timestamp() -> None:
    """RFC 7323 3.2."""
    pair = Pair(linux())
    client, server = pair.connect()
    pair.send(client, bytes(5000))
    pair.run(2)
    pair.read(server)
    pair.close(server)
    pair.run(200)
    assert all(s.options is not None and s.options.ts_val is not None for _, _, s, _ in pair.wire)
    assert pair.wire[0][2].options.ts_ecr == 0  # type: ignore[union-attr]


def test_the_timestamp_clock() -> None:
    """Ticks of 1 ms from a random origin; each echo is the TSval to which the segment answers."""
    solo = _established(ts=7)
    first = solo.log[0][1].options
    third = solo.log[1][1].options
    assert first is not None
    assert third is not None
    assert ((third.ts_val or 0) - (first.ts_val or 0)) & 0xFFFFFFFF == 100
    assert third.ts_ecr == 7
    other = Solo(WITH, seed=2).open()[0].options
    assert other is not None
    assert other.ts_val != first.ts_val


# PAWS (RFC 7323 5)


@pytest.mark.parametrize(
    ("value", "taken"),
    [(1000, True), (1001, True), (999, False), (1000 - HALF + 1, False), (1000 + HALF - 1, True), (0, False)],
)
def test_paws_refuses_older_timestamps(value: int, taken: bool) -> None:
    """R1: TSval < TS.Recent, modulo 2**32: an ACK, and the segment is dropped."""
    solo = _established()
    answers = solo.feed(ACK, ONE, 1001, data=b"data", options=_stamp(value))
    assert (solo.read() == b"data") is taken
    if not taken:
        (ack,) = answers
        assert (ack.flags, ack.ack, ack.seq) == (ACK, ONE, 1001)
        assert solo.stack.counters.TcpExtPAWSEstab == 1


def test_paws_lets_a_reset_through() -> None:
    solo = _established()
    solo.feed(RST, ONE, options=_stamp(1))
    assert solo.tcb.state is CLOSED


def test_paws_forgets_after_24_days() -> None:
    """RFC 7323 5.5: with a 1 ms clock the sign of a comparison wraps in 24.8 days."""
    for days, taken in ((23.9, False), (24.1, True)):
        solo = _established()
        solo.advance(days * 86_400)
        solo.feed(ACK, ONE, 1001, data=b"data", options=_stamp(999))
        assert (solo.read() == b"data") is taken
        assert solo.tcb.ts_recent == (999 if taken else 1000)  # what was invalid is replaced


def test_ts_recent_moves_with_segments_in_order_only() -> None:
    """R3: SEG.TSval >= TS.Recent and SEG.SEQ =< Last.ACK.sent."""
    solo = _established()
    solo.feed(ACK, ONE, 1001, data=b"ab", options=_stamp(1010))
    assert solo.tcb.ts_recent == 1010
    solo.feed(ACK, ONE + 6, 1001, data=b"gh", options=_stamp(1030))  # behind a gap
    assert solo.tcb.ts_recent == 1010
    (ack,) = solo.feed(ACK, ONE + 2, 1001, data=b"cdef", options=_stamp(1020))  # fills it; sent before
    assert solo.tcb.ts_recent == 1020
    assert ack.options is not None
    assert ack.options.ts_ecr == 1020
    assert solo.read() == b"abcdefgh"


def test_the_echo_is_that_of_the_oldest_segment_of_a_delayed_ack() -> None:
    """RFC 7323 4.3 (1): the RTT that the sender measures includes the delay of the ACK."""
    solo = _established()
    solo.feed(ACK, ONE, 1001, data=b"ab", options=_stamp(1010))
    solo.feed(ACK, ONE + 2, 1001, data=b"cd", options=_stamp(1020))
    ((_, ack),) = solo.advance(2)
    assert ack.options is not None
    assert (ack.ack, ack.options.ts_ecr) == (ONE + 4, 1010)


@pytest.mark.parametrize(("policy", "taken"), [("drop", False), ("accept", True)])
def test_a_segment_without_the_timestamp(policy: str, taken: bool) -> None:
    """RFC 7323 3.2: SHOULD be dropped, in silence; Linux takes it. A RST needs none."""
    solo = _established(WITH.replace(missing_timestamp=policy))
    answers = solo.feed(ACK, ONE, 1001, data=b"data")
    assert (solo.read() == b"data") is taken
    assert answers == []
    solo.feed(RST, ONE + 4 * taken)
    assert solo.tcb.state is CLOSED


def test_a_timestamp_that_was_not_negotiated_is_ignored() -> None:
    solo = Solo(rfc9293())
    solo.establish(options=Options(mss=1460))
    solo.feed(ACK, ONE, 1001, data=b"a", options=_stamp(1000))
    solo.feed(ACK, ONE + 1, 1001, data=b"b", options=_stamp(1))
    assert solo.read() == b"ab"


# A new SYN in TIME-WAIT (RFC 9293 3.6.1 MAY-2, RFC 6191, Linux)


def _time_wait(rule: str, *, stamps: bool) -> Solo:
    """A server in TIME-WAIT; the peer's FIN has number ONE, TS.Recent is 1000."""
    solo = Solo(rfc9293().replace(time_wait_reuse=rule, timestamps=stamps))
    listener, _ = solo.stack.listen(80, 8)
    syn = Options(mss=1460, ts_val=1000 if stamps else None)
    solo.feed(SYN, PEER_ISS, options=syn, flow=TO_PORT_80)
    stamp = _stamp(1000) if stamps else None
    solo.feed(ACK, ONE, 1001, options=stamp, flow=TO_PORT_80)
    solo.tcb = listener.accept_queue.popleft()
    solo.call(close)
    solo.feed(ACK | FIN, ONE, 1002, options=stamp, flow=TO_PORT_80)
    assert solo.tcb.state is TIME_WAIT
    return solo


# rule, whether the old connection had timestamps, the new SYN's number relative to the FIN, its TSval, taken?
REUSE = [
    ("none", False, 1, None, False),
    ("none", True, 1, 2000, False),
    ("rfc1122", False, 1, None, True),
    ("rfc1122", False, 0, None, False),
    ("rfc1122", False, -1, None, False),
    ("rfc1122", False, HALF - 1, None, True),
    ("rfc6191", True, -5, 1001, True),  # TSval > last: whatever the number
    ("rfc6191", True, 1, 1000, True),  # equal: the number decides
    ("rfc6191", True, 0, 1000, False),
    ("rfc6191", True, 1, 999, False),
    ("rfc6191", True, 1, None, True),
    ("rfc6191", True, -1, None, False),
    ("rfc6191", False, -5, 1, True),  # timestamps are new
    ("rfc6191", False, 1, None, True),
    ("rfc6191", False, 0, None, False),
    ("sequence-or-timestamp", True, -5, 1001, True),
    ("sequence-or-timestamp", True, 2, 1000, True),
    ("sequence-or-timestamp", True, 2, 999, False),  # PAWS first
    ("sequence-or-timestamp", False, 2, None, True),
    ("sequence-or-timestamp", False, 1, None, False),  # SEG.SEQ must lie beyond RCV.NXT = FIN + 1
]


@pytest.mark.parametrize(("rule", "stamps", "ahead", "ts_val", "taken"), REUSE)
def test_a_new_syn_in_time_wait(rule: str, stamps: bool, ahead: int, ts_val: int | None, taken: bool) -> None:
    solo = _time_wait(rule, stamps=stamps)
    (answer,) = solo.feed(
        SYN, (ONE + ahead) & 0xFFFFFFFF, options=Options(mss=1460, ts_val=ts_val), flow=TO_PORT_80
    ) or (Segment(TO_PORT_80, 0, 0, 0, 0),)
    assert (answer.flags == SYN | ACK) is taken
    (tcb,) = solo.stack.connections.values()
    assert tcb.state is (SYN_RECEIVED if taken else TIME_WAIT)
    if taken:
        assert answer.ack == (ONE + ahead + 1) & 0xFFFFFFFF
        assert 0 < (answer.seq - 1002) & 0xFFFFFFFF < HALF  # beyond all numbers of the old connection


def test_an_active_open_of_a_four_tuple_in_time_wait() -> None:
    solo = Solo(rfc9293())
    solo.establish()
    solo.call(close)
    solo.feed(FIN | ACK, ONE, 1002)
    with pytest.raises(ConnectionAlreadyExists, match="TIME-WAIT"):
        solo.open()
    old = solo.tcb
    assert [s.flags for s in solo.open(config=rfc9293().replace(time_wait_open="replace"))] == [SYN]
    assert old.state is CLOSED
    assert solo.tcb is not old


def test_options_size_as_hosts_lay_them_out() -> None:
    """Linux's SYN has 20 bytes of options, its other segments 12; a bare MSS has 4."""
    assert Options(mss=1460).size() == 4
    assert Options(mss=1460, wscale=7, sack_permitted=True, ts_val=1).size() == 20
    assert Options(ts_val=1).size() == 12
    assert Options().size() == 0


def test_scaling_and_stamps_through_a_transfer() -> None:
    solo = _established(linux())
    assert solo.tcb.state is ESTABLISHED
    (segment,) = solo.call(send, b"x")
    assert segment.options is not None
    assert segment.wire_size == 40 + 12 + 1


@pytest.mark.parametrize(("later", "ticks"), [(0.0002, 1), (0.0031, 3)])
def test_a_round_trip_shorter_than_a_tick_counts_as_one(later: float, ticks: int) -> None:
    """RTTM (RFC 7323 4) on a clock of 1 ms: no echo may say that the way takes no time."""
    solo = Solo(WITH)
    (syn,) = solo.open()
    assert syn.options is not None
    assert syn.options.ts_val is not None
    solo.advance(solo.now + later)
    solo.feed(SYN | ACK, PEER_ISS, 1001, options=_stamp(1, echo=syn.options.ts_val))
    assert solo.tcb.rtt is not None
    assert solo.tcb.rtt.srtt == ticks * 10**6
