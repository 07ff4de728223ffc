"""The commands, and the cyclopts application around them.

``run`` and ``trace`` have a sub-command for each scenario, whose options are made from its ``Params`` (options.py).
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from cyclopts import App, Parameter

from netsim.cli.errors import UsageError
from netsim.cli.options import String, Switch, add_scenarios

_SEED = Parameter(help="root seed of all random numbers, an integer >= 0 (default 1)")
_WORKERS = Parameter(help="number of processes (default: one per core); the results do not depend on it")
_CONFIG = Parameter(help="TOML file with parameters; options of the command line override it")


def application(argv: Sequence[str], *, version: str) -> App:
    """The application for this command line; only the scenarios that it needs are loaded."""
    app = App(
        name="netsim",
        help="Simulates the TCP connection lifecycle: how connections open, transfer data and close over lossy paths.",
        help_epilogue="netsim COMMAND --help explains a command. netsim without a command shows three examples.",
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
            add_scenarios(group, list(argv[1:2]), act)
    app.command(packetdrill, name="packetdrill")
    app.command(compare, name="compare")
    app.command(explain, name="explain")
    app.command(reproduce, name="reproduce")
    return app


def list_(name: Annotated[str | None, Parameter(show_default=False)] = None, /) -> int:
    """What there is: scenarios, profiles and experiments; or all about one of them.

    Parameters
    ----------
    name
        a scenario (its parameters with units, defaults and sources, its estimates and its theory), a profile, an
        experiment, or tcp (the fields of the TCP configuration of either end)
    """
    from netsim.cli.listing import listing

    print(listing(name))
    return 0


def run(
    name: str,
    given: Mapping[str, Any],
    *,
    replications: Annotated[String, Parameter(help="number of runs")] = None,
    seed: Annotated[String, _SEED] = None,
    workers: Annotated[String, _WORKERS] = None,
    config: Annotated[String, _CONFIG] = None,
    out: Annotated[String, Parameter(help="CSV file for the results of the single runs")] = None,
    json: Annotated[Switch, Parameter(help="print one JSON object instead of a table")] = False,
    against: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=True, negative="", show_default=False, metavar="NAME=VALUE",
            help="compare with the same runs with these parameters changed: paired differences",
        ),
    ] = None,
) -> int:  # fmt: skip
    """Run a scenario many times: estimates with 95 % intervals, and exact values where theory has them.

    SCENARIO is one of netsim list, or a function of your own: FILE.py:FUNCTION, run(params, seed) -> dict.
    """
    from netsim.cli.against import read_changes
    from netsim.cli.request import Request
    from netsim.cli.run import run

    read = partial(Request.read, name, given, config=config, replications=replications, seed=seed, workers=workers)
    what, variant = read(), None
    if against is not None:
        variant = read(changes=read_changes(against))
        if variant.params == what.params:
            raise UsageError(f"against = {' '.join(against)}: changes nothing; must differ from the parameters given")
    return run(what, out=out, as_json=json, against=variant)


def trace(
    name: str,
    given: Mapping[str, Any],
    *,
    seed: Annotated[String, _SEED] = None,
    replication: Annotated[String, Parameter(help="number of the run, as in netsim run (default 0)")] = None,
    config: Annotated[String, _CONFIG] = None,
    text: Annotated[Switch, Parameter(help="print the ladder as plain characters (the default)")] = True,
    unicode: Annotated[Switch, Parameter(help="draw arrows with Unicode characters")] = False,
    limit: Annotated[String, Parameter(help="lines per pair of hosts (default 400; 0: all lines, all pairs)")] = None,
    packetdrill: Annotated[String, Parameter(help="file for a packetdrill script of what one end saw")] = None,
    end: Annotated[String, Parameter(help="the end of --packetdrill: client (default) or server")] = None,
) -> int:
    """Show one run of a scenario as a ladder diagram: segments, states and timers."""
    from netsim.cli.input import natural
    from netsim.cli.request import Request
    from netsim.cli.trace import LINES, traced

    lines = natural("limit", limit)
    one = traced(Request.read(name, given, config=config, seed=seed), replication=replication)
    if packetdrill is not None:
        from netsim.cli.packetdrill import write

        write(one, end=end, path=packetdrill)
    elif end is not None:
        raise UsageError(f"end = {end!r}: the end of --packetdrill; must be given together with --packetdrill FILE")
    print(one.ladder(unicode=unicode, limit=LINES if lines is None else lines or None))
    return 0


def compare(
    folder: str,
    /,
    *,
    scenario: String = None,
    profile: String = None,
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
    profile: Annotated[String, Parameter(help="whose TCP (default linux)")] = None,
    backlog: Annotated[String, Parameter(help="what the application hands to listen() (default: somaxconn)")] = None,
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
    profile: Annotated[String, Parameter(help="profile of the host: linux, freebsd, rfc9293 (default), rfc793")] = None,
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
    workers: Annotated[String, _WORKERS] = None,
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
    out: Annotated[String, Parameter(help="folder for the results (default: results)")] = None,
    full: Annotated[Switch, Parameter(help="more runs and smaller intervals, for a report")] = False,
    workers: Annotated[String, _WORKERS] = None,
    seed: Annotated[String, _SEED] = None,
) -> int:
    """Run the experiments and write their figures and tables into a folder; only their own files are replaced.

    Parameters
    ----------
    names
        names of experiments (e01, e01_setup_latency); without names, all
    """
    from netsim.cli.reproduce import chosen, make

    return make(chosen(names), out=out, full=full, workers=workers, seed=seed)
