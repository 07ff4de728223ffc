"""The grammar: the node of every construct, and the position of errors."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.referees.packetdrill.language.options import EOL, NOP, SACK_OK, time_stamps
from netsim.referees.packetdrill.language.packets import format_packet
from netsim.referees.packetdrill.language.parser import parse
from netsim.referees.packetdrill.language.script import (
    Array,
    BitwiseOr,
    Call,
    Code,
    Command,
    Conditional,
    Event,
    FunctionCall,
    IcmpPacket,
    Name,
    Number,
    Option,
    Script,
    ScriptError,
    String,
    Structure,
    TcpPacket,
    Unchecked,
)
from netsim.tcp.segment import ACK, CWR, ECE, FIN, PSH, SYN

SECOND = 1_000_000_000


def only(source: str, **defines: str) -> Event:
    """The one event of a script."""
    (event,) = parse(source, defines=defines).events
    assert isinstance(event, Event)
    return event


def packet(source: str, **defines: str) -> TcpPacket:
    """The one packet of a script."""
    action = only(f"0 {source}", **defines).action
    assert isinstance(action, TcpPacket)
    return action


def test_a_whole_file() -> None:
    script = parse("--mtu=72\n--verbose\n`true`\n// a comment\n0 `a && b` /* and\n another */ +1 %{ x }%\n `clean up`")
    assert [(s.name, s.value, s.line) for s in script.settings] == [("mtu", "72", 1), ("verbose", None, 2)]
    assert script.initial == Command("true")
    assert script.final == Command("clean up")
    assert [e.action for e in script.events if isinstance(e, Event)] == [Command("a && b"), Code(" x ")]
    assert [e.line for e in script.events] == [5, 6]


@pytest.mark.parametrize(
    ("source", "start", "end", "relative"),
    [
        ("0", 0, 0, False),
        ("1.25", 1_250_000_000, 1_250_000_000, False),
        ("+.1", 100_000_000, 100_000_000, True),
        ("+ 0.1", 100_000_000, 100_000_000, True),
        ("1~1.5", SECOND, 1_500_000_000, False),
        ("+1~+2", SECOND, 2 * SECOND, True),
        ("*", None, None, False),
        ("0.0000000019", 1, 1, False),
    ],
)
def test_times(source: str, start: int | None, end: int | None, relative: bool) -> None:
    time = only(f"{source} > . 1:1(0) ack 1").time
    assert (time.start, time.end, time.relative) == (start, end, relative)


def test_the_end_of_a_blocking_call() -> None:
    event = only("+.1...0.200 connect(3, ..., ...) = -1 ETIMEDOUT (Connection timed out)")
    assert (event.time.start, event.until) == (100_000_000, 200_000_000)
    assert event.action == Call(
        name="connect", arguments=(Number(3), Unchecked(), Unchecked()), result=-1, errno="ETIMEDOUT"
    )


def test_a_segment_with_everything() -> None:
    source = "> [noecn] FP. 1:101(100) ack 7 win 5 urg 3 <nop,nop,TS val 100 ecr 5,nop,nop,sack 1:3 5:9>"
    found = packet(source)
    assert found.flags == FIN | PSH | ACK
    assert (found.seq, found.length, found.ack, found.window, found.urgent) == (1, 100, 7, 5, 3)
    assert found.options == (NOP, NOP, time_stamps(100, 5), NOP, NOP, Option("sack", (1, 3, 5, 9)))
    assert found.ip == (("noecn", ""),)
    assert format_packet(found) == source


def test_segments_with_few_fields() -> None:
    assert packet("> - 0:0(0)").flags == 0
    assert packet("> SEW 0:0(0) <...>").flags == SYN | ECE | CWR
    assert packet("> SEW 0:0(0) <...>").options is None
    assert packet("> S. ...(0) ack 1").seq is None
    assert packet("> . 4294967295:0(1) ack 1").length == 1
    assert packet("> . 1:1(0)").options == ()
    assert packet("> . 1:1(0)").window is None


def test_options_with_their_padding() -> None:
    assert packet("< S 0:0(0) win 1 <mss 1460,nop,wscale 6,sackOK,eol,eol>").options == (
        Option("mss", (1460,)),
        NOP,
        Option("wscale", (6,)),
        SACK_OK,
        EOL,
        EOL,
    )
    assert packet("> . 1:1(0) <FO 12ab>").options == (Option("FO", data="12ab"),)
    assert packet("> . 1:1(0) <FO COOKIE>", COOKIE="12ab").options == (Option("FO", data="12ab"),)
    assert packet("< . 1:1(0) win 1 <0x01010101>").options == (Option("raw", data="01010101"),)
    assert packet("< . 1:1(0) win 1 <nop,nop,TS val 5 ecr 6!>").options == (NOP, NOP, time_stamps(5, 6, literal=True))


def test_icmp() -> None:
    action = only("0 < icmp unreachable frag_needed mtu 1400 [1:1001(1000)]").action
    assert action == IcmpPacket(direction="<", kind="unreachable", code="frag_needed", mtu=1400, seq=1, length=1000)


def test_the_quoted_segment_may_stand_before_icmp() -> None:
    """As nplab's parser has it; and ICMPv6's names."""
    action = only("0 < [0:0(0)]icmp time_exceeded exceeded_hop_limit").action
    assert action == IcmpPacket(
        direction="<", kind="time_exceeded", code="exceeded_hop_limit", mtu=None, seq=0, length=0
    )


def test_calls() -> None:
    call = only(
        '0 f(..., -1, 0x1F, "a b", O_RDWR | O_NONBLOCK, [4], {sin_port=htons(80), 7}) = 0x02 (flags O_RDWR)'
    ).action
    assert isinstance(call, Call)
    assert call.result == 2
    assert call.arguments == (
        Unchecked(),
        Number(-1),
        Number(31),
        String("a b"),
        BitwiseOr((Name("O_RDWR"), Name("O_NONBLOCK"))),
        Array((Number(4),)),
        Structure((("sin_port", FunctionCall("htons", (Number(80),))), ("", Number(7)))),
    )


def test_defined_words_are_replaced_by_numbers() -> None:
    assert packet("> . 1:1(0) win WINDOW", WINDOW="17").window == 17
    assert only("0 f(CODE) = RESULT", CODE="5", RESULT="3").action == Call(
        name="f", arguments=(Number(5),), result=3, errno=None
    )


def test_ifdef() -> None:
    (branch,) = parse("#ifdef STANDARD\n0 `true`\n#endif").events
    assert isinstance(branch, Conditional)
    assert branch.name == "STANDARD"
    assert len(branch.events) == 1


@pytest.mark.parametrize(
    ("source", "line", "column", "expected"),
    [
        ("0 > X 1:1(0)", 1, 5, "TCP flags"),
        ("0 < . 1:1(0) ack 1", 1, 19, "'win' and a number"),
        ("0 > . 1:3(1)", 1, 7, "end = start + length"),
        ("\n0 > . 1:1(0) <mss 1460", 2, 23, "',' or '>'"),
        ("0 > . 1:1(0) <wscale 6>", 1, 15, "a multiple of 4 bytes, at most 40, not 3"),
        ("0 > . 1:1(0) <what>", 1, 15, "a TCP option"),
        ("0 > . 1:1(0) ack 4294967296", 1, 18, "a number from 0 to 4294967295"),
        ("0~1 close(3) = 0", 1, 1, "a range or '*' is for outbound packets"),
        ("* < . 1:1(0) win 1", 1, 1, "a range or '*' is for outbound packets"),
        ("0...1 < . 1:1(0) win 1", 1, 1, "'...' is for system calls"),
        ("2~1 > . 1:1(0)", 1, 4, "an end no earlier than the start"),
        ("0 close(3)", 1, 11, "'='"),
        ("0 close(3 = 0", 1, 11, "',' or ')'"),
        ("0 close(3) = x", 1, 14, "a result"),
        ("#ifdef A\n0 `true`", 2, 9, "the #endif of the #ifdef in line 1"),
        ("`a`\n`b` 0 `c`", 2, 5, "the end of the file"),
        ("/* never ends", 1, 1, "the end of this comment"),
        ("soon `true`", 1, 1, "a time in seconds"),
        ("0 < . 1:100001(100000) win 1", 1, 23, "at most 65495 bytes"),
        ("0 f(" + "[" * 30, 1, 26, "nested brackets"),
    ],
)
def test_an_error_has_a_position_and_what_was_expected(source: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse(source, "a.pkt")
    error = caught.value
    assert expected in error.expected
    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"a.pkt:{line}:{column}: expected ")


PIECES = [
    "0", "+.1", "1...2", "*", "~", "<", ">", "S.", "1:1(0)", "...(0)", "ack 1", "win 1", "<...>", "<mss 1460>", "<nop,",
    "sack 1:2", "TS val 1 ecr 2", "icmp", "unreachable", "[1:1(0)]", "close(3)", "= 0", "= ...", "f(", "[", "{a=", ")",
    "`true`", "%{ assert 1 }%", "#ifdef A", "#endif", "--mtu=1", "//", "/*", "*/", '"', "\n", " ",
]  # fmt: skip


@settings(max_examples=400, deadline=2000)
@given(st.one_of(st.text(), st.text(string.printable), st.lists(st.sampled_from(PIECES)).map(" ".join)))
def test_any_source_gives_a_tree_or_an_error_with_a_position(source: str) -> None:
    error = None
    try:
        assert isinstance(parse(source), Script)
    except ScriptError as caught:
        error = caught
    if error is not None:
        assert 1 <= error.line <= source.count("\n") + 1
        assert 1 <= error.column <= len(source) + 1
