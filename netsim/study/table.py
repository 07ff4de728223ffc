"""The table of a study: what was estimated at each point, and the single runs."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from netsim.study.subject import Subject
from netsim.study.text import aligned, interval, number
from netsim.sweep import Estimate, Estimator, Rows, Scalar, write_csv
from netsim.units import did_you_mean

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

    from netsim.study.plot import Kind, Plot

ExactAt = Callable[[Mapping[str, Scalar], Mapping[str, Scalar]], Mapping[str, float]]
"""The exact values at a point, found by its labels, but for these parameters; empty where theory has none."""
_SHOWN: Final = 40  # rows of a table that is printed
_NOTHING: Final = Estimate(None, None, None, 0)


class Point(Protocol):
    """A point of a study."""

    @property
    def labels(self) -> dict[str, Scalar]: ...
    @property
    def params(self) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Table:
    """The result of a study, tidy: a row per point and estimate.

    ``estimates``: the axes' columns, then ``estimate``, ``value`` with its 95 % interval ``low`` to ``high``,
    ``upper_bound`` (for a proportion of which none was observed), ``n`` (observations), and ``exact``, the value by
    theory where there is one. ``runs``: a row per run, with the axes' columns and the scenario's results. Columns are
    None where there is nothing; NaN means never. ``fixed``: the parameters that all points share, as text.
    """

    estimates: Rows
    runs: Rows
    axes: tuple[str, ...]
    subject: Subject
    estimators: Mapping[str, Estimator]
    replications: int
    seed: int
    fixed: dict[str, str]
    exact_at: ExactAt

    def to_pandas(self) -> "pandas.DataFrame":
        """The estimates as a data frame."""
        return self.estimates.to_pandas()

    def to_csv(self, path: str | Path) -> Path:
        """Write the estimates to a CSV file; its path. OSError."""
        write_csv(self.estimates, path)
        return Path(path)

    def where(self, names: Mapping[str, Scalar] | None = None, /, **equal: Scalar) -> "Table":
        """The rows with these values: ``table.where(loss=0.1)``, ``table.where({"client.syn_retries": 3})``.

        The names are the axes', or ``estimate``. ValueError for any other name, or if there is no such row.
        """
        wanted = {**(names or {}), **equal}
        for name in wanted:
            known = (*self.axes, "estimate")
            if name not in known:
                raise ValueError(f"{name}: must be one of {', '.join(known)}{did_you_mean(name, known)}")
        found = self.estimates.where(**wanted)
        if not len(found):
            raise ValueError(f"{wanted}: there is no such row")
        runs = self.runs.where(**{name: value for name, value in wanted.items() if name != "estimate"})
        return replace(self, estimates=found, runs=runs)

    def plot(
        self,
        column: str,
        *,
        x: str | None = None,
        by: str | None = None,
        kind: "Kind" = "line",
        ax: "Axes | None" = None,
        title: str | None = None,
        xscale: str | None = None,
        yscale: str | None = None,
    ) -> "Plot":
        """Draw an estimate, or the distribution of a column of the runs; see ``netsim.study.plot``.

        ``kind="line"``: the estimate ``column`` against the axis ``x``, a curve for each value of the axis ``by``, with
        95 % intervals; the exact value is dashed. ``kind="ecdf"`` or ``"ccdf"``: P(X <= t) or P(X > t) of the column
        ``column`` of ``table.runs``, a curve for each value of ``by``. Where ``x`` and ``by`` are not given they are
        the axes that vary. ``ax``: draw there, in its own style. ``xscale``, ``yscale``: "linear" or "log".
        """
        from netsim.study.plot import plot

        return plot(self, column, x=x, by=by, kind=kind, ax=ax, title=title, xscale=xscale, yscale=yscale)

    def __len__(self) -> int:
        return len(self.estimates)

    def __iter__(self) -> Iterator[dict[str, Scalar]]:
        return iter(self.estimates)

    def __repr__(self) -> str:
        head = f"{self.subject.title}: {self.subject.question}"
        fixed = "".join(f"; {name} = {value}" for name, value in self.fixed.items())
        head += f"\n{self.replications:,} runs per point, seed {self.seed}{fixed}"
        lines = [(*self.axes, "estimate", "value", "95 % interval", "n", "exact")]
        for row in list(self.estimates)[:_SHOWN]:
            lines.append((*(_cell(row[name]) for name in (*self.axes, "estimate")), *_numbers(row)))
        left = len(self.estimates) - _SHOWN
        more = [f"... and {left} more rows: table.to_pandas() has all"] if left > 0 else []
        return "\n".join([head, "", *aligned(lines, left=len(self.axes) + 1), *more])

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html(max_rows=_SHOWN))


def tidy(
    subject: Subject,
    axes: tuple[str, ...],
    points: Sequence[Point],
    parts: Sequence[Rows],
    *,
    replications: int,
    seed: int,
    fixed: dict[str, str],
    exact_at: ExactAt,
) -> Table:
    """The table of these points, of which ``parts`` has the runs. RuntimeError if all runs failed."""
    runs = Rows.concatenate(_labelled(part, point) for part, point in zip(parts, points, strict=True))
    _warn_of_failures(runs)
    estimators = subject.estimators(Rows.concatenate(parts))
    rows: list[dict[str, Scalar]] = []
    for point, part in zip(points, parts, strict=True):
        exact = exact_at(point.labels, {})
        for name, estimator in estimators.items():
            e = estimator(part) if estimator.column in part.columns else _NOTHING
            numbers = {"value": e.value, "low": e.low, "high": e.high, "upper_bound": e.upper_bound, "n": e.n}
            rows.append({**point.labels, "estimate": name, **numbers, "exact": exact.get(name)})
    return Table(Rows.from_dicts(rows), runs, axes, subject, estimators, replications, seed, fixed, exact_at)


def _labelled(part: Rows, point: Point) -> Rows:
    """The runs of a point, with what the point is called in the table in front."""
    labels: dict[str, list[Scalar]] = {name: [value] * len(part) for name, value in point.labels.items()}
    return Rows(labels | {name: part.column(name) for name in part.columns if name not in labels})


def _warn_of_failures(runs: Rows) -> None:
    failed = runs.failed()
    if not len(failed):
        return
    first = next(iter(failed))
    what = f"{len(failed)} of {len(runs)} runs failed, the first with {first['error']}"
    if len(failed) == len(runs):
        raise RuntimeError(what)
    warnings.warn(f"{what}; table.runs.failed() has them", RuntimeWarning, stacklevel=4)


def _cell(value: Scalar) -> str:
    return number(value) if isinstance(value, float) else str(value)


def _numbers(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    exact = "" if row["exact"] is None else number(row["exact"])
    return number(row["value"]), interval(row["low"], row["high"]), str(row["n"]), exact
