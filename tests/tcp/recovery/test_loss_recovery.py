"""What the path does to data, and what puts it right: reassembly, fast retransmit, time-outs, long lossy transfers."""

import itertools
import random

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import freebsd, linux, rfc9293
from netsim.tcp.recovery.reassembly import Reassembly
from netsim.tcp.segment import ACK, FIN, Options, Segment
from netsim.tcp.state import CLOSE_WAIT
from netsim.tcp.user_calls import send
from tests.tcp.harness import PEER_ISS, Link, Pair, Solo

ONE = PEER_ISS + 1
S = 10**9
MSS_1000 = Options(mss=1000)


def _open(config: TcpConfig | None = None, **arguments) -> Solo:  # type: ignore[no-untyped-def]
    solo = Solo(config if config is not None else rfc9293())
    solo.establish(**arguments)
    return solo


# Reassembly


@pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
def test_five_segments_in_every_order(order: tuple[int, ...]) -> None:
    """Whatever the order, the user reads the same; each ACK names the first gap; FIN counts once all data is here."""
    solo = _open()
    here: set[int] = set()
    for k in order:
        flags = FIN | ACK if k == 4 else ACK
        sent = solo.feed(flags, ONE + 10 * k, 1001, data=bytes([65 + k]) * 10)
        here.add(k)
        gap = next(i for i in range(6) if i not in here)
        if sent:
            assert sent[-1].ack == ONE + 10 * gap + (gap == 5)
        assert solo.tcb.rcv_nxt == ONE + 10 * gap + (gap == 5)
        solo.tcb.check()
    assert solo.read() == b"AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEEEEEEEEE"
    assert solo.read() == b""
    assert solo.tcb.state is CLOSE_WAIT
    assert solo.tcb.reassembly is None


@pytest.mark.parametrize("seed", range(40))
def test_overlapping_segments_in_random_order(seed: int) -> None:
    """Segments that overlap at random and cover the data: every byte is delivered once, across the wrap too."""
    rng = random.Random(f"overlap/{seed}")
    data = rng.randbytes(300)
    irs = rng.choice([PEER_ISS, 2**32 - 150, 2**32 - 1])
    solo = Solo(rfc9293())
    solo.open()
    solo.feed(0x12, irs, 1001)
    pieces = [(a, a + rng.randrange(1, 60)) for a in (rng.randrange(300) for _ in range(30))]
    pieces += [(a, a + 50) for a in range(0, 300, 50)]
    rng.shuffle(pieces)
    got = b""
    for a, b in pieces:
        solo.feed(ACK, (irs + 1 + a) % 2**32, 1001, data=data[a:b])
        got += solo.read() or b""
        assert data.startswith(got)
    assert got == data


def test_bytes_that_arrived_first_are_kept_unless_in_order_data_replaces_them() -> None:
    """RFC 9293 leaves it open. This is what RFC 1337's first hazard needs: old data queued behind a gap is believed."""
    queue = Reassembly()
    queue.insert(110, b"OLDOLD", 100)
    queue.insert(108, b"newnewnewnew", 100)  # 108 to 120
    assert [(block.seq, bytes(block.data)) for block in queue.blocks] == [(108, b"neOLDOLDwnew")]
    assert len(queue) == 12
    assert queue.take(100) == b""
    assert queue.take(112) == b"DOLDwnew"  # data in order came up to 112
    assert len(queue) == 0


def test_reassembly_in_the_connection_keeps_no_more_than_the_window() -> None:
    solo = _open(rfc9293().replace(receive_buffer=100))
    solo.feed(ACK, ONE + 50, 1001, data=bytes(500))
    assert len(solo.tcb.reassembly or ()) == 50
    solo.feed(ACK, ONE, 1001, data=b"x" * 50)
    assert solo.read() == b"x" * 50 + bytes(50)


# Fast retransmit (RFC 5681 3.2, RFC 6582)


def test_the_third_duplicate_ack_retransmits_the_lost_segment() -> None:
    solo = _open(options=MSS_1000)
    sent = solo.call(send, bytes(10_000))
    assert len(sent) == 10  # RFC 6928: ten segments
    assert solo.feed(ACK, ONE, 1001) == []
    assert solo.feed(ACK, ONE, 1001) == []
    assert [(s.seq, len(s.payload)) for s in solo.feed(ACK, ONE, 1001)] == [(1001, 1000)]
    assert solo.stack.counters.TcpExtTCPFastRetrans == 1
    congestion = solo.tcb.congestion
    assert congestion is not None
    assert (congestion.ssthresh, congestion.cwnd) == (5000, 8000)  # half the flight, and three segments that left
    # A partial ACK: the next hole, at once (RFC 6582 3.2).
    assert [s.seq for s in solo.feed(ACK, ONE, 4001)] == [4001]
    solo.feed(ACK, ONE, 11_001)
    assert not congestion.in_recovery
    assert congestion.cwnd <= 5000


