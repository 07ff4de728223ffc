"""Options: their types, and those that ``netsim run SCENARIO`` and ``netsim trace SCENARIO`` make of the parameters."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from netsim.cli.errors import UsageError, checked_input, pick
from netsim.scenarios import NAMES, default_replications, scenario

if TYPE_CHECKING:
    from netsim.scenarios.names import Option

# Values are strings until netsim.scenarios.values reads them: "--loss -1" is then a bad loss and no unknown option.
String = Annotated[str | None, Parameter(allow_leading_hyphen=True, show_default=False, metavar="VALUE")]
Switch = Annotated[bool, Parameter(negative="", show_default=False)]
_Act = Callable[..., int]

_POLICIES: Final = (
    "Each field of the TCP configuration of either end is an option too: --client.syn-retries 3, "
    "--server.rto-initial 200ms, --client.isn constant:0, --client.timestamps, --client.no-nagle. "
    "netsim list tcp shows them all with their units and sources."
)


def add_scenarios(group: App, named: list[str], act: _Act) -> None:
    """A sub-command for the scenario that is named (or the function, FILE.py:FUNCTION), or for each, for --help."""
    if named in (["--help"], ["-h"], ["--version"]):
        chosen = {name: [name] for name in NAMES}
    elif not named or named[0].startswith("-"):
        verb = act.__name__
        raise UsageError(f"scenario: comes first, netsim {verb} SCENARIO; must be one of {', '.join(NAMES)}")
    elif is_function(named[0]):
        group.command(_of_function(named[0], act), name=named[0])
        return
    else:
        name = pick("scenario", named[0], NAMES)
        chosen = {name: list(dict.fromkeys([name, named[0]]))}
    for name, spellings in chosen.items():
        group.command(_of_scenario(name, act), name=spellings, help_epilogue=_POLICIES)


def is_function(name: str) -> bool:
    """Whether a scenario's name means a function of the user: ``FILE.py:FUNCTION``."""
    return name.rpartition(":")[0].endswith(".py")


def without_dots(words: list[str]) -> list[str]:
    """The command line of a function of the user, as cyclopts takes it: ``--server__cores`` for ``--server.cores``."""
    if len(words) < 2 or not is_function(words[1]):
        return words
    rest = []
    for word in words[2:]:
        name, equals, value = word.partition("=")
        rest.append(f"{name.replace('.', '__')}{equals}{value}" if word.startswith("--") else word)
    return [*words[:2], *rest]


def _of_scenario(name: str, act: _Act) -> Callable[..., int]:
    """``act`` for one scenario, with a signature that cyclopts can read: its own options, then the parameters."""
    from netsim.scenarios.names import options  # and with it all of link and tcp, which --help does without

    module = scenario(name)
    known = {option.name.replace(".", "__"): option for option in options(module.Params).values()}
    settings = _settings(act, default_replications(module))

    def command(**values: Any) -> int:
        own = {setting.name: values.pop(setting.name, setting.default) for setting in settings}
        given = {known[key].name: value for key, value in values.items() if value is not None}
        return act(name, given, **own)

    return _with_signature(command, module.QUESTION, [*settings, *(_parameter(k, o) for k, o in known.items())])


def _of_function(name: str, act: _Act) -> Callable[..., int]:
    """``act`` for a function of the user: every other option is a parameter of it."""
    from netsim.study.subject import subject

    with checked_input():
        what = subject(name)
    settings = _settings(act, what.replications)

    def command(**values: Any) -> int:
        own = {setting.name: values.pop(setting.name, setting.default) for setting in settings}
        return act(name, {key.replace("__", ".").replace("-", "_"): v for key, v in values.items()}, **own)

    about = Parameter(help="a parameter of the function: --NAME VALUE", allow_leading_hyphen=True)
    rest = inspect.Parameter("parameters", inspect.Parameter.VAR_KEYWORD, annotation=Annotated[str, about])
    return _with_signature(command, what.question, [*settings, rest])


def _settings(act: _Act, replications: int) -> list[inspect.Parameter]:
    """The options of the command itself; the number of runs with the scenario's own default."""
    found = list(inspect.signature(act).parameters.values())[2:]
    count = Annotated[String, Parameter(help=f"number of runs (default {replications})")]
    return [one.replace(annotation=count) if one.name == "replications" else one for one in found]


def _with_signature(command: Callable[..., int], help: str, parameters: list[inspect.Parameter]) -> Callable[..., int]:
    command.__doc__ = help
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return command


def _parameter(key: str, option: "Option") -> inspect.Parameter:
    from netsim.scenarios.values import with_unit

    end, dot, field = option.flag.removeprefix("--").rpartition(".")
    default = f" (default {with_unit(option.default, option.unit)})" if option.default else ""
    plain = {bool: None, int: "INTEGER", float: "TIME" if option.unit == "s" else "NUMBER"}
    about = Parameter(
        name=option.flag,
        metavar=plain.get(option.hint, "VALUE"),
        help=f"{option.text}{default}",
        show=not option.policy,
        negative=f"--{end}{dot}no-{field}" if option.hint is bool else "",
        show_default=False,
        allow_leading_hyphen=True,
    )
    kind: Any = bool if option.hint is bool else str
    annotation = Annotated[kind | None, about]
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
