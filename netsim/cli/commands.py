"""The commands, and the cyclopts application around them.

``run`` and ``trace`` have a sub-command for each scenario, whose options are made from its ``Params``.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from netsim.cli.errors import UsageError, pick
from netsim.scenarios import NAMES, scenario

if TYPE_CHECKING:
    from netsim.scenarios.names import Option

# Values are text until ``netsim.scenarios.values`` reads them; "--loss -1" is then a bad loss and no unknown option.
Text = Annotated[str | None, Parameter(allow_leading_hyphen=True, show_default=False, metavar="VALUE")]
Switch = Annotated[bool, Parameter(negative="", show_default=False)]

_POLICIES: Final = (
    "Every policy field of either end's TCP is an option too: --client.syn-retries 3, --server.rto-initial 200ms, "
    "--client.isn constant:0, --client.timestamps, --client.no-nagle; netsim list names them, with units and sources."
)


def application(argv: Sequence[str], *, version: str) -> App:
    """The application for this command line: it loads no more scenarios than that needs."""
    app = App(
        name="netsim",
        help="Simulates the TCP connection lifecycle: how connections open, move data and close over bad paths.",
        help_epilogue="netsim COMMAND --help tells more; netsim alone gives three commands to try.",
        help_format="plaintext",
        version=version,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    app.command(list_, name="list")
    for act in (run, trace):
        group = App(name=act.__name__, help=act.__doc__)
        app.command(group)
        if list(argv[:1]) == [act.__name__]:
            _add_scenarios(group, list(argv[1:2]), act)
    app.command(packetdrill, name="packetdrill")
    app.command(compare, name="compare")
    app.command(explain, name="explain")
    app.command(reproduce, name="reproduce")
    return app


def list_(name: Annotated[str | None, Parameter(show_default=False)] = None, /) -> int:
    """Scenarios, parameters with units, defaults and sources, profiles, experiments.

    Parameters
    ----------
    name
        only this scenario, profile or experiment
    """
    from netsim.cli.listing import listing

    print(listing(name))
    return 0


def run(
    name: str,
    given: Mapping[str, Any],
    *,
    replications: Annotated[Text, Parameter(help="runs (default 2000)")] = None,
    seed: Annotated[Text, Parameter(help="root of all randomness, an integer >= 0 (default 1)")] = None,
    workers: Annotated[Text, Parameter(help="processes (default: one per core); the results are the same")] = None,
    config: Annotated[Text, Parameter(help="TOML file with parameters; the command line wins over it")] = None,
    out: Annotated[Text, Parameter(help="CSV file for the rows, one per run")] = None,
    json: Annotated[Switch, Parameter(help="print one JSON object, not a table")] = False,
    against: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=True, negative="", show_default=False, metavar="NAME=VALUE",
            help="compare with the same runs but for these parameters: paired differences",
        ),
    ] = None,
) -> int:  # fmt: skip
    """Many runs of a scenario: estimates with 95 % intervals, exact theory beside them."""
    from netsim.cli.against import read_changes
    from netsim.cli.study import Study, study

    read = partial(Study.read, name, given, config=config, replications=replications, seed=seed, workers=workers)
    what, variant = read(), None
    if against is not None:
        variant = read(changes=read_changes(against))
        if variant.params == what.params:
            raise UsageError(f"against = {' '.join(against)}: changes nothing; must differ from the parameters given")
    return study(what, out=out, as_json=json, against=variant)


def trace(
    name: str,
    given: Mapping[str, Any],
    *,
    seed: Annotated[Text, Parameter(help="root of all randomness, an integer >= 0 (default 1)")] = None,
    replication: Annotated[Text, Parameter(help="which run of netsim run with that seed (default 0)")] = None,
    config: Annotated[Text, Parameter(help="TOML file with parameters; the command line wins over it")] = None,
    text: Annotated[Switch, Parameter(help="as a text ladder (the default)")] = True,
    unicode: Annotated[Switch, Parameter(help="smoother arrows")] = False,
    limit: Annotated[Text, Parameter(help="lines of each pair of hosts (default 400; 0: all lines, all pairs)")] = None,
    packetdrill: Annotated[Text, Parameter(help="file for a packetdrill script of what one end saw")] = None,
    end: Annotated[Text, Parameter(help="the end of --packetdrill: client (default) or server")] = None,
) -> int:
    """One run of a scenario as a ladder of segments, states and timers."""
    from netsim.cli.study import LINES, Study, natural, traced

    lines = natural("limit", limit)
    run = traced(Study.read(name, given, config=config, seed=seed), replication=replication)
    if packetdrill is not None:
        from netsim.cli.packetdrill import write

        write(run, end=end, path=packetdrill)
    elif end is not None:
        raise UsageError(f"end = {end!r}: the end of --packetdrill; must be given together with --packetdrill FILE")
    print(run.ladder(unicode=unicode, limit=LINES if lines is None else lines or None))
    return 0


def compare(
    folder: str,
    /,
    *,
    scenario: Text = None,
    profile: Text = None,
    json: Switch = False,
) -> int:
    """Compare recordings of a real kernel with simulations of the same scenarios, packet by packet.

    The exit status is 1 if a scenario differs.

    Parameters
    ----------
    folder
        folder with scenarios.json, and NAME.packets.csv and NAME.states.csv for each scenario
    scenario
        name of the only scenario to compare
    profile
        profile of the simulated hosts (default linux)
    json
        print one JSON object instead of lines
    """
    from netsim.cli.compare import check

    return check(folder, scenario=scenario, profile=profile or "linux", as_json=json)


def explain(
    host: Annotated[str | None, Parameter(show_default=False)] = None,
    /,
    *,
    sysctl: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, negative="", show_default=False, metavar="NAME=VALUE", help="settings"),
    ] = None,
    profile: Annotated[Text, Parameter(help="whose TCP (default linux)")] = None,
    backlog: Annotated[Text, Parameter(help="what the application hands to listen() (default: somaxconn)")] = None,
    json: Annotated[Switch, Parameter(help="print one JSON object")] = False,
) -> int:
    """What the settings of a host amount to: which limit binds, and which setting does not do what people think.

    Parameters
    ----------
    host
        TOML file with profile, backlog, and a table [sysctl]; the command line wins over it
    """
    from netsim.cli.explain import explain

    return explain(host, sysctl=sysctl or (), profile=profile, backlog=backlog, as_json=json)


def packetdrill(
    *paths: str,
    profile: Annotated[Text, Parameter(help="profile of the host: linux, freebsd, rfc9293 (default), rfc793")] = None,
    define: Annotated[
        tuple[str, ...],
        Parameter(
            name=("--define", "-D"),
            help="NAME or NAME=VALUE, for #ifdef and words in the script; may be repeated",
            negative="",
            show_default=False,
        ),
    ] = (),
    strict: Annotated[
        Switch, Parameter(help="a script also fails if the host has sent packets that it does not expect")
    ] = False,
    json: Annotated[Switch, Parameter(help="print one JSON object instead of lines and a table")] = False,
    workers: Annotated[
        Text, Parameter(help="number of processes (default: one per core); the results are the same")
    ] = None,
    trace: Annotated[Switch, Parameter(help="show all packets of each script")] = False,
) -> int:
    """Run packetdrill scripts against the simulated TCP, in virtual time. No command is executed, no packet is sent.

    The exit status is 1 if a script fails, 2 if a file is not a packetdrill script.

    Parameters
    ----------
    paths
        scripts, or folders with *.pkt files
    """
    from netsim.cli.packetdrill import check

    return check(paths, profile=profile, define=define, workers=workers, strict=strict, as_json=json, trace=trace)


def reproduce(
    *names: str,
    out: Annotated[Text, Parameter(help="folder for the results (default: results)")] = None,
    full: Annotated[Switch, Parameter(help="report grade: more runs, smaller intervals")] = False,
    workers: Annotated[Text, Parameter(help="processes (default: one per core); the results are the same")] = None,
    seed: Annotated[Text, Parameter(help="root of all randomness, an integer >= 0 (default 1)")] = None,
) -> int:
    """Run the experiments: figures and tables into a folder, replacing only their own.

    Parameters
    ----------
    names
        experiments (e01, e01_setup_latency); all, if none is named
    """
    from netsim.cli.figures import chosen, make

    return make(chosen(names), out=out, full=full, workers=workers, seed=seed)


def _add_scenarios(group: App, named: list[str], act: Callable[..., int]) -> None:
    """A sub-command for the scenario that is named, or for each, so that --help can tell of them."""
    if named in (["--help"], ["-h"], ["--version"]):
        chosen = {name: [name] for name in NAMES}
    elif not named or named[0].startswith("-"):
        verb = act.__name__
        raise UsageError(f"scenario: comes first, netsim {verb} SCENARIO; must be one of {', '.join(NAMES)}")
    else:
        name = pick("scenario", named[0], NAMES)
        chosen = {name: list(dict.fromkeys([name, named[0]]))}
    for name, spellings in chosen.items():
        group.command(_command(name, act), name=spellings, help_epilogue=_POLICIES)


def _command(name: str, act: Callable[..., int]) -> Callable[..., int]:
    """``act`` for one scenario, with a signature that cyclopts can read: its own settings, then the parameters."""
    from netsim.scenarios.names import options  # and with it all of link and tcp, which --help does without

    module = scenario(name)
    known = {option.name.replace(".", "__"): option for option in options(module.Params).values()}
    settings = list(inspect.signature(act).parameters.values())[2:]

    def command(**values: Any) -> int:
        own = {setting.name: values.pop(setting.name, setting.default) for setting in settings}
        given = {known[key].name: value for key, value in values.items() if value is not None}
        return act(name, given, **own)

    parameters = [*settings, *(_parameter(key, option) for key, option in known.items())]
    command.__doc__ = f"{module.QUESTION}"
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
