"""Delay distributions as strings: "50ms", "uniform:20ms:80ms", "20ms+exponential:30ms"."""

from collections.abc import Callable
from typing import Any, NamedTuple

from netsim.link.distributions import (
    DelayDistribution,
    Empirical,
    Exponential,
    Fixed,
    Lognormal,
    Pareto,
    TruncatedNormal,
    Uniform,
    require_delay,
)
from netsim.units import parse_seconds


class _Form(NamedTuple):
    """How a distribution is written: constructor, arguments (capitals: durations), whether it may have an offset."""

    distribution: Callable[..., DelayDistribution]
    arguments: tuple[str, ...]
    offset: bool = False


_FORMS = {
    "fixed": _Form(Fixed, ("SECONDS",)),
    "uniform": _Form(Uniform, ("LOW", "HIGH")),
    "exponential": _Form(Exponential, ("MEAN",), offset=True),
    "normal": _Form(TruncatedNormal, ("MEAN", "SD")),
    "lognormal": _Form(Lognormal, ("MEDIAN", "sigma"), offset=True),
    "pareto": _Form(Pareto, ("SCALE", "shape"), offset=True),
}

DELAY_DISTRIBUTION_FORMS = (
    *(":".join((name, *form.arguments)) for name, form in _FORMS.items()),
    "empirical:FILE",
)
"""The accepted forms, for help messages; capitals are durations, lower-case letters plain numbers."""


def parse_delay_distribution(value: float | str, *, name: str = "delay") -> DelayDistribution:
    """The distribution that a string describes; a bare duration (0.05, "50ms") is a fixed delay.

    exponential, lognormal and pareto may be shifted by a duration in front: "20ms+exponential:30ms" is never
    below 20 ms and 50 ms on average. Raises ValueError naming the field, the string and what is allowed, or the
    file and line of a bad empirical file.
    """
    head, colon, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not colon:
        return _fixed(value, name)
    offset_text, plus, distribution_name = head.rpartition("+")
    distribution_name = distribution_name.strip().lower()
    if distribution_name == "empirical" and not plus:
        return Empirical.from_file(rest.strip())
    form = _FORMS.get(distribution_name)
    texts = rest.split(":")
    if form is None or len(texts) != len(form.arguments) or (plus and not form.offset):
        raise ValueError(f"{name} = {value!r}: {_allowed()}")
    try:
        arguments: list[Any] = [_argument(*pair) for pair in zip(form.arguments, texts, strict=True)]
        shift = {"offset": parse_seconds(offset_text, name="offset")} if plus else {}
        return form.distribution(*arguments, **shift)
    except ValueError as error:
        raise ValueError(f"{name} = {value!r}: {error}") from None


def _fixed(value: float | str, name: str) -> DelayDistribution:
    try:
        seconds = parse_seconds(value, name=name)
    except ValueError as error:
        raise ValueError(f"{error}; or a delay distribution: {', '.join(DELAY_DISTRIBUTION_FORMS)}") from None
    require_delay(name, seconds)
    return Fixed(seconds)


def _argument(argument: str, text: str) -> float:
    if argument.isupper():
        return parse_seconds(text, name=argument)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{argument} = {text!r}: must be a number") from None


def _allowed() -> str:
    return (
        f"must be a duration (50ms) or a delay distribution: {', '.join(DELAY_DISTRIBUTION_FORMS)}; "
        "exponential, lognormal and pareto also after an offset: 20ms+exponential:30ms"
    )
