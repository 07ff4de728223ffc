"""Sweeps: run a function at the points of a grid, keep the rows, estimate with honest intervals.

    points = grid(loss=[0.0, 0.1, 0.3])
    rows = sweep(run, points, replications=1000, seed=1)      # run(params, seed) -> {"latency": ...}
    p95 = Estimator(column="latency", kind="quantile", at=0.95)
    for (loss,), group in rows.group_by("loss").items():
        print(loss, p95(group))

It knows nothing of networks: any pure function of parameters and a `Seed` will do.
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
