"""Rows: the result of a sweep, one row per run, in a fixed order, stored by columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing
    import pandas

Scalar = bool | int | float | str | None
"""What a cell may hold. None: no observation (the run failed, or this row has no such column)."""

POINT = "point"
"""Column with the content identity of the row's parameters (see `point_key`)."""
REPLICATION = "replication"
"""Column with the number of the replication, from 0."""
ERROR = "error"
"""Column with "Type: message" where the run raised, None elsewhere."""


class Rows:
    """An ordered table of scalars. It does not change: every operation makes a new one.

    Raises ValueError if the columns are of different lengths.
    """

    __slots__ = ("_columns", "_length")

    def __init__(self, columns: Mapping[str, Sequence[Scalar]]) -> None:
        self._columns: dict[str, list[Scalar]] = {name: list(values) for name, values in columns.items()}
        lengths = {name: len(values) for name, values in self._columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns = {lengths}: must be of equal lengths")
        self._length = next(iter(lengths.values()), 0)

    @classmethod
    def from_dicts(cls, rows: Iterable[Mapping[str, Scalar]]) -> Rows:
        """A table from one mapping per row; columns in the order they first appear, gaps are None."""
        rows = list(rows)
        names = dict.fromkeys(name for row in rows for name in row)
        return cls({name: [row.get(name) for row in rows] for name in names})

    @classmethod
    def concatenate(cls, tables: Iterable[Rows]) -> Rows:
        """The rows of all tables, one after another; columns that a table lacks are None there."""
        tables = list(tables)
        names = dict.fromkeys(name for table in tables for name in table.columns)
        columns: dict[str, list[Scalar]] = {name: [] for name in names}
        for table in tables:
            gap: list[Scalar] = [None] * len(table)
            for name, values in columns.items():
                values.extend(table._columns.get(name, gap))
        return cls(columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._columns)

    def column(self, name: str) -> list[Scalar]:
        """The values of one column, a new list. Raises ValueError, naming the columns there are."""
        return list(self._values(name))

    def array(self, name: str) -> numpy.typing.NDArray[Any]:
        """One column as a numpy array: numbers with None as NaN; strings as an object array."""
        import numpy as np

        values = self._values(name)
        if any(isinstance(value, str) for value in values):
            return np.array(values, dtype=object)
        if None in values:
            return np.array([math.nan if value is None else value for value in values], dtype=float)
        return np.array(values)

    def floats(self, name: str, *, missing: float | None = None) -> list[float]:
        """One column as floats; NaN (never) and infinities are numbers.

        ``missing`` stands for None where it is given. Otherwise ValueError for a None, and always for a string; it
        names the column and the row (from 0), so that a missing value never passes for zero.
        """
        values = self._values(name)
        if missing is not None:
            values = [missing if value is None else value for value in values]
        return [as_float(f"{name}, row {row}", value) for row, value in enumerate(values)]

    def ints(self, name: str) -> list[int]:
        """One column as ints. ValueError, naming the column and the row (from 0), for anything else."""
        return [_int(f"{name}, row {row}", value) for row, value in enumerate(self._values(name))]

    def strings(self, name: str) -> list[str]:
        """One column as strings. ValueError, naming the column and the row (from 0), for anything else."""
        return [_string(f"{name}, row {row}", value) for row, value in enumerate(self._values(name))]

    def one(self, **equal: Scalar) -> dict[str, Scalar]:
        """The only row with these values. ValueError if there is none or more than one."""
        rows = self.where(**equal) if equal else self
        if len(rows) != 1:
            what = ", ".join(f"{name} = {value!r}" for name, value in equal.items())
            raise ValueError(f"rows{' with ' if what else ''}{what}: {len(rows)}, must be exactly one")
        return next(iter(rows))

    def only(self, name: str, /, **equal: Scalar) -> float:
        """The number in one column of the only row with these values: `rows.only("value", source="exact", loss=0.1)`.

        ValueError if there is no such row or more than one, or if the cell is missing or no number.
        """
        self._values(name)
        return number(self.one(**equal), name)

    def where(self, **equal: Scalar) -> Rows:
        """The rows whose columns have exactly these values: `rows.where(profile="linux", loss=0.1)`."""
        wanted = [(self._values(name), value) for name, value in equal.items()]
        return self._take([i for i in range(len(self)) if all(values[i] == v for values, v in wanted)])

    def group_by(self, *names: str) -> dict[tuple[Scalar, ...], Rows]:
        """The rows of each combination of values, in order of first appearance.

        The keys are tuples, also for one name: `for (loss,), group in rows.group_by("loss").items()`.
        """
        if not names:
            raise ValueError("names = (): must name at least one column")
        members: dict[tuple[Scalar, ...], list[int]] = {}
        for index, key in enumerate(zip(*(self._values(name) for name in names), strict=True)):
            members.setdefault(key, []).append(index)
        return {key: self._take(indices) for key, indices in members.items()}

    def failed(self) -> Rows:
        """The rows of the runs that raised (their `error` is not None)."""
        errors = self._columns.get(ERROR, [])
        return self._take([index for index, error in enumerate(errors) if error is not None])

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a pandas DataFrame, columns and rows in the same order."""
        import pandas

        return pandas.DataFrame(self._columns)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[dict[str, Scalar]]:
        names = self.columns
        for values in zip(*self._columns.values(), strict=True):
            yield dict(zip(names, values, strict=True))

    def __repr__(self) -> str:
        return f"<Rows: {len(self)} rows of {', '.join(self.columns)}>"

    def _values(self, name: str) -> list[Scalar]:
        if name not in self._columns:
            raise ValueError(f"column = {name!r}: must be one of {', '.join(self._columns)}")
        return self._columns[name]

    def _take(self, indices: Sequence[int]) -> Rows:
        return Rows({name: [values[i] for i in indices] for name, values in self._columns.items()})


def number(row: Mapping[str, Scalar], name: str) -> float:
    """The number in one cell of a row; NaN (never) and infinities are numbers.

    ValueError, naming the column, for a missing value (None, or no such column) and for a string.
    """
    return as_float(name, row.get(name))


def as_float(where: str, value: Scalar) -> float:
    """A cell as a float. ValueError, naming ``where`` it stands, for a missing value and for a string."""
    if value is None or isinstance(value, str):
        raise ValueError(f"{where} = {value!r}: must be a number")
    return float(value)


def _int(where: str, value: Scalar) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{where} = {value!r}: must be a whole number")
    return value


def _string(where: str, value: Scalar) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} = {value!r}: must be a string")
    return value
