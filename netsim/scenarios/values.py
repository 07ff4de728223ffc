"""The values of parameters as strings, read and shown: ``read(hint, show(value)) == value``.

| what | string |
|---|---|
| duration | ``0.05`` (seconds), ``50ms``, ``2min`` |
| probability | ``0.01``, ``1%`` |
| delay distribution | ``50ms``, ``uniform:20ms:80ms``, ``20ms+exponential:30ms`` (see
``netsim.link.parse_delay_distribution``) |
| back-off | ``1s`` or ``initial=1s,factor=2,linear=4,slop=200ms``, any of these; ``multipliers=1/1/2/4`` |
| ISN | ``constant:0``, ``clock:250000``, ``rfc6528:250000`` (Hz), ``random``, ``counter:125000:64000`` |
| ports | ``sequential``, ``random``, ``hash``, each with a range: ``hash:32768:60999`` |
| SYN cookie | ``bernstein``, ``timestamp``, each with an MSS table: ``timestamp:536/1300/1440/1460`` |
| rate | ``10/5s`` |
| absent | ``none`` |
"""

import dataclasses
import os
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from netsim.link import (
    DelayDistribution,
    Empirical,
    Exponential,
    Fixed,
    FunctionDelay,
    Lognormal,
    Pareto,
    TruncatedNormal,
    Uniform,
    parse_delay_distribution,
)
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.config import Rate
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, FunctionIsn, HashIsn, IsnPolicy, RandomIsn
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.syn_cookie import BernsteinCookie, SynCookie, TimestampCookie
from netsim.units import did_you_mean, parse_probability, parse_seconds

# A form is NAME[:ARGUMENT...], the arguments being the fields of the class in their order, from the left.
_POLICIES: Final[dict[Any, dict[str, Any]]] = {
    IsnPolicy: {
        "constant": ConstantIsn,
        "clock": ClockIsn,
        "rfc6528": HashIsn,
        "random": RandomIsn,
        "counter": CounterIsn,
    },
    Ports: dict.fromkeys(("sequential", "random", "hash"), Ports),
    SynCookie: {"bernstein": BernsteinCookie, "timestamp": TimestampCookie},
}
_DISTRIBUTIONS: Final[dict[type, str]] = {
    Uniform: "uniform",
    Exponential: "exponential",
    TruncatedNormal: "normal",
    Lognormal: "lognormal",
    Pareto: "pareto",
}
_BACKOFF_DURATIONS: Final = ("initial", "slop")


def needs_reading(value: Any) -> bool:
    """Whether ``read`` may turn a value into another: a string, a table, a numpy scalar, a function."""
    return not isinstance(value, bool | int | float | None) and not dataclasses.is_dataclass(value)


def read(hint: Any, value: Any, *, name: str, unit: str = "") -> Any:
    """The value of a parameter of type ``hint`` from a string, from what TOML made of it, or from a Python object.

    ``unit`` is that of the parameter: durations have "s". ValueError names ``name``, the value and what is allowed.
    """
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()  # a numpy scalar
    if not isinstance(value, bool | int | float | str | Mapping | list):
        return _object(hint, value)
    kinds = set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}
    if NoneType in kinds and isinstance(value, str) and value.strip().lower() == "none":
        return None
    try:
        if DelayDistribution in kinds:
            distribution = parse_delay_distribution(value, name=name)  # type: ignore[arg-type]
            return distribution.seconds if isinstance(distribution, Fixed) else distribution
        for policy in _POLICIES.keys() & kinds:
            return _read_policy(_POLICIES[policy], value, name)
        if BackOff in kinds:
            return _read_backoff(value, name)
        if Rate in kinds:
            return _read_rate(value, name)
        if float in kinds:
            return _read_number(value, name, unit)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(name) else f"{name} = {value!r}: {text}") from None
    return _coerce(hint, value, name)


