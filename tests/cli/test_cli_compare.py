"""``netsim compare``: lines, both exchanges side by side, JSON, exit status."""

import json
from pathlib import Path

import pytest

from tests.cli.in_process import netsim

RECORDINGS = str(Path(__file__).parent.parent / "referees" / "recordings" / "linux-6.18")


def test_a_line_for_each_scenario() -> None:
    done = netsim("compare", RECORDINGS, "--scenario", "refused")
    assert done == (0, "match   refused (phase 0 of 64)\n1 of 1 match\n", "")


def test_a_difference_stands_side_by_side() -> None:
    done = netsim("compare", RECORDINGS, "--scenario", "refused", "--profile", "freebsd")
    assert (done.status, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0].startswith(
        "differs refused (phase 0 of 64): recorded 0.000 c S  0 <mss=1460 sackok ts ws=10>; simulated"
    )
    assert lines[1].split() == ["recorded", "simulated"]
    assert lines[-1] == "0 of 1 match"


def test_one_json_object() -> None:
    done = netsim("compare", RECORDINGS, "--scenario", "refused", "--json")
    assert json.loads(done.out) == {
        "summary": {"match": 1, "differ": 0},
        "scenarios": [{"name": "refused", "match": True, "phase": 0, "first_difference": None}],
    }
    other = netsim("compare", RECORDINGS, "--scenario", "refused", "--profile", "freebsd", "--json")
    found = json.loads(other.out)
    assert (other.status, found["summary"]) == (1, {"match": 0, "differ": 1})
    assert found["scenarios"][0]["first_difference"].startswith("recorded ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere/scenarios.json: No such file or directory"),
        ([RECORDINGS, "--scenario", "tea"], "scenario = 'tea': must be one of close_3seg_merged,"),
        ([RECORDINGS, "--profile", "vms"], "profile = 'vms': must be one of"),
    ],
)
def test_bad_input_of_compare(words: list[str], said: str) -> None:
    done = netsim("compare", *words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
