"""The sysctls of Linux and FreeBSD as changes of a ``TcpConfig``, under their own names and in their own units.

``configure(linux(), {"net.ipv4.tcp_syn_retries": 3})`` is the TCP of a Linux host with that setting. Where the model
has only one of a sysctl's behaviours, it accepts the values that mean this behaviour and refuses the others.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import PROFILES, profile

Change = Callable[[TcpConfig, TcpConfig, int], TcpConfig]
"""(configuration, the unchanged profile, the number that was set) -> the new configuration."""
Setting = Change | dict[str, dict[str, str]] | frozenset[str] | None
"""What a sysctl does: a change by its number; a word with the fields that it sets; only these values are allowed,
because the model always behaves so; or None: no value makes a difference here."""

_THREE: Final = re.compile(r"([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,10})")  # minimum, default and maximum, in bytes


def configure(config: TcpConfig, settings: Mapping[str, int | str]) -> TcpConfig:
    """``config`` with a host's settings. ValueError names an unknown setting, or a bad value and what is allowed."""
    own = profile(config.name) if config.name in PROFILES else config
    for name, value in settings.items():
        config = setting(config, name, value, own=own)
    return config


def setting(config: TcpConfig, name: str, value: int | str, *, own: TcpConfig) -> TcpConfig:
    """``config`` with one setting. ValueError as in ``configure``.

    ``own`` is the unchanged profile: a sysctl that turns something on again restores the profile's value.
    """
    table = LINUX if name in LINUX else FREEBSD
    if name not in table:
        raise ValueError(f"{name} = {value!r}: unknown setting; must be one of {', '.join(sorted(LINUX | FREEBSD))}")
    change = table[name]
    if change is None:
        return config
    text = " ".join(str(value).split())
    if isinstance(change, frozenset | dict):
        if text not in change:
            raise ValueError(f"{name} = {text}: must be {' or '.join(sorted(change))}; the model has no other")
        return config.replace(**change[text]) if isinstance(change, dict) else config
    if change is _rmem:
        return _of_three(config, name, text)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,10}|0x[0-9a-fA-F]{1,8}", text):
        raise ValueError(f"{name} = {value!r}: must be an integer >= 0")
    try:
        return change(config, own, int(text, 16 if text.startswith("0x") else 10))
    except ValueError as error:
        raise ValueError(f"{name} = {value}: {error}") from None


def _rexmit(config: TcpConfig, *, initial: float | None = None, slop: float | None = None) -> TcpConfig:
    back_off = config.syn_backoff
    back_off = replace(
        back_off,
        initial=back_off.initial if initial is None else initial,
        slop=back_off.slop if slop is None else slop,
    )
    rto = config.rto_initial if initial is None else initial
    return config.replace(syn_backoff=back_off, synack_backoff=back_off, rto_initial=rto)


