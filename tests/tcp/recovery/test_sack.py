"""SACK blocks as a receiver reports them: the RFCs' own examples (RFC 2018 4, RFC 2883 4), every order of arrival."""

import itertools
import random

import pytest

from netsim.tcp.config.profiles import freebsd, linux, rfc9293
from netsim.tcp.segment import ACK, FIN, MASK, Options
from tests.tcp.harness import PEER_ISS, Solo

SACK = rfc9293().replace(sack=True, delayed_ack=None)
ONE = PEER_ISS + 1  # the peer's first byte


def receiver(config=SACK, irs: int = PEER_ISS):  # type: ignore[no-untyped-def]
    """ESTABLISHED with SACK agreed on; ``arrive(left, right)`` feeds those bytes and gives (ACK, SACK blocks)."""
    solo = Solo(config)
    solo.open()
    solo.feed(0x12, irs, 1001, options=Options(mss=1460, sack_permitted=True))

    def arrive(left: int, right: int, *, first: int = 0, data: bytes = b"", fin: bool = False):  # type: ignore[no-untyped-def]
        seq = (irs + 1 + left - first) & MASK
        sent = solo.feed(ACK | (FIN if fin else 0), seq, 1001, data=data or bytes(right - left))
        if not sent:
            return None

        def shown(number: int) -> int:
            return ((number - irs - 1) & MASK) + first

        options = sent[-1].options
        return shown(sent[-1].ack), [(shown(a), shown(b)) for a, b in options.sack] if options is not None else []

    return solo, arrive


def test_rfc_2018_case_2_the_first_segment_is_lost() -> None:
    """Left edge 5000, eight segments of 500 bytes, the first is dropped: seven ACKs of 5000, one growing block."""
    _, arrive = receiver()
    for right in range(6000, 9001, 500):
        assert arrive(right - 500, right, first=5000) == (5000, [(5500, right)])


def test_rfc_2018_case_3_every_second_segment_is_lost() -> None:
    """2nd, 4th, 6th and 8th dropped; then the 4th comes out of order, then the 2nd."""
    _, arrive = receiver()
    assert arrive(5000, 5500, first=5000) == (5500, [])
    assert arrive(6000, 6500, first=5000) == (5500, [(6000, 6500)])
    assert arrive(7000, 7500, first=5000) == (5500, [(7000, 7500), (6000, 6500)])
    assert arrive(8000, 8500, first=5000) == (5500, [(8000, 8500), (7000, 7500), (6000, 6500)])
    assert arrive(6500, 7000, first=5000) == (5500, [(6000, 7500), (8000, 8500)])
    assert arrive(5500, 6000, first=5000) == (7500, [(8000, 8500)])


def test_rfc_2883_a_duplicate_is_reported_once_and_first() -> None:
    """4.1.1: 3000-3999 here already, 3000-3499 again: ACK 4000, SACK 3000-3500. 4.1.2: with a block behind it."""
    _, arrive = receiver()
    arrive(3000, 3500, first=3000)
    arrive(3500, 4000, first=3000)
    assert arrive(3000, 3500, first=3000) == (4000, [(3000, 3500)])
    assert arrive(4500, 5000, first=3000) == (4000, [(4500, 5000)])  # "reported only once"
    assert arrive(3000, 3500, first=3000) == (4000, [(3000, 3500), (4500, 5000)])


def test_rfc_2883_a_duplicate_inside_a_block_comes_before_the_block() -> None:
    """4, (4): the first block is the duplicate, the second the larger block that contains it."""
    _, arrive = receiver()
    arrive(3500, 4000, first=3000)
    arrive(4000, 4500, first=3000)
    assert arrive(4000, 4500, first=3000) == (3000, [(4000, 4500), (3500, 4500)])


def test_only_the_part_received_twice_is_a_duplicate() -> None:
    """RFC 2883 4.2: partial duplicates, before RCV.NXT, at either end of a block, and around one."""
    _, arrive = receiver()
    arrive(0, 100)
    arrive(200, 300)
    assert arrive(250, 400) == (100, [(250, 300), (200, 400)])
    assert arrive(150, 250) == (100, [(200, 250), (150, 400)])
    assert arrive(120, 500) == (100, [(150, 400), (120, 500)])
    assert arrive(50, 110) == (110, [(50, 100), (120, 500)])
    assert arrive(110, 600) == (600, [(120, 500)])
    assert arrive(600, 700) == (700, [])


