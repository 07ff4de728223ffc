"""Sequence numbers: arithmetic modulo 2**32 (RFC 9293 3.4).

A sequence number is a plain ``int`` in ``range(2**32)``; ``Seq`` marks it for the type checker and costs nothing at
run time. Comparisons are those of RFC 9293: ``a < b`` when ``b`` lies less than half the space ahead of ``a``. Two
numbers exactly 2**31 apart are neither less nor greater.
"""

from typing import Final, NewType

Seq = NewType("Seq", int)

SPACE: Final = 1 << 32
MASK: Final = SPACE - 1
HALF: Final = 1 << 31


def add(a: int, n: int) -> Seq:
    """``a + n`` in sequence space; ``n`` may be negative."""
    return Seq((a + n) & MASK)


def sub(a: int, b: int) -> int:
    """How far ``a`` lies ahead of ``b``: in ``range(2**32)``."""
    return (a - b) & MASK


def lt(a: int, b: int) -> bool:
    """``a < b``."""
    return 0 < (b - a) & MASK < HALF


def le(a: int, b: int) -> bool:
    """``a =< b``."""
    return (b - a) & MASK < HALF


def in_window(x: int, start: int, size: int) -> bool:
    """``start =< x < start + size``, for a window of up to 2**32 - 1 numbers."""
    return (x - start) & MASK < size


def latest(a: int, b: int) -> int:
    """The later of two numbers less than half the space apart."""
    return b if (b - a) & MASK < HALF else a