def read_any(value: Any) -> Any:
    """The value of a parameter of which no type is known: strings that are numbers, durations or percentages are read.

    "3" is 3, "50ms" 0.05 (s), "1%" 0.01; "true", "false" and "none" are what Python calls True, False and None. Any
    other string, and any other value, stays as it is; a numpy scalar becomes a plain number.
    """
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    if not isinstance(value, str):
        return value
    text = value.strip()
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    if text.lstrip("+-").isdecimal():
        return int(text)
    for parse in (float, parse_probability if text.endswith("%") else parse_seconds):
        try:
            return parse(text)
        except ValueError:
            continue
    return value


def _object(hint: Any, value: Any) -> Any:
    """A Python object as it is; a function is a distribution or an ISN policy, a path a file of measured delays."""
    if DelayDistribution in get_args(hint):
        if isinstance(value, os.PathLike):
            return Empirical.from_file(value)
        if callable(value) and not hasattr(value, "sampler"):
            return FunctionDelay(value)
    if hint is IsnPolicy and callable(value) and not hasattr(value, "initial"):
        return FunctionIsn(value)
    return value


def show(value: Any) -> str:
    """The string for a value, such that ``read`` gives it back."""
    match value:
        case None | bool():
            return str(value).lower()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case BackOff():
            return _show_backoff(value)
        case Ports():
            return _show_policy(value.order, value)
        case FunctionDelay() | FunctionIsn():
            return value.name
        case Fixed():
            return show(value.seconds)
        case Empirical():
            return f"empirical ({len(value.samples)} delays)"
        case (count, float(seconds)):
            return f"{count}/{show(seconds)}s"
        case tuple():
            return "/".join(map(show, value))
    if type(value) in _DISTRIBUTIONS:
        return _show_distribution(value)
    for forms in _POLICIES.values():
        for word, policy in forms.items():
            if type(value) is policy:
                return _show_policy(word, value)
    return str(value)


def with_unit(text: str, unit: str) -> str:
    """A unit after the string of a plain number; other strings need none."""
    return f"{text} {unit}" if unit and text.replace(".", "").isdigit() else text


def plain(value: Any) -> Any:
    """The value as JSON and TOML have it: numbers, booleans and strings as they are, the others as their string."""
    return value if isinstance(value, bool | int | float | str | None) else show(value)


