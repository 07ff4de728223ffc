"""Packets: TCP segments with their options, and ICMP messages.

packet      = ("<" | ">") ip* [port ">" port] (tcp | icmp)
ip          = "[" ect "]" | "(" (tos | ttl | hlim | flowlabel | class) value ")"
tcp         = flags (start ":" end "(" length ")" | "..." "(" length ")") ["!"]
              ["ack" n] ["win" n] ["urg" n] ["<" options ">" | "<...>"]
icmp        = "icmp" type [code] ["mtu" n] ["[" start ":" end "(" length ")" "]"]
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from netsim.packetdrill.cursor import Cursor
from netsim.packetdrill.script import (
    FLAG_LETTERS,
    Direction,
    Eol,
    IcmpPacket,
    Mss,
    Nop,
    Opaque,
    Option,
    Sack,
    SackPermitted,
    TcpPacket,
    Timestamps,
    WindowScale,
)
from netsim.tcp.seq import MASK

_ECN = re.compile(r"\[\s*(ect01|ect0|ect1|noecn|ce)\s*\]")
_IP_FIELD = re.compile(r"\(\s*(tos|ttl|hlim|flowlabel|class)\s+(0x[0-9a-fA-F]{1,8}|\d{1,9})\s*\)")
_PORTS = re.compile(r"(\d{1,5})\s*>\s*(\d{1,5})(?!\d)")
_ICMP = re.compile(r"icmp(?:v4|v6)?\b")
_FLAGS = re.compile(r"(?:[SFRPUEWA.]+|-)(?=\s)")
_SEQ = re.compile(r"(\d{1,10})\s*:\s*(\d{1,10})\s*\(\s*(\d{1,9})\s*\)(!?)")
_ANY_SEQ = re.compile(r"\.\.\.\s*\(\s*(\d{1,9})\s*\)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_FIELD = re.compile(r"(ack|win|urg)\b")
_NUMBER = re.compile(r"\d{1,10}(?![\w.])")
_BLOCK = re.compile(r"(\d{1,10}):(\d{1,10})(?!\d)")
_HEX = re.compile(r"[0-9a-fA-F]{2,80}(?!\w)")
_RAW = re.compile(r"0x((?:[0-9a-fA-F]{2}){1,40})(?!\w)")
_MTU = re.compile(r"mtu\b")
_LIMITS: Final = {"ack": MASK, "win": 65535, "urg": 65535}
_MOST_TEXT: Final = 65535 - 40  # bytes; RFC 791 3.1: Total Length has 16 bits
_MOST_OPTIONS: Final = 40  # bytes; RFC 9293 3.1: Data Offset has four bits


def packet(cursor: Cursor, direction: Direction, words: Mapping[str, str], line: int) -> TcpPacket | IcmpPacket:
    """The packet after its direction."""
    ip: list[tuple[str, str]] = []
    while match := cursor.take(_ECN) or cursor.take(_IP_FIELD):
        ip.append((match[1], match[2] if match.re is _IP_FIELD else ""))
    if cursor.take(_ICMP):
        return _icmp(cursor, direction, tuple(ip), line)
    ports = None
    if match := cursor.take(_PORTS):
        ports = int(match[1]), int(match[2])
    return _tcp(cursor, direction, words, tuple(ip), ports, line)


def _tcp(
    cursor: Cursor,
    direction: Direction,
    words: Mapping[str, str],
    ip: tuple[tuple[str, str], ...],
    ports: tuple[int, int] | None,
    line: int,
) -> TcpPacket:
    letters = cursor.expect(_FLAGS, "TCP flags (letters of SFRP.UEWA, or -) or icmp")[0]
    flags = sum(bit for letter, bit in FLAG_LETTERS if letter in letters)
    seq, length, literal = _sequence(cursor)
    if direction == "<" and length > _MOST_TEXT:
        cursor.fail(f"an inbound segment of at most {_MOST_TEXT} bytes, not {length}")
    fields = {"ack": 0, "urg": 0}
    while match := cursor.take(_FIELD):
        fields[match[1]] = _number(cursor, words, _LIMITS[match[1]])
    if direction == "<" and "win" not in fields:
        cursor.fail("'win' and a number: an inbound segment must give its window")
    options: tuple[Option, ...] | None = ()
    if cursor.accept("<"):
        options = _options(cursor, words, direction)
    return TcpPacket(
        direction=direction,
        flags=flags,
        seq=seq,
        length=length,
        ack=fields["ack"],
        window=fields.get("win"),
        urgent=fields["urg"],
        options=options,
        ip=ip,
        ports=ports,
        literal=literal,
        line=line,
    )


def _sequence(cursor: Cursor) -> tuple[int | None, int, bool]:
    """The first number (None: any), the length, and whether the numbers are the wire's own (``!``)."""
    if match := cursor.take(_ANY_SEQ):
        return None, int(match[1]), False
    before = cursor.position
    match = cursor.expect(_SEQ, "sequence numbers, start:end(length) or ...(length)")
    start, end, length = int(match[1]), int(match[2]), int(match[3])
    if start > MASK or end != (start + length) & MASK:
        cursor.position = before
        cursor.fail(f"end = start + length, below 2**32: {(start + length) & MASK}, not {end}")
    return start, length, bool(match[4])


