"""Whole figures: nothing overlaps or is too small, every number drawn is in the table, and the files are equal."""

import itertools
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from netsim.figures.assassination import assassination_figure
from netsim.figures.output import render, save
from netsim.figures.setup import bursts_figure, ccdf_figure, estimate_figure
from netsim.figures.stale import acceptance_figure, sequence_figure
from netsim.figures.style import LOOKS, WIDTH, footer_of, looks, styled, title_of
from netsim.figures.teardown import ends_figure, latency_figure, segments_figure, shares_figure
from netsim.figures.time_wait import time_wait_figure, why_four_figure
from netsim.sweep import Rows, read_csv
from tests.figures import setup_tables as tables
from tests.figures import teardown_tables

HEADINGS = {0.0: "TIME-WAIT: 0", 30.0: "MSL = 30 s", 60.0: "2 MSL = 60 s"}
SMALLEST_IN_A_COLUMN = 6.0  # points, at 3.5 inches


def estimate(name: str) -> Figure:
    values: dict[str, dict[str, list[float | None]]] = {
        "setup_latency": tables.MEANS,
        "setup_latency_p99": tables.P99,
        "p_fail": tables.FAILED,
    }
    return estimate_figure(tables.estimates(values[name], name), n=2600, seed=1)


def why_four() -> Figure:
    n = {"segments": 400, "time_wait": 2000}
    table = Rows.concatenate([teardown_tables.segments(), teardown_tables.time_wait()])
    return why_four_figure(table, think_time=0.1, lost=0.02, rate=100.0, n=n, seed=1)


def bursts() -> Figure:
    table = tables.estimates({"independent": [0.1, 0.31, 0.9, 2.4], "bursts of 5 s": [0.1, 1.7, 4.8, 9.5]}, by="losses")
    return bursts_figure(table, loss=0.1, n=2600, seed=1)


FIGURES: dict[str, Callable[[], Figure]] = {
    "mean": lambda: estimate("setup_latency"),
    "setup_latency_p99": lambda: estimate("setup_latency_p99"),
    "failed": lambda: estimate("p_fail"),
    "bursts": bursts,
    "ccdf": lambda: ccdf_figure(tables.ccdf(), loss=0.1, n=1000, seed=1),
    "acceptance": lambda: acceptance_figure(
        tables.acceptance(), headings=HEADINGS, n=500, seed=1, model="delayed duplicates"
    ),
    "sequence": lambda: sequence_figure(tables.sequence(), "One run; seed 1."),
    "time-wait": lambda: time_wait_figure(teardown_tables.time_wait(), loss=0.2, rate=100.0, n=2000, seed=1),
    "why four": why_four,
    "ends": lambda: ends_figure(teardown_tables.ends(), loss=0.25, n=1000, seed=1),
    "segments": lambda: segments_figure(teardown_tables.segments(), think_time=0.1, n=2000, seed=1, loss=0.02),
    "close latency": lambda: latency_figure(teardown_tables.latency(), loss=0.1, n=6000, seed=1),
    "assassination": lambda: assassination_figure(teardown_tables.assassination(), duplicate=0.1, n=600, seed=1),
    "shares": lambda: shares_figure(teardown_tables.shares(), n=1000, seed=1),
}


@pytest.fixture(scope="module", params=FIGURES)
def figure(request: pytest.FixtureRequest) -> Figure:
    with styled():
        drawn = FIGURES[request.param]()
        FigureCanvasAgg(drawn).draw()
    return drawn


def texts(figure: Figure) -> list[Text]:
    """All that is written and seen; tick labels beyond the ends of an axis are not."""
    written = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    hidden = set()
    for ax in figure.axes:
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high or not tick.label1.get_visible():
                    hidden |= {tick.label1, tick.label2}
    return [t for t in written if t not in hidden]


def test_no_two_texts_overlap(figure: Figure) -> None:
    boxes = [(t.get_text(), Text.get_window_extent(t).padded(-1.0)) for t in texts(figure)]
    clashes = [(a, b) for (a, box), (b, other) in itertools.combinations(boxes, 2) if box.overlaps(other)]
    assert clashes == []


def test_all_text_is_on_the_sheet(figure: Figure) -> None:
    sheet = figure.bbox
    for text in texts(figure):
        box = Text.get_window_extent(text)
        assert sheet.x0 <= box.x0, text.get_text()
        assert box.x1 <= sheet.x1, text.get_text()
        assert sheet.y0 <= box.y0, text.get_text()
        assert box.y1 <= sheet.y1, text.get_text()


def test_the_smallest_type_can_be_read_in_a_column(figure: Figure) -> None:
    assert min(t.get_size() for t in texts(figure)) * 3.5 / WIDTH >= SMALLEST_IN_A_COLUMN


