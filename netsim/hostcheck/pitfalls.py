"""Pitfalls: settings of a host, above all of Linux, that do not do what people expect, and what holds instead."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from netsim.hostcheck.limits import PRUNED_RETRIES, HostSettings, limits, prunes
from netsim.tcp.config.config import TcpConfig


@dataclass(frozen=True, slots=True)
class Pitfall:
    """A setting, by its name, and what it really does on this host; the two together are one sentence."""

    setting: str
    explanation: str


def pitfalls(host: HostSettings) -> list[Pitfall]:
    """The pitfalls in this host's settings; for a host other than Linux, only those of its listener."""
    if not host.is_linux:
        return [Pitfall("listen", warning) for warning in listener_warnings(host.config, host.backlog)]
    return [pitfall for rule in _RULES for pitfall in rule(host)]


def listener_warnings(config: TcpConfig, backlog: int) -> tuple[str, ...]:
    """One sentence for each setting of a listener that has no effect, or not the one that it seems to have."""
    warnings = []
    if backlog > config.somaxconn:
        warnings.append(
            f"backlog = {backlog} is above somaxconn = {config.somaxconn}: the listener gets {config.somaxconn}"
        )
    if config.syn_cookies == "off":
        return tuple(warnings)
    if config.syn_cookie_key == "":
        warnings.append(
            "syn_cookie_key is empty: without a secret anybody can compute a cookie, and forged ACKs are accepted"
        )
    if config.syn_cookies == "on-overflow":
        if config.syncache_hashsize is not None:
            warnings.append(
                "syn_cookies = on-overflow: a SYN cache evicts entries and never overflows, so no cookie is sent"
            )
        elif config.syn_queue_full != "drop":
            rule = f"syn_queue_full = {config.syn_queue_full}"
            warnings.append(
                f"syn_cookies = on-overflow: with {rule} the SYN queue never overflows, so no cookie is sent"
            )
    return tuple(warnings)


def _fin_timeout(host: HostSettings) -> Iterator[Pitfall]:
    name = "net.ipv4.tcp_fin_timeout"
    if name in host.given:
        yield Pitfall(
            name,
            f"is how long an orphaned connection stays in FIN-WAIT-2 ({host.config.fin_wait_2_timeout:g} s). It is not "
            f"the length of TIME-WAIT, which is {host.config.time_wait:g} s, a constant of the kernel",
        )


def _backlog(host: HostSettings) -> Iterator[Pitfall]:
    name, somaxconn = "net.core.somaxconn", host.config.somaxconn
    if host.backlog > somaxconn:
        yield Pitfall(name, f"cuts the backlog of listen() from {host.backlog} to {somaxconn}, silently")
    elif name in host.given and somaxconn > host.backlog:
        yield Pitfall(
            name,
            f"is a maximum: {somaxconn} has no effect while the application's listen() asks for {host.backlog}",
        )


def _max_syn_backlog(host: HostSettings) -> Iterator[Pitfall]:
    name, maximum = "net.ipv4.tcp_max_syn_backlog", host.config.max_syn_backlog
    if host.config.syn_cookies != "off":
        if name in host.given:
            yield Pitfall(name, "has no effect while SYN cookies are on: the listen backlog limits the SYN queue")
        return
    if name not in host.given:
        yield Pitfall(
            name,
            f"was not given, and {maximum or 'none'} is assumed. The kernel's default depends on memory and is at "
            "least 128; below 4/3 of the backlog it is the limit of the SYN queue",
        )
    entries = limits(host).syn_queue
    if maximum is None or entries is None:
        return
    if entries < host.accept_queue:
        yield Pitfall(name, f"= {maximum} limits the SYN queue to {entries} entries (3/4 and one), not to {maximum}")
        if not prunes(host) and host.config.synack_retries > PRUNED_RETRIES:
            yield Pitfall(
                name,
                f"= {maximum} is so far below the backlog {host.listen_backlog} that pruning is off: pruning starts "
                f"above half the backlog, {host.pruning_above} entries, and only {entries} fit",
            )
    elif name in host.given:
        yield Pitfall(name, f"= {maximum} has no effect: the backlog {host.listen_backlog} is the lower limit")


def _tw_reuse(host: HostSettings) -> Iterator[Pitfall]:
    name = "net.ipv4.tcp_tw_reuse"
    if name not in host.given:
        return
    if host.tw_reuse == 2:
        yield Pitfall(name, "= 2, the default, has an effect on loopback only")
    elif host.tw_reuse == 1 and not host.config.timestamps:
        yield Pitfall(name, "= 1 has no effect without net.ipv4.tcp_timestamps")
    elif host.tw_reuse == 1:
        yield Pitfall(
            name,
            f"= 1 lets connect() reuse a port whose TIME-WAIT is {host.tw_reuse_delay:g} s old, if the peer has "
            "timestamps. It does nothing for a server that accepts connections, and it does not shorten TIME-WAIT",
        )


def _tw_buckets(host: HostSettings) -> Iterator[Pitfall]:
    name, rate = "net.ipv4.tcp_max_tw_buckets", limits(host).close_rate
    if name in host.given and rate is not None:
        yield Pitfall(
            name,
            f"= {host.max_tw_buckets} is reached at {rate:.4g} closes per second. Above this rate connections skip "
            "TIME-WAIT and lose its protection against old segments, so the setting is not for tuning",
        )


def _syncookies(host: HostSettings) -> Iterator[Pitfall]:
    name = "net.ipv4.tcp_syncookies"
    if host.config.syn_cookies == "always":
        yield Pitfall(
            name,
            "= 2 is for tests: it answers every SYN with a cookie. Then there is no SYN queue and no SYN-ACK "
            "retransmission, and peers without timestamps get neither window scale nor SACK",
        )
    elif host.config.syn_cookies == "on-overflow" and name in host.given:
        yield Pitfall(name, "= 1 sends cookies only while the SYN queue is full; otherwise it costs nothing")


def _abort_on_overflow(host: HostSettings) -> Iterator[Pitfall]:
    if host.config.abort_on_overflow:
        yield Pitfall(
            "net.ipv4.tcp_abort_on_overflow",
            "= 1 resets clients while the accept queue is full. With 0 they retransmit, and a short burst does no harm",
        )


def _syn_retries(host: HostSettings) -> Iterator[Pitfall]:
    name = "net.ipv4.tcp_syn_retries"
    if name in host.given and "net.ipv4.tcp_synack_retries" not in host.given:
        yield Pitfall(
            name,
            f"is for connect() on this host. The lifetime of a SYN-RECEIVED entry follows from tcp_synack_retries "
            f"({host.config.synack_retries})",
        )


_RULES: Final[tuple[Callable[[HostSettings], Iterator[Pitfall]], ...]] = (
    _backlog,
    _max_syn_backlog,
    _syncookies,
    _abort_on_overflow,
    _syn_retries,
    _fin_timeout,
    _tw_reuse,
    _tw_buckets,
)
