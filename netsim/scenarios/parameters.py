"""What the parameters of every scenario have in common: how a field is described, checked, and becomes a path."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol, TypeVar, dataclass_transform

from netsim.fields import check
from netsim.link import BurstLoss, DelayDistribution, Fixed, Path, Stage
from netsim.scenarios import names
from netsim.tcp.config.config import TcpConfig

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


@dataclass_transform(frozen_default=True, kw_only_default=True)
def parameters(cls: type[_Params]) -> type[_Params]:
    """The decorator of a scenario's ``Params``: a frozen dataclass whose constructor knows the names that users know.

    Beside the fields it takes the shorthands, dotted names and strings of ``netsim.scenarios.names``:
    ``Params(loss="10%", rtt="80ms", profile="linux", **{"client.syn_retries": 3})``. It checks all fields
    (``netsim.fields``), that both ends have the same TCP-AO key, or none (with two keys nothing gets through), and then
    calls the class's ``check_relations``, if there is one. ValueError names the parameter as the user wrote it. The
    class's base, from ``netsim.scenarios.shorthands``, declares the shorthands to editors and type checkers.
    """
    cls.__post_init__ = _check_all  # type: ignore[attr-defined]
    made = dataclass(frozen=True, kw_only=True)(cls)
    plain: Callable[..., None] = made.__init__

    @wraps(plain)
    def __init__(self: Any, **given: Any) -> None:
        fields = names.arguments(made, given)
        try:
            plain(self, **fields)
        except ValueError as error:
            raise ValueError(names.as_written(str(error), made, given)) from None

    made.__init__ = __init__  # type: ignore[method-assign]
    return made


def _check_all(params: Any) -> None:
    ends = [getattr(params, end) for end in ("client", "server") if hasattr(params, end)]
    keys = [end.authentication_key for end in ends if isinstance(end, TcpConfig)]
    if len(set(keys)) > 1:
        raise ValueError(f"server.authentication_key = {keys[1]!r}: must be the client's, {keys[0]!r}")
    check(params)
    if hasattr(params, "check_relations"):
        params.check_relations()


def both_directions(
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

    def one_direction(loss: float, delay: float | DelayDistribution) -> Path:
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

    return one_direction(link.loss_forward, link.delay_forward), one_direction(link.loss_reverse, link.delay_reverse)


def without_loss(paths: tuple[Path, Path]) -> tuple[Path, Path]:
    """The same two paths while nothing is lost on them at random."""
    forward, reverse = paths
    return dataclasses.replace(forward, loss=0.0), dataclasses.replace(reverse, loss=0.0)


def constant_delay(delay: float | DelayDistribution) -> float | None:
    """The delay (s) if it is constant, as a number or as ``Fixed``; None for any other distribution."""
    if isinstance(delay, Fixed):
        return delay.seconds
    return float(delay) if isinstance(delay, float | int) else None
