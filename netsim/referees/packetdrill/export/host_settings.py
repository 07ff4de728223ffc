"""What of a host's configuration a script can ask for: by sysctl, by socket options. The rest is told in comments."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Final

from netsim.referees.packetdrill.platform import host
from netsim.tcp.config.config import TcpConfig

_Write = Callable[[Any], str]


def _flag(value: Any) -> str:
    return str(int(value))


def _milliseconds(value: Any) -> str:
    return str(round(1000 * value))


def _whole(value: Any) -> str:
    return str(round(value))


# field -> the setting's name, and its value there
_LINUX: Final[dict[str, tuple[str, _Write]]] = {
    "timestamps": ("net.ipv4.tcp_timestamps", _flag),
    "sack": ("net.ipv4.tcp_sack", _flag),
    "syn_retries": ("net.ipv4.tcp_syn_retries", str),
    "synack_retries": ("net.ipv4.tcp_synack_retries", str),
    "retries1": ("net.ipv4.tcp_retries1", str),
    "retries2": ("net.ipv4.tcp_retries2", str),
    "abort_on_overflow": ("net.ipv4.tcp_abort_on_overflow", _flag),
    "fin_wait_2_timeout": ("net.ipv4.tcp_fin_timeout", _whole),
    "rto_max": ("net.ipv4.tcp_rto_max_ms", _milliseconds),
}
_BSD: Final[dict[str, tuple[str, _Write]]] = {
    "sack": ("net.inet.tcp.sack.enable", _flag),
    "connect_timeout": ("net.inet.tcp.keepinit", _milliseconds),
    "delayed_ack": ("net.inet.tcp.delacktime", _milliseconds),
    "mss_default": ("net.inet.tcp.mssdflt", str),
    "time_wait": ("net.inet.tcp.msl", lambda value: str(round(500 * value))),
}
_OPTIONS: Final[dict[str, tuple[str, str, _Write]]] = {
    "send_buffer": ("SOL_SOCKET", "SO_SNDBUF", str),
    "keepalive": ("SOL_SOCKET", "SO_KEEPALIVE", _flag),
    "nagle": ("IPPROTO_TCP", "TCP_NODELAY", lambda value: _flag(not value)),
    "keepalive_idle": ("IPPROTO_TCP", "TCP_KEEPIDLE", _whole),
    "keepalive_interval": ("IPPROTO_TCP", "TCP_KEEPINTVL", _whole),
    "keepalive_probes": ("IPPROTO_TCP", "TCP_KEEPCNT", str),
    "user_timeout": ("IPPROTO_TCP", "TCP_USER_TIMEOUT", lambda value: _milliseconds(value or 0)),
}
_RMEM: Final = "net.ipv4.tcp_rmem"
_LARGEST_WINDOW: Final = 65535


def commands(config: TcpConfig) -> list[str]:
    """The commands that give a host of this profile these values, where there are such."""
    machine, changed = host(config.name), _changed(config)
    table = _LINUX if machine.tools == "linux" else _BSD
    settings = [f"{table[name][0]}={table[name][1](changed[name])}" for name in changed if name in table]
    if machine.tools == "linux" and changed.keys() & {"receive_buffer", "window_scale"}:
        settings.append(_rmem(config))
    return [f"sysctl -w {setting}" for setting in settings]


def options(config: TcpConfig) -> Iterator[tuple[str, str, str]]:
    """The socket options, as (level, name, value)."""
    changed = _changed(config)
    for name, (level, option, write) in _OPTIONS.items():
        if name in changed:
            yield level, option, write(changed[name])
    if host(config.name).tools != "linux" and "receive_buffer" in changed:
        yield "SOL_SOCKET", "SO_RCVBUF", str(config.receive_buffer)


def remarks(config: TcpConfig) -> list[str]:
    """What else differs from the profile, for comments: a host cannot be asked for it."""
    machine = host(config.name)
    said = {"mss", "receive_buffer", *_OPTIONS, *(_LINUX if machine.tools == "linux" else _BSD)}
    said |= {"window_scale"} if machine.tools == "linux" else set()
    rest = [f"{name} = {value!r}" for name, value in _changed(config).items() if name not in said]
    return [f"The host differs from the profile {config.name}: {'; '.join(rest)}."] if rest else []


def _changed(config: TcpConfig) -> dict[str, Any]:
    """The fields in which it differs from the machine that scripts of its profile run on."""
    own = host(config.name).config
    names = [field.name for field in dataclasses.fields(config) if field.compare]
    return {name: getattr(config, name) for name in names if getattr(config, name) != getattr(own, name)}


def _rmem(config: TcpConfig) -> str:
    """The window is half of the second number, in whole segments; the shift the least that reaches the third."""
    half = config.receive_buffer if config.receive_buffer < _LARGEST_WINDOW else 3 * _LARGEST_WINDOW
    return f'{_RMEM}="4096 {2 * half} {_LARGEST_WINDOW << (config.window_scale or 0)}"'
