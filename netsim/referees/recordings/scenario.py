"""The scenarios of a folder of recordings: hosts, application steps and link rules, read from ``scenarios.json``."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from netsim.link.script import Fault

CLIENT_PORT: Final = 40000
SERVER_PORT: Final = 8080
CLIENT, SERVER = "c", "s"
ENDS: Final = (CLIENT, SERVER)

Argument: TypeAlias = "int | float | Rule | tuple[Step, ...]"


class RecordingError(ValueError):
    """A file of a recording is missing or malformed; the message names the file, the field, its value and the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A scripted fault of the link for the packets that the end ``sender`` sends."""

    sender: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an application: its kind, such as connect, and its arguments."""

    kind: str
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One host: ``sysctl`` are the settings that differ from the defaults, ``listen`` is a backlog or None."""

    sysctl: Mapping[str, int]
    steps: tuple[Step, ...]
    listen: int | None = None
    listener_closed_after_accept: bool = False

    def walk(self) -> Iterator[Step]:
        """Every step, including those inside ``accept_each``."""
        return _walk(self.steps)

    def does(self, *kinds: str) -> bool:
        """Whether there is a step of one of these kinds."""
        return any(step.kind in kinds for step in self.walk())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One recorded run. ``duration`` (s) is the length of the recording from the client's connect call."""

    name: str
    duration: float
    one_way_delay: float
    client: End
    server: End
    rules: tuple[Rule, ...]

    def end(self, name: str) -> End:
        """The host of the end ``CLIENT`` or ``SERVER``."""
        return self.client if name == CLIENT else self.server


# The kinds of steps, and what their arguments are.
_STEPS: Final[dict[str, tuple[str, ...]]] = {
    "accept": (),
    "accept_each": ("steps",),
    "abort": (),
    "at": ("seconds",),
    "barrier": (),
    "bind": ("port",),
    "clock": ("seconds",),
    "close": (),
    "connect": (),
    "connect_nowait": (),
    "keepalive": ("seconds", "seconds", "count"),
    "kill_at": ("seconds",),
    "recv": ("bytes",),
    "recv_all": (),
    "rule": ("rule",),
    "send": ("bytes",),
    "serve": ("answer",),
    "shutdown_wr": (),
    "sleep": ("seconds",),
    "socket": (),
}
ACCEPTED_STEPS: Final = tuple(_STEPS)
_WHOLE: Final = {
    "bytes": (1, 1 << 30),
    "answer": (0, 1 << 30),
    "port": (1, 65535),
    "count": (1, 255),
    "listen": (0, 1 << 31),
    "setting": (0, 1 << 31),
}
_DAY: Final = 86_400.0
_DIRECTIONS: Final = {"c2s": CLIENT, "s2c": SERVER}


