"""Declaring and checking parameters: what is allowed follows from the annotation and the range."""

import math
import re
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

import numpy as np
import pytest

from netsim.fields import check, field


class Shape(Protocol):
    """A class is recognised by its attributes."""

    def area(self) -> float: ...


class Square:
    def area(self) -> float:
        return 1.0


@dataclass(frozen=True, kw_only=True)
class Params:
    loss: float = field(0.1, "probability that a segment is lost", allowed="probability")
    wait: float | None = field(None, "how long to wait", unit="s", source="RFC 9293 3.6.1", allowed=(0, 1e9))
    count: int = field(3, "how many", allowed=(1, 255))
    factor: float = field(2.0, "a factor", allowed="> 1")
    order: Literal["first", "last"] = field("first", "which end")
    on: bool = field(False, "whether")
    name: str = field("x", "a name")
    rate: tuple[int, float] | None = field(None, "count in seconds", unit="ACKs, s", allowed="> 0")
    steps: tuple[float, ...] = field((), "waits", unit="s", allowed=">= 0")
    shape: float | Shape = field(1.0, "a number or a shape", allowed=">= 0")
    anything: Any = field(None, "not checked")

    __post_init__ = check


def test_metadata_has_what_was_declared() -> None:
    wait = next(f for f in fields(Params) if f.name == "wait")
    assert dict(wait.metadata) == {
        "doc": "how long to wait",
        "unit": "s",
        "source": "RFC 9293 3.6.1",
        "allowed": (0, 1e9),
    }


@pytest.mark.parametrize(
    "values",
    [
        {"loss": 0},
        {"loss": 1.0},
        {"wait": 0},
        {"wait": 1e9},
        {"count": 255},
        {"count": np.int64(7)},
        {"factor": np.float64(1.5)},
        {"rate": (1, 0.5)},
        {"steps": (0.0, 1)},
        {"shape": Square()},
        {"shape": 0},
        {"anything": object()},
    ],
)
def test_allowed_values(values: dict[str, Any]) -> None:
    Params(**values)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"loss": 1.5}, "loss = 1.5: must be a probability in [0, 1]"),
        ({"loss": math.nan}, "loss = nan: must be a probability in [0, 1]"),
        ({"loss": "0.1"}, "loss = '0.1': must be a probability in [0, 1]"),
        ({"wait": -1}, "wait = -1: must be a number in [0, 1e+09] s, or None"),
        ({"count": 0}, "count = 0: must be an integer in [1, 255]"),
        ({"count": 3.0}, "count = 3.0: must be an integer in [1, 255]"),
        ({"count": True}, "count = True: must be an integer in [1, 255]"),
        ({"factor": 1}, "factor = 1: must be a finite number > 1"),
        ({"factor": math.inf}, "factor = inf: must be a finite number > 1"),
        ({"order": "middle"}, "order = 'middle': must be one of first, last"),
        ({"order": ["first"]}, "order = ['first']: must be one of first, last"),
        ({"on": 1}, "on = 1: must be True or False"),
        ({"name": 5}, "name = 5: must be a string"),
        ({"rate": (0, 1.0)}, "rate = (0, 1.0): must be a tuple (an integer > 0 ACKs, a finite number > 0 s), or None"),
        ({"rate": (1,)}, "rate = (1,): must be a tuple (an integer > 0 ACKs, a finite number > 0 s), or None"),
        ({"steps": (1.0, -1.0)}, "steps = (1.0, -1.0): must be a tuple, each item a finite number >= 0 s"),
        ({"shape": -1.0}, "shape = -1.0: must be a finite number >= 0, or a Shape"),
    ],
)
def test_refused_values(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(line)}$"):
        Params(**values)


def test_a_class_is_no_instance_of_a_protocol() -> None:
    with pytest.raises(ValueError, match=r"shape = .*: must be a finite number"):
        Params(shape=Square)  # type: ignore[arg-type]


@pytest.mark.parametrize("allowed", ["0 to 1", "=> 3", (2, 1)])
def test_a_range_that_cannot_be_read_is_refused_where_it_is_declared(allowed: Any) -> None:
    with pytest.raises(ValueError, match="allowed = "):
        field(0, "a number", allowed=allowed)
