"""Sending data: segments, PSH, Nagle, buffers, half-close, data before ESTABLISHED."""

import itertools

import pytest

from netsim.tcp.config.profiles import linux, rfc9293
from netsim.tcp.errors import ConnectionClosing, InsufficientResources
from netsim.tcp.segment import ACK, FIN, PSH, RST, SYN, Options
from netsim.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, TIME_WAIT
from netsim.tcp.user_calls import close, make_orphan, receive, send, status
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Pair, Solo

ONE = PEER_ISS + 1


def _open(config=None, **arguments):  # type: ignore[no-untyped-def]
    solo = Solo(config if config is not None else rfc9293())
    solo.establish(**arguments)
    return solo


# Segments


def test_data_is_segmented_by_the_mss_and_the_last_segment_has_psh() -> None:
    """The smaller of the peer's MSS and our own; PSH where the data ends (RFC 9293 3.9.1, MUST-61)."""
    solo = _open(options=Options(mss=1000))
    sent = solo.call(send, bytes(2500) + b"z" * 500)
    assert [(s.seq, len(s.payload), s.flags) for s in sent] == [
        (1001, 1000, ACK),
        (2001, 1000, ACK),
        (3001, 1000, ACK | PSH),
    ]
    assert sent[2].payload == bytes(500) + b"z" * 500


@pytest.mark.parametrize(
    ("options", "config", "size"),
    [
        (None, rfc9293(), 536),  # RFC 9293 3.7.1, MUST-15: no MSS option
        (Options(), rfc9293(), 536),
        (Options(mss=1460), rfc9293(), 1460),
        (Options(mss=9000), rfc9293(), 1460),  # no more than we announced
        (Options(mss=1000), rfc9293().replace(mss=800), 800),
        (Options(mss=1460, ts_val=1), rfc9293().replace(timestamps=True), 1448),  # RFC 6691: less 12 for timestamps
        (Options(mss=1), rfc9293(), 1),
        (Options(mss=0), rfc9293(), 536),  # nonsense counts as absent
    ],
)
def test_size_of_a_full_segment(options: Options | None, config, size: int) -> None:  # type: ignore[no-untyped-def]
    solo = _open(config, options=options)
    assert len(solo.call(send, bytes(4000))[0].payload) == size


def test_the_syn_carries_what_the_profile_offers() -> None:
    (syn,) = Solo(rfc9293()).open()
    assert syn.options == Options(mss=1460)
    (syn,) = Solo(linux()).open()
    assert syn.options is not None
    assert (syn.options.mss, syn.options.wscale, syn.options.sack_permitted) == (1460, 10, True)
    assert syn.options.ts_val is not None
    assert syn.options.ts_ecr == 0


# Nagle (RFC 9293 3.7.4)


def test_nagle_delays_a_small_segment_while_data_is_in_flight() -> None:
    solo = _open(options=Options(mss=1000))
    assert [s.payload for s in solo.call(send, b"a")] == [b"a"]
    assert solo.call(send, b"b") == []
    assert solo.call(send, b"c") == []
    assert [s.payload for s in solo.feed(ACK, ONE, 1002)] == [b"bc"]
    assert [len(s.payload) for s in solo.call(send, bytes(2100))] == [1000, 1000]
    assert [len(s.payload) for s in solo.feed(ACK, ONE, 1004)] == []  # full segments are still outstanding
    assert [len(s.payload) for s in solo.feed(ACK, ONE, 3004)] == [100]


def test_without_nagle_all_data_is_sent_immediately() -> None:
    solo = _open(rfc9293().replace(nagle=False))
    assert [s.payload for x in b"abc" for s in solo.call(send, bytes([x]))] == [b"a", b"b", b"c"]
    solo = _open()
    solo.tcb.nodelay = True  # the socket option
    assert [s.payload for x in b"abc" for s in solo.call(send, bytes([x]))] == [b"a", b"b", b"c"]


def test_a_segment_with_fin_is_not_delayed_by_nagle() -> None:
    solo = _open()
    solo.call(send, b"a")
    solo.call(send, b"b")
    assert [(s.payload, s.flags) for s in solo.call(close)] == [(b"b", ACK | PSH | FIN)]


# The sender's silly window (RFC 9293 3.8.6.2.1)


def test_no_small_segment_is_sent_into_an_almost_full_window() -> None:
    """Window 2300, MSS 1000: two segments, and not the 300 bytes that would still fit."""
    solo = _open(options=Options(mss=1000), window=2300)
    assert [len(s.payload) for s in solo.call(send, bytes(5000))] == [1000, 1000]
    assert [len(s.payload) for s in solo.feed(ACK, ONE, 2001, window=1300)] == []  # 300 bytes usable
    assert [len(s.payload) for s in solo.feed(ACK, ONE, 3001, window=2300)] == [1000, 1000]


