"""Every timer of RFC 9293 3.8 and RFC 6298, against instants worked out by hand."""

from types import SimpleNamespace

import pytest

from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.profiles import freebsd, linux, profile, rfc9293
from netsim.tcp.errors import ConnectionTimedOut
from netsim.tcp.recovery.rto import MdevEstimator, RttEstimator
from netsim.tcp.segment import ACK, FIN, RST, SYN, Options
from netsim.tcp.state import CLOSED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, TIME_WAIT
from netsim.tcp.user_calls import close, make_orphan, send
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Pair, Solo

ONE = PEER_ISS + 1  # the peer's first number after its SYN
S = 10**9
PLAIN = linux().replace(timestamps=False, window_scale=None, sack=False)


# RFC 6298: the estimator


def test_estimator_by_hand() -> None:
    """1 s: SRTT 1, RTTVAR .5, RTO 3. 2 s: .625, 1.125, 3.625. 1.5 s: .5625, 1.171875, 3.421875."""
    bounds = {"granularity": 0, "variance_floor": 0, "minimum": 0, "maximum": 60 * S}
    rtt = RttEstimator.first(1 * S)
    assert rtt.rto(**bounds) == 3 * S
    rtt.update(2 * S)
    assert (rtt.srtt, rtt.rttvar, rtt.rto(**bounds)) == (1_125_000_000, 625_000_000, 3_625_000_000)
    rtt.update(1_500_000_000)
    assert (rtt.srtt, rtt.rttvar, rtt.rto(**bounds)) == (1_171_875_000, 562_500_000, 3_421_875_000)


