"""Initial sequence numbers: the policies hosts have used (RFC 9293 3.4.1).

A policy is a frozen object; time, the flow, the host's secret and its random stream are arguments of ``initial``.
"""

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Protocol, runtime_checkable

from netsim.tcp.segment import FourTuple
from netsim.tcp.seq import MASK

RFC_CLOCK_HZ = (
    250_000.0  # one tick every 4 us; RFC 9293 3.4.1. It wraps in 4.772 h (the RFC's 4.55 h is a 2**18 Hz clock)
)
LINUX_CLOCK_HZ = 15_625_000.0  # one tick every 64 ns; net/core/secure_seq.c
NS = 1_000_000_000
_WORD = Struct(">L")


class IsnSource(Protocol):
    """What a host brings to the choice: its key (16 bytes) and its random stream."""

    def secret(self) -> bytes:
        """The host's key."""
        ...

    def isn_stream(self) -> random.Random:
        """The host's stream of random ISNs."""
        ...


@runtime_checkable
class IsnPolicy(Protocol):
    """How a host chooses its ISS."""

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The ISS for ``flow`` (as this host writes it) at ``now`` (ns), after ``opened`` earlier connections."""
        ...


@lru_cache(maxsize=64)
def _ticks_per_ns(rate: float) -> tuple[int, int]:
    """The ratio that the float stands for, exactly."""
    numerator, denominator = rate.as_integer_ratio()
    return numerator, NS * denominator


def _ticks(now: int, rate: float) -> int:
    """Whole ticks since time 0."""
    numerator, denominator = _ticks_per_ns(rate)
    return now * numerator // denominator


def _check_rate(name: str, rate: float) -> None:
    if not (0 < rate < math.inf):
        raise ValueError(f"{name} = {rate!r}: allowed is a finite number > 0 (Hz)")


def _check_number(name: str, value: int) -> None:
    if not (isinstance(value, int) and 0 <= value <= MASK):
        raise ValueError(f"{name} = {value!r}: allowed is an integer from 0 to 4294967295")


@dataclass(frozen=True, slots=True)
class ConstantIsn:
    """Always the same number: what RFC 9293 forbids (MUST-8), and the root of the accidents shown here."""

    value: int = 0

    def __post_init__(self) -> None:
        _check_number("ConstantIsn.value", self.value)

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The constant."""
        return self.value


@dataclass(frozen=True, slots=True)
class ClockIsn:
    """The clock of RFC 793: ``rate`` ticks a second since simulated time 0, plus ``offset``."""

    rate: float = RFC_CLOCK_HZ
    offset: int = 0

    def __post_init__(self) -> None:
        _check_rate("ClockIsn.rate", self.rate)
        _check_number("ClockIsn.offset", self.offset)

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The clock's reading."""
        return (self.offset + _ticks(now, self.rate)) & MASK


@dataclass(frozen=True, slots=True)
class HashIsn:
    """RFC 6528: ISN = M + F(four-tuple, secret), M a clock of ``rate`` Hz, F a keyed hash.

    Two openings of one four-tuple differ by the clock's ticks exactly; different four-tuples look unrelated.
    """

    rate: float = RFC_CLOCK_HZ

    def __post_init__(self) -> None:
        _check_rate("HashIsn.rate", self.rate)

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """M + F."""
        src, sport, dst, dport = flow
        text = f"|{src}|{sport}|{dst}|{dport}".encode()
        offset: int = _WORD.unpack(blake2b(source.secret() + text, digest_size=4).digest())[0]
        return (offset + _ticks(now, self.rate)) & MASK


@dataclass(frozen=True, slots=True)
class RandomIsn:
    """Uniform over the whole space for each connection, from the host's stream."""

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The next 32 random bits."""
        return source.isn_stream().getrandbits(32)


@dataclass(frozen=True, slots=True)
class CounterIsn:
    """A counter raised by ``per_second`` each second and ``per_connection`` at each opening (RFC 1948 describes it).

    The increments 128 and 64 (4.2BSD), 125,000 and 64,000 (4.3BSD) are quoted from memory: unverified.
    """

    per_second: int = 125_000
    per_connection: int = 64_000
    start: int = 1

    def __post_init__(self) -> None:
        for name in ("per_second", "per_connection", "start"):
            _check_number(f"CounterIsn.{name}", getattr(self, name))

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The counter's value; it moves once a whole second, as the BSD slow timer did."""
        return (self.start + self.per_second * (now // NS) + self.per_connection * opened) & MASK