def _walk(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        for argument in step.arguments:
            if isinstance(argument, tuple):
                yield from _walk(argument)


def read_scenarios(folder: Path) -> list[Scenario]:
    """The scenarios of ``folder``. RecordingError if the file is missing or malformed."""
    path = folder / "scenarios.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise RecordingError(f"{path}: not JSON: {error}") from None
    if not isinstance(found, list):
        raise RecordingError(f"{path}: must be a list of scenarios")
    if not found:
        raise RecordingError(f"{path}: contains no scenario")
    scenarios = [_scenario(f"{path}, scenario {number}", table) for number, table in enumerate(found, 1)]
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise RecordingError(f"{path}: name = {name!r}: there are two scenarios of this name")
    return scenarios


def _scenario(where: str, table: Any) -> Scenario:
    table = _table(where, table, {"name", "duration", "one_way_delay", "client", "server", "link"})
    name = table.get("name")
    if not isinstance(name, str) or not name or "/" in name or "\\" in name:
        raise RecordingError(f"{where}: name = {name!r}: must be a file name")
    where = f"{where} ({name})"
    rules = table.get("link", [])
    if not isinstance(rules, list):
        raise RecordingError(f"{where}: link = {rules!r}: must be a list of rules")
    return Scenario(
        name=name,
        duration=_seconds(f"{where}: duration", table.get("duration")),
        one_way_delay=_seconds(f"{where}: one_way_delay", table.get("one_way_delay", 0.05)),
        client=_end(f"{where}: client", table.get("client")),
        server=_end(f"{where}: server", table.get("server")),
        rules=tuple(_rule(f"{where}: link, rule {number}", rule) for number, rule in enumerate(rules, 1)),
    )


def _end(where: str, table: Any) -> End:
    table = _table(where, table, {"sysctl", "steps", "listen", "listener_closed_after_accept"})
    sysctl = _table(f"{where}.sysctl", table.get("sysctl", {}), None)
    for name, value in sysctl.items():
        _whole(f"{where}.sysctl: {name}", value, "setting")
    listen = table.get("listen")
    if listen is not None:
        _whole(f"{where}: listen", listen, "listen")
    closed = table.get("listener_closed_after_accept", False)
    if not isinstance(closed, bool):
        raise RecordingError(f"{where}: listener_closed_after_accept = {closed!r}: must be true or false")
    end = End(
        sysctl=dict(sysctl),
        steps=_steps(f"{where}.steps", table.get("steps", [])),
        listen=listen,
        listener_closed_after_accept=closed,
    )
    if listen is None and end.does("accept", "accept_each"):
        raise RecordingError(f"{where}: listen = None: must be a backlog where a step accepts")
    return end


def _steps(where: str, steps: Any) -> tuple[Step, ...]:
    if not isinstance(steps, list):
        raise RecordingError(f"{where} = {steps!r}: must be a list of steps")
    return tuple(_step(f"{where}, step {number}", step) for number, step in enumerate(steps, 1))


def _step(where: str, step: Any) -> Step:
    if not isinstance(step, list) or not step or step[0] not in _STEPS:
        raise RecordingError(f"{where}: {step!r}: must be a list that starts with one of {', '.join(_STEPS)}")
    kind, *given = step
    wanted = _STEPS[kind]
    if len(given) != len(wanted):
        raise RecordingError(f"{where}: {step!r}: {kind} takes {len(wanted)} arguments ({', '.join(wanted)})")
    where = f"{where} ({kind})"
    return Step(kind, tuple(_argument(where, what, value) for what, value in zip(wanted, given, strict=True)))


def _argument(where: str, what: str, value: Any) -> Argument:
    if what == "steps":
        return _steps(where, value)
    if what == "rule":
        return _rule(where, value)
    return _seconds(where, value) if what == "seconds" else _whole(where, value, what)


def _rule(where: str, rule: Any) -> Rule:
    rule = _table(where, rule, {"dir", "match", "nth", "do", "seconds"})
    sender = _DIRECTIONS.get(str(rule.get("dir")))
    if sender is None:
        raise RecordingError(f"{where}: dir = {rule.get('dir')!r}: must be one of {', '.join(_DIRECTIONS)}")
    seconds = _seconds(f"{where}: seconds", rule.get("seconds", 0.0))
    try:
        fault = Fault(kind=rule.get("match"), nth=str(rule.get("nth", "1")), action=rule.get("do"), seconds=seconds)
    except ValueError as error:
        message = str(error).replace("kind =", "match =").replace("action =", "do =")
        raise RecordingError(f"{where}: {message}") from None
    return Rule(sender, fault)


def _table(where: str, table: Any, known: set[str] | None) -> Mapping[str, Any]:
    """A JSON object. A field that is not ``known`` must be a string: a note for the reader."""
    if not isinstance(table, dict):
        raise RecordingError(f"{where}: {table!r}: must be an object")
    for name, value in table.items():
        if known is not None and name not in known and not isinstance(value, str):
            raise RecordingError(f"{where}: {name}: no such field; fields are {', '.join(sorted(known))}")
    return table


def _seconds(where: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 <= value <= _DAY:
        raise RecordingError(f"{where} = {value!r}: must be a number of seconds from 0 to {_DAY:g}")
    return float(value)


def _whole(where: str, value: Any, what: str) -> int:
    low, high = _WHOLE[what]
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RecordingError(f"{where} = {value!r}: must be an integer from {low} to {high}")
    return value
