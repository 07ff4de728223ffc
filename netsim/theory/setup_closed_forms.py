"""Setup latency in closed form, where one exists: doubling back-off from one initial RTO, independent loss.

Notation: pf and pr are the loss probabilities from client to server and back, q = (1 - pf)(1 - pr) is the
probability that a SYN (or SYN-ACK) and its answer both survive, T is the initial RTO of both ends, and

    A(x) = sum of (2^i - 1) x^i (1 - x) = x / (1 - 2x),   x < 1/2,

is the mean number of initial RTOs spent until the first success when each attempt fails with probability x.
The means are those of unlimited retries; with limits, `setup_latency` is exact.
"""

import itertools

import numpy as np

from netsim.theory._domain import (
    check_count,
    check_non_negative,
    check_positive,
    check_probability,
    nanoseconds,
)
from netsim.theory.distribution import LatencyDistribution, from_nanoseconds

# Above it the mean of a doubling back-off diverges.
_BACKOFF_LIMIT = 0.5


def cardwell_mean(*, rtt: float, loss_forward: float, loss_reverse: float, rto: float = 3.0) -> float:
    """Mean setup latency of the client (s): Cardwell, Savage and Anderson, INFOCOM 2000, equation 4.

    E[L] = RTT + T ((1 - pr)/(1 - 2 pr) + (1 - pf)/(1 - 2 pf) - 2). The paper's T is 3 s. Its model is a
    server that follows RFC 9293 to the letter, both ends with unlimited retries.

    Raises:
        ValueError: rtt < 0, rto <= 0, or a loss outside [0, 0.5), where the mean is infinite.
    """
    check_non_negative("rtt", rtt)
    check_positive("rto", rto)
    check_probability("loss_forward", loss_forward, below=_BACKOFF_LIMIT)
    check_probability("loss_reverse", loss_reverse, below=_BACKOFF_LIMIT)
    attempts = (1 - loss_reverse) / (1 - 2 * loss_reverse) + (1 - loss_forward) / (1 - 2 * loss_forward)
    return rtt + rto * (attempts - 2)


def rfc9293_client_mean(*, rtt: float, rto: float, loss_forward: float, loss_reverse: float) -> float:
    """Mean setup latency of the client (s), policy `ack`: RTT + T (A(pf) + A(pr)).

    The same number as `cardwell_mean`, written as two independent back-offs.

    Raises:
        ValueError: rtt < 0, rto <= 0, or a loss outside [0, 0.5).
    """
    check_non_negative("rtt", rtt)
    check_positive("rto", rto)
    waiting = _backoff("loss_forward", loss_forward) + _backoff("loss_reverse", loss_reverse)
    return rtt + rto * waiting


def rfc9293_server_mean(
    *, delay_forward: float, delay_reverse: float, rto: float, loss_forward: float, loss_reverse: float
) -> float:
    """Mean setup latency of the server (s from the first SYN), policy `ack`, client silent after its ACK.

    RTT + df + T (A(pf) + A(1 - q)): the SYN gets through, then each SYN-ACK completes with probability q.

    Raises:
        ValueError: a negative delay, rto <= 0, loss_forward outside [0, 0.5), or 1 - q outside [0, 0.5).
    """
    check_non_negative("delay_forward", delay_forward)
    check_non_negative("delay_reverse", delay_reverse)
    check_positive("rto", rto)
    failure = _round_trip_loss(loss_forward, loss_reverse)
    waiting = _backoff("loss_forward", loss_forward) + _backoff("round-trip loss 1 - q", failure)
    return 2 * delay_forward + delay_reverse + rto * waiting


def stateless_mean(*, rtt: float, rto: float, loss_forward: float, loss_reverse: float) -> float:
    """Mean setup latency of the client (s), policy `stateless` (SYN cookies): RTT + T (1 - q)/(2q - 1).

    Raises:
        ValueError: rtt < 0, rto <= 0, a loss outside [0, 1], or 1 - q outside [0, 0.5).
    """
    check_non_negative("rtt", rtt)
    check_positive("rto", rto)
    failure = _round_trip_loss(loss_forward, loss_reverse)
    return rtt + rto * _backoff("round-trip loss 1 - q", failure)


def stateless_p_fail(*, loss_forward: float, loss_reverse: float, syn_retries: int) -> float:
    """P(the client's OPEN times out), policy `stateless`: (1 - q)^(n + 1) for n SYN retransmissions.

    Every SYN must have the time to be answered: the RTT is shorter than the last interval.

    Raises:
        ValueError: a loss outside [0, 1] or a negative number of retries.
    """
    check_count("syn_retries", syn_retries)
    return float(_round_trip_loss(loss_forward, loss_reverse) ** (syn_retries + 1))


def single_syn_p_diverged(*, loss_forward: float, loss_reverse: float, synack_retries: int) -> float:
    """P(client ESTABLISHED, server timed out) when the client sends one SYN and the server m + 1 SYN-ACKs.

    (1 - pf) [(1 - q)^(m + 1) - pr^(m + 1)]: the SYN arrives, no SYN-ACK leads to an ACK at the server, but
    not all of them are lost. Every SYN-ACK must have the time to be acknowledged before the entry is dropped.

    Raises:
        ValueError: a loss outside [0, 1] or a negative number of retries.
    """
    check_count("synack_retries", synack_retries)
    attempts = synack_retries + 1
    failure = _round_trip_loss(loss_forward, loss_reverse)
    return float((1 - loss_forward) * (failure**attempts - loss_reverse**attempts))


def rfc9293_client_distribution(
    *, rtt: float, rto: float, loss_forward: float, loss_reverse: float, horizon: float
) -> LatencyDistribution:
    """Setup latency of the client, policy `ack`, unlimited retries, cut at `horizon` seconds.

    P = pf^i (1 - pf) pr^j (1 - pr) at RTT + T (2^i + 2^j - 2), i, j >= 0; the mass at or beyond the
    horizon is `p_fail`.

    Raises:
        ValueError: rtt < 0, rto <= 0, horizon <= 0, or a loss outside [0, 1].
    """
    check_non_negative("rtt", rtt)
    check_positive("rto", rto)
    check_positive("horizon", horizon)
    check_probability("loss_forward", loss_forward)
    check_probability("loss_reverse", loss_reverse)
    first, step, end = nanoseconds(rtt), nanoseconds(rto), nanoseconds(horizon)
    atoms: dict[int, float] = {}
    steps = range(max(end // step, 1).bit_length() + 1)  # 2^i - 1 RTOs fit before the horizon
    for i, j in itertools.product(steps, repeat=2):
        instant = first + step * (2**i + 2**j - 2)
        if instant < end:
            p = loss_forward**i * (1 - loss_forward) * loss_reverse**j * (1 - loss_reverse)
            atoms[instant] = atoms.get(instant, 0.0) + p
    p_fail = float(np.clip(1.0 - sum(atoms.values()), 0.0, 1.0))
    return from_nanoseconds(atoms, p_fail=p_fail)


def _backoff(name: str, failure: float) -> float:
    """A(x): mean wait, in initial RTOs, before the first success of a doubling back-off."""
    check_probability(name, failure, below=_BACKOFF_LIMIT)
    return failure / (1 - 2 * failure)


def _round_trip_loss(loss_forward: float, loss_reverse: float) -> float:
    """1 - q."""
    check_probability("loss_forward", loss_forward)
    check_probability("loss_reverse", loss_reverse)
    return 1 - (1 - loss_forward) * (1 - loss_reverse)
