"""Profiles: the values of real hosts, each with its source.

A profile lists only the fields in which its host differs from RFC 9293 (the defaults of ``TcpConfig``). A value that no
document or source code could be found for is marked unverified.
"""

from collections.abc import Callable
from typing import Any, Final

from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import HashIsn
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.syn_cookie import TimestampCookie

_LINUX_INPUT = "Linux 6.18, net/ipv4/tcp_input.c"
_LINUX_TIMER = "Linux 6.18, net/ipv4/tcp_timer.c"
_LINUX_SYSCTL = "Linux 6.18, Documentation/networking/ip-sysctl.rst"
_LINUX_MINISOCKS = "Linux 6.18, net/ipv4/tcp_minisocks.c"
_LINUX_TCP_H = "Linux 6.18, include/net/tcp.h"
_LINUX_IPV4 = "Linux 6.18, net/ipv4/tcp_ipv4.c"
_BSD_TIMER = "FreeBSD, sys/netinet/tcp_timer.c"
_BSD_SYNCACHE = "FreeBSD, sys/netinet/tcp_syncache.c"
_BSD_TIMEWAIT = "FreeBSD, sys/netinet/tcp_timewait.c"
_BSD_INPUT = "FreeBSD, sys/netinet/tcp_input.c"
_WINDOWS = "Microsoft, TCP/IP registry values"
UNVERIFIED: Final = "unverified (from memory)"
RFC_VALUE: Final = "the RFC's value: this host's own is not modelled"

_Values = dict[str, tuple[Any, str]]
_RFC9293: Final = TcpConfig()

_RFC793: _Values = {
    "rst_policy": ("rfc793", "RFC 793 3.9"),
    "syn_policy": ("rfc793", "RFC 793 3.9"),
    "ack_policy": ("rfc793", "RFC 793 3.9"),
}

