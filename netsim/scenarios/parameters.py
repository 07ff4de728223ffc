"""What the parameters of every scenario have in common: how a field is described, checked, and becomes a path."""

import dataclasses
from dataclasses import field
from typing import Any, Final

from netsim.link import BurstLoss, DelayLaw, Path, Stage
from netsim.units import require_probability

PROFILE_SOURCE: Final = "netsim.tcp.profiles"


def param(default: Any, text: str, unit: str = "", source: str = "study parameter") -> Any:
    """A parameter with its meaning, unit and source, for ``netsim list`` and the command line."""
    return field(default=default, metadata={"text": text, "unit": unit, "source": source})


def require_probabilities(params: Any, *names: str) -> None:
    """ValueError naming the first of these fields that is not in [0, 1]."""
    for name in names:
        require_probability(name, getattr(params, name))


def one_way(
    *,
    loss: float,
    delay: float | DelayLaw,
    jitter: float = 0.0,
    reorder: float = 0.0,
    reorder_delay: float = 0.0,
    duplicate: float = 0.0,
    duplicate_delay: float | DelayLaw = 0.0,
    burst: float = 0.0,
    stages: tuple[Stage, ...] = (),
) -> Path:
    """One direction of a scenario's link; with ``burst`` (s) the loss comes in bursts of that mean length."""
    if burst and loss:
        stages = (BurstLoss(loss, burst), *stages)
        loss = 0.0
    return Path(
        delay=delay,
        loss=loss,
        jitter=jitter,
        reorder=reorder,
        reorder_delay=reorder_delay,
        duplicate=duplicate,
        duplicate_delay=duplicate_delay,
        stages=stages,
    )


def changed_fields(config: Any, base: Any) -> dict[str, Any]:
    """The fields in which a configuration differs from its profile, for the record of a run."""
    names = [f.name for f in dataclasses.fields(config) if f.init]
    return {n: getattr(config, n) for n in names if getattr(config, n) != getattr(base, n)}
