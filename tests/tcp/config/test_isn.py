"""Initial sequence numbers and local ports, by hand and by count."""

import random
from collections import Counter
from typing import get_args

import pytest
from scipy.stats import chi2

from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, HashIsn, IsnPolicy, RandomIsn
from netsim.tcp.config.ports import Order, Ports
from netsim.tcp.config.profiles import linux, rfc793, rfc9293
from netsim.tcp.errors import ConnectionAlreadyExists, InsufficientResources
from netsim.tcp.host_context import HostContext
from netsim.tcp.segment import SYN, FourTuple
from netsim.tcp.stack import Stack
from netsim.tcp.tcb import Tcb
from tests.tcp.harness import Solo, ns, streams

FLOW = FourTuple("a", 4000, "b", 80)
OTHER = FourTuple("a", 4001, "b", 80)
ALPHA = 0.001


def _source(seed: int = 1) -> HostContext[Tcb]:
    """A host whose key and random numbers come from ``seed``."""
    return HostContext(lambda _: random.Random(seed))


def _isn(policy: IsnPolicy, seconds: float = 0.0, flow: FourTuple = FLOW, opened: int = 0, seed: int = 1) -> int:
    return policy.initial(now=ns(seconds), flow=flow, opened=opened, source=_source(seed))


# ISN


def test_constant() -> None:
    assert {_isn(ConstantIsn(7), t, f) for t in (0, 1, 9999) for f in (FLOW, OTHER)} == {7}


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (0, 0),
        (4e-6, 1),  # "incremented roughly every 4 microseconds" (RFC 9293 3.4.1)
        (3.9e-6, 0),
        (1, 250_000),
        (3600, 900_000_000),
        (17_179.869184 - 4e-6, 2**32 - 1),
        (17_179.869184, 0),  # 2**32 * 4 us = 4.772 h, not the RFC's 4.55 h
    ],
)
def test_the_clock_of_rfc_793(seconds: float, value: int) -> None:
    assert _isn(ClockIsn(), seconds) == value
    assert _isn(ClockIsn(), seconds, OTHER, opened=99, seed=2) == value  # only the time matters


def test_the_clock_that_wraps_in_four_and_a_half_hours() -> None:
    """RFC 793's "4.55 hours" belong to a clock of 2**18 Hz: 2**14 s."""
    assert _isn(ClockIsn(rate=2**18), 2**14) == 0
    assert _isn(ClockIsn(rate=2**18), 2**14 - 1) == 2**32 - 2**18
    assert _isn(ClockIsn(offset=10), 1) == 250_010


def test_rfc_6528_moves_by_the_clock_for_one_four_tuple() -> None:
    """ISN = M + F: the second opening lies exactly the clock's ticks beyond the first, at any rate."""
    first = _isn(HashIsn())
    assert (_isn(HashIsn(), 100) - first) % 2**32 == 25_000_000
    assert (_isn(HashIsn(), 100, opened=50) - first) % 2**32 == 25_000_000
    fast = HashIsn(rate=15_625_000)  # Linux: 64 ns
    assert (_isn(fast, 274.877906944) - _isn(fast)) % 2**32 == 0  # wraps in 274.88 s
    assert (_isn(fast, 1.5) - _isn(fast, 0.5)) % 2**32 == 15_625_000


def test_rfc_6528_is_keyed() -> None:
    """F depends on a secret: another host (key), port or address has other sequence numbers."""
    values = {
        _isn(HashIsn(), seed=seed, flow=flow)
        for seed in range(20)
        for flow in (FLOW, OTHER, FLOW.reverse(), FLOW._replace(dst="c"))
    }
    assert len(values) == 80


def _chi_square(values: list[int], bins: int = 64) -> float:
    counts = Counter(value * bins >> 32 for value in values)
    expected = len(values) / bins
    return sum((counts[k] - expected) ** 2 / expected for k in range(bins))


@pytest.mark.parametrize("policy", [RandomIsn(), HashIsn()])
def test_uniform_over_the_whole_space(policy: IsnPolicy) -> None:
    """Chi-square on 64 bins, n = 6,400, alpha = .001; low bits likewise. HashIsn over 6,400 four-tuples."""
    source = _source()
    values = [
        policy.initial(now=0, flow=FLOW._replace(sport=k), opened=k, source=source)
        for k in range(6400)
    ]  # fmt: skip
    critical = chi2.ppf(1 - ALPHA, 63)
    assert _chi_square(values) < critical
    assert _chi_square([(value << 26) & 0xFFFFFFFF for value in values]) < critical
    assert _chi_square([value >> 1 for value in values]) > critical  # the test can fail


