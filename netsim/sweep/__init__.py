"""Sweeps: run a function at the points of a grid, keep the rows, estimate with honest intervals.

    points = grid(loss=[0.0, 0.1, 0.3])
    rows = sweep(run, points, replications=1000, seed=1)      # run(params, seed) -> {"latency": ...}
    p95 = Estimator(column="latency", kind="quantile", at=0.95)
    for (loss,), group in rows.group_by("loss").items():
        print(loss, p95(group))

Theory of operation
-------------------

A sweep is a pure function mapped over cases. A case is a point (the parameters: a dataclass or a mapping) and the
number of a replication. The function gets the parameters and a ``netsim.seeds.Seed``, and returns a flat mapping of
scalars; it has no other input and no other effect. The package knows nothing of networks.

**Identity is content.** ``point_key`` hashes what a point contains: class names, field names, values, without the
fields that have their default value. Equal content has the same key on every machine, and a parameter that is added
later with a default leaves old keys alone. The seed of a case is (root seed, key of the point, replication), so a row
depends on nothing but its own parameters, its replication and the root seed: not on the other points of the sweep,
the order of execution, the number of workers, or the executor. Half a sweep done today equals half of the whole one.

**Execution.** A ``Plan`` (cases.py) numbers the cases: points as given, replications within a point. ``sweep``
(runner.py) runs chunks of consecutive cases, in this process until it is clear that worker processes are worth their
start, then in a ``Pool`` (pool.py: spawned, interruptible, shared through ``Workers``) or in any
``concurrent.futures.Executor``. Chunks are sized by the cost of the last ones; their results are put together in the
order of the cases. Functions travel by cloudpickle, so closures and functions of a notebook are allowed.

**Failures are rows.** A run that raises becomes a row whose results are None and whose ``error`` says why; the sweep
continues. Ctrl-C and broken workers raise ``SweepInterrupted`` and ``SweepFailed``, which carry the rows that are done.

**Rows** (rows.py) are an immutable table by columns, with typed access that refuses missing values; store.py writes
them as CSV that reads back exactly. NaN means "never" (the run ended without the event), None means "no observation".

**Estimates** (statistics.py) have 95 % intervals that hold for such data: Wilson's for proportions, with the
Clopper-Pearson bound where no success was seen; order statistics for quantiles; Student's t for means of worlds;
normal ones for means of many runs. Paired estimates compare variants that share their random numbers.
"""

from netsim.sweep.grid import grid, point_key, points
from netsim.sweep.pool import Workers
from netsim.sweep.rows import Rows, Scalar, number
from netsim.sweep.runner import SweepFailed, SweepInterrupted, sweep
from netsim.sweep.statistics import (
    Estimate,
    Estimator,
    clopper_pearson_upper,
    estimate,
    mean,
    paired_difference,
    paired_proportions,
    proportion,
    quantile,
    quantile_ranks,
    restricted_mean,
    wilson_interval,
    world_mean,
)
from netsim.sweep.store import format_csv, parse_csv, read_csv, write_atomically, write_csv

__all__ = [
    "Estimate",
    "Estimator",
    "Rows",
    "Scalar",
    "SweepFailed",
    "SweepInterrupted",
    "Workers",
    "clopper_pearson_upper",
    "estimate",
    "format_csv",
    "grid",
    "mean",
    "number",
    "paired_difference",
    "paired_proportions",
    "parse_csv",
    "point_key",
    "points",
    "proportion",
    "quantile",
    "quantile_ranks",
    "read_csv",
    "restricted_mean",
    "sweep",
    "wilson_interval",
    "world_mean",
    "write_atomically",
    "write_csv",
]