def forms(hint: Any) -> str:
    """The choices of a parameter of type ``hint``, where it has some: "ack, synack, ..."; else nothing."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    for kind in kinds:
        if get_origin(kind) is Literal:
            return ", ".join(get_args(kind))
    return ""


def _read_number(value: Any, name: str, unit: str) -> float:
    if unit == "s":
        return parse_seconds(value, name=name)
    if isinstance(value, str) and value.rstrip().endswith("%"):
        return parse_probability(value, name=name)
    number: float = _coerce(float, value, name)
    return number


def _coerce(hint: Any, value: Any, name: str) -> Any:
    """A number, boolean or choice, by pydantic: strings leniently, what TOML has typed strictly."""
    if hint is str and isinstance(value, str):
        return value.strip()
    if isinstance(value, str) and get_origin(hint) is Literal:
        value = _like(value.strip(), get_args(hint))
        if value in get_args(hint):
            return value
    if isinstance(value, str) and get_origin(hint) is tuple:
        return tuple(_coerce(get_args(hint)[0], part, name) for part in value.split("/"))
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter(hint)
    try:
        if isinstance(value, str):
            return adapter.validate_strings(value.strip())
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        raise ValueError(f"{name} = {value!r}: must be {_allowed(hint, value)}") from None


def _like(word: str, choices: tuple[str, ...]) -> str:
    """The choice that differs from ``word`` at most in - and _; else the word."""
    return next((c for c in choices if str(c).replace("_", "-") == word.replace("_", "-")), word)


def _allowed(hint: Any, value: Any) -> str:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    names = {int: "an integer", float: "a number", bool: "true or false", str: "a string", NoneType: "none"}
    texts = [names.get(kind, forms(kind) and f"one of {forms(kind)}") or str(kind) for kind in kinds]
    choices = forms(hint).split(", ")
    return ", or ".join(texts) + (did_you_mean(value, choices) if isinstance(value, str) else "")


def _read_policy(policies: dict[str, Any], value: Any, name: str) -> Any:
    word, *arguments = value.strip().split(":") if isinstance(value, str) else [""]
    policy = policies.get(word.lower())
    if policy is None:
        known = ", ".join(policies)
        raise ValueError(f"{name} = {value!r}: must be one of {known}{did_you_mean(word, policies)}")
    fields, hints = dataclasses.fields(policy), get_type_hints(policy)
    fixed = {"order": word.lower()} if policy is Ports else {}
    fields = tuple(f for f in fields if f.name not in fixed)
    if len(arguments) > len(fields):
        form = ":".join([word, *(f.name.upper() for f in fields)])
        raise ValueError(f"{name} = {value!r}: must be {form}, or less of it")
    pairs = zip(fields, arguments, strict=False)
    return policy(**fixed, **{f.name: _coerce(hints[f.name], text, f"{name}: {f.name}") for f, text in pairs})


def _show_policy(word: str, value: Any) -> str:
    arguments = [(getattr(value, f.name), f.default) for f in dataclasses.fields(value) if f.name != "order"]
    while arguments and arguments[-1][0] == arguments[-1][1]:
        arguments.pop()
    return ":".join([word, *(show(argument) for argument, _ in arguments)])


def _show_distribution(value: Any) -> str:
    named = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    offset = named.pop("offset", 0.0)
    text = ":".join([_DISTRIBUTIONS[type(value)], *map(show, named.values())])
    return f"{show(offset)}+{text}" if offset else text


def _read_backoff(value: Any, name: str) -> BackOff:
    if isinstance(value, str):
        text = value if "=" in value else f"initial={value}"
        pairs = [part.partition("=")[::2] for part in text.split(",")]
        parts: Mapping[str, Any] = {key.strip(): part.strip() for key, part in pairs}
        if len(parts) < len(pairs):
            raise ValueError(f"{name} = {value!r}: must name each part once")
    elif isinstance(value, Mapping):
        parts = value
    else:
        parts = {"initial": value}
    known = [f.name for f in dataclasses.fields(BackOff)]
    for key in parts:
        if key not in known:
            raise ValueError(f"{name} = {value!r}: parts are {', '.join(known)}{did_you_mean(key, known)}")
    return BackOff(**{key: _read_backoff_part(key, part, f"{name}.{key}") for key, part in parts.items()})


def _read_backoff_part(key: str, part: Any, name: str) -> Any:
    if key == "multipliers":
        return tuple(_coerce(float, m, name) for m in (part if isinstance(part, list) else str(part).split("/")))
    return _coerce(int, part, name) if key == "linear" else _read_number(part, name, "s" * (key in _BACKOFF_DURATIONS))


def _show_backoff(value: BackOff) -> str:
    changed = [f.name for f in dataclasses.fields(value) if getattr(value, f.name) != f.default]
    parts = []
    for key in changed or ["initial"]:
        part = getattr(value, key)
        text = "/".join(map(show, part)) if key == "multipliers" else show(part)
        parts.append(f"{key}={text}{'s' * (key in _BACKOFF_DURATIONS)}")
    return ",".join(parts)


def _read_rate(value: Any, name: str) -> Rate:
    count, slash, seconds = value.partition("/") if isinstance(value, str) else (value, "", "")
    if isinstance(value, list) and len(value) == 2:
        count, slash, seconds = value[0], "/", value[1]
    if not slash:
        raise ValueError(f"{name} = {value!r}: must be COUNT/DURATION (10/5s), or none")
    return _coerce(int, count, f"{name}: count"), parse_seconds(seconds, name=f"{name}: duration")
