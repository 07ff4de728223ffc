"""RFC 9293 figures 6 to 13, line by line: segments, numbers and both states."""

from typing import Any

import pytest

from netsim.tcp import clauses
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import CounterIsn
from netsim.tcp.config.profiles import linux, rfc793, rfc9293
from netsim.tcp.errors import ConnectionReset
from netsim.tcp.state import LISTEN, SYN_RECEIVED
from tests.tcp.figures import (
    SYMBOLS,
    TEXT,
    Before,
    abandon_listener,
    check_states,
    config,
    established,
    figure_12,
    quiet,
    replay,
)
from tests.tcp.harness import OTHER, RfcPair, shown

BOTH = pytest.mark.parametrize("base", [rfc9293(), rfc793()], ids=lambda c: c.name)


@BOTH
def test_figure_6_basic_handshake(base: TcpConfig) -> None:
    pair = RfcPair(config(100, base), config(300, base))
    pair.listen("B")
    replay("6", pair, {2: lambda p: p.open("A"), 5: lambda p: p.call("A", "send", TEXT)})
    assert pair.sent[-1] == "B <SEQ=301><ACK=201><CTL=ACK>"  # the data is acknowledged, the ACK before it was not
    assert pair.call("B", "receive", 1000) == TEXT


def figure_7(base: TcpConfig) -> tuple[RfcPair, Before]:
    return RfcPair(config(100, base), config(300, base)), {2: lambda p: p.open("A"), 3: lambda p: p.open("B")}


@BOTH
def test_figure_7_as_printed(base: TcpConfig) -> None:
    """Policy "figure": four segments; each end is ESTABLISHED by the other's SYN-ACK."""
    pair, before = figure_7(base.replace(crossed_synack="accept"))
    replay("7", pair, before)
    assert quiet(pair)
    assert pair.sent == [
        "A <SEQ=100><CTL=SYN>",
        "B <SEQ=300><CTL=SYN>",
        "A <SEQ=100><ACK=301><CTL=SYN,ACK>",
        "B <SEQ=300><ACK=101><CTL=SYN,ACK>",
    ]


SIX = [
    "A <SEQ=100><CTL=SYN>",
    "B <SEQ=300><CTL=SYN>",
    "A <SEQ=100><ACK=301><CTL=SYN,ACK>",
    "B <SEQ=300><ACK=101><CTL=SYN,ACK>",
    "A <SEQ=101><ACK=301><CTL=ACK>",
    "B <SEQ=301><ACK=101><CTL=ACK>",
]


@BOTH
def test_figure_7_if_check_1_is_taken_literally(base: TcpConfig) -> None:
    """RFC 9293 A.2: the number of a crossed SYN-ACK, RCV.NXT-1, is refused in step one; the ACK it draws opens."""
    pair, before = figure_7(base.replace(crossed_synack="refuse"))
    replay("7", pair, before, lines={1, 2, 3, 4, 5})
    pair.deliver("B")  # line 6: the SYN-ACK of B has SEQ=300, RCV.NXT is 301
    check_states(pair, 6, "SYN-RECEIVED", "SYN-RECEIVED")
    assert pair.ends["A"].clauses == [clauses.CHECK_1_SEQUENCE]
    pair.deliver("A")  # line 7, and the same there
    check_states(pair, 7, "SYN-RECEIVED", "SYN-RECEIVED")
    pair.deliver("A")  # the pure ACK
    check_states(pair, 8, "SYN-RECEIVED", "ESTABLISHED")
    pair.deliver("B")
    check_states(pair, 9, "ESTABLISHED", "ESTABLISHED")
    assert quiet(pair)
    assert pair.sent == SIX


def test_figure_7_as_linux_does_it() -> None:
    """Linux takes the crossed SYN-ACK, and acknowledges it: six segments, ESTABLISHED on the SYN-ACKs."""
    pair, before = figure_7(linux())
    replay("7", pair, before)
    assert pair.sent == SIX
    pair.settle()
    assert pair.sent == SIX
    check_states(pair, 8, "ESTABLISHED", "ESTABLISHED")


