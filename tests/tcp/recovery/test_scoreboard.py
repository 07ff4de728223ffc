"""Loss recovery by SACK (RFC 6675), limited transmit (RFC 3042), growth in slow start (RFC 3465), worked by hand.

Ten segments of 1,000 bytes from 1001 on are in flight; the test is the peer.
"""

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import freebsd, linux, rfc9293
from netsim.tcp.segment import ACK, Options
from netsim.tcp.user_calls import send
from tests.tcp.harness import PEER_ISS, Pair, Solo

ONE = PEER_ISS + 1
SACK = rfc9293().replace(sack=True)


def in_flight(config: TcpConfig = SACK, size: int = 10_000, *, sack: bool = True) -> Solo:
    solo = Solo(config)
    solo.establish(options=Options(mss=1000, sack_permitted=sack))
    assert len(solo.call(send, bytes(size))) == 10
    return solo


def ack(solo: Solo, number: int, *blocks: tuple[int, int]) -> list[int]:
    """An ACK with these blocks; the numbers of the segments sent at once."""
    options = Options(sack=blocks) if blocks else None
    return [s.seq for s in solo.feed(ACK, ONE, number, options=options)]


def test_three_losses_of_ten_are_recovered_in_one_round_trip() -> None:
    """1001, 3001 and 5001 are lost. RFC 6675 5: recovery at the third duplicate, ssthresh = 5,000; a hole is lost once
    more than 2,000 bytes beyond it are here, and is sent while the pipe has room."""
    solo = in_flight()
    assert ack(solo, 1001, (2001, 3001)) == []
    assert ack(solo, 1001, (4001, 5001), (2001, 3001)) == []
    # The pipe after the first retransmission: 1001, 3001, 5001 and the last four = 7,000.
    assert ack(solo, 1001, (6001, 7001), (4001, 5001), (2001, 3001)) == [1001]
    congestion = solo.tcb.congestion
    assert congestion is not None
    assert congestion.ssthresh == 5000
    # 3001 is lost now (3,000 beyond it), but the pipe holds 1001, 5001 and the last three: 5,000, no room.
    assert ack(solo, 1001, (6001, 8001), (4001, 5001), (2001, 3001)) == []
    # 5001 is lost too: 1001 and the last two are on their way, 3,000; room for both.
    assert ack(solo, 1001, (6001, 9001), (4001, 5001), (2001, 3001)) == [3001, 5001]
    assert ack(solo, 1001, (6001, 10_001), (4001, 5001), (2001, 3001)) == []
    assert ack(solo, 1001, (6001, 11_001), (4001, 5001), (2001, 3001)) == []
    assert ack(solo, 3001, (6001, 11_001), (4001, 5001)) == []  # a partial ACK: 3001 is on its way already
    assert ack(solo, 5001, (6001, 11_001)) == []
    assert congestion.in_recovery
    assert ack(solo, 11_001) == []
    assert not congestion.in_recovery
    assert congestion.cwnd <= 5000
    assert solo.stack.counters.TcpRetransSegs == 3
    assert solo.stack.counters.TcpExtTCPFastRetrans == 1


def test_one_ack_with_enough_sack_blocks_begins_recovery() -> None:
    """RFC 6675 5: no third duplicate is awaited if the first hole is lost by (4) IsLost: ACKs may have been lost."""
    solo = in_flight()
    assert ack(solo, 1001, (2001, 6001)) == [1001]


def test_new_data_fills_the_pipe() -> None:
    """RFC 6675 4, NextSeg (2): 1001 is lost, nine are here; the pipe is the retransmission alone: four new segments."""
    solo = in_flight(SACK.replace(limited_transmit=False), 30_000)
    assert ack(solo, 1001, (2001, 11_001)) == [1001, 11_001, 12_001, 13_001, 14_001]


def test_an_ack_without_new_sack_information_is_no_duplicate() -> None:
    """RFC 6675 2: a duplicate ACK is one that carries new SACK information."""
    solo = in_flight()
    for _ in range(5):
        assert ack(solo, 1001, (2001, 3001)) == []
    for _ in range(5):
        assert ack(solo, 1001) == []
    assert ack(solo, 1001, (501, 1001)) == []  # a D-SACK
    assert ack(solo, 1001, (50_001, 60_001)) == []  # nonsense


