"""RFC 9293 figures 6 to 13 and RFC 1337 figures 1 to 4, line by line, between two real stacks.

One interpreter reads the rows of ``data/rfc_figures.json``: the segment that moves, and both states after it. A row is

    ``-->``      end A has just sent this segment and it arrives;   ``<--`` the same from B
    ``--> ...``  end A has sent it and it stays in the net;         ``... <--`` the same from B
    ``... -->``  it arrives from the net: one held before, or an old duplicate of an earlier connection

What the figures leave to the reader (user calls, crashes, what an old duplicate carries) is in ``BEFORE``.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import OTHER, Pair, flags_of, flow_from, shown

from netsim.tcp.config import TcpConfig
from netsim.tcp.errors import ConnectionReset
from netsim.tcp.isn import BsdIsn, ConstantIsn
from netsim.tcp.profiles import linux, rfc793, rfc9293
from netsim.tcp.segment import Segment
from netsim.tcp.state import LISTEN, SYN_RECEIVED

FIGURES: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "rfc_figures.json").read_text())["figures"]
STATES = {
    "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",
    "LAST-ACK", "TIME-WAIT",
}  # fmt: skip
# What the figures write in a state's place, and the state it stands for; None: the line says nothing of this end.
WORDS = {
    "(duplicate)": None,
    "(old dup)": None,
    "(REBOOT)": "CLOSED",
    "(send 300,receive 100)": "ESTABLISHED",
    "(no TCB)": "CLOSED",
    "(??)": None,
    "(!!)": None,
    "(Abort!!)": "CLOSED",
    "(ABORT!!)": "CLOSED",
    "(return to LISTEN!)": "LISTEN",
}
SYMBOLS = {"Z": 90, "Z+1": 91, "X": 300}  # figure 11
ORDER = ("SYN", "FIN", "RST", "ACK")  # in which the stack's segments name their flags
OLD = {("11", 2), ("1337-2", 3)}  # old duplicates that the rows do not call so
TEXT = bytes(range(100))
OLD_TEXT = b"\xee" * 80  # of an earlier incarnation

Before = dict[int | str, Callable[[Pair], Any]]


def number(value: int | str | None) -> int:
    return SYMBOLS[value] if isinstance(value, str) else value or 0


def printed(segment: dict[str, Any]) -> str:
    """The row's segment as ``shown`` prints one; "DATA" stands for 100 bytes."""
    text = f"<SEQ={number(segment['seq'])}>"
    text += f"<ACK={number(segment['ack'])}>" if "ACK" in segment["ctl"] else ""
    size = len(TEXT) if segment["data"] == "DATA" else segment["data"]
    return f"{text}<CTL={','.join(sorted(segment['ctl'].split(','), key=ORDER.index))}>" + (
        f"<DATA={size}>" if size else ""
    )


def check_states(pair: Pair, line: int | str, a: str | None, b: str | None) -> None:
    for end, word in (("A", a), ("B", b)):
        state = WORDS.get(word, word) if word is not None else None
        if state is not None:
            assert state in STATES
            assert str(pair.state(end)) == state, f"line {line}: {end} is in {pair.state(end)}, the RFC has {state}"


def move(pair: Pair, line: int | str, arrow: str, row: dict[str, Any], *, old: bool) -> None:
    """Let the row's segment do what its arrow says; ``old``: an old duplicate, that neither end has sent here."""
    sender = "A" if "-->" in arrow else "B"
    text = printed(row)
    held = [shown(s) for s in pair.net[sender]]
    stays = arrow.endswith("...") if sender == "A" else arrow.startswith("...")
    if text in held:
        if not stays:
            pair.deliver(sender, held.index(text))
        return
    assert old, f"line {line}: {sender} should have sent {text}; it has sent {held}"
    flags = flags_of(row["ctl"])
    pair.inject(
        Segment(flow_from(sender), number(row["seq"]), number(row["ack"]), flags, 1000, OLD_TEXT[: row["data"]])
    )


def replay(name: str, pair: Pair, before: Before, lines: set[int | str] | None = None) -> Pair:
    """Run a figure's rows (only ``lines``, if given) and check each against the two stacks."""
    for line, a, arrow, segment, b, note in FIGURES[name]["rows"]:
        if lines is not None and line not in lines:
            continue
        if line in before:
            before[line](pair)
        if arrow is not None:
            move(pair, line, arrow, segment, old="duplicate" in f"{a}{note}" or (name, line) in OLD)
        check_states(pair, line, a, b)
    return pair


