"""Names beside curves: near their curves, in order, never on top of each other."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netsim.figures.labels import spread


def test_far_apart_they_stay_where_they_want_to_be() -> None:
    assert spread([0.9, 0.1, 0.5], gap=0.1) == [0.9, 0.1, 0.5]


def test_neighbours_share_the_room_around_their_middle() -> None:
    assert spread([0.5, 0.5], gap=0.1) == pytest.approx([0.45, 0.55])
    assert spread([0.5, 0.52, 0.54], gap=0.1) == pytest.approx([0.42, 0.52, 0.62])


def test_a_block_that_grows_into_a_third_takes_it_in() -> None:
    # 0.5, 0.5 want 0.45 and 0.55; 0.6 is too near the latter, so all three stand around their mean 1.6 / 3.
    assert spread([0.5, 0.5, 0.6], gap=0.1) == pytest.approx([1.6 / 3 - 0.1, 1.6 / 3, 1.6 / 3 + 0.1])


def test_they_stay_in_the_panel() -> None:
    assert spread([1.0, 1.0, 1.0], gap=0.2) == pytest.approx([0.6, 0.8, 1.0])
    assert spread([0.0, 0.0], gap=0.2) == pytest.approx([0.0, 0.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_they_are_always_apart_and_in_order(wanted: list[float]) -> None:
    placed = spread(wanted, gap=0.15)
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    positions = [placed[i] for i in order]
    assert all(b - a >= 0.15 - 1e-9 for a, b in itertools.pairwise(positions))
    assert positions[0] >= -1e-9
    assert positions[-1] <= 1 + 1e-9
