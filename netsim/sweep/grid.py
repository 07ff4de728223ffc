"""The points of a sweep: the product or the zip of axes, and the content that identifies a point."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from types import FunctionType
from typing import Any

from netsim.identity import identity
from netsim.sweep.rows import Scalar

_EXACT_INTEGERS = 2**53  # IEEE 754 binary64: below this every integer is a float and the other way round


def grid(**axes: Any) -> list[dict[str, Any]]:
    """Every combination of the values of the axes, the last axis fastest.

    An axis is a sequence (list, tuple, range, numpy array); a string or any other single value stays
    fixed: `grid(loss=[0, 0.1], profile="linux")`. Raises ValueError for an axis without values.
    """
    values = [_axis(name, axis) for name, axis in axes.items()]
    return [dict(zip(axes, combination, strict=True)) for combination in itertools.product(*values)]


def points(**axes: Any) -> list[dict[str, Any]]:
    """The axes side by side (as `zip`): the first values make the first point, and so on.

    Single values are repeated. Raises ValueError if axes have no values or different numbers of them.
    """
    values = {name: _axis(name, axis) for name, axis in axes.items()}
    lengths = {name: len(values[name]) for name, axis in axes.items() if _is_axis(axis)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"axes = {lengths}: must be of equal lengths")
    count = next(iter(lengths.values()), 1 if axes else 0)
    return [{n: v[i] if n in lengths else v[0] for n, v in values.items()} for i in range(count)]


def _is_axis(axis: Any) -> bool:
    return hasattr(axis, "tolist") or (isinstance(axis, Sequence) and not isinstance(axis, str | bytes))


def _axis(name: str, axis: Any) -> list[Any]:
    plain = axis.tolist() if hasattr(axis, "tolist") else axis  # numpy values would leak into the rows
    values = list(plain) if _is_axis(plain) else [plain]
    if not values:
        raise ValueError(f"{name} = {axis!r}: must have at least one value")
    return values


def point_key(params: Any) -> str:
    """The content identity of a point: 16 hexadecimal digits.

    The same for equal content on every machine, whatever the order of the fields or PYTHONHASHSEED;
    numbers that are equal (0 and 0.0) are the same. `params` is a dataclass or a mapping of None,
    bool, int, float, str, bytes, Enum, and tuples, lists, sets, mappings and dataclasses of these.
    Dataclass fields declared with `compare=False` do not count, nor do those that have their default value: a
    parameter that is added later leaves the random numbers of older studies alone. Raises ValueError, naming the
    field, for anything else (functions, NaN, open files), since it has no content to compare.
    """
    if not _is_dataclass(params) and not isinstance(params, Mapping):
        raise ValueError(f"params = {params!r}: must be a dataclass or a mapping of names to values")
    return hashlib.blake2b(_canonical(params, "params").encode(), digest_size=8).hexdigest()


def _is_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Any) -> dict[str, Any]:
    """The named parts of a dataclass or a mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.compare}


def _plain(value: Any) -> Any:
    """A numpy scalar as the Python value it stands for, everything else as it is."""
    return value.item() if hasattr(value, "item") and getattr(value, "shape", None) == () else value


def _canonical(value: Any, where: str) -> str:
    """An unambiguous string for a value: two strings are equal if and only if the contents are."""
    value = _plain(value)
    match value:
        case Enum():
            return f"{type(value).__qualname__}.{value.name}"
        case None | bool():
            return str(value)
        case int():
            return int.__repr__(value)
        case float():
            return _canonical_float(value, where)
        case str():
            return json.dumps(value)
        case bytes():
            return f"0x{value.hex()}"
        case tuple() | list():
            return f"[{','.join(_canonical(v, f'{where}[{i}]') for i, v in enumerate(value))}]"
        case set() | frozenset():
            return f"set[{','.join(sorted(_canonical(v, where) for v in value))}]"
    if _is_dataclass(value):
        return f"{type(value).__qualname__}{_canonical_fields(_fields(value), _defaults(value), where)}"
    if isinstance(value, Mapping):
        return _canonical_fields(dict(value), {}, where)
    if isinstance(value, FunctionType):
        return json.dumps(identity(value))
    raise ValueError(
        f"{where} = {value!r}: has no content identity; must be None, bool, int, float, str, bytes, Enum, "
        "a function with a source, "
        "or tuples, lists, sets, mappings and dataclasses of these"
    )


def _canonical_float(value: float, where: str) -> str:
    if math.isnan(value):
        raise ValueError(f"{where} = nan: must be a number, nan is not even equal to itself")
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    return float.__repr__(value)


def _defaults(value: Any) -> dict[str, Any]:
    """The default values of a dataclass's fields, of those that have one."""
    defaults = {f.name: f.default for f in dataclasses.fields(value) if f.default is not dataclasses.MISSING}
    made = {f.name: f.default_factory for f in dataclasses.fields(value)}
    return defaults | {name: make() for name, make in made.items() if make is not dataclasses.MISSING}


def _canonical_fields(named: Mapping[str, Any], defaults: Mapping[str, Any], where: str) -> str:
    for name in named:
        if not isinstance(name, str):
            raise ValueError(f"{where} = key {name!r}: must be a string")
    parts = {name: _canonical(value, f"{where}.{name}") for name, value in named.items()}
    kept = (n for n in sorted(parts) if n not in defaults or parts[n] != _canonical(defaults[n], f"{where}.{n}"))
    return f"{{{','.join(f'{json.dumps(n)}:{parts[n]}' for n in kept)}}}"


def parameter_columns(params: Sequence[Any]) -> list[dict[str, Scalar]]:
    """The parameters of each point as columns of a table.

    Scalars keep their name. What is nested becomes dotted columns (`client.syn_retries`) plus the
    name of its class (`client`); of these only the ones in which the points differ are kept, because a
    profile has dozens of fields and a study varies one.
    """
    flat = [_flatten(point, "") for point in params]
    names = dict.fromkeys(name for row, _ in flat for name in row)
    nested = {name for _, inner in flat for name in inner}
    kept = [n for n in names if n not in nested or len({row.get(n) for row, _ in flat}) > 1]
    return [{name: row.get(name) for name in kept} for row, _ in flat]


def _flatten(value: Any, prefix: str) -> tuple[dict[str, Scalar], set[str]]:
    """All columns of one point, and the names of those that come from nested values."""
    row: dict[str, Scalar] = {}
    nested: set[str] = set()
    for name, part in _fields(value).items():
        column = f"{prefix}{name}"
        part = _plain(part)
        if isinstance(part, Enum):
            row[column] = part.name
        elif part is None or isinstance(part, bool | int | float | str):
            row[column] = part
        elif _is_dataclass(part) or isinstance(part, Mapping):
            inner, _ = _flatten(part, f"{column}.")
            nested |= {column, *inner}
            row |= {column: type(part).__name__, **inner}
        else:
            row[column] = _canonical(part, column)
    return row, nested
