"""Where the RFC's text, its figures and real hosts differ; and the hazards of RFC 1337."""

import pytest

from netsim.tcp import clauses
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import freebsd, linux, rfc793, rfc9293
from netsim.tcp.errors import ConnectionReset
from netsim.tcp.segment import Segment
from netsim.tcp.state import TIME_WAIT
from tests.tcp.figures import OLD_TEXT, TEXT, Before, check_states, config, established, figure_12, quiet, replay
from tests.tcp.harness import RfcPair, flags_of, flow_from, reach, shown


@pytest.mark.parametrize("policy", ["ack", "synack", "synack-rearm"])
def test_retransmitted_syn_in_syn_received(policy: str) -> None:
    """RFC 9293 3.10.7.4 answers with a bare ACK, which SYN-SENT drops; BSD and Linux with the SYN-ACK again."""
    pair = RfcPair(config(100), config(300, duplicate_syn=policy))
    pair.listen("B")
    pair.open("A")
    pair.deliver("A")
    pair.drop("B")  # the SYN-ACK is lost
    pair.wait(0.5)
    pair.inject(Segment(flow_from("A"), 100, 0, flags_of("SYN"), 1000))
    answer = "<SEQ=301><ACK=101><CTL=ACK>" if policy == "ack" else "<SEQ=300><ACK=101><CTL=SYN,ACK>"
    assert [shown(s) for s in pair.net["B"]] == [answer]
    pair.deliver("B")
    check_states(pair, 0, "SYN-SENT" if policy == "ack" else "ESTABLISHED", "SYN-RECEIVED")
    assert pair.ends["A"].clauses == ([clauses.SYN_SENT_5_NEITHER] if policy == "ack" else [])
    # The SYN-ACK timer, 1 s from the first SYN-ACK, was restarted by Linux at 0.5 s.
    pair.net["A"].clear()
    pair.wait(0.5)
    by_timer = [s for s in pair.sent if s == "B <SEQ=300><ACK=101><CTL=SYN,ACK>"]
    assert len(by_timer) == {"ack": 2, "synack": 3, "synack-rearm": 2}[policy]
    pair.wait(0.5)
    by_timer = [s for s in pair.sent if s == "B <SEQ=300><ACK=101><CTL=SYN,ACK>"]
    assert len(by_timer) == {"ack": 2, "synack": 3, "synack-rearm": 3}[policy]


@pytest.mark.parametrize(
    ("policy", "segment", "restarts"),
    [
        ("never", ("FIN,ACK", 300, 101), False),  # taken literally: its number, RCV.NXT-1, is refused before step 8
        ("fin", ("FIN,ACK", 300, 101), True),
        ("fin", ("ACK", 300, 101), False),
        ("fin", ("FIN,ACK", 299, 101), False),  # a FIN of some other connection: its number is not the one taken
        ("any", ("ACK", 300, 101), True),
        ("any", ("FIN", 300, 0), False),  # Linux asks for ACK
    ],
)
def test_restart_of_2msl(policy: str, segment: tuple[str, int, int], restarts: bool) -> None:
    """A retransmitted FIN is always acknowledged; whether it restarts the 2MSL timer is a policy."""
    pair, before = figure_12(rfc9293().replace(time_wait_restart=policy))
    replay("12", pair, before, lines={1, 2, 3, 4})
    pair.drop("A")  # the last ACK is lost
    pair.wait(100.0)
    names, seq, ack = segment
    pair.net["B"].clear()
    pair.inject(Segment(flow_from("B"), seq, ack, flags_of(names), 1000))
    assert shown(pair.net["A"][-1]) == "<SEQ=101><ACK=301><CTL=ACK>"
    pair.wait(139.999)
    assert str(pair.state("A")) == "TIME-WAIT"
    pair.wait(0.001)
    assert str(pair.state("A")) == ("TIME-WAIT" if restarts else "CLOSED")
    pair.wait(100.0)
    assert str(pair.state("A")) == "CLOSED"


