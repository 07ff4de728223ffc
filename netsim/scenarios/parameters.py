"""What the parameters of every scenario have in common: how a field is described, checked, and becomes a path."""

import dataclasses
from collections.abc import Callable
from dataclasses import field
from typing import Any, Protocol, TypeVar, get_args

from netsim.link import BurstLoss, DelayDistribution, Path, Stage
from netsim.units import require_choice, require_probability

_Params = TypeVar("_Params")


class Link(Protocol):
    """Parameters that give each direction a loss probability and a delay (s). ``forward`` is client to server."""

    @property
    def loss_forward(self) -> float: ...
    @property
    def loss_reverse(self) -> float: ...
    @property
    def delay_forward(self) -> float | DelayDistribution: ...
    @property
    def delay_reverse(self) -> float | DelayDistribution: ...


def param(default: Any, text: str, unit: str = "", source: str = "study parameter") -> Any:
    """A parameter with its meaning, unit and source, for ``netsim list`` and the command line."""
    return field(default=default, metadata={"doc": text, "unit": unit, "source": source})


def one_key(cls: type[_Params]) -> type[_Params]:
    """The class of a scenario's parameters, whose ends can talk to each other; every scenario's has it.

    ValueError unless ``client`` and ``server``, where there are both, have the same key of TCP-AO, or none: with two
    keys nothing gets through. The class's own ``__post_init__`` checks the rest.
    """
    own: Callable[[Any], None] = cls.__dict__.get("__post_init__", lambda self: None)

    def __post_init__(self: Any) -> None:
        keys = [getattr(self, end).authentication_key for end in ("client", "server") if hasattr(self, end)]
        if len(set(keys)) > 1:
            raise ValueError(f"server.authentication_key = {keys[1]!r}: must be the client's, {keys[0]!r}")
        own(self)

    cls.__post_init__ = __post_init__  # type: ignore[attr-defined]
    return cls


def require_probabilities(params: Any, *names: str) -> None:
    """ValueError naming the first of these fields that is not in [0, 1]."""
    for name in names:
        require_probability(name, getattr(params, name))


def require_choices(params: Any, **kinds: Any) -> None:
    """ValueError naming the first of these fields that is none of the words of its ``Literal``."""
    for name, kind in kinds.items():
        require_choice(name, getattr(params, name), get_args(kind))


def both_ways(
    link: Link,
    *,
    jitter: float = 0.0,
    reorder: float = 0.0,
    reorder_delay: float | DelayDistribution = 0.0,
    duplicate: float = 0.0,
    duplicate_delay: float | DelayDistribution = 0.0,
    burst: float = 0.0,
    stages: tuple[Stage, ...] = (),
) -> tuple[Path, Path]:
    """The paths from client to server and back: each with its own loss and delay, the rest alike.

    With ``burst`` (s) the loss comes in bursts of that mean length.
    """

    def one_way(loss: float, delay: float | DelayDistribution) -> Path:
        bursts: tuple[Stage, ...] = (BurstLoss(loss, burst),) if burst and loss else ()
        return Path(
            delay=delay,
            loss=0.0 if bursts else loss,
            jitter=jitter,
            reorder=reorder,
            reorder_delay=reorder_delay,
            duplicate=duplicate,
            duplicate_delay=duplicate_delay,
            stages=(*bursts, *stages),
        )

    return one_way(link.loss_forward, link.delay_forward), one_way(link.loss_reverse, link.delay_reverse)


def without_loss(paths: tuple[Path, Path]) -> tuple[Path, Path]:
    """The same two paths while nothing is lost on them at random."""
    forward, reverse = paths
    return dataclasses.replace(forward, loss=0.0), dataclasses.replace(reverse, loss=0.0)
