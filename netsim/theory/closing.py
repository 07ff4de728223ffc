"""In how many segments, and how soon, a connection is closed over a path that loses segments independently.

The client sends its FIN and retransmits it until it is acknowledged. The server reads the end of the stream, thinks,
and sends its own FIN, which acknowledges the client's too; it retransmits it until an ACK arrives. It may acknowledge
the client's FIN immediately or delay this ACK: if its own FIN is ready by then, the ACK is piggybacked on it and three
segments suffice (FIN, FIN with ACK, ACK). Delays are constant, times are in seconds.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from netsim.theory._domain import check_non_negative, check_probability, nanoseconds
from netsim.theory.distribution import LatencyDistribution, from_nanoseconds

_LONGEST = 1e15  # s


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSegments:
    """P(exactly three segments) and P(exactly four), lost ones counted."""

    p_three: float
    p_four: float


def close_segments(*, p_piggybacked: float, p_late: float, loss_forward: float, loss_reverse: float) -> CloseSegments:
    """How many segments a close without data takes.

    Three: the ACK is piggybacked on the server's FIN, and all three arrive. Four, if it is piggybacked: the client's
    first FIN is lost, its retransmission and all else arrives. Four, if the ACK is sent separately: FIN, FIN and the
    last ACK must arrive, the first ACK only if the server's FIN comes after the client's RTO.

    Args:
        p_piggybacked: P(the server's FIN is ready while the ACK waits).
        p_late: P(the server's FIN arrives after the client's first RTO).
        loss_forward: client to server.
        loss_reverse: server to client.

    Raises:
        ValueError: a probability outside [0, 1], or p_piggybacked + p_late > 1.
    """
    for name, value in (("p_piggybacked", p_piggybacked), ("p_late", p_late)):
        check_probability(name, value)
    check_probability("loss_forward", loss_forward)
    check_probability("loss_reverse", loss_reverse)
    check_probability("p_piggybacked + p_late", p_piggybacked + p_late)
    there, back = 1 - loss_forward, 1 - loss_reverse
    alone = there**2 * ((1 - p_piggybacked - p_late) * back + p_late * back**2)
    return CloseSegments(
        p_three=p_piggybacked * there**2 * back,
        p_four=p_piggybacked * loss_forward * there**2 * back + alone,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLatency:
    """From the client's first FIN until the client is in TIME-WAIT, and until the server is CLOSED."""

    client: LatencyDistribution
    server: LatencyDistribution


def close_latency(
    *,
    client_intervals: Sequence[float],
    server_intervals: Sequence[float],
    think: float,
    delay_forward: float,
    delay_reverse: float,
    loss_forward: float,
    loss_reverse: float,
) -> CloseLatency:
    """When each end is done.

    The first of the client's FINs to arrive starts the server's thought; the first of the server's to arrive brings the
    client to TIME-WAIT, and the first that is answered (q = (1 - pf)(1 - pr)) lets the server go. The client is assumed
    to answer for as long as the server asks.

    Args:
        client_intervals: seconds to wait after each of the client's FINs; at the end of the last one it times out.
        server_intervals: the same for the server.
        think: from the end of the stream to the server's close.
        delay_forward: one-way delay, client to server.
        delay_reverse: one-way delay, server to client.
        loss_forward: client to server.
        loss_reverse: server to client.

    Raises:
        ValueError: a loss outside [0, 1], a negative time, or no interval.
    """
    check_probability("loss_forward", loss_forward)
    check_probability("loss_reverse", loss_reverse)
    for name, value in (("think", think), ("delay_forward", delay_forward), ("delay_reverse", delay_reverse)):
        check_non_negative(name, value, high=_LONGEST)
    there, back = nanoseconds(delay_forward), nanoseconds(delay_reverse)
    opened = _first_success(client_intervals, 1 - loss_forward)
    read = {t + there + nanoseconds(think): p for t, p in opened.items()}
    arrived = _first_success(server_intervals, 1 - loss_reverse)
    answered = _first_success(server_intervals, (1 - loss_reverse) * (1 - loss_forward))
    return CloseLatency(client=_sum(read, arrived, back), server=_sum(read, answered, back + there))


def _first_success(intervals: Sequence[float], p: float) -> dict[int, float]:
    """When the first of the repetitions succeeds (ns after the first), each with probability p."""
    if len(intervals) == 0:
        raise ValueError(f"intervals must hold at least one, got {intervals!r}")
    times = itertools.accumulate(map(nanoseconds, intervals[:-1]), initial=0)
    return {t: (1 - p) ** k * p for k, t in enumerate(times)}


def _sum(first: dict[int, float], second: dict[int, float], delay: int) -> LatencyDistribution:
    atoms: dict[int, float] = {}
    for a, p in first.items():
        for b, q in second.items():
            atoms[a + b + delay] = atoms.get(a + b + delay, 0.0) + p * q
    return from_nanoseconds(atoms, p_fail=max(0.0, 1 - sum(atoms.values())))
