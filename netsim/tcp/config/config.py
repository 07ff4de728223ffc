"""``TcpConfig``: every policy and constant of a host's TCP, each declared once, by topic.

A field has its default (RFC 9293's), its meaning, unit, source and range; ``netsim list tcp`` prints them. The profiles
of real hosts (``netsim.tcp.config.profiles``) are other values of the same fields. Durations are in seconds, sizes in
bytes. Where the RFC's text, its figures and real kernels differ, a field names the possible behaviours.
"""

import dataclasses
from dataclasses import dataclass, make_dataclass
from typing import Any, Final, Literal, get_args, get_type_hints

from netsim.fields import check, field
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.isn import HashIsn, IsnPolicy
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.syn_cookie import BernsteinCookie, SynCookie, key_of

Handshake = Literal["two-way", "three-way", "four-way"]
DuplicateSyn = Literal["ack", "synack", "synack-rearm"]
Rate = tuple[int, float]  # a number of events in a number of seconds

_DURATION: Final = (0.0, 1e9)  # s; the longest is thirty years
_POSITIVE: Final = (1e-9, 1e9)  # s
_RETRIES: Final = (0, 255)  # retransmissions or probes
_COUNT: Final = (0, 1 << 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConfig:
    """All that distinguishes one host's TCP from another's. Frozen; ``replace`` gives a variant.

    ``ns`` has the durations in integer nanoseconds under the names of their fields, and ``syn_intervals``,
    ``synack_intervals`` and ``open_timeout``. ValueError names a field, its value and what is allowed.
    """

    name: str = field("rfc9293", "profile that this configuration started from", source="netsim.tcp.config.profiles")

    # Active OPEN: the SYN, the local port, the ISN -------------------------------------------------------------------
    syn_backoff: BackOff = field(
        BackOff(), "time to wait after each SYN for a SYN-ACK", unit="s", source="RFC 6298 2.1, 5.5"
    )
    syn_retries: int = field(
        7,
        "SYN retransmissions before an active OPEN fails (those of syn_backoff's linear part are not counted)",
        unit="retransmissions",
        source="RFC 9293 3.8.3, MUST-23: R2 >= 180 s; net.ipv4.tcp_syn_retries",
        allowed=_RETRIES,
    )
    connect_timeout: float | None = field(
        None,
        "time after which an active OPEN fails even if SYN retransmissions are left; none: user_timeout decides",
        unit="s",
        source="RFC 9293 3.10.1: the OPEN call's optional timeout; net.inet.tcp.keepinit",
        allowed=_POSITIVE,
    )
    isn: IsnPolicy = field(
        HashIsn(), "how the initial sequence number (ISN) is chosen", source="RFC 9293 3.4.1; RFC 6528 3"
    )
    ports: Ports = field(
        Ports(),
        "how the local port of an active OPEN is chosen",
        source="RFC 9293 is silent; RFC 6056 compares the ways; net.ipv4.ip_local_port_range",
    )
    syn_drop_options_after: int | None = field(
        None,
        "number of SYN retransmissions after which further SYNs carry no option but the MSS; none: all carry them",
        unit="retransmissions",
        source="RFC 9293 is silent; net.inet.tcp.rexmit_drop_options",
        allowed=_RETRIES,
    )
    syn_rto_after_wrong_ack: float | None = field(
        None,
        "time after which SYN-SENT retransmits its SYN when it has answered an unacceptable ACK with a RST; none: the "
        "retransmission timer is left alone",
        unit="s",
        source="RFC 9293 3.5.1, figure 9: not specified; net/ipv4/tcp_input.c: tcp_rcv_synsent_state_process",
        allowed=_DURATION,
    )
    synack_echo_check: bool = field(
        False,
        "whether a SYN-ACK whose timestamp echo (TSecr) is none of the timestamps sent in this OPEN draws a RST",
        source="RFC 7323 is silent; net/ipv4/tcp_input.c: tcp_rcv_synsent_state_process",
    )
    time_wait_open: Literal["refuse", "replace", "replace-after-1s"] = field(
        "refuse",
        "what an active OPEN does if its four-tuple is in TIME-WAIT on this host. refuse: it fails; replace: the new "
        "connection takes the place of the old one; replace-after-1s: it does so if both have timestamps and TIME-WAIT "
        "is more than a second old, with an ISS beyond all old sequence numbers (Linux with tcp_tw_reuse = 1)",
        source="RFC 9293 3.10.1: connection already exists; net.ipv4.tcp_tw_reuse",
    )

    # Passive OPEN: the SYN-ACK, a SYN in SYN-RECEIVED ----------------------------------------------------------------
    synack_backoff: BackOff = field(
        BackOff(), "time to wait after each SYN-ACK for the handshake's final ACK", unit="s", source="RFC 6298 2.1, 5.5"
    )
    synack_retries: int = field(
        7,
        "SYN-ACK retransmissions by the timer before a SYN-RECEIVED entry is deleted",
        unit="retransmissions",
        source="RFC 9293 3.8.3, MUST-23: R2 >= 180 s; net.ipv4.tcp_synack_retries",
        allowed=_RETRIES,
    )
    synack_ratelimit: float = field(
        0.0,
        "minimum time between two SYN-ACKs that answer retransmitted SYNs",
        unit="s",
        source="RFC 9293 has none; net.ipv4.tcp_invalid_ratelimit",
        allowed=_DURATION,
    )
    handshake: Handshake = field(
        "three-way",
        "when a passive OPEN enters ESTABLISHED. three-way: on the ACK of its own SYN; two-way: already on the peer's "
        "SYN (to show what the final ACK is for); four-way: as three-way, but its SYN and its ACK are two segments",
        source="RFC 9293 3.5; Attiya and Rappoport 1997",
    )
    duplicate_syn: DuplicateSyn = field(
        "ack",
        "what answers a retransmitted SYN in SYN-RECEIVED. ack: an ACK, as for any segment outside the window; synack: "
        "the SYN-ACK (FreeBSD); synack-rearm: the SYN-ACK, and its retransmission timer starts again (Linux)",
        source="RFC 9293 3.10.7.4; sys/netinet/tcp_syncache.c; net/ipv4/tcp_minisocks.c",
    )
    crossed_synack: Literal["accept", "refuse", "accept-and-ack"] = field(
        "accept",
        "what SYN-RECEIVED does with the peer's SYN-ACK of a simultaneous open. accept: it completes the handshake, as "
        "figure 7 shows; refuse: its sequence number lies before the window, so step one of 3.10.7.4 drops it; "
        "accept-and-ack: it completes the handshake and is acknowledged (Linux)",
        source="RFC 9293 3.5, figure 7, and appendix A.2; net/ipv4/tcp_input.c",
    )
    syn_fin: Literal["accept", "drop"] = field(
        "accept",
        "what LISTEN does with a SYN that also carries FIN. accept: the FIN is processed after the handshake; drop: "
        "the segment is ignored",
        source="RFC 9293 3.10.7.2; net.inet.tcp.drop_synfin",
    )
    syn_data: Literal["queue", "queue-active-open", "drop", "accept"] = field(
        "queue",
        "what happens to data on a SYN without Fast Open. queue: it is delivered once the connection is ESTABLISHED; "
        "queue-active-open: so in a simultaneous open, but a listener ignores it (FreeBSD); drop: it is ignored, and "
        "the peer must retransmit it; accept: it is delivered immediately, against the RFC",
        source="RFC 9293 3.10.7.2; sys/netinet/tcp_syncache.c",
    )

    # Listener: SYN queue, accept queue, SYN cookies ------------------------------------------------------------------
    somaxconn: int = field(
        4096,
        "maximum backlog of a listener; listen() cuts a larger one silently",
        unit="connections",
        source="RFC 9293 is silent; net.core.somaxconn",
        allowed=_COUNT,
    )
    backlog_slack: int = field(
        0,
        "connections that the accept queue holds beyond its backlog",
        unit="connections",
        source="RFC 9293 is silent; include/net/sock.h: sk_acceptq_is_full",
        allowed=(0, 1),
    )
    abort_on_overflow: bool = field(
        False,
        "whether the handshake's final ACK draws a RST when the accept queue is full; otherwise it is ignored",
        source="RFC 9293 is silent; net.ipv4.tcp_abort_on_overflow",
    )
    defer_accept: float | None = field(
        None,
        "time for which a passive OPEN waits for the peer's first data before accept() sees it; none: it does not wait",
        unit="s",
        source="RFC 9293 is silent; tcp(7), TCP_DEFER_ACCEPT",
        allowed=_DURATION,
    )
    max_syn_backlog: int | None = field(
        None,
        "maximum number of SYN-RECEIVED entries of a listener; none: its backlog",
        unit="entries",
        source="RFC 9293 is silent; net.ipv4.tcp_max_syn_backlog",
        allowed=_COUNT,
    )
    max_syn_backlog_rule: Literal["ceiling", "reserve-quarter"] = field(
        "ceiling",
        "how max_syn_backlog limits the SYN queue. ceiling: it is the maximum; reserve-quarter: its last quarter is "
        "reserved for peers that are known to be alive (a listener here knows none), and with SYN cookies it limits "
        "nothing (Linux)",
        source="RFC 9293 is silent; net/ipv4/tcp_input.c: tcp_conn_request",
    )
    syn_queue_full: Literal["drop", "recycle-oldest", "random-drop"] = field(
        "drop",
        "what a SYN does that finds the SYN queue full. drop: it is ignored; recycle-oldest: it evicts the oldest "
        "entry; random-drop: it evicts a random entry",
        source="RFC 4987 3.4",
    )
    syncache_hashsize: int | None = field(
        None,
        "number of buckets of a SYN cache, which replaces the SYN queue; none: there is no SYN cache",
        unit="buckets",
        source="RFC 4987 3.5; net.inet.tcp.syncache.hashsize",
        allowed=(1, 1 << 24),
    )
    syncache_bucketlimit: int = field(
        30,
        "maximum number of entries in a bucket of the SYN cache; beyond it the bucket's oldest is evicted",
        unit="entries",
        source="net.inet.tcp.syncache.bucketlimit",
        allowed=(1, 1 << 24),
    )
    syn_queue_entry_bytes: int = field(
        280,
        "memory of a SYN-RECEIVED entry",
        unit="bytes",
        source="RFC 4987 2.1: 280 to over 1300",
        allowed=(1, 1 << 20),
    )
    synack_pruning: bool = field(
        False,
        "whether old SYN-RECEIVED entries get fewer SYN-ACK retransmissions (two at least) while the SYN queue is more "
        "than half full",
        source="RFC 4987 3.3 shortens the timer; net/ipv4/inet_connection_sock.c: reqsk_timer_handler",
    )
    syn_cookies: Literal["off", "on-overflow", "always"] = field(
        "off",
        "when a SYN is answered with a SYN cookie, which leaves no SYN-RECEIVED entry. off: never; on-overflow: while "
        "the SYN queue is full; always: every SYN",
        source="RFC 4987 3.6; net.ipv4.tcp_syncookies 0, 1, 2",
    )
    syn_cookie: SynCookie = field(
        BernsteinCookie(), "which layout a SYN cookie has: what its 32 bits carry", source="RFC 4987 appendix A"
    )
    syn_cookie_key: str | None = field(
        None,
        "key of the SYN cookies' hash, 0 to 64 bytes in hexadecimal; none: the host's own random secret",
        source="RFC 4987 3.6",
    )
    syn_cookie_recent: float | None = field(
        None,
        "time after the last SYN cookie for which ACKs are checked for cookies; none: they always are",
        unit="s",
        source="net/ipv4/syncookies.c: tcp_synq_no_recent_overflow",
        allowed=_DURATION,
    )

    # Fast Open -------------------------------------------------------------------------------------------------------
    fast_open: Literal["off", "client", "server", "both"] = field(
        "off",
        "which roles of Fast Open this host plays. off: none; client: it sends cookies and data on SYNs; server: it "
        "grants cookies and accepts such data; both: client and server",
        source="RFC 7413 4.2: off by default; net.ipv4.tcp_fastopen",
    )
    fast_open_cookie: int = field(
        8,
        "size of the server's Fast Open cookie, an even number",
        unit="bytes",
        source="RFC 7413 4.1.1; include/net/tcp.h",
        allowed=(4, 16),
    )
    fast_open_queue: int = field(
        16,
        "maximum number of a listener's Fast Open connections in SYN-RECEIVED; beyond it (with 0: always) a SYN gets "
        "the usual handshake",
        unit="connections",
        source="RFC 7413 5.1: PendingFastOpenRequests, a number that the host chooses",
        allowed=_COUNT,
    )
    fast_open_synack_wait: float | None = field(
        None,
        "time for which a SYN-ACK that acknowledges data waits for the server's data to carry; none: it is immediate",
        unit="s",
        source="RFC 7413 4.2.2: MAY carry data; net/ipv4/tcp_fastopen.c sends immediately",
        allowed=_DURATION,
    )
    fast_open_without_cookie: bool = field(
        False,
        "whether a client sends data on its SYN even without a cookie",
        source="RFC 7413 4.2.1 asks for one; net.ipv4.tcp_fastopen, bit 4",
    )
    fast_open_cookie_optional: bool = field(
        False,
        "whether a server accepts data on a SYN even without a cookie",
        source="RFC 7413 4.2.2 asks for one; net.ipv4.tcp_fastopen, bit 0x200",
    )
    fast_open_experimental: bool = field(
        False,
        "whether a server also understands a cookie in the experimental option (kind 254)",
        source="RFC 7413 4.1.1, RFC 6994; net/ipv4/tcp_input.c: tcp_parse_fastopen_option",
    )

    # Options that the SYN negotiates: MSS, window scale, timestamps, SACK, ECN ---------------------------------------
    mss: int = field(
        1460,
        "MSS that this host announces, and the largest segment that it sends",
        unit="bytes",
        source="RFC 9293 3.7.1: MTU 1500 - 40",
        allowed=(1, 65535),
    )
    announce_mss: bool = field(
        True, "whether the SYN carries the MSS option", source="RFC 9293 3.7.1, SHLD-5; tcp(7), TCP_NOOPT"
    )
    mss_default: int = field(
        536,
        "MSS that is assumed when the peer announces none",
        unit="bytes",
        source="RFC 9293 3.7.1, MUST-15",
        allowed=(1, 65535),
    )
    window_scale: int | None = field(
        None,
        "shift count that the SYN's window scale option offers; none: the option is not offered",
        unit="bits",
        source="RFC 7323 2.2; net.ipv4.tcp_window_scaling",
        allowed=(0, 14),
    )
    timestamps: bool = field(
        False,
        "whether timestamps are offered (and with them PAWS, which drops segments with an old timestamp)",
        source="RFC 7323 3; net.ipv4.tcp_timestamps",
    )
    ts_tick: float = field(
        0.001, "tick of the timestamp clock", unit="s", source="RFC 7323 5.4: 1 ms to 1 s", allowed=(59e-9, 1.0)
    )
    ts_recent_update: Literal["window", "ack"] = field(
        "window",
        "which segments update TS.Recent. window: those in the window that RFC 7323 names; ack: of these, the ones "
        "whose ACK is acceptable too (Linux)",
        source="RFC 7323 4.3; net/ipv4/tcp_input.c: tcp_ack",
    )
    missing_timestamp: Literal["drop", "accept"] = field(
        "drop",
        "what happens to a segment without a timestamp once timestamps are negotiated. drop: it is ignored; accept: it "
        "is processed",
        source="RFC 7323 3.2: SHOULD silently drop; net.inet.tcp.tolerate_missing_ts",
    )
    sack: bool = field(False, "whether selective acknowledgments are offered", source="RFC 2018 2; net.ipv4.tcp_sack")
    sack_fin: bool = field(
        False,
        "whether SACK blocks include the sequence number of a FIN, and not only data",
        source="RFC 2018 speaks of data; net/ipv4/tcp_input.c: tcp_data_queue",
    )
    sack_ends_with_fin: bool = field(
        False,
        "whether the peer's FIN ends the sending of SACK blocks, so that duplicates before it are no longer reported",
        source="RFC 2883 is silent; net/ipv4/tcp_input.c: tcp_fin",
    )
    dsack: bool = field(
        True,
        "whether a SACK block reports data that arrived twice (D-SACK), where SACK is negotiated",
        source="RFC 2883 4; net.ipv4.tcp_dsack",
    )
    ecn: Literal["off", "accept", "request"] = field(
        "off",
        "explicit congestion notification. off: never; accept: if the peer's SYN asks for it; request: the SYN asks "
        "for it too",
        source="RFC 3168 6.1.1; net.ipv4.tcp_ecn 0, 2, 1",
    )
    ecn_syn_retries: int = field(
        0,
        "number of SYN retransmissions that still ask for ECN",
        unit="retransmissions",
        source="RFC 3168 6.1.1.1; net.inet.tcp.ecn.maxretries",
        allowed=_RETRIES,
    )
    authentication_key: str | None = field(
        None, "key with which all segments are authenticated; none: segments carry no MAC", source="RFC 5925 (TCP-AO)"
    )

    # Segments that arrive: the checks of 3.10.7.4, in their order ----------------------------------------------------
    window_edge: Literal["rfc9293", "inclusive"] = field(
        "rfc9293",
        "whether the sequence number RCV.NXT+RCV.WND is acceptable. rfc9293: it is not; inclusive: it is (Linux)",
        source="RFC 9293 3.10.7.4, first; net/ipv4/tcp_input.c: tcp_sequence",
    )
    old_segment: Literal["discard", "process-ack"] = field(
        "discard",
        "what happens to a segment that lies wholly before the window, once it is answered with an ACK. discard: "
        "nothing more; process-ack: its ACK field is processed (FreeBSD)",
        source="RFC 9293 3.10.7.4, first; sys/netinet/tcp_input.c",
    )
    rst_policy: Literal["rfc5961", "rfc793"] = field(
        "rfc5961",
        "which RST in the window resets the connection. rfc5961: only one at RCV.NXT, others draw a challenge ACK; "
        "rfc793: any",
        source="RFC 9293 3.10.7.4, second; RFC 5961 3; net.inet.tcp.insecure_rst",
    )
    reset_errors: Literal["rfc9293", "refused-or-reset", "reset-or-broken-pipe"] = field(
        "rfc9293",
        "which error a RST gives the user. rfc9293: connection refused in SYN-RECEIVED, connection reset later, none "
        "in CLOSING and LAST-ACK; refused-or-reset: connection reset in these two as well (FreeBSD); "
        "reset-or-broken-pipe: connection reset in all states, but broken pipe in CLOSE-WAIT (Linux)",
        source="RFC 9293 3.10.7.4, second; sys/netinet/tcp_input.c; net/ipv4/tcp_input.c: tcp_reset",
    )
    syn_policy: Literal["rfc5961", "rfc793"] = field(
        "rfc5961",
        "what a SYN on a synchronized connection does. rfc5961: it draws a challenge ACK; rfc793: in the window it "
        "resets the connection",
        source="RFC 9293 3.10.7.4, fourth; RFC 5961 4; net.inet.tcp.insecure_syn",
    )
    syn_reset: Literal["answer", "abort"] = field(
        "answer",
        "how the RST is numbered that answers a SYN in the window (syn_policy rfc793). answer: as a reply to the SYN; "
        "abort: as the RST of an ABORT call (FreeBSD)",
        source="RFC 793 3.4, reset generation; sys/netinet/tcp_input.c",
    )
    ack_policy: Literal["rfc5961", "rfc793"] = field(
        "rfc5961",
        "which old ACK is acceptable. rfc5961: one at most MAX.SND.WND below SND.UNA, others draw a challenge ACK; "
        "rfc793: any, it is ignored as a duplicate",
        source="RFC 9293 3.10.7.4, fifth, MAY-12; RFC 5961 5",
    )
    future_ack: Literal["answer", "silent"] = field(
        "answer",
        "what answers an ACK of data that was not sent yet. answer: an ACK; silent: nothing in ESTABLISHED, a "
        "challenge ACK in later states (Linux)",
        source="RFC 9293 3.10.7.4, fifth; net/ipv4/tcp_input.c: tcp_rcv_established, tcp_rcv_state_process",
    )
    challenge_ack_limit: Rate | None = field(
        (10, 5.0),
        "maximum number of challenge ACKs of this host, and the time in which it counts; none: no limit",
        unit="ACKs, s",
        source="RFC 5961 7; net.ipv4.tcp_challenge_ack_limit",
        allowed="> 0",
    )
    invalid_ratelimit: float = field(
        0.0,
        "minimum time between two ACKs that answer unacceptable segments without data",
        unit="s",
        source="RFC 9293 has none; net.ipv4.tcp_invalid_ratelimit",
        allowed=_DURATION,
    )

    # ICMP errors -----------------------------------------------------------------------------------------------------
    icmp_opening: Literal["hard", "hard-or-repeated", "any", "ignore"] = field(
        "hard",
        "which ICMP errors end an OPEN. hard: hard ones (see icmp_hard); hard-or-repeated: also a second soft one "
        "after more than three SYN retransmissions (FreeBSD); any: all (Linux); ignore: none",
        source="RFC 9293 3.9.2.2, SHLD-26; sys/netinet/tcp_subr.c; net/ipv4/tcp_ipv4.c: tcp_v4_err",
    )
    icmp_synchronized: Literal["hard", "note"] = field(
        "hard",
        "what an ICMP error does to a synchronized connection. hard: a hard one ends it; note: none ends it, and the "
        "last one becomes the error of a later time-out",
        source="RFC 9293 3.9.2.2, SHLD-26; RFC 5927 5.2",
    )
    icmp_hard: Literal["rfc9293", "unreachable-or-prohibited"] = field(
        "rfc9293",
        "which ICMP errors are hard. rfc9293: protocol unreachable and port unreachable; unreachable-or-prohibited: "
        "also those that a filter sends, and time to live exceeded (FreeBSD)",
        source="RFC 9293 3.9.2.2; sys/netinet/tcp_subr.c: tcp_ctlinput",
    )
    pmtu_discovery: bool = field(
        True,
        "whether segments get smaller when an ICMP error says that one was too large for the path",
        source="RFC 9293 3.7.2; RFC 1191",
    )

    # ACKs: immediate or delayed --------------------------------------------------------------------------------------
    delayed_ack: float | None = field(
        0.2,
        "time for which an ACK is delayed (see delayed_ack_timer), to be piggybacked on data; none: all are immediate",
        unit="s",
        source="RFC 9293 3.8.6.3, MUST-40: < 0.5 s; net.inet.tcp.delacktime",
        allowed=(0, 0.5),
    )
    delayed_ack_timer: Literal["fixed", "adaptive"] = field(
        "fixed",
        "which ACKs are delayed, and for how long. fixed: all but the first quick_acks, for delayed_ack; adaptive: "
        "those of a connection that has answered data with data or whose peer has closed, for the time between the "
        "peer's segments, at least delayed_ack, or one clock tick while none is known (Linux)",
        source="RFC 9293 3.8.6.3; net/ipv4/tcp_input.c: __tcp_ack_snd_check; net/ipv4/tcp_output.c: "
        "tcp_send_delayed_ack",
    )
    ack_every_second: Literal["full-sized", "any-size"] = field(
        "full-sized",
        "which second unacknowledged segment draws an immediate ACK. full-sized: one that completes two MSS of data; "
        "any-size: any second segment (FreeBSD)",
        source="RFC 9293 3.8.6.3, SHLD-19; sys/netinet/tcp_input.c: DELAY_ACK",
    )
    quick_acks: int = field(
        0,
        "number of data segments whose ACKs are immediate before ACKs are delayed",
        unit="segments",
        source="RFC 9293 has none; net/ipv4/tcp_input.c: TCP_MAX_QUICKACKS",
        allowed=_COUNT,
    )
    fin_ack: Literal["immediate", "delayed"] = field(
        "immediate",
        "when a FIN in ESTABLISHED is acknowledged. immediate: without delay; delayed: as data is, so that the ACK can "
        "be piggybacked on this host's own FIN. In FIN-WAIT-1 and FIN-WAIT-2 the ACK of a FIN is always immediate",
        source="RFC 9293 3.10.7.4, eighth; 3.8.6.3",
    )
    fin_on_every_ack: bool = field(
        False,
        "whether every ACK carries this host's FIN again until that is acknowledged",
        source="RFC 9293 does not ask for it; sys/netinet/tcp_output.c",
    )

    # Retransmission timeout and R1, R2 -------------------------------------------------------------------------------
    rto_initial: float = field(
        1.0,
        "retransmission timeout (RTO) before the first RTT sample",
        unit="s",
        source="RFC 6298 2.1; net.inet.tcp.rexmit_initial",
        allowed=_POSITIVE,
    )
    rto_min: float = field(
        1.0, "minimum RTO", unit="s", source="RFC 6298 2.4; net.ipv4.tcp_rto_min_us", allowed=_DURATION
    )
    rto_max: float = field(
        128.0,
        "maximum RTO, also of the waits after a SYN or SYN-ACK",
        unit="s",
        source="RFC 6298 2.5: at least 60 s; net.ipv4.tcp_rto_max_ms",
        allowed=_POSITIVE,
    )
    rtt_variance: Literal["rfc6298", "peak"] = field(
        "rfc6298",
        "what the RTO adds to SRTT. rfc6298: four times RTTVAR; peak: the largest deviation of the last round trip, "
        "which falls by a quarter of the difference per round trip and rises little when the RTT falls (Linux)",
        source="RFC 6298 2.3; net/ipv4/tcp_input.c: tcp_rtt_estimator",
    )
    rto_variance_floor: float = field(
        0.0,
        "minimum of what the RTO adds to SRTT",
        unit="s",
        source="RFC 6298 has none; net/ipv4/tcp_input.c: tcp_rtt_estimator",
        allowed=_DURATION,
    )
    clock_granularity: float = field(
        0.0, "clock granularity G of the RTO's formula", unit="s", source="RFC 6298 2: exact timers", allowed=_DURATION
    )
    rto_after_syn_timeout: float | None = field(
        3.0,
        "RTO for data if the handshake gave no valid RTT sample (see rto_after_syn_timeout_rule) and rto_initial is "
        "less than 3 s; none: rto_initial",
        unit="s",
        source="RFC 6298 5.7",
        allowed=_POSITIVE,
    )
    rto_after_syn_timeout_rule: Literal["retransmitted", "no-rtt-sample"] = field(
        "retransmitted",
        "when rto_after_syn_timeout applies. retransmitted: if the timer retransmitted this host's SYN or SYN-ACK; "
        "no-rtt-sample: whenever the handshake gave no RTT sample, also because a SYN-ACK answered a second SYN or was "
        "a SYN cookie (Linux)",
        source="RFC 6298 5.7; net/ipv4/tcp_metrics.c: tcp_init_metrics",
    )
    retries1: int = field(
        3,
        "R1: retransmissions of a segment after which the user is notified",
        unit="retransmissions",
        source="RFC 9293 3.8.3, SHLD-10; net.ipv4.tcp_retries1",
        allowed=_RETRIES,
    )
    retries2: int | None = field(
        None,
        "R2: retransmissions of a segment after which the connection times out; none: user_timeout alone decides",
        unit="retransmissions",
        source="RFC 9293 3.8.3, SHLD-11; net.ipv4.tcp_retries2",
        allowed=_RETRIES,
    )
    r2_measure: Literal["count", "time"] = field(
        "count",
        "how R2 is measured. count: as a number of retransmissions; time: as the time that they take if the first RTO "
        "is rto_min, whatever the RTT of the path (Linux)",
        source="RFC 9293 3.8.3; net/ipv4/tcp_timer.c: retransmits_timed_out",
    )
    orphan_retries: int | None = field(
        None,
        "R2 of an orphaned connection, one that its user has closed; none: as retries2",
        unit="retransmissions",
        source="RFC 9293 has none; net.ipv4.tcp_orphan_retries",
        allowed=_RETRIES,
    )
    user_timeout: float | None = field(
        300.0,
        "time after which a connection with unacknowledged data times out; none: R2 alone decides",
        unit="s",
        source="RFC 793 3.8: five minutes; RFC 5482; tcp(7), TCP_USER_TIMEOUT",
        allowed=_POSITIVE,
    )
    timer_hz: int | None = field(
        None,
        "ticks per second of the kernel's timer wheel, which delays timers to its ticks; none: timers are exact",
        unit="Hz",
        source="RFC 9293 is silent; kernel/time/timer.c",
        allowed=(1, 10_000),
    )
    timer_phase: float | None = field(
        None,
        "reading of the timer wheel's clock at simulated time 0; none: a random one",
        unit="s",
        source="a real host's clock started before the simulation",
        allowed=(0, 1e6),
    )

    # Keep-alive ------------------------------------------------------------------------------------------------------
    keepalive: bool = field(
        False, "whether connections send keep-alive probes unless told otherwise", source="RFC 9293 3.8.4, MUST-25: off"
    )
    keepalive_idle: float = field(
        7200.0,
        "time without a segment from the peer before the first probe",
        unit="s",
        source="RFC 9293 3.8.4, MUST-27: at least 2 h; net.ipv4.tcp_keepalive_time",
        allowed=_POSITIVE,
    )
    keepalive_interval: float = field(
        75.0,
        "time between two probes",
        unit="s",
        source="RFC 9293 is silent; 4.4BSD; net.ipv4.tcp_keepalive_intvl",
        allowed=_POSITIVE,
    )
    keepalive_probes: int = field(
        9,
        "number of unanswered probes after which the connection times out",
        unit="probes",
        source="RFC 9293 is silent; net.ipv4.tcp_keepalive_probes",
        allowed=_RETRIES,
    )
    keepalive_rst: bool = field(
        False,
        "whether a connection that times out after unanswered probes sends a RST",
        source="RFC 9293 3.8.4 is silent; net/ipv4/tcp_timer.c",
    )

    # Buffers and windows ---------------------------------------------------------------------------------------------
    receive_buffer: int = field(
        65535,
        "size of the receive buffer, which is RCV.WND while it is empty",
        unit="bytes",
        source="RFC 9293 3.8.6; net.inet.tcp.recvspace",
        allowed=(1, (1 << 30) - 1),
    )
    buffer_rounding: bool = field(
        False,
        "whether the receive buffer is rounded up to a multiple of the MSS once the peer's MSS is known",
        source="RFC 9293 is silent; sys/netinet/tcp_input.c: tcp_mss",
    )
    receive_window: Literal["offered", "buffer"] = field(
        "offered",
        "what RCV.WND is if the buffer has more room than the header's window field can express. offered: what the "
        "field said; buffer: the room in the buffer (FreeBSD)",
        source="RFC 9293 3.8.6; sys/netinet/tcp_input.c",
    )
    window_update: Literal["segments", "doubled"] = field(
        "segments",
        "when the user's reading sends a window update. segments: once the window grows by two segments or half the "
        "buffer; doubled: once it doubles (Linux)",
        source="RFC 9293 3.8.6.2.2; net/ipv4/tcp.c: __tcp_cleanup_rbuf",
    )
    zero_window_probe: Literal["one-byte", "empty"] = field(
        "one-byte",
        "what a zero-window probe carries. one-byte: one byte of new data; empty: no data, and a sequence number that "
        "was acknowledged already (Linux)",
        source="RFC 9293 3.8.6.1; net/ipv4/tcp_output.c: tcp_xmit_probe_skb",
    )
    send_buffer: int = field(
        1 << 20,
        "number of bytes that may be unacknowledged or unsent before a SEND waits",
        unit="bytes",
        source="RFC 9293 3.10.2; net.inet.tcp.sendspace",
        allowed=(1, 1 << 40),
    )
    notsent_lowat: int | None = field(
        None,
        "number of unsent bytes at which a SEND waits; none: only send_buffer limits it",
        unit="bytes",
        source="RFC 9293 has none; net.ipv4.tcp_notsent_lowat",
        allowed=(1, 1 << 32),
    )

    # When data is sent -----------------------------------------------------------------------------------------------
    nagle: bool = field(
        True,
        "whether a small segment is delayed while data is unacknowledged (Nagle's algorithm)",
        source="RFC 9293 3.7.4, SHLD-7; tcp(7), TCP_NODELAY",
    )
    nagle_minshall: bool = field(
        False,
        "whether only an unacknowledged small segment delays another small one (Minshall's variant of Nagle's "
        "algorithm)",
        source="RFC 9293 3.7.4 has none; net/ipv4/tcp_output.c: tcp_minshall_check",
    )
    cork: bool = field(
        False,
        "whether a segment of less than full size waits for more data, for one RTO at most",
        source="RFC 9293 has none; tcp(7), TCP_CORK",
    )
    min_tso_segs: int | None = field(
        None,
        "minimum number of full segments that are handed to the network interface together, the last of which carries "
        "PSH; none: only the last segment of the data carries PSH",
        unit="segments",
        source="RFC 9293 3.9.1.2; net.ipv4.tcp_min_tso_segs",
        allowed=(1, 65535),
    )
    abort_rst_ack: bool = field(
        False, "whether the RST of an ABORT call carries ACK", source="RFC 9293 3.10.5: it does not"
    )
    abort_rst_timestamps: bool = field(
        False,
        "whether the RST of an ABORT call carries timestamps, where they are negotiated",
        source="RFC 7323 3.2: RECOMMENDED",
    )

    # Congestion control ----------------------------------------------------------------------------------------------
    congestion: Literal["newreno", "cubic", "none"] = field(
        "newreno",
        "congestion control. newreno: Reno with fast recovery; cubic: CUBIC; none: only the peer's window limits the "
        "sender",
        source="RFC 5681, RFC 6582; RFC 9438, net/ipv4/tcp_cubic.c; net.ipv4.tcp_congestion_control",
    )
    initial_window: int = field(
        10, "initial congestion window", unit="segments", source="RFC 6928 2", allowed=(1, 1 << 20)
    )
    initial_window_after_loss: Literal["rfc5681", "two-retransmissions"] = field(
        "rfc5681",
        "when the initial window is one segment. rfc5681: if the SYN or SYN-ACK was retransmitted; "
        "two-retransmissions: if the SYN was retransmitted at least twice, SYN-ACKs do not count (Linux)",
        source="RFC 5681 3.1; net/ipv4/tcp_input.c: tcp_init_transfer",
    )
    slow_start_growth: int | None = field(
        1,
        "maximum growth of the congestion window per ACK in slow start; none: by all that the ACK acknowledges",
        unit="segments",
        source="RFC 5681 3.1; RFC 3465 2.2: the limit L; net.inet.tcp.abc_l_var",
        allowed=(1, 1 << 20),
    )
    cwnd_validation: bool = field(
        False,
        "whether the congestion window grows only while it limits the sender (in slow start: while half of it is used)",
        source="RFC 5681 is silent; RFC 7661; net/ipv4/tcp_output.c: tcp_cwnd_validate",
    )
    idle_restart: Literal["none", "rfc5681", "halved"] = field(
        "rfc5681",
        "congestion window after more than an RTO without sending. rfc5681: at most the initial window; halved: halved "
        "for each RTO, down to the initial window (Linux); none: unchanged",
        source="RFC 5681 4.1; net.ipv4.tcp_slow_start_after_idle",
    )

    # Loss recovery ---------------------------------------------------------------------------------------------------
    limited_transmit: bool = field(
        True, "whether each of the first two duplicate ACKs lets a new segment be sent", source="RFC 3042"
    )
    loss_response: Literal["half", "prr"] = field(
        "half",
        "how a loss reduces the sending rate. half: to half of what is in flight, immediately; prr: to a share of the "
        "congestion window (Reno: half, CUBIC: 0.7), in proportion to what is delivered (proportional rate reduction)",
        source="RFC 5681 3.1, RFC 6675 5; RFC 9438 4.6, RFC 6937; net/ipv4/tcp_input.c: tcp_cwnd_reduction",
    )
    rack: bool = field(
        False,
        "whether a segment counts as lost once a segment sent later was delivered and a quarter of the RTT has passed "
        "(RACK), where SACK is negotiated",
        source="RFC 8985 6; net/ipv4/tcp_recovery.c",
    )
    tail_loss_probe: bool = field(
        False,
        "whether, after two round trips without an ACK, one segment is sent as a probe before the RTO (TLP), where "
        "SACK is negotiated; the RTO then starts again",
        source="RFC 8985 7; net.ipv4.tcp_early_retrans",
    )
    frto: bool = field(
        False,
        "whether, after an RTO, the next ACK lets new data be sent, so that the ACK after it shows if the RTO was "
        "spurious (F-RTO)",
        source="RFC 5682 2.1, 3.1; net.ipv4.tcp_frto",
    )
    undo: bool = field(
        False,
        "whether a loss recovery that timestamps or D-SACK show to be spurious is undone: the congestion window and "
        "ssthresh become what they were before",
        source="RFC 4015 3; RFC 3708; net/ipv4/tcp_input.c: tcp_undo_cwnd_reduction",
    )

    # FIN-WAIT-2 and TIME-WAIT ----------------------------------------------------------------------------------------
    fin_wait_2_timeout: float | None = field(
        None,
        "time after which FIN-WAIT-2 ends if its user has closed the socket; none: it waits for the peer's FIN forever",
        unit="s",
        source="RFC 9293 has none; net.ipv4.tcp_fin_timeout",
        allowed=_DURATION,
    )
    fin_wait_2_floor: float = field(
        0.0,
        "minimum of fin_wait_2_timeout, as a multiple of the RTO",
        unit="RTO",
        source="RFC 9293 is silent; include/net/tcp.h: tcp_fin_time",
        allowed=(0, 100),
    )
    time_wait: float = field(
        240.0,
        "length of TIME-WAIT: 2 MSL",
        unit="s",
        source="RFC 9293 3.6.1, MUST-13; net.inet.tcp.msl",
        allowed=_DURATION,
    )
    time_wait_restart: Literal["never", "fin", "any"] = field(
        "fin",
        "what restarts the TIME_WAIT timer. fin: a retransmitted FIN; any: every unacceptable segment with ACK "
        "(Linux); never: nothing, because step one of 3.10.7.4 refuses the retransmitted FIN's sequence number",
        source="RFC 9293 3.10.7.4, eighth; net/ipv4/tcp_minisocks.c",
    )
    time_wait_reuse: Literal["none", "rfc1122", "rfc6191", "sequence", "sequence-or-timestamp"] = field(
        "none",
        "which new SYN opens a connection out of TIME-WAIT. none: no SYN; rfc1122: one beyond the FIN's sequence "
        "number; rfc6191: with timestamps, one with a newer timestamp, otherwise as rfc1122; sequence: one beyond "
        "RCV.NXT (FreeBSD); sequence-or-timestamp: one beyond RCV.NXT or with a newer timestamp (Linux)",
        source="RFC 9293 3.6.1, MAY-2; RFC 6191 2; net/ipv4/tcp_minisocks.c",
    )
    time_wait_rst: Literal["accept", "ignore", "ignore-2s"] = field(
        "accept",
        "what a RST does in TIME-WAIT. accept: it ends TIME-WAIT; ignore: nothing (fix F1 of RFC 1337); ignore-2s: "
        "nothing in the first two seconds (fix F2, for use with timestamps)",
        source="RFC 9293 3.10.7.4, second; RFC 1337 4; net.ipv4.tcp_rfc1337",
    )
    time_wait_ack: Literal["fin", "any"] = field(
        "fin",
        "which acceptable segments are acknowledged in TIME-WAIT. fin: a retransmitted FIN; any: all but the ACK that "
        "is expected",
        source="RFC 9293 3.10.7.4, fifth; net/ipv4/tcp_minisocks.c; sys/netinet/tcp_timewait.c",
    )
    time_wait_checks: Literal["rfc9293", "no-window"] = field(
        "rfc9293",
        "which checks a segment meets in TIME-WAIT. rfc9293: those of 3.10.7.4; no-window: a RST or a segment without "
        "ACK is dropped, everything else but the expected ACK is acknowledged, the window is not looked at (FreeBSD)",
        source="RFC 9293 3.10.7.4; sys/netinet/tcp_timewait.c: tcp_twcheck",
    )
    time_wait_no_ack: Literal["process", "drop"] = field(
        "process",
        "what happens in TIME-WAIT to a segment with neither ACK nor SYN. process: it meets the usual checks; drop: it "
        "is ignored (FreeBSD)",
        source="RFC 9293 3.10.7.4; sys/netinet/tcp_timewait.c: tcp_twcheck",
    )

    ns: Any = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check(self)
        if not self.rto_min <= self.rto_max:
            raise ValueError(f"rto_max = {self.rto_max!r}: must be a number >= rto_min = {self.rto_min!r} s")
        if self.fast_open_cookie % 2:
            raise ValueError(f"fast_open_cookie = {self.fast_open_cookie!r}: must be an even number in [4, 16] bytes")
        if self.syn_cookie_key is not None:
            key_of(self.syn_cookie_key)
        object.__setattr__(self, "ns", _in_nanoseconds(self))

    def replace(self, **changes: Any) -> "TcpConfig":
        """This configuration with some fields changed. ValueError for an unknown field or a bad value."""
        known = {f.name for f in dataclasses.fields(self) if f.init}
        for name in changes:
            if name not in known:
                raise ValueError(f"{name}: no such field of TcpConfig; fields are {', '.join(sorted(known))}")
        return dataclasses.replace(self, **changes)

    @property
    def syn_transmissions(self) -> int:
        """Number of SYNs that an active OPEN sends before it fails: the first, the linear ones and the retries."""
        return 1 + self.syn_retries + self.syn_backoff.linear

    @property
    def open_timeout(self) -> float | None:
        """Seconds after which an active OPEN fails at the latest: its own timeout, else the user timeout."""
        return self.connect_timeout if self.connect_timeout is not None else self.user_timeout

    def syn_intervals(self) -> tuple[float, ...]:
        """Seconds to wait after each SYN; after their sum the OPEN fails."""
        return self.syn_backoff.intervals(self.syn_transmissions, maximum=self.rto_max)

    def synack_intervals(self) -> tuple[float, ...]:
        """Seconds to wait after each SYN-ACK; their sum is the lifetime of a SYN-RECEIVED entry."""
        transmissions = 1 + self.synack_retries + self.synack_backoff.linear
        return self.synack_backoff.intervals(transmissions, maximum=self.rto_max)


def _durations() -> tuple[str, ...]:
    """The fields that are durations: numbers whose unit is the second."""
    hints = get_type_hints(TcpConfig)
    seconds = (f.name for f in dataclasses.fields(TcpConfig) if f.init and f.metadata["unit"] == "s")
    return tuple(name for name in seconds if float in (hints[name], *get_args(hints[name])))


_DURATIONS: Final = _durations()
# Slots, because the core reads them for every segment.
Nanoseconds: Final = make_dataclass(
    "Nanoseconds",
    [*_DURATIONS, "syn_intervals", "synack_intervals", "open_timeout"],
    namespace={"__doc__": "The durations of a ``TcpConfig`` in integer nanoseconds.", "__module__": __name__},
    frozen=True,
    slots=True,
)


def _in_nanoseconds(config: TcpConfig) -> Any:
    return Nanoseconds(
        *[_ns(getattr(config, name)) for name in _DURATIONS],
        tuple(map(_ns, config.syn_intervals())),
        tuple(map(_ns, config.synack_intervals())),
        _ns(config.open_timeout),
    )


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)
