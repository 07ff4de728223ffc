"""Any source gives a tree or an error with a position, and then a verdict: no other exception, and no endless run."""

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netsim.referees.packetdrill import Verdict, parse, run_source
from netsim.referees.packetdrill.language.script import Script, ScriptError

HERE = Path(__file__).parent
LINES = sorted({line for path in HERE.rglob("*.pkt") for line in path.read_text().splitlines() if line[:2] != "//"})
HEAD = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"


def tree_or_error(source: str) -> None:
    """Parse the source; the position of an error must lie within it."""
    try:
        tree, error = parse(source, "f.pkt"), None
    except ScriptError as caught:
        tree, error = None, caught
    if error is None:
        assert isinstance(tree, Script)
    else:
        assert 1 <= error.line <= source.count("\n") + 1
        assert 1 <= error.column <= len(source) + 1
        assert str(error).startswith(f"f.pkt:{error.line}:{error.column}: expected ")


@pytest.mark.parametrize(
    "source",
    [
        HEAD + "+0 f(" + "[" * 100_000,
        HEAD + "+0 f(" + "[{a=" * 50_000,
        HEAD + "+0 f(" + "a|" * 20_000 + "a) = 0",
        HEAD + "+0 > . 1:1(0) ack " + "9" * 100_000,
        "9" * 100_000 + " close(3) = 0",
        HEAD + "+0 > . 1:1(0) <" + "nop," * 20_000 + "nop>",
        HEAD + "+0 > . 1:1(0) <0x" + "00" * 100_000 + ">",
        HEAD + "/*" * 100_000,
        HEAD + "/* never ends" + " " * 100_000,
        HEAD + '+0 f("' + "\\" * 100_001,
        HEAD + "+0 `" + "x" * 100_000,
        HEAD + "+0 %{" + "}" * 100_000,
        HEAD + "+0 > ipv4 " + "a > b: " * 50_000,
        "--a=" + "x" * 100_000,
        "--define=A=`" * 50_000,
        "#ifdef A\n" * 50_000,
        "\x00" * 100_000,
        "".join(map(chr, range(256))) * 400,
        "\u2028\u0660\uff10" * 30_000,
        " " * 1_000_000,
        "\n" * 1_000_000 + "x",
        (HEAD + "+0 close(3) = 0\n") * 1_000,
    ],
    ids=range(22),
)
def test_long_deeply_nested_and_binary_sources(source: str) -> None:
    """The parser is linear: a tenth of a second each; anything quadratic would not end."""
    tree_or_error(source)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_in_a_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    tree_or_error(data.decode("utf-8", errors="replace"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=25), st.sampled_from(["rfc9293", "linux", "freebsd"]))
def test_lines_in_any_order_give_a_verdict(lines: list[str], profile: str) -> None:
    assert isinstance(run_source(HEAD + "\n".join(lines), profile=profile, strict=True), Verdict)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_character_changed_gives_a_verdict(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(HERE.rglob("*.pkt"))))
    source = path.read_text()
    at = data.draw(st.integers(0, len(source) - 1))
    changed = source[:at] + data.draw(st.sampled_from(string.printable + "\x00é")) + source[at + 1 :]
    tree_or_error(changed)
    assert isinstance(run_source(changed), Verdict)


@pytest.mark.parametrize(
    "event",
    [
        "`sysctl " + 'a.b="x y=z" ' * 60 + "!`",
        "`sysctl -w net.ipv4.tcp_rto_max_ms=1`\n+0 connect(3, ..., ...) = 0\n+800000 close(3) = 0",
        "`" + "sockstat " + "-4 " * 5_000 + "`",
        "%{ assert " + "+".join("1" * 50_000) + " }%",
        "%{ " + "x = 1\n" * 5_000 + " }%",
        "write(3, ..., 99999999999999999999) = 1",
    ],
)
def test_an_endless_event_is_unsupported_or_fails(event: str) -> None:
    verdict = run_source(HEAD + "+0 " + event, profile="linux")
    assert verdict.verdict != "pass"
