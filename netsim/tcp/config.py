"""``TcpConfig``: every policy and constant of an endpoint, each with its unit and source.

The defaults are those of RFC 9293; ``netsim.tcp.profiles`` holds other hosts'. Durations are seconds, sizes bytes.
Where the RFC's text, its figures and real kernels differ, a named policy decides.
"""

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints

from netsim.tcp.backoff import BackOff
from netsim.tcp.isn import HashIsn, IsnPolicy
from netsim.tcp.ports import PortPolicy, SequentialPorts

RstPolicy = Literal["rfc5961", "rfc793"]
SynPolicy = Literal["rfc5961", "rfc793"]
AckPolicy = Literal["rfc5961", "rfc793"]
CrossedSynAck = Literal["figure", "literal", "linux"]
DuplicateSyn = Literal["ack", "synack", "synack-rearm"]
TimeWaitRestart = Literal["never", "fin", "any"]
TimeWaitReuse = Literal["none", "rfc1122", "rfc6191", "linux"]
SynData = Literal["hold", "drop", "accept"]
WindowEdge = Literal["rfc9293", "inclusive"]
Congestion = Literal["newreno", "none"]
Rate = tuple[int, float]


def _p(default: Any, text: str, source: str, unit: str = "") -> Any:
    """A field with its meaning, source and unit, for ``netsim list`` and the validation."""
    return field(default=default, metadata={"text": text, "source": source, "unit": unit})