def test_half_of_the_largest_window_is_enough_for_a_segment() -> None:
    """A peer whose whole window is smaller than the MSS: segments of at least half of it."""
    solo = _open(options=Options(mss=1000), window=600)
    assert [len(s.payload) for s in solo.call(send, bytes(2000))] == [600]
    assert solo.feed(ACK, ONE, 1601, window=299) == []
    assert [len(s.payload) for s in solo.feed(ACK, ONE, 1601, window=300)] == [300]


def test_a_small_segment_is_sent_when_the_override_timer_expires() -> None:
    """Nothing is in flight and the window is too small for a segment: after the override timeout it is used.

    RFC 9293 3.8.6.2.1, (4): min(D,U), here the hundred bytes that the window takes.
    """
    solo = _open(options=Options(mss=1000), window=600)
    solo.call(send, bytes(2000))
    solo.feed(ACK, ONE, 1601, window=100)
    sent = solo.advance(solo.now + 1.0)
    assert [len(s.payload) for _, s in sent] == [100]


# Buffers


def test_the_send_buffer_is_bounded() -> None:
    solo = _open(rfc9293().replace(send_buffer=3000), window=1000)
    solo.call(send, bytes(2900))
    with pytest.raises(InsufficientResources):
        solo.call(send, bytes(101))
    solo.call(send, bytes(100))
    solo.feed(ACK, ONE, 1001 + 536, window=1000)
    solo.call(send, bytes(536))
    state = status(solo.tcb)
    assert (state.unacknowledged, state.unsent) == (1000 // 536 * 536, 3000 - 536)


def test_a_socket_takes_as_much_as_fits() -> None:
    pair = Pair(rfc9293().replace(send_buffer=1000, receive_buffer=500))
    client, server = pair.connect()
    assert pair.send(client, bytes(1600)) == 1000
    assert pair.send(client, b"x") == 0
    pair.run(pair.now + 1)
    assert pair.send(client, bytes(1600)) == 500  # what the peer's window let go
    assert pair.read(server) == bytes(500)


# Half-close


def test_half_close_by_either_end() -> None:
    pair = Pair()
    client, server = pair.connect()
    pair.send(client, b"question")
    pair.shutdown(client)
    pair.run(pair.now + 1)
    assert (client.state, server.state) == (FIN_WAIT_2, CLOSE_WAIT)
    with pytest.raises(ConnectionClosing):
        pair.send(client, b"more")
    assert [pair.read(server), pair.read(server)] == [b"question", b""]
    answer = bytes(range(256)) * 40
    pair.send(server, answer)
    pair.run(pair.now + 1)
    assert pair.read(client) == answer
    pair.shutdown(server)
    assert server.state is LAST_ACK
    pair.run(pair.now + 1)
    assert (client.state, server.state) == (TIME_WAIT, CLOSED)
    assert pair.read(client) == b""


def test_data_given_before_close_is_sent_before_the_fin() -> None:
    """CLOSE: "queue this request until all preceding SENDs have been segmentized; then send FIN" (3.10.4)."""
    solo = _open(rfc9293().replace(congestion="none"), options=Options(mss=1000), window=2000)
    solo.call(send, bytes(4000))
    solo.call(close)
    assert solo.tcb.state is FIN_WAIT_1
    assert all(not s.flags & FIN for _, s in solo.log)
    sent = solo.feed(ACK, ONE, 3001, window=3000)
    assert [(s.seq, len(s.payload), s.flags) for s in sent] == [(3001, 1000, ACK), (4001, 1000, ACK | PSH | FIN)]
    solo.feed(ACK, ONE, 5002)
    assert solo.tcb.state is FIN_WAIT_2


def test_data_for_an_orphaned_connection_is_answered_by_a_reset() -> None:
    """RFC 9293 3.6.1, SHLD-3."""
    solo = _open()
    solo.call(close)
    solo.call(make_orphan)
    solo.feed(ACK, ONE, 1002)
    (reset,) = solo.feed(ACK, ONE, 1002, data=b"late")
    assert (reset.flags, reset.seq) == (RST, 1002)
    assert solo.tcb.state is CLOSED
    assert solo.stack.counters.TcpExtTCPAbortOnData == 1


# Before ESTABLISHED


def test_the_final_ack_of_the_handshake_carries_data_given_in_syn_sent() -> None:
    solo = Solo(rfc9293())
    solo.open()
    assert solo.call(send, b"hello") == []
    solo.advance(0.1)
    (third,) = solo.feed(SYN | ACK, PEER_ISS, 1001)
    assert (third.seq, third.ack, third.payload, third.flags) == (1001, ONE, b"hello", ACK | PSH)


def test_a_final_ack_with_data_makes_the_server_established() -> None:
    pair = Pair()
    listener, client = pair.socket("b"), pair.socket("a")
    listener.listen(80)
    client.connect("b", 80, 0)
    pair.send(client, b"hello")
    pair.run(1)
    assert [(s.flags, s.payload) for _, _, s, _ in pair.wire][:3] == [
        (SYN, b""),
        (SYN | ACK, b""),
        (ACK | PSH, b"hello"),
    ]
    server = listener.accept()
    assert server is not None
    assert pair.read(server) == b"hello"


def test_close_in_syn_received_waits_for_the_data_given_before() -> None:
    """3.10.4: "if data is queued, queue for processing after entering ESTABLISHED"."""
    solo = Solo(rfc9293())
    solo.open()
    solo.call(send, b"hello")
    solo.feed(SYN, PEER_ISS)
    solo.call(close)
    (answer,) = solo.feed(ACK, ONE, 1001)
    assert (answer.payload, answer.flags) == (b"hello", ACK | PSH | FIN)
    assert solo.tcb.state is FIN_WAIT_1


SYN_DATA = {"queue": (ONE, b"hello", ONE + 5), "drop": (ONE, None, ONE), "accept": (ONE + 5, b"hello", ONE + 5)}


@pytest.mark.parametrize("policy", SYN_DATA)
def test_data_on_a_syn(policy: str) -> None:
    """Kept until ESTABLISHED (3.10.7.2), left for the peer to retransmit, or accepted immediately."""
    synack_ack, data, final_ack = SYN_DATA[policy]
    solo = Solo(rfc9293().replace(syn_data=policy))
    listener, _ = solo.stack.listen(80, 8)
    (synack,) = solo.feed(SYN, PEER_ISS, data=b"hello", flow=TO_PORT_80)
    assert synack.ack == synack_ack
    solo.feed(ACK, synack_ack, 1001, flow=TO_PORT_80)
    solo.tcb = listener.accept_queue[0]
    assert solo.read() == data
    assert solo.tcb.rcv_nxt == final_ack
    # The peer retransmits it, as it must unless its SYN-ACK took it: nobody reads it twice.
    solo.feed(ACK, ONE, 1001, data=b"hello", flow=TO_PORT_80)
    assert solo.read() == (b"hello" if policy == "drop" else None)
    assert solo.tcb.rcv_nxt == ONE + 5


@pytest.mark.parametrize("policy", SYN_DATA)
def test_data_and_fin_on_a_syn(policy: str) -> None:
    """A whole conversation in one segment: SYN, data, FIN (RFC 9293 3.10.7.2: other controls are queued)."""
    solo = Solo(rfc9293().replace(syn_data=policy))
    listener, _ = solo.stack.listen(80, 8)
    solo.feed(SYN | FIN, PEER_ISS, data=b"hello", flow=TO_PORT_80)
    ack = SYN_DATA[policy][0]
    solo.feed(ACK, ack, 1001, flow=TO_PORT_80)
    solo.tcb = listener.accept_queue[0]
    if policy == "drop":
        assert solo.tcb.state is ESTABLISHED
        solo.feed(FIN | ACK, ONE, 1001, data=b"hello", flow=TO_PORT_80)
    assert solo.tcb.state is CLOSE_WAIT
    assert solo.tcb.rcv_nxt == ONE + 6
    assert [solo.read(), solo.read()] == [b"hello", b""]


def test_data_on_a_syn_ack_is_accepted() -> None:
    solo = Solo(rfc9293())
    solo.open()
    (ack,) = solo.feed(SYN | ACK, PEER_ISS, 1001, data=b"banner")
    assert ack.ack == ONE + 6
    assert solo.read() == b"banner"


def test_receive_returns_at_most_the_size_asked_for() -> None:
    solo = _open()
    solo.feed(ACK, ONE, 1001, data=b"abcdef")
    assert [solo.read(4), solo.read(4), solo.read(4)] == [b"abcd", b"ef", None]
    assert receive(solo.tcb, 0, solo.ns) is None


def test_every_segment_but_the_first_syn_acknowledges() -> None:
    """RFC 9293 3.10.7.4: once a connection is established ACK is always set."""
    pair = Pair()
    client, server = pair.connect()
    pair.send(client, bytes(9000))
    pair.send(server, bytes(9000))
    pair.close(client)
    pair.run(300)
    flags = [s.flags for _, _, s, _ in pair.wire]
    assert flags[0] == SYN
    assert all(f & (ACK | RST) for f in flags[1:])
    assert list(itertools.islice((who for _, who, _, _ in pair.wire), 3)) == ["a", "b", "a"]
