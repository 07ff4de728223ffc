"""The names of a scenario's parameters: the same in Python, in TOML files and on the command line, from here alone.

All of them follow from the scenario's ``Params``. A field ``loss_forward`` is a name, and ``--loss-forward`` an option.
Two fields X_forward and X_reverse have the shorthand ``X`` for both directions, and two delays also ``rtt``, which is
split evenly. A field of type ``TcpConfig`` (``client``) gives ``client_profile`` and a dotted name for each field of
its configuration (``client.syn_retries``); ``profile`` sets the profile of all ends. In Python and in files, ``client``
may also be the name of a profile or a table of these fields, with its settings under ``sysctl``.

Values are numbers, strings with units ("50ms", "1%", "constant:0"; see ``netsim.scenarios.values``), or Python objects.
"""

import dataclasses
import tomllib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_type_hints

from netsim.scenarios.values import needs_reading, plain, read, show
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import PROFILES
from netsim.tcp.config.sysctl import configure
from netsim.units import did_you_mean

_END: Final = "must be a TcpConfig, a profile's name, or a table of fields"
Profile: Final[Any] = Literal[tuple(PROFILES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A name that the user may set, and the fields that it sets (``client.syn_retries`` is a field of ``client``).

    ``shares``: over how many fields a number is split. ``policy``: whether it is a field of a ``TcpConfig``.
    ``probability``: whether it is one.
    """

    name: str
    fields: tuple[str, ...]
    hint: Any
    text: str
    unit: str = ""
    source: str = ""
    default: str = ""
    shares: int = 1
    policy: bool = False
    probability: bool = False

    @property
    def flag(self) -> str:
        """The option of the command line."""
        return f"--{self.name.replace('_', '-')}"


def options(params: type[Any]) -> dict[str, Option]:
    """Every name that the user may set for a scenario with these ``Params``."""
    assert isinstance(params, Hashable)
    return _options(params)


@cache
def _options(params: type[Any]) -> dict[str, Option]:
    found = [*_of_fields(params), *_of_pairs(params), *_of_ends(params)]
    return {option.name: option for option in found}


def ends(params: type[Any]) -> tuple[str, ...]:
    """The names of the fields that hold a host's TCP."""
    assert isinstance(params, Hashable)
    return _ends(params)


@cache
def _ends(params: type[Any]) -> tuple[str, ...]:
    return tuple(name for name, hint in get_type_hints(params).items() if hint is TcpConfig)


def arguments(params: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``Params`` that these names set, their values read: what its constructor takes.

    ValueError for an unknown name (with a suggestion), for a value that cannot be read, and for two names that set the
    same field. The class itself checks ranges.
    """
    if given.keys() <= params.__dataclass_fields__.keys() and not any(map(needs_reading, given.values())):
        return dict(given)
    return _with_configs(params, _fields_set(params, given))


def build(params: type[Any], *sources: Mapping[str, Any]) -> Any:
    """``Params`` from several sources (name -> string or value), each of which overrides the ones before it.

    ValueError as for ``arguments``, and for values out of range: it names what the user wrote ("loss", where the field
    is "loss_forward").
    """
    values: dict[str, Any] = {}
    for given in sources:
        values |= _fields_set(params, given)
    try:
        return params(**_with_configs(params, values))
    except ValueError as error:
        raise ValueError(as_written(str(error), params, *sources)) from None


def as_written(line: str, params: type[Any], *sources: Mapping[str, Any]) -> str:
    """An error about a field as one about the shorthand that the user wrote: "loss", not "loss_forward"."""
    known = options(params)
    wrong = line.partition(" = ")[0]
    for name, value in (item for given in sources for item in given.items()):
        if name in known and wrong != name and wrong in known[name].fields:
            return f"{name} = {value}: {line.partition(': ')[2]}"
    return line


def read_toml(option: str, path: str) -> dict[str, Any]:
    """The table in a TOML file. ValueError, naming ``option`` and the file, if it cannot be read or is malformed."""
    try:
        return tomllib.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{option} = {path!r}: cannot be read: {error.strerror}; must be a TOML file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{option} = {path!r}: malformed: {error}; must be a TOML file") from None


def flat(params: type[Any], given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The same names with those in the table of an end written with dots: {"client": {"mss": 1}} is "client.mss".

    The settings in an end's ``sysctl`` become the fields that they change. ValueError for an unknown setting.
    """
    for name, value in given.items():
        if name not in ends(params) or isinstance(value, TcpConfig | list):
            yield name, value
        elif isinstance(value, str):
            yield f"{name}.profile", value
        elif isinstance(value, Mapping):
            yield from ((f"{name}.{field}", inner) for field, inner in _without_sysctls(name, value, given, params))
        else:
            raise ValueError(f"{name} = {value!r}: {_END}")


def _without_sysctls(
    end: str, value: Mapping[str, Any], table: Mapping[str, Any], params: type[Any]
) -> Iterator[tuple[str, Any]]:
    """The fields of an end's table; its ``sysctl`` (``[server.sysctl]``) becomes what the settings change."""
    yield from ((field, inner) for field, inner in value.items() if field != "sysctl")
    if "sysctl" not in value:
        return
    names = (value.get("profile"), table.get(f"{end}_profile"), table.get("profile"))
    name = next((name for name in names if name in PROFILES), None)
    default = next(f for f in dataclasses.fields(params) if f.name == end)
    base = PROFILES[name]() if name is not None else _default(default)
    try:
        settings = dict(dotted(value["sysctl"]))
        changes = changed_fields(configure(base, settings), base)
    except ValueError as error:
        raise ValueError(f"{end}.sysctl: {error}") from None
    for field in changes:
        if field in value:
            raise ValueError(f"{end}.{field}: {end}.sysctl sets it too; must be only one of these two")
    yield from ((field, plain(inner)) for field, inner in changes.items())


def dotted(table: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The entries of a table by their dotted names, whether TOML took these for tables or for quoted keys."""
    if not isinstance(table, Mapping):
        raise ValueError(f"{table!r}: must be a table of settings")
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from dotted(value, f"{name}.")
        else:
            yield name, value


def as_given(params: Any) -> dict[str, Any]:
    """Parameters as strings and numbers, such that a file with them gives the same parameters again."""
    table: dict[str, Any] = {}
    for field in dataclasses.fields(params):
        value = getattr(params, field.name)
        if isinstance(value, TcpConfig):
            changes = changed_fields(value, PROFILES[value.name]())
            table[field.name] = {"profile": value.name} | {name: plain(v) for name, v in changes.items()}
        else:
            table[field.name] = plain(value)
    return table


def changed_fields(config: TcpConfig, base: TcpConfig) -> dict[str, Any]:
    """The fields in which a configuration differs from its profile."""
    names = [f.name for f in dataclasses.fields(config) if f.init]
    return {n: getattr(config, n) for n in names if getattr(config, n) != getattr(base, n)}


def _of_fields(params: type[Any]) -> Iterator[Option]:
    hints = get_type_hints(params)
    for f in dataclasses.fields(params):
        if hints[f.name] is not TcpConfig:
            yield _option(f.name, f, hints[f.name], show(f.default))


def _option(name: str, f: "dataclasses.Field[Any]", hint: Any, default: str, *, policy: bool = False) -> Option:
    about = f.metadata
    return Option(
        name=name,
        fields=(name,),
        hint=hint,
        text=about.get("doc", about.get("text", "")),
        unit=about.get("unit", ""),
        source=about.get("source", ""),
        default=default,
        policy=policy,
        probability=about.get("allowed") == "probability",
    )


def _of_pairs(params: type[Any]) -> Iterator[Option]:
    """The shorthands for both directions."""
    single = {option.name: option for option in _of_fields(params)}
    for name, forward in single.items():
        stem = name.removesuffix("_forward")
        pair = (name, f"{stem}_reverse")
        if stem == name or pair[1] not in single or stem in single:
            continue
        both = forward.text.replace("client to server", "in each direction")
        yield dataclasses.replace(forward, name=stem, fields=pair, text=both)
        if stem == "delay" and "rtt" not in single:
            text = "round-trip time, split evenly over delay_forward and delay_reverse"
            yield Option(name="rtt", fields=pair, hint=float, text=text, unit="s", shares=2)


def _of_ends(params: type[Any]) -> Iterator[Option]:
    names = ends(params)
    default = {f.name: _default(f) for f in dataclasses.fields(params) if f.name in names}
    if names:
        whole = tuple(f"{end}.profile" for end in names)
        yield Option(name="profile", fields=whole, hint=Profile, text="TCP profile of all ends")
    for end in names:
        one = Option(
            name=f"{end}_profile",
            fields=(f"{end}.profile",),
            hint=Profile,
            text=f"TCP profile of the {end}",
            default=default[end].name,
        )
        yield one
        yield dataclasses.replace(one, name=f"{end}.profile", policy=True)
        for f, hint in policy_fields():
            yield _option(f"{end}.{f.name}", f, hint, show(getattr(default[end], f.name)), policy=True)


def _default(f: "dataclasses.Field[Any]") -> Any:
    return f.default if f.default_factory is dataclasses.MISSING else f.default_factory()


@cache
def policy_fields() -> list[tuple["dataclasses.Field[Any]", Any]]:
    """The fields of ``TcpConfig`` that a user may set, each with its type."""
    hints = get_type_hints(TcpConfig)
    return [(f, hints[f.name]) for f in dataclasses.fields(TcpConfig) if f.init and f.name != "name"]


def _fields_set(params: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> value; the shorthands resolved, the values read."""
    known = options(params)
    values: dict[str, Any] = {}
    by: dict[str, str] = {}
    for name, value in flat(params, given):
        option = known.get(name)
        if option is None and isinstance(value, TcpConfig):
            option = Option(name=name, fields=(f"{name}.profile",), hint=TcpConfig, text="")
        if option is None and name in ends(params):
            raise ValueError(f"{name} = {value!r}: {_END}")
        if option is None:
            raise ValueError(unknown_parameter(name, value, known))
        for field in option.fields:
            if field in by:
                raise ValueError(f"{name} = {value!r}: {by[field]} is given too; must be only one of these two")
            by[field] = name
            values[field] = _value(params, option, value)
    return values


def _value(params: type[Any], option: Option, value: Any) -> Any:
    """What this value gives each field of the option. ValueError if it cannot be read."""
    try:
        found = read(option.hint, value, name=option.name, unit=option.unit)
    except ValueError as error:
        raise ValueError(_range(params, option, value) or str(error)) from None
    if option.shares == 1:
        return found
    if not isinstance(found, int | float):
        raise ValueError(f"{option.name} = {value!r}: must be a number{' of seconds' if option.unit == 's' else ''}")
    return found / option.shares


def _range(params: type[Any], option: Option, value: Any) -> str:
    """What the class itself says of a value that is no number: it knows the allowed range."""
    if option.unit == "s" or not {int, float} & {option.hint, *get_args(option.hint)}:
        return ""
    field = option.fields[0]
    init: Any = params.__init__
    try:
        getattr(init, "__wrapped__", init)(object.__new__(params), **_with_configs(params, {field: value}))
    except (ValueError, TypeError) as error:
        line = str(error)
        return f"{option.name}{line.removeprefix(field)}" if line.startswith(f"{field} =") else ""
    return ""


def label(params: type[Any], name: str, value: Any) -> bool | int | float | str | None:
    """What a value of a parameter is called in a table: the number that a string stands for, or the string."""
    if isinstance(value, TcpConfig):
        changes = changed_fields(value, PROFILES[value.name]())
        return " ".join([value.name, *(f"{field}={plain(changed)}" for field, changed in changes.items())])
    option = options(params).get(name)
    if option is None:
        return str(value)
    found = read(option.hint, value, name=name, unit=option.unit)
    plain_value: bool | int | float | str | None = plain(found)
    return plain_value


def unknown_parameter(name: str, value: Any, known: Iterable[str]) -> str:
    """The message for a name that is no parameter, with a suggestion."""
    names = list(known)
    guess = did_you_mean(name, names) or did_you_mean(name.rpartition(".")[2], names)
    return f"{name} = {value!r}: unknown parameter; netsim list names them{guess}"


def _with_configs(params: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values with a ``TcpConfig`` for each end that has any of its fields set."""
    result = {name: value for name, value in values.items() if "." not in name}
    for f in dataclasses.fields(params):
        changes = {name.partition(".")[2]: v for name, v in values.items() if name.startswith(f"{f.name}.")}
        if not changes:
            continue
        whole = changes.pop("profile", None)  # a profile's name, or a configuration
        base = whole if isinstance(whole, TcpConfig) else PROFILES[whole]() if whole else _default(f)
        try:
            result[f.name] = base.replace(**changes)
        except ValueError as error:
            raise ValueError(f"{f.name}.{error}") from None
    return result
