"""What an estimate means, in one sentence, from what its column means."""

import re
from collections.abc import Mapping
from typing import Final, assert_never

from netsim.sweep import Estimator

_UNIT: Final = re.compile(r"\((s|bytes|1/s)\)")


def definition(estimator: Estimator, columns: Mapping[str, str]) -> str:
    """One sentence: how the estimate is made of its column, and what that column means (``columns``: COLUMNS).

    A value that the column is compared with is named; which runs count and how, too. KeyError for an unknown column.
    """
    column, meaning = estimator.column, columns[estimator.column]
    inner = meaning[0].lower() + meaning[1:]
    match estimator.kind:
        case "proportion" if estimator.equals is not None:
            return f"Proportion of runs in which {column} is {estimator.equals}."
        case "proportion":
            return f"Proportion of runs in which {inner.removeprefix('whether ')}"
        case "mean":
            return f"Mean over the runs in which it is finite: {inner}"
        case "world_mean":
            return f"Mean over the runs, each a world of many connections: {inner}"
        case "quantile":
            return f"{estimator.at:g} quantile, NaN counting as infinite: {inner}"
        case "restricted_mean":
            found = _UNIT.search(meaning)
            unit = f" {found[1]}" if found else ""
            return f"Mean, NaN and larger values counting as {estimator.at:g}{unit}: {inner}"
    assert_never(estimator.kind)
