"""Flow control: window updates, the closed window and its probes, silly windows, window scaling."""

import pytest

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.tcp.errors import ConnectionTimedOut
from netsim.tcp.segment import ACK, FIN, PSH, RST, SYN, Options
from netsim.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_2
from netsim.tcp.timers import NEVER, PERSIST
from netsim.tcp.user_calls import close, send
from tests.tcp.harness import FLOW_IN, PEER_ISS, TO_PORT_80, Pair, Solo

ONE = PEER_ISS + 1
S = 10**9


def _open(config: TcpConfig | None = None, **arguments) -> Solo:  # type: ignore[no-untyped-def]
    solo = Solo(config if config is not None else rfc9293())
    solo.establish(**arguments)
    return solo


# Updates (RFC 9293 3.10.7.4, fifth: ACK)


def test_an_old_segment_must_not_shrink_the_window() -> None:
    """SND.WL1 and SND.WL2: a segment sent earlier, and one that acknowledges less, say nothing about the window now."""
    solo = _open(window=1000)
    solo.call(send, bytes(536))
    solo.feed(ACK, ONE + 3, 1001, window=4000, data=b"x")  # arrives before the three bytes in front of it
    assert solo.tcb.snd_wnd == 4000
    solo.feed(ACK, ONE, 1001, window=10, data=b"xxx")  # SEG.SEQ < SND.WL1
    assert solo.tcb.snd_wnd == 4000
    solo.feed(ACK, ONE + 4, 1537, window=3000)
    assert solo.tcb.snd_wnd == 3000
    solo.feed(ACK, ONE + 4, 1001, window=10)  # same number, SEG.ACK < SND.WL2
    assert solo.tcb.snd_wnd == 3000
    solo.feed(ACK, ONE + 4, 1537, window=500)  # as new as the last one: it may
    assert solo.tcb.snd_wnd == 500


def test_updates_across_the_wrap() -> None:
    solo = Solo(rfc9293(), iss=2**32 - 2)
    solo.open()
    solo.feed(SYN | ACK, 2**32 - 3, 2**32 - 1, window=1000)
    (segment,) = solo.call(send, b"xyz")
    assert segment.seq == 2**32 - 1
    solo.feed(ACK, 2**32 - 2, 2, window=700, data=b"abcd")
    assert (solo.tcb.snd_wnd, solo.tcb.snd_una, solo.tcb.rcv_nxt) == (700, 2, 2)
    solo.feed(ACK, 2**32 - 1, 2, window=9)
    assert solo.tcb.snd_wnd == 700


@pytest.mark.parametrize("passive", [True, False])
@pytest.mark.parametrize("irs", [PEER_ISS, 2**31 + PEER_ISS])
def test_updates_behind_a_close_in_syn_received(irs: int, passive: bool) -> None:
    """SND.WL1 is the SYN's number there: no ACK of the SYN sets it, and it must not refuse half of all numbers."""
    solo = Solo(iss=1000)
    flow = TO_PORT_80 if passive else FLOW_IN
    if passive:
        solo.stack.listen(80, 1)
    else:
        solo.open()
    solo.feed(SYN, irs, window=100, flow=flow)
    solo.tcb = solo.stack.connections[flow]
    solo.call(close)
    assert solo.tcb.snd_wnd == 100
    solo.feed(ACK, irs + 1, 1002, window=5000, flow=flow)
    assert (solo.tcb.state, solo.tcb.snd_wnd) == (FIN_WAIT_2, 5000)


# The closed window (RFC 9293 3.8.6.1)


def test_an_open_window_ends_probing_immediately() -> None:
    """The byte that the probe carried and the peer refused does not wait for the next probe, nor for a time-out."""
    solo = _open(rfc9293().replace(zero_window_probe="one-byte", nagle=False), window=0)
    solo.call(send, b"abcd")
    ((_, probe),) = solo.advance(solo.now + 1)
    assert (probe.seq, probe.payload) == (1001, b"a")
    assert solo.feed(ACK, ONE, 1001, window=0) == []
    sent = solo.feed(ACK, ONE, 1001, window=1000)
    assert b"".join(segment.payload for segment in sent) == b"abcd"
    assert sent[0].seq == 1001
    assert solo.tcb.deadlines[PERSIST] == NEVER
    again = solo.advance(solo.now + 1)  # it is data like any other now, under the retransmission timer
    assert [segment.seq for _, segment in again] == [1001]


