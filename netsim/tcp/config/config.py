"""``TcpConfig``: every policy and constant of an endpoint, by topic.

What each means, its default, unit and source stand in the topic's module: ``opening``, ``listening``, ``arriving``,
``sending``, ``timing``, or beside the one mechanism that it is about. The defaults are those of RFC 9293;
``netsim.tcp.config.profiles`` holds other hosts'. Durations are seconds, sizes bytes. Where the RFC's text, its figures
and real kernels differ, a named policy decides.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_type_hints

from netsim.tcp.config import arriving, choices, listening, opening, sending, timing
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.durations import Nanoseconds, in_nanoseconds
from netsim.tcp.config.isn import IsnPolicy
from netsim.tcp.config.policy import Rate, check, policy
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.syn_cookie import SynCookie, key_of
from netsim.tcp.recovery import bursts, prr


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConfig:
    """All that distinguishes one host's TCP from another's. Frozen; ``replace`` gives a variant.

    ValueError names the field, its value and what is allowed.
    """

    name: str = policy("rfc9293", "the profile this configuration started from", "")

    # Opening
    syn_backoff: BackOff = opening.SYN_BACKOFF
    syn_retries: int = opening.SYN_RETRIES
    synack_backoff: BackOff = opening.SYNACK_BACKOFF
    synack_retries: int = opening.SYNACK_RETRIES
    connect_timeout: float | None = opening.CONNECT_TIMEOUT
    isn: IsnPolicy = opening.ISN
    crossed_synack: choices.CrossedSynAck = opening.CROSSED_SYNACK
    handshake: choices.Handshake = opening.HANDSHAKE
    syn_drop_options_after: int | None = opening.SYN_DROP_OPTIONS_AFTER
    ecn: choices.EcnPolicy = opening.ECN
    ecn_syn_retries: int = opening.ECN_SYN_RETRIES
    duplicate_syn: choices.DuplicateSyn = opening.DUPLICATE_SYN
    syn_data: choices.SynData = opening.SYN_DATA
    fast_open: choices.FastOpen = opening.FAST_OPEN
    fast_open_cookie: int = opening.FAST_OPEN_COOKIE
    fast_open_queue: int = opening.FAST_OPEN_QUEUE
    fast_open_synack_wait: float | None = opening.FAST_OPEN_SYNACK_WAIT
    fast_open_without_cookie: bool = opening.FAST_OPEN_WITHOUT_COOKIE
    fast_open_experimental: bool = opening.FAST_OPEN_EXPERIMENTAL
    fast_open_cookie_optional: bool = opening.FAST_OPEN_COOKIE_OPTIONAL
    syn_fin: Literal["accept", "drop"] = opening.SYN_FIN
    ports: Ports = opening.PORTS
    time_wait_open: Literal["refuse", "replace", "replace-after-1s"] = opening.TIME_WAIT_OPEN

    # Listening
    backlog_slack: int = listening.BACKLOG_SLACK
    somaxconn: int = listening.SOMAXCONN
    max_syn_backlog: int | None = listening.MAX_SYN_BACKLOG
    max_syn_backlog_rule: Literal["ceiling", "reserve-quarter"] = listening.MAX_SYN_BACKLOG_RULE
    syn_queue_full: Literal["drop", "recycle-oldest", "random-drop"] = listening.SYN_QUEUE_FULL
    syncache_hashsize: int | None = listening.SYNCACHE_HASHSIZE
    syncache_bucketlimit: int = listening.SYNCACHE_BUCKETLIMIT
    syn_cookies: Literal["off", "on-overflow", "always"] = listening.SYN_COOKIES
    syn_cookie: SynCookie = listening.SYN_COOKIE
    syn_cookie_key: str | None = listening.SYN_COOKIE_KEY
    syn_cookie_recent: float | None = listening.SYN_COOKIE_RECENT
    synack_pruning: bool = listening.SYNACK_PRUNING
    syn_queue_entry_bytes: int = listening.SYN_QUEUE_ENTRY_BYTES
    defer_accept: float | None = listening.DEFER_ACCEPT
    abort_on_overflow: bool = listening.ABORT_ON_OVERFLOW

    # Arriving segments
    rst_policy: choices.RstPolicy = arriving.RST_POLICY
    syn_policy: choices.SynPolicy = arriving.SYN_POLICY
    syn_reset: choices.SynReset = arriving.SYN_RESET
    reset_errors: choices.ResetErrors = arriving.RESET_ERRORS
    ack_policy: choices.AckPolicy = arriving.ACK_POLICY
    future_ack: Literal["answer", "silent"] = arriving.FUTURE_ACK
    ts_recent_update: Literal["window", "ack"] = arriving.TS_RECENT_UPDATE
    window_edge: choices.WindowEdge = arriving.WINDOW_EDGE
    old_segment: Literal["discard", "process-ack"] = arriving.OLD_SEGMENT
    icmp_opening: choices.IcmpOpening = arriving.ICMP_OPENING
    icmp_synchronized: Literal["hard", "note"] = arriving.ICMP_SYNCHRONIZED
    icmp_hard: Literal["rfc9293", "unreachable-or-prohibited"] = arriving.ICMP_HARD
    pmtu_discovery: bool = arriving.PMTU_DISCOVERY
    challenge_ack_limit: Rate | None = arriving.CHALLENGE_ACK_LIMIT
    invalid_ratelimit: float = arriving.INVALID_RATELIMIT
    synack_ratelimit: float = arriving.SYNACK_RATELIMIT
    authentication_key: str | None = arriving.AUTHENTICATION_KEY

    # Segments sent
    abort_rst_timestamps: bool = sending.ABORT_RST_TIMESTAMPS
    abort_rst_ack: bool = sending.ABORT_RST_ACK
    zero_window_probe: Literal["one-byte", "empty"] = sending.ZERO_WINDOW_PROBE
    mss: int = sending.MSS
    announce_mss: bool = sending.ANNOUNCE_MSS
    mss_default: int = sending.MSS_DEFAULT
    window_scale: int | None = sending.WINDOW_SCALE
    synack_echo_check: bool = sending.SYNACK_ECHO_CHECK
    timestamps: bool = sending.TIMESTAMPS
    ts_tick: float = sending.TS_TICK
    missing_timestamp: Literal["drop", "accept"] = sending.MISSING_TIMESTAMP
    sack: bool = sending.SACK
    sack_fin: bool = sending.SACK_FIN
    sack_ends_with_fin: bool = sending.SACK_ENDS_WITH_FIN
    dsack: bool = sending.DSACK
    receive_buffer: int = sending.RECEIVE_BUFFER
    buffer_rounding: bool = sending.BUFFER_ROUNDING
    receive_window: choices.ReceiveWindow = sending.RECEIVE_WINDOW
    send_buffer: int = sending.SEND_BUFFER
    nagle_minshall: bool = sending.NAGLE_MINSHALL
    nagle: bool = sending.NAGLE
    cork: bool = sending.CORK
    undo: bool = sending.UNDO
    frto: bool = sending.FRTO
    notsent_lowat: int | None = sending.NOTSENT_LOWAT
    congestion: choices.Congestion = sending.CONGESTION
    idle_restart: choices.IdleRestart = sending.IDLE_RESTART
    slow_start_growth: int | None = sending.SLOW_START_GROWTH
    limited_transmit: bool = sending.LIMITED_TRANSMIT
    cwnd_validation: bool = sending.CWND_VALIDATION
    initial_window_after_loss: Literal["rfc5681", "two-retransmissions"] = sending.INITIAL_WINDOW_AFTER_LOSS
    initial_window: int = sending.INITIAL_WINDOW

    # Timers and acknowledgments
    rto_initial: float = timing.RTO_INITIAL
    rto_min: float = timing.RTO_MIN
    rto_max: float = timing.RTO_MAX
    rto_variance_floor: float = timing.RTO_VARIANCE_FLOOR
    rtt_variance: Literal["rfc6298", "peak"] = timing.RTT_VARIANCE
    rto_after_syn_timeout: float | None = timing.RTO_AFTER_SYN_TIMEOUT
    rto_after_syn_timeout_rule: Literal["retransmitted", "no-rtt-sample"] = timing.RTO_AFTER_SYN_TIMEOUT_RULE
    clock_granularity: float = timing.CLOCK_GRANULARITY
    retries1: int = timing.RETRIES1
    retries2: int | None = timing.RETRIES2
    r2_measure: Literal["count", "time"] = timing.R2_MEASURE
    orphan_retries: int | None = timing.ORPHAN_RETRIES
    user_timeout: float | None = timing.USER_TIMEOUT
    window_update: Literal["segments", "doubled"] = timing.WINDOW_UPDATE
    rack: bool = timing.RACK
    loss_response: Literal["half", "prr"] = prr.LOSS_RESPONSE
    tail_loss_probe: bool = timing.TAIL_LOSS_PROBE
    min_tso_segs: int | None = bursts.MIN_TSO_SEGS
    keepalive_rst: bool = timing.KEEPALIVE_RST
    syn_rto_after_wrong_ack: float | None = timing.SYN_RTO_AFTER_WRONG_ACK
    delayed_ack_timer: Literal["fixed", "adaptive"] = timing.DELAYED_ACK_TIMER
    delayed_ack: float | None = timing.DELAYED_ACK
    ack_every_second: Literal["full-sized", "any-size"] = timing.ACK_EVERY_SECOND
    fin_on_every_ack: bool = timing.FIN_ON_EVERY_ACK
    quick_acks: int = timing.QUICK_ACKS
    fin_ack: Literal["immediate", "delayed"] = timing.FIN_ACK
    keepalive: bool = timing.KEEPALIVE
    keepalive_idle: float = timing.KEEPALIVE_IDLE
    keepalive_interval: float = timing.KEEPALIVE_INTERVAL
    keepalive_probes: int = timing.KEEPALIVE_PROBES
    time_wait: float = timing.TIME_WAIT
    fin_wait_2_timeout: float | None = timing.FIN_WAIT_2_TIMEOUT
    fin_wait_2_floor: float = timing.FIN_WAIT_2_FLOOR
    time_wait_restart: choices.TimeWaitRestart = timing.TIME_WAIT_RESTART
    time_wait_reuse: choices.TimeWaitReuse = timing.TIME_WAIT_REUSE
    time_wait_rst: Literal["accept", "ignore", "ignore-2s"] = timing.TIME_WAIT_RST
    time_wait_ack: Literal["fin", "any"] = timing.TIME_WAIT_ACK
    time_wait_checks: Literal["rfc9293", "no-window"] = timing.TIME_WAIT_CHECKS
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