def config(iss: int, base: TcpConfig | None = None, **changes: Any) -> TcpConfig:
    changes = {"delayed_ack": None, **changes}
    return (base if base is not None else rfc9293()).replace(isn=ConstantIsn(iss), **changes)


def quiet(pair: Pair) -> bool:
    return not pair.net["A"] and not pair.net["B"]


def established(a: TcpConfig, b: TcpConfig) -> Pair:
    """A has opened to B by a three-way handshake; nothing is in the net."""
    pair = Pair(a, b)
    pair.listen("B")
    pair.open("A")
    pair.settle()
    check_states(pair, 0, "ESTABLISHED", "ESTABLISHED")
    pair.sent.clear()
    return pair


def abandon_listener(pair: Pair) -> None:
    """B takes its connection and listens no more: the figures that follow know only the connection."""
    socket = pair.sockets["B"].accept()
    pair.sockets["B"].close(pair.ns)
    assert socket is not None
    pair.sockets["B"] = socket
    pair.collect()


BOTH = pytest.mark.parametrize("base", [rfc9293(), rfc793()], ids=lambda c: c.name)


@BOTH
def test_figure_6_basic_handshake(base: TcpConfig) -> None:
    pair = Pair(config(100, base), config(300, base))
    pair.listen("B")
    replay("6", pair, {2: lambda p: p.open("A"), 5: lambda p: p.call("A", "send", TEXT)})
    assert pair.sent[-1] == "B <SEQ=301><ACK=201><CTL=ACK>"  # the text is acknowledged, the ACK before it was not
    assert pair.call("B", "receive", 1000) == TEXT


def figure_7(base: TcpConfig) -> tuple[Pair, Before]:
    return Pair(config(100, base), config(300, base)), {2: lambda p: p.open("A"), 3: lambda p: p.open("B")}


@BOTH
def test_figure_7_as_printed(base: TcpConfig) -> None:
    """Policy "figure": four segments; each end is ESTABLISHED by the other's SYN-ACK."""
    pair, before = figure_7(base.replace(crossed_synack="figure"))
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
def test_figure_7_by_the_literal_text(base: TcpConfig) -> None:
    """RFC 9293 A.2: the number of a crossed SYN-ACK, RCV.NXT-1, is refused in step one; the ACK it draws opens."""
    pair, before = figure_7(base.replace(crossed_synack="literal"))
    replay("7", pair, before, lines={1, 2, 3, 4, 5})
    pair.deliver("B")  # line 6: the SYN-ACK of B has SEQ=300, RCV.NXT is 301
    check_states(pair, 6, "SYN-RECEIVED", "SYN-RECEIVED")
    assert pair.logs["A"].clauses == ["3.10.7.4, first: sequence number"]
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
    steps = config(0, base).replace(isn=BsdIsn(per_second=0, per_connection=100, start=200))
    pair = Pair(config(100, base), steps)
    pair.listen("B")
    replay("8", pair, {2: lambda p: p.open("A")})
    assert quiet(pair)
    assert (SYN_RECEIVED, LISTEN, "3.10.7.4, second: RST") in pair.logs["B"].edges


def crash(pair: Pair) -> None:
    pair.stacks["A"].crash()


def figure_9(base: TcpConfig, **changes: Any) -> tuple[Pair, Before]:
    """The crash comes first; on line 7 the SYN is sent again, one RTO after line 3."""
    pair = established(config(99, base), config(299, base, **changes))
    abandon_listener(pair)
    opens = config(400, base)
    return pair, {1: crash, 3: lambda p: p.open("A", opens), 7: lambda p: p.wait(1.0)}


def replay_figure_9(pair: Pair, before: Before) -> None:
    """Line 7's SYN finds nobody on B, which answers with a RST as the text below the figure says."""
    replay("9", pair, before)
    error = pair.sockets["B"].error
    assert isinstance(error, ConnectionReset)
    assert pair.net["B"][0].ack == 401
    assert shown(pair.net["B"][0]) == "<SEQ=0><ACK=401><CTL=RST,ACK>"


def test_figure_9_with_a_challenge_ack() -> None:
    """RFC 5961: a SYN on a synchronized connection draws an ACK wherever its number lies."""
    pair, before = figure_9(rfc9293())
    replay_figure_9(pair, before)
    assert pair.logs["B"].clauses[0] == "3.10.7.4, fourth: SYN, challenge ACK"


