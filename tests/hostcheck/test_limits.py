"""Limits and pitfalls of a host: the formulas worked by hand, and the rules of the recorded kernel (cookies off)."""

from typing import Any

import pytest

from netsim.hostcheck.limits import HostSettings, limits
from netsim.hostcheck.pitfalls import pitfalls
from netsim.tcp.config.profiles import linux, linux_classic, profile, rfc9293
from netsim.tcp.config.sysctl import configure
from netsim.tcp.segment import SYN, FourTuple, Segment
from netsim.tcp.socket import Socket
from netsim.tcp.stack import Stack
from tests.tcp.harness import streams

NO_COOKIES = {"net.ipv4.tcp_syncookies": 0}


def host(sysctl: dict[str, int] | None = None, **changes: Any) -> HostSettings:
    """A Linux host with these settings."""
    given = sysctl or {}
    return HostSettings(config=configure(linux(), given), given=given, **changes)


def explained(settings: HostSettings) -> dict[str, str]:
    return {pitfall.setting.rpartition(".")[2]: pitfall.explanation for pitfall in pitfalls(settings)}


def test_time_wait_limits_the_connections_per_second() -> None:
    """60999 - 32768 + 1 = 28,232 ports, each held for 60 s: 470.5 a second."""
    found = limits(host())
    assert (found.ports, found.time_wait) == (28_232, 60.0)
    assert found.connect_rate == pytest.approx(470.5, abs=0.05)


def test_a_syn_received_entry_lives_63_seconds() -> None:
    """1 + 2 + 4 + 8 + 16 + 32 s with five retries; 128 of them are filled by 2.03 SYNs a second."""
    found = limits(HostSettings(config=rfc9293().replace(synack_retries=5), backlog=128))
    assert (found.syn_received_lifetime, found.syn_queue) == (63.0, 128)
    assert found.fill_rate == pytest.approx(2.03, abs=0.005)
    assert limits(host(backlog=128)).syn_queue == 129  # Linux takes one more
    assert limits(host({"net.ipv4.tcp_synack_retries": 2})).syn_received_lifetime == 7.0


@pytest.mark.parametrize(("linear", "seconds"), [(4, 131.0), (0, 127.0)])
def test_when_connect_times_out(linear: int, seconds: float) -> None:
    assert limits(host({"net.ipv4.tcp_syn_linear_timeouts": linear})).connect_timeout == seconds
    assert limits(HostSettings(config=linux_classic())).connect_timeout == 127.0
    assert limits(HostSettings(config=profile("freebsd"))).connect_timeout == 75.0


@pytest.mark.parametrize(
    ("backlog", "most", "entries", "pruned"),
    [
        (128, 1024, 129, 7.0),  # min(backlog, 3/4 max) + 1, as recorded; pruning above 64
        (4096, 1024, 769, None),  # 2 x 769 < 4096: pruning never starts
        (1024, 1024, 769, 7.0),
        (1536, 1024, 769, 7.0),  # 769 > 768
        (1538, 1024, 769, None),  # 769 = 1538 / 2
        (4, 1024, 5, 7.0),  # above 4, for a backlog below 8 counts as 8
        (3, 1024, 4, None),
    ],
)
def test_the_syn_queue_without_cookies(backlog: int, most: int, entries: int, pruned: float | None) -> None:
    found = limits(host({"net.ipv4.tcp_max_syn_backlog": most} | NO_COOKIES, backlog=backlog))
    assert (found.syn_queue, found.pruned_lifetime) == (entries, pruned)
    assert found.when_full == "it is dropped"


@pytest.mark.parametrize(("most", "entries"), [(128, 97), (127, 97), (8, 7), (3, 4)])
def test_a_quarter_is_reserved(most: int, entries: int) -> None:
    """Dropped once max - qlen < max >> 2 (integer): 128 - 97 = 31 < 32."""
    assert limits(host({"net.ipv4.tcp_max_syn_backlog": most} | NO_COOKIES)).syn_queue == entries
    assert most - entries < most >> 2 or most < 4
    assert not most - (entries - 1) < most >> 2


@pytest.mark.parametrize(("backlog", "most"), [(20, 1024), (200, 64), (60, 40)])
def test_the_syn_queue_is_as_long_as_the_listeners(backlog: int, most: int) -> None:
    """SYNs of 300 silent hosts: the listener keeps as many entries as computed, and prunes if that was computed."""
    settings = host({"net.ipv4.tcp_max_syn_backlog": most} | NO_COOKIES, backlog=backlog)
    stack = Stack("a", streams(), settings.config)
    listener, _ = stack.listen(80, backlog)
    for port in range(1, 301):
        stack.on_segment(Segment(FourTuple("b", port, "a", 80), 1, 0, SYN, 1000), 0)
    found = limits(settings)
    assert listener.syn_queue_length == found.syn_queue
    while stack.next_deadline() < 8.5e9:
        stack.on_timer(stack.next_deadline())
    died = (found.syn_queue or 0) - listener.syn_queue_length
    assert (died > 0) is (found.pruned_lifetime is not None)