def test_linux_estimator_by_hand() -> None:
    """tcp_rtt_estimator, samples of 1 s, each in a round trip of its own: RTO 3, 3, then 1 + 2 - (2 - 1.125) / 4 s.

    RFC 6298 would have 3, 2.5, 2.125 s.
    """
    bounds = {"granularity": 0, "variance_floor": S // 5, "minimum": S // 5, "maximum": 120 * S}
    rtt = MdevEstimator.first(S, S // 5, snd_nxt=1)
    assert rtt.rto(**bounds) == 3 * S
    rtt.update(S, S // 5, snd_una=2, snd_nxt=2)
    assert (rtt.rttvar, rtt.rto(**bounds)) == (375_000_000, 3 * S)
    rtt.update(S, S // 5, snd_una=3, snd_nxt=3)
    assert rtt.rto(**bounds) == 2_781_250_000


def test_linux_estimator_raises_the_deviation_little_when_the_rtt_falls() -> None:
    """1.1 s, then .1 s: the deviation grows by (1 - 2.2 / 4) / 8 s to 2.25625 s, SRTT is .975 s. RFC 6298: 3.625 s."""
    rtt = MdevEstimator.first(1_100_000_000, S // 5, snd_nxt=1)
    rtt.update(S // 10, S // 5, snd_una=2, snd_nxt=2)
    assert rtt.rto(0, S // 5, S // 5, 120 * S) == 3_231_250_000
    rtt.update(2 * S, S // 5, snd_una=2, snd_nxt=2)  # and follows one that rises at once
    assert rtt.rto(0, S // 5, S // 5, 120 * S) == 1_103_125_000 + 2_717_187_500


def test_estimator_bounds() -> None:
    rtt = RttEstimator.first(S // 10)  # RTO .3 s without bounds
    bounds = {"granularity": 0, "variance_floor": 0, "minimum": 0, "maximum": 60 * S}
    assert rtt.rto(**bounds) == 300_000_000
    assert rtt.rto(**{**bounds, "minimum": S}) == S  # RFC 6298 2.4
    assert rtt.rto(**{**bounds, "maximum": S // 5}) == S // 5
    assert rtt.rto(**{**bounds, "granularity": S // 2}) == 600_000_000  # SRTT + G
    assert rtt.rto(**{**bounds, "variance_floor": S // 4}) == 350_000_000


def _exchange(solo: Solo, rtt: float) -> None:
    """One byte out, its ACK ``rtt`` later."""
    (segment,) = solo.call(send, b"x")
    solo.advance(solo.now + rtt)
    assert solo.feed(ACK, ONE, segment.seq + 1) == []


def test_rto_through_a_connection() -> None:
    """The same three samples, measured on the SYN and on two segments; the timer expires as long after the next."""
    solo = Solo(rfc9293().replace(rto_initial=2.0, syn_backoff=BackOff(initial=2.0)))
    solo.establish(rtt=1.0)
    assert solo.tcb.rto == 3 * S
    _exchange(solo, 2.0)
    assert solo.tcb.rto == 3_625_000_000
    _exchange(solo, 1.5)
    assert solo.tcb.rto == 3_421_875_000
    start = solo.now
    solo.call(send, b"x")
    assert [round(t - start, 9) for t, _ in solo.advance(start + 11)] == [3.421875, 10.265625]  # then doubled


def test_minimum_rto() -> None:
    """RTT .1 s: RFC 6298 2.4 makes it 1 s, Linux SRTT + 200 ms, FreeBSD SRTT + 4 RTTVAR (floor 30 ms)."""
    for config, rto in ((rfc9293(), 1.0), (PLAIN, 0.3), (freebsd().replace(timestamps=False), 0.3)):
        solo = Solo(config)
        solo.establish(rtt=0.1)
        assert solo.tcb.rto == pytest.approx(rto * S)


# Karn and back-off


def test_karn_ignores_the_ack_of_a_retransmitted_segment_and_keeps_the_back_off() -> None:
    solo = Solo(rfc9293())
    solo.establish(rtt=0.1)  # RTO 1 s
    (segment,) = solo.call(send, b"x")
    estimate = (solo.tcb.rtt.srtt, solo.tcb.rtt.rttvar)  # type: ignore[union-attr]
    assert [round(t, 6) for t, _ in solo.advance(3.2)] == [1.1, 3.1]
    solo.feed(ACK, ONE, segment.seq + 1)
    assert (solo.tcb.rtt.srtt, solo.tcb.rtt.rttvar) == estimate  # type: ignore[union-attr]
    assert solo.tcb.rto == 4 * S  # RFC 6298 5.5, 5.7: kept until a fresh sample
    start = solo.now
    solo.call(send, b"y")
    assert [round(t - start, 6) for t, _ in solo.advance(start + 4)] == [4]
    solo.feed(ACK, ONE, segment.seq + 2)  # repeated as well: still no sample
    assert solo.tcb.rto == 8 * S
    _exchange(solo, 0.1)
    assert solo.tcb.rto == 1 * S


def test_a_synack_retransmitted_for_a_duplicate_syn_gives_no_sample() -> None:
    """Karn: the ACK might belong to either SYN-ACK (BSD's policy, no timestamps)."""
    solo = Solo(rfc9293().replace(duplicate_syn="synack"))
    listener, _ = solo.stack.listen(80, 8)
    solo.feed(SYN, PEER_ISS, flow=TO_PORT_80)
    solo.advance(0.9)
    assert [s.flags for s in solo.feed(SYN, PEER_ISS, flow=TO_PORT_80)] == [SYN | ACK]
    solo.advance(0.95)
    solo.feed(ACK, ONE, 1001, flow=TO_PORT_80)
    assert listener.accept_queue[0].rtt is None


def test_back_off_doubles_up_to_the_ceiling() -> None:
    solo = Solo(rfc9293().replace(rto_max=5.0, user_timeout=None))
    solo.establish(rtt=0.1)
    solo.call(send, b"x")
    times = [t - 0.1 for t, _ in solo.advance(30)]
    assert times == pytest.approx([1, 3, 7, 12, 17, 22, 27])  # 1 2 4 5 5 ...


def test_the_timer_restarts_with_each_ack_and_stops_with_the_last() -> None:
    """RFC 6298 5.1 to 5.3."""
    solo = Solo(rfc9293().replace(nagle=False))
    solo.establish(rtt=0.1)
    for at in (0.1, 0.3, 0.5):
        solo.advance(at)
        solo.call(send, b"x")
    solo.advance(0.7)
    solo.feed(ACK, ONE, 1002)
    rto = solo.tcb.rto / S
    assert [round(t, 6) for t, _ in solo.advance(0.7 + rto)] == [0.7 + rto]
    solo.feed(ACK, ONE, 1004)
    assert solo.advance(60) == []


# RFC 6298 5.7


@pytest.mark.parametrize(("rto_initial", "expected"), [(1.0, 3.0), (3.0, 3.0), (5.0, 5.0)])
def test_three_seconds_after_a_syn_timeout(rto_initial: float, expected: float) -> None:
    """The SYN's timer expired with an RTO below 3 s: data starts with 3 s."""
    solo = Solo(rfc9293().replace(rto_initial=rto_initial))
    solo.open()
    solo.advance(1.2)  # the SYN was repeated at 1 s
    solo.feed(SYN | ACK, PEER_ISS, 1001)
    assert solo.tcb.rtt is None
    solo.call(send, b"x")
    assert [round(t - 1.2, 6) for t, _ in solo.advance(1.2 + expected)] == [expected]


def test_the_three_second_rule_can_be_off() -> None:
    solo = Solo(rfc9293().replace(rto_after_syn_timeout=None))
    solo.open()
    solo.advance(1.2)
    solo.feed(SYN | ACK, PEER_ISS, 1001)
    solo.call(send, b"x")
    assert [round(t - 1.2, 6) for t, _ in solo.advance(2.3)] == [1]


def test_the_server_starts_with_three_seconds_too() -> None:
    solo = Solo(rfc9293())
    listener, _ = solo.stack.listen(80, 8)
    solo.feed(SYN, PEER_ISS, flow=TO_PORT_80)
    solo.advance(1.2)
    solo.feed(ACK, ONE, 1001, flow=TO_PORT_80)
    assert listener.accept_queue[0].rto == 3 * S


def test_rttm_a_lost_synack_inflates_the_first_sample() -> None:
    """With timestamps the retransmitted SYN-ACK echoes the first SYN: sample 1.1 s, RTO = 1.1 + 4 * .55 = 3.3 s."""
    first = {"b": True}

    def link(now: float, who: str, segment, nth: int) -> list[float]:  # type: ignore[no-untyped-def]
        lost = who == "b" and first.pop("b", False)
        return [] if lost else [0.05]

    one_syn = linux().replace(syn_backoff=BackOff(initial=9.0), syn_retries=0)
    server = linux().replace(duplicate_syn="ack")
    pair = Pair(one_syn, server, link=link)
    client, _ = pair.connect(wait=3)
    assert client.state is ESTABLISHED
    assert client.tcb is not None
    assert client.tcb.rto == pytest.approx(3.3 * S, abs=0.005 * S)


def test_rttm_takes_a_sample_from_a_retransmitted_segment() -> None:
    """RFC 7323 4: the echo identifies the transmission that was acknowledged, so Karn's algorithm is not needed."""
    solo = Solo(linux())
    solo.establish(rtt=0.1, options=Options(mss=1460, wscale=7, ts_val=77, ts_ecr=0))
    assert solo.tcb.ts_ok
    (segment,) = solo.call(send, b"x")
    solo.advance(0.7)
    again = solo.log[-1][1]
    assert again.seq == segment.seq
    assert again.options is not None
    before = solo.tcb.rto
    solo.feed(ACK, ONE, segment.seq + 1, options=Options(ts_val=80, ts_ecr=again.options.ts_val or 0))
    assert solo.tcb.rto < before


# R1, R2, user timeout


def _silent(solo: Solo) -> float:
    """Seconds from now until the connection is aborted."""
    start = solo.now
    while solo.tcb.state is not CLOSED:
        solo.advance(solo.stack.next_deadline() / S)
    assert isinstance(solo.tcb.error, ConnectionTimedOut)
    return solo.now - start


@pytest.mark.parametrize(
    ("retries2", "seconds"),
    [(15, 924.6), (8, 102.2), (0, 0.2)],  # ip-sysctl.rst: .2 (2**10 - 1) + 6 * 120; .2 (2**9 - 1)
)
def test_r2_in_linux(retries2: int, seconds: float) -> None:
    """ "A value of 15 yields a hypothetical timeout of 924.6 seconds", with RTO = TCP_RTO_MIN."""
    solo = Solo(PLAIN.replace(retries2=retries2, rto_variance_floor=0.0, r2_measure="count"))
    solo.establish(rtt=0.001)
    assert solo.tcb.rto == S // 5
    solo.call(send, b"x")
    assert _silent(solo) == pytest.approx(seconds)
    assert solo.stack.counters.TcpRetransSegs == retries2


@pytest.mark.parametrize(("rtt", "repeats", "gives_up"), [(0.1, 8, 153.3), (0.6, 5, 113.4)])
def test_r2_of_an_orphan(rtt: float, repeats: int, gives_up: float) -> None:
    """tcp_orphan_retries 0 means 8, which is a time of 102.2 s: "the first RTO which exceeds" it (ip-sysctl.rst).

    RTO .3 s: FINs at 0 .3 .9 2.1 4.5 9.3 18.9 38.1 76.5, and 153.3 is 153 s after the first repetition. RTO 1.8 s: at
    0 1.8 5.4 12.6 27 55.8, and 113.4 is 111.6 s after it.
    """
    solo = Solo(PLAIN)
    solo.establish(rtt=rtt)
    solo.call(close)
    solo.call(make_orphan)
    assert solo.tcb.state is FIN_WAIT_1
    assert _silent(solo) == pytest.approx(gives_up)
    assert solo.stack.counters.TcpRetransSegs == repeats


def test_an_orphan_at_the_maximum_rto_is_aborted() -> None:
    """tcp_orphan_retries counts on an RTO below its bound; at it, the orphan has no more retransmission (alive)."""
    solo = Solo(PLAIN.replace(rto_max=2.0))
    solo.establish(rtt=0.1)
    solo.call(close)
    solo.call(make_orphan)
    assert _silent(solo) == pytest.approx(0.3 + 0.6 + 1.2 + 2.0)


@pytest.mark.parametrize(
    ("rtt", "first"),
    [(0.1, 0.3), (0.4, 1.0), (None, 1.0)],  # RTO .3 < 2 * .1 + .2; 2 * .4 + .2 < RTO 1.2; no sample: 1 s
)
def test_the_first_retransmission_is_a_tail_loss_probe(rtt: float | None, first: float) -> None:
    """RFC 8985 7.2, with the minimum RTO for a delayed ACK: then the RTO from there, twice that, and so on."""
    solo = Solo(PLAIN.replace(sack=True))
    # 1.5 s: the SYN goes out twice, so that there is no sample (Karn) and the RTO is 3 s (RFC 6298 5.7)
    solo.establish(rtt=rtt or 1.5, options=Options(sack_permitted=True))
    rto = 3.0 if rtt is None else rtt + max(0.2, 2 * rtt)
    start, before = solo.now, len(solo.log)
    timeouts = solo.stack.counters.TcpExtTCPTimeouts
    solo.call(send, b"x")
    solo.advance(start + first + 3.5 * rto)
    times = [t - start for t, _ in solo.log[before:]]
    assert times == pytest.approx([0.0, first, first + rto, first + 3 * rto])
    assert solo.stack.counters.TcpExtTCPLossProbes == 1
    assert solo.stack.counters.TcpExtTCPTimeouts == timeouts + 2


def test_without_sack_there_is_no_loss_probe() -> None:
    """RFC 8985 7.1: "the sender MUST" have negotiated SACK; Linux: tcp_is_sack."""
    solo = Solo(PLAIN)
    solo.establish(rtt=0.4)
    before = len(solo.log)
    solo.call(send, b"x")
    solo.advance(0.4 + 1.19)
    assert len(solo.log) == before + 1
    assert solo.stack.counters.TcpExtTCPLossProbes == 0


def test_r1_notifies_the_user() -> None:
    """R1 = 3: after the third retransmission went unanswered the user is notified (RFC 9293 3.8.3)."""
    solo = Solo(rfc9293())
    solo.establish(rtt=0.1)
    owner = SimpleNamespace(waiting=True)
    solo.tcb.owner = owner
    solo.call(send, b"x")
    woken: list[float] = []
    while solo.now < 40:
        solo.ns = min(solo.stack.next_deadline(), 40 * S)
        if any(getattr(action, "owner", None) is owner for action in solo.stack.on_timer(solo.ns)):
            woken.append(solo.now)
    assert woken == [pytest.approx(15.1)]  # 1 + 2 + 4 + 8


def test_user_timeout() -> None:
    """RFC 793's five minutes for data that nobody acknowledges; each ACK of new data starts it again."""
    solo = Solo(rfc9293())
    solo.establish(rtt=0.1)
    solo.call(send, b"x")
    solo.advance(200)
    solo.feed(ACK, ONE, 1002)
    solo.call(send, b"y")
    assert _silent(solo) == pytest.approx(300)
    assert "user timeout" in str(solo.tcb.error)


# Keep-alive


def test_keep_alive_by_the_numbers() -> None:
    """Linux: 7200 s, then nine probes 75 s apart: 7875 s. Off unless asked for (MUST-25)."""
    quiet = Solo(PLAIN)
    quiet.establish(rtt=0.1)
    assert quiet.advance(20_000) == []
    solo = Solo(PLAIN.replace(keepalive=True))
    solo.establish(rtt=0.1)
    assert _silent(solo) == pytest.approx(7875)
    *probes, (_, reset) = solo.log[2:]
    assert (reset.flags, reset.seq) == (RST | ACK, 1001)  # tcp_keepalive_timer: the peer may be there after all
    assert [t - 0.1 for t, _ in probes] == pytest.approx([7200 + 75 * k for k in range(9)])
    assert {(s.seq, s.flags, s.payload) for _, s in probes} == {(1000, ACK, b"")}  # one before SND.NXT
    assert solo.stack.counters.TcpExtTCPKeepAlive == 9


def test_keep_alive_starts_over_when_the_peer_answers() -> None:
    solo = Solo(PLAIN.replace(keepalive=True, keepalive_idle=10.0, keepalive_interval=1.0, keepalive_probes=2))
    solo.establish(rtt=0.1)
    assert [t for t, _ in solo.advance(11.5)] == pytest.approx([10.1, 11.1])
    solo.feed(ACK, ONE, 1001)
    assert [t for t, _ in solo.advance(23)] == pytest.approx([21.5, 22.5])
    assert _silent(solo) == pytest.approx(0.5)


def test_answered_keep_alive_probes_never_end_a_connection_however_far_apart_they_are() -> None:
    """An interval longer than the idle time: each probe was answered (RFC 9293 3.8.4, MUST-27); then two are not."""
    solo = Solo(PLAIN.replace(keepalive=True, keepalive_idle=1.0, keepalive_interval=2.0, keepalive_probes=2))
    solo.establish(rtt=0.1)
    for k in range(5):
        assert [t for t, _ in solo.advance(1.1 + 2 * k)] == pytest.approx([1.1 + 2 * k])
        solo.feed(ACK, ONE, 1001)
    assert solo.tcb.state is ESTABLISHED
    assert _silent(solo) == pytest.approx(6)  # probes 2 and 4 s later, the end at 6 s


def test_keep_alive_waits_while_data_is_in_flight() -> None:
    """RFC 9293 3.8.4, MUST-26: probes only when no sent data is outstanding; that has its own timer."""
    solo = Solo(PLAIN.replace(keepalive=True, keepalive_idle=1.0, keepalive_interval=1.0, keepalive_probes=2))
    solo.establish(rtt=0.1)
    solo.call(send, b"x")
    assert {s.payload for _, s in solo.advance(30)} == {b"x"}
    assert solo.tcb.state is ESTABLISHED


# FIN-WAIT-2 and TIME-WAIT


def _closed_by_us(config_name: str, *, orphan: bool, **changes: object) -> Solo:
    solo = Solo(profile(config_name).replace(timestamps=False, **changes))
    solo.establish(rtt=0.1)
    solo.call(close)
    if orphan:
        solo.call(make_orphan)
    solo.feed(ACK, ONE, 1002)
    assert solo.tcb.state is FIN_WAIT_2
    return solo


def test_an_orphan_waits_sixty_seconds_in_fin_wait_2() -> None:
    solo = _closed_by_us("linux", orphan=True)
    solo.advance(60.099)
    assert solo.tcb.state is FIN_WAIT_2
    solo.advance(60.101)
    assert solo.tcb.state is CLOSED
    assert solo.log[-1][0] < 1  # no segment is sent, and there is no TIME-WAIT


@pytest.mark.parametrize(("name", "orphan"), [("linux", False), ("rfc9293", True)])
def test_fin_wait_2_has_no_end_for_a_half_close_and_in_the_rfc(name: str, *, orphan: bool) -> None:
    solo = _closed_by_us(name, orphan=orphan)
    solo.advance(100_000)
    assert solo.tcb.state is FIN_WAIT_2


def _in_time_wait(name: str, **changes: object) -> Solo:
    solo = _closed_by_us(name, orphan=False, **changes)
    assert [s.ack for s in solo.feed(FIN | ACK, ONE, 1002)] == [ONE + 1]
    assert solo.tcb.state is TIME_WAIT
    return solo


@pytest.mark.parametrize(("name", "seconds"), [("rfc9293", 240), ("linux", 60), ("freebsd", 60), ("windows", 240)])
def test_two_msl(name: str, seconds: float) -> None:
    solo = _in_time_wait(name)
    solo.advance(seconds + 0.09)
    assert solo.tcb.state is TIME_WAIT
    solo.advance(seconds + 0.11)
    assert solo.tcb.state is CLOSED
    assert solo.tcb.error is None


@pytest.mark.parametrize(
    ("policy", "flags", "seq", "restarts"),
    [
        ("never", FIN | ACK, ONE, False),  # the RFC's wording: step one refuses the number
        ("fin", FIN | ACK, ONE, True),  # what step eight means
        ("fin", ACK, ONE - 1, False),
        ("any", FIN | ACK, ONE, True),
        ("any", ACK, ONE - 1, True),  # Linux: any unacceptable segment with ACK
    ],
)
def test_what_restarts_two_msl(policy: str, flags: int, seq: int, restarts: bool) -> None:
    solo = _in_time_wait("rfc9293", time_wait_restart=policy)
    solo.advance(200)
    (answer,) = solo.feed(flags, seq, 1002)
    assert (answer.flags, answer.seq, answer.ack) == (ACK, 1002, ONE + 1)
    solo.advance(250)
    assert (solo.tcb.state is TIME_WAIT) is restarts
    solo.advance(440.01)
    assert solo.tcb.state is CLOSED


def test_time_wait_of_zero_length() -> None:
    solo = _in_time_wait("rfc9293", time_wait=0.0)
    solo.advance(solo.now)
    assert solo.tcb.state is CLOSED


def test_last_ack_is_aborted_by_r2() -> None:
    solo = Solo(PLAIN.replace(retries2=2))
    solo.establish(rtt=0.1)
    solo.feed(FIN | ACK, ONE, 1001)
    solo.call(close)
    assert solo.tcb.state is LAST_ACK
    assert _silent(solo) == pytest.approx(0.3 + 0.6 + 1.2)
