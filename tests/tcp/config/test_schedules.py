"""When SYNs and SYN-ACKs are sent, and when the sender times out, if nobody answers."""

import pytest

from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import freebsd, linux, linux_classic, profile, rfc793, rfc9293, windows
from netsim.tcp.errors import ConnectionTimedOut
from netsim.tcp.segment import ACK, SYN, Options
from netsim.tcp.state import CLOSED, SYN_RECEIVED, SYN_SENT
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Pair, Solo

# Each row: the times of all SYNs, and the time at which connect() fails, in seconds.
SYN_SCHEDULES = {
    "rfc9293": ([0, 1, 3, 7, 15, 31, 63, 127], 255),  # RFC 6298 5.5; RFC 9293 3.8.3 wants at least 180 s
    "rfc793": ([0, 1, 3, 7, 15, 31, 63, 127], 255),
    "linux": ([0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67], 131),  # tcp_syn_linear_timeouts 4, tcp_syn_retries 6
    "linux_classic": ([0, 1, 3, 7, 15, 31, 63], 127),  # ip-sysctl.rst: "127 seconds"
    "freebsd": ([0, 1, 3.2, 7.4, 15.6, 31.8, 64.0], 75),  # rexmit_slop 200 ms; TCPTV_KEEP_INIT 75 s
    "windows": ([0, 3, 9], 21),  # TcpMaxConnectRetransmissions 2, TcpInitialRTT 3 s
}
# Each row: seconds from the SYN to every SYN-ACK, and to the end of the SYN-RECEIVED entry.
SYNACK_SCHEDULES = {
    "rfc9293": ([0, 1, 3, 7, 15, 31, 63, 127], 255),
    "rfc793": ([0, 1, 3, 7, 15, 31, 63, 127], 255),
    "linux": ([0, 1, 3, 7, 15, 31], 63),  # tcp_synack_retries 5
    "linux_classic": ([0, 1, 3, 7, 15, 31], 63),
    "freebsd": ([0, 1, 3.2, 7.4], 15.6),  # SYNCACHE_MAXREXMTS 3
}


def _time_of_failure(solo: Solo) -> float:
    while solo.tcb.state is not CLOSED:
        solo.advance(solo.stack.next_deadline() / 1e9)
    return solo.now


@pytest.mark.parametrize("name", SYN_SCHEDULES)
def test_syns_that_nobody_answers(name: str) -> None:
    times, end = SYN_SCHEDULES[name]
    solo = Solo(profile(name))
    solo.open()
    assert _time_of_failure(solo) == pytest.approx(end, abs=1e-9)
    assert [t for t, _ in solo.log] == pytest.approx(times, abs=1e-9)
    assert all(s.flags == SYN and s.seq == 1000 for _, s in solo.log)
    assert isinstance(solo.tcb.error, ConnectionTimedOut)
    counters = solo.stack.counters
    assert counters.TcpActiveOpens == 1
    assert counters.TcpAttemptFails == (name != "freebsd")  # there the user timeout comes first
    assert counters.TcpExtTCPSynRetrans == counters.TcpRetransSegs == len(times) - 1
    assert solo.stack.connections == {}


def _syn_received(config: TcpConfig) -> Solo:
    solo = Solo(config)
    solo.stack.listen(80, 8)
    solo.feed(SYN, PEER_ISS, flow=TO_PORT_80, options=Options(mss=1460))
    (solo.tcb,) = solo.stack.connections.values()
    return solo


@pytest.mark.parametrize("name", SYNACK_SCHEDULES)
def test_synacks_that_nobody_answers(name: str) -> None:
    times, end = SYNACK_SCHEDULES[name]
    solo = _syn_received(profile(name))
    assert _time_of_failure(solo) == pytest.approx(end, abs=1e-9)
    assert [t for t, _ in solo.log] == pytest.approx(times, abs=1e-9)
    assert all(s.flags == SYN | ACK and s.seq == 1000 and s.ack == PEER_ISS + 1 for _, s in solo.log)
    assert solo.stack.listeners[80].syn_queue_length == 0


def test_r2_of_a_syn_is_at_least_three_minutes() -> None:
    """RFC 9293 3.8.3, MUST-23. Linux and Windows do not obey it."""
    assert sum(rfc9293().syn_intervals()) == sum(rfc793().syn_intervals()) == 255 >= 180
    assert sum(rfc9293().synack_intervals()) == 255
    for config in (linux(), linux_classic(), windows()):
        assert sum(config.syn_intervals()) < 180