@pytest.mark.parametrize(
    "disguise", [{"window": 65534}, {"data": b"x"}, {"seq": ONE - 1}], ids=["window update", "data", "old number"]
)
def test_what_is_no_duplicate_ack(disguise: dict) -> None:  # type: ignore[type-arg]
    """RFC 5681 2: no data, no SYN or FIN, the same window, and data outstanding."""
    solo = _open(options=MSS_1000)
    solo.call(send, bytes(3000))
    for k in range(6):
        fields = {"seq": ONE, **disguise}
        if "window" in disguise:
            fields["window"] -= k
        if "data" in disguise:
            fields["seq"] += k
        solo.feed(ACK, fields.pop("seq"), 1001, **fields)
    assert solo.stack.counters.TcpExtTCPFastRetrans == 0


def test_slow_start_then_congestion_avoidance() -> None:
    solo = _open(rfc9293().replace(initial_window=2), options=MSS_1000)
    solo.call(send, bytes(200_000))
    congestion = solo.tcb.congestion
    assert congestion is not None
    assert congestion.cwnd == 2000
    solo.feed(ACK, ONE, 2001)
    solo.feed(ACK, ONE, 3001)
    assert congestion.cwnd == 4000  # one MSS per ACK: doubled in a round trip
    congestion.ssthresh = 4000
    for k in range(4, 8):
        solo.feed(ACK, ONE, k * 1000 + 1)
    assert congestion.cwnd == pytest.approx(5000, abs=100)  # one MSS per window


def test_after_a_timeout_the_window_is_one_segment() -> None:
    solo = _open(options=MSS_1000)
    solo.call(send, bytes(10_000))
    solo.advance(1.2)
    assert [s.seq for _, s in solo.log[-1:]] == [1001]
    congestion = solo.tcb.congestion
    assert congestion is not None
    assert (congestion.cwnd, congestion.ssthresh) == (1000, 5000)


# A whole window lost


@pytest.mark.parametrize("congestion", ["newreno", "none"])
def test_a_whole_lost_window_is_retransmitted_in_a_few_round_trips(congestion: str) -> None:
    """Ten segments vanish. One time-out, then 1, 2, 3, 3, 1 segments a round trip: not a time-out for each.

    The first and the last of them wait for a delayed ACK (.2 s); without congestion control two round trips do.
    """

    def link(now: float, who: str, segment: Segment, nth: int) -> list[float]:
        return [] if who == "a" and now == 1.0 else [0.05]

    pair = Pair(rfc9293().replace(congestion=congestion), link=link)
    client, server = pair.connect()
    data = random.Random(5).randbytes(14_600)
    pair.send(client, data)
    pair.run(2.66)
    assert pair.read(server) == data
    pair.run(10)
    assert pair.stacks["a"].counters.TcpExtTCPTimeouts == 1


# Long transfers over bad paths


def _bad_link(seed: int, *, loss: float, reorder: float = 0.0, duplicate: float = 0.0, delay: float = 0.01) -> Link:
    rng = random.Random(f"link/{seed}")

    def link(now: float, who: str, segment: Segment, nth: int) -> list[float]:
        if rng.random() < loss:
            return []
        late = rng.random() < reorder
        copies = [delay + (rng.random() * 5 * delay if late else 0)]
        return [*copies, delay * 3] if rng.random() < duplicate else copies

    return link


def _transfer(pair: Pair, data: bytes, limit: float) -> bytes:
    client, server = pair.connect(wait=20)
    sent, got = 0, bytearray()
    while pair.now < limit and len(got) < len(data):
        if sent < len(data):
            sent += pair.send(client, data[sent : sent + 65536])
        got += pair.read(server) or b""
        if not pair.step(round(limit * S)):
            break
    return bytes(got)


@pytest.mark.parametrize("config", [linux(), freebsd(), rfc9293().replace(rto_min=0.2)], ids=lambda c: c.name)
def test_a_megabyte_over_a_lossy_reordering_path(config: TcpConfig) -> None:
    data = random.Random(1).randbytes(1_000_000)
    pair = Pair(config, link=_bad_link(3, loss=0.1, reorder=0.1, duplicate=0.02))
    assert _transfer(pair, data, 2000) == data
    assert pair.stacks["a"].counters.TcpRetransSegs > 50


def test_a_transfer_in_both_directions_at_once() -> None:
    one, two = random.Random(1).randbytes(100_000), random.Random(2).randbytes(100_000)
    pair = Pair(linux(), rfc9293().replace(rto_min=0.2), link=_bad_link(4, loss=0.05, reorder=0.2))
    client, server = pair.connect(wait=20)
    pair.send(client, one)
    pair.send(server, two)
    pair.shutdown(client)
    pair.shutdown(server)
    up, down = bytearray(), bytearray()
    while pair.step(500 * S):
        up += pair.read(server) or b""
        down += pair.read(client) or b""
    assert up == one
    assert down == two