def _number(cursor: Cursor, words: Mapping[str, str], most: int = MASK) -> int:
    match = cursor.peek(_WORD)
    before = cursor.position
    value = words.get(match[0], "") if match is not None else ""
    if _NUMBER.fullmatch(value):
        cursor.take(_WORD)
    else:
        value = cursor.expect(_NUMBER, "a number")[0]
    if int(value) > most:
        cursor.position = before
        cursor.fail(f"a number from 0 to {most}")
    return int(value)


def _icmp(cursor: Cursor, direction: Direction, ip: tuple[tuple[str, str], ...], line: int) -> IcmpPacket:
    kind = cursor.expect(_WORD, "an ICMP type, such as unreachable")[0]
    code = None
    if not cursor.peek(_MTU) and (match := cursor.take(_WORD)):
        code = match[0]
    mtu = _number(cursor, {}) if cursor.take(_MTU) else None
    seq, length = None, 0
    if cursor.accept("["):
        seq, length, _ = _sequence(cursor)
        cursor.require("]")
    return IcmpPacket(direction=direction, kind=kind, code=code, mtu=mtu, seq=seq, length=length, ip=ip, line=line)


def _options(cursor: Cursor, words: Mapping[str, str], direction: Direction) -> tuple[Option, ...] | None:
    if cursor.accept("..."):
        if direction == "<":
            cursor.fail("the options of an inbound segment, not '...'")
        cursor.require(">")
        return None
    before = cursor.position
    options = [_option(cursor, words)]
    while cursor.accept(","):
        options.append(_option(cursor, words))
    if not cursor.accept(">"):
        cursor.fail("',' or '>'")
    size = sum(map(option_size, options))
    if size % 4 or size > _MOST_OPTIONS:
        cursor.position = before
        cursor.fail(f"options of a multiple of 4 bytes, at most {_MOST_OPTIONS}, not {size}")
    return tuple(options)


def option_size(option: Option) -> int:
    """Bytes that an option takes."""
    match option:
        case Nop() | Eol():
            return 1
        case SackPermitted():
            return 2
        case WindowScale():
            return 3
        case Mss():
            return 4
        case Timestamps():
            return 10
        case Sack():
            return 2 + 8 * len(option.blocks)
        case Opaque():
            return {"raw": 0, "FOEXP": 4}.get(option.kind, 2) + len(option.data) // 2


def _option(cursor: Cursor, words: Mapping[str, str]) -> Option:
    line = cursor.line
    if raw := cursor.take(_RAW):
        return Opaque("raw", raw[1].lower(), line)
    before = cursor.position
    word = cursor.expect(_WORD, "a TCP option: " + ", ".join(_OPTIONS))[0]
    if word not in _OPTIONS:
        cursor.position = before
        cursor.fail("a TCP option: " + ", ".join(_OPTIONS))
    return _OPTIONS[word](cursor, words, line)


def _timestamps(cursor: Cursor, words: Mapping[str, str], line: int) -> Timestamps:
    cursor.require("val")
    val = None if cursor.accept("...") else _number(cursor, words)
    cursor.require("ecr")
    ecr = None if cursor.accept("...") else _number(cursor, words)
    return Timestamps(val, ecr, cursor.accept("!"), line)


def _sack(cursor: Cursor, words: Mapping[str, str], line: int) -> Sack:
    found = [cursor.expect(_BLOCK, "a SACK block, left:right")]
    while match := cursor.take(_BLOCK):
        found.append(match)
    blocks = [(int(match[1]) & MASK, int(match[2]) & MASK) for match in found]
    return Sack(tuple(blocks), line)


def _opaque(kind: str) -> Callable[[Cursor, Mapping[str, str], int], Option]:
    def read(cursor: Cursor, words: Mapping[str, str], line: int) -> Option:
        word = cursor.peek(_WORD)
        if word is not None and _HEX.fullmatch(words.get(word[0], "")):
            cursor.take(_WORD)
            return Opaque(kind, words[word[0]].lower(), line)
        if kind == "md5" and word is not None and word[0] == "valid":
            cursor.take(_WORD)
            return Opaque(kind, "00" * 16, line)
        data = cursor.take(_HEX)
        return Opaque(kind, data[0].lower() if data is not None else "", line)

    return read


_OPTIONS: Final[dict[str, Callable[[Cursor, Mapping[str, str], int], Option]]] = {
    "mss": lambda cursor, words, line: Mss(_number(cursor, words, 65535), line),
    "wscale": lambda cursor, words, line: WindowScale(_number(cursor, words, 255), line),
    "sackOK": lambda cursor, words, line: SackPermitted(line),
    "nop": lambda cursor, words, line: Nop(line),
    "eol": lambda cursor, words, line: Eol(line),
    "TS": _timestamps,
    "sack": _sack,
    "FO": _opaque("FO"),
    "FOEXP": _opaque("FOEXP"),
    "md5": _opaque("md5"),
}
