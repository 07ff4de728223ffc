"""Domain checks shared by the closed forms: one clear ValueError naming field, value and allowed range."""

import math

NANOSECONDS_PER_SECOND = 1_000_000_000


def check_probability(name: str, value: float, *, below: float | None = None) -> None:
    """Raise ValueError unless `value` lies in [0, 1], or in [0, below) when `below` is given."""
    inside = 0.0 <= value <= 1.0 if below is None else 0.0 <= value < below
    if not inside:  # NaN fails every comparison, so it ends here too
        allowed = "[0, 1]" if below is None else f"[0, {below:g})"
        raise ValueError(f"{name} must be in {allowed}, got {value!r}")


def check_non_negative(name: str, value: float, *, high: float | None = None) -> None:
    """Raise ValueError unless `value` is finite and at least 0 (and at most `high`)."""
    if not (math.isfinite(value) and value >= 0 and (high is None or value <= high)):
        allowed = "finite and >= 0" if high is None else f"in [0, {high:g}]"
        raise ValueError(f"{name} must be {allowed}, got {value!r}")


def check_positive(name: str, value: float) -> None:
    """Raise ValueError unless `value` is finite and above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be finite and > 0, got {value!r}")


def check_count(name: str, value: int, *, low: int = 0, high: int | None = None) -> None:
    """Raise ValueError unless `value` is a whole number in [low, high]."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        allowed = f">= {low}" if high is None else f"in [{low}, {high}]"
        raise ValueError(f"{name} must be a whole number {allowed}, got {value!r}")


def nanoseconds(seconds: float) -> int:
    """Seconds to integer nanoseconds: equal instants then compare equal, whatever sums led to them."""
    return round(seconds * NANOSECONDS_PER_SECOND)