def test_with_cookies_only_the_backlog_limits_the_syn_queue() -> None:
    found = limits(host({"net.ipv4.tcp_max_syn_backlog": 128}, backlog=512))
    assert (found.syn_queue, found.when_full) == (513, "it is answered with a SYN cookie")
    assert limits(host({"net.ipv4.tcp_syncookies": 2})).syn_queue is None


def test_the_accept_queue_is_the_listeners() -> None:
    """The same number that a listener of this configuration has: somaxconn cuts, and one more fits."""
    settings = host({"net.core.somaxconn": 128}, backlog=511)
    sock = Socket(Stack("a", streams(), settings.config))
    sock.listen(80, backlog=511)
    assert sock.listener is not None
    assert limits(settings).accept_queue == sock.listener.backlog + 1 == 129


def test_reuse_of_time_wait() -> None:
    """tcp_tw_reuse = 1 with timestamps: a port is free again after a second; without, or with 2, it is not."""
    assert limits(host(tw_reuse=1)).connect_rate == 28_232
    assert limits(host(tw_reuse=2)).connect_rate == pytest.approx(470.5, abs=0.05)
    assert limits(host({"net.ipv4.tcp_timestamps": 0}, tw_reuse=1)).connect_rate == pytest.approx(470.5, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "name", "words"),
    [
        (
            host({"net.ipv4.tcp_fin_timeout": 15}),
            "tcp_fin_timeout",
            "FIN-WAIT-2 (15 s). It is not the length of TIME-WAIT, which is 60 s",
        ),
        (host({"net.core.somaxconn": 128}, backlog=511), "somaxconn", "from 511 to 128, silently"),
        (host({"net.core.somaxconn": 8192}, backlog=511), "somaxconn", "is a maximum: 8192 has no effect"),
        (host({"net.ipv4.tcp_max_syn_backlog": 9}), "tcp_max_syn_backlog", "no effect while SYN cookies are on"),
        (
            host({"net.ipv4.tcp_max_syn_backlog": 128} | NO_COOKIES, backlog=4096),
            "tcp_max_syn_backlog",
            "that pruning is off: pruning starts above half the backlog, 2048 entries, and only 97 fit",
        ),
        (
            host({"net.ipv4.tcp_max_syn_backlog": 4096} | NO_COOKIES, backlog=64),
            "tcp_max_syn_backlog",
            "the backlog 64 is the lower limit",
        ),
        (host(NO_COOKIES, backlog=9), "tcp_max_syn_backlog", "was not given"),
        (host({"net.ipv4.tcp_syncookies": 2}), "tcp_syncookies", "answers every SYN with a cookie"),
        (host({"net.ipv4.tcp_abort_on_overflow": 1}), "tcp_abort_on_overflow", "resets clients"),
        (host({"net.ipv4.tcp_syn_retries": 2}), "tcp_syn_retries", "follows from tcp_synack_retries (5)"),
        (
            HostSettings(tw_reuse=1, given={"net.ipv4.tcp_tw_reuse": 1}),
            "tcp_tw_reuse",
            "nothing for a server that accepts",
        ),
        (HostSettings(given={"net.ipv4.tcp_tw_reuse": 2}), "tcp_tw_reuse", "loopback only"),
        (
            HostSettings(max_tw_buckets=6000, given={"net.ipv4.tcp_max_tw_buckets": 6000}),
            "tcp_max_tw_buckets",
            "is reached at 100 closes per second",
        ),
    ],
)
def test_pitfalls(settings: HostSettings, name: str, words: str) -> None:
    assert words in explained(settings)[name]


def test_a_host_with_default_settings_has_no_pitfalls() -> None:
    assert pitfalls(host()) == []
    assert pitfalls(HostSettings(config=profile("freebsd"), backlog=9, given={"net.inet.tcp.msl": 1000})) == []


def test_somaxconn_cuts_the_backlog_of_other_hosts_too() -> None:
    (pitfall,) = pitfalls(HostSettings(config=rfc9293().replace(somaxconn=128), backlog=511))
    assert (pitfall.setting, "511" in pitfall.explanation, "128" in pitfall.explanation) == ("listen", True, True)
