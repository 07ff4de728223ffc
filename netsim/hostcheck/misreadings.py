"""Settings of a host that do not do what people think, and what holds instead; above all Linux's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from netsim.hostcheck.cautions import listener_cautions
from netsim.hostcheck.limits import HostSettings, limits, three_quarters

TIME_WAIT: Final = 60  # s; TCP_TIMEWAIT_LEN, a constant of the kernel


@dataclass(frozen=True, slots=True)
class Note:
    """A setting, by its name, and what it really does here."""

    setting: str
    text: str


def misreadings(host: HostSettings) -> list[Note]:
    """What is worth knowing of this host's settings; of a host that is no Linux, what its listener makes of them."""
    if not host.is_linux:
        return [Note("listen", text) for text in listener_cautions(host.config, host.backlog)]
    return [note for rule in _RULES for note in rule(host)]


def _fin_timeout(host: HostSettings) -> Iterator[Note]:
    name = "net.ipv4.tcp_fin_timeout"
    if name in host.given:
        yield Note(
            name,
            f"is how long an orphan waits in FIN-WAIT-2 ({host.config.fin_wait_2_timeout:g} s), not TIME-WAIT: that is "
            f"{TIME_WAIT} s, a constant of the kernel",
        )


def _backlog(host: HostSettings) -> Iterator[Note]:
    somaxconn = host.config.somaxconn
    if host.backlog > somaxconn:
        yield Note("net.core.somaxconn", f"cuts the backlog of listen() from {host.backlog} to {somaxconn}, silently")
    elif "net.core.somaxconn" in host.given and somaxconn > host.backlog:
        yield Note(
            "net.core.somaxconn",
            f"is a ceiling: {somaxconn} has no effect while the application asks listen() for {host.backlog}",
        )


def _max_syn_backlog(host: HostSettings) -> Iterator[Note]:
    name, most = "net.ipv4.tcp_max_syn_backlog", host.config.max_syn_backlog
    if host.config.syn_cookies != "off":
        if name in host.given:
            yield Note(name, "has no effect while SYN cookies are on; the listen backlog bounds the SYN queue")
        return
    if name not in host.given:
        yield Note(
            name,
            f"was not given: {most or 'none'} is taken here, the kernel's default depends on memory (128 at least); "
            "below 4/3 of the backlog it binds first",
        )
    if most is None:
        return
    reserve, backlog = three_quarters(most), host.listen_backlog + 1
    if reserve < backlog:
        yield Note(name, f"= {most} binds at {reserve} half-open entries, 3/4 and one, not at {most}")
        if limits(host).pruning_above is None and host.config.synack_retries > 2:
            yield Note(
                name,
                f"= {most} is so far below the backlog {host.listen_backlog} that pruning is off: it starts above half "
                f"the backlog, {max(8, host.listen_backlog) // 2} entries, and only {reserve} fit",
            )
    elif name in host.given:
        yield Note(name, f"= {most} has no effect: the backlog {host.listen_backlog} binds first")


def _tw_reuse(host: HostSettings) -> Iterator[Note]:
    name = "net.ipv4.tcp_tw_reuse"
    if name not in host.given:
        return
    if host.tw_reuse == 2:
        yield Note(name, "= 2, the default, is for loopback only")
    elif host.tw_reuse == 1 and not host.config.timestamps:
        yield Note(name, "= 1 has no effect without net.ipv4.tcp_timestamps")
    elif host.tw_reuse == 1:
        yield Note(
            name,
            f"= 1 lets connect() take over a TIME-WAIT that is {host.tw_reuse_delay:g} s old, if the peer has "
            "timestamps; it does nothing for a server that accepts, and shortens no TIME-WAIT",
        )


def _tw_buckets(host: HostSettings) -> Iterator[Note]:
    name = "net.ipv4.tcp_max_tw_buckets"
    if name in host.given:
        yield Note(
            name,
            f"= {host.max_tw_buckets} is reached at {host.max_tw_buckets / TIME_WAIT:.4g} closes a second; from there "
            "connections skip TIME-WAIT and its protection against old segments: it is no tuning knob",
        )


def _syncookies(host: HostSettings) -> Iterator[Note]:
    name = "net.ipv4.tcp_syncookies"
    if host.config.syn_cookies == "always":
        yield Note(
            name,
            "= 2 answers every SYN with a cookie, for tests: no SYN queue, no SYN-ACK retransmission, and no window "
            "scale or SACK for peers without timestamps",
        )
    elif host.config.syn_cookies == "on-overflow" and name in host.given:
        yield Note(name, "= 1 sends cookies only while the SYN queue is full; until then it costs nothing")


def _abort_on_overflow(host: HostSettings) -> Iterator[Note]:
    if host.config.abort_on_overflow:
        yield Note(
            "net.ipv4.tcp_abort_on_overflow",
            "= 1 resets clients when the accept queue is full; at 0 they try again, and a short burst goes unnoticed",
        )


def _syn_retries(host: HostSettings) -> Iterator[Note]:
    name = "net.ipv4.tcp_syn_retries"
    if name in host.given and "net.ipv4.tcp_synack_retries" not in host.given:
        yield Note(
            name,
            f"is for connect() on this host; how long a half-open connection lives is tcp_synack_retries "
            f"({host.config.synack_retries})",
        )


_RULES: Final[tuple[Callable[[HostSettings], Iterator[Note]], ...]] = (
    _backlog,
    _max_syn_backlog,
    _syncookies,
    _abort_on_overflow,
    _syn_retries,
    _fin_timeout,
    _tw_reuse,
    _tw_buckets,
)