@pytest.mark.parametrize("kind", ["one-byte", "empty"])
def test_probes_of_a_closed_window_back_off(kind: str) -> None:
    """First after one RTO (1 s), then doubled; one byte at SND.UNA, or none at SND.UNA - 1."""
    solo = _open(rfc9293().replace(zero_window_probe=kind), window=0)
    assert solo.call(send, b"hello") == []
    for at in (1.1, 3.1, 7.1, 15.1):
        ((time, probe),) = solo.advance(at + 0.01)
        assert time == pytest.approx(at)
        assert (probe.seq, probe.payload) == ((1001, b"h") if kind == "one-byte" else (1000, b""))
        solo.feed(ACK, ONE, 1001, window=0)
    assert solo.tcb.state is ESTABLISHED
    solo.feed(ACK, ONE, 1001, window=500)
    (rest,) = [s for _, s in solo.log[-1:]]
    assert (rest.seq, rest.payload) == ((1001, b"h") if kind == "one-byte" else (1001, b"hello"))
    if kind == "one-byte":
        (rest,) = solo.feed(ACK, ONE, 1002, window=500)
        assert (rest.seq, rest.payload) == (1002, b"ello")
    assert solo.feed(ACK, ONE, 1006, window=500) == []
    assert solo.advance(2000) == []


def test_probe_intervals_have_the_ceiling_of_the_rto() -> None:
    solo = _open(rfc9293().replace(rto_max=4.0, user_timeout=None), window=0)
    solo.call(send, b"hello")
    assert [t - 0.1 for t, _ in solo.advance(16)] == pytest.approx([1, 3, 7, 11, 15])


@pytest.mark.parametrize("kind", ["one-byte", "empty"])
def test_a_second_closed_window_starts_probing_afresh(kind: str) -> None:
    solo = _open(rfc9293().replace(zero_window_probe=kind, nagle=False), window=0)
    solo.call(send, b"xy")
    solo.advance(8)
    solo.feed(ACK, ONE, 1002 if kind == "one-byte" else 1001, window=2)  # the probe's byte was taken
    solo.feed(ACK, ONE, 1003, window=0)
    start = solo.now
    solo.call(send, b"z")
    assert [round(t - start, 6) for t, _ in solo.advance(start + 4)] == [solo.tcb.rto / S, 3 * solo.tcb.rto / S]


@pytest.mark.parametrize("kind", ["one-byte", "empty"])
@pytest.mark.parametrize("config", [rfc9293(), linux().replace(timestamps=False, window_scale=None)])
def test_a_window_may_stay_closed_without_end(config: TcpConfig, kind: str) -> None:
    """MUST-37: the connection stays open as long as the peer acknowledges the probes."""
    solo = _open(config.replace(zero_window_probe=kind), window=0)
    solo.call(send, b"hello")
    while solo.now < 20_000:
        solo.advance(solo.stack.next_deadline() / S)
        solo.feed(ACK, ONE, 1001, window=0)
    assert solo.tcb.state is ESTABLISHED
    solo.feed(ACK, ONE, 1001, window=100)
    assert solo.log[-1][1].payload


@pytest.mark.parametrize("kind", ["one-byte", "empty"])
@pytest.mark.parametrize(
    ("config", "low", "high"),
    [
        (rfc9293(), 300, 430),  # the user timeout, noticed by the next probe at the latest
        (linux().replace(timestamps=False, window_scale=None), 924, 1200),  # R2
    ],
)
def test_a_peer_that_answers_no_probe_is_aborted(config: TcpConfig, low: float, high: float, kind: str) -> None:
    solo = _open(config.replace(zero_window_probe=kind), window=0)
    solo.advance(5000)
    solo.call(send, b"hello")
    while solo.tcb.state is ESTABLISHED and solo.now < 9000:
        solo.advance(solo.stack.next_deadline() / S)
    assert low <= solo.now - 5000 <= high
    assert isinstance(solo.tcb.error, ConnectionTimedOut)


