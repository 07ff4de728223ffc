"""The parameters of a scenario, from its ``Params`` alone: as options of the command line, as names in a file.

A field ``loss_forward`` is ``--loss-forward``. Two fields X_forward and X_reverse have the shorthand ``--X`` for both,
and two delays ``--rtt``, which is split evenly. A field of type ``TcpConfig`` (``client``) gives ``--client-profile``
and one option for each of its fields (``--client.syn-retries``); ``--profile`` sets all ends.
"""

import dataclasses
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, get_args, get_type_hints

from netsim.cli.errors import UsageError, did_you_mean
from netsim.cli.files import read_toml
from netsim.cli.values import plain, read, show
from netsim.scenarios.parameters import changed_fields
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import PROFILES
from netsim.tcp.config.sysctl import configure

Profile: Final[Any] = Literal[tuple(PROFILES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A name that the user may set, and the fields that it sets (``client.syn_retries`` is a field of ``client``)."""

    name: str
    fields: tuple[str, ...]
    hint: Any
    text: str
    unit: str = ""
    source: str = ""
    default: str = ""
    shares: int = 1
    policy: bool = False

    @property
    def flag(self) -> str:
        """As on the command line."""
        return f"--{self.name.replace('_', '-')}"


@cache
def options(params: type[Any]) -> dict[str, Option]:
    """Every name that the user may set for a scenario with these ``Params``."""
    found = [*_of_fields(params), *_of_pairs(params), *_of_ends(params)]
    return {option.name: option for option in found}


def ends(params: type[Any]) -> list[str]:
    """The names of the fields that hold a host's TCP."""
    return [name for name, hint in get_type_hints(params).items() if hint is TcpConfig]


def build(params: type[Any], *sources: Mapping[str, Any]) -> Any:
    """``Params`` from what the user gave, each source (name -> text or value) winning over the ones before it.

    UsageError for unknown names, bad values, and two names in one source for the same field.
    """
    values: dict[str, Any] = {}
    for given in sources:
        values |= _fields_set(params, given)
    try:
        return params(**_with_configs(params, values))
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(_as_written(str(error), params, sources)) from None


def _as_written(line: str, params: type[Any], sources: Iterable[Mapping[str, Any]]) -> str:
    """A line about a field, about the shorthand instead if the user wrote that: "loss", not "loss_forward"."""
    assert isinstance(params, Hashable)
    known = options(params)
    wrong = line.partition(" = ")[0]
    for name, value in (item for given in sources for item in given.items()):
        if wrong != name and wrong in known[name].fields:
            return f"{name} = {value}: {line.partition(': ')[2]}"
    return line


def read_file(path: str, params: type[Any]) -> dict[str, Any]:
    """The parameters in a TOML file, names as in Python; a table for each end (``[client]``).

    UsageError, which names the file, if it cannot be read, is malformed, or has unknown names or bad values.
    """
    table = read_toml("config", path)
    given: dict[str, Any] = {}
    for name, value in table.items():
        if name not in ends(params):
            given[name] = value
        elif isinstance(value, dict):
            given |= {f"{name}.{field}": inner for field, inner in _without_sysctls(path, name, value, table, params)}
        else:
            raise UsageError(f"{path}: {name} = {value!r}: must be a table, [{name}]")
    try:
        _fields_set(params, given)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return given


def _without_sysctls(
    path: str, end: str, value: Mapping[str, Any], table: Mapping[str, Any], params: type[Any]
) -> Iterator[tuple[str, Any]]:
    """The fields of an end's table; its ``sysctl`` (``[server.sysctl]``) becomes those that the settings change."""
    yield from ((field, inner) for field, inner in value.items() if field != "sysctl")
    if "sysctl" not in value:
        return
    names = (value.get("profile"), table.get(f"{end}_profile"), table.get("profile"))
    name = next((name for name in names if name in PROFILES), None)
    default = next(f for f in dataclasses.fields(params) if f.name == end)
    base = PROFILES[name]() if name is not None else _default(default)
    try:
        settings = dict(_flat(value["sysctl"]))
        changes = changed_fields(configure(base, settings), base)
    except ValueError as error:
        raise UsageError(f"{path}: {end}.sysctl: {error}") from None
    for field in changes:
        if field in value:
            raise UsageError(f"{path}: {end}.{field}: {end}.sysctl sets it too; must be only one of these two")
    yield from ((field, plain(inner)) for field, inner in changes.items())


def _flat(settings: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by their dotted names, whether TOML took these for tables or for quoted keys."""
    if not isinstance(settings, dict):
        raise ValueError(f"{settings!r}: must be a table of settings")
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def as_given(params: Any) -> dict[str, Any]:
    """Parameters for the record of a run, such that a file with them gives the same parameters again."""
    record: dict[str, Any] = {}
    for field in dataclasses.fields(params):
        value = getattr(params, field.name)
        if isinstance(value, TcpConfig):
            changes = changed_fields(value, PROFILES[value.name]())
            record[field.name] = {"profile": value.name} | {name: plain(v) for name, v in changes.items()}
        else:
            record[field.name] = plain(value)
    return record


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
        text=about.get("text", ""),
        unit=about.get("unit", ""),
        source=about.get("source", ""),
        default=default,
        policy=policy,
    )


def _of_pairs(params: type[Any]) -> Iterator[Option]:
    """The shorthands for both directions."""
    single = {option.name: option for option in _of_fields(params)}
    for name, forward in single.items():
        stem = name.removesuffix("_forward")
        pair = (name, f"{stem}_reverse")
        if stem == name or pair[1] not in single or stem in single:
            continue
        both = forward.text.replace("client to server", "both ways")
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
    """Field -> value; the shorthands resolved."""
    assert isinstance(params, Hashable)
    known = options(params)
    values: dict[str, Any] = {}
    by: dict[str, str] = {}
    for name, value in given.items():
        option = known.get(name)
        if option is None:
            raise UsageError(unknown_parameter(name, value, known))
        try:
            number = read(option.hint, value, name=name, unit=option.unit)
        except UsageError as error:
            raise UsageError(_range(params, option, value) or str(error)) from None
        for field in option.fields:
            if field in by:
                raise UsageError(f"{name} = {value!r}: {by[field]} is given too; must be only one of these two")
            by[field] = name
            values[field] = number / option.shares if option.shares > 1 else number
    return values


def _range(params: type[Any], option: Option, value: Any) -> str:
    """What the class itself says of a value that is no number: it knows the allowed range."""
    if option.unit == "s" or not {int, float} & {option.hint, *get_args(option.hint)}:
        return ""
    field = option.fields[0]
    try:
        params(**_with_configs(params, {field: value}))
    except (ValueError, TypeError) as error:
        line = str(error)
        return f"{option.name}{line.removeprefix(field)}" if line.startswith(f"{field} =") else ""
    return ""


def unknown_parameter(name: str, value: Any, known: Iterable[str]) -> str:
    """The line for a name that is none."""
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
        profile = changes.pop("profile", None)
        base = PROFILES[profile]() if profile else _default(f)
        try:
            result[f.name] = base.replace(**changes)
        except ValueError as error:
            raise UsageError(f"{f.name}.{error}") from None
    return result
