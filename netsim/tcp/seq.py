"""Sequence numbers: arithmetic modulo 2**32 (RFC 9293 3.4).

A sequence number is a plain ``int`` in ``range(2**32)``, and its arithmetic is written out where it is needed:

- ``(a + n) & MASK``: ``n`` further on;
- ``(a - b) & MASK``: how far ``a`` lies ahead of ``b``;
- ``0 < (b - a) & MASK < HALF``: ``a < b``; two numbers exactly 2**31 apart are neither less nor greater;
- ``(x - start) & MASK < size``: ``start =< x < start + size``, for a window of up to 2**32 - 1 numbers.
"""

from typing import Final

MASK: Final = (1 << 32) - 1
HALF: Final = 1 << 31
