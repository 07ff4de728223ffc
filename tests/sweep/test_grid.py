"""Points of a sweep: grids and content identity."""

import subprocess
import sys
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pytest

from netsim.sweep import grid, point_key, points
from netsim.sweep.grid import parameter_columns


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Distribution:
    mean: float


@dataclass(frozen=True)
class Other:
    mean: float


@dataclass(frozen=True)
class Params:
    loss: float = 0.1
    distribution: Distribution | Other = Distribution(0.05)
    times: tuple[float, ...] = (1.0, 2.5)
    colour: Colour = Colour.RED
    name: str | None = None
    cache: object = field(default=None, compare=False)


def test_grid_is_the_cartesian_product_last_axis_fastest():
    assert grid(a=[1, 2], b=("x", "y"), c="fixed") == [
        {"a": 1, "b": "x", "c": "fixed"},
        {"a": 1, "b": "y", "c": "fixed"},
        {"a": 2, "b": "x", "c": "fixed"},
        {"a": 2, "b": "y", "c": "fixed"},
    ]


def test_grid_takes_numpy_axes_as_plain_numbers():
    values = [point["a"] for point in grid(a=np.array([0.0, 0.5]))]
    assert values == [0.0, 0.5]
    assert {type(value) for value in values} == {float}
    assert grid(a=np.float64(0.5)) == [{"a": 0.5}]


def test_points_go_side_by_side():
    assert points(a=[1, 2], b=[3, 4], c="x") == [{"a": 1, "b": 3, "c": "x"}, {"a": 2, "b": 4, "c": "x"}]
    assert points(a=1) == [{"a": 1}]
    with pytest.raises(ValueError, match="'a': 2, 'b': 3"):
        points(a=[1, 2], b=[3, 4, 5])


@pytest.mark.parametrize("make", [grid, points])
def test_an_empty_axis_is_refused_by_name(make):
    with pytest.raises(ValueError, match=r"loss = \[\]: must have at least one value"):
        make(loss=[])


def test_key_ignores_the_order_of_the_fields_and_the_kind_of_number():
    assert point_key({"a": 1, "b": 0.5}) == point_key({"b": 0.5, "a": 1.0})
    assert point_key({"a": 0.0}) == point_key({"a": -0.0}) == point_key({"a": np.float64(0)})
    assert point_key({"a": np.float64(0.1)}) == point_key({"a": 0.1})
    assert point_key(Params()) == point_key(Params(cache=lambda: None))


def test_a_field_with_its_default_does_not_count():
    @dataclass(frozen=True)
    class Point:
        loss: float = 0.0

    before = Point(loss=0.5), Point()

    @dataclass(frozen=True)
    class Point:  # the same, a version later
        loss: float = 0.0
        distribution: Distribution = field(default_factory=lambda: Distribution(0.05))

    assert [point_key(p) for p in before] == [point_key(Point(loss=0.5)), point_key(Point())]
    assert (
        point_key(Point(distribution=Distribution(0.05)))
        == point_key(Point())
        != point_key(Point(distribution=Distribution(0.1)))
    )


def test_different_content_has_different_keys():
    different = [
        Params(),
        Params(loss=0.1 + 2**-56),  # the next float
        Params(distribution=Distribution(0.1)),
        Params(distribution=Other(0.05)),
        Params(times=(1.0,)),
        Params(times=()),
        Params(colour=Colour.BLUE),
        Params(name="None"),
        {"a": 1},
        {"a": True},
        {"a": "1"},
        {"a": None},
        {"a": 10**20},
        {"a": 1e20},
        {"a": float("inf")},
        {"a": ("x", "y")},
        {"a": ("x,y",)},
        {"a": b"1"},
        {"a": {"b": 1}},
    ]
    assert len({point_key(params) for params in different}) == len(different)
    assert len(point_key(Params())) == 16


def test_key_is_the_same_under_every_hash_seed():
    code = "from netsim.sweep import point_key; print(point_key({'s': frozenset('abcdef'), 'x': 0.1}))"
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert keys == {point_key({"x": 0.1, "s": frozenset("fedcba")}) + "\n"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"distribution": {"f": len}}, r"params\.distribution\.f = <built-in function len>: has no content identity"),
        ({"x": float("nan")}, r"params\.x = nan"),
        ({"x": [1, object()]}, r"params\.x\[1\]"),
        ({1: 2}, "key 1: must be a string"),
        (Params, "must be a dataclass or a mapping"),
        (0.1, "params = 0.1: must be a dataclass or a mapping"),
    ],
)
def test_what_has_no_content_is_refused_with_its_place(params, message):
    with pytest.raises(ValueError, match=message):
        point_key(params)


def test_columns_are_flat_and_nested_ones_only_where_they_vary():
    columns = parameter_columns([Params(loss=0.1), Params(loss=0.2, distribution=Other(0.05))])
    assert columns == [
        {"loss": 0.1, "distribution": "Distribution", "times": "[1,2.5]", "colour": "RED", "name": None},
        {"loss": 0.2, "distribution": "Other", "times": "[1,2.5]", "colour": "RED", "name": None},
    ]
    assert [
        row["distribution.mean"] for row in parameter_columns([Params(), Params(distribution=Distribution(1.0))])
    ] == [0.05, 1.0]
