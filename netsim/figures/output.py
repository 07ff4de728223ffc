"""Figures to files: PDF, SVG and PNG with a tidy CSV beside them, the same bytes every time."""

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import matplotlib
from matplotlib.figure import Figure

from netsim.figures.style import RC, footer_of, title_of
from netsim.sweep import Rows, write_atomically, write_csv

# Without a date: it would be the only thing in these files that differs from one run to the next.
_UNDATED: Final[dict[str, dict[str, Any]]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}
_FOOTER: Final = {"pdf": "Subject", "svg": "Description", "png": "Description"}  # the format's name for it
_OUTPUT: Final[Any] = {name: value for name, value in RC.items() if name.startswith(("savefig", "svg", "path"))}


def render(figure: Figure) -> dict[str, bytes]:
    """The figure by format: ``pdf``, ``svg``, ``png``. Equal figures give equal bytes with the same matplotlib.

    The title and the footer of a sheet are in the files' metadata too.
    """
    files = {}
    with matplotlib.rc_context(_OUTPUT):
        for name, undated in _UNDATED.items():
            words = {"Title": title_of(figure), _FOOTER[name]: footer_of(figure)}
            metadata = undated | {key: word for key, word in words.items() if word}
            buffer = BytesIO()
            figure.savefig(buffer, format=name, metadata=metadata)
            files[name] = buffer.getvalue()
    return files


def save(figure: Figure, table: Rows, folder: Path, name: str) -> list[Path]:
    """Write ``name``.pdf, .svg, .png and the table as ``name``.csv, each in one step; their paths.

    Raises OSError; a file that was there is then as it was.
    """
    paths = []
    for ending, data in render(figure).items():
        paths.append(folder / f"{name}.{ending}")
        write_atomically(paths[-1], data)
    paths.append(folder / f"{name}.csv")
    write_csv(table, paths[-1])
    return paths


def save_text(text: str, folder: Path, name: str) -> list[Path]:
    """Write ``name``.txt in one step; its path in a list. Raises OSError."""
    path = folder / f"{name}.txt"
    write_atomically(path, text)
    return [path]


def save_table(table: Rows, text: str, folder: Path, name: str) -> list[Path]:
    """Write a table as ``name``.csv, and as ``name``.txt to read; their paths. Raises OSError."""
    path = folder / f"{name}.csv"
    write_csv(table, path)
    return [*save_text(text, folder, name), path]