@dataclass(frozen=True, slots=True)
class Nanoseconds:
    """A configuration's durations in integer nanoseconds, worked out once."""

    syn_intervals: tuple[int, ...]
    synack_intervals: tuple[int, ...]
    rto_initial: int
    rto_min: int
    rto_max: int
    rto_variance_floor: int
    rto_after_syn_timeout: int | None
    granularity: int
    open_timeout: int | None
    user_timeout: int | None
    delayed_ack: int | None
    keepalive_idle: int
    keepalive_interval: int
    time_wait: int
    fin_wait_2_timeout: int | None
    ts_tick: int
    invalid_ratelimit: int
    synack_ratelimit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConfig:
    """All that distinguishes one host's TCP from another's. Frozen; ``replace`` gives a variant.

    ValueError names the field, its value and what is allowed.
    """

    name: str = _p("rfc9293", "the profile this configuration started from", "")

    # Opening
    syn_backoff: BackOff = _p(BackOff(), "waits after each SYN", "RFC 6298 2.1, 5.5", "s")
    syn_retries: int = _p(7, "SYN retransmissions (linear ones not counted)", "RFC 9293 3.8.3, MUST-23: R2 >= 180 s")
    synack_backoff: BackOff = _p(BackOff(), "waits after each SYN-ACK", "RFC 6298 2.1, 5.5", "s")
    synack_retries: int = _p(7, "SYN-ACK retransmissions by timer", "RFC 9293 3.8.3, MUST-23: R2 >= 180 s")
    connect_timeout: float | None = _p(None, "user timeout of an active OPEN", "RFC 9293 3.10.1: optional", "s")
    isn: IsnPolicy = _p(HashIsn(), "choice of the initial sequence number", "RFC 9293 3.4.1; RFC 6528 3")
    crossed_synack: CrossedSynAck = _p(
        "figure",
        "a SYN-ACK that crosses ours in SYN-RECEIVED: taken (figure 7), refused by its number (literal 3.10.7.4), "
        "or taken and acknowledged (linux)",
        "RFC 9293 figure 7 and appendix A.2; net/ipv4/tcp_input.c",
    )
    duplicate_syn: DuplicateSyn = _p(
        "ack",
        "a repeated SYN in SYN-RECEIVED draws: a bare ACK (literal text), a SYN-ACK (BSD), or a SYN-ACK and a "
        "restarted SYN-ACK timer (Linux)",
        "RFC 9293 3.10.7.4; sys/netinet/tcp_syncache.c; net/ipv4/tcp_minisocks.c",
    )
    syn_data: SynData = _p(
        "hold", "text on a SYN: held until ESTABLISHED, dropped, or accepted at once", "RFC 9293 3.10.7.2"
    )
    syn_fin: Literal["accept", "drop"] = _p("accept", "a SYN that carries FIN, in LISTEN", "RFC 9293 3.10.7.2")

    ports: PortPolicy = _p(
        SequentialPorts(), "choice of the local port of an active OPEN", "RFC 9293 is silent; RFC 6056 has better ones"
    )
    time_wait_open: Literal["refuse", "replace"] = _p(
        "refuse",
        "an active OPEN of a four-tuple that this end holds in TIME-WAIT",
        "RFC 9293 3.10.1: already exists",
    )

    # Listener
    backlog_slack: int = _p(0, "entries that the accept queue takes beyond its backlog", "", "")
    somaxconn: int = _p(4096, "ceiling of a listener's backlog", "net.core.somaxconn; RFC 9293 is silent")
    max_syn_backlog: int | None = _p(None, "half-open entries of one listener, at most; None: its backlog", "")
    abort_on_overflow: bool = _p(
        False,
        "accept queue full when the third segment comes: reset, or ignore it",
        "net.ipv4.tcp_abort_on_overflow",
    )

    # Acceptability
    rst_policy: RstPolicy = _p(
        "rfc5961", "RST in the window: exact match and challenge ACK, or any", "RFC 9293 3.10.7.4; RFC 5961 3"
    )
    syn_policy: SynPolicy = _p(
        "rfc5961",
        "SYN on a synchronized connection: challenge ACK, or reset",
        "RFC 9293 3.10.7.4; RFC 5961 4",
    )
    ack_policy: AckPolicy = _p(
        "rfc5961", "old ACKs: bounded by MAX.SND.WND, or ignored", "RFC 9293 3.10.7.4, MAY-12; RFC 5961 5"
    )
    window_edge: WindowEdge = _p(
        "rfc9293",
        "SEG.SEQ = RCV.NXT+RCV.WND lies outside the window, or inside (inclusive)",
        "RFC 9293 3.10.7.4",
    )
    challenge_ack_limit: Rate | None = _p((10, 5.0), "challenge ACKs: (count, seconds); None: no limit", "RFC 5961 7")
    invalid_ratelimit: float = _p(
        0.0,
        "least time between ACKs that answer unacceptable segments",
        "net.ipv4.tcp_invalid_ratelimit",
        "s",
    )
    synack_ratelimit: float = _p(
        0.0, "least time between SYN-ACKs that answer repeated SYNs", "net.ipv4.tcp_invalid_ratelimit", "s"
    )

    # Segments
    abort_ack: bool = _p(False, "the RST of ABORT carries ACK", "RFC 9293 3.10.5: it does not")
    zero_window_probe: Literal["text", "empty"] = _p(
        "text", "a zero-window probe carries one byte, or none and an old number", "RFC 9293 3.8.6.1"
    )
    mss: int = _p(1460, "MSS announced, and the largest sent", "RFC 9293 3.7.1: 1500 - 40", "bytes")
    mss_default: int = _p(536, "MSS assumed when the peer announces none", "RFC 9293 3.7.1, MUST-15", "bytes")
    window_scale: int | None = _p(None, "shift offered on the SYN; None: option not offered", "RFC 7323 2.2")
    timestamps: bool = _p(False, "offer timestamps, and PAWS with them", "RFC 7323 3")
    ts_tick: float = _p(0.001, "tick of the timestamp clock", "RFC 7323 5.4: 1 ms to 1 s", "s")
    missing_timestamp: Literal["drop", "accept"] = _p(
        "drop", "a segment without the timestamp that was negotiated", "RFC 7323 3.2: SHOULD silently drop"
    )
    sack: bool = _p(False, "offer SACK-permitted", "RFC 2018 2")
    receive_buffer: int = _p(65535, "room for received text; RCV.WND when empty", "RFC 9293 3.8.6", "bytes")
    send_buffer: int = _p(1 << 20, "text a SEND may leave unacknowledged before it waits", "RFC 9293 3.10.2", "bytes")
    nagle: bool = _p(True, "hold back a small segment while text is unacknowledged", "RFC 9293 3.7.4, SHLD-7")
    congestion: Congestion = _p("newreno", "congestion control, or none", "RFC 5681; RFC 6582")
    initial_window: int = _p(10, "initial congestion window", "RFC 6928 2", "segments")

    # Timers
    rto_initial: float = _p(1.0, "RTO before the first sample", "RFC 6298 2.1", "s")
    rto_min: float = _p(1.0, "least RTO", "RFC 6298 2.4", "s")
    rto_max: float = _p(128.0, "greatest RTO", "RFC 6298 2.5: at least 60 s", "s")
    rto_variance_floor: float = _p(0.0, "least value of the 4 RTTVAR term", "RFC 6298 has none", "s")
    rto_after_syn_timeout: float | None = _p(3.0, "RTO for data after the SYN had to be repeated", "RFC 6298 5.7", "s")
    clock_granularity: float = _p(0.0, "G of RFC 6298", "RFC 6298 2: exact timers", "s")
    retries1: int = _p(3, "R1: retransmissions before the user is warned", "RFC 9293 3.8.3, SHLD-10")
    retries2: int | None = _p(
        None,
        "R2: retransmissions before the connection is given up",
        "RFC 9293 3.8.3; None: user timeout alone",
    )
    orphan_retries: int | None = _p(
        None, "R2 of a connection whose user has gone; None: as retries2", "net.ipv4.tcp_orphan_retries"
    )
    user_timeout: float | None = _p(
        300.0, "text unacknowledged this long: give up; None: R2 alone", "RFC 793 3.8; RFC 5482", "s"
    )
    delayed_ack: float | None = _p(
        0.2,
        "an ACK waits at most this long for text to ride on; None: sent at once",
        "RFC 9293 3.8.6.3: < 0.5 s",
        "s",
    )
    quick_acks: int = _p(0, "text segments acknowledged at once before ACKs are delayed", "net/ipv4/tcp_input.c")
    keepalive: bool = _p(False, "keep-alive probes by default", "RFC 9293 3.8.4, MUST-25: off")
    keepalive_idle: float = _p(7200.0, "silence before the first probe", "RFC 9293 3.8.4, MUST-27: at least 2 h", "s")
    keepalive_interval: float = _p(75.0, "between probes", "RFC 9293 is silent; 4.4BSD", "s")
    keepalive_probes: int = _p(9, "unanswered probes before the connection is given up", "RFC 9293 is silent; Linux")
    time_wait: float = _p(240.0, "length of TIME-WAIT; 2 MSL", "RFC 9293 3.6.1, MUST-13", "s")
    fin_wait_2_timeout: float | None = _p(None, "FIN-WAIT-2 without a user; None: for ever", "RFC 9293 has none", "s")
    time_wait_restart: TimeWaitRestart = _p(
        "fin",
        "what restarts the 2MSL timer: nothing (its number refuses the repeated FIN), the repeated FIN, or any "
        "unacceptable segment with ACK (Linux)",
        "RFC 9293 3.10.7.4, eighth: FIN; net/ipv4/tcp_minisocks.c",
    )
    time_wait_reuse: TimeWaitReuse = _p("none", "a new SYN in TIME-WAIT", "RFC 9293 3.6.1, MAY-2; RFC 6191 2")
    time_wait_rst: Literal["accept", "ignore"] = _p("accept", "RST in TIME-WAIT", "RFC 9293 3.10.7.4; RFC 1337, fix F1")
    timer_hz: int | None = _p(
        None, "ticks a second of the kernel's timer wheel; None: exact timers", "kernel/time/timer.c", "Hz"
    )

    ns: Nanoseconds = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            if f.init:
                _check(f.name, getattr(self, f.name))
        if not self.rto_min <= self.rto_max:
            raise ValueError(f"rto_max = {self.rto_max!r}: allowed is a number >= rto_min = {self.rto_min!r}")
        object.__setattr__(self, "ns", _nanoseconds(self))

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


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _maybe_ns(seconds: float | None) -> int | None:
    return None if seconds is None else _ns(seconds)


