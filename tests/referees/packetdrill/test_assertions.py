"""``%{ }%``: a subset of Python, walked and never executed."""

import pytest

from netsim.referees.packetdrill.code import run_code
from netsim.referees.packetdrill.language.script import Code
from netsim.referees.packetdrill.verdict import Failure, Unsupported

NAMES = {"tcpi_state": 1, "tcpi_snd_mss": 1000, "TCP_ESTABLISHED": 1, "TCPI_OPT_SACK": 2, "tcpi_options": 7}


@pytest.mark.parametrize(
    "source",
    [
        "assert tcpi_state == TCP_ESTABLISHED",
        "assert 0 < tcpi_snd_mss <= 1000 and not tcpi_state != 1",
        "assert tcpi_options & TCPI_OPT_SACK, 'why'",
        "assert (tcpi_snd_mss + 24) // 4 - 6 * 1 == 250 or undefined",
        "\n  assert tcpi_state == 1\n  pass\n  assert True\n",
        "assert tcpi_options == (1 | 2 | 4)",
    ],
)
def test_assertions_that_hold(source: str) -> None:
    assert run_code(Code(source), NAMES) == []


def test_a_failed_assertion_is_reported_at_its_line() -> None:
    with pytest.raises(Failure) as caught:
        run_code(Code("\n\n assert tcpi_state == 1\n assert tcpi_state == 2 or tcpi_snd_mss == 5\n", 10), NAMES)
    assert caught.value.line == 13
    assert caught.value.expected == "tcpi_state == 2 or tcpi_snd_mss == 5"
    assert caught.value.got == "tcpi_snd_mss = 1000, tcpi_state = 1"


def test_print() -> None:
    assert run_code(Code("print(tcpi_state, 'x')"), NAMES) == ["1 x"]


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "__import__('os').system('true')",
        "assert open('/etc/passwd')",
        "assert (lambda: 1)()",
        "assert [x for x in (1, 2)]",
        "assert tcpi_state.__class__",
        "tcpi_state = 1",  # it would hide a field of TCP_INFO
        "a.b = 1",
        "a = 2 ** 5",
        "assert max(*[1])",
        "a = 1 << 3",
        "assert 2 ** 99999999",
        "assert 'a' * 99999999",
        "assert 1 << 99999999",
        "assert tcpi_unknown == 1",
        "while True: pass",
        "assert (",
        "assert " + "-" * 5000 + "1",
        "assert " + "(" * 5000,
    ],
)
def test_anything_else_is_unsupported(source: str) -> None:
    with pytest.raises(Unsupported):
        run_code(Code(source), NAMES)


def test_variables_are_kept_for_later_code() -> None:
    variables: dict[str, object] = {}
    run_code(Code("before = tcpi_snd_mss\nif tcpi_state == 1:\n  less = max(0, before - 1)"), NAMES, variables)
    run_code(Code("assert less == 999 if tcpi_state in (1, 2) else before, less"), NAMES, variables)
    assert variables == {"before": 1000, "less": 999}


def test_a_division_by_zero_fails() -> None:
    with pytest.raises(Failure):
        run_code(Code("assert 1 / 0"), NAMES)
