"""The shared curves: what is drawn where, on which axes, for any table."""

import math

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from netsim.figures import curves
from netsim.figures.labels import label_curves
from netsim.figures.style import LOOKS
from netsim.sweep import Rows


@pytest.fixture
def ax() -> Axes:
    return Figure().add_subplot()


def table() -> Rows:
    """Two numbers of retries at three losses, the last value of the first infinite; exact for the second alone."""
    simulated = [
        {
            "retries": retries,
            "loss": loss,
            "source": "simulation",
            "value": v,
            "low": 0.9 * v,
            "high": v + 1,
        }
        for retries, values in ((0, (1.0, 2.0, math.inf)), (3, (1.0, 4.0, 8.0)))
        for loss, v in zip((0.1, 0.2, 0.3), values, strict=True)
    ]
    exact = [{"retries": 3, "loss": loss, "source": "exact", "value": v} for loss, v in ((0.1, 1.1), (0.3, 7.9))]
    return Rows.from_dicts([*simulated, *exact])


def named(ax: Axes) -> dict[str, Line2D]:
    return {str(line.get_label()): line for line in ax.get_lines() if not str(line.get_label()).startswith("_")}


def test_a_line_is_exact_and_dashed_or_joins_its_marks(ax: Axes) -> None:
    assert curves.line(ax, table(), x="loss", by="retries") is ax
    joined, dashed = named(ax)["retries = 0"], named(ax)["retries = 3"]
    assert list(dashed.get_ydata()) == [1.1, 7.9]  # type: ignore[arg-type]
    assert dashed.is_dashed()
    assert not joined.is_dashed()


def test_infinite_values_are_drawn_on_a_line_of_their_own(ax: Axes) -> None:
    curves.line(ax, table(), x="loss", by="retries")
    (never,) = (text for text in ax.texts if text.get_text() == "never")
    y = [float(v) for v in named(ax)["retries = 0"].get_ydata()]  # type: ignore[union-attr, arg-type]
    assert y[-1] == never.get_position()[1] > 8.0


def test_the_bars_are_the_intervals(ax: Axes) -> None:
    curves.bars(ax, table().where(retries=3, source="simulation"), x="loss", look=LOOKS[0])
    bars = [tuple(line.get_ydata()) for line in ax.get_lines()]  # type: ignore[arg-type]
    assert bars == [(0.9, 2.0), (3.6, 5.0), (7.2, 9.0)]


def test_none_observed_is_an_arrow_on_a_logarithmic_axis_and_a_bar_on_a_linear_one() -> None:
    row = {"x": 1.0, "value": 0.0, "low": 0.0, "high": 0.02, "upper_bound": 0.015}
    for scale, arrows, bars in (("log", 1, 0), ("linear", 0, 1)):
        ax = Figure().add_subplot()
        ax.set_yscale(scale)
        curves.bars(ax, Rows.from_dicts([row]), x="x", look=LOOKS[0])
        assert len(ax.texts) == arrows
        assert sum(len(line.get_xdata()) == 2 for line in ax.get_lines()) == bars  # type: ignore[arg-type]


def test_a_table_without_sources_and_intervals_can_be_drawn(ax: Axes) -> None:
    rows = Rows.from_dicts({"x": x, "value": float(x), "name": "a"} for x in (1, 2, 3))
    curves.line(ax, rows, x="x", by="name")
    assert list(named(ax)["a"].get_ydata()) == [1.0, 2.0, 3.0]  # type: ignore[arg-type]


def test_a_sixth_curve_is_refused(ax: Axes) -> None:
    rows = Rows.from_dicts({"x": 1.0, "value": 1.0, "k": k} for k in range(6))
    with pytest.raises(ValueError, match="curves = 6: must be at most 5"):
        curves.line(ax, rows, x="x", by="k")


def test_distributions_by_hand(ax: Axes) -> None:
    """Four values, one of them never: P(X <= t) is 1/4 at 1, 3/4 from 2 on; P(X > t) the rest."""
    sample = {"a": [2.0, 1.0, 2.0, math.nan]}
    curves.ecdf(ax, sample)
    line = named(ax)["a"]
    assert list(zip(line.get_xdata(), line.get_ydata(), strict=True)) == [  # type: ignore[arg-type]
        (0.0, 0.0),
        (1.0, 0.25),
        (2.0, 0.75),
        (pytest.approx(2.1), 0.75),
    ]
    beyond = curves.ccdf(Figure().add_subplot(), sample)
    assert beyond.get_yscale() == "log"
    assert list(named(beyond)["a"].get_ydata()) == [1.0, 0.75, 0.25, 0.25]  # type: ignore[arg-type]


def test_names_stand_beside_the_curves(ax: Axes) -> None:
    curves.line(ax, table().where(retries=3), x="loss", by="retries")
    assert label_curves(ax) is ax
    assert [text.get_text() for text in ax.texts] == ["retries = 3"]