@pytest.mark.parametrize("kind", ["one-byte", "empty"])
def test_a_fin_behind_a_closed_window(kind: str) -> None:
    """Data fills the window to the last byte; the FIN waits until the user has read."""
    receiver = rfc9293().replace(receive_buffer=1000)
    pair = Pair(rfc9293().replace(zero_window_probe=kind), receiver)
    client, server = pair.connect()
    pair.send(client, bytes(1000))
    pair.shutdown(client)
    pair.run(pair.now + 20)
    assert server.state is ESTABLISHED
    assert pair.read(server) == bytes(1000)
    pair.run(pair.now + 20)
    assert pair.read(server) == b""
    assert (client.state, server.state) == (FIN_WAIT_2, CLOSE_WAIT)


@pytest.mark.parametrize("kind", ["one-byte", "empty"])
def test_a_lost_window_update_is_recovered_by_a_probe(kind: str) -> None:
    """What the persist timer is for: the ACK that reopens the window is lost, and both ends would wait without end."""
    lost: list[float] = []

    def link(now: float, who: str, segment, nth: int) -> list[float]:  # type: ignore[no-untyped-def]
        if who == "b" and segment.window and now > 3 and not lost:
            lost.append(now)
            return []
        return [0.05]

    pair = Pair(rfc9293().replace(zero_window_probe=kind), rfc9293().replace(receive_buffer=1000), link=link)
    client, server = pair.connect()
    pair.send(client, bytes(1500))
    pair.run(4)
    assert pair.read(server) == bytes(1000)
    pair.run(30)
    assert lost == [4]
    assert pair.read(server) == bytes(500)


def test_a_receiver_with_a_closed_window_still_takes_acks() -> None:
    """MUST-66: with RCV.WND = 0 the ACK field of a segment at RCV.NXT counts, its data does not."""
    solo = _open(rfc9293().replace(receive_buffer=4))
    solo.call(send, b"mine")
    solo.feed(ACK, ONE, 1001, data=b"full")
    assert solo.tcb.rcv_wnd == 0
    (answer,) = solo.feed(ACK | PSH, ONE + 4, 1005, data=b"p")
    assert (answer.ack, answer.window) == (ONE + 4, 0)
    assert solo.tcb.snd_una == 1005
    assert solo.read() == b"full"


# The receiver's silly window (RFC 9293 3.8.6.2.2)


def test_a_closed_window_excuses_no_other_number() -> None:
    """MUST-66 is for what starts at RCV.NXT: beyond it a RST is dropped in silence, data and its ACK do nothing."""
    solo = _open(rfc9293().replace(receive_buffer=4))
    solo.feed(ACK, ONE, 1001, data=b"abcd")
    assert solo.tcb.rcv_wnd == 0
    solo.call(send, b"xy")
    assert solo.feed(RST, ONE + 5, 0) == []
    (answer,) = solo.feed(ACK, ONE + 5, 1003, data=b"f")
    assert (answer.seq, answer.ack, answer.flags, solo.tcb.snd_una) == (1003, ONE + 4, ACK, 1001)
    assert solo.tcb.state is ESTABLISHED
    assert solo.feed(RST, ONE + 4, 0) == []
    assert solo.tcb.state is CLOSED


def test_the_window_opens_by_a_segment_or_half_the_buffer() -> None:
    """Clark: the right edge stays until min(buffer / 2, MSS) can be offered at once."""
    solo = _open(rfc9293().replace(receive_buffer=2000, mss=1000, delayed_ack=None), options=Options(mss=1000))
    (ack,) = solo.feed(ACK, ONE, 1001, data=bytes(2000))
    assert ack.window == 0
    for _ in range(9):
        solo.read(100)
        assert solo.log[-1][1] is ack  # 900 bytes are free, but no window update is sent
    assert solo.feed(ACK, ONE - 1, 1001)[0].window == 0  # nor does an answer offer them
    solo.read(100)
    assert solo.log[-1][1].window == 1000


def test_the_window_never_shrinks_from_the_right() -> None:
    pair = Pair(rfc9293(), rfc9293().replace(receive_buffer=3000))
    client, server = pair.connect()
    pair.send(client, bytes(20_000))
    for k in range(200):
        pair.run(pair.now + 0.03)
        pair.read(server, 50 + 37 * (k % 11))
    edges = [s.ack + s.window for _, who, s, _ in pair.wire if who == "b"]
    base = edges[0]
    relative = [(edge - base) & 0xFFFFFFFF for edge in edges]
    assert relative == sorted(relative)
    assert relative[-1] > 10_000


