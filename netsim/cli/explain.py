"""``netsim explain``: the limits that follow from a host's settings, and the settings that people misunderstand."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from netsim.cli.errors import UsageError, checked_input, pick
from netsim.hostcheck.limits import HostSettings, Limits, limits
from netsim.hostcheck.pitfalls import Pitfall, pitfalls
from netsim.scenarios.names import read_toml
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.profiles import PROFILES
from netsim.tcp.config.sysctl import FREEBSD, LINUX, configure
from netsim.units import did_you_mean

_FORM: Final = "must be NAME=VALUE, as in net.ipv4.tcp_max_syn_backlog=1024"
_PORTS: Final = "net.ipv4.ip_local_port_range"
# Settings that are not part of TcpConfig: the field of HostSettings, and the range.
_OF_HOST: Final[dict[str, tuple[str, int, int]]] = {
    "net.ipv4.tcp_tw_reuse": ("tw_reuse", 0, 2),
    "net.ipv4.tcp_tw_reuse_delay": ("tw_reuse_delay", 1, 60_000),  # ms
    "net.ipv4.tcp_max_tw_buckets": ("max_tw_buckets", 0, 1 << 31),
}
_REMOVED: Final = {
    "net.ipv4.tcp_tw_recycle": "removed in Linux 4.12; it refused clients behind one address with different clocks",
}
_LARGEST_BACKLOG: Final = 1 << 31


def explain(path: str | None, *, sysctl: Iterable[str], profile: str | None, backlog: str | None, as_json: bool) -> int:
    """Print the limits of a host and the pitfalls in its settings. UsageError for an unknown name or a bad value."""
    given = _read_file(path) if path is not None else {}
    if profile is not None:
        given["profile"] = profile
    if backlog is not None:
        given["backlog"] = backlog
    settings = dict(given.get("sysctl", {})) | dict(_assignments(sysctl))
    host = _host(given.get("profile", "linux"), given.get("backlog"), settings)
    found, warned = limits(host), pitfalls(host)
    print(_as_json(host, found, warned) if as_json else "\n".join(_as_text(host, found, warned)))
    return 0


def _read_file(path: str) -> dict[str, Any]:
    """A host's TOML file: ``profile``, ``backlog``, and a table ``sysctl`` whose names may be dotted or quoted."""
    with checked_input():
        table = read_toml("host", path)
    known = ("profile", "backlog", "sysctl")
    for name in table:
        if name not in known:
            raise UsageError(f"{path}: {name}: unknown; must be one of {', '.join(known)}{did_you_mean(name, known)}")
    sysctl = table.get("sysctl", {})
    if not isinstance(sysctl, dict):
        raise UsageError(f"{path}: sysctl = {sysctl!r}: must be a table, [sysctl]")
    return table | {"sysctl": dict(_flat(sysctl, ""))}


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Settings with their dotted names: TOML reads ``net.ipv4.tcp_syncookies = 0`` as three nested tables."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield _full_name(f"{prefix}{name}"), value


