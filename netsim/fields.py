"""One way to declare a parameter: its default, meaning, unit, source and allowed values stand in one place.

A frozen dataclass of parameters (a scenario's ``Params``, ``TcpConfig``) declares each of its fields with ``field`` and
checks them all with ``check``::

    @dataclass(frozen=True, kw_only=True)
    class Params:
        loss: float = field(0.1, "probability that a segment is lost", allowed="probability")
        time_wait: float = field(60.0, "length of TIME-WAIT", unit="s", source="RFC 9293 3.6.1", allowed=(0, 1e9))
        __post_init__ = check

What a value may be follows from the annotation (the type, or the words of a ``Literal``) and from ``allowed`` (the
range of numbers). A class that also has rules between its fields writes a ``__post_init__`` that calls ``check`` first.
The command line and ``netsim list`` read the same metadata.
"""

import dataclasses
import math
import re
from collections.abc import Callable
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

Allowed = str | tuple[float, float]
"""A range of numbers: ``(low, high)`` with both ends included, one comparison (``">= 0"``), or ``"probability"``."""

_COMPARISON: Final = re.compile(r"(>=|>|<=|<) *(-?[0-9.]+(?:e-?[0-9]+)?)")
_Test = Callable[[Any], bool]


def field(default: Any, doc: str, *, unit: str = "", source: str = "", allowed: Allowed | None = None) -> Any:
    """A field of a dataclass of parameters.

    ``doc`` says what the parameter means, ``unit`` in what it is counted ("s", "bytes"; "ACKs, s" for a pair),
    ``source`` where the default comes from, ``allowed`` the range of a number (see ``Allowed``; for a tuple, of each of
    its numbers).
    ValueError if ``allowed`` cannot be read.
    """
    _bounds(allowed)
    return dataclasses.field(default=default, metadata={"doc": doc, "unit": unit, "source": source, "allowed": allowed})


def check(instance: Any, *, within: str = "") -> None:
    """Check all fields of a dataclass against their annotations and ranges.

    ValueError names the first field that is wrong (``within`` stands before its name), its value, what is allowed, and
    the unit. Numbers are finite.
    """
    kind = type(instance)
    rules = _RULES.get(kind)
    if rules is None:
        rules = _RULES[kind] = _rules(kind)
    for name, allows, wanted in rules:
        value = getattr(instance, name)
        if not allows(value):
            raise ValueError(f"{within}{name} = {value!r}: must be {wanted}")


_RULES: Final[dict[type, tuple[tuple[str, _Test, str], ...]]] = {}  # by class, worked out when it is first checked


def _rules(cls: type) -> tuple[tuple[str, _Test, str], ...]:
    """For each field that ``__init__`` takes: its name, whether a value is allowed, and what is, in words."""
    hints = get_type_hints(cls)
    rules = []
    for f in dataclasses.fields(cls):
        if f.init:
            rules.append((f.name, *_rule(hints[f.name], f.metadata.get("allowed"), f.metadata.get("unit", ""))))
    return tuple(rules)


def _rule(hint: Any, allowed: Allowed | None, unit: str) -> tuple[_Test, str]:
    """The test of a value of type ``hint``, and what passes it, in words."""
    if get_origin(hint) in (Union, UnionType):
        kinds = sorted(get_args(hint), key=lambda kind: kind is NoneType)
        return _any_of([_rule(kind, allowed, unit) for kind in kinds])
    if get_origin(hint) is Literal:
        words = get_args(hint)
        return words.__contains__, f"one of {', '.join(map(str, words))}"
    if get_origin(hint) is tuple:
        return _tuple_of(get_args(hint), allowed, unit)
    if hint in (int, float):
        return _number(hint, allowed, unit)
    if hint is NoneType:
        return lambda value: value is None, "None"
    if hint in _PLAIN:
        return lambda value: isinstance(value, hint), _PLAIN[hint]
    if isinstance(hint, type) and hint is not Any:
        article = "an" if hint.__name__[0] in "AEIOU" else "a"
        return _instance_of(hint), f"{article} {hint.__name__}"
    return lambda value: True, "anything"


_PLAIN: Final[dict[Any, str]] = {bool: "True or False", str: "a string"}


def _any_of(rules: list[tuple[_Test, str]]) -> tuple[_Test, str]:
    tests = tuple(test for test, _ in rules)
    return lambda value: any(test(value) for test in tests), ", or ".join(words for _, words in rules)


def _tuple_of(kinds: tuple[Any, ...], allowed: Allowed | None, unit: str) -> tuple[_Test, str]:
    """A tuple of fixed length, or of any (``tuple[float, ...]``)."""
    if kinds[-1] is Ellipsis:
        each, words = _rule(kinds[0], allowed, unit)
        return lambda value: isinstance(value, tuple) and all(map(each, value)), f"a tuple, each item {words}"
    units = unit.split(", ") if ", " in unit else [unit] * len(kinds)
    tests, names = zip(*(_rule(kind, allowed, of) for kind, of in zip(kinds, units, strict=True)), strict=True)

    def allows(value: Any) -> bool:
        right = isinstance(value, tuple) and len(value) == len(tests)
        return right and all(test(item) for test, item in zip(tests, value, strict=True))

    return allows, f"a tuple ({', '.join(names)})"


def _number(kind: Any, allowed: Allowed | None, unit: str) -> tuple[_Test, str]:
    low, high, words = _bounds(allowed)
    general = Integral if kind is int else Real

    def allows(value: Any) -> bool:
        number = type(value) is kind or (isinstance(value, general) and not isinstance(value, bool))
        return number and low <= value <= high

    if allowed == "probability":
        return allows, words
    name = "an integer" if kind is int else "a number" if isinstance(allowed, tuple) else "a finite number"
    return allows, " ".join(word for word in (name, words, unit) if word)


def _bounds(allowed: Allowed | None) -> tuple[float, float, str]:
    """The minimum and maximum allowed, and the range in words."""
    largest = math.nextafter(math.inf, 0.0)
    if allowed is None:
        return -largest, largest, ""
    if allowed == "probability":
        return 0.0, 1.0, "a probability in [0, 1]"
    if isinstance(allowed, tuple):
        low, high = allowed
        if not low <= high:
            raise ValueError(f"allowed = {allowed!r}: must be (low, high) with low <= high")
        return low, high, f"in [{_shown(low)}, {_shown(high)}]"
    match = _COMPARISON.fullmatch(allowed)
    if match is None:
        raise ValueError(f"allowed = {allowed!r}: must be (low, high), 'probability', or a comparison as in '>= 0'")
    sign, bound = match[1], float(match[2])
    if sign[0] == ">":
        return (bound if sign == ">=" else math.nextafter(bound, math.inf)), largest, allowed
    return -largest, (bound if sign == "<=" else math.nextafter(bound, -math.inf)), allowed


def _shown(number: float) -> str:
    return str(number) if isinstance(number, int) and number < 1e10 else f"{number:g}"


def _instance_of(kind: type) -> _Test:
    """Whether a value is of this class; of a Protocol, whether it has all that the Protocol names."""
    if not getattr(kind, "_is_protocol", False):
        return lambda value: isinstance(value, kind)
    names = [name for name in vars(kind) if not name.startswith("_")]
    return lambda value: not isinstance(value, type) and all(hasattr(value, name) for name in names)