def _nanoseconds(c: TcpConfig) -> Nanoseconds:
    return Nanoseconds(
        syn_intervals=tuple(map(_ns, c.syn_intervals())),
        synack_intervals=tuple(map(_ns, c.synack_intervals())),
        rto_initial=_ns(c.rto_initial),
        rto_min=_ns(c.rto_min),
        rto_max=_ns(c.rto_max),
        rto_variance_floor=_ns(c.rto_variance_floor),
        rto_after_syn_timeout=_maybe_ns(c.rto_after_syn_timeout),
        granularity=_ns(c.clock_granularity),
        open_timeout=_maybe_ns(c.open_timeout),
        user_timeout=_maybe_ns(c.user_timeout),
        delayed_ack=_maybe_ns(c.delayed_ack),
        keepalive_idle=_ns(c.keepalive_idle),
        keepalive_interval=_ns(c.keepalive_interval),
        time_wait=_ns(c.time_wait),
        fin_wait_2_timeout=_maybe_ns(c.fin_wait_2_timeout),
        ts_tick=_ns(c.ts_tick),
        invalid_ratelimit=_ns(c.invalid_ratelimit),
        synack_ratelimit=_ns(c.synack_ratelimit),
    )


# Allowed ranges of the numbers, both ends included; what is not named here is checked by its type alone.
_RANGES: dict[str, tuple[float, float]] = {
    "syn_retries": (0, 255),
    "synack_retries": (0, 255),
    "connect_timeout": (1e-9, 1e9),
    "backlog_slack": (0, 1),
    "somaxconn": (0, 1 << 31),
    "max_syn_backlog": (0, 1 << 31),
    "invalid_ratelimit": (0, 1e9),
    "synack_ratelimit": (0, 1e9),
    "mss": (1, 65535),
    "mss_default": (1, 65535),
    "window_scale": (0, 14),
    "ts_tick": (59e-9, 1.0),
    "receive_buffer": (1, (1 << 30) - 1),
    "send_buffer": (1, 1 << 40),
    "initial_window": (1, 1 << 20),
    "rto_initial": (1e-9, 1e9),
    "rto_min": (0, 1e9),
    "rto_max": (1e-9, 1e9),
    "rto_variance_floor": (0, 1e9),
    "rto_after_syn_timeout": (1e-9, 1e9),
    "clock_granularity": (0, 1e9),
    "retries1": (0, 255),
    "retries2": (0, 255),
    "orphan_retries": (0, 255),
    "user_timeout": (1e-9, 1e9),
    "delayed_ack": (0, 0.5),
    "quick_acks": (0, 1 << 31),
    "keepalive_idle": (1e-9, 1e9),
    "keepalive_interval": (1e-9, 1e9),
    "keepalive_probes": (0, 255),
    "time_wait": (0, 1e9),
    "fin_wait_2_timeout": (0, 1e9),
    "timer_hz": (1, 10_000),
}
_WHOLE = {
    "syn_retries", "synack_retries", "backlog_slack", "somaxconn", "max_syn_backlog", "mss", "mss_default",
    "window_scale", "receive_buffer", "send_buffer", "initial_window", "retries1", "retries2", "orphan_retries",
    "quick_acks", "keepalive_probes", "timer_hz",
}  # fmt: skip
_OPTIONAL = {
    "connect_timeout", "max_syn_backlog", "window_scale", "rto_after_syn_timeout", "retries2", "orphan_retries",
    "user_timeout", "delayed_ack", "fin_wait_2_timeout", "timer_hz", "challenge_ack_limit",
}  # fmt: skip


