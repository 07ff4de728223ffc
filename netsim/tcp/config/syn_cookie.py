"""SYN cookies: an ISS that says what the SYN said, so that the listener need keep nothing (RFC 4987 3.6).

A layout is a frozen object. Time, the host's key and where its clock stood at simulated time 0 (``phase``) are
arguments; times are ns. ``flow`` is as the host that listens writes it, ``irs`` the peer's ISN.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from netsim.tcp.segment import FourTuple, Options
from netsim.tcp.seq import MASK

_NS: Final = 1_000_000_000
_LOW_24: Final = (1 << 24) - 1
_STAMP_BITS: Final = 6  # TS_OPT_ECN (bit 5), TS_OPT_SACK (bit 4), window scale (bits 0 to 3): net/ipv4/syncookies.c
_STAMP_SACK: Final = 1 << 4
_STAMP_NO_SCALE: Final = 0xF


@runtime_checkable
class SynCookie(Protocol):
    """How a cookie is laid out."""

    @property
    def stamps(self) -> bool:
        """Whether the low bits of the timestamp carry the SYN's other options."""
        ...

    def make(self, *, irs: int, flow: FourTuple, mss: int, now: int, key: bytes, phase: int) -> int:
        """The ISS that answers a SYN which announced ``mss``."""
        ...

    def check(self, *, cookie: int, irs: int, flow: FourTuple, now: int, key: bytes, phase: int) -> int | None:
        """The MSS that ``cookie`` carries, at most what the SYN announced; None if it was never made, or long ago."""
        ...


def _check_table(name: str, mss: tuple[int, ...], most: int) -> None:
    rising = all(low < high for low, high in itertools.pairwise(mss))
    if not (isinstance(mss, tuple) and 1 <= len(mss) <= most and rising and mss[0] >= 1 and mss[-1] <= 65535):
        raise ValueError(f"{name}.mss = {mss!r}: allowed is 1 to {most} rising sizes from 1 to 65535 (bytes)")


def _index(table: Sequence[int], mss: int) -> int:
    """The largest entry that is no larger than ``mss``; the smallest if all are."""
    return max((k for k, size in enumerate(table) if size <= mss), default=0)


def _hash(key: bytes, flow: FourTuple, count: int, use: int) -> int:
    text = f"|{flow.src}|{flow.sport}|{flow.dst}|{flow.dport}|{count}|{use}".encode()
    return int.from_bytes(hashlib.blake2b(key + text, digest_size=4).digest(), "big")


@dataclass(frozen=True, slots=True)
class BernsteinCookie:
    """Bernstein's layout: ISS - IRS is 5 bits of t mod 32, 3 bits of MSS index, 24 bits of hash(addresses, ports, t).

    t ticks every 64 s; a cookie counts in the tick in which it was made and in the next. Every option but the MSS is
    lost. Source: D. J. Bernstein, SYN cookies, 1996; RFC 4987 appendix A. The table is one of the many in use.
    """

    mss: tuple[int, ...] = (64, 512, 536, 1024, 1440, 1460, 4312, 8960)  # msstab, net/ipv4/syncookies.c, until 2013

    def __post_init__(self) -> None:
        _check_table("BernsteinCookie", self.mss, 8)

    @property
    def stamps(self) -> bool:
        """No."""
        return False

    def make(self, *, irs: int, flow: FourTuple, mss: int, now: int, key: bytes, phase: int) -> int:
        """IRS + t, MSS index and hash."""
        t = (now + phase) // (64 * _NS)
        return (irs + ((t % 32) << 27 | _index(self.mss, mss) << 24 | _hash(key, flow, t, 0) & _LOW_24)) & MASK

    def check(self, *, cookie: int, irs: int, flow: FourTuple, now: int, key: bytes, phase: int) -> int | None:
        """The MSS, for t and for t - 1."""
        number = (cookie - irs) & MASK
        t = (now + phase) // (64 * _NS)
        age = (t - (number >> 27)) % 32
        index = number >> 24 & 7
        if age >= 2 or index >= len(self.mss) or number & _LOW_24 != _hash(key, flow, t - age, 0) & _LOW_24:
            return None
        return self.mss[index]


@dataclass(frozen=True, slots=True)
class TimestampCookie:
    """Linux's layout: h1(flow) + IRS + (minutes << 24) + ((h2(flow, minutes) + MSS index) mod 2^24).

    Valid in the minute in which it was made and in the next, so 60 to 120 s. With timestamps their low six bits carry
    window scale, SACK and ECN. Source: net/ipv4/syncookies.c (since 2013); the hash here is BLAKE2, not SipHash.
    """

    mss: tuple[int, ...] = (536, 1300, 1440, 1460)

    def __post_init__(self) -> None:
        _check_table("TimestampCookie", self.mss, 8)

    @property
    def stamps(self) -> bool:
        """Yes."""
        return True

    def make(self, *, irs: int, flow: FourTuple, mss: int, now: int, key: bytes, phase: int) -> int:
        """secure_tcp_syn_cookie."""
        count = (now + phase) // (60 * _NS)
        low = (_hash(key, flow, count, 1) + _index(self.mss, mss)) & _LOW_24
        return (_hash(key, flow, 0, 0) + irs + (count << 24) + low) & MASK

    def check(self, *, cookie: int, irs: int, flow: FourTuple, now: int, key: bytes, phase: int) -> int | None:
        """check_tcp_syn_cookie, and the table."""
        count = (now + phase) // (60 * _NS)
        number = (cookie - _hash(key, flow, 0, 0) - irs) & MASK
        age = (count - (number >> 24)) & 0xFF
        if age >= 2:
            return None
        index = (number - _hash(key, flow, count - age, 1)) & _LOW_24
        return self.mss[index] if index < len(self.mss) else None


def stamped(clock: int, wscale: int | None, *, sack: bool) -> int:
    """The last reading of the timestamp clock, no later than ``clock``, whose low bits say wscale and SACK."""
    bits = (_STAMP_NO_SCALE if wscale is None else wscale) | (_STAMP_SACK if sack else 0)
    stamp = clock >> _STAMP_BITS << _STAMP_BITS | bits
    return stamp if stamp <= clock else stamp - (1 << _STAMP_BITS)


def options_of(stamp: int, mss: int, ts_val: int) -> Options:
    """The SYN's options as an echoed ``stamp`` tells them: cookie_timestamp_decode. ``ts_val``: the third segment's."""
    scale = stamp & 0xF
    return Options(mss, None if scale == _STAMP_NO_SCALE else scale, bool(stamp & _STAMP_SACK), ts_val)


def key_of(text: str) -> bytes:
    """A key written in hexadecimal. ValueError says what is allowed."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = None
    if key is None or len(key) > 64:
        raise ValueError(f"syn_cookie_key = {text!r}: allowed is 0 to 64 bytes in hexadecimal, or None")
    return key
