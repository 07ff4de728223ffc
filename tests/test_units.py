"""Durations and probabilities as people write them."""

import math
from typing import Any

import numpy as np
import pytest

from netsim.units import (
    nanoseconds,
    parse_probability,
    parse_seconds,
    require_choice,
    require_number,
    require_probability,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (0.05, 0.05),
        (3, 3.0),
        ("0.05", 0.05),
        ("50ms", 0.05),
        (" 50 ms ", 0.05),
        ("3us", 3e-6),
        ("7µs", 7e-6),
        ("250ns", 2.5e-7),
        ("0.3ms", 0.0003),
        ("2min", 120.0),
        ("1h", 3600.0),
        ("1.5e-3s", 0.0015),
        (".5", 0.5),
        ("0", 0.0),
        (np.float64(0.25), 0.25),
        (np.int64(2), 2.0),
    ],
)
def test_durations(text: float | str, seconds: float) -> None:
    assert parse_seconds(text) == seconds  # exactly: both spellings are one point of a sweep


@pytest.mark.parametrize(
    ("text", "p"),
    [(0.01, 0.01), ("0.01", 0.01), ("1%", 0.01), ("0.1%", 0.001), ("100%", 1.0), (0, 0.0), ("7 %", 0.07)],
)
def test_probabilities(text: float | str, p: float) -> None:
    assert parse_probability(text) == p


@pytest.mark.parametrize(
    "wrong",
    [
        -1,
        "-1ms",
        "",
        "ms",
        "5 parsecs",
        "1e999",
        "1e400ms",
        "nan",
        math.nan,
        math.inf,
        "inf",
        "1_000",
        "1%",
        None,
        True,
        "9" * 50,
    ],
)
def test_wrong_durations_name_the_field_the_text_and_the_units(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^rtt = .*must be a duration >= 0 .*ns, us, ms, s, min, h"):
        parse_seconds(wrong, name="rtt")


def test_infinity_only_where_asked() -> None:
    assert parse_seconds("inf", allow_infinite=True) == math.inf
    assert parse_seconds(math.inf, allow_infinite=True) == math.inf
    for wrong in ("nan", math.nan, "-inf", -math.inf):
        with pytest.raises(ValueError, match="or inf"):
            parse_seconds(wrong, allow_infinite=True)


@pytest.mark.parametrize("wrong", [1.5, -0.1, "150%", "-1%", "nan", math.nan, "inf", "1ms", "", None, False])
def test_wrong_probabilities_name_the_field_the_text_and_the_range(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^loss = .*must be a probability in \[0, 1\]"):
        parse_probability(wrong, name="loss")
    if not isinstance(wrong, str):
        with pytest.raises(ValueError, match=r"^loss = .*must be a probability in \[0, 1\]"):
            require_probability("loss", wrong)


def test_numbers_in_a_range() -> None:
    require_number("rate", 5, low=1, high=10)
    for wrong in (0, 11, math.nan, "5", None):
        with pytest.raises(ValueError, match=r"^rate = .*must be a number in \[1, 10\] bit/s"):
            require_number("rate", wrong, low=1, high=10, unit="bit/s")  # type: ignore[arg-type]


def test_one_of_some_words() -> None:
    require_choice("end", "client", ("client", "server"))
    with pytest.raises(ValueError, match=r"^end = 'peer': must be one of client, server$"):
        require_choice("end", "peer", ("client", "server"))


def test_nanoseconds_are_the_nearest() -> None:
    assert nanoseconds(0.05) == 50_000_000
    assert nanoseconds(0.3) == 300_000_000  # 0.3 * 1e9 as a float is 3e8 only after rounding
    assert nanoseconds(1e-9) == 1
