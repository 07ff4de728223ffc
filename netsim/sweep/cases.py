"""The cases of a sweep, and how a worker runs a chunk of them.

A case is one replication of one point. All cases have numbers, from 0: the order of the rows.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Any, get_type_hints

from netsim.seeds import Seed
from netsim.sweep.grid import parameter_columns, point_key
from netsim.sweep.rows import ERROR, POINT, REPLICATION, Rows, Scalar

Run = Callable[[Any, Seed], Mapping[str, Any]]
"""One run: from parameters and a seed to a flat row of scalars, without any other input or effect."""

_SHOWN = 120  # characters of a point in an error
_YOUNG_GARBAGE = 50_000  # objects; a few megabytes, and few enough collections that they cost nothing
_SCALARS = frozenset((bool, int, float, str, type(None)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive cases of a sweep, with all that a worker needs besides the function itself.

    Case number c is replication c % replications of point c // replications; `points` holds the key and
    the parameters of the points from `first_point` on.
    """

    start: int
    stop: int
    first_point: int
    points: Sequence[tuple[str, Any]]
    replications: int
    root: int
    reserved: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The results of consecutive cases, by columns (`error` among them), and the seconds they took."""

    start: int
    stop: int
    columns: dict[str, list[Scalar]]
    seconds: float


def as_parameters(run: Run, points: Iterable[Any]) -> list[Any]:
    """The points as `run` takes them: where its first parameter is annotated with a dataclass, a mapping becomes one.

    So `sweep(setup.run, grid(loss=[0, 0.1]))` has the points `setup.Params(loss=0)` and `setup.Params(loss=0.1)`, and
    an unknown name is one ValueError before anything runs.
    """
    points = list(points)
    kind = _parameter_class(run) if any(isinstance(point, Mapping) for point in points) else None
    if kind is None:
        return points
    try:
        return [kind(**point) if isinstance(point, Mapping) else point for point in points]
    except TypeError as error:  # a plain dataclass names an unknown parameter in this way
        raise ValueError(f"points: {error}") from None


def _parameter_class(run: Run) -> Any:
    """The dataclass that the first parameter of `run` is annotated with; None if it is not."""
    try:
        hints = get_type_hints(run)
    except (TypeError, NameError):  # no function, or names that exist for type checkers only
        return None
    kind = next(iter(hints.values()), None)
    return kind if isinstance(kind, type) and is_dataclass(kind) else None


def require_integer(field: str, value: int, *, minimum: int) -> None:
    """Raise ValueError, naming the field, unless the value is an integer of at least `minimum`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{field} = {value!r}: must be an integer >= {minimum}")


