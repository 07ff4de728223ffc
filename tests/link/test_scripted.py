"""Scripted faults by ordinal and kind."""

from typing import Any

import pytest

from netsim.link import Fault, Loss, Path, Pipe, Scripted, parse_fault
from netsim.seeds import Seed

MS = 1_000_000


def opened(faults: Any, **short_cuts: Any) -> Pipe:
    return Path(**{"delay": 0.05, **short_cuts}, stages=[Scripted(faults)]).open(Seed(1).stream)


def test_drop_the_first_syn_only() -> None:
    pipe = opened("drop SYN 1")
    assert pipe.uses_kinds
    assert pipe.send(0, 40, ("ACK",)) == [50 * MS]
    assert pipe.send(0, 40, ("SYN",)) == []
    assert (pipe.cause, pipe.counts) == ("scripted", {"scripted": 1})
    assert pipe.send(0, 40, ("SYN",)) == [50 * MS]
    assert pipe.cause == ""


def test_delay_the_second_fin_and_copy_the_third() -> None:
    pipe = opened(["delay FIN 2 0.3", Fault(kind="FIN", nth="3", action="dup", seconds=0.1)])
    arrivals = [pipe.send(0, 40, ["FIN", "ACK"]) for _ in range(4)]
    assert arrivals == [[50 * MS], [350 * MS], [50 * MS, 150 * MS], [50 * MS]]


@pytest.mark.parametrize(
    ("nth", "struck"),
    [("1", [1]), ("3", [3]), ("1-3", [1, 2, 3]), ("2-2", [2]), ("4-", [4, 5, 6]), ("*", [1, 2, 3, 4, 5, 6])],
)
def test_ordinals(nth: str, struck: list[int]) -> None:
    pipe = opened(f"drop DATA {nth}")
    assert [i for i in range(1, 7) if not pipe.send(0, 40, {"DATA"})] == struck


def test_each_rule_counts_the_packets_of_its_own_kind() -> None:
    pipe = opened("drop ANY 2; drop ACK 2; delay DATA 1 10ms")
    assert pipe.send(0, 40, ("DATA", "ACK")) == [60 * MS]  # ANY 1, ACK 1, DATA 1
    assert pipe.send(0, 40, ("SYN",)) == []  # ANY 2
    assert pipe.send(0, 40, ("ACK",)) == []  # ACK 2
    assert pipe.send(0, 40, ("DATA", "ACK")) == [50 * MS]
    assert pipe.counts["scripted"] == 3


def test_a_rule_counts_packets_that_others_lose() -> None:
    # "The second SYN" is the second that was sent, whatever became of the first.
    pipe = opened("drop SYN 1\ndrop SYN 2")
    assert [len(pipe.send(0, 40, ("SYN",))) for _ in range(3)] == [0, 0, 1]
    pipe = Path(loss=1.0, stages=[Scripted("dup SYN 2 1")]).open(Seed(1).stream)
    assert [pipe.send(0, 40, ("SYN",)) for _ in range(2)] == [[], []]
    assert (pipe.cause, pipe.counts["scripted"]) == ("loss", 0)


def test_a_rule_that_starts_later_counts_from_there() -> None:
    pipe = opened("drop ANY 1 from 2s")
    arrived = [bool(pipe.send(second * 1000 * MS, 40)) for second in range(5)]
    assert arrived == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop SYN 1", Fault(kind="SYN")),
        ("  Drop  syn  1-3 ", Fault(kind="SYN", nth="1-3")),
        ("delay FIN 2 0.3", Fault(kind="FIN", nth="2", action="delay", seconds=0.3)),
        ("delay FIN 2- 300ms", Fault(kind="FIN", nth="2-", action="delay", seconds=0.3)),
        ("dup SYN 1", Fault(kind="SYN", action="dup")),
        ("dup HSACK * 0.3 from 2s", Fault(kind="HSACK", nth="*", action="dup", seconds=0.3, start=2.0)),
        ("drop ANY 1- from 500ms", Fault(kind="ANY", nth="1-", start=0.5)),
    ],
)
def test_strings(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault
    assert Scripted(text) == Scripted([fault])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("", "ACTION KIND NTH"),
        ("drop", "ACTION KIND NTH"),
        ("lose SYN 1", "ACTION KIND NTH"),
        ("drop SYN 1 0.3", "ACTION KIND NTH"),
        ("delay SYN 1", "ACTION KIND NTH"),
        ("drop PSH 1", "kind = 'PSH': must be one of SYN, SYNACK"),
        ("drop SYN 0", "nth = '0': must be 1, 1-3, 2-"),
        ("drop SYN 3-1", "nth = '3-1'"),
        ("drop SYN -1", "nth = '-1'"),
        ("drop SYN first", "nth = 'first'"),
        ("delay SYN 1 soon", "seconds = 'soon': must be a duration"),
        ("delay SYN 1 -1", "seconds = '-1'"),
        ("drop SYN 1 from never", "start = 'never'"),
        (7, "ACTION KIND NTH"),
    ],
)
def test_a_wrong_string_is_named_with_what_is_allowed(wrong: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"^fault ") as caught:
        parse_fault(wrong)
    assert repr(wrong) in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "syn"}, "kind"),
        ({"kind": "SYN", "nth": 1}, "nth"),
        ({"kind": "SYN", "action": "lose"}, "action"),
        ({"kind": "SYN", "seconds": 0.1}, "seconds"),
        ({"kind": "SYN", "action": "dup", "seconds": -0.1}, "seconds"),
        ({"kind": "SYN", "start": float("nan")}, "start"),
    ],
)
def test_wrong_fields_are_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} = .*must be "):
        Fault(**wrong)


def test_scripted_refuses_what_is_no_sequence_of_faults() -> None:
    for wrong in (Fault(kind="SYN"), 3, [3], [Loss(0.1)]):
        with pytest.raises(ValueError, match="must be"):
            Scripted(wrong)  # type: ignore[arg-type]
