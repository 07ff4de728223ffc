"""``TcpConfig``: every policy and constant of an endpoint, each with its unit and source.

The defaults are those of RFC 9293; ``netsim.tcp.profiles`` holds other hosts'. Durations are seconds, sizes bytes.
Where the RFC's text, its figures and real kernels differ, a named policy decides.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_type_hints

from netsim.tcp import bursts, choices, prr, sending, timing
from netsim.tcp.backoff import BackOff
from netsim.tcp.cookies import BernsteinCookie, SynCookie, key_of
from netsim.tcp.durations import Nanoseconds, in_nanoseconds
from netsim.tcp.isn import HashIsn, IsnPolicy
from netsim.tcp.policy import Rate, check, policy, retries, seconds
from netsim.tcp.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConfig:
    """All that distinguishes one host's TCP from another's. Frozen; ``replace`` gives a variant.

    ValueError names the field, its value and what is allowed.
    """

    name: str = policy("rfc9293", "the profile this configuration started from", "")

    # Opening
    syn_backoff: BackOff = policy(BackOff(), "waits after each SYN", "RFC 6298 2.1, 5.5", "s")
    syn_retries: int = retries(
        7, "SYN retransmissions (linear ones not counted)", "RFC 9293 3.8.3, MUST-23: R2 >= 180 s"
    )
    synack_backoff: BackOff = policy(BackOff(), "waits after each SYN-ACK", "RFC 6298 2.1, 5.5", "s")
    synack_retries: int = retries(7, "SYN-ACK retransmissions by timer", "RFC 9293 3.8.3, MUST-23: R2 >= 180 s")
    connect_timeout: float | None = seconds(
        None, "user timeout of an active OPEN", "RFC 9293 3.10.1: optional", least=1e-9
    )
    isn: IsnPolicy = policy(HashIsn(), "choice of the initial sequence number", "RFC 9293 3.4.1; RFC 6528 3")
    crossed_synack: choices.CrossedSynAck = policy(
        "figure",
        "a SYN-ACK that crosses ours in SYN-RECEIVED: taken (figure 7), refused by its number (literal 3.10.7.4), "
        "or taken and acknowledged (linux)",
        "RFC 9293 figure 7 and appendix A.2; net/ipv4/tcp_input.c",
    )
    handshake: choices.Handshake = policy(
        "three-way",
        "a passive OPEN is ESTABLISHED on the SYN (two-way), on the ACK of its own SYN, or so with SYN and ACK apart "
        "(four-way)",
        "RFC 9293 3.5; Attiya and Rappoport 1997",
    )
    syn_plain_after: int | None = retries(
        None,
        "SYN retransmissions after which only the MSS is left of its options; None: never",
        "RFC 9293 is silent; net.inet.tcp.rexmit_drop_options",
    )
    ecn: choices.EcnPolicy = policy(
        "off", "ECN: not at all, where the peer asks for it, or asked for on the SYN", "RFC 3168 6.1.1"
    )
    ecn_syn_retries: int = retries(
        0, "SYN retransmissions that still ask for ECN", "RFC 3168 6.1.1.1; net.inet.tcp.ecn.maxretries"
    )
    duplicate_syn: choices.DuplicateSyn = policy(
        "ack",
        "a repeated SYN in SYN-RECEIVED draws: a bare ACK (literal text), a SYN-ACK (BSD), or a SYN-ACK and a "
        "restarted SYN-ACK timer (Linux)",
        "RFC 9293 3.10.7.4; sys/netinet/tcp_syncache.c; net/ipv4/tcp_minisocks.c",
    )
    syn_data: choices.SynData = policy(
        "hold",
        "text on a SYN: held until ESTABLISHED, or so by an active OPEN alone; dropped; taken at once",
        "RFC 9293 3.10.7.2; sys/netinet/tcp_syncache.c",
    )
    fast_open: choices.FastOpen = policy(
        "off", "Fast Open: which roles this host plays", "RFC 7413 4.2: off by default"
    )
    fast_open_cookie: int = policy(
        8, "size of the server's cookie: 4 to 16, even", "RFC 7413 4.1.1; include/net/tcp.h", "bytes", allowed=(4, 16)
    )
    fast_open_queue: int = policy(
        16,
        "connections of one listener that Fast Open keeps in SYN-RECEIVED, at most; 0: always the usual handshake",
        "RFC 7413 5.1: PendingFastOpenRequests; the number is a choice",
        allowed=(0, 1 << 31),
    )
    fast_open_synack_wait: float | None = seconds(
        None,
        "how long a SYN-ACK that acknowledges text waits for text to carry; None: it is sent at once",
        "RFC 7413 4.2.2: MAY carry text; net/ipv4/tcp_fastopen.c sends at once",
    )
    fast_open_without_cookie: bool = policy(
        False, "a client's SYN carries text even without a cookie", "RFC 9293 3.4; net.ipv4.tcp_fastopen, bit 4"
    )
    syn_fin: Literal["accept", "drop"] = policy("accept", "a SYN that carries FIN, in LISTEN", "RFC 9293 3.10.7.2")

    ports: Ports = policy(
        Ports(), "choice of the local port of an active OPEN", "RFC 9293 is silent; RFC 6056 has better ones"
    )
    time_wait_open: Literal["refuse", "replace", "linux"] = policy(
        "refuse",
        "an active OPEN of a four-tuple that this end holds in TIME-WAIT: refused, or allowed; or with timestamps and "
        "after a second allowed, from an ISS beyond the old numbers (linux)",
        "RFC 9293 3.10.1: already exists; net.ipv4.tcp_tw_reuse = 1",
    )

    # Listener
    backlog_slack: int = policy(0, "entries that the accept queue takes beyond its backlog", "", "", allowed=(0, 1))
    somaxconn: int = policy(
        4096, "ceiling of a listener's backlog", "net.core.somaxconn; RFC 9293 is silent", allowed=(0, 1 << 31)
    )
    max_syn_backlog: int | None = policy(
        None, "half-open entries of one listener, at most; None: its backlog", "", allowed=(0, 1 << 31)
    )
    max_syn_backlog_rule: Literal["ceiling", "quarter"] = policy(
        "ceiling",
        "max_syn_backlog is a ceiling; or its last quarter is kept for peers proven to be alive, of whom a listener "
        "here knows none, and with SYN cookies nothing is kept (Linux)",
        "net/ipv4/tcp_input.c: tcp_conn_request",
    )
    syn_queue_full: Literal["drop", "recycle-oldest", "random-drop"] = policy(
        "drop",
        "a SYN that finds the SYN queue full is dropped, or drives out the oldest entry or a random one",
        "RFC 4987 3.4",
    )
    syncache_hashsize: int | None = policy(
        None,
        "buckets of a SYN cache, which takes the SYN queue's place; None: no cache",
        "RFC 4987 3.5; net.inet.tcp.syncache.hashsize",
        allowed=(1, 1 << 24),
    )
    syncache_bucketlimit: int = policy(
        30, "entries of one bucket", "net.inet.tcp.syncache.bucketlimit", allowed=(1, 1 << 24)
    )
    syn_cookies: Literal["off", "on-overflow", "always"] = policy(
        "off", "SYN-ACKs that carry a cookie and leave no entry", "RFC 4987 3.6; net.ipv4.tcp_syncookies 0, 1, 2"
    )
    syn_cookie: SynCookie = policy(BernsteinCookie(), "layout of the cookie", "RFC 4987 appendix A")
    syn_cookie_key: str | None = policy(
        None, "key of the cookies, hexadecimal; None: the host's own secret", "RFC 4987 3.6"
    )
    syn_cookie_recent: float | None = seconds(
        None,
        "ACKs are looked at for cookies only so long after one was sent; None: always",
        "net/ipv4/syncookies.c: tcp_synq_no_recent_overflow",
    )
    synack_pruning: bool = policy(
        False,
        "above half the backlog, old half-open entries get fewer SYN-ACKs, down to 3",
        "net/ipv4/inet_connection_sock.c: reqsk_timer_handler",
    )
    half_open_bytes: int = policy(
        280, "memory of a half-open entry", "RFC 4987 2.1: 280 to over 1300", "bytes", allowed=(1, 1 << 20)
    )
    defer_accept: float | None = seconds(
        None, "a passive OPEN waits so long for the peer's first text; None: not at all", "tcp(7), TCP_DEFER_ACCEPT"
    )
    abort_on_overflow: bool = policy(
        False, "accept queue full when the third segment comes: reset, or ignore it", "net.ipv4.tcp_abort_on_overflow"
    )

    # Acceptability
    rst_policy: choices.RstPolicy = policy(
        "rfc5961", "RST in the window: exact match and challenge ACK, or any", "RFC 9293 3.10.7.4; RFC 5961 3"
    )
    syn_policy: choices.SynPolicy = policy(
        "rfc5961", "SYN on a synchronized connection: challenge ACK, or reset", "RFC 9293 3.10.7.4; RFC 5961 4"
    )
    syn_reset: choices.SynReset = policy(
        "answer",
        "the RST for a SYN in the window (rfc793): numbered as an answer to the SYN, or as ABORT would send it",
        "RFC 793 3.4, reset generation; sys/netinet/tcp_input.c",
    )
    reset_errors: choices.ResetErrors = policy(
        "rfc9293",
        "what a RST tells the user: refused in SYN-RECEIVED and nothing after CLOSE-WAIT's FIN (rfc9293), refused in "
        "SYN-RECEIVED and reset in all later states (bsd), reset in all and a broken pipe in CLOSE-WAIT (linux)",
        "RFC 9293 3.10.7.4, second: RST; sys/netinet/tcp_input.c; net/ipv4/tcp_input.c, tcp_reset",
    )
    ack_policy: choices.AckPolicy = policy(
        "rfc5961", "old ACKs: bounded by MAX.SND.WND, or ignored", "RFC 9293 3.10.7.4, MAY-12; RFC 5961 5"
    )
    window_edge: choices.WindowEdge = policy(
        "rfc9293", "SEG.SEQ = RCV.NXT+RCV.WND lies outside the window, or inside (inclusive)", "RFC 9293 3.10.7.4"
    )
    old_segment: Literal["discard", "ack"] = policy(
        "discard",
        "a segment all of which lies before the window: discarded once it is answered, or its ACK field still counts",
        "RFC 9293 3.10.7.4, first: sequence number; sys/netinet/tcp_input.c",
    )
    icmp_opening: choices.IcmpOpening = policy(
        "hard",
        "ICMP errors that end an OPEN: hard ones; these, or the second soft one after three SYNs (bsd); any; none",
        "RFC 9293 3.9.2.2, SHLD-26; sys/netinet/tcp_subr.c; net/ipv4/tcp_ipv4.c, tcp_v4_err",
    )
    icmp_synchronized: Literal["hard", "note"] = policy(
        "hard",
        "ICMP errors that end a synchronized connection: hard ones, or none, and they only explain a time-out",
        "RFC 9293 3.9.2.2, SHLD-26; RFC 5927 5.2",
    )
    icmp_hard: Literal["rfc9293", "bsd"] = policy(
        "rfc9293",
        "which ICMP errors are hard: protocol and port unreachable; bsd adds those of filters and an exceeded TTL",
        "RFC 9293 3.9.2.2; sys/netinet/tcp_subr.c, tcp_ctlinput",
    )
    pmtu_discovery: bool = policy(
        True, "smaller segments when ICMP says that one was too large", "RFC 9293 3.7.2; RFC 1191"
    )
    challenge_ack_limit: Rate | None = policy(
        (10, 5.0), "challenge ACKs: (count, seconds); None: no limit", "RFC 5961 7"
    )
    invalid_ratelimit: float = seconds(
        0.0, "least time between ACKs that answer unacceptable segments", "net.ipv4.tcp_invalid_ratelimit"
    )
    synack_ratelimit: float = seconds(
        0.0, "least time between SYN-ACKs that answer repeated SYNs", "net.ipv4.tcp_invalid_ratelimit"
    )

    authentication_key: str | None = policy(
        None, "key of authenticated segments; None: segments carry no MAC", "RFC 5925 (TCP-AO)"
    )

    # Segments
    reset_timestamps: bool = policy(
        False, "the RST of ABORT carries timestamps where they are agreed on", "RFC 7323 3.2: RECOMMENDED"
    )
    abort_ack: bool = policy(False, "the RST of ABORT carries ACK", "RFC 9293 3.10.5: it does not")
    zero_window_probe: Literal["text", "empty"] = policy(
        "text", "a zero-window probe carries one byte, or none and an old number", "RFC 9293 3.8.6.1"
    )
    mss: int = policy(
        1460, "MSS announced, and the largest sent", "RFC 9293 3.7.1: 1500 - 40", "bytes", allowed=(1, 65535)
    )
    announce_mss: bool = policy(True, "the SYN carries the MSS option", "RFC 9293 3.7.1, SHLD-5; TCP_NOOPT")
    mss_default: int = policy(
        536, "MSS assumed when the peer announces none", "RFC 9293 3.7.1, MUST-15", "bytes", allowed=(1, 65535)
    )
    window_scale: int | None = policy(
        None, "shift offered on the SYN; None: option not offered", "RFC 7323 2.2", allowed=(0, 14)
    )
    syn_echo_check: bool = policy(
        False, "a SYN-ACK that echoes none of this OPEN's timestamps draws a RST", "tcp_rcv_synsent_state_process"
    )
    timestamps: bool = policy(False, "offer timestamps, and PAWS with them", "RFC 7323 3")
    ts_tick: float = policy(
        0.001, "tick of the timestamp clock", "RFC 7323 5.4: 1 ms to 1 s", "s", allowed=(59e-9, 1.0)
    )
    missing_timestamp: Literal["drop", "accept"] = policy(
        "drop", "a segment without the timestamp that was negotiated", "RFC 7323 3.2: SHOULD silently drop"
    )
    sack: bool = policy(False, "offer SACK-permitted", "RFC 2018 2")
    sack_fin: bool = policy(
        False, "SACK blocks count a FIN, which has a number, like text", "RFC 2018 speaks of data; Linux, tcp_input.c"
    )
    dsack: bool = policy(True, "report text that came twice, where SACK is agreed on", "RFC 2883 4; net.ipv4.tcp_dsack")
    receive_buffer: int = policy(
        65535, "room for received text; RCV.WND when empty", "RFC 9293 3.8.6", "bytes", allowed=(1, (1 << 30) - 1)
    )
    buffer_rounding: bool = policy(
        False,
        "the receive buffer is rounded up to whole segments once the peer's MSS is known",
        "RFC 9293 is silent; sys/netinet/tcp_input.c, tcp_mss",
    )
    receive_window: choices.ReceiveWindow = policy(
        "offered",
        "RCV.WND where the buffer has more room than the header's field can say: what was offered, or all of it",
        "RFC 9293 3.8.6; sys/netinet/tcp_input.c",
    )
    send_buffer: int = policy(
        1 << 20,
        "text a SEND may leave unacknowledged before it waits",
        "RFC 9293 3.10.2",
        "bytes",
        allowed=(1, 1 << 40),
    )
    nagle_small: bool = sending.NAGLE_SMALL
    nagle: bool = policy(True, "hold back a small segment while text is unacknowledged", "RFC 9293 3.7.4, SHLD-7")
    cork: bool = sending.CORK
    undo: bool = sending.UNDO
    frto: bool = sending.FRTO
    notsent_lowat: int | None = sending.NOTSENT_LOWAT
    congestion: choices.Congestion = policy("newreno", "congestion control, or none", "RFC 5681; RFC 6582")
    slow_start_growth: int | None = policy(
        1,
        "segments that one ACK may add in slow start; None: all that it acknowledges",
        "RFC 5681 3.1; RFC 3465 2.2",
        allowed=(1, 1 << 20),
    )
    limited_transmit: bool = policy(True, "the first two duplicate ACKs let new text go out", "RFC 3042")
    cwnd_validation: bool = policy(
        False,
        "the congestion window grows only while it is used: wholly, or in slow start by half",
        "RFC 5681 is silent; RFC 7661; net/ipv4/tcp_output.c, tcp_cwnd_validate",
    )
    initial_window_after_loss: Literal["rfc5681", "linux"] = policy(
        "rfc5681",
        "the initial window is one segment once the SYN or SYN-ACK was repeated; or, of an active OPEN, repeated twice",
        "RFC 5681 3.1; net/ipv4/tcp_input.c: tcp_init_transfer",
    )
    initial_window: int = policy(10, "initial congestion window", "RFC 6928 2", "segments", allowed=(1, 1 << 20))

    # Timers
    rto_initial: float = seconds(1.0, "RTO before the first sample", "RFC 6298 2.1", least=1e-9)
    rto_min: float = seconds(1.0, "least RTO", "RFC 6298 2.4")
    rto_max: float = seconds(128.0, "greatest RTO", "RFC 6298 2.5: at least 60 s", least=1e-9)
    rto_variance_floor: float = seconds(0.0, "least value of the 4 RTTVAR term", "RFC 6298 has none")
    rtt_variance: Literal["rfc6298", "peak"] = timing.RTT_VARIANCE
    rto_after_syn_timeout: float | None = seconds(
        3.0, "RTO for data after the SYN had to be repeated", "RFC 6298 5.7", least=1e-9
    )
    rto_fallback: Literal["timer", "no sample"] = timing.RTO_FALLBACK
    clock_granularity: float = seconds(0.0, "G of RFC 6298", "RFC 6298 2: exact timers")
    retries1: int = retries(3, "R1: retransmissions before the user is warned", "RFC 9293 3.8.3, SHLD-10")
    retries2: int | None = retries(
        None, "R2: retransmissions before the connection is given up", "RFC 9293 3.8.3; None: user timeout alone"
    )
    r2_measure: Literal["count", "time"] = timing.R2_MEASURE
    orphan_retries: int | None = retries(
        None, "R2 of a connection whose user has gone; None: as retries2", "net.ipv4.tcp_orphan_retries"
    )
    user_timeout: float | None = seconds(
        300.0, "text unacknowledged this long: give up; None: R2 alone", "RFC 793 3.8; RFC 5482", least=1e-9
    )
    window_update: Literal["segments", "doubled"] = timing.WINDOW_UPDATE
    rack: bool = timing.RACK
    loss_response: Literal["half", "proportional"] = prr.LOSS_RESPONSE
    loss_probe: bool = timing.LOSS_PROBE
    min_tso_segs: int | None = bursts.MIN_TSO_SEGS
    timeout_reset: bool = timing.TIMEOUT_RESET
    wrong_ack_repeat: float | None = timing.WRONG_ACK_REPEAT
    ack_clock: Literal["plain", "linux"] = timing.ACK_CLOCK
    delayed_ack: float | None = timing.DELAYED_ACK
    ack_second: Literal["full", "any"] = timing.ACK_SECOND
    fin_repeat: bool = timing.FIN_REPEAT
    quick_acks: int = timing.QUICK_ACKS
    fin_ack: Literal["immediate", "delayed"] = timing.FIN_ACK
    keepalive: bool = policy(False, "keep-alive probes by default", "RFC 9293 3.8.4, MUST-25: off")
    keepalive_idle: float = seconds(
        7200.0, "silence before the first probe", "RFC 9293 3.8.4, MUST-27: at least 2 h", least=1e-9
    )
    keepalive_interval: float = seconds(75.0, "between probes", "RFC 9293 is silent; 4.4BSD", least=1e-9)
    keepalive_probes: int = retries(
        9, "unanswered probes before the connection is given up", "RFC 9293 is silent; Linux"
    )
    time_wait: float = seconds(240.0, "length of TIME-WAIT; 2 MSL", "RFC 9293 3.6.1, MUST-13")
    fin_wait_2_timeout: float | None = seconds(None, "FIN-WAIT-2 without a user; None: for ever", "RFC 9293 has none")
    time_wait_restart: choices.TimeWaitRestart = timing.TIME_WAIT_RESTART
    time_wait_reuse: choices.TimeWaitReuse = timing.TIME_WAIT_REUSE
    time_wait_rst: Literal["accept", "ignore", "ignore-2s"] = timing.TIME_WAIT_RST
    time_wait_ack: Literal["fin", "any"] = timing.TIME_WAIT_ACK
    time_wait_input: Literal["rfc9293", "bsd"] = policy(
        "rfc9293", "TIME-WAIT: the usual checks, or FreeBSD's own, which know no window", "sys/netinet/tcp_timewait.c"
    )
    time_wait_no_ack: Literal["process", "drop"] = timing.TIME_WAIT_NO_ACK
    timer_hz: int | None = timing.TIMER_HZ
    timer_phase: float | None = timing.TIMER_PHASE

    ns: Nanoseconds = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            if f.init:
                check(f.name, getattr(self, f.name), _HINTS[f.name], f.metadata["allowed"])
        if not self.rto_min <= self.rto_max:
            raise ValueError(f"rto_max = {self.rto_max!r}: allowed is a number >= rto_min = {self.rto_min!r}")
        if self.fast_open_cookie % 2:
            raise ValueError(f"fast_open_cookie = {self.fast_open_cookie!r}: allowed is an even number from 4 to 16")
        if self.syn_cookie_key is not None:
            key_of(self.syn_cookie_key)
        object.__setattr__(self, "ns", in_nanoseconds(self))

    def replace(self, **changes: Any) -> "TcpConfig":
        """This configuration with some fields changed. ValueError for an unknown field or a bad value."""
        known = {f.name for f in dataclasses.fields(self) if f.init}
        for name in changes:
            if name not in known:
                raise ValueError(f"{name}: no such field of TcpConfig; fields are {', '.join(sorted(known))}")
        return dataclasses.replace(self, **changes)

    @property
    def syn_transmissions(self) -> int:
        """SYNs sent before an active OPEN gives up, the first and the linear ones included."""
        return 1 + self.syn_retries + self.syn_backoff.linear

    @property
    def open_timeout(self) -> float | None:
        """Seconds after which an active OPEN is given up at the latest: its own timeout, else the user timeout."""
        return self.connect_timeout if self.connect_timeout is not None else self.user_timeout

    def syn_intervals(self) -> tuple[float, ...]:
        """Seconds waited after each SYN; their sum is when the OPEN gives up."""
        return self.syn_backoff.intervals(self.syn_transmissions, maximum=self.rto_max)

    def synack_intervals(self) -> tuple[float, ...]:
        """Seconds waited after each SYN-ACK; their sum is how long a half-open entry lives."""
        transmissions = 1 + self.synack_retries + self.synack_backoff.linear
        return self.synack_backoff.intervals(transmissions, maximum=self.rto_max)


_HINTS = get_type_hints(TcpConfig)
