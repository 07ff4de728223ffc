"""Packets in packetdrill's notation: TCP segments and ICMP messages. Of other protocols only the name is read.

packet      = ("<" | ">") [ip] (tcp | icmp | "udp" [ports] "(" length ")")
ip          = ("[" | "(") field ("," field)* (")" | "]")
field       = "ect0" | "ect1" | "ect01" | "noecn" | "ce" | ("tos" | "ttl" | "hlim" | "flowlabel" | "class") value
ports       = source ">" destination
tcp         = [ports] flags (start ":" end "(" length ")" | "..." "(" length ")") ["!"]
              ["ack" n] ["win" n] ["urg" n] ["<" options ">" | "<...>"]
flags       = (letter of SFRPUEWA | ".")+ [digit] | "-"
icmp        = [quote] "icmp" type [code] ["mtu" n] ["id" n] [quote]
quote       = "[" (start ":" end | "..." | "udp" | "raw") "(" length ")" "]"
"""

import re
from collections.abc import Mapping
from typing import Final

from netsim.referees.packetdrill.language.cursor import Cursor
from netsim.referees.packetdrill.language.options import format_option, option_size, read_number, read_option
from netsim.referees.packetdrill.language.script import (
    FLAG_LETTERS,
    Direction,
    IcmpPacket,
    Option,
    OtherPacket,
    Packet,
    TcpPacket,
)
from netsim.tcp.segment import MASK

