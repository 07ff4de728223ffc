"""Exact distribution of the connection-setup latency under independent loss and constant delays.

The client sends its SYN on a given schedule until a SYN-ACK arrives or its OPEN times out, and then sends nothing; the
server retransmits its SYN-ACK on a schedule of its own and, depending on `policy`, also answers a duplicate
SYN. Nothing is approximated: the result is a list of atoms.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from netsim.theory._domain import check_non_negative, check_positive, check_probability, nanoseconds
from netsim.theory.distribution import LatencyDistribution, from_nanoseconds
from netsim.theory.setup_chain import HandshakeChain, HandshakePlan, Policy, TieBreak

_LONGEST = 1e15  # s; far beyond any schedule, and it keeps every instant finite


@dataclass(frozen=True, kw_only=True, eq=False)
class SetupLatency:
    """How long the two ends take to become ESTABLISHED, in seconds from the client's first SYN.

    Attributes:
        client: latency of the client; `client.p_fail` is the probability that its OPEN times out.
        server: latency of the server (no data flows, so only an ACK of its SYN-ACK completes it).
        p_diverged: P(the client becomes ESTABLISHED, the server never does), over all runs. The
            opposite is impossible, so `server.p_fail = client.p_fail + p_diverged`.
    """

    client: LatencyDistribution
    server: LatencyDistribution
    p_diverged: float

    @property
    def p_fail(self) -> float:
        """P(the client's OPEN times out)."""
        return self.client.p_fail


@dataclass(frozen=True, kw_only=True)
class SetupModel:
    """A handshake to solve; `setup_latency` takes the same names.

    Attributes:
        policy: what the server does with a duplicate SYN while half open. `ack` (RFC 9293 3.10.7.4):
            a bare ACK, which a client in SYN-SENT drops (3.10.7.3). `synack`: an immediate SYN-ACK; the timer and
            the count of its retransmissions stay. `synack-rearm` (tcp_check_req, net/ipv4/tcp_minisocks.c): an
            immediate SYN-ACK, at most one per `duplicate_syn_interval`, and the timer restarts with its
            current interval. `stateless` (SYN cookies, RFC 4987 3.6): every SYN draws a SYN-ACK; there is
            no entry and no timer, so a client whose ACK is lost stays ESTABLISHED alone.
        syn_intervals: seconds to wait after each transmission of the SYN, n + 1 of them for n
            retransmissions; at the end of the last one its OPEN times out.
        synack_intervals: the same for the server's SYN-ACK; at the end of the last one the SYN-RECEIVED
            entry is dropped silently, and a later SYN makes a new one. Ignored by `stateless`.
        loss_forward: probability that a segment from client to server is lost, each independently.
        loss_reverse: the same from server to client.
        delay_forward: one-way delay from client to server, seconds.
        delay_reverse: one-way delay from server to client, seconds.
        tie_break: which comes first when a timer expires at the instant at which a segment arrives.
        connect_timeout: seconds after the first SYN at which the OPEN times out, if that is earlier.
        duplicate_syn_interval: seconds; `synack-rearm` only (net.ipv4.tcp_invalid_ratelimit, 500 ms).

    Raises:
        ValueError: a parameter is outside its range; the message names it, its value and the range.
    """

    policy: Policy
    syn_intervals: Sequence[float]
    synack_intervals: Sequence[float]
    loss_forward: float
    loss_reverse: float
    delay_forward: float
    delay_reverse: float
    tie_break: TieBreak = "timer-first"
    connect_timeout: float | None = None
    duplicate_syn_interval: float = 0.5

    def __post_init__(self) -> None:
        _check_choice("policy", self.policy, get_args(Policy))
        _check_choice("tie_break", self.tie_break, get_args(TieBreak))
        _check_intervals("syn_intervals", self.syn_intervals)
        if self.policy != "stateless":
            _check_intervals("synack_intervals", self.synack_intervals)
        check_probability("loss_forward", self.loss_forward)
        check_probability("loss_reverse", self.loss_reverse)
        check_non_negative("delay_forward", self.delay_forward, high=_LONGEST)
        check_non_negative("delay_reverse", self.delay_reverse, high=_LONGEST)
        check_non_negative("duplicate_syn_interval", self.duplicate_syn_interval, high=_LONGEST)
        if self.connect_timeout is not None:
            check_positive("connect_timeout", self.connect_timeout)

    def solve(self) -> SetupLatency:
        """The exact latency of both ends."""
        chain = HandshakeChain(plan=self._plan())
        chain.solve()
        # Sums of probabilities may exceed 1 by a rounding error.
        p_fail = min(chain.p_client_failed, 1.0)
        return SetupLatency(
            client=from_nanoseconds(chain.client, p_fail=p_fail),
            server=from_nanoseconds(chain.server, p_fail=min(p_fail + chain.p_diverged, 1.0)),
            p_diverged=min(chain.p_diverged, 1.0),
        )

    def _plan(self) -> HandshakePlan:
        *syns, gives_up = itertools.accumulate(map(nanoseconds, self.syn_intervals), initial=0)
        if self.connect_timeout is not None:
            gives_up = min(gives_up, nanoseconds(self.connect_timeout))
        return HandshakePlan(
            policy=self.policy,
            syn_times=tuple(t for t in syns if t < gives_up),
            client_timeout=gives_up,
            synack_intervals=tuple(map(nanoseconds, self.synack_intervals)),
            duplicate_interval=nanoseconds(self.duplicate_syn_interval),
            loss_forward=self.loss_forward,
            loss_reverse=self.loss_reverse,
            delay_forward=nanoseconds(self.delay_forward),
            delay_reverse=nanoseconds(self.delay_reverse),
            tie_break=self.tie_break,
        )


def setup_latency(
    *,
    policy: Policy,
    syn_intervals: Sequence[float],
    synack_intervals: Sequence[float],
    loss_forward: float,
    loss_reverse: float,
    delay_forward: float,
    delay_reverse: float,
    tie_break: TieBreak = "timer-first",
    connect_timeout: float | None = None,
    duplicate_syn_interval: float = 0.5,
) -> SetupLatency:
    """Exact setup latency of both ends; the parameters are those of `SetupModel`, seconds and probabilities.

    Raises:
        ValueError: a parameter is outside its range; the message names it, its value and the range.
    """
    return SetupModel(
        policy=policy,
        syn_intervals=syn_intervals,
        synack_intervals=synack_intervals,
        loss_forward=loss_forward,
        loss_reverse=loss_reverse,
        delay_forward=delay_forward,
        delay_reverse=delay_reverse,
        tie_break=tie_break,
        connect_timeout=connect_timeout,
        duplicate_syn_interval=duplicate_syn_interval,
    ).solve()


def _check_intervals(name: str, seconds: Sequence[float]) -> None:
    if len(seconds) == 0:
        raise ValueError(f"{name} must hold at least one interval, got {seconds!r}")
    for index, value in enumerate(seconds):
        if not 1e-9 <= value <= _LONGEST:
            raise ValueError(f"{name}[{index}] must be in [1e-09, {_LONGEST:g}] s, got {value!r}")


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
