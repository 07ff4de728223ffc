"""Scenarios: one question each.

Every scenario is a module with the names of the Protocol ``Scenario``: ``Params`` (a frozen dataclass),
``run(params, seed) -> row``, ``COLUMNS`` (what each column of a row means), ``ESTIMATES`` (what is estimated from the
rows) and ``theory(params)`` (exact values by the same names). A scenario is imported when it is first asked for.

A parameter has one name everywhere. ``names.py`` derives all names, shorthands and options from ``Params``;
``values.py`` reads what stands for a value ("50ms", "1%", "constant:0"); the decorator ``parameters`` lets the
constructor of ``Params`` know both, and checks ranges and relations. A user's own function becomes a scenario in
``own.py``. Fields that several scenarios share stand in ``shared.py``.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from netsim.units import did_you_mean

if TYPE_CHECKING:
    from netsim.seeds import Seed
    from netsim.sweep import Estimator

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


REPLICATIONS: Final = 2000
"""How many runs a study of a scenario has by default, unless the scenario says otherwise (``REPLICATIONS``)."""


class Scenario(Protocol):
    """What every scenario has; ``REPLICATIONS`` and ``warnings(params) -> tuple[str, ...]`` are optional."""

    @property
    def QUESTION(self) -> str:
        """The question that the scenario answers, in one sentence."""

    @property
    def Params(self) -> type[Any]:
        """The class of its parameters."""

    @property
    def COLUMNS(self) -> Mapping[str, str]:
        """The columns of a row, each with its meaning in one sentence."""

    @property
    def ESTIMATES(self) -> "Mapping[str, Estimator]":
        """What is estimated from the rows."""

    def run(self, params: Any, seed: "Seed", observers: Sequence[Any] = ()) -> dict[str, Any]:
        """One run, as a row of results."""

    def theory(self, params: Any) -> dict[str, float]:
        """The exact values of these estimates, of those that have one."""


def scenario(name: str) -> Scenario:
    """The scenario of this name (- and _ are alike). ValueError names those that exist, with a suggestion."""
    known = name.replace("_", "-")
    if known not in NAMES:
        wanted = f"must be one of {', '.join(NAMES)}{did_you_mean(known, NAMES)}"
        raise ValueError(f"scenario = {name!r}: {wanted}")
    return cast(Scenario, importlib.import_module(f"netsim.scenarios.{known.replace('-', '_')}"))


def default_replications(of: object) -> int:
    """How many runs a study of a scenario has by default: fewer where each run is a whole world of connections."""
    return int(getattr(of, "REPLICATIONS", REPLICATIONS))
