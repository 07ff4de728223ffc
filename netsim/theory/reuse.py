"""Stale data after a four-tuple was reused: the probability that some is accepted, given the times of one run.

The initial numbers of a new connection differ from the old ones at both ends. Where a difference is random, it is
integrated out exactly: acceptance is a union of arcs of the circle of 2^32 differences, and its size is counted, not
sampled. What remains random is which segments were duplicated and how late each copy is; averaged over runs this is the
probability itself, with far less noise than counting acceptances.

All numbers are relative: those of old segments to the old initial numbers, those of the receiver to the new ones.
Times are seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from netsim.theory.stale import SEQUENCE_SPACE

_MASK = SEQUENCE_SPACE - 1
_CIRCLE = (0, SEQUENCE_SPACE)

Arc = tuple[int, int]
"""[start, start + size) on the circle of 2^32 numbers."""


@dataclass(frozen=True, slots=True)
class OldSegment:
    """A data segment of the old incarnation: when it, or its delayed duplicate, arrived (s), and its numbers."""

    arrived: float
    seq: int
    length: int
    ack: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What a receiver accepts from ``time`` (s) on: data in [RCV.NXT, RCV.NXT + window) with one of ``acks`` ACKs.

    These are ``first_ack`` and those after it: in ESTABLISHED [SND.UNA - MAX.SND.WND, SND.NXT] (RFC 5961 5) or all old
    ones (RFC 793), in SYN-RECEIVED the one that acknowledges the SYN-ACK.
    """

    time: float
    rcv_nxt: int
    window: int
    first_ack: int
    acks: int


@dataclass(frozen=True, slots=True)
class NewConnection:
    """A receiver: its ``course``, from ``start`` on, when the sender had opened its new connection, to ``end``.

    ``client``, ``server``: how far (modulo 2^32) its IRS and its ISS lie beyond the old ones; None: uniform, the same
    for all connections. A connection that an old SYN has opened has ``client`` = 0.
    """

    course: Sequence[Moment]
    start: float
    end: float
    client: int | None
    server: int | None


@dataclass(frozen=True, slots=True)
class _Acceptance:
    """With probability ``p`` a copy of segment number ``of`` is taken if both differences lie in these arcs."""

    of: int
    p: float
    seq: tuple[Arc, ...]
    ack: Arc


def p_some_copy_accepted(
    segments: Sequence[OldSegment],
    connections: Sequence[NewConnection],
    *,
    duplicate: float,
    late: Callable[[float], float],
) -> float:
    """P(at least one delayed duplicate is accepted), if each segment has one with probability ``duplicate``. Exact.

    ``late(t)``: P(a copy comes more than t seconds after its original). Copies are independent, their fates are not:
    all of them meet the same two differences.
    """
    acceptances = []
    for of, segment in enumerate(segments):
        for connection in connections:
            for moment, since, until in _periods(connection, segment.arrived):
                p = duplicate * (late(since - segment.arrived) - late(until - segment.arrived))
                if p > 0:
                    acceptances.append(_Acceptance(of, p, *_arcs(segment, connection, moment)))
    return _integral(acceptances)


def p_some_arrival_accepted(arrivals: Iterable[OldSegment], connections: Sequence[NewConnection]) -> float:
    """P(at least one of the old segments that did arrive is accepted): the union of their arcs."""
    acceptances = []
    for of, segment in enumerate(arrivals):
        for connection in connections:
            for moment, since, until in _periods(connection, 0.0):
                if since <= segment.arrived < until:
                    acceptances.append(_Acceptance(of, 1.0, *_arcs(segment, connection, moment)))
    return _integral(acceptances)


def _periods(connection: NewConnection, earliest: float) -> Iterator[tuple[Moment, float, float]]:
    """The moments of a course, each with when it begins and ends to matter."""
    times = [*(moment.time for moment in connection.course), connection.end]
    for moment, (since, until) in zip(connection.course, pairwise(times), strict=True):
        since, until = max(since, connection.start, earliest), min(until, connection.end)
        if since < until:
            yield moment, since, until


def _arcs(segment: OldSegment, connection: NewConnection, moment: Moment) -> tuple[tuple[Arc, ...], Arc]:
    """For which differences the data's numbers and its ACK are acceptable (RFC 9293 3.10.7.4, first and fifth)."""
    window, length = moment.window, segment.length
    first = segment.seq - moment.rcv_nxt - window + 1  # of the differences that put the first byte into the window
    if window == 0:
        seq: tuple[Arc, ...] = ()
    elif length - 1 <= window:
        seq = ((first, window + length - 1),)
    else:
        seq = ((first, window), (first + length - 1, window))
    ack = segment.ack - moment.first_ack - moment.acks + 1, moment.acks
    client, server = connection.client, connection.server
    if client is not None:
        seq = (_CIRCLE,) if any(_holds(arc, client) for arc in seq) else ()
    if server is not None:
        ack = _CIRCLE if _holds(ack, server) else (0, 0)
    return seq, ack


def _holds(arc: Arc, number: int) -> bool:
    return (number - arc[0]) & _MASK < arc[1]


def _integral(acceptances: Iterable[_Acceptance]) -> float:
    """1 - E prod(1 - p of each segment) over the two differences."""
    acceptances = [acceptance for acceptance in acceptances if acceptance.seq and acceptance.ack[1]]
    total = 0.0
    edges = sorted({edge for acceptance in acceptances for piece in _pieces(acceptance.ack) for edge in piece})
    for low, high in pairwise(edges):
        active = [c for c in acceptances if _holds(c.ack, low)]
        total += (high - low) / SEQUENCE_SPACE * _over_sequence_numbers(active)
    return total


def _over_sequence_numbers(acceptances: Sequence[_Acceptance]) -> float:
    """The integral over the difference of the client's numbers; each acceptance has its arcs there."""
    pieces = [(c.of, c.p, *piece) for c in acceptances for arc in c.seq for piece in _pieces(arc)]
    if not pieces:
        return 0.0
    edges = np.unique(np.array([edge for *_, low, high in pieces for edge in (low, high)], dtype=np.int64))
    log_none = np.zeros(len(edges))
    by_segment: dict[int, list[tuple[float, int, int]]] = {}
    for of, p, low, high in pieces:
        by_segment.setdefault(of, []).append((p, low, high))
    for group in by_segment.values():
        step = np.zeros(len(edges))
        acceptance, starts, stops = (np.array(column) for column in zip(*group, strict=True))
        np.add.at(step, np.searchsorted(edges, starts), acceptance)
        np.add.at(step, np.searchsorted(edges, stops), -acceptance)
        taken = np.clip(np.cumsum(step), 0.0, 1.0)
        with np.errstate(divide="ignore"):
            log_none += np.log1p(-np.where(taken < 1e-15, 0.0, taken))
    accepted = -np.expm1(log_none[:-1])
    return float(np.sum(accepted * np.diff(edges))) / SEQUENCE_SPACE


def _pieces(arc: Arc) -> Iterator[tuple[int, int]]:
    """An arc as one or two intervals [low, high) of 0 to 2^32."""
    start, size = arc
    low = start & _MASK
    high = low + min(size, SEQUENCE_SPACE)
    if low < min(high, SEQUENCE_SPACE):
        yield low, min(high, SEQUENCE_SPACE)
    if high > SEQUENCE_SPACE:
        yield 0, high - SEQUENCE_SPACE