def test_figure_9_outside_the_window() -> None:
    """RFC 793's rule gives the same answer as long as 400 lies outside the window, as the RFC's text assumes."""
    pair, before = figure_9(rfc793(), receive_buffer=200)
    replay_figure_9(pair, before)
    assert pair.logs["B"].clauses[0] == "3.10.7.4, first: sequence number"


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
    assert isinstance(pair.sockets["B"].error, ConnectionReset)
    assert quiet(pair)


@BOTH
def test_figure_11_two_passive_sockets(base: TcpConfig) -> None:
    pair = Pair(config(100, base), config(SYMBOLS["X"], base))
    pair.listen("A")
    pair.listen("B")
    replay("11", pair, {})
    assert quiet(pair)


def figure_12(base: TcpConfig) -> tuple[Pair, Before]:
    pair = established(config(99, base), config(299, base))
    abandon_listener(pair)
    before: Before = {
        2: lambda p: p.call("A", "shutdown"),
        4: lambda p: p.call("B", "shutdown"),
        6: lambda p: p.wait(p.stacks["A"].config.time_wait),
    }
    return pair, before


@BOTH
def test_figure_12_normal_close(base: TcpConfig) -> None:
    pair, before = figure_12(base)
    replay("12", pair, before)
    assert quiet(pair)
    assert pair.now == 240.0  # 2 MSL, MSL = 2 minutes
    assert all(socket.error is None for socket in pair.sockets.values())


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


@pytest.mark.parametrize("policy", ["ack", "synack", "synack-rearm"])
def test_repeated_syn_at_a_half_open_server(policy: str) -> None:
    """RFC 9293 3.10.7.4 answers with a bare ACK, which SYN-SENT drops; BSD and Linux with the SYN-ACK again."""
    pair = Pair(config(100), config(300, duplicate_syn=policy))
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
    assert pair.logs["A"].clauses == (["3.10.7.3, fifth: neither SYN nor RST"] if policy == "ack" else [])
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
        ("never", ("FIN,ACK", 300, 101), False),  # the literal text: its number, RCV.NXT-1, is refused before step 8
        ("fin", ("FIN,ACK", 300, 101), True),
        ("fin", ("ACK", 300, 101), False),
        ("any", ("ACK", 300, 101), True),
        ("any", ("FIN", 300, 0), False),  # Linux asks for ACK
    ],
)
def test_restart_of_2msl(policy: str, segment: tuple[str, int, int], restarts: bool) -> None:
    """A repeated FIN is always acknowledged; whether it restarts the 2MSL timer is a policy."""
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


def test_rfc_1337_figure_2_old_data() -> None:
    """H1: 80 old bytes at 560 are queued; new text overlaps them; 40 wrong bytes are delivered."""
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


def test_rfc_1337_figure_3_acks_without_end() -> None:
    """H2: B acknowledges 40 bytes that A never sent: A answers with an ACK, that is old for B, and so on."""
    pair = established(config(399, nagle=False), config(100))
    sends = {line: lambda p: p.call("A", "send", TEXT) for line in (1, 5)}
    replay("1337-2", pair, sends, lines={1, 2, 3, 4, 5, 6})
    replay("1337-3", pair, {})
    for _ in range(50):
        pair.deliver("A")
        pair.deliver("B")
    assert pair.sent[-2:] == ["B <SEQ=101><ACK=640><CTL=ACK>", "A <SEQ=600><ACK=101><CTL=ACK>"]


def figure_4_pair(base: TcpConfig) -> tuple[Pair, Before]:
    pair = Pair(config(100, base), config(400, base, receive_buffer=800))
    pair.listen("B")
    return pair, {2: lambda p: p.open("A")}


def test_rfc_1337_figure_4_under_rfc_793() -> None:
    """H3: the RST that A sends for an old duplicate lies in B's window [101, 901) and kills B's half of the OPEN."""
    pair, before = figure_4_pair(rfc793())
    replay("1337-4", pair, before)
    assert quiet(pair)
    assert isinstance(pair.sockets["A"].error, ConnectionReset)


def test_rfc_1337_figure_4_under_rfc_9293() -> None:
    """RST SEQ=123 is not RCV.NXT=101: B sends a challenge ACK and the OPEN succeeds."""
    pair, before = figure_4_pair(rfc9293())
    replay("1337-4", pair, before, lines={1, 2, 3, 4})
    pair.deliver("A")  # line 5
    check_states(pair, 5, "SYN-SENT", "SYN-RECEIVED")
    assert pair.sent[-1] == "B <SEQ=401><ACK=101><CTL=ACK>"
    assert pair.logs["B"].clauses == ["3.10.7.4, second: RST, challenge ACK"]
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
