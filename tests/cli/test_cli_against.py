"""``netsim run --against``: variants that share their random numbers, and paired differences."""

import json
from pathlib import Path

import pytest

from netsim.cli.against import paired, read_changes
from netsim.sweep import Estimator, Rows, read_csv
from tests.cli.in_process import netsim

TIME_WAIT = ("run", "time-wait", "--time-wait", "0", "--replications", "2000", "--seed", "4")


def test_a_difference_of_what_shares_its_losses_is_free_of_their_noise() -> None:
    status, out, err = netsim(*TIME_WAIT, "--against", "time-wait=60", "--json")
    assert (status, err) == (0, "")
    result = json.loads(out)
    against = result["against"]
    assert list(against) == ["params", "n", "estimates", "theory", "differences"]
    # the same FINs and ACKs are lost whatever the length of TIME-WAIT: not one run differs
    assert against["differences"]["fins"] == {"value": 0.0, "low": 0.0, "high": 0.0, "n": 2000}
    unclean = against["differences"]["p_unclean"]
    exact = result["theory"]["p_unclean"] - against["theory"]["p_unclean"]
    assert unclean["low"] < exact < unclean["high"]
    assert unclean["value"] == pytest.approx(
        result["estimates"]["p_unclean"]["value"] - against["estimates"]["p_unclean"]["value"]
    )


def test_the_runs_are_those_of_the_same_command_without_it() -> None:
    with_it = json.loads(netsim(*TIME_WAIT, "--against", "time-wait=60", "--json").out)
    assert with_it["estimates"] == json.loads(netsim(*TIME_WAIT, "--json").out)["estimates"]


def test_the_table_names_the_variant_and_its_policies() -> None:
    status, out, err = netsim("run", "two-way", "--replications", "20", "--against", "server.isn=constant:7")
    assert (status, err) == (0, "")
    assert out.splitlines()[2] == "against the same runs with server = isn=constant:7"


def test_both_variants_rows_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    words = ("--replications", "3", "--against", "handshake=three-way", "--out", str(out))
    assert netsim("run", "two-way", *words).status == 0
    rows = read_csv(out)
    assert rows.column("handshake") == ["two-way"] * 3 + ["three-way"] * 3
    assert rows.column("replication") == [0, 1, 2] * 2


def test_pairs_are_made_by_replication() -> None:
    # run 1 is only in the first, run 3 only in the second; the others gain 2 and 4 s, and one of two is lost
    first = Rows({"replication": [0, 1, 2], "t": [1.0, 50.0, 3.0], "end": ["clean", "reset", "reset"]})
    second = Rows({"replication": [0, 2, 3], "t": [3.0, 7.0, 90.0], "end": ["clean", "clean", "reset"]})
    estimators = {
        "t": Estimator(column="t", kind="mean"),
        "median": Estimator(column="t", kind="quantile", at=0.5),
        "p_reset": Estimator(column="end", kind="proportion", equals="reset"),
        "until": Estimator(column="t", kind="restricted_mean", at=5.0),
    }
    found = paired(first, second, estimators)
    assert list(found) == ["t", "p_reset", "until"]
    assert (found["t"].value, found["t"].n) == (3.0, 2)
    assert found["p_reset"].value == -0.5
    assert found["until"].value == 2.0  # 1 to 3, and 3 to 5: the horizon


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["time-wait"], "against = 'time-wait': must be NAME=VALUE, for example time-wait=60"),
        (["loss=1", "loss=0"], "against = 'loss=0': loss is given twice"),
        (["loss=2"], "loss = 2: must be a probability in [0, 1]"),
        (["los=0"], "los = '0': unknown parameter; netsim list names them; did you mean loss?"),
        (["time-wait=0"], "against = time-wait=0: changes nothing; must differ from the parameters given"),
    ],
)
def test_what_is_no_variant_is_one_line(words: list[str], line: str) -> None:
    assert netsim(*TIME_WAIT, "--against", *words) == (2, "", f"netsim: {line}\n")


def test_names_are_those_of_the_options() -> None:
    assert read_changes(["client.syn-retries=3", "time_wait=1 s"]) == {"client.syn_retries": "3", "time_wait": "1 s"}