@BOTH
def test_figure_8_old_duplicate_syn(base: TcpConfig) -> None:
    # B's two connections start at 300 and 400.
    steps = config(0, base).replace(isn=CounterIsn(per_second=0, per_connection=100, start=300))
    pair = RfcPair(config(100, base), steps)
    pair.listen("B")
    replay("8", pair, {2: lambda p: p.open("A")})
    assert quiet(pair)
    assert (SYN_RECEIVED, LISTEN, clauses.CHECK_2_RST) in pair.ends["B"].edges


def crash(pair: RfcPair) -> None:
    pair.stacks["A"].crash()


def figure_9(base: TcpConfig, **changes: Any) -> tuple[RfcPair, Before]:
    """The crash comes first; on line 7 the SYN is retransmitted, one RTO after line 3."""
    pair = established(config(99, base), config(299, base, **changes))
    abandon_listener(pair)
    opens = config(400, base)
    return pair, {1: crash, 3: lambda p: p.open("A", opens), 7: lambda p: p.wait(1.0)}


def replay_figure_9(pair: RfcPair, before: Before) -> None:
    """Line 7's SYN finds no connection on B, which answers with a RST, as the paragraph below the figure says."""
    replay("9", pair, before)
    error = pair.sockets["B"].tcb.error
    assert isinstance(error, ConnectionReset)
    assert pair.net["B"][0].ack == 401
    assert shown(pair.net["B"][0]) == "<SEQ=0><ACK=401><CTL=RST,ACK>"


def test_figure_9_with_a_challenge_ack() -> None:
    """RFC 5961: a SYN on a synchronized connection draws an ACK wherever its number lies."""
    pair, before = figure_9(rfc9293())
    replay_figure_9(pair, before)
    assert pair.ends["B"].clauses[0] == clauses.CHECK_4_CHALLENGE_ACK


def test_figure_9_outside_the_window() -> None:
    """RFC 793's rule gives the same answer as long as 400 lies outside the window, as the RFC's text assumes."""
    pair, before = figure_9(rfc793(), receive_buffer=200)
    replay_figure_9(pair, before)
    assert pair.ends["B"].clauses[0] == clauses.CHECK_1_SEQUENCE


def test_figure_9_in_the_window_of_rfc_793() -> None:
    """RFC 793: the SYN in the window resets B at once; A's OPEN fails by the same RST."""
    pair, before = figure_9(rfc793())
    replay("9", pair, before, lines={1, 2})
    before[3](pair)
    pair.deliver("A")
    assert str(pair.state("B")) == "CLOSED"
    assert [shown(s) for s in pair.net["B"]] == ["<SEQ=0><ACK=401><CTL=RST,ACK>"]
    pair.deliver("B")
    assert str(pair.state("A")) == "CLOSED"


@BOTH
def test_figure_10_active_side(base: TcpConfig) -> None:
    pair = established(config(99, base), config(299, base))
    abandon_listener(pair)
    replay("10", pair, {1: crash, 2: lambda p: p.call("B", "send", TEXT[:10])})
    assert isinstance(pair.sockets["B"].tcb.error, ConnectionReset)
    assert quiet(pair)


@BOTH
def test_figure_11_two_passive_sockets(base: TcpConfig) -> None:
    pair = RfcPair(config(100, base), config(SYMBOLS["X"], base))
    pair.listen("A")
    pair.listen("B")
    replay("11", pair, {})
    assert quiet(pair)


@BOTH
def test_figure_12_normal_close(base: TcpConfig) -> None:
    pair, before = figure_12(base)
    replay("12", pair, before)
    assert quiet(pair)
    assert pair.now == 240.0  # 2 MSL, MSL = 2 minutes
    assert all(socket.tcb.error is None for socket in pair.sockets.values())


@BOTH
def test_figure_13_simultaneous_close(base: TcpConfig) -> None:
    pair = established(config(99, base), config(299, base))
    abandon_listener(pair)
    replay("13", pair, {2: lambda p: [p.call(end, "shutdown") for end in OTHER]})
    assert quiet(pair)
    pair.wait(239.999)
    check_states(pair, 5, "TIME-WAIT", "TIME-WAIT")
    pair.wait(0.001)
    check_states(pair, 6, "CLOSED", "CLOSED")