_LINUX: _Values = {
    "syn_backoff": (BackOff(linear=4), f"{_LINUX_SYSCTL}: tcp_syn_linear_timeouts"),
    "syn_retries": (6, f"{_LINUX_SYSCTL}: tcp_syn_retries"),
    "synack_retries": (5, f"{_LINUX_SYSCTL}: tcp_synack_retries"),
    "isn": (HashIsn(rate=15_625_000.0), "Linux 6.18, net/core/secure_seq.c: a tick every 64 ns"),
    "crossed_synack": ("accept-and-ack", _LINUX_INPUT),
    "duplicate_syn": ("synack-rearm", f"{_LINUX_MINISOCKS}: tcp_check_req"),
    "synack_ratelimit": (0.5, f"{_LINUX_SYSCTL}: tcp_invalid_ratelimit"),
    "invalid_ratelimit": (0.5, f"{_LINUX_SYSCTL}: tcp_invalid_ratelimit"),
    "syn_data": ("drop", "Linux 6.18, net/ipv4/tcp_fastopen.c: without a cookie"),
    "syn_fin": ("drop", f"{_LINUX_INPUT}: tcp_rcv_state_process"),
    "ports": (Ports("hash", 32768, 60999), f"{_LINUX_SYSCTL}: ip_local_port_range"),
    "backlog_slack": (1, "Linux 6.18, include/net/sock.h: sk_acceptq_is_full"),
    "somaxconn": (4096, "Linux 6.18, Documentation/admin-guide/sysctl/net.rst"),
    "max_syn_backlog": (2048, f"{_LINUX_SYSCTL}: tcp_max_syn_backlog grows with memory; observed on Linux 6.18"),
    "max_syn_backlog_rule": ("reserve-quarter", f"{_LINUX_INPUT}: tcp_conn_request"),
    "syn_cookies": ("on-overflow", f"{_LINUX_SYSCTL}: tcp_syncookies"),
    "syn_cookie": (TimestampCookie(), "Linux 6.18, net/ipv4/syncookies.c"),
    "syn_cookie_recent": (120.0, "Linux 6.18, net/ipv4/syncookies.c: tcp_synq_no_recent_overflow"),
    "synack_pruning": (True, "Linux 6.18, net/ipv4/inet_connection_sock.c: reqsk_timer_handler"),
    "syn_queue_entry_bytes": (304, "Linux 6.18, include/net/request_sock.h: tcp_request_sock"),
    "window_edge": ("inclusive", f"{_LINUX_INPUT}: tcp_sequence"),
    "challenge_ack_limit": (None, f"{_LINUX_SYSCTL}: tcp_challenge_ack_limit is INT_MAX"),
    "abort_rst_ack": (True, "Linux 6.18, net/ipv4/tcp_output.c: tcp_send_active_reset"),
    "zero_window_probe": ("empty", "Linux 6.18, net/ipv4/tcp_output.c: tcp_xmit_probe_skb"),
    "window_scale": (10, "observed on Linux 6.18 with default buffers"),
    "timestamps": (True, f"{_LINUX_SYSCTL}: tcp_timestamps"),
    "missing_timestamp": ("accept", _LINUX_INPUT),
    "sack": (True, f"{_LINUX_SYSCTL}: tcp_sack"),
    "receive_buffer": (64240, "observed on Linux 6.18: 44 segments of 1460"),
    "rto_min": (0.2, f"{_LINUX_TCP_H}: TCP_RTO_MIN"),
    "rto_max": (120.0, f"{_LINUX_TCP_H}: TCP_RTO_MAX"),
    "rto_variance_floor": (0.2, f"{_LINUX_INPUT}: tcp_rtt_estimator"),
    "rtt_variance": ("peak", f"{_LINUX_INPUT}: tcp_rtt_estimator"),
    "rto_after_syn_timeout": (3.0, f"{_LINUX_TCP_H}: TCP_TIMEOUT_FALLBACK"),
    "rto_after_syn_timeout_rule": ("no-rtt-sample", "Linux 6.18, net/ipv4/tcp_metrics.c: tcp_init_metrics"),
    "retries1": (3, f"{_LINUX_SYSCTL}: tcp_retries1"),
    "retries2": (15, f"{_LINUX_SYSCTL}: tcp_retries2"),
    "orphan_retries": (8, f"{_LINUX_TIMER}: tcp_orphan_retries, 0 meaning 8"),
    "user_timeout": (None, f"{_LINUX_SYSCTL}: R2 alone"),
    "sack_fin": (True, f"{_LINUX_INPUT}: tcp_data_queue, tcp_send_dupack"),
    "initial_window_after_loss": ("two-retransmissions", f"{_LINUX_INPUT}: tcp_init_transfer"),
    "synack_echo_check": (True, f"{_LINUX_INPUT}: tcp_rcv_synsent_state_process"),
    "nagle_minshall": (True, "Linux 6.18, net/ipv4/tcp_output.c: tcp_minshall_check"),
    "r2_measure": ("time", f"{_LINUX_TIMER}: retransmits_timed_out"),
    "window_update": ("doubled", "Linux 6.18, net/ipv4/tcp.c: __tcp_cleanup_rbuf"),
    "loss_response": ("prr", f"{_LINUX_INPUT}: tcp_cwnd_reduction"),
    "congestion": ("cubic", f"{_LINUX_SYSCTL}: tcp_congestion_control"),
    "idle_restart": ("halved", f"{_LINUX_SYSCTL}: tcp_slow_start_after_idle is 1"),
    "future_ack": ("silent", f"{_LINUX_INPUT}: tcp_rcv_established"),
    "ts_recent_update": ("ack", f"{_LINUX_INPUT}: tcp_ack"),
    "fin_wait_2_floor": (3.5, f"{_LINUX_TCP_H}: tcp_fin_time"),
    "sack_ends_with_fin": (True, f"{_LINUX_INPUT}: tcp_fin"),
    "fast_open_experimental": (True, f"{_LINUX_INPUT}: tcp_parse_fastopen_option"),
    "undo": (True, f"{_LINUX_INPUT}: tcp_undo_cwnd_reduction"),
    "frto": (True, f"{_LINUX_SYSCTL}: tcp_frto is 2"),
    "rack": (True, "Linux 6.18, net/ipv4/tcp_recovery.c"),
    "min_tso_segs": (2, "Linux 6.18, net/ipv4/tcp_output.c: __tcp_transmit_skb; net.ipv4.tcp_min_tso_segs"),
    "tail_loss_probe": (True, f"{_LINUX_SYSCTL}: tcp_early_retrans"),
    "keepalive_rst": (True, f"{_LINUX_TIMER}: tcp_keepalive_timer"),
    "syn_rto_after_wrong_ack": (0.008, f"{_LINUX_TCP_H}: TCP_TIMEOUT_MIN, two ticks at 250 Hz"),
    "abort_rst_timestamps": (True, "Linux 6.18, net/ipv4/tcp_output.c: tcp_send_active_reset"),
    "fin_ack": ("delayed", f"{_LINUX_INPUT}: tcp_fin"),
    "delayed_ack_timer": ("adaptive", f"{_LINUX_INPUT}: __tcp_ack_snd_check"),
    "delayed_ack": (0.04, f"{_LINUX_TCP_H}: TCP_DELACK_MIN"),
    "quick_acks": (16, f"{_LINUX_INPUT}: TCP_MAX_QUICKACKS"),
    "time_wait": (60.0, f"{_LINUX_TCP_H}: TCP_TIMEWAIT_LEN"),
    "fin_wait_2_timeout": (60.0, f"{_LINUX_SYSCTL}: tcp_fin_timeout"),
    "ecn": ("accept", f"{_LINUX_SYSCTL}: tcp_ecn is 2"),
    "icmp_opening": ("any", f"{_LINUX_IPV4}: tcp_v4_err"),
    "icmp_synchronized": ("note", f"{_LINUX_IPV4}: tcp_v4_err"),
    "cwnd_validation": (True, "Linux 6.18, net/ipv4/tcp_output.c: tcp_cwnd_validate"),
    "slow_start_growth": (None, "Linux 6.18, net/ipv4/tcp_cong.c: tcp_slow_start"),
    "time_wait_ack": ("any", f"{_LINUX_MINISOCKS}: tcp_timewait_state_process"),
    "reset_errors": ("reset-or-broken-pipe", f"{_LINUX_INPUT}: tcp_reset"),
    "time_wait_restart": ("any", f"{_LINUX_MINISOCKS}: tcp_timewait_state_process"),
    "time_wait_reuse": ("sequence-or-timestamp", f"{_LINUX_MINISOCKS}: tcp_timewait_state_process"),
}