def _assignments(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(f"sysctl = {word!r}: {_FORM}")
        yield _full_name(name.strip()), value.strip()


def _full_name(name: str) -> str:
    """The full name of a setting that is given by it or by its last part. UsageError, with a suggestion, for others."""
    known = [*LINUX, *FREEBSD, *_OF_HOST, _PORTS]
    name = name.replace("/", ".")
    if name in known:
        return name
    for removed, why in _REMOVED.items():
        if name in (removed, removed.rpartition(".")[2]):
            raise UsageError(f"sysctl = {name!r}: {why}; must be left out")
    short = {full.rpartition(".")[2]: full for full in known}
    if name in short:
        return short[name]
    guess = did_you_mean(name, known) or did_you_mean(name.rpartition(".")[2], short)
    raise UsageError(
        f"sysctl = {name!r}: unknown setting; must be one of {len(set(known))} settings of Linux and FreeBSD{guess}"
    )


def _host(profile: Any, backlog: Any, settings: Mapping[str, Any]) -> HostSettings:
    if not isinstance(profile, str):
        raise UsageError(f"profile = {profile!r}: must be one of {', '.join(PROFILES)}")
    config = PROFILES[pick("profile", profile, PROFILES)]()
    own = {name: value for name, value in settings.items() if name not in _OF_HOST and name != _PORTS}
    try:
        config = configure(config, own)
        if _PORTS in settings:
            config = config.replace(ports=_port_range(settings[_PORTS]))
    except ValueError as error:
        raise UsageError(str(error)) from None
    extra: dict[str, Any] = {}
    for name, (field, low, high) in _OF_HOST.items():
        if name in settings:
            number = _integer(name, settings[name], low, high)
            extra[field] = number / 1000 if field == "tw_reuse_delay" else number
    asked = config.somaxconn if backlog is None else _integer("backlog", backlog, 0, _LARGEST_BACKLOG)
    return HostSettings(config=config, backlog=asked, given=settings, **extra)


def _integer(name: str, value: Any, low: int, high: int) -> int:
    text = str(value).strip()
    number = int(text) if text.isascii() and text.isdigit() and not isinstance(value, bool) else -1
    if not low <= number <= high:
        raise UsageError(f"{name} = {value!r}: must be an integer from {low} to {high}")
    return number


def _port_range(value: Any) -> Ports:
    words = str(value).split()
    if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"{_PORTS} = {value!r}: must be two ports, as in '32768 60999'")
    return Ports("hash", int(words[0]), int(words[1]))


def _as_json(host: HostSettings, found: Limits, warned: list[Pitfall]) -> str:
    numbers = {name: value if value != float("inf") else None for name, value in dataclasses.asdict(found).items()}
    result = {
        "profile": host.config.name,
        "backlog": host.backlog,
        "sysctl": dict(host.given),
        "limits": numbers,
        "pitfalls": [dataclasses.asdict(pitfall) for pitfall in warned],
    }
    return json.dumps(result, indent=2, allow_nan=False)


def _as_text(host: HostSettings, found: Limits, warned: list[Pitfall]) -> Iterator[str]:
    changed = ", ".join(f"{name} = {value}" for name, value in host.given.items()) or "every setting at its default"
    yield f"profile {host.config.name}, listen backlog {host.backlog}; {changed}"
    yield ""
    rows = list(_rows(found))
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    for what, value, why in rows:
        yield f"{what.ljust(widths[0])}  {value.rjust(widths[1])}  {why}".rstrip()
    if warned:
        yield ""
    for pitfall in warned:
        yield f"{pitfall.setting} {pitfall.explanation}."


def _rows(found: Limits) -> Iterator[tuple[str, str, str]]:
    yield "accept queue", str(found.accept_queue), f"connections that wait for accept(): {found.accept_queue_set_by}"
    if found.syn_queue is None:
        yield "SYN queue", "none", found.syn_queue_set_by
    else:
        yield (
            "SYN queue",
            str(found.syn_queue),
            f"SYN-RECEIVED: {found.syn_queue_set_by}; a further SYN: {found.when_full}",
        )
        yield "SYN-RECEIVED lifetime", f"{found.syn_received_lifetime:g} s", "of an entry whose SYN-ACKs nobody answers"
        if found.pruned_lifetime is not None:
            why = f"at least, while there are more than {found.pruning_above} entries"
            yield "  with pruning", f"{found.pruned_lifetime:g} s", why
        assert found.fill_rate is not None
        pruned = f"; {found.pruned_fill_rate:.3g}/s if all are pruned" if found.pruned_fill_rate is not None else ""
        yield "SYN rate that fills it", f"{found.fill_rate:.3g}/s", f"{found.syn_queue} entries per lifetime{pruned}"
    held = f"{found.ports} ports / {found.time_wait:g} s of TIME-WAIT"
    if found.reuse_delay is not None:
        held = f"{found.ports} ports / {found.reuse_delay:g} s (tcp_tw_reuse)"
    yield "connect rate", f"{found.connect_rate:.4g}/s", f"to one address and port, if this host closes first: {held}"
    if found.close_rate is not None:
        yield "close rate", f"{found.close_rate:.4g}/s", "above it connections skip TIME-WAIT (tcp_max_tw_buckets)"
    yield "connect timeout", f"{found.connect_timeout:g} s", "if nobody answers"
