"""netsim.Study: points, tables, files, own scenarios, errors."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netsim
from netsim.scenarios import setup
from netsim.sweep import Estimator, point_key, sweep


def _mine(params: dict[str, Any], seed: netsim.Seed) -> dict[str, Any]:
    """How far does it come?"""
    draw = seed.stream("draw").random()
    return {"up": draw < 0.5, "height": params["a"] + draw, "word": "x"}


def _points(study: netsim.Study) -> list[dict[str, Any]]:
    return [point.labels for point in study.points]


def test_the_study_of_the_issue() -> None:
    study = netsim.Study(
        "setup", loss=[0.05, 0.1, 0.2], rtt="80ms", axes={"client.syn_retries": [0, 1, 3]}, profile="linux"
    )
    table = study.run(replications=40, seed=1)
    assert table.axes == ("loss", "client.syn_retries")
    assert len(table) == 9 * len(setup.ESTIMATES)
    assert len(table.runs) == 9 * 40
    frame = table.to_pandas()
    assert list(frame.columns[:3]) == ["loss", "client.syn_retries", "estimate"]
    assert list(frame.columns[3:]) == ["value", "low", "high", "upper_bound", "n", "exact"]
    assert {"loss", "client.syn_retries", "client_latency", "error"} <= set(table.runs.to_pandas().columns)
    linux = netsim.profile("linux")
    params = setup.Params(loss=0.1, rtt=0.08, client=linux.replace(syn_retries=3), server=linux)
    assert params in [point.params for point in study.points]
    row = table.estimates.one(**{"loss": 0.1, "client.syn_retries": 3, "estimate": "p_fail"})
    assert row["exact"] == setup.theory(params)["p_fail"]
    alone = sweep(setup.run, [params], replications=40, seed=1)
    assert table.where(loss=0.1).where({"client.syn_retries": 3}).runs.floats("client_latency") == alone.floats(
        "client_latency"
    )


def test_a_list_a_range_or_an_array_is_an_axis_and_the_last_one_varies_fastest() -> None:
    study = netsim.Study("setup", loss=np.array([0.0, 0.1]), axes={"server.synack_retries": range(1, 3)})
    assert _points(study) == [
        {"loss": loss, "server.synack_retries": retries} for loss in (0.0, 0.1) for retries in (1, 2)
    ]
    assert repr(study) == "<Study of setup: 4 points (loss: 2 values, server.synack_retries: 2 values)>"


def test_text_with_units_is_a_number_in_the_table() -> None:
    study = netsim.Study("setup", loss=["5%", "10%"], rtt=["80ms"], profile=["linux", "freebsd"])
    assert study.points[0].labels == {"loss": 0.05, "rtt": 0.08, "profile": "linux"}
    assert study.points[0].params == setup.Params(loss=0.05, rtt=0.08, profile="linux")


def test_zip_varies_together() -> None:
    study = netsim.Study("setup", loss=[0, 0.1], zip={"rtt": ["10ms", "100ms"], "client.syn_retries": [1, 5]})
    assert _points(study) == [
        {"loss": loss, "rtt": rtt, "client.syn_retries": retries}
        for loss in (0, 0.1)
        for rtt, retries in ((0.01, 1), (0.1, 5))
    ]


def test_one_point_needs_no_axis() -> None:
    table = netsim.Study("setup", loss=0.1, parameters={"client.syn_retries": 3}).run(replications=3, seed=1)
    assert table.axes == ()
    assert len(table) == len(setup.ESTIMATES)
    assert table.fixed == {"loss": "0.1", "client.syn_retries": "3 retransmissions"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: netsim.Study("setpu"), "scenario = 'setpu': must be one of setup, .*; did you mean setup?"),
        (
            lambda: netsim.Study("setup", los=[0.1]),
            "los = 0.1: unknown parameter; netsim list names them; did you mean loss?",
        ),
        (lambda: netsim.Study("setup", loss=[]), "loss = []: must have at least one value"),
        (lambda: netsim.Study("setup", axes={"loss": "0.1"}), "loss = '0.1': must be a list of values"),
        (
            lambda: netsim.Study("setup", loss=0.1, axes={"loss": [0.1]}),
            "loss: is given as a fixed value and as an axis; must be only one of these two",
        ),
        (
            lambda: netsim.Study("setup", loss=[0.1], zip={"loss": [0.1]}),
            "loss: is given as a list and as zip; must be only one of these two",
        ),
        (
            lambda: netsim.Study("setup", loss=[0.1], loss_forward=0.1),
            "loss = 0.1: loss_forward is given too; must be only one of these two",
        ),
        (
            lambda: netsim.Study("setup", zip={"loss": [0.1], "rtt": [0.1, 0.2]}),
            "zip: loss has 1, rtt has 2 values; must be of equal lengths",
        ),
        (lambda: netsim.Study("setup", loss=[0.1, 1.5]), "loss = 1.5: must be a probability in [0, 1]"),
        (
            lambda: netsim.Study("setup", estimates=["p_fial"]),
            "estimate = 'p_fial': must be one of .*; did you mean p_fail?",
        ),
        (lambda: netsim.Study("setup", theory=lambda params: {}), "theory = .*: is for a function of your own; .*"),
        (
            lambda: netsim.Study(3),
            "scenario = 3: must be the name of a scenario or a function run(params, seed) -> dict",
        ),
        (lambda: netsim.Study(_mine, n=[1, 2]), "n: is a column of the table; an axis must have another name"),
    ],
)
def test_what_is_wrong_is_one_line(make: Any, said: str) -> None:
    pattern = re.escape(said).replace(r"\.\*", ".*")
    with pytest.raises(ValueError, match=f"^{pattern}$"):
        make()


def test_equal_points_are_refused() -> None:
    said = r"^loss = 0\.1: stands twice in the lists; the points must be distinct$"
    with pytest.raises(ValueError, match=said):
        netsim.Study("setup", loss=[0.1, "10%"])
    with pytest.raises(ValueError, match=r"^loss = 0\.1, rtt = 0\.08: stands twice"):
        netsim.Study("setup", zip={"loss": [0.1, 0.1], "rtt": ["80ms", 0.08]})


@pytest.mark.parametrize(
    "dotted", ["client.syn_retries = [0, 1]", '"client.syn_retries" = [0, 1]', "client = {syn_retries = [0, 1]}"]
)
def test_a_file_has_the_words_of_python(tmp_path: Path, dotted: str) -> None:
    file = tmp_path / "study.toml"
    file.write_text(
        'scenario = "setup"\nreplications = 3\nseed = 5\n'
        '[parameters]\nprofile = "linux"\nclient.isn = "constant:0"\n'
        f"[axes]\n{dotted}\n"
        '[zip]\nloss = ["1%", 0.02]\nrtt = ["10ms", 0.2]\n'
    )
    study = netsim.Study.from_toml(file)
    python = netsim.Study(
        "setup",
        profile="linux",
        parameters={"client.isn": "constant:0"},
        axes={"client.syn_retries": [0, 1]},
        zip={"loss": [0.01, 0.02], "rtt": [0.01, 0.2]},
    )
    assert [point.params for point in study.points] == [point.params for point in python.points]
    table = study.run()
    assert (table.replications, table.seed) == (3, 5)
    assert list(table.runs) == list(python.run(replications=3, seed=5).runs)
    assert study.run(replications=1).replications == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "scenario = None: must be the name of a scenario, or FILE.py:FUNCTION"),
        ('scenario = "setpu"', "did you mean setup?"),
        ('scenario = "setup"\naxis = 3', "axis: unknown; must be one of "),
        ('scenario = "setup"\naxes = 3', "axes = 3: must be a table, [axes]"),
        ('scenario = "setup"\n[axes]\nloss = []', "loss = []: must have at least one value"),
        ('scenario = "setup"\n[axes]\nlos = [1]', "los = 1: unknown parameter"),
        (
            'scenario = "setup"\n[parameters]\nloss = 1\n[axes]\nloss = [1]',
            "loss: is given as a parameter and as an axis",
        ),
        ("scenario = ", "malformed"),
    ],
)
def test_a_bad_file_is_one_line_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        netsim.Study.from_toml(file)
    assert "bad.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_function_is_a_scenario() -> None:
    table = netsim.Study(_mine, a=[1, 2, 3]).run(replications=2, seed=1)
    assert list(table.estimates.column("estimate")) == ["up", "height"] * 3
    assert [estimator.kind for estimator in table.estimators.values()] == ["proportion", "mean"]
    assert len(table.runs) == 6
    alone = sweep(_mine, [{"a": a} for a in (1, 2, 3)], replications=2, seed=1)
    assert table.runs.floats("height") == alone.floats("height")
    assert repr(table).startswith("_mine: How far does it come?\n2 runs per point, seed 1\n")


def test_a_function_with_estimates_theory_and_a_name() -> None:
    wanted = {"median": Estimator(column="height", kind="quantile", at=0.5)}
    study = netsim.Study(
        _mine, a="50ms", estimates=wanted, theory=lambda params: {"median": params["a"] + 0.5}, name="mine, 2nd version"
    )
    assert study.identity == "mine, 2nd version"
    (row,) = study.run(replications=5, seed=1)
    assert (row["estimate"], row["n"], row["exact"]) == ("median", 5, 0.55)
    assert study.points[0].params == {"a": 0.05}


def test_a_function_in_another_process() -> None:
    def slow(params: dict[str, Any], seed: netsim.Seed) -> dict[str, Any]:
        import time

        time.sleep(0.02)
        return {"y": seed.stream("y").random()}

    here, there = (netsim.Study(slow, a=[1, 2]).run(replications=60, seed=3, workers=n) for n in (1, 2))
    assert list(here.runs) == list(there.runs)


def test_the_identity_is_that_of_the_source() -> None:
    assert netsim.Study("two_way").identity == "two-way"
    assert netsim.Study(_mine, a=1).identity.startswith(f"{__name__}._mine:")


def test_distributions_and_policies_of_ones_own() -> None:
    def slow(rng: Any) -> float:
        return 0.05 + float(rng.expovariate(10))

    def seven(now: int, flow: Any, opened: int, source: Any) -> int:
        return 7

    study = netsim.Study("setup", loss=0, delay=[slow, "50ms"], parameters={"client.isn": seven})
    assert [str(point.labels["delay"])[-4:] for point in study.points][1] == "0.05"
    table = study.run(replications=20, seed=1)
    assert table.fixed == {"loss": "0", "client.isn": "seven"}
    first, second = (part.floats("client_latency") for part in table.runs.group_by("point").values())
    assert len(set(first)) > 10
    assert set(second) == {0.1}


def test_a_run_that_fails_warns_and_all_that_fail_raise() -> None:
    def fails(params: dict[str, Any], seed: netsim.Seed) -> dict[str, Any]:
        if seed.replication >= params["first"]:
            raise ZeroDivisionError("oh")
        return {"y": 1.0}

    with pytest.warns(RuntimeWarning, match="2 of 4 runs failed, the first with ZeroDivisionError: oh"):
        table = netsim.Study(fails, first=2).run(replications=4, seed=1)
    assert len(table.runs.failed()) == 2
    assert table.estimates.ints("n") == [2]
    with pytest.raises(RuntimeError, match="4 of 4 runs failed"):
        netsim.Study(fails, first=0).run(replications=4, seed=1)


def test_progress_is_reported() -> None:
    reports: list[tuple[int, int]] = []
    netsim.Study(_mine, a=1).run(replications=4, seed=1, progress=lambda done, total: reports.append((done, total)))
    assert reports[-1] == (4, 4)


def test_where_and_its_errors() -> None:
    table = netsim.Study(_mine, a=[1, 2]).run(replications=2, seed=1)
    assert len(table.where(a=1, estimate="up")) == 1
    with pytest.raises(ValueError, match=r"^b: must be one of a, estimate"):
        table.where(b=1)
    with pytest.raises(ValueError, match="there is no such row"):
        table.where(a=7)


def test_a_long_table_is_cut_and_a_notebook_has_html(tmp_path: Path) -> None:
    table = netsim.Study(_mine, a=list(range(30))).run(replications=1, seed=1)
    assert repr(table).endswith("... and 20 more rows: table.to_pandas() has all")
    assert "<table" in table._repr_html_()
    assert table.to_csv(tmp_path / "t.csv").read_text().startswith("a,estimate,value,")


def test_parameters_are_the_same_point_as_elsewhere() -> None:
    (point,) = netsim.Study("setup", loss="10%", profile="linux").points
    assert point_key(point.params) == point_key(setup.Params(loss=0.1, profile="linux"))


def test_a_ladder_prints_and_shows_itself() -> None:
    world = netsim.World(seed=1, trace=True)
    a, b = world.host("a"), world.host("b")
    world.link(a, b, netsim.Path(delay=0.1))

    def client(sock: netsim.Socket) -> Any:
        yield sock.connect(("b", 80))

    b.socket().listen(80)
    world.process(client(a.socket()))
    world.run()
    ladder = netsim.ladder(world.trace)
    assert "SYN seq=0" in str(ladder)
    assert repr(ladder) == str(ladder)
    assert ladder._repr_html_().startswith("<pre")
    assert "&gt;" in ladder._repr_html_()