_LINUX_CLASSIC: _Values = {
    **_LINUX,
    "syn_backoff": (BackOff(), "Linux before 6.5, net/ipv4/tcp_timer.c"),
}

_FREEBSD: _Values = {
    "syn_backoff": (BackOff(slop=0.2), f"{_BSD_TIMER}: tcp_backoff, rexmit_slop"),
    "syn_retries": (12, f"{_BSD_TIMER}: TCP_MAXRXTSHIFT"),
    "connect_timeout": (75.0, f"{_BSD_TIMER}: TCPTV_KEEP_INIT"),
    "synack_backoff": (BackOff(slop=0.2), f"{_BSD_SYNCACHE}: tcp_backoff, rexmit_slop"),
    "synack_retries": (3, f"{_BSD_SYNCACHE}: SYNCACHE_MAXREXMTS"),
    "duplicate_syn": ("synack", f"{_BSD_SYNCACHE}: syncache_add"),
    "syncache_hashsize": (512, f"{_BSD_SYNCACHE}: TCP_SYNCACHE_HASHSIZE"),
    "syncache_bucketlimit": (30, f"{_BSD_SYNCACHE}: TCP_SYNCACHE_BUCKETLIMIT"),
    "syn_queue_entry_bytes": (160, "Lemon, BSDCon 2002"),
    "isn": (HashIsn(), RFC_VALUE),
    "ports": (Ports("random", 10000), "FreeBSD, sys/netinet/in.h: IPPORT_EPHEMERALFIRST; sys/netinet/in_pcb.c"),
    "abort_rst_ack": (True, "FreeBSD, sys/netinet/tcp_fsm.h: tcp_outflags"),
    "window_scale": (6, "FreeBSD, with default buffers"),
    "timestamps": (True, f"{_BSD_INPUT}: net.inet.tcp.rfc1323"),
    "sack": (True, f"{_BSD_INPUT}: net.inet.tcp.sack.enable"),
    "receive_buffer": (65536, "FreeBSD: net.inet.tcp.recvspace"),
    "syn_reset": ("abort", f"{_BSD_INPUT}: tcp_drop"),
    "reset_errors": ("refused-or-reset", f"{_BSD_INPUT}: tcp_do_segment"),
    "old_segment": ("process-ack", f"{_BSD_INPUT}: tcp_do_segment"),
    "ecn": ("accept", "FreeBSD: net.inet.tcp.ecn.enable is 2"),
    "ecn_syn_retries": (1, "FreeBSD: net.inet.tcp.ecn.maxretries"),
    "icmp_opening": ("hard-or-repeated", "FreeBSD, sys/netinet/tcp_subr.c: net.inet.tcp.icmp_may_rst, tcp_notify"),
    "icmp_hard": ("unreachable-or-prohibited", "FreeBSD, sys/netinet/tcp_subr.c: tcp_ctlinput"),
    "icmp_synchronized": ("note", "FreeBSD, sys/netinet/tcp_subr.c: tcp_drop_syn_sent"),
    "syn_data": ("queue-active-open", f"{_BSD_SYNCACHE}: syncache_add"),
    "slow_start_growth": (2, "FreeBSD, sys/netinet/cc/cc_newreno.c: net.inet.tcp.abc_l_var"),
    "fin_on_every_ack": (True, "FreeBSD, sys/netinet/tcp_output.c: tcp_outflags"),
    "ack_every_second": ("any-size", f"{_BSD_INPUT}: DELAY_ACK"),
    "time_wait_ack": ("any", f"{_BSD_TIMEWAIT}: tcp_twcheck"),
    "time_wait_no_ack": ("drop", f"{_BSD_TIMEWAIT}: tcp_twcheck"),
    "time_wait_rst": ("ignore", f"{_BSD_TIMEWAIT}: tcp_twcheck"),
    "buffer_rounding": (True, f"{_BSD_INPUT}: tcp_mss"),
    "receive_window": ("buffer", f"{_BSD_INPUT}: tcp_do_segment"),
    "delayed_ack": (0.04, f"{_BSD_TIMER}: delacktime"),
    "rto_min": (0.03, f"{_BSD_TIMER}: TCPTV_MIN"),
    "rto_max": (64.0, f"{_BSD_TIMER}: TCPTV_REXMTMAX"),
    "retries2": (12, f"{_BSD_TIMER}: TCP_MAXRXTSHIFT"),
    "user_timeout": (None, f"{_BSD_TIMER}: R2 alone"),
    "time_wait": (60.0, f"{_BSD_TIMER}: 2 TCPTV_MSL"),
    "fin_wait_2_timeout": (60.0, f"{_BSD_TIMER}: TCPTV_FINWAIT2_TIMEOUT"),
    "keepalive_probes": (8, f"{_BSD_TIMER}: TCPTV_KEEPCNT"),
}

