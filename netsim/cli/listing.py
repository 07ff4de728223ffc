"""``netsim list``: what there is, and all about one scenario, profile or experiment, or the TCP configuration."""

from collections.abc import Iterable, Iterator
from inspect import getdoc
from typing import Any, Final

from netsim.cli.errors import pick
from netsim.experiments import aliases, experiments
from netsim.scenarios import NAMES, scenario
from netsim.scenarios.definitions import definition
from netsim.scenarios.names import Option, options, policy_fields
from netsim.scenarios.values import forms, show, with_unit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import PROFILES, TITLES, sources

TCP: Final = "tcp"
_TCP_HEAD: Final = "TCP configuration of either end, for example --client.syn-retries 3 (default: RFC 9293; [source])"
_TCP_HINT: Final = "  netsim list tcp: TCP configuration of either end (--client.syn-retries 3, --server.isn random)"
_VALUES: Final = """Values: durations 0.05 (s) or 50ms; probabilities 0.01 or 1%; delays also as distributions,
uniform:20ms:80ms, 20ms+exponential:30ms or empirical:FILE; back-off 1s or
initial=1s,factor=2,linear=4,slop=200ms,multipliers=1/1/2; isn constant:0, clock:250000, rfc6528:250000, random or
counter:125000:64000 (increments from memory: unverified); ports sequential, random or hash:32768:60999; rates 10/5s;
no value: none. The same names and values hold in Python and in TOML files."""


def listing(name: str | None) -> str:
    """An overview, or all about one scenario, profile or experiment, or ``tcp``. UsageError for any other name."""
    if name is None:
        return "\n".join(_overview())
    if name == TCP:
        return "\n".join([*_policies(), "", _VALUES])
    if name not in NAMES:  # reincarnation is a scenario and, in short, an experiment
        name = aliases().get(name) or pick("name", name, [*NAMES, *PROFILES, TCP, *experiments()])
    if name in NAMES:
        return "\n".join([*_scenario(name), "", _TCP_HINT, "", _VALUES])
    if name in PROFILES:
        return "\n".join(_profile(name))
    return "\n".join(_experiments([name]))


def _overview() -> Iterator[str]:
    yield "Scenarios (netsim run NAME; netsim list NAME: parameters, estimates, theory)"
    yield from _table([[name, scenario(name).QUESTION] for name in NAMES])
    yield ""
    yield "TCP configuration of either end (netsim list tcp), and profiles (netsim list NAME: values and their sources)"
    yield from _table([[name, TITLES[name]] for name in PROFILES])
    yield ""
    yield from _experiments(experiments())


def _scenario(name: str) -> Iterator[str]:
    module = scenario(name)
    yield f"Scenario {name}: {module.QUESTION}"
    own = [option for option in options(module.Params).values() if not option.policy]
    yield from _table([_row(option) for option in own])
    yield "  estimates:"
    meanings = [[estimate, definition(how, module.COLUMNS)] for estimate, how in module.ESTIMATES.items()]
    yield from _table(meanings, indent=4)
    yield "  theory:"
    yield from (f"    {line}" for line in (getdoc(module.theory) or "").replace("``", "").splitlines() if line)


def _row(option: Option) -> list[str]:
    default = with_unit(option.default, option.unit) or "-"
    return [option.flag, default, f"{_choice(option.text, option.hint)} [{option.source or 'study parameter'}]"]


def _choice(text: str, hint: Any) -> str:
    choices = forms(hint)
    return f"{text} ({choices})" if choices and choices.split(", ")[0] not in text else text


def _policies() -> Iterator[str]:
    yield _TCP_HEAD
    base = PROFILES["rfc9293"]()
    rows = []
    for f, hint in policy_fields():
        value, about = show(getattr(base, f.name)), f.metadata
        source = f" [{about['source']}]" if about["source"] else ""
        rows.append([f.name.replace("_", "-"), with_unit(value, about["unit"]), _choice(about["doc"], hint) + source])
    yield from _table(rows)


def _profile(name: str) -> Iterator[str]:
    about = " ".join((PROFILES[name].__doc__ or "").replace("``", "").split())
    yield f"Profile {name}: {about}"
    config, base = PROFILES[name](), TcpConfig()
    units = {f.name: f.metadata["unit"] for f, _ in policy_fields()}
    rows = []
    for field, source in sources(name).items():
        value = getattr(config, field)
        same = "" if value != getattr(base, field) else " (as rfc9293)"
        rows.append([field.replace("_", "-"), with_unit(show(value), units[field]) + same, f"[{source}]"])
    yield from _table(rows) if rows else ["  the default of every field: netsim list tcp"]


def _experiments(names: Iterable[str]) -> Iterator[str]:
    known = experiments()
    yield "Experiments (netsim reproduce NAME)"
    yield from _table([[name, known[name].title] for name in names]) if names else ["  none here"]


def _table(rows: list[list[str]], *, indent: int = 2) -> Iterator[str]:
    """Columns side by side; the last one is as long as it is."""
    widths = [min(max(len(row[i]) for row in rows), 34) for i in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield " " * indent + "  ".join([*cells, row[-1]]).rstrip()