def test_the_counter_increases_per_second_and_per_connection() -> None:
    """RFC 1948: one increment per second and one per connection."""
    policy = CounterIsn(per_second=128, per_connection=64, start=1)
    assert [_isn(policy, t, opened=n) for t, n in ((0, 0), (0.99, 0), (1, 0), (1, 1), (10.5, 3))] == [
        1, 1, 129, 193, 1473,
    ]  # fmt: skip
    assert (_isn(CounterIsn(), 5, opened=7) - _isn(CounterIsn(), 4, opened=6)) % 2**32 == 125_000 + 64_000


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConstantIsn(-1), "ConstantIsn.value = -1"),
        (lambda: ConstantIsn(2**32), "ConstantIsn.value = 4294967296: must be an integer in "),
        (lambda: ClockIsn(rate=0), "ClockIsn.rate = 0"),
        (lambda: HashIsn(rate=float("inf")), "HashIsn.rate = inf"),
        (lambda: ClockIsn(offset=2**32), "ClockIsn.offset"),
        (lambda: CounterIsn(per_second=-1), "CounterIsn.per_second = -1"),
        (lambda: rfc9293().replace(isn=3), "isn = 3: must be an IsnPolicy"),
    ],
)
def test_bad_values(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        make()


def test_profiles_on_the_wire() -> None:
    """RFC 793's clock; Linux: two openings of one four-tuple differ by 64 ns ticks."""
    solo = Solo(rfc793().replace(isn=ClockIsn()), iss=None)
    solo.advance(2)
    assert solo.open()[0].seq == 500_000
    numbers = []
    for at in (0.0, 4.0):
        solo = Solo(linux(), iss=None)
        solo.advance(at)
        numbers.append(solo.open()[0].seq)
    assert (numbers[1] - numbers[0]) % 2**32 == 62_500_000


def test_the_number_is_chosen_once_per_connection() -> None:
    solo = Solo(rfc9293().replace(isn=RandomIsn()), iss=None)
    solo.open()
    solo.advance(300)
    assert len({s.seq for _, s in solo.log if s.flags == SYN}) == 1
    solo.advance(1000)
    assert solo.open()[0].seq != solo.log[0][1].seq


# Ports (RFC 6056)


def _ports(policy: Ports, count: int, seed: int = 1, destinations: int = 1) -> list[int]:
    stack = Stack("a", streams(seed), rfc9293().replace(ports=policy))
    return [stack.open(f"b{k % destinations}", 80, 0)[0].four_tuple.sport for k in range(count)]


def test_sequential_ports_wrap() -> None:
    assert _ports(Ports("sequential", 10, 13), 4) == [10, 11, 12, 13]
    stack = Stack("a", streams(), rfc9293().replace(ports=Ports("sequential", 10, 12)))
    stack.open("b", 80, 0, sport=11)
    # A port in use for that destination is skipped; for another it is free.
    assert [stack.open("b", 80, 0)[0].four_tuple.sport for _ in range(2)] == [12, 10]
    assert {tcb.four_tuple.sport for tcb in stack.connections.values()} == {10, 11, 12}
    assert stack.open("c", 80, 0)[0].four_tuple.sport in (10, 11, 12)


def test_default_range() -> None:
    """RFC 6335 6: dynamic ports 49152 to 65535; Linux: 32768 to 60999."""
    ports = _ports(rfc9293().ports, 500)
    assert min(ports) >= 49152
    assert max(ports) <= 65535
    assert all(32768 <= port <= 60999 for port in _ports(linux().ports, 500))


def test_random_ports_are_uniform() -> None:
    """Chi-square on 64 bins, n = 6,400 first candidates, alpha = .001."""
    source: HostContext[Tcb] = HostContext(lambda _: random.Random(3))
    policy = Ports("random", 1024, 1024 + 6399)
    starts = [policy.start("a", "b", 80, k, source) for k in range(6400)]
    counts = Counter(start // 100 for start in starts)
    assert sum((counts[k] - 100) ** 2 / 100 for k in range(64)) < chi2.ppf(1 - ALPHA, 63)


def test_hashed_ports_increase_from_a_secret_start_for_each_destination() -> None:
    """RFC 6056, algorithm 3: port = F(addresses, key) + a counter."""
    policy = Ports("hash", 40_000, 49_999)
    one = _ports(policy, 3)
    assert [(port - one[0]) % 10_000 for port in one] == [0, 1, 2]
    assert _ports(policy, 3) == one
    assert _ports(policy, 1, seed=2) != one[:1]
    two = _ports(policy, 2, destinations=2)
    assert (two[1] - two[0]) % 10_000 != 1


@pytest.mark.parametrize("order", get_args(Order))
def test_when_all_ports_are_taken(order: Order) -> None:
    """Every port once, then InsufficientResources; another destination has its own ports."""
    stack = Stack("a", streams(), rfc9293().replace(ports=Ports(order, 5000, 5019)))
    ports = [stack.open("b", 80, 0)[0].four_tuple.sport for _ in range(20)]
    assert sorted(ports) == list(range(5000, 5020))
    with pytest.raises(InsufficientResources, match="no free port to b:80"):
        stack.open("b", 80, 0)
    stack.open("b", 81, 0)
    stack.open("c", 80, 0)
    with pytest.raises(ConnectionAlreadyExists):
        stack.open("b", 80, 0, sport=5003)


@pytest.mark.parametrize(("first", "last"), [(0, 10), (10, 9), (1, 65536), (1.5, 10)])
@pytest.mark.parametrize("order", get_args(Order))
def test_bad_port_ranges(order: Order, first: int, last: int) -> None:
    with pytest.raises(ValueError, match=r"ports\.(first|last) = .*: must be"):
        Ports(order, first, last)


def test_a_bad_port_order() -> None:
    with pytest.raises(ValueError, match=r"^ports\.order = 'odd': must be one of sequential, random, hash"):
        Ports("odd")  # type: ignore[arg-type]
