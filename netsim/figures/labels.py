"""Names of curves beside the curves: no legend to look up, no two names on top of each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes

from netsim.figures.style import SMALLEST, Look

_GAP: Final = 1.3  # least distance of two names, in type sizes
_GREY: Final = "#777777"


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a curve that ends at ``y`` (in data) on the right edge of its panel."""

    text: str
    y: float
    look: Look


def spread(wanted: Sequence[float], *, gap: float, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Positions as near as possible to the wanted ones, in their order, at least ``gap`` apart, in [low, high].

    Neighbours that are too close form a block around the mean of what they want.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[list[float]] = []  # of wanted positions, each less the room that those below it in the block take
    for i in order:
        blocks.append([wanted[i]])
        while len(blocks) > 1 and _top(blocks[-2], gap) + gap > _start(blocks[-1], gap):
            last = blocks.pop()
            blocks[-1] += last
    placed: list[float] = []
    for block in blocks:
        placed += [_start(block, gap) + k * gap for k in range(len(block))]
    for k in range(len(placed)):  # back into the panel: first from below, then from above
        placed[k] = max(placed[k], low + k * gap)
    for k in range(len(placed)):
        placed[-1 - k] = min(placed[-1 - k], high - k * gap)
    positions = [0.0] * len(wanted)
    for rank, i in enumerate(order):
        positions[i] = placed[rank]
    return positions


def _start(block: Sequence[float], gap: float) -> float:
    return sum(block) / len(block) - (len(block) - 1) * gap / 2


def _top(block: Sequence[float], gap: float) -> float:
    return _start(block, gap) + (len(block) - 1) * gap


def label_curves(ax: Axes, labels: Sequence[Label]) -> Axes:
    """Write the names at the right of the panel, each with its mark and a thin line to the end of its curve.

    Call it when the limits of the axes are final.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    box, inches = ax.get_position(), figure.get_size_inches()
    width, height = box.width * inches[0] * 72.0, box.height * inches[1] * 72.0  # points
    to_axes = ax.transData + ax.transAxes.inverted()
    right = ax.get_xlim()[1]
    ends = [min(max(float(to_axes.transform((right, label.y))[1]), 0.0), 1.0) for label in labels]
    for label, end, y in zip(labels, ends, spread(ends, gap=_GAP * SMALLEST / height), strict=True):
        line: dict[str, Any] = {"transform": ax.transAxes, "clip_on": False}
        start, stop, mark, text = (1 + points / width for points in (2, 14, 22, 30))
        ax.plot([start, stop], [end, y], color=_GREY, linewidth=0.7, marker="", linestyle="-", **line)
        ax.plot([mark], [y], color=label.look.colour, marker=label.look.marker, linestyle="", **line)
        ax.text(text, y, label.text, size=SMALLEST, va="center_baseline", ha="left", transform=ax.transAxes)
    return ax
