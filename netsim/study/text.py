"""Tables and numbers to read."""

from collections.abc import Sequence


def number(value: float | None) -> str:
    """A number with five significant digits; "-" for None."""
    return "-" if value is None else f"{value:.5g}"


def interval(low: float | None, high: float | None) -> str:
    """An interval; "-" where none is claimed."""
    return "-" if low is None and high is None else f"{number(low)} .. {number(high)}"


def aligned(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """A line per row, the first of which is the head: ``left`` columns flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = zip(row, widths, strict=True)
        placed = [cell.ljust(width) if k < left else cell.rjust(width) for k, (cell, width) in enumerate(cells)]
        lines.append("  ".join(placed).rstrip())
    return lines