@pytest.mark.parametrize(
    ("config", "times", "end"),
    [
        # A maximum RTO: 1 2 4 4 4.
        (rfc9293().replace(rto_max=4.0, syn_retries=4), [0, 1, 3, 7, 11], 15),
        # The maximum RTO cuts Linux's schedule: 1 1 1 1 1 2 3 3.
        (linux().replace(rto_max=3.0, syn_retries=3), [0, 1, 2, 3, 4, 5, 7, 10], 13),
        # The maximum limits the sum of back-off and slop: 1 2.2 4.2 5.
        (freebsd().replace(rto_max=5.0, syn_retries=3), [0, 1, 3.2, 7.4], 12.4),
        # No retransmission at all.
        (rfc9293().replace(syn_retries=0), [0], 1),
        # tcp_syn_backoff, of older BSDs and XNU: a table whose last entry is repeated.
        (
            rfc9293().replace(syn_backoff=BackOff(multipliers=(1, 1, 1, 1, 1, 2, 4, 8)), syn_retries=8),
            [0, 1, 2, 3, 4, 5, 7, 11, 19],
            27,
        ),
        # The timeout of the OPEN call comes before R2.
        (rfc9293().replace(connect_timeout=10.0), [0, 1, 3, 7], 10),
    ],
)
def test_variants_of_the_schedule(config: TcpConfig, times: list[float], end: float) -> None:
    solo = Solo(config)
    solo.open()
    assert _time_of_failure(solo) == pytest.approx(end, abs=1e-9)
    assert [t for t, _ in solo.log] == pytest.approx(times, abs=1e-9)


def test_intervals_of_the_configuration() -> None:
    assert linux().syn_transmissions == 11
    assert linux().syn_intervals() == (1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64)
    assert freebsd().synack_intervals() == pytest.approx((1, 2.2, 4.2, 8.2))
    assert windows().syn_intervals() == (3, 6, 12)


def test_the_synack_schedule_does_not_depend_on_syn_retries() -> None:
    """The SYN-ACKs of a passive OPEN have a schedule of their own."""
    solo = _syn_received(linux().replace(syn_retries=0))
    assert solo.tcb.state is SYN_RECEIVED
    assert _time_of_failure(solo) == pytest.approx(63)


def test_a_simultaneous_open_keeps_the_syn_schedule() -> None:
    """SYN-RECEIVED after an active OPEN is still this OPEN: its SYN-ACKs follow the schedule and R2 of its SYN."""
    solo = Solo(rfc9293().replace(synack_retries=0, syn_retries=3))
    solo.open()
    solo.advance(0.5)
    assert [s.flags for s in solo.feed(SYN, PEER_ISS)] == [SYN | ACK]
    assert _time_of_failure(solo) == pytest.approx(15)
    assert [(t, s.flags) for t, s in solo.log] == [
        (0, SYN), (0.5, SYN | ACK), (1, SYN | ACK), (3, SYN | ACK), (7, SYN | ACK),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "synacks"),
    [
        # Client SYNs at 0 and 1 arrive at .05 and 1.05; the server's SYN-ACKs are all lost.
        ("ack", [0.05, 1.05, 3.05, 7.05]),  # only the timer sends SYN-ACKs; each SYN draws an ACK
        ("synack", [0.05, 1.05, 1.05, 3.05, 3.05, 7.05, 7.05]),  # FreeBSD: one by the timer, and one for each SYN
        ("synack-rearm", [0.05, 1.05, 1.05, 3.05, 3.05, 7.05, 7.05]),  # at equal times the timer is first, so both
    ],
)
def test_duplicate_syns_by_policy(policy: str, synacks: list[float]) -> None:
    server = rfc9293().replace(duplicate_syn=policy)
    pair = Pair(rfc9293(), server, link=lambda now, who, s, nth: [0.05] if who == "a" else [])
    listener, client = pair.socket("b"), pair.socket("a")
    listener.listen(80)
    client.connect("b", 80, 0)
    pair.run(10)
    sent = [(t, s) for t, who, s, _ in pair.wire if who == "b"]
    assert [t for t, s in sent if s.flags == SYN | ACK] == pytest.approx(synacks, abs=1e-9)
    assert [t for t, s in sent if s.flags == ACK] == ([1.05, 3.05, 7.05] if policy == "ack" else [])
    assert client.state is SYN_SENT


def test_a_duplicate_syn_restarts_the_linux_synack_timer() -> None:
    """tcp_check_req: the SYN-ACK timer moves to now + (timeout << times); triggered SYN-ACKs are 500 ms apart."""
    solo = _syn_received(linux())
    for at, answered in ((0.7, True), (0.9, False), (1.3, True)):
        assert solo.advance(at) == []
        assert bool(solo.feed(SYN, PEER_ISS, flow=TO_PORT_80)) is answered
    assert [round(t, 9) for t, _ in solo.advance(5)] == [2.3, 4.3]  # 1.3 + 1, then + 2