def _check(name: str, value: Any) -> None:
    """One field's value against its range or its choices; ValueError otherwise."""
    if value is None and name in _OPTIONAL:
        return
    if name in _RANGES:
        low, high = _RANGES[name]
        kind = "an integer" if name in _WHOLE else "a number"
        types = (int,) if name in _WHOLE else (int, float)
        good = isinstance(value, types) and not isinstance(value, bool) and low <= value <= high
        allowed = f"{kind} from {low:g} to {high:g}" + (", or None" if name in _OPTIONAL else "")
    elif name in _CHOICES:
        good, allowed = value in _CHOICES[name], "one of " + ", ".join(map(repr, _CHOICES[name]))
    elif name in ("syn_backoff", "synack_backoff"):
        good, allowed = isinstance(value, BackOff), "a BackOff"
    elif name == "isn":
        good, allowed = callable(getattr(value, "initial", None)), "an ISN policy"
    elif name == "ports":
        good, allowed = callable(getattr(value, "candidates", None)), "a port policy"
    elif name == "challenge_ack_limit":
        good = isinstance(value, tuple) and len(value) == 2 and value[0] >= 1 and 0 < value[1] < math.inf
        allowed = "None, or (count >= 1, seconds > 0)"
    elif name == "name":
        good, allowed = isinstance(value, str), "a string"
    else:
        good, allowed = isinstance(value, bool), "True or False"
    if not good:
        raise ValueError(f"{name} = {value!r}: allowed is {allowed}")


_CHOICES: dict[str, tuple[str, ...]] = {
    name: get_args(hint)
    for name, hint in get_type_hints(TcpConfig).items()
    if get_args(hint) and isinstance(get_args(hint)[0], str)
}