# Window scaling (RFC 7323 2)


def _server(config: TcpConfig, syn: Options) -> tuple[Solo, Options, int]:
    solo = Solo(config)
    listener, _ = solo.stack.listen(80, 8)
    (synack,) = solo.feed(SYN, PEER_ISS, window=60_000, options=syn, flow=TO_PORT_80)
    solo.feed(ACK, ONE, 1001, window=100, flow=TO_PORT_80)
    solo.tcb = listener.accept_queue[0]
    assert synack.options is not None
    return solo, synack.options, synack.window


def test_scaling_needs_both_ends_and_spares_the_syn() -> None:
    big = rfc9293().replace(receive_buffer=1 << 20, window_scale=5)
    solo, options, window = _server(big, Options(mss=1000, wscale=3))
    assert (options.wscale, window) == (5, 65535)  # unscaled on a SYN
    assert solo.tcb.snd_wnd == 100 << 3
    (ack,) = solo.feed(ACK, ONE - 1, 1001, flow=TO_PORT_80)
    assert ack.window == (1 << 20) >> 5
    solo, options, window = _server(big, Options(mss=1000))
    assert (options.wscale, solo.tcb.snd_wnd) == (None, 100)
    assert solo.feed(ACK, ONE - 1, 1001, flow=TO_PORT_80)[0].window == 65535
    solo, options, window = _server(big.replace(window_scale=None), Options(mss=1000, wscale=3))
    assert (options.wscale, solo.tcb.snd_wnd) == (None, 100)


def test_the_window_of_a_syn_ack_is_not_scaled() -> None:
    solo = _open(rfc9293().replace(window_scale=2), window=1000, options=Options(mss=536, wscale=7))
    assert solo.tcb.snd_wnd == 1000
    solo.feed(ACK, ONE, 1001, window=1000)
    assert solo.tcb.snd_wnd == 128_000


def test_a_shift_beyond_fourteen_counts_as_fourteen() -> None:
    """RFC 7323 2.3; the largest window is then 65535 * 2**14 = 1,073,725,440 bytes."""
    solo = _open(rfc9293().replace(window_scale=14), options=Options(mss=536, wscale=15))
    assert solo.tcb.snd_wscale == 14
    solo.feed(ACK, ONE, 1001, window=65535)
    assert solo.tcb.snd_wnd == 1_073_725_440
    with pytest.raises(ValueError, match="window_scale = 15"):
        rfc9293().replace(window_scale=15)


def test_scaled_windows_carry_more_than_64_kb_a_round_trip() -> None:
    """200 kB in flight needs scaling: without it the transfer takes a round trip for each 64 kB."""

    def seconds(scale: int | None) -> float:
        config = rfc9293().replace(receive_buffer=1 << 20, window_scale=scale, congestion="none", nagle=False)
        pair = Pair(config, delay=0.4)
        client, server = pair.connect(wait=2)
        pair.send(client, bytes(200_000))
        while (server.tcb.rcv_nxt - server.tcb.irs - 1) < 200_000:  # type: ignore[union-attr]
            assert pair.step(100 * S)
        return pair.now - 2

    assert seconds(5) == pytest.approx(0.4 + 0.8, abs=0.01)  # 65 kB while the client knows only the SYN's window
    assert seconds(None) == pytest.approx(0.4 + 3 * 0.8, abs=0.01)  # 44 segments of 1460 a round trip, in four of them


def test_a_connection_with_a_closed_window_ends_in_order() -> None:
    """A FIN for a connection whose window is closed and whose user reads later: nothing hangs."""
    solo = _open(rfc9293().replace(receive_buffer=4))
    solo.feed(ACK, ONE, 1001, data=b"full")
    assert solo.feed(FIN | ACK, ONE + 4, 1001)[0].ack == ONE + 4  # not taken: no room for its number
    assert solo.read() == b"full"
    assert solo.feed(FIN | ACK, ONE + 4, 1001)[0].ack == ONE + 5
    assert solo.tcb.state is CLOSE_WAIT
    solo.call(close)
    solo.feed(ACK, ONE + 5, 1002)
    assert solo.tcb.state is CLOSED