@pytest.mark.parametrize("rule", ["none", "rfc1122", "rfc6191", "sequence-or-timestamp"])
@pytest.mark.parametrize("seq", [300, 302])
def test_a_syn_in_time_wait(rule: str, seq: int) -> None:
    """B's FIN had number 300. An old SYN draws an ACK, but silence where RFC 6191 decides; a newer one opens again."""
    pair, before = figure_12(rfc9293().replace(time_wait_reuse=rule))
    replay("12", pair, before, lines={1, 2, 3, 4, 5})
    pair.sockets["A"].reuse_address = True
    pair.sockets["A"] = pair.socket("A")
    pair.sockets["A"].reuse_address = True
    pair.sockets["A"].listen(1000)
    pair.inject(Segment(flow_from("B"), seq, 0, flags_of("SYN"), 1000))
    answers = [shown(s) for s in pair.net["A"]]
    if rule == "none" or seq == 300:
        assert answers == ([] if rule == "rfc6191" else ["<SEQ=101><ACK=301><CTL=ACK>"])
        assert str(pair.state("A")) == "TIME-WAIT"
    else:
        # The ISS that the constant policy gives, 99, was used before: 65,537 beyond the last number instead.
        assert answers == ["<SEQ=65638><ACK=303><CTL=SYN,ACK>"]
        assert str(pair.state("A")) == "SYN-RECEIVED"


# RFC 1337


@pytest.mark.parametrize("policy", ["accept", "ignore"])
def test_rfc_1337_figure_1_assassination(policy: str) -> None:
    """An old duplicate draws an ACK, the ACK a RST, and the RST ends TIME-WAIT; fix F1 ignores the RST."""
    pair, before = figure_12(rfc9293().replace(time_wait_rst=policy))
    replay("12", pair, before, lines={1, 2, 3, 4, 5})
    replay("1337-1", pair, {}, lines={"5.1", "5.2"})
    pair.deliver("B")
    assert str(pair.state("A")) == ("CLOSED" if policy == "accept" else "TIME-WAIT")
    assert pair.sent[-1] == "B <SEQ=301><CTL=RST>"
    assert quiet(pair)


@pytest.mark.parametrize(("after", "state"), [(1.999, "TIME-WAIT"), (2.0, "CLOSED")])
def test_rfc_1337_fix_f2_ignores_resets_for_two_seconds(after: float, state: str) -> None:
    """W = 2 s: long enough for both timestamp clocks to tick, so that PAWS protects the next incarnation."""
    pair, before = figure_12(rfc9293().replace(time_wait_rst="ignore-2s"))
    replay("12", pair, before, lines={1, 2, 3, 4, 5})
    pair.wait(after)
    replay("1337-1", pair, {}, lines={"5.1", "5.2"})
    pair.deliver("B")
    assert str(pair.state("A")) == state
    assert (clauses.RFC1337_F2 in pair.ends["A"].clauses) == (state == "TIME-WAIT")


@pytest.mark.parametrize("policy", ["ignore", "ignore-2s"])
def test_an_ignored_reset_draws_no_challenge_ack(policy: str) -> None:
    """F1: "ignore RST segments in TIME-WAIT state", those whose number lies elsewhere in the window, too."""
    pair, before = figure_12(rfc9293().replace(time_wait_rst=policy))
    replay("12", pair, before, lines={1, 2, 3, 4, 5})
    pair.inject(Segment(flow_from("B"), 305, 0, flags_of("RST"), 0))
    assert quiet(pair)
    assert str(pair.state("A")) == "TIME-WAIT"


def test_rfc_1337_figure_2_old_data() -> None:
    """H1: 80 old bytes at 560 are queued; new data overlaps them; 40 wrong bytes are delivered."""
    pair = established(config(399, nagle=False), config(100))
    replay(
        "1337-2",
        pair,
        {
            1: lambda p: p.call("A", "send", TEXT),
            5: lambda p: p.call("A", "send", TEXT),
            "7a": lambda p: p.call("A", "send", TEXT),
            "9a": lambda p: p.call("A", "send", TEXT),
        },
    )
    received = pair.call("B", "receive", 10_000)
    # Bytes 600 to 639 are the old ones; A's own bytes there were cut off as already received.
    assert received == TEXT + TEXT + OLD_TEXT[40:] + TEXT[40:] + TEXT


def test_rfc_1337_figure_3_endless_acks() -> None:
    """H2: B acknowledges 40 bytes that A never sent: A answers with an ACK, that is old for B, and so on."""
    pair = established(config(399, nagle=False), config(100))
    sends: Before = {line: lambda p: p.call("A", "send", TEXT) for line in (1, 5)}
    replay("1337-2", pair, sends, lines={1, 2, 3, 4, 5, 6})
    replay("1337-3", pair, {})
    for _ in range(50):
        pair.deliver("A")
        pair.deliver("B")
    assert pair.sent[-2:] == ["B <SEQ=101><ACK=640><CTL=ACK>", "A <SEQ=600><ACK=101><CTL=ACK>"]