def test_a_timeout_retransmits_what_is_not_sacked() -> None:
    """1001 to 2001 alone are missing: the timeout retransmits them and nothing else."""
    solo = in_flight(SACK)
    ack(solo, 1001, (3001, 11_001))
    mark = len(solo.log)
    solo.advance(60.0)
    assert {s.seq for _, s in solo.log[mark:]} <= {1001, 2001}


def test_after_reneging_everything_is_retransmitted() -> None:
    """RFC 2018 8: blocks are advice. 2001 to 11001 was reported, 1001 is acknowledged, and then nothing more."""
    solo = in_flight()
    ack(solo, 1001, (2001, 11_001))
    ack(solo, 2001)
    mark = len(solo.log)
    solo.advance(120.0)
    again = [s.seq for _, s in solo.log[mark:]]
    assert set(again) == {2001}
    assert ack(solo, 3001)[0] == 3001


@pytest.mark.parametrize("on", [True, False])
def test_limited_transmit(on: bool) -> None:
    """RFC 3042: the first and second duplicate each let one new segment out; the third retransmits."""
    solo = in_flight(rfc9293().replace(limited_transmit=on), 30_000, sack=False)
    assert ack(solo, 1001) == ([11_001] if on else [])
    assert ack(solo, 1001) == ([12_001] if on else [])
    assert ack(solo, 1001) == [1001]


@pytest.mark.parametrize(("config", "growth"), [(rfc9293(), 1000), (freebsd(), 2000), (linux(), 4000)])
def test_growth_in_slow_start(config: TcpConfig, growth: int) -> None:
    """An ACK of four segments: RFC 5681 3.1 one MSS at most, RFC 3465 with L = 2 two, Linux all four."""
    solo = in_flight(config, 10_000, sack=False)
    congestion = solo.tcb.congestion
    assert congestion is not None
    assert congestion.cwnd == 10_000
    ack(solo, 5001)
    assert congestion.cwnd == 10_000 + growth


@pytest.mark.parametrize("sack", [True, False])
@pytest.mark.parametrize("lost", [{3}, {3, 4}, {3, 7, 9}, {2, 5, 8, 11, 14}, set(range(4, 12))])
def test_with_sack_every_loss_is_retransmitted_once(lost: set[int], sack: bool) -> None:
    """60,000 bytes; the path loses some segments. All data arrives, and with SACK each loss is retransmitted once."""
    config = rfc9293().replace(sack=sack, mss=1000, rto_min=0.2)
    texts = {"seen": 0}

    def link(now: float, sender: str, segment, nth: int) -> list[float]:  # type: ignore[no-untyped-def]
        if sender == "a" and segment.payload:
            texts["seen"] += 1
            if texts["seen"] in lost:
                return []
        return [0.05]

    pair = Pair(config, config, link=link)
    client, server = pair.connect()
    data = bytes(range(250)) * 240
    pair.send(client, data)
    got = b""
    for _ in range(200):
        pair.run(pair.now + 0.05)
        got += pair.read(server) or b""
    assert got == data
    if sack and len(lost) < 6:
        assert pair.stacks["a"].counters.TcpRetransSegs == len(lost)
        assert pair.stacks["a"].counters.TcpExtTCPTimeouts == 0


def test_a_window_that_is_not_used_does_not_grow() -> None:
    """Linux, tcp_is_cwnd_limited, ten segments of window: two at a time do not widen it, in slow start six do up to
    twelve, ten that fill it do by all that is acknowledged."""
    for size, windows in ((2, [10]), (6, [11, 12, 12, 12, 12, 12]), (10, list(range(11, 21)))):
        solo = Solo(linux().replace(timestamps=False))
        solo.establish(options=Options(mss=1000))
        solo.call(send, bytes(1000 * size))
        congestion = solo.tcb.congestion
        assert congestion is not None
        for k, segments in enumerate(windows):
            ack(solo, 2001 + 1000 * k)
            assert congestion.cwnd == 1000 * segments
    solo = in_flight(rfc9293(), sack=False)
    congestion = solo.tcb.congestion
    assert congestion is not None
    ack(solo, 11_001)
    solo.call(send, b"x")
    ack(solo, 11_002)
    assert congestion.cwnd == 11_001  # RFC 5681 asks for no such thing