def _rfc1323(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """0: neither option; 1: both; 2: only window scale; 3: only timestamps (sys/netinet/tcp_input.c)."""
    scale = config.window_scale if config.window_scale is not None else own.window_scale
    return config.replace(window_scale=scale if value in (1, 2) else None, timestamps=value in (1, 3))


def _max_socket_buffer(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """The window scale: the smallest with which 65535 reaches the buffer (sys/netinet/tcp_input.c, tcp_syncache.c)."""
    if config.window_scale is None:
        return config
    return config.replace(window_scale=next((s for s in range(14) if 65535 << s >= value), 14))


def _rmem(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """The initial window: half the buffer, in whole segments (net/ipv4/tcp_output.c, tcp_select_initial_window)."""
    return config.replace(receive_buffer=min(value // 2 // config.mss * config.mss, 65535))


def _of_three(config: TcpConfig, name: str, text: str) -> TcpConfig:
    """tcp_rmem: the default buffer gives the window, the maximum the window scale, as kern.ipc.maxsockbuf does."""
    match = _THREE.fullmatch(text)
    if match is None:
        raise ValueError(f"{name} = {text!r}: must be three numbers, as in '4096 131072 33554432'")
    try:
        return _max_socket_buffer(_rmem(config, config, int(match[2])), config, int(match[3]))
    except ValueError as error:
        raise ValueError(f"{name} = {text}: {error}") from None


def _syn_linear_timeouts(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    return config.replace(syn_backoff=replace(config.syn_backoff, linear=value))


def _ecn(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """0: off; 1: the SYN asks for it; 2: if the peer's SYN asks for it (net.ipv4.tcp_ecn; sys/netinet/tcp_ecn.c)."""
    if value > 2:
        raise ValueError("must be 0, 1 or 2; the model has no other")
    return config.replace(ecn=("off", "request", "accept")[value])


def _fastopen(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """A bit mask. 4: clients send data without a cookie; 0x200: servers accept it; 2 and 0x400: every listener uses it.

    The other bits only allow sockets to ask for Fast Open.
    """
    return config.replace(
        fast_open="server" if value & 0x402 == 0x402 else "off",
        fast_open_without_cookie=value & 4 != 0,
        fast_open_cookie_optional=value & 0x200 != 0,
    )


def _syncookies(config: TcpConfig, own: TcpConfig, value: int) -> TcpConfig:
    """0: never; 1: while the SYN queue is full; 2: for every SYN."""
    if value > 2:
        raise ValueError("must be 0, 1 or 2")
    return config.replace(syn_cookies=("off", "on-overflow", "always")[value])


# Hosts read these settings at each segment. The others hold for sockets that are opened after the change.
LIVE: Final = frozenset(
    {
        "net.inet.tcp.insecure_rst",
        "net.inet.tcp.insecure_syn",
        "net.inet.tcp.drop_synfin",
        "net.inet.tcp.icmp_may_rst",
        "net.inet.tcp.tolerate_missing_ts",
        "net.ipv4.tcp_rfc1337",
        "net.ipv4.tcp_abort_on_overflow",
        "net.ipv4.tcp_fin_timeout",
    }
)

LINUX: Final[dict[str, Setting]] = {
    "net.core.somaxconn": lambda c, own, v: c.replace(somaxconn=v),
    "net.ipv4.tcp_abort_on_overflow": lambda c, own, v: c.replace(abort_on_overflow=v != 0),
    "net.ipv4.tcp_challenge_ack_limit": lambda c, own, v: c.replace(
        challenge_ack_limit=(v, 1.0) if 0 < v < 0x7FFFFFFF else None
    ),
    "net.ipv4.tcp_dsack": lambda c, own, v: c.replace(dsack=v != 0),
    "net.ipv4.tcp_ecn": _ecn,
    "net.ipv4.tcp_fin_timeout": lambda c, own, v: c.replace(fin_wait_2_timeout=float(v)),
    "net.ipv4.tcp_invalid_ratelimit": lambda c, own, v: c.replace(
        invalid_ratelimit=v / 1000, synack_ratelimit=v / 1000
    ),
    "net.ipv4.tcp_keepalive_intvl": lambda c, own, v: c.replace(keepalive_interval=float(v)),
    "net.ipv4.tcp_keepalive_probes": lambda c, own, v: c.replace(keepalive_probes=v),
    "net.ipv4.tcp_keepalive_time": lambda c, own, v: c.replace(keepalive_idle=float(v)),
    "net.ipv4.tcp_max_syn_backlog": lambda c, own, v: c.replace(max_syn_backlog=v),
    "net.ipv4.tcp_orphan_retries": lambda c, own, v: c.replace(orphan_retries=v or own.orphan_retries),
    "net.ipv4.tcp_retries1": lambda c, own, v: c.replace(retries1=v),
    "net.ipv4.tcp_retries2": lambda c, own, v: c.replace(retries2=v),
    "net.ipv4.tcp_rfc1337": lambda c, own, v: c.replace(time_wait_rst="ignore" if v else "accept"),
    "net.ipv4.tcp_rto_max_ms": lambda c, own, v: c.replace(rto_max=v / 1000),
    "net.ipv4.tcp_sack": lambda c, own, v: c.replace(sack=v != 0),
    "net.ipv4.tcp_syn_linear_timeouts": _syn_linear_timeouts,
    "net.ipv4.tcp_syn_retries": lambda c, own, v: c.replace(syn_retries=v),
    "net.ipv4.tcp_synack_retries": lambda c, own, v: c.replace(synack_retries=v),
    "net.ipv4.tcp_syncookies": _syncookies,
    "net.ipv4.tcp_timestamps": lambda c, own, v: c.replace(timestamps=v != 0),
    "net.ipv4.tcp_early_retrans": lambda c, own, v: c.replace(tail_loss_probe=v in (3, 4)),
    "net.ipv4.tcp_tw_reuse": lambda c, own, v: c.replace(time_wait_open="replace-after-1s" if v == 1 else "refuse"),
    "net.ipv4.tcp_window_scaling": lambda c, own, v: c.replace(window_scale=own.window_scale if v else None),
    "net.ipv4.tcp_rmem": _rmem,
    # Single values below are those of defaults.sh in the kernel's packetdrill suite, and of the profile.
    "net.ipv4.tcp_wmem": frozenset({"4096 262144 4194304"}),
    "net.ipv4.tcp_frto": lambda c, own, v: c.replace(frto=v != 0),
    "net.ipv4.tcp_fack": frozenset({"0"}),
    "net.ipv4.tcp_reordering": frozenset({"3"}),
    "net.ipv4.tcp_slow_start_after_idle": lambda c, own, v: c.replace(idle_restart="halved" if v else "none"),
    "net.ipv4.tcp_no_metrics_save": None,
    "net.ipv4.tcp_pacing_ss_ratio": None,  # pacing is not modelled: segments of a burst leave together
    "net.ipv4.tcp_pacing_ca_ratio": None,
    "net.ipv4.tcp_min_tso_segs": lambda c, own, v: c.replace(min_tso_segs=v),
    "net.ipv4.tcp_tw_reuse_delay": frozenset({"1000"}),
    "net.ipv4.tcp_rto_min_us": lambda c, own, v: c.replace(rto_min=v / 1e6, rto_variance_floor=v / 1e6),
    "net.ipv4.tcp_congestion_control": {"cubic": {"congestion": "cubic"}, "reno": {"congestion": "newreno"}},
    "net.ipv4.tcp_max_tw_buckets": None,  # memory is not modelled
    "net.ipv4.tcp_max_orphans": None,
    "net.ipv4.ip_local_port_range": None,  # in recordings and scripts the port makes no difference
    "net.ipv4.tcp_autocorking": None,  # works only with a queue at the interface, which is not modelled
    "net.ipv4.tcp_fastopen": _fastopen,
    "net.ipv4.tcp_fastopen_key": None,  # the bits of a cookie make no difference
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec": None,  # no middlebox here blocks Fast Open
    "net.ipv4.tcp_migrate_req": frozenset({"0"}),
    "net.ipv4.tcp_mtu_probing": frozenset({"0"}),
    "net.ipv4.tcp_pingpong_thresh": frozenset({"1"}),
    "net.ipv4.tcp_recovery": frozenset({"1"}),
    "net.ipv4.tcp_thin_linear_timeouts": frozenset({"0"}),
    "net.ipv4.tcp_notsent_lowat": lambda c, own, v: c.replace(notsent_lowat=v if 0 < v < 0xFFFFFFFF else None),
}

FREEBSD: Final[dict[str, Setting]] = {
    "net.inet.tcp.rfc1323": _rfc1323,
    "kern.ipc.maxsockbuf": _max_socket_buffer,
    "net.inet.tcp.insecure_rst": lambda c, own, v: c.replace(rst_policy="rfc793" if v else own.rst_policy),
    "net.inet.tcp.insecure_syn": lambda c, own, v: c.replace(syn_policy="rfc793" if v else own.syn_policy),
    "net.inet.tcp.drop_synfin": lambda c, own, v: c.replace(syn_fin="drop" if v else "accept"),
    "net.inet.tcp.sack.enable": lambda c, own, v: c.replace(sack=v != 0),
    "net.inet.tcp.recvspace": lambda c, own, v: c.replace(receive_buffer=v),
    "net.inet.tcp.sendspace": lambda c, own, v: c.replace(send_buffer=v),
    "net.inet.tcp.mssdflt": lambda c, own, v: c.replace(mss_default=v),
    "net.inet.tcp.msl": lambda c, own, v: c.replace(time_wait=v / 500),
    "net.inet.tcp.keepinit": lambda c, own, v: c.replace(connect_timeout=v / 1000),
    "net.inet.tcp.keepidle": lambda c, own, v: c.replace(keepalive_idle=v / 1000),
    "net.inet.tcp.keepintvl": lambda c, own, v: c.replace(keepalive_interval=v / 1000),
    "net.inet.tcp.keepcnt": lambda c, own, v: c.replace(keepalive_probes=v),
    "net.inet.tcp.delacktime": lambda c, own, v: c.replace(delayed_ack=v / 1000),
    "net.inet.tcp.rexmit_initial": lambda c, own, v: _rexmit(c, initial=v / 1000),
    "net.inet.tcp.rexmit_slop": lambda c, own, v: _rexmit(c, slop=v / 1000),
    "net.inet.tcp.tolerate_missing_ts": lambda c, own, v: c.replace(missing_timestamp="accept" if v else "drop"),
    "net.inet.tcp.fastopen.client_enable": None,  # a socket must ask for it; the cookie cache starts empty
    "net.inet.tcp.blackhole": frozenset({"0"}),
    "net.inet.tcp.hostcache.purgenow": None,
    "net.inet.tcp.ecn.enable": _ecn,
    "net.inet.tcp.ecn.maxretries": lambda c, own, v: c.replace(ecn_syn_retries=v),
    "net.inet.tcp.rexmit_drop_options": lambda c, own, v: c.replace(syn_drop_options_after=2 if v else None),
    "net.inet.tcp.syncookies": frozenset({"0", "1"}),  # the SYN cache never overflows here
    "net.inet.tcp.syncookies_only": lambda c, own, v: c.replace(syn_cookies="always" if v else own.syn_cookies),
    "net.inet.tcp.icmp_may_rst": lambda c, own, v: c.replace(icmp_opening=own.icmp_opening if v else "ignore"),
    "net.inet.tcp.path_mtu_discovery": lambda c, own, v: c.replace(pmtu_discovery=v != 0),
}
