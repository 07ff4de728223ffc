"""Scenarios: one question each, all with the same four names.

``Params`` (a frozen dataclass), ``run(params, seed) -> row``, ``ESTIMATES`` (name -> what to estimate from the rows)
and ``theory(params) -> {name: value}`` under the same names. A scenario is imported when it is first asked for.
"""

import importlib
from typing import Any, Final

NAMES: Final = (
    "setup",
    "stale",
    "reincarnation",
    "two-way",
    "time-wait",
    "ports",
    "restart",
    "reopen",
    "assassination",
    "teardown",
    "syn-flood",
    "half-open",
    "blind",
    "forged-open",
    "syn-data",
)


def scenario(name: str) -> Any:
    """The scenario's module. ValueError names it and those there are."""
    if name not in NAMES:
        raise ValueError(f"scenario = {name!r}: must be one of {', '.join(NAMES)}")
    return importlib.import_module(f"netsim.scenarios.{name.replace('-', '_')}")
