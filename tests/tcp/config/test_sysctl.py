"""Sysctls as changes of a configuration: names, units, values that the model has no behaviour for."""

import pytest

from netsim.tcp.config.profiles import freebsd, linux
from netsim.tcp.config.sysctl import FREEBSD, LINUX, LIVE, configure

L = "net.ipv4."
F = "net.inet.tcp."


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        (f"{L}tcp_syn_retries", 3, "syn_retries", 3),
        (f"{L}tcp_fin_timeout", "15", "fin_wait_2_timeout", 15.0),
        (f"{L}tcp_invalid_ratelimit", 250, "synack_ratelimit", 0.25),  # ms
        (f"{L}tcp_rto_max_ms", 60_000, "rto_max", 60.0),
        (f"{L}tcp_rto_min_us", 50_000, "rto_variance_floor", 0.05),
        (f"{L}tcp_challenge_ack_limit", 1000, "challenge_ack_limit", (1000, 1.0)),
        (f"{L}tcp_challenge_ack_limit", 0x7FFFFFFF, "challenge_ack_limit", None),
        (f"{L}tcp_syncookies", 2, "syn_cookies", "always"),
        (f"{L}tcp_tw_reuse", 1, "time_wait_open", "replace-after-1s"),
        (f"{L}tcp_rfc1337", 1, "time_wait_rst", "ignore"),
        (f"{L}tcp_window_scaling", 0, "window_scale", None),
        (f"{L}tcp_window_scaling", 1, "window_scale", 10),  # the profile's
        (f"{L}tcp_congestion_control", "reno", "congestion", "newreno"),
        (f"{L}tcp_fastopen", "0x402", "fast_open", "server"),
        (f"{L}tcp_ecn", 1, "ecn", "request"),
        (f"{L}tcp_rmem", "4096 131072 33554432", "receive_buffer", 64_240),  # 44 segments of 1460
        (f"{L}tcp_rmem", "4096 131072 33554432", "window_scale", 10),  # 65535 << 10 >= 33554432
        (f"{L}tcp_syn_linear_timeouts", 0, "syn_transmissions", 7),
        (f"{L}tcp_orphan_retries", 0, "orphan_retries", 8),  # 0 means 8
    ],
)
def test_a_setting_of_linux(name: str, value: int | str, field: str, expected: object) -> None:
    assert getattr(configure(linux(), {name: value}), field) == expected


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        (f"{F}msl", 30_000, "time_wait", 60.0),  # ms; TIME-WAIT is 2 MSL
        (f"{F}keepinit", 75_000, "connect_timeout", 75.0),
        (f"{F}delacktime", 100, "delayed_ack", 0.1),
        (f"{F}insecure_rst", 1, "rst_policy", "rfc793"),
        (f"{F}drop_synfin", 1, "syn_fin", "drop"),
        (f"{F}rfc1323", 3, "window_scale", None),
        (f"{F}rfc1323", 2, "timestamps", False),
        (f"{F}rexmit_drop_options", 1, "syn_drop_options_after", 2),
        (f"{F}icmp_may_rst", 0, "icmp_opening", "ignore"),
        ("kern.ipc.maxsockbuf", 2_097_152, "window_scale", 6),  # 65535 << 5 = 2,097,120 is too small
    ],
)
def test_a_setting_of_freebsd(name: str, value: int | str, field: str, expected: object) -> None:
    assert getattr(configure(freebsd(), {name: value}), field) == expected


def test_turning_a_setting_on_again_restores_the_profile() -> None:
    off = configure(freebsd(), {f"{F}insecure_syn": 1})
    assert off.syn_policy == "rfc793"
    assert configure(off, {f"{F}insecure_syn": 0}).syn_policy == freebsd().syn_policy


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("net.ipv4.tcp_magic", 1, "net.ipv4.tcp_magic = 1: unknown setting; must be one of kern.ipc.maxsockbuf, "),
        (f"{L}tcp_syn_retries", -1, "= -1: must be an integer >= 0"),
        (f"{L}tcp_syn_retries", 300, "= 300: syn_retries = 300: must be an integer in [0, 255] retransmissions"),
        (f"{L}tcp_syn_retries", True, "= True: must be an integer >= 0"),
        (f"{L}tcp_syncookies", 3, "= 3: must be 0, 1 or 2"),
        (f"{L}tcp_ecn", 3, "= 3: must be 0, 1 or 2; the model has no other"),
        (f"{L}tcp_recovery", 0, "= 0: must be 1; the model has no other"),
        (f"{L}tcp_congestion_control", "bbr", "= bbr: must be cubic or reno; the model has no other"),
        (f"{L}tcp_rmem", "4096 9", "= '4096 9': must be three numbers, as in '4096 131072 33554432'"),
    ],
)
def test_a_setting_that_the_model_does_not_have_is_one_line(name: str, value: int | str, line: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        configure(linux(), {name: value})
    assert line in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", [*LINUX, *FREEBSD])
def test_every_setting_gives_a_configuration_or_one_line(name: str) -> None:
    for value in (0, 1, 2, 1000):
        try:
            line = f"{name} = {configure(linux(), {name: value}).name}"
        except ValueError as error:
            line = str(error)
        assert line.startswith(f"{name} = ")


def test_live_settings_are_known() -> None:
    assert {*LINUX, *FREEBSD} >= LIVE
