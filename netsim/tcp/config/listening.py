"""What the policies of a listener mean: its queues, SYN cookies, when it hands a connection over."""

from typing import Any

from netsim.tcp.config.policy import policy, seconds
from netsim.tcp.config.syn_cookie import BernsteinCookie

BACKLOG_SLACK: Any = policy(0, "entries that the accept queue takes beyond its backlog", "", "", allowed=(0, 1))
SOMAXCONN: Any = policy(
    4096, "ceiling of a listener's backlog", "net.core.somaxconn; RFC 9293 is silent", allowed=(0, 1 << 31)
)
MAX_SYN_BACKLOG: Any = policy(
    None, "half-open entries of one listener, at most; None: its backlog", "", allowed=(0, 1 << 31)
)
MAX_SYN_BACKLOG_RULE: Any = policy(
    "ceiling",
    "max_syn_backlog is a ceiling; or its last quarter is kept for peers proven to be alive, of whom a listener "
    "here knows none, and with SYN cookies nothing is kept (Linux)",
    "net/ipv4/tcp_input.c: tcp_conn_request",
)
SYN_QUEUE_FULL: Any = policy(
    "drop",
    "a SYN that finds the SYN queue full is dropped, or drives out the oldest entry or a random one",
    "RFC 4987 3.4",
)
SYNCACHE_HASHSIZE: Any = policy(
    None,
    "buckets of a SYN cache, which takes the SYN queue's place; None: no cache",
    "RFC 4987 3.5; net.inet.tcp.syncache.hashsize",
    allowed=(1, 1 << 24),
)
SYNCACHE_BUCKETLIMIT: Any = policy(
    30, "entries of one bucket", "net.inet.tcp.syncache.bucketlimit", allowed=(1, 1 << 24)
)
SYN_COOKIES: Any = policy(
    "off", "SYN-ACKs that carry a cookie and leave no entry", "RFC 4987 3.6; net.ipv4.tcp_syncookies 0, 1, 2"
)
SYN_COOKIE: Any = policy(BernsteinCookie(), "layout of the cookie", "RFC 4987 appendix A")
SYN_COOKIE_KEY: Any = policy(None, "key of the cookies, hexadecimal; None: the host's own secret", "RFC 4987 3.6")
SYN_COOKIE_RECENT: Any = seconds(
    None,
    "ACKs are looked at for cookies only so long after one was sent; None: always",
    "net/ipv4/syncookies.c: tcp_synq_no_recent_overflow",
)
SYNACK_PRUNING: Any = policy(
    False,
    "above half the backlog, old half-open entries get fewer SYN-ACKs, down to 3",
    "net/ipv4/inet_connection_sock.c: reqsk_timer_handler",
)
SYN_QUEUE_ENTRY_BYTES: Any = policy(
    280, "memory of a half-open entry", "RFC 4987 2.1: 280 to over 1300", "bytes", allowed=(1, 1 << 20)
)
DEFER_ACCEPT: Any = seconds(
    None, "a passive OPEN waits so long for the peer's first text; None: not at all", "tcp(7), TCP_DEFER_ACCEPT"
)
ABORT_ON_OVERFLOW: Any = policy(
    False, "accept queue full when the third segment comes: reset, or ignore it", "net.ipv4.tcp_abort_on_overflow"
)