_OPEN = re.compile(r"[\[(](?=\s*(?:ect|noecn|ce\b|tos\b|ttl|hlim|flowlabel|class))")
_ECN = re.compile(r"ect01|ect0|ect1|noecn|ce\b")
_IP_FIELD = re.compile(r"(tos|ttl|hlim|flowlabel|class)\s+(0x[0-9a-fA-F]{1,8}|\d{1,9})\b")
_CLOSE = re.compile(r"[\])]")
_PORTS = re.compile(r"(\d{1,5})\s*>\s*(\d{1,5})(?!\d)")
_ICMP = re.compile(r"icmp(?:v4|v6)?\b")
_UDP = re.compile(r"udp\b\s*(?:\d{1,5}\s*>\s*\d{1,5}\s*)?\(\s*\d{1,5}\s*\)")
_TUNNEL = re.compile(r"(?:ipv4|ipv6|gre|GREv0|mpls|psp|sctp)\b")
_NEXT_EVENT = re.compile(r"\n(?=[ \t]*(?:[+*`#%]|\d+\.?\d*[ \t]|\.\d|\Z))")
_FLAGS = re.compile(r"(?:([SFRPUEWA.]+)([0-7]?)|-)(?=\s)")
_SEQ = re.compile(r"(\d{1,10})\s*:\s*(\d{1,10})\s*\(\s*(\d{1,9})\s*\)(!?)")
_ANY_SEQ = re.compile(r"\.\.\.\s*\(\s*(\d{1,9})\s*\)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_FIELD = re.compile(r"(ack|win|urg)\b")
_MTU = re.compile(r"mtu\b")
_ID = re.compile(r"id\b")
_QUOTE = re.compile(r"\[(?=\s*(?:\d|\.\.\.|udp|raw))")
_QUOTED = re.compile(r"(udp|raw)\s*\(\s*(\d{1,5})\s*\)")
_LIMITS: Final = {"ack": MASK, "win": 65535, "urg": 65535}
_MAX_PAYLOAD: Final = 65535 - 40  # bytes; RFC 791 3.1: Total Length has 16 bits
_MAX_MTU: Final = MASK  # RFC 4443 3.2
_MAX_OPTIONS: Final = 40  # bytes; RFC 9293 3.1: Data Offset has four bits


def read_packet(cursor: Cursor, direction: Direction, words: Mapping[str, str], line: int) -> Packet:
    """The packet whose direction has just been read."""
    ip = _ip(cursor)
    if tunnel := cursor.take(_TUNNEL):
        cursor.skip_to(_NEXT_EVENT)
        return OtherPacket(direction=direction, protocol=tunnel[0], line=line)
    if cursor.take(_UDP):
        return OtherPacket(direction=direction, protocol="udp", line=line)
    if cursor.peek(_QUOTE):  # nplab also accepts it before the type
        quote = _quote(cursor)
        cursor.expect(_ICMP, "icmp after the quoted segment")
        return _icmp(cursor, direction, ip, line, quote)
    if cursor.take(_ICMP):
        return _icmp(cursor, direction, ip, line)
    ports = None
    if match := cursor.take(_PORTS):
        ports = int(match[1]), int(match[2])
    return _tcp(cursor, direction, words, ip, ports, line)


def _ip(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    """The fields of the IP header, as (name, value)."""
    found: list[tuple[str, str]] = []
    while cursor.take(_OPEN):
        while True:
            if ecn := cursor.take(_ECN):
                found.append((ecn[0], ""))
            else:
                match = cursor.expect(_IP_FIELD, "a field of the IP header: ect0, ect1, ect01, noecn, ce, tos, ttl")
                found.append((match[1], match[2]))
            if not cursor.accept(","):
                break
        cursor.expect(_CLOSE, "']' or ')'")
    return tuple(found)


def _tcp(
    cursor: Cursor,
    direction: Direction,
    words: Mapping[str, str],
    ip: tuple[tuple[str, str], ...],
    ports: tuple[int, int] | None,
    line: int,
) -> TcpPacket:
    match = cursor.expect(_FLAGS, "TCP flags (letters of SFRP.UEWA, or -) or icmp")
    flags = sum(bit for letter, bit in FLAG_LETTERS if letter in (match[1] or ""))
    ace = int(match[2]) if match[2] else None
    seq, length, literal = _sequence(cursor)
    if direction == "<" and length > _MAX_PAYLOAD:
        cursor.fail(f"an inbound segment of at most {_MAX_PAYLOAD} bytes, not {length}")
    fields = {"ack": 0, "urg": 0}
    while field := cursor.take(_FIELD):
        fields[field[1]] = read_number(cursor, words, _LIMITS[field[1]])
    if direction == "<" and "win" not in fields:
        cursor.fail("'win' and a number: an inbound segment must have a window")
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
        ace=ace,
        line=line,
    )


def _sequence(cursor: Cursor) -> tuple[int | None, int, bool]:
    """The first number (None: any), the length, and whether the numbers are literally the wire's (``!``)."""
    if match := cursor.take(_ANY_SEQ):
        return None, int(match[1]), False
    before = cursor.position
    match = cursor.expect(_SEQ, "sequence numbers, start:end(length) or ...(length)")
    start, end, length = int(match[1]), int(match[2]), int(match[3])
    if start > MASK or end != (start + length) & MASK:
        cursor.position = before
        cursor.fail(f"end = start + length, below 2**32: {(start + length) & MASK}, not {end}")
    return start, length, bool(match[4])


def _icmp(
    cursor: Cursor,
    direction: Direction,
    ip: tuple[tuple[str, str], ...],
    line: int,
    quote: tuple[int | None, int, str] | None = None,
) -> IcmpPacket:
    kind = cursor.expect(_WORD, "an ICMP type, such as unreachable")[0]
    code = None
    if not cursor.peek(_MTU) and not cursor.peek(_ID) and (match := cursor.take(_WORD)):
        code = match[0]
    mtu = read_number(cursor, {}, _MAX_MTU) if cursor.take(_MTU) else None
    if cursor.take(_ID):
        read_number(cursor, {}, 65535)
    seq, length, quoted = _quote(cursor) if quote is None else quote
    return IcmpPacket(
        direction=direction, kind=kind, code=code, mtu=mtu, seq=seq, length=length, quoted=quoted, ip=ip, line=line
    )


def _quote(cursor: Cursor) -> tuple[int | None, int, str]:
    """The sequence number, length and protocol of the segment that an ICMP message quotes."""
    if not cursor.accept("["):
        return None, 0, "tcp"
    if match := cursor.take(_QUOTED):
        found: tuple[int | None, int, str] = None, int(match[2]), match[1]
    else:
        seq, length, _ = _sequence(cursor)
        found = seq, length, "tcp"
    cursor.require("]")
    return found


def _options(cursor: Cursor, words: Mapping[str, str], direction: Direction) -> tuple[Option, ...] | None:
    if cursor.accept("..."):
        if direction == "<":
            cursor.fail("the options of an inbound segment, not '...'")
        cursor.require(">")
        return None
    before = cursor.position
    options = [read_option(cursor, words)]
    while cursor.accept(","):
        options.append(read_option(cursor, words))
    if not cursor.accept(">"):
        cursor.fail("',' or '>'")
    sizes = [option_size(option) for option in options]
    total = sum(known for known in sizes if known is not None)
    if (total % 4 and None not in sizes) or total > _MAX_OPTIONS:
        cursor.position = before
        cursor.fail(f"options of a multiple of 4 bytes, at most {_MAX_OPTIONS}, not {total}")
    return tuple(options)


def format_packet(packet: TcpPacket | IcmpPacket) -> str:
    """A packet in packetdrill's notation, without its time."""
    if isinstance(packet, IcmpPacket):
        words = [packet.direction, "icmp", packet.kind, packet.code or ""]
        words += [f"mtu {packet.mtu}"] if packet.mtu is not None else []
        return " ".join(filter(None, words))
    words = [packet.direction, *(f"[{n}]" if not v else f"({n} {v})" for n, v in packet.ip)]
    words += [f"{packet.ports[0]} > {packet.ports[1]}"] if packet.ports is not None else []
    words.append("".join(letter for letter, bit in FLAG_LETTERS if packet.flags & bit) or "-")
    if packet.seq is None:
        words.append(f"...({packet.length})")
    else:
        words.append(f"{packet.seq}:{(packet.seq + packet.length) & MASK}({packet.length})")
    words += [f"ack {packet.ack}"] if packet.ack or "." in words[-2] else []
    words += [f"win {packet.window}"] if packet.window is not None else []
    words += [f"urg {packet.urgent}"] if packet.urgent else []
    if packet.options is None:
        words.append("<...>")
    elif packet.options:
        words.append("<" + ",".join(map(format_option, packet.options)) + ">")
    return " ".join(words)
