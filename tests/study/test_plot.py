"""table.plot: lines with intervals and exact values, distributions, files."""

import math
from pathlib import Path
from typing import Any

import pytest

import netsim
from netsim.sweep import read_csv


@pytest.fixture(scope="module")
def table() -> netsim.Table:
    study = netsim.Study("setup", loss=[0.1, 0.3, 0.5], rtt="80ms", axes={"client.syn_retries": [0, 2]})
    return study.run(replications=200, seed=1)


def test_a_line_with_intervals_and_the_exact_value_dashed(table: netsim.Table, tmp_path: Path) -> None:
    plot = table.plot("p_fail", x="loss", by="client.syn_retries")
    assert [line.get_label() for line in plot.axes.get_lines() if not str(line.get_label()).startswith("_")] == [
        "syn_retries = 0",
        "syn_retries = 2",
    ]
    assert "dashed: exact" in " ".join(text.get_text() for text in plot.figure.texts)
    assert "rtt = 0.08\N{NO-BREAK SPACE}s" in " ".join(text.get_text() for text in plot.figure.texts)
    paths = plot.save(tmp_path / "own")
    assert sorted(path.name for path in paths) == ["own.csv", "own.pdf", "own.png", "own.svg"]
    others = plot.save(tmp_path / "a new folder" / "own.png")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in others) == [
        "a new folder/own.csv",
        "a new folder/own.pdf",
        "a new folder/own.png",
        "a new folder/own.svg",
    ]
    rows = read_csv(tmp_path / "own.csv")
    simulated, exact = rows.where(source="simulation"), rows.where(source="exact")
    assert len(simulated) == 6
    assert len(exact) > 60  # between the points too
    assert exact.only("value", **{"loss": 0.5, "client.syn_retries": 0}) == pytest.approx(1 - 0.5 * 0.5)
    assert all(low <= high for low, high in zip(simulated.floats("low"), simulated.floats("high"), strict=True))


def test_the_axes_that_vary_need_not_be_named(table: netsim.Table) -> None:
    plot = table.where({"client.syn_retries": 2}).plot("setup_latency")
    assert plot.axes.get_xlabel().startswith("loss probability")
    both = table.plot("p_fail", by="client.syn_retries")
    assert both.axes.get_xlabel() == plot.axes.get_xlabel()
    assert plot.axes.get_ylabel() == "setup_latency (s)"


@pytest.mark.parametrize("kind", ["ecdf", "ccdf"])
def test_the_distribution_of_a_column_by_curve(table: netsim.Table, kind: Any, tmp_path: Path) -> None:
    plot = table.where(loss=0.3).plot("client_latency", by="client.syn_retries", kind=kind)
    assert plot.axes.get_ylabel() == f"P(client_latency {'≤' if kind == 'ecdf' else '>'} t)"
    plot.save(tmp_path / "d")
    rows = read_csv(tmp_path / "d.csv").where(**{"client.syn_retries": "syn_retries = 0"})
    runs = table.where(loss=0.3).where({"client.syn_retries": 0}).runs
    late = sum(not t <= 0.08 for t in runs.floats("client_latency"))
    assert rows.only("value", t=0.08) == pytest.approx(late / len(runs))
    assert any(math.isnan(t) for t in runs.floats("client_latency"))


def test_it_draws_where_it_is_told_and_shows_itself(table: netsim.Table) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    plot = table.plot("p_fail", x="loss", by="client.syn_retries", ax=right)
    assert plot.axes is right
    assert plot.figure is figure
    assert right.get_lines()
    assert not left.get_lines()
    assert plot._repr_png_().startswith(b"\x89PNG")


def test_without_exact_values_the_marks_are_joined() -> None:
    def mine(params: dict[str, Any], seed: netsim.Seed) -> dict[str, Any]:
        return {"y": params["a"] * seed.stream("y").random()}

    plot = netsim.Study(mine, a=[1, 2, 3]).run(replications=5, seed=1).plot("y")
    assert len(plot.table) == 3
    assert "no intervals" in " ".join(text.get_text() for text in plot.figure.texts)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"column": "p_fial"}, r"estimate = 'p_fial': must be one of .*; did you mean p_fail\?"),
        ({"column": "p_fail", "x": "los"}, r"x = 'los': must be one of loss, client.syn_retries; did you mean loss\?"),
        ({"column": "p_fail"}, r"x = None: must be one of loss, client.syn_retries"),
        ({"column": "p_fail", "kind": "lines"}, r"kind = 'lines': must be one of line, ecdf, ccdf"),
        ({"column": "p_fail", "x": "loss", "by": "loss"}, r"client.syn_retries: varies too; choose one value with .*"),
        ({"column": "client_latncy", "kind": "ccdf"}, r"column = 'client_latncy': .*; did you mean client_latency\?"),
        ({"column": "outcome", "kind": "ccdf", "by": "loss"}, r"client.syn_retries: varies too; .*"),
        ({"column": "client_latency", "kind": "ccdf", "x": "loss"}, r"x = 'loss': is for kind='line'; .*"),
    ],
)
def test_what_does_not_fit_is_one_line(table: netsim.Table, words: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        table.plot(**words)


def test_text_has_no_place_on_an_axis_of_numbers() -> None:
    table = netsim.Study("setup", profile=["linux", "freebsd"]).run(replications=2, seed=1)
    with pytest.raises(ValueError, match=r"^x = 'profile': 'linux' is no number; .*by='profile' makes curves"):
        table.plot("p_fail")
    with pytest.raises(ValueError, match="column = 'outcome': holds strings"):
        table.plot("outcome", kind="ccdf")
    assert table.plot("client_latency", kind="ccdf").axes.get_lines()
