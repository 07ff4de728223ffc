"""One policy or constant of a configuration: what it means, where its default comes from, and what is allowed."""

import math
from dataclasses import field
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.isn import IsnPolicy
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.syn_cookie import SynCookie

Rate = tuple[int, float]  # so many in so many seconds

_OBJECTS: dict[Any, str] = {
    BackOff: "a BackOff",
    IsnPolicy: "an ISN policy",
    Ports: "a Ports",
    SynCookie: "a SYN cookie layout",
    str: "a string",
    bool: "True or False",
}


def policy(default: Any, text: str, source: str, unit: str = "", *, allowed: tuple[float, float] | None = None) -> Any:
    """A field with its meaning, source and unit, for ``netsim list``; numbers lie in ``allowed``, ends included."""
    return field(default=default, metadata={"text": text, "source": source, "unit": unit, "allowed": allowed})


def seconds(default: float | None, text: str, source: str, *, least: float = 0.0) -> Any:
    """A duration, of ``least`` seconds to thirty years."""
    return policy(default, text, source, "s", allowed=(least, 1e9))


def retries(default: int | None, text: str, source: str) -> Any:
    """A number of repetitions, up to 255."""
    return policy(default, text, source, allowed=(0, 255))


def check(name: str, value: Any, hint: Any, allowed: tuple[float, float] | None) -> None:
    """ValueError unless ``value`` is of the type that ``hint`` says and in the range ``allowed``."""
    hints = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    optional = NoneType in hints
    if value is None and optional:
        return
    kind = next(h for h in hints if h is not NoneType)
    if kind in (int, float):
        assert allowed is not None, f"{name}: a number without a range"
        low, high = allowed
        types = (int,) if kind is int else (int, float)
        good = isinstance(value, types) and not isinstance(value, bool) and low <= value <= high
        wanted = f"{'an integer' if kind is int else 'a number'} from {low:g} to {high:g}"
        wanted += ", or None" if optional else ""
    elif get_origin(kind) is Literal:
        good, wanted = value in get_args(kind), "one of " + ", ".join(map(repr, get_args(kind)))
    elif kind == Rate:
        good = isinstance(value, tuple) and len(value) == 2 and value[0] >= 1 and 0 < value[1] < math.inf
        wanted = "None, or (count >= 1, seconds > 0)"
    else:
        good, wanted = isinstance(value, kind), _OBJECTS[kind]
    if not good:
        raise ValueError(f"{name} = {value!r}: allowed is {wanted}")
