"""Segments (RFC 9293 3.1) and the arithmetic of sequence numbers (RFC 9293 3.4).

A segment is built once and never changed after it was sent. Flags are plain ints, because ``enum.IntFlag`` costs
twenty times as much per test; ``flag_names`` gives the readable form.

A sequence number is a plain ``int`` in ``range(2**32)``, and its arithmetic modulo 2**32 is written out where it is
needed, because a function call costs three times as much:

- ``(a + n) & MASK``: the number ``n`` beyond ``a``;
- ``(a - b) & MASK``: how far ``a`` lies ahead of ``b``;
- ``0 < (b - a) & MASK < HALF``: ``a < b``; of two numbers exactly 2**31 apart neither is less than the other;
- ``(x - start) & MASK < size``: ``start =< x < start + size``, for a window of up to 2**32 - 1 numbers.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

MASK: Final = (1 << 32) - 1
HALF: Final = 1 << 31

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10
URG: Final = 0x20
ECE: Final = 0x40
CWR: Final = 0x80

SYN_ACK: Final = SYN | ACK
_NAMES: Final = (
    (SYN, "SYN"),
    (FIN, "FIN"),
    (RST, "RST"),
    (PSH, "PSH"),
    (ACK, "ACK"),
    (URG, "URG"),
    (ECE, "ECE"),
    (CWR, "CWR"),
)

_new = tuple.__new__

IP_TCP_HEADERS: Final = 40  # bytes; RFC 791 and RFC 9293 headers without options


class FourTuple(NamedTuple):
    """The two sockets of a connection, as its sender writes them on a segment."""

    src: str
    sport: int
    dst: str
    dport: int

    def reverse(self) -> "FourTuple":
        """The same connection, as the peer writes it."""
        src, sport, dst, dport = self
        return _new(FourTuple, (dst, dport, src, sport))  # half the price of FourTuple(...), and often called

    def __str__(self) -> str:
        return f"{self.src}:{self.sport} > {self.dst}:{self.dport}"


class ExperimentalCookie(bytes):
    """A cookie of Fast Open in the format of experiments: kind 254 with the identifier F989 (RFC 6994; RFC 7413 7)."""


@dataclass(slots=True, eq=True)
class Options:
    """The options of a segment; ``None`` or ``False`` where absent.

    ``mss`` in bytes (RFC 9293 3.7.1); ``wscale`` a shift count (RFC 7323 2); ``sack_permitted`` and ``sack`` blocks as
    (left, right) edges (RFC 2018); ``ts_val`` and ``ts_ecr`` in ticks of the sender's timestamp clock (RFC 7323 3);
    ``cookie`` of Fast Open, empty to ask for one (RFC 7413 4.1.1); ``mac`` of authenticated segments (RFC 5925 2.2).
    """

    mss: int | None = None
    wscale: int | None = None
    sack_permitted: bool = False
    ts_val: int | None = None
    ts_ecr: int = 0
    sack: tuple[tuple[int, int], ...] = ()
    cookie: bytes | None = None
    mac: bytes | None = None

    def size(self) -> int:
        """Bytes the options take in the header, padded to a multiple of four as hosts lay them out."""
        size = 4 if self.mss is not None else 0
        size += 4 if self.wscale is not None else 0
        if self.ts_val is not None:
            size += 10 if self.sack_permitted else 12
        size += 2 if self.sack_permitted else 0
        size += 4 + 8 * len(self.sack) if self.sack else 0
        if self.cookie is not None:
            size += (4 if isinstance(self.cookie, ExperimentalCookie) else 2) + len(self.cookie)
        size += 4 + len(self.mac) if self.mac is not None else 0
        return (size + 3) & ~3


@dataclass(slots=True, eq=True)
class Segment:
    """One TCP segment. ``window`` is the header's 16-bit field, as sent (before any scaling).

    ``ecn`` is the codepoint of the IP header that carries it: 0 not ECN-capable, 1 ECT(1), 2 ECT(0), 3 CE (RFC 3168 5).
    """

    flow: FourTuple
    seq: int
    ack: int
    flags: int
    window: int
    payload: bytes = b""
    options: Options | None = None
    urgent: int = field(default=0)
    ecn: int = 0

    @property
    def length(self) -> int:
        """SEG.LEN: bytes of data, plus one for SYN and one for FIN (RFC 9293 3.3.1)."""
        flags = self.flags
        return len(self.payload) + (flags & 1) + (flags >> 1 & 1)

    @property
    def wire_size(self) -> int:
        """Bytes on the wire: IPv4 and TCP headers, options, data."""
        options = self.options
        return IP_TCP_HEADERS + len(self.payload) + (options.size() if options is not None else 0)

    def __str__(self) -> str:
        text = f"<SEQ={self.seq}>"
        if self.flags & ACK:
            text += f"<ACK={self.ack}>"
        text += f"<CTL={flag_names(self.flags)}>"
        return text + (f"<DATA={len(self.payload)}>" if self.payload else "")


def flag_names(flags: int) -> str:
    """``SYN,ACK`` for 0x12; empty for no flags."""
    return ",".join(name for bit, name in _NAMES if flags & bit)