class Plan:
    """All cases of a sweep in their order: points as given, replications within a point.

    Raises ValueError for no points, equal points, replications < 1 or a seed that is no natural number.
    """

    def __init__(self, points: Iterable[Any], *, replications: int, seed: int) -> None:
        self._params = list(points)
        if not self._params:
            raise ValueError("points = []: must be at least one point")
        require_integer("replications", replications, minimum=1)
        require_integer("seed", seed, minimum=0)
        self._root = seed
        self._keys = [point_key(params) for params in self._params]
        first: dict[str, int] = {}
        for index, key in enumerate(self._keys):
            if first.setdefault(key, index) != index:
                shown = repr(self._params[index])
                raise ValueError(
                    f"points = {shown[:_SHOWN]}{'...' * (len(shown) > _SHOWN)} twice, at {first[key]} and {index}: "
                    "must be distinct "
                    "(equal points get equal seeds and so equal rows; ask for more replications instead)"
                )
        self._columns = parameter_columns(self._params)
        self._reserved = frozenset((POINT, REPLICATION, ERROR, *self._columns[0]))
        self._replications = replications
        self.total = len(self._params) * replications

    def chunk(self, start: int, stop: int) -> Chunk:
        """The cases from start to stop - 1."""
        first, last = start // self._replications, (stop - 1) // self._replications
        return Chunk(
            start=start,
            stop=stop,
            first_point=first,
            points=[(self._keys[i], self._params[i]) for i in range(first, last + 1)],
            replications=self._replications,
            root=self._root,
            reserved=self._reserved,
        )

    def rows(self, parts: Iterable[Results]) -> Rows:
        """All results with their parameters, in the order of the cases; the parts come in any order."""
        parts = sorted(parts, key=lambda part: part.start)
        results = dict.fromkeys(name for part in parts for name in part.columns if name != ERROR)
        columns: dict[str, list[Scalar]] = {
            name: [] for name in (*self._columns[0], POINT, REPLICATION, *results, ERROR)
        }
        for part in parts:
            for name in (*results, ERROR):
                gap: list[Scalar] = [None] * (part.stop - part.start)
                columns[name].extend(part.columns.get(name, gap))
            case = part.start
            while case < part.stop:
                point, replication = divmod(case, self._replications)
                count = min(part.stop - case, self._replications - replication)
                columns[POINT].extend([self._keys[point]] * count)
                columns[REPLICATION].extend(range(replication, replication + count))
                for name, value in self._columns[point].items():
                    columns[name].extend([value] * count)
                case += count
        return Rows(columns)


def run_chunk(run: Run, chunk: Chunk, *, limit: float = math.inf) -> Results:
    """Run the cases of a chunk in order; stop after the first one that ends `limit` seconds from now.

    A run that raises becomes a row of None with the `error` "Type: message".
    """
    columns: dict[str, list[Scalar]] = {ERROR: []}
    case = chunk.start
    began = time.perf_counter()
    with _without_gc():
        for case in range(chunk.start, chunk.stop):
            point, replication = divmod(case, chunk.replications)
            key, params = chunk.points[point - chunk.first_point]
            try:
                row = _checked(run(params, Seed(chunk.root, key, replication)), chunk.reserved)
            except (Exception, SystemExit) as problem:
                row = {ERROR: f"{type(problem).__name__}: {problem}"}
            if not row.keys() <= columns.keys():
                for name in row:
                    columns.setdefault(name, [None] * (case - chunk.start))
            for name, values in columns.items():
                values.append(row.get(name))
            if gc.get_count()[0] > _YOUNG_GARBAGE:
                gc.collect(0)
            if time.perf_counter() - began > limit:
                break
    seconds = time.perf_counter() - began
    return Results(start=chunk.start, stop=case + 1, columns=columns, seconds=seconds)


def run_pickled(run: bytes, chunk: bytes) -> Results:
    """`run_chunk` of what cloudpickle made of its arguments: what is sent to an executor."""
    import cloudpickle

    return run_chunk(cloudpickle.loads(run), cloudpickle.loads(chunk))


@contextmanager
def _without_gc() -> Iterator[None]:
    """Pause the cyclic garbage collector, which would visit every live object of a world many times.

    Between runs the youngest generation is collected when it has grown (see `run_chunk`). It holds
    only what the last runs left behind, so the cost does not depend on what else is in memory.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _checked(row: Mapping[str, Any], reserved: frozenset[str]) -> Mapping[str, Scalar]:
    """The row, if it is flat and its names are free; numpy scalars and enums as plain values."""
    if not reserved.isdisjoint(row):
        taken = ", ".join(name for name in row if name in reserved)
        raise ValueError(f"row has {taken}: must not be a parameter, point, replication or error")
    for value in row.values():
        if type(value) not in _SCALARS:
            return {name: _scalar(name, value) for name, value in row.items()}
    return row


def _scalar(name: str, value: Any) -> Scalar:
    if isinstance(value, Enum):
        value = value.value
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if not isinstance(value, bool | int | float | str | None):
        raise TypeError(f"{name} = {value!r}: must be a bool, int, float, str or None")
    return value
