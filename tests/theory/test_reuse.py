"""The probability that delayed duplicates are accepted: by hand, by drawing, and against the union of arcs."""

import math
import random

import pytest

from netsim.theory import Moment, NewConnection, OldSegment, p_accept, p_some_arrival_accepted, p_some_copy_accepted

SPACE = 2**32
GIGABYTE = 2**30
ANY = SPACE  # as many ACKs as there are


def receiver(window: int, acks: int = ANY, *, client: int | None = None, server: int | None = None) -> NewConnection:
    """From 10 s to 20 s, nothing received; ``acks`` up to SND.NXT = 1."""
    return NewConnection([Moment(10.0, 1, window, 2 - acks, acks)], 10.0, 20.0, client, server)


def contiguous(count: int, length: int, arrived: float = 15.0) -> list[OldSegment]:
    return [OldSegment(arrived, 1 + k * length, length, 1) for k in range(count)]


@pytest.mark.parametrize(
    ("count", "length", "window"), [(1, 1000, 65535), (20, 1000, 65535), (3, 1460, 100), (2, 1, 1)]
)
def test_arrivals_are_the_union_of_arcs(count: int, length: int, window: int) -> None:
    """With any ACK taken, P = (W + k L - 1) / 2^32 for a run of k segments that do not cover the window."""
    segments = contiguous(count, length)
    found = p_some_arrival_accepted(segments, [receiver(window)])
    assert found == pytest.approx(p_accept([(s.seq, s.seq + s.length) for s in segments], window=window), rel=1e-12)
    if length - 1 <= window:
        assert found == pytest.approx((window + count * length - 1) / SPACE, rel=1e-12)


def test_the_ack_of_stale_data_must_be_acceptable_too() -> None:
    """RFC 5961: MAX.SND.WND + 1 of 2^32; RFC 793: half of them and one."""
    for acks in (65536, SPACE // 2 + 1, 1):
        p = p_some_arrival_accepted(contiguous(1, 1000), [receiver(65535, acks)])
        assert p == pytest.approx((65535 + 999) / SPACE * acks / SPACE, rel=1e-12)


@pytest.mark.parametrize(("client", "taken"), [(0, True), (999, True), (1000, False), (-65535, False), (-65534, True)])
def test_a_given_difference_decides(client: int, taken: bool) -> None:
    """One segment of 1,000 bytes, window 65,535: RCV.NXT may lie on its last byte, or 65,534 before its first."""
    segment = contiguous(1, 1000)
    assert p_some_arrival_accepted(segment, [receiver(65535, client=client % SPACE)]) == taken
    half = receiver(65535, SPACE // 2, client=client % SPACE)
    assert p_some_arrival_accepted(segment, [half]) == (0.5 if taken else 0.0)


def test_only_arrivals_while_data_is_accepted_count() -> None:
    for arrived, taken in ((9.9, False), (10.0, True), (19.9, True), (20.0, False)):
        assert (p_some_arrival_accepted(contiguous(1, 10, arrived), [receiver(5, client=0)]) == 1) is taken


def test_a_moving_window() -> None:
    """After 15 s the receiver is 5,000 bytes further: the same data is acceptable for other differences."""
    course = [Moment(10.0, 1, 1000, 0, ANY), Moment(15.0, 5001, 1000, 0, ANY)]
    moving = NewConnection(course, 10.0, 20.0, None, 0)
    arrivals = [OldSegment(12.0, 1, 1, 1), OldSegment(17.0, 1, 1, 1)]
    assert p_some_arrival_accepted(arrivals, [moving]) == pytest.approx(2000 / SPACE)  # two arcs of 1,000, disjoint
    assert p_some_arrival_accepted(arrivals[:1] * 2, [moving]) == pytest.approx(1000 / SPACE)  # twice the same


def test_copies_by_hand() -> None:
    """d = 0.3, late by Exp(4 s), original at 9 s: P(copy in 10 .. 20 s) = e^(-1/4) - e^(-11/4)."""
    late = 0.3 * (math.exp(-1 / 4) - math.exp(-11 / 4))
    segments = contiguous(2, 1000, 9.0)
    p = p_some_copy_accepted(segments[:1], [receiver(65535)], duplicate=0.3, late=lambda t: math.exp(-t / 4))
    assert p == pytest.approx(late * 66534 / SPACE, rel=1e-9)
    sure = [receiver(65535, client=0, server=0)]
    p = p_some_copy_accepted(segments, sure, duplicate=0.3, late=lambda t: math.exp(-t / 4))
    assert p == pytest.approx(1 - (1 - late) ** 2, rel=1e-12)


def test_copies_against_drawing() -> None:
    """Windows of 1 GB at both ends, a course of two steps, losses of time: 200,000 draws, two-sided alpha 1e-4."""
    course = [
        Moment(10.0, 1, GIGABYTE, 1 - GIGABYTE, GIGABYTE + 1),
        Moment(13.0, 2**29, GIGABYTE, 1 - GIGABYTE, GIGABYTE),
    ]
    new = NewConnection(course, 10.0, 18.0, None, None)
    segments = [OldSegment(3.0, 1, 1000, 1), OldSegment(4.0, 2**30, 1000, 1), OldSegment(11.0, 2**31, 1000, 2**31)]
    p = p_some_copy_accepted(segments, [new], duplicate=0.7, late=lambda t: math.exp(-t / 8))
    rng, hits, n = random.Random(5), 0, 200_000
    for _ in range(n):
        client, server = rng.randrange(SPACE), rng.randrange(SPACE)
        for s in segments:
            if rng.random() < 0.7 and 10.0 <= (t := s.arrived + rng.expovariate(1 / 8)) < 18.0:
                m = course[t >= 13.0]
                offset = (s.seq - m.rcv_nxt - client) % SPACE
                fits = offset < m.window or (offset + s.length - 1) % SPACE < m.window
                if fits and (s.ack - m.first_ack - server) % SPACE < m.acks:
                    hits += 1
                    break
    assert 0.04 < p < 0.2
    assert abs(hits / n - p) < 3.89 * math.sqrt(p * (1 - p) / n)