def test_there_is_no_legend_box(figure: Figure) -> None:
    assert all(ax.get_legend() is None for ax in figure.axes)


def test_looks_survive_a_grey_printer() -> None:
    assert len({look.marker for look in LOOKS}) == len(LOOKS)
    light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (to_rgb(look.colour) for look in LOOKS))
    assert all(b - a > 0.05 for a, b in itertools.pairwise(light))
    assert light[-1] < 0.75


def test_a_sixth_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="curves = 6: must be at most 5"):
        looks("abcdef")


def _points(figure: Figure, look_index: int) -> list[tuple[float, float]]:
    """The marks of one curve in the first panel (loss to the nearest per cent, value)."""
    look, ax = LOOKS[look_index], figure.axes[0]
    marks = []
    for line in ax.get_lines():
        if line.get_marker() == look.marker and line.get_transform() != ax.transAxes:
            marks += [(round(x, 2), y) for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]  # type: ignore[arg-type]
    return sorted(marks)


def test_the_marks_are_the_rows() -> None:
    with styled():
        drawn = estimate("setup_latency")
    for index, curve in enumerate(tables.MEANS.values()):
        assert _points(drawn, index) == list(zip(tables.LOSSES, curve, strict=True))


def test_the_dashed_lines_are_the_exact_values() -> None:
    with styled():
        ax = estimate("setup_latency").axes[0]
    dashed = [line for line in ax.get_lines() if line.is_dashed() and line.get_color() == LOOKS[1].colour]
    assert list(dashed[0].get_ydata()) == [0.9 * (v or 0.0) for v in tables.MEANS["linux"]]  # type: ignore[arg-type]


def test_infinite_quantiles_stand_on_the_line_never() -> None:
    with styled():
        ax = (drawn := estimate("setup_latency_p99")).axes[0]
        FigureCanvasAgg(drawn).draw()
    (never,) = [float(text.get_position()[1]) for text in ax.texts if text.get_text() == "never"]
    windows = _points(drawn, list(tables.P99).index("windows"))
    assert windows[-1] == (0.5, never)
    assert never > max(v for curve in tables.P99.values() for v in curve if v and v < math.inf)


def test_a_proportion_of_none_is_an_arrow_from_its_bound() -> None:
    with styled():
        ax = estimate("p_fail").axes[0]
    arrows = [a for a in ax.texts if getattr(a, "arrow_patch", None) is not None]
    unseen = sum(v is None for curve in tables.FAILED.values() for v in curve)
    assert len(arrows) == unseen
    assert {a.xy[1] for a in arrows} == {0.003}  # type: ignore[attr-defined]


def test_the_style_leaves_no_trace_and_takes_none() -> None:
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        with styled():
            assert matplotlib.rcParams["axes.facecolor"] == "white"
        assert dict(matplotlib.rcParams) == before


def test_files_are_equal_when_repeated() -> None:
    with styled():
        first, second = (render(FIGURES["mean"]()) for _ in range(2))
    assert first == second
    assert {name: data[:5] for name, data in first.items()} == {"pdf": b"%PDF-", "svg": b"<?xml", "png": b"\x89PNG\r"}


def test_files_are_equal_in_another_process() -> None:
    program = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]); import test_sheets as t\n"
        "with t.styled(): files = t.render(t.FIGURES['sequence']())\n"
        "print({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})"
    )
    seen = set()
    for hash_seed, epoch in (("1", "0"), ("2", "1000000000")):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "SOURCE_DATE_EPOCH": epoch, "TZ": f"UTC+{hash_seed}"}
        here = str(Path(__file__).parent)
        done = subprocess.run(
            [sys.executable, "-c", program, here], env=environment, capture_output=True, text=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1


def test_the_table_lies_beside_the_figure(tmp_path: Path) -> None:
    table = tables.sequence()
    (tmp_path / "other.png").write_bytes(b"mine")
    with styled():
        paths = save(FIGURES["sequence"](), table, tmp_path, "x")
    assert [p.name for p in paths] == ["x.pdf", "x.svg", "x.png", "x.csv"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.png", "x.csv", "x.pdf", "x.png", "x.svg"]
    assert list(read_csv(tmp_path / "x.csv")) == list(table)
    assert (tmp_path / "other.png").read_bytes() == b"mine"


def test_the_title_is_short_and_the_footer_tells_how_to_repeat_and_judge(figure: Figure) -> None:
    assert 10 < len(title_of(figure)) <= 90
    assert re.search(r"\d runs? per|^One run;", footer_of(figure)), footer_of(figure)
    assert "seed 1" in footer_of(figure)


def test_the_files_know_their_title() -> None:
    with styled():
        drawn = FIGURES["mean"]()
        png = render(drawn)["png"]
    assert title_of(drawn).encode("latin-1") in png