def figure_4_pair(base: TcpConfig) -> tuple[RfcPair, Before]:
    pair = RfcPair(config(100, base), config(400, base, receive_buffer=800))
    pair.listen("B")
    return pair, {2: lambda p: p.open("A")}


def test_rfc_1337_figure_4_under_rfc_793() -> None:
    """H3: the RST that A sends for an old duplicate lies in B's window [101, 901) and kills B's half of the OPEN."""
    pair, before = figure_4_pair(rfc793())
    replay("1337-4", pair, before)
    assert quiet(pair)
    assert isinstance(pair.sockets["A"].tcb.error, ConnectionReset)


def test_rfc_1337_figure_4_under_rfc_9293() -> None:
    """RST SEQ=123 is not RCV.NXT=101: B sends a challenge ACK and the OPEN succeeds."""
    pair, before = figure_4_pair(rfc9293())
    replay("1337-4", pair, before, lines={1, 2, 3, 4})
    pair.deliver("A")  # line 5
    check_states(pair, 5, "SYN-SENT", "SYN-RECEIVED")
    assert pair.sent[-1] == "B <SEQ=401><ACK=101><CTL=ACK>"
    assert pair.ends["B"].clauses == [clauses.CHECK_2_CHALLENGE_ACK]
    pair.deliver("B")  # line 6
    assert str(pair.state("A")) == "ESTABLISHED"
    pair.settle()
    check_states(pair, 8, "ESTABLISHED", "ESTABLISHED")


@pytest.mark.parametrize("base", [rfc9293(), rfc793()], ids=lambda c: c.name)
def test_order_of_the_rst_checks(base: TcpConfig) -> None:
    """The number comes before the RST: out of window is silence, although any other segment there draws an ACK."""
    pair = established(config(99, base), config(299, base, receive_buffer=1000))
    pair.inject(Segment(flow_from("A"), 1100, 0, flags_of("RST"), 0))  # RCV.NXT + RCV.WND
    assert quiet(pair)
    assert str(pair.state("B")) == "ESTABLISHED"
    pair.inject(Segment(flow_from("A"), 1099, 0, flags_of("RST"), 0))  # the window's last number
    if base.rst_policy == "rfc5961":
        assert [shown(s) for s in pair.net["B"]] == ["<SEQ=300><ACK=100><CTL=ACK>"]
        assert str(pair.state("B")) == "ESTABLISHED"
        pair.inject(Segment(flow_from("A"), 100, 0, flags_of("RST"), 0))  # RCV.NXT
    # B had a listener; its connection is gone.
    assert pair.tcb("B") is None


# TIME-WAIT by FreeBSD's own rules (sys/netinet/tcp_timewait.c, tcp_twcheck)

NATIVE = freebsd().replace(time_wait_checks="no-window", time_wait_reuse="sequence", isn=ConstantIsn(1000))


@pytest.mark.parametrize(
    ("names", "seq", "ack", "answered"),
    [
        ("ACK", 5002, 1002, False),  # the ACK that is due
        ("ACK", 5002, 1001, True),
        ("ACK", 5003, 1002, True),
        ("ACK", 90_000, 1002, True),  # no window is looked at
        ("FIN,ACK", 5001, 1002, True),
        ("SYN,ACK", 5002, 1002, True),
        ("SYN", 5002, 0, False),  # not beyond RCV.NXT, and no ACK
        ("FIN", 5001, 0, False),
        ("RST", 5002, 0, False),
        ("RST,ACK", 5002, 1002, False),
    ],
)
def test_freebsd_in_time_wait(names: str, seq: int, ack: int, answered: bool) -> None:
    lone = reach("TIME-WAIT", NATIVE)
    assert lone.arrive(names, seq, ack) == (["<SEQ=1002><ACK=5002><CTL=ACK>"] if answered else [])
    assert lone.state is TIME_WAIT


@pytest.mark.parametrize(("seq", "ack", "answered"), [(5002, 1002, False), (5003, 1002, True), (5002, 1001, False)])
def test_linux_acknowledges_all_but_the_expected_ack(seq: int, ack: int, answered: bool) -> None:
    """net/ipv4/tcp_minisocks.c: a bare ACK at RCV.NXT is taken, whatever it acknowledges."""
    lone = reach("TIME-WAIT", linux().replace(isn=ConstantIsn(1000), timestamps=False))
    assert bool(lone.arrive("ACK", seq, ack)) is answered
