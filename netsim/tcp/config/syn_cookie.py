"""SYN cookies: an ISS that encodes what the SYN announced, so that the listener need not keep an entry (RFC 4987 3.6).

A layout is a frozen object. The time, the host's key and the reading of its clock at simulated time 0 (``phase``) are
arguments; times are in ns. ``flow`` is the four-tuple with the listening host as the source, ``irs`` the peer's ISN.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from netsim.fields import field
from netsim.tcp.segment import MASK, FourTuple, Options

_NS: Final = 1_000_000_000
_LOW_24: Final = (1 << 24) - 1
_STAMP_BITS: Final = 6  # TS_OPT_ECN (bit 5), TS_OPT_SACK (bit 4), window scale (bits 0 to 3): net/ipv4/syncookies.c
_STAMP_SACK: Final = 1 << 4
_STAMP_NO_SCALE: Final = 0xF
_LARGEST_TABLE: Final = 8  # entries


@runtime_checkable
class SynCookie(Protocol):
    """The layout of a SYN cookie."""

    @property
    def stamps(self) -> bool:
        """Whether the low bits of the SYN-ACK's timestamp carry the SYN's other options."""
        ...

    def make(self, *, irs: int, flow: FourTuple, mss: int, now: int, key: bytes, phase: int) -> int:
        """The ISS that answers a SYN which announced ``mss``."""
        ...

    def check(self, *, cookie: int, irs: int, flow: FourTuple, now: int, key: bytes, phase: int) -> int | None:
        """The MSS that ``cookie`` carries, at most what the SYN announced; None if it is invalid or too old."""
        ...


def _check_table(name: str, mss: tuple[int, ...]) -> None:
    rising = all(low < high for low, high in itertools.pairwise(mss))
    if not (isinstance(mss, tuple) and 1 <= len(mss) <= _LARGEST_TABLE and rising and 1 <= mss[0] <= mss[-1] <= 65535):
        raise ValueError(f"{name}.mss = {mss!r}: must be 1 to {_LARGEST_TABLE} rising sizes in [1, 65535] bytes")


def _index(table: Sequence[int], mss: int) -> int:
    """The index of the largest entry that is no larger than ``mss``; of the smallest if all are larger."""
    return max((k for k, size in enumerate(table) if size <= mss), default=0)


def _hash(key: bytes, flow: FourTuple, count: int, use: int) -> int:
    text = f"|{flow.src}|{flow.sport}|{flow.dst}|{flow.dport}|{count}|{use}".encode()
    return int.from_bytes(hashlib.blake2b(key + text, digest_size=4).digest(), "big")


@dataclass(frozen=True, slots=True)
class BernsteinCookie:
    """Bernstein's layout: ISS - IRS is 5 bits of t mod 32, 3 bits of MSS index, 24 bits of hash(addresses, ports, t).

    t increases every 64 s; a cookie is valid for the t in which it was made and for the next one. All options but the
    MSS are lost. Source: D. J. Bernstein, SYN cookies, 1996; RFC 4987 appendix A. Hosts have used many MSS tables.
    """

    mss: tuple[int, ...] = field(
        (64, 512, 536, 1024, 1440, 1460, 4312, 8960),
        "table of the MSS values that a cookie can carry, rising",
        unit="bytes",
        source="net/ipv4/syncookies.c until 2013: msstab",
        allowed=(1, 65535),
    )

    def __post_init__(self) -> None:
        _check_table("BernsteinCookie", self.mss)

    @property
    def stamps(self) -> bool:
        """False: the layout does not use timestamps."""
        return False

    def make(self, *, irs: int, flow: FourTuple, mss: int, now: int, key: bytes, phase: int) -> int:
        """The ISS: IRS plus t, MSS index and hash."""
        t = (now + phase) // (64 * _NS)
        return (irs + ((t % 32) << 27 | _index(self.mss, mss) << 24 | _hash(key, flow, t, 0) & _LOW_24)) & MASK

    def check(self, *, cookie: int, irs: int, flow: FourTuple, now: int, key: bytes, phase: int) -> int | None:
        """The MSS of a cookie made in t or t - 1; None for any other number."""
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

    A cookie is valid in the minute in which it was made and in the next, so for 60 to 120 s. If timestamps are
    negotiated, their low six bits carry window scale, SACK and ECN. Source: net/ipv4/syncookies.c (since 2013); the
    hash here is BLAKE2, not SipHash.
    """

    mss: tuple[int, ...] = field(
        (536, 1300, 1440, 1460),
        "table of the MSS values that a cookie can carry, rising",
        unit="bytes",
        source="net/ipv4/syncookies.c: msstab",
        allowed=(1, 65535),
    )

    def __post_init__(self) -> None:
        _check_table("TimestampCookie", self.mss)

    @property
    def stamps(self) -> bool:
        """True: the timestamp carries the options that the cookie has no room for."""
        return True

    def make(self, *, irs: int, flow: FourTuple, mss: int, now: int, key: bytes, phase: int) -> int:
        """The ISS, as secure_tcp_syn_cookie computes it."""
        count = (now + phase) // (60 * _NS)
        low = (_hash(key, flow, count, 1) + _index(self.mss, mss)) & _LOW_24
        return (_hash(key, flow, 0, 0) + irs + (count << 24) + low) & MASK

    def check(self, *, cookie: int, irs: int, flow: FourTuple, now: int, key: bytes, phase: int) -> int | None:
        """The MSS of a valid cookie, as check_tcp_syn_cookie decides; None for any other number."""
        count = (now + phase) // (60 * _NS)
        number = (cookie - _hash(key, flow, 0, 0) - irs) & MASK
        age = (count - (number >> 24)) & 0xFF
        if age >= 2:
            return None
        index = (number - _hash(key, flow, count - age, 1)) & _LOW_24
        return self.mss[index] if index < len(self.mss) else None


def stamped(clock: int, wscale: int | None, *, sack: bool) -> int:
    """The latest timestamp not after ``clock`` whose low six bits encode window scale and SACK."""
    bits = (_STAMP_NO_SCALE if wscale is None else wscale) | (_STAMP_SACK if sack else 0)
    stamp = clock >> _STAMP_BITS << _STAMP_BITS | bits
    return stamp if stamp <= clock else stamp - (1 << _STAMP_BITS)


def options_of(stamp: int, mss: int, ts_val: int) -> Options:
    """The SYN's options, decoded from an echoed ``stamp`` as cookie_timestamp_decode does.

    ``ts_val`` is the timestamp of the handshake's final ACK.
    """
    scale = stamp & 0xF
    return Options(mss, None if scale == _STAMP_NO_SCALE else scale, bool(stamp & _STAMP_SACK), ts_val)


def key_of(text: str) -> bytes:
    """A key written in hexadecimal. ValueError if it is none, or longer than 64 bytes."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = None
    if key is None or len(key) > 64:
        raise ValueError(f"syn_cookie_key = {text!r}: must be 0 to 64 bytes in hexadecimal, or None")
    return key
