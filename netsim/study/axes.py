"""The points of a study: what varies, and what every point is called."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]
"""The values of some parameters, by name."""


def is_axis(value: Any) -> bool:
    """Whether a keyword's value is an axis: a list, a range or an array. A tuple or a string is a single value."""
    return isinstance(value, list | range) or (hasattr(value, "tolist") and getattr(value, "shape", ()) != ())


def split(given: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fixed parameters among these keywords, and the axes."""
    fixed = {name: value for name, value in given.items() if not is_axis(value)}
    return fixed, {name: value for name, value in given.items() if is_axis(value)}


def joined(**tables: Values) -> dict[str, str]:
    """In which table each name stands. ValueError for a name in two of them."""
    places: dict[str, str] = {}
    for place, names in tables.items():
        for name in names:
            if name in places:
                raise ValueError(f"{name}: is given as {places[name]} and as {place}; must be only one of these two")
            places[name] = place
    return places


def combinations(axes: Values, together: Values) -> Iterator[dict[str, Any]]:
    """Every combination of the values of the axes and of the rows of ``together`` (whose values vary side by side).

    The last axis varies fastest, ``together`` fastest of all. ValueError for an axis without values, and for names of
    ``together`` that have different numbers of values.
    """
    values = {name: _values(name, axis) for name, axis in axes.items()}
    columns = {name: _values(name, axis) for name, axis in together.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"zip: {shown} values; must be of equal lengths")
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)] or [{}]
    for combination in itertools.product(*values.values()):
        for row in rows:
            yield dict(zip(values, combination, strict=True)) | row


def _values(name: str, axis: Any) -> list[Any]:
    plain = axis.tolist() if hasattr(axis, "tolist") else axis
    if not isinstance(plain, Sequence | range) or isinstance(plain, str | bytes):
        raise ValueError(f"{name} = {axis!r}: must be a list of values")
    if not plain:
        raise ValueError(f"{name} = {axis!r}: must have at least one value")
    return list(plain)
