"""The settings of a host that a script can make, by sysctl and by socket options; comments name the others."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Final

from netsim.referees.packetdrill.platform import platform_of
from netsim.tcp.config.config import TcpConfig

_Write = Callable[[Any], str]


def _flag(value: Any) -> str:
    return str(int(value))


def _milliseconds(value: Any) -> str:
    return str(round(1000 * value))


def _whole(value: Any) -> str:
    return str(round(value))


# field of TcpConfig: the setting's name, and how its value is written
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
_FREEBSD: Final[dict[str, tuple[str, _Write]]] = {
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


def sysctl_commands(config: TcpConfig) -> list[str]:
    """The commands that set what differs from the profile, for the fields that have a sysctl."""
    platform, changed = platform_of(config.name), _changed(config)
    table = _LINUX if platform.system == "linux" else _FREEBSD
    settings = [f"{table[name][0]}={table[name][1](changed[name])}" for name in changed if name in table]
    if platform.system == "linux" and changed.keys() & {"receive_buffer", "window_scale"}:
        settings.append(_rmem(config))
    return [f"sysctl -w {setting}" for setting in settings]


def socket_options(config: TcpConfig) -> Iterator[tuple[str, str, str]]:
    """The socket options that a script sets, as (level, name, value)."""
    changed = _changed(config)
    for name, (level, option, write) in _OPTIONS.items():
        if name in changed:
            yield level, option, write(changed[name])
    if platform_of(config.name).system != "linux" and "receive_buffer" in changed:
        yield "SOL_SOCKET", "SO_RCVBUF", str(config.receive_buffer)


def remarks(config: TcpConfig) -> list[str]:
    """Comments on the other differences from the profile, for which there is no setting."""
    platform = platform_of(config.name)
    settable = {"mss", "receive_buffer", *_OPTIONS, *(_LINUX if platform.system == "linux" else _FREEBSD)}
    settable |= {"window_scale"} if platform.system == "linux" else set()
    rest = [f"{name} = {value!r}" for name, value in _changed(config).items() if name not in settable]
    return [f"The host differs from the profile {config.name}: {'; '.join(rest)}."] if rest else []


def _changed(config: TcpConfig) -> dict[str, Any]:
    """The fields that differ from the platform on which scripts of this profile run."""
    own = platform_of(config.name).config
    names = [field.name for field in dataclasses.fields(config) if field.compare]
    return {name: getattr(config, name) for name in names if getattr(config, name) != getattr(own, name)}


def _rmem(config: TcpConfig) -> str:
    """tcp_rmem: the window is half of the second number; the window scale is the smallest that reaches the third."""
    half = config.receive_buffer if config.receive_buffer < _LARGEST_WINDOW else 3 * _LARGEST_WINDOW
    return f'{_RMEM}="4096 {2 * half} {_LARGEST_WINDOW << (config.window_scale or 0)}"'
