"""Rows in files: tidy CSV (RFC 4180) that reads back exactly, written atomically."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from netsim.sweep.rows import Rows, Scalar

_CELL = re.compile(r'(?:"(?P<text>(?:[^"]|"")*)"|(?P<bare>[^",\r\n]*))(?P<end>,|\r?\n|\Z)')
_SPECIAL = re.compile(r'[",\r\n]')


def format_csv(rows: Rows) -> str:
    """The rows as a CSV string: a header, then one line per row.

    Floats in the shortest form that reads back exactly; infinities and NaN are `inf`, `-inf`, `nan`;
    None is an empty cell; a string is quoted where it would otherwise be read as something else.
    """
    lines = [",".join(_format(name) for name in rows.columns)]
    lines += [",".join(map(_format, values)) for values in zip(*map(rows.column, rows.columns), strict=True)]
    return "\n".join(lines) + "\n"


def parse_csv(text: str, *, source: str = "csv") -> Rows:
    """The rows of a CSV string; `parse_csv(format_csv(rows))` has the same cells, types included.

    An unquoted cell is None, a bool, an int or a float if it looks like one, a string otherwise.
    Raises ValueError naming the source and the line for an open quote or a line of another length.
    """
    records = _records(text, source)
    _, header = next(records, (1, []))
    names = [name if isinstance(name, str) else "" for name in header]
    if not all(names) or len(set(names)) < len(names) or not names:
        raise ValueError(f"{source}, line 1: header = {names}: must be distinct names of columns")
    columns: dict[str, list[Scalar]] = {name: [] for name in names}
    for line, record in records:
        if len(record) != len(names):
            raise ValueError(f"{source}, line {line}: cells = {len(record)}: must be {len(names)}")
        for values, value in zip(columns.values(), record, strict=True):
            values.append(value)
    return Rows(columns)


def write_csv(rows: Rows, path: str | os.PathLike[str]) -> None:
    """Write the rows to a file, atomically. Raises OSError; an existing file is then as it was."""
    write_atomically(path, format_csv(rows))


def read_csv(path: str | os.PathLike[str]) -> Rows:
    """Read what `write_csv` wrote. Raises OSError, or ValueError naming the file and the line."""
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ValueError(f"{os.fspath(path)}, line {line}: not encoded as UTF-8") from problem
    return parse_csv(text, source=os.fspath(path))


def write_atomically(path: str | os.PathLike[str], data: str | bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part of it.

    The data goes to a temporary file in the same folder (a rename is atomic only within a file
    system) which then takes the name. Strings are written as UTF-8. Raises OSError; the old file is then untouched.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _format(value: Scalar) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        bare = not _SPECIAL.search(value) and _parse(value) == value
        return value if bare else '"' + value.replace('"', '""') + '"'
    return float.__repr__(value) if isinstance(value, float) else str(value)


def _parse(cell: str) -> Scalar:
    if cell in ("", "True", "False"):
        return None if cell == "" else cell == "True"
    for number in (int, float):
        try:
            return number(cell)
        except ValueError:
            continue
    return cell


def _records(text: str, source: str) -> Iterator[tuple[int, list[Scalar]]]:
    """The records of a CSV string, each with the number of the line on which it starts."""
    record: list[Scalar] = []
    position, start, line = 0, 1, 1
    while position < len(text):
        cell = _CELL.match(text, position)
        if cell is None:
            raise ValueError(f"{source}, line {line}: malformed quotes, must be as in RFC 4180")
        quoted = cell["text"]
        record.append(_parse(cell["bare"]) if quoted is None else quoted.replace('""', '"'))
        position = cell.end()
        line += cell[0].count("\n")
        if cell["end"] != ",":
            yield start, record
            start, record = line, []
    if record:  # the last line ends in a comma and has no line end: one more empty cell
        yield start, [*record, None]
