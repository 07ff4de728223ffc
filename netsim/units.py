"""Quantities at the public edge: strings to numbers, and the checks that all layers share.

Durations are seconds, probabilities plain numbers in [0, 1]. Strings are read in decimal, so that "0.1%" is
exactly the float 0.001 and both spellings of a parameter are the same point of a sweep.
"""

import difflib
import math
import re
from collections.abc import Collection, Iterable
from decimal import Decimal
from numbers import Real

SECOND = 1_000_000_000  # ns

_UNITS = {
    "": Decimal(1),
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "min": Decimal(60),
    "h": Decimal(3600),
}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*([a-zµ%]*)\s*", re.ASCII)
_LONGEST_TEXT = 40  # characters; nobody writes a longer number by hand


def nanoseconds(seconds: float) -> int:
    """The nearest whole number of nanoseconds."""
    return round(seconds * SECOND)


def parse_seconds(value: float | str, *, name: str = "duration", allow_infinite: bool = False) -> float:
    """A duration in seconds from a number or from a string such as "0.05", "50ms", "3us", "2min", "1h".

    `name` is the field named in the error; "inf" is accepted only with allow_infinite. Raises ValueError for
    what is no number, NaN, infinite or negative.
    """
    allowed = "must be a duration >= 0 in seconds, or with a unit: ns, us, ms, s, min, h (0.05 or 50ms)"
    if allow_infinite:
        allowed += ", or inf"
    number = _infinity(value) if allow_infinite else None
    if number is None:
        number = _quantity(value, _UNITS)
    if number is None or not number >= 0.0 or (math.isinf(number) and not allow_infinite):
        raise ValueError(f"{name} = {_shown(value)}: {allowed}")
    return number


def parse_probability(value: float | str, *, name: str = "probability") -> float:
    """A probability from a number or a string: "0.01" and "1%" are the same float.

    Raises ValueError, naming `name`, for anything outside [0, 1].
    """
    number = _quantity(value, {"": Decimal(1), "%": Decimal("0.01")})
    if number is None or not 0.0 <= number <= 1.0:
        raise ValueError(f"{name} = {_shown(value)}: must be a probability in [0, 1] (0.01 or 1%)")
    return number


def require_probability(field: str, value: float) -> None:
    """Raise ValueError unless value is a number in [0, 1]."""
    if type(value) is float and 0.0 <= value <= 1.0:
        return  # the common case, quickly: configurations are built once a run
    if not _is_number(value) or not 0.0 <= value <= 1.0:
        raise ValueError(f"{field} = {_shown(value)}: must be a probability in [0, 1]")


def require_number(field: str, value: float, *, low: float, high: float, unit: str = "") -> None:
    """Raise ValueError unless value is a number with low <= value <= high (NaN is refused)."""
    if not _is_number(value) or not low <= value <= high:
        of = f" {unit}" if unit else ""
        raise ValueError(f"{field} = {_shown(value)}: must be a number in [{low:g}, {high:g}]{of}")


def require_choice(field: str, value: object, allowed: Collection[str]) -> None:
    """Raise ValueError unless value is one of the words allowed."""
    if value not in allowed:
        raise ValueError(f"{field} = {value!r}: must be one of {', '.join(allowed)}")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean loss?" if ``word`` is close to one of the ``known`` words, else nothing."""
    close = difflib.get_close_matches(word.lower(), filter(None, known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _quantity(value: float | str, units: dict[str, Decimal]) -> float | None:
    if _is_number(value):
        return float(value)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    match = _QUANTITY.fullmatch(value)
    if match is None or match[2] not in units:
        return None
    exponent = re.search(r"[eE]([+-]?\d+)$", match[1])
    if exponent and abs(int(exponent[1])) > 300:
        return None  # out of any physical range, and Decimal would complain in its own words
    return float(Decimal(match[1]) * units[match[2]])


def _infinity(value: float | str) -> float | None:
    return math.inf if isinstance(value, str) and value.strip().lower() in ("inf", "infinity") else None


def _is_number(value: object) -> bool:
    if type(value) is float or type(value) is int:  # the common case; the general test costs ten times more
        return True
    return isinstance(value, Real) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return str(value) if _is_number(value) else repr(value)