def test_as_many_blocks_as_the_header_has_room_for() -> None:
    """Forty bytes of options: four blocks, or three beside timestamps (RFC 2018 3); the latest ones."""
    _, arrive = receiver()
    blocks = [(200 * k, 200 * k + 100) for k in range(1, 7)]
    for block in blocks:
        _, shown = arrive(*block)
    assert shown == blocks[:1:-1]
    solo = Solo(SACK.replace(timestamps=True))
    solo.open()
    solo.feed(0x12, PEER_ISS, 1001, options=Options(mss=1460, sack_permitted=True, ts_val=1))
    for left, right in blocks:
        sent = solo.feed(ACK, ONE + left, 1001, data=bytes(right - left), options=Options(ts_val=1))
    options = sent[-1].options
    assert options is not None
    assert options.sack == tuple((ONE + a, ONE + b) for a, b in blocks[:2:-1])
    assert options.size() == 40


@pytest.mark.parametrize("config", [SACK.replace(sack=False), SACK.replace(dsack=False)], ids=["no sack", "no dsack"])
def test_without_agreement_no_sack_is_sent(config) -> None:  # type: ignore[no-untyped-def]
    solo, arrive = receiver(config)
    arrive(0, 100)
    assert arrive(0, 100) == (100, [])
    assert arrive(200, 300) == (100, [(200, 300)] if config.sack else [])
    assert solo.tcb.reassembly is not None
    assert arrive(100, 200) == (300, [])
    assert solo.tcb.reassembly is None


@pytest.mark.parametrize("config", [SACK, linux(), freebsd()], ids=lambda c: c.name)
@pytest.mark.parametrize("irs", [PEER_ISS, 2**32 - 30])
def test_every_order_delivers_the_prefix_and_reports_the_rest(config, irs: int) -> None:  # type: ignore[no-untyped-def]
    """Five pieces with a FIN on the last, in all 120 orders, each piece twice: RCV.NXT is the first gap, the user has
    read exactly the data before it, and the blocks are exactly what lies behind it (the duplicate aside)."""
    size, data = 10, bytes(range(50))
    for order in itertools.permutations(range(5)):
        solo, arrive = receiver(config, irs)
        here: set[int] = set()
        got = b""
        for k in [order[0], *order]:
            first = k not in here
            here.add(k)
            answer = arrive(size * k, 0, data=data[size * k : size * k + size], fin=k == 4)
            got += solo.read() or b""
            gap = next(i for i in range(6) if i not in here)
            assert got == data[: size * gap]
            if answer is None or not first:
                continue
            number, blocks = answer
            assert number == size * gap + (gap == 5)
            held = {i for left, right in blocks for i in range(left // size, right // size)}
            assert held == {i for i in here if i > gap}
            assert all(a[1] < b[0] for a, b in itertools.pairwise(sorted(blocks)))
        assert solo.read() == b""
        assert solo.tcb.reassembly is None


@pytest.mark.parametrize("seed", range(60))
def test_overlaps_at_random_never_report_what_is_not_held(seed: int) -> None:
    """Random pieces, with gaps: blocks lie in what arrived, in order of their last change; a first block below RCV.NXT
    or inside another is a duplicate (RFC 2883 5), and nothing else overlaps."""
    rng = random.Random(f"sack/{seed}")
    irs = rng.choice([PEER_ISS, 2**32 - 150, 2**32 - 1])
    solo, arrive = receiver(SACK, irs)
    data = rng.randbytes(400)
    covered: set[int] = set()
    got = b""
    for _ in range(60):
        left = rng.randrange(390)
        right = min(400, left + rng.randrange(1, 60))
        new = set(range(left, right))
        old = new & covered
        covered |= new
        number, blocks = arrive(left, right, data=data[left:right])
        got += solo.read() or b""
        assert got == data[:number]
        assert number == next(i for i in range(401) if i not in covered)
        if old:
            assert set(range(*blocks[0])) <= old, "the duplicate comes first"
            blocks = blocks[1:]
        edges = sorted(blocks)
        assert all(a[1] < b[0] for a, b in itertools.pairwise(edges))
        assert all(left > number and set(range(left, right)) <= covered for left, right in edges)
        assert all(right not in covered and left - 1 not in covered for left, right in edges)