_WINDOWS_7: _Values = {
    "syn_backoff": (BackOff(initial=3.0), f"{_WINDOWS}: TcpInitialRTT"),
    "syn_retries": (2, f"{_WINDOWS}: TcpMaxConnectRetransmissions; fixed in Windows 7 (hotfix 2786464)"),
    "rto_initial": (3.0, f"{_WINDOWS}: TcpInitialRTT"),
    "duplicate_syn": ("synack", UNVERIFIED),
    "time_wait": (240.0, f"{_WINDOWS}: TcpTimedWaitDelay of Windows 2000; Windows Server 2003 has 120 s"),
    "delayed_ack": (0.2, f"{_WINDOWS}: TcpDelAckTicks, 2 ticks of 100 ms"),
    **{name: (getattr(_RFC9293, name), RFC_VALUE) for name in ("synack_backoff", "synack_retries", "isn", "ports")},
    **{name: (getattr(_RFC9293, name), RFC_VALUE) for name in ("retries2", "user_timeout", "rto_min")},
}

_VALUES: Final[dict[str, _Values]] = {
    "rfc9293": {},
    "rfc793": _RFC793,
    "linux": _LINUX,
    "linux_classic": _LINUX_CLASSIC,
    "freebsd": _FREEBSD,
    "windows": _WINDOWS_7,
}

TITLES: Final = {
    "rfc9293": "RFC 9293",
    "rfc793": "RFC 793",
    "linux": "Linux 6.5 and later",
    "linux_classic": "Linux before 6.5",
    "freebsd": "FreeBSD",
    "windows": "Windows 7",
}
"""The profiles' names for people: in figures and lists."""


def _build(name: str) -> TcpConfig:
    return TcpConfig(name=name, **{field: value for field, (value, _) in _VALUES[name].items()})


_BUILT: Final = {name: _build(name) for name in _VALUES}


def rfc9293() -> TcpConfig:
    """RFC 9293 with the timers of RFC 6298 and the rules of RFC 5961; 7 SYN retransmissions make R2 255 s."""
    return _BUILT["rfc9293"]


def rfc793() -> TcpConfig:
    """As ``rfc9293``, but with RFC 793's rules for RST, SYN and ACK, which RFC 5961 made stricter."""
    return _BUILT["rfc793"]


def linux() -> TcpConfig:
    """The values of Linux 6.18: SYNs every second at first, then exponential back-off."""
    return _BUILT["linux"]


def linux_classic() -> TcpConfig:
    """As ``linux``, but with exponential back-off from the first SYN on, starting with 1 s."""
    return _BUILT["linux_classic"]


def freebsd() -> TcpConfig:
    """The values of a recent FreeBSD."""
    return _BUILT["freebsd"]


def windows() -> TcpConfig:
    """SYNs at 0, 3 and 9 s; an OPEN fails after 21 s."""
    return _BUILT["windows"]


PROFILES: Final[dict[str, Callable[[], TcpConfig]]] = {
    f.__name__: f for f in (rfc9293, rfc793, linux, linux_classic, freebsd, windows)
}


def profile(name: str) -> TcpConfig:
    """The profile of that name. ValueError names the profiles that exist."""
    try:
        return _BUILT[name]
    except KeyError:
        raise ValueError(f"profile = {name!r}: must be one of {', '.join(PROFILES)}") from None


def sources(name: str) -> dict[str, str]:
    """The source of each value of a profile, for the fields that it lists."""
    return {field: source for field, (_, source) in _VALUES[name].items()}
