"""``netsim run FILE.py:FUNCTION``: a function of the user."""

import json
import math
from pathlib import Path

import pytest

import netsim as package
from tests.cli.in_process import netsim

SOURCE = '''
def rain(params, seed):
    """Does it rain?"""
    draw = seed.stream("rain").random()
    return {"wet": draw < params["a"], "depth": draw * params.get("server.cores", 1), "word": "x"}


def fails(params, seed):
    raise ZeroDivisionError("oh")


number = 3
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "weather.py"
    path.write_text(SOURCE)
    return path


def test_it_is_run_as_a_scenario_is(file: Path, tmp_path: Path) -> None:
    words = ["--a", "50%", "--server.cores", "3", "--replications", "200", "--json"]
    status, out, err = netsim("run", f"{file}:rain", *words, "--out", str(tmp_path / "rows.csv"))
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert (result["scenario"], result["n"]) == ("rain", 200)
    assert result["params"] == {"a": 0.5, "server.cores": 3}
    assert list(result["estimates"]) == ["wet", "depth"]
    assert math.isclose(result["estimates"]["wet"]["value"], 0.5, abs_tol=0.15)
    assert (tmp_path / "rows.csv").read_text().startswith("a,server.cores,point,replication,wet,depth,word,error\n")


def test_python_and_the_command_line_give_the_same_numbers(file: Path) -> None:
    names: dict[str, object] = {"__name__": "weather"}
    exec(compile(SOURCE, str(file), "exec"), names)
    result = json.loads(netsim("run", f"{file}:rain", "--a", "1", "--replications", "20", "--json").out)
    table = package.Study(names["rain"], a=1).run(replications=20, seed=1)  # type: ignore[arg-type]
    assert [row["value"] for row in table] == [e["value"] for e in result["estimates"].values()]


def test_a_file_of_parameters_and_a_variant(file: Path, tmp_path: Path) -> None:
    config = tmp_path / "p.toml"
    config.write_text('a = "10%"\n[server]\ncores = 2\n')
    status, out, err = netsim("run", f"{file}:rain", "--config", str(config), "--against", "a=1", "--replications", "9")
    assert (status, err) == (0, "")
    assert "seed 1, 9 runs; a = 0.1, server.cores = 2" in out
    assert "against the same runs with a = 1" in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "weather.py:rian",
            "has no function 'rian'; must be FILE.py:FUNCTION, a function run(params, seed) -> dict; did you mean",
        ),
        ("weather.py:number", "has no function 'number'"),
        ("wether.py:rain", "no file"),
        ("broken.py:rain", "broken.py fails with NameError: name 'rian' is not defined"),
    ],
)
def test_what_is_wrong_is_one_line(file: Path, name: str, said: str) -> None:
    (file.parent / "broken.py").write_text("rian\n")
    status, out, err = netsim("run", str(file.parent / name), "--a", "1")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_runs_that_fail_are_reported(file: Path) -> None:
    status, _, err = netsim("run", f"{file}:fails", "--replications", "2")
    assert status == 1
    assert "2 of 2 runs failed; replication 0: ZeroDivisionError: oh" in err


def test_its_help_has_its_question(file: Path) -> None:
    out = netsim("run", f"{file}:rain", "--help").out
    assert "Does it rain?" in out
    assert "--replications" in out


def test_there_is_no_trace_of_it(file: Path) -> None:
    status, out, err = netsim("trace", f"{file}:rain", "--a", "1")
    assert (status, out) == (2, "")
    assert "is a function of your own, of which there is no trace" in err
