"""How every figure looks: one place for type sizes, marks and the frame of title and footer.

The sizes are for a sheet of 7 inches; at half of it, a column of a paper, the smallest type is still 6 points. Marks
differ in shape and in lightness, so that a figure printed in grey says the same.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.gridspec import GridSpec
from matplotlib.textpath import TextPath
from matplotlib.ticker import FuncFormatter

from netsim.sweep import Rows

WIDTH: Final = 7.0  # inches
HEIGHT: Final = 4.8
SMALLEST: Final = 12.0  # points
_TITLE: Final = 15.0
_LINE: Final = 1.25  # of the type size, from one line to the next
_POINTS: Final = 72.0  # per inch
_MARGIN: Final = 0.12  # inches

RC: Final[dict[str, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": SMALLEST,
    "axes.titlesize": 13.0,
    "axes.labelsize": 13.0,
    "xtick.labelsize": SMALLEST,
    "ytick.labelsize": SMALLEST,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.6,
    "lines.markersize": 6.5,
    "savefig.dpi": 200,
    "svg.hashsalt": "netsim",
    "svg.fonttype": "path",
    "path.simplify": False,
}


@dataclass(frozen=True, slots=True)
class Look:
    """The colour and the mark of one curve."""

    colour: str
    marker: str


# Paul Tol's high-contrast scheme and a green; in grey they are 0, 25, 37, 50 and 70 % light.
LOOKS: Final = (
    Look("#000000", "o"),
    Look("#BB5566", "s"),
    Look("#004488", "^"),
    Look("#DDAA33", "D"),
    Look("#117733", "v"),
)


@contextmanager
def styled() -> Iterator[None]:
    """Within it figures are drawn in this style, whatever the user's own settings; afterwards all is as before."""
    with style.context(RC, after_reset=True):
        yield


def looks(names: Sequence[str]) -> dict[str, Look]:
    """A look for each curve. ValueError for more curves than a panel can hold."""
    if len(names) > len(LOOKS):
        raise ValueError(f"curves = {len(names)}: must be at most {len(LOOKS)} in a panel")
    return dict(zip(names, LOOKS, strict=False))


def looks_of(rows: Rows, column: str) -> dict[str, Look]:
    """A look for each name in the column, in order of first appearance."""
    return looks([str(name) for (name,) in rows.group_by(column)])


def in_percent(*axes: Axis) -> None:
    """Ticks of shares, in whole per cent."""
    for axis in axes:
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))


def board(ax: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    """Axes of unit squares: a column and a row of them for each of these names, the first at the top left."""
    ax.set_xticks([x + 0.5 for x in range(len(columns))], list(columns), size=SMALLEST)
    ax.set_yticks([y + 0.5 for y in range(len(rows))], list(rows), size=SMALLEST)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_xlim(0, len(columns))
    ax.set_ylim(len(rows), 0)


def sheet(
    title: str,
    footer: str,
    *,
    rows: int = 1,
    columns: int = 1,
    height: float = HEIGHT,
    label_room: float = 1.75,
    left_room: float = 0.95,
    head_room: float = 0.0,
    share_x: bool = True,
    share_y: bool = True,
) -> tuple[Figure, list[Axes]]:
    """A figure with its title (one claim), its footer (how it was found) and its panels, row by row.

    ``label_room`` (inches) is left free at the right for the names of the curves, ``head_room`` above the
    panels for their headings. Panels share their axes unless told otherwise.
    """
    figure = Figure(figsize=(WIDTH, height))
    above = _write(figure, title, size=_TITLE, weight="bold", at_top=True)
    below = _write(figure, footer, size=SMALLEST, weight="normal", at_top=False)
    sides = {"left": left_room / WIDTH, "right": 1 - label_room / WIDTH}
    ends = {"top": 1 - (above + 0.22 + head_room) / height, "bottom": (below + 0.62) / height}
    grid = GridSpec(rows, columns, figure=figure, hspace=0.12, wspace=0.12, **sides, **ends)
    panels: list[Axes] = []
    for k in range(rows * columns):
        first = panels[0] if panels else None
        place = grid[divmod(k, columns)]
        panel = figure.add_subplot(place, sharex=first if share_x else None, sharey=first if share_y else None)
        panel.tick_params(labelbottom=k >= (rows - 1) * columns, labelleft=k % columns == 0 or not share_y)
        panels.append(panel)
    return figure, panels


def title_of(figure: Figure) -> str:
    """The title of a sheet, in one line; empty for another figure."""
    return _written(figure, "title")


def footer_of(figure: Figure) -> str:
    """The footer of a sheet, in one line; empty for another figure."""
    return _written(figure, "footer")


def _written(figure: Figure, name: str) -> str:
    found = [text.get_text() for text in figure.texts if text.get_gid() == name]
    return " ".join(" ".join(found).split())


def _write(figure: Figure, words: str, *, size: float, weight: str, at_top: bool) -> float:
    """Put wrapped words at the top or the bottom, from margin to margin; the height (inches) that they take."""
    lines = _wrapped(words, FontProperties(family=RC["font.family"], size=size, weight=weight))
    margin = _MARGIN / float(figure.get_size_inches()[1])
    figure.text(
        _MARGIN / WIDTH,
        1 - margin if at_top else margin,
        "\n".join(lines),
        size=size,
        weight=weight,
        color="black" if at_top else "#444444",
        va="top" if at_top else "bottom",
        linespacing=_LINE,
        gid="title" if at_top else "footer",
    )
    return _MARGIN + len(lines) * size * _LINE / _POINTS


def _wrapped(sentence: str, font: FontProperties) -> list[str]:
    """Lines of the sentence that fit between the margins; a number stays with its unit."""
    words = re.sub(r"(?<=\d) (?=%|m?s\b|bytes|runs?\b)|(?<=\bseed) ", "\N{NO-BREAK SPACE}", sentence).split(" ")
    space = _width("n n", font) - 2 * _width("n", font)
    room = 0.0
    lines: list[str] = []
    for word in words:
        width = _width(word, font)
        if lines and space + width <= room:
            lines[-1] += f" {word}"
            room -= space + width
        else:
            lines.append(word)
            room = WIDTH - 2 * _MARGIN - width
    return lines


def _width(words: str, font: FontProperties) -> float:
    """Inches from the start of the words to the end of their ink."""
    vertices = TextPath((0, 0), words, prop=font).vertices
    return float(vertices[:, 0].max()) / _POINTS
