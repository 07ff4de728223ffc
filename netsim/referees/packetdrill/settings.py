"""The lines ``--name=value`` at the head of a script."""

from dataclasses import dataclass

from netsim.referees.packetdrill.language.script import Script, Setting
from netsim.referees.packetdrill.verdict import Unsupported

_ADDRESSES = {
    "ipv4": ("192.168.0.1", "192.0.2.1", 40),
    "ipv4-mapped-ipv6": ("192.168.0.1", "192.0.2.1", 40),
    "ipv6": ("fd3d:0a0b:17d6::1", "fd3d:fa7b:d17d::1", 60),
}  # our address, the peer's, bytes of the IP and TCP headers
_IGNORED = {
    "verbose",
    "gateway_ip",
    "netmask_ip",
    "local_linux_virtual_ip",
    "tcp_ts_ecr_scaled",
    "non_fatal",
    "dry_run",
}
_IGNORED |= {"define", "wire_protocol", "send_omit_free", "strict_segments"}
_NUMBERS = {
    "tolerance_usecs": (0, 10**9),
    "mtu": (61, 65535),
    "bind_port": (1, 65535),
    "connect_port": (1, 65535),
    "tcp_ts_tick_usecs": (0, 1_000_000),
    "tolerance_percent": (0, 100),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a script, with packetdrill's defaults. ``mss`` is None if it is the profile's.

    An event may be wrong by ``tolerance`` (ns), or by ``share`` of its distance in time from the event before it (None:
    the platform's share). ``tick`` is the length of a time stamp's tick (ns), 0 if time stamps are not checked.
    ``strict_segments``: consecutive segments are not joined to match an expected one.
    """

    local: str
    remote: str
    mss: int | None
    tolerance: int
    tick: int
    bind_port: int
    connect_port: int
    share: float | None
    strict_segments: bool


def settings_of(script: Script) -> Settings:
    """The settings of a script. Unsupported for a setting that is not known, or a value out of its range."""
    words: dict[str, str] = {}
    numbers = {"tolerance_usecs": 4000, "tcp_ts_tick_usecs": 0, "bind_port": 8080, "connect_port": 8080}
    for setting in script.settings:
        if setting.name in _NUMBERS:
            numbers[setting.name] = _number(setting)
        elif setting.name in ("ip_version", "local_ip", "remote_ip") and setting.value:
            words[setting.name] = setting.value
        elif setting.name not in _IGNORED:
            raise Unsupported(setting.line, f"the setting --{setting.name}")
    version = words.get("ip_version", "ipv4")
    if version not in _ADDRESSES:
        raise Unsupported(0, f"--ip_version={version}")
    local, remote, headers = _ADDRESSES[version]
    mtu = numbers.get("mtu", 1500 if headers != 40 else 0)
    return Settings(
        local=words.get("local_ip", local),
        remote=words.get("remote_ip", remote),
        mss=mtu - headers if mtu else None,
        tolerance=numbers["tolerance_usecs"] * 1000,
        tick=numbers["tcp_ts_tick_usecs"] * 1000,
        bind_port=numbers["bind_port"],
        connect_port=numbers["connect_port"],
        share=numbers["tolerance_percent"] / 100 if "tolerance_percent" in numbers else None,
        strict_segments=any(setting.name == "strict_segments" for setting in script.settings),
    )


def _number(setting: Setting) -> int:
    low, high = _NUMBERS[setting.name]
    value = setting.value or ""
    if not value.isascii() or not value.isdigit() or len(value) > 10 or not low <= int(value) <= high:
        raise Unsupported(setting.line, f"--{setting.name}={value}: must be a number from {low} to {high}")
    return int(value)
