"""Initial sequence numbers (ISN): the policies that hosts have used (RFC 9293 3.4.1).

A policy is a frozen object. The time, the connection's four-tuple, and the host's secret and random stream are
arguments of ``initial``: a policy has no state and draws no randomness of its own.
"""

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Protocol, runtime_checkable

from netsim.fields import check, field
from netsim.identity import identity
from netsim.tcp.segment import MASK, FourTuple

RFC_CLOCK_HZ = 250_000.0  # RFC 9293 3.4.1: a tick every 4 us. It wraps in 4.772 h (the RFC's 4.55 h is for 2**18 Hz)
NS = 1_000_000_000
_WORD = Struct(">L")


class IsnSource(Protocol):
    """What an ISN policy gets from its host."""

    def secret(self) -> bytes:
        """The host's secret key, 16 bytes."""
        ...

    def isn_stream(self) -> random.Random:
        """The host's random numbers for ISNs."""
        ...


@runtime_checkable
class IsnPolicy(Protocol):
    """How a host chooses the ISN of a new connection, its initial send sequence number (ISS)."""

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The ISS of a connection that opens at ``now`` (ns).

        ``flow`` is its four-tuple with this host as the source, ``opened`` the number of connections opened before it.
        """
        ...


@lru_cache(maxsize=64)
def _ticks_per_ns(rate: float) -> tuple[int, int]:
    """Ticks per nanosecond as an exact fraction: numerator and denominator."""
    numerator, denominator = rate.as_integer_ratio()
    return numerator, NS * denominator


def _ticks(now: int, rate: float) -> int:
    """Whole ticks since time 0."""
    numerator, denominator = _ticks_per_ns(rate)
    return now * numerator // denominator


_NUMBER = (0, MASK)


@dataclass(frozen=True, slots=True)
class ConstantIsn:
    """The same number for every connection, which RFC 9293 forbids (MUST-8): old segments fit new connections."""

    value: int = field(0, "the ISN of every connection", allowed=_NUMBER)

    def __post_init__(self) -> None:
        check(self, within="ConstantIsn.")

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The constant."""
        return self.value


@dataclass(frozen=True, slots=True)
class ClockIsn:
    """The clock of RFC 793: it starts with ``offset`` at simulated time 0 and ticks ``rate`` times a second."""

    rate: float = field(RFC_CLOCK_HZ, "rate of the clock", unit="Hz", allowed="> 0")
    offset: int = field(0, "reading of the clock at simulated time 0", allowed=_NUMBER)

    def __post_init__(self) -> None:
        check(self, within="ClockIsn.")

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The clock's reading."""
        return (self.offset + _ticks(now, self.rate)) & MASK


@dataclass(frozen=True, slots=True)
class HashIsn:
    """RFC 6528: ISN = M + F(four-tuple, secret), where M is a clock and F a keyed hash.

    The ISNs of one four-tuple increase with the clock, as RFC 793 intended; those of different four-tuples look
    unrelated, so that an off-path attacker cannot predict them.
    """

    rate: float = field(RFC_CLOCK_HZ, "rate of the clock M", unit="Hz", allowed="> 0")

    def __post_init__(self) -> None:
        check(self, within="HashIsn.")

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """M + F."""
        src, sport, dst, dport = flow
        text = f"|{src}|{sport}|{dst}|{dport}".encode()
        offset: int = _WORD.unpack(blake2b(source.secret() + text, digest_size=4).digest())[0]
        return (offset + _ticks(now, self.rate)) & MASK


@dataclass(frozen=True, slots=True)
class RandomIsn:
    """A new random number for every connection, uniform over all sequence numbers."""

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The next 32 random bits."""
        return source.isn_stream().getrandbits(32)


@dataclass(frozen=True, slots=True)
class CounterIsn:
    """A counter that every second and every connection increase, as in early BSD systems (RFC 1948 describes it).

    4.2BSD added 128 per second and 64 per connection. The default increments are those of 4.3BSD. Both are quoted from
    memory: unverified.
    """

    per_second: int = field(125_000, "increment per whole second", allowed=_NUMBER)
    per_connection: int = field(64_000, "increment per connection", allowed=_NUMBER)
    start: int = field(1, "value at simulated time 0", allowed=_NUMBER)

    def __post_init__(self) -> None:
        check(self, within="CounterIsn.")

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """The counter's value. It increases once per whole second, as BSD's slow timer made it."""
        return (self.start + self.per_second * (now // NS) + self.per_connection * opened) & MASK


@dataclass(frozen=True, slots=True)
class FunctionIsn:
    """A user's own policy: ``function(now, flow, opened, source)`` gives the ISS, of which the lower 32 bits count.

    The arguments are those of ``IsnPolicy.initial``. ``name``: the identity of the policy; by default that of the
    function (``netsim.identity``).
    """

    function: Callable[[int, FourTuple, int, IsnSource], int] = dataclasses.field(compare=False)
    name: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ValueError(f"function = {self.function!r}: must be a function(now, flow, opened, source) -> int")
        object.__setattr__(self, "name", identity(self.function, self.name or None))

    def initial(self, now: int, flow: FourTuple, opened: int, source: IsnSource) -> int:
        """What the function returns."""
        return self.function(now, flow, opened, source) & MASK
