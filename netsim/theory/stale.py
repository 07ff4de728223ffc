"""Probability that a segment of an old incarnation is accepted by a new connection on the same four-tuple.

The receiver's window is [RCV.NXT, RCV.NXT + W) modulo 2^32. A segment with data is acceptable iff its first
or its last byte lies in the window; one without data iff its sequence number does, or equals RCV.NXT when the
window is zero (RFC 9293 3.10.7.4, first check). A RST under RFC 5961 3.2 must equal RCV.NXT: that is the case
of no data and no window. `modulus` is a parameter so that small sequence spaces can be enumerated. Lengths
are in bytes, times in seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Literal

from netsim.theory._domain import check_count, check_non_negative, check_probability, nanoseconds

SEQUENCE_SPACE = 2**32

# A set of sequence numbers: (start, count) is [start, start + count), not yet reduced by the modulus.
_Arc = tuple[int, int]


def acceptable_sequences(*, length: int, window: int, modulus: int = SEQUENCE_SPACE) -> int:
    """How many of the sequence numbers make a segment of `length` bytes acceptable.

    W + min(L - 1, W) with data and a window; W without data; 1 for neither; 0 for data in a zero window. A
    segment longer than W + 1 that covers the whole window is rejected: neither of its ends is inside.

    Raises:
        ValueError: negative length or window, or length + window > modulus.
    """
    _check_segment(length, window, modulus)
    if length == 0:
        return max(window, 1)
    return window + min(length - 1, window) if window else 0


def p_segment_accepted(*, length: int, window: int, modulus: int = SEQUENCE_SPACE) -> float:
    """P(one stale segment is acceptable) when the new ISN is uniform: A(L, W) / 2^32.

    Raises:
        ValueError: as `acceptable_sequences`.
    """
    return acceptable_sequences(length=length, window=window, modulus=modulus) / modulus


def p_run_accepted(*, segments: int, length: int, window: int, modulus: int = SEQUENCE_SPACE) -> float:
    """P(at least one of k contiguous stale segments is acceptable) when the new ISN is uniform.

    (W + kL - 1) / 2^32, far below k A(L, W) / 2^32: all segments share one ISN, so their fates are not
    independent. Each segment longer than W + 1 leaves L - 1 - W positions where it covers the whole window.

    Raises:
        ValueError: segments, length or window below 1, or their run and the window exceed the modulus.
    """
    check_count("segments", segments, low=1)
    check_count("length", length, low=1)
    check_count("window", window, low=1)
    check_count("modulus", modulus, low=1)
    check_count("segments * length + window", segments * length + window, high=modulus)
    covering = segments * max(0, length - 1 - window)
    return (window + segments * length - 1 - covering) / modulus


def acceptable_differences(ranges: Iterable[tuple[int, int]], *, window: int, modulus: int = SEQUENCE_SPACE) -> int:
    """For how many values of RCV.NXT at least one of the stale segments is acceptable.

    Each range (start, end) is one segment with bytes start <= byte < end, in any order, overlapping or
    repeated, numbered from any common origin; start == end is a segment without data.

    Raises:
        ValueError: a range with end < start, or length + window > modulus.
    """
    arcs: list[_Arc] = []
    for start, end in ranges:
        if end < start:
            raise ValueError(f"ranges must hold (start, end) with start <= end, got {(start, end)!r}")
        _check_segment(end - start, window, modulus)
        # RCV.NXT in (first - W, first], where `first` is the first byte, and the same for the last byte.
        arcs.extend((start + offset, size) for offset, size in _accepting_positions(end - start, window))
    return _union_size(arcs, modulus)


def p_accept(ranges: Iterable[tuple[int, int]], *, window: int, modulus: int = SEQUENCE_SPACE) -> float:
    """P(at least one of the stale segments is acceptable), exactly, when the new ISN is uniform.

    `ranges` as in `acceptable_differences`. Averaging this over simulated sets of late segments estimates the
    acceptance probability of a random ISN without waiting for events of probability 1e-5.

    Raises:
        ValueError: as `acceptable_differences`.
    """
    return acceptable_differences(ranges, window=window, modulus=modulus) / modulus


def expected_acceptances(late: Sequence[float], *, length: int, window: int, modulus: int = SEQUENCE_SPACE) -> float:
    """Expected number of acceptable stale segments: the sum of P(late) A(L, W) / 2^32, new ISN uniform.

    `late[k]` is the probability that segment k arrives in the new incarnation (see `netsim.theory.late`).
    This bounds P(at least one) from above; for that, average `p_accept` over the sets of late segments.

    Raises:
        ValueError: a probability outside [0, 1], or as `acceptable_sequences`.
    """
    for index, probability in enumerate(late):
        check_probability(f"late[{index}]", probability)
    return sum(late) * p_segment_accepted(length=length, window=window, modulus=modulus)


def clock_isn_advance(*, rate: float, pause: float, modulus: int = SEQUENCE_SPACE) -> int:
    """How far an ISN clock of `rate` counts per second moves during `pause` seconds, modulo `modulus`.

    Counted from a tick, so one tick less than a clock caught just before its tick. RFC 9293 3.4.1 ticks every
    4 us (rate 250,000); Linux every 64 ns (15,625,000; secure_seq.c). With RFC 6528 two incarnations of one
    four-tuple differ by exactly this. Exact for a pause in whole nanoseconds.

    Raises:
        ValueError: negative or not finite rate or pause, modulus < 1.
    """
    check_non_negative("rate", rate)
    check_non_negative("pause", pause)
    check_count("modulus", modulus, low=1)
    return int(Fraction(rate) * nanoseconds(pause) / nanoseconds(1)) % modulus


def clock_isn_accepts(
    *,
    offset: int,
    length: int,
    rate: float,
    pause: float,
    window: int,
    received: int = 0,
    modulus: int = SEQUENCE_SPACE,
) -> bool:
    """Whether a stale segment that begins at byte `offset` of the old incarnation is acceptable, clock ISN.

    The four-tuple is opened again `pause` seconds after it was opened first, and `received` bytes have come
    since, so RCV.NXT stands r D + y bytes after the old stream's first byte.

    Raises:
        ValueError: a negative argument, or length + window > modulus.
    """
    check_count("offset", offset)
    check_count("received", received)
    _check_segment(length, window, modulus)
    rcv_nxt = clock_isn_advance(rate=rate, pause=pause, modulus=modulus) + received
    arcs = _accepting_positions(length, window)
    return any((rcv_nxt - offset - start) % modulus < size for start, size in arcs)


def clock_isn_hazard(
    *,
    rate: float,
    pause: float,
    sent: int,
    length: int,
    window: int,
    received: int = 0,
    modulus: int = SEQUENCE_SPACE,
) -> bool:
    """Whether any stale segment of `length` bytes out of the `sent` ones could be acceptable, clock ISN.

    With nothing received, this is X > r D (RFC 1185 appendix: the connection sent faster than the clock), or
    the clock having come so near to a whole turn that the window reaches the old stream's first bytes. A
    segment may begin at any byte; without data (length 0) also just after the last one.

    Raises:
        ValueError: a negative argument, length > sent, or length + window > modulus.
    """
    check_count("sent", sent)
    check_count("length", length, high=sent)
    check_count("received", received)
    _check_segment(length, window, modulus)
    rcv_nxt = clock_isn_advance(rate=rate, pause=pause, modulus=modulus) + received
    offsets = sent - length + 1  # 0, 1, ... sent - length
    # The accepting offsets are the `size` ones up to rcv_nxt - start: do they meet [0, offsets)?
    return any(
        (rcv_nxt - start) % modulus < size + offsets - 1
        for start, size in _accepting_positions(length, window)
        if size > 0
    )


def fixed_isn_accepts(
    *, offset: int, length: int, window: int, received: int = 0, modulus: int = SEQUENCE_SPACE
) -> bool:
    """Whether a stale segment at byte `offset` of the old stream is acceptable when both ISNs are equal.

    y - L < j < y + W, y bytes having been received, for a segment no longer than W + 1.

    Raises:
        ValueError: a negative argument, or length + window > modulus.
    """
    return clock_isn_accepts(
        offset=offset, length=length, rate=0.0, pause=0.0, window=window, received=received, modulus=modulus
    )


def p_fixed_isn_accepted(*, sent: int, window: int, length: int = 1, received: int = 0) -> float:
    """P(a stale segment is acceptable) when both ISNs are equal and its offset is uniform over 0 .. X - 1.

    With nothing received min(1, W / X).

    Raises:
        ValueError: sent < 1, a negative argument, or sent + length + received + window > 2^32.
    """
    check_count("sent", sent, low=1)
    check_count("received", received)
    _check_segment(length, window, SEQUENCE_SPACE)
    check_count("sent + length + received + window", sent + length + received + window, high=SEQUENCE_SPACE)
    taken: list[_Arc] = []
    for start, size in _accepting_positions(length, window):
        # Offsets received - start - size < j <= received - start, of which only 0 .. sent - 1 exist.
        low, high = max(0, received - start - size + 1), min(sent, received - start + 1)
        if low < high:
            taken.append((low, high - low))
    return _union_size(taken, SEQUENCE_SPACE) / sent


def p_old_handshake_completes(*, isn: Literal["fixed", "random"], modulus: int = SEQUENCE_SPACE) -> float:
    """P(an old duplicate SYN followed by an old duplicate ACK makes a server ESTABLISHED).

    The old ACK must acknowledge the new SYN-ACK, that is equal ISS + 1: certain when the server's ISS is the
    same each time, 2^-32 when it is random. This is the purpose of the handshake's final ACK.

    Raises:
        ValueError: another value of `isn`, or modulus < 1.
    """
    check_count("modulus", modulus, low=1)
    if isn not in ("fixed", "random"):
        raise ValueError(f"isn must be one of fixed, random, got {isn!r}")
    return 1.0 if isn == "fixed" else 1 / modulus


def _accepting_positions(length: int, window: int) -> Iterator[_Arc]:
    """Arcs of RCV.NXT, counted from the segment's first byte, that put its first or its last byte inside."""
    if length == 0:
        yield 1 - max(window, 1), max(window, 1)
    elif window > 0:
        yield 1 - window, window
        yield length - window, window


def _union_size(arcs: Iterable[_Arc], modulus: int) -> int:
    """Number of distinct values modulo `modulus` in the union of the arcs."""
    pieces: list[tuple[int, int]] = []
    for start, size in arcs:
        low = start % modulus
        high = low + min(size, modulus)
        pieces.append((low, min(high, modulus)))
        pieces.append((0, max(high - modulus, 0)))
    total = covered = 0
    for low, high in sorted(pieces):
        total += max(0, high - max(low, covered))
        covered = max(covered, high)
    return total


def _check_segment(length: int, window: int, modulus: int) -> None:
    check_count("modulus", modulus, low=1)
    check_count("length", length)
    check_count("window", window)
    check_count("length + window", length + window, high=modulus)
