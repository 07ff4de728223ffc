"""TCP options in packetdrill's notation: their names, sizes and forms.

option      = "nop" | "eol" | "sackOK" | "mss" n | "wscale" n | "TS" "val" stamp "ecr" stamp ["!"]
            | "sack" (left ":" right)+ | ("FO" | "FOEXP" | "md5") [hex] | "0x" hex | other
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from netsim.referees.packetdrill.language.cursor import Cursor
from netsim.referees.packetdrill.language.script import Option
from netsim.tcp.segment import MASK

NOP: Final = Option("nop")
EOL: Final = Option("eol")
SACK_OK: Final = Option("sackOK")
RAW: Final = "raw"

Words = Mapping[str, str]

_WORD = re.compile(r"[A-Za-z_][\w-]*")
_BLOCK = re.compile(r"(\d{1,10}):(\d{1,10})(?!\d)")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){1,40}(?!\w)")
_RAW = re.compile(r"0x((?:[0-9a-fA-F]{2}){1,40})(?!\w)")
_NUMBER = re.compile(r"\d{1,10}(?![\w.])")
_NAME_ONLY = re.compile(r"(?:ECN|mp_\w+|dss\w*|add_addr\w*|remove_addr\w*|fastclose|tarr|gen|exp-[\w-]+)(?: [^,<>]*)?")

_FIXED: Final = {"nop": 1, "eol": 1, "sackOK": 2, "wscale": 3, "mss": 4, "TS": 10}  # bytes
_MAXIMUM: Final = {"wscale": 255, "mss": 65535}
_COOKIES: Final = {"FO": 2, "FOEXP": 4, "md5": 2}  # bytes before the hexadecimal ones
# The kinds of IANA's registry that some TCP uses.
_KNOWN_KINDS: Final = frozenset({2, 3, 4, 5, 8, 19, 29, 30, 34, 69, 172, 174, 253, 254})
CARRIED: Final = frozenset({*_FIXED, "sack", "FO", "FOEXP"})
"""The options that the segments of the TCP core can have."""
_NAMES: Final = ", ".join([*_FIXED, "sack", *_COOKIES])


def time_stamps(val: int | None, ecr: int | None, *, literal: bool = False, line: int = 0) -> Option:
    """``TS val V ecr E`` in ticks; None for ``...``. ``literal``: ``ecr E!``, which is not translated to the wire's."""
    return Option("TS", (val, ecr), literal=literal, line=line)


def find_time_stamps(options: tuple[Option, ...] | None) -> Option | None:
    """The time stamps option of a segment, or None."""
    return next((option for option in options or () if option.name == "TS"), None)


def blocks(option: Option) -> tuple[tuple[int, int], ...]:
    """The (left, right) edges of ``sack``."""
    edges = [edge for edge in option.values if edge is not None]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def option_size(option: Option) -> int | None:
    """Its bytes in the header; None if only the name of the option is known."""
    if option.name in _FIXED:
        return _FIXED[option.name]
    if option.name == "sack":
        return 2 + 4 * len(option.values)
    if option.name == RAW:
        return len(option.data) // 2
    return _COOKIES[option.name] + len(option.data) // 2 if option.name in _COOKIES else None


def format_option(option: Option) -> str:
    """The option in packetdrill's notation."""
    if option.name == "TS":
        val, ecr = ("..." if value is None else value for value in option.values)
        return f"TS val {val} ecr {ecr}{'!' if option.literal else ''}"
    if option.name == "sack":
        return "sack " + " ".join(f"{left}:{right}" for left, right in blocks(option))
    if option.name == RAW:
        return f"0x{option.data}"
    return " ".join([option.name, *map(str, option.values), option.data]).rstrip()


def is_ignored_everywhere(option: Option) -> bool:
    """Whether raw bytes hold only padding and options that no TCP knows, which every TCP must ignore (MUST-6)."""
    data = bytes.fromhex(option.data) if option.name == RAW else b"\x02"
    at = 0
    while at < len(data):
        kind = data[at]
        length = 1 if kind < 2 else data[at + 1] if at + 1 < len(data) else 0
        if length < (2 if kind > 1 else 1) or at + length > len(data) or kind in _KNOWN_KINDS:
            return False
        at += length
    return True


def read_option(cursor: Cursor, words: Words) -> Option:
    """The option at ``cursor``."""
    line = cursor.line
    if raw := cursor.take(_RAW):
        return Option(RAW, data=raw[1].lower(), line=line)
    if match := cursor.take(_NAME_ONLY):
        name, _, data = match[0].partition(" ")
        return Option(name, data=" ".join(data.split()), line=line)
    before = cursor.position
    name = cursor.expect(_WORD, f"a TCP option: {_NAMES}")[0]
    if name in _READERS:
        return _READERS[name](cursor, words, line)
    if name in _COOKIES:
        return _cookie(name, cursor, words, line)
    if name in _MAXIMUM:
        return Option(name, (read_number(cursor, words, _MAXIMUM[name]),), line=line)
    if name not in _FIXED:
        cursor.position = before
        cursor.fail(f"a TCP option: {_NAMES}")
    return Option(name, line=line)


def read_number(cursor: Cursor, words: Words, maximum: int = MASK) -> int:
    """A number from 0 to ``maximum``, or a word that is defined as one."""
    match = cursor.peek(_WORD)
    before = cursor.position
    value = words.get(match[0], "") if match is not None else ""
    if _NUMBER.fullmatch(value):
        cursor.take(_WORD)
    else:
        value = cursor.expect(_NUMBER, "a number")[0]
    if int(value) > maximum:
        cursor.position = before
        cursor.fail(f"a number from 0 to {maximum}")
    return int(value)


def _timestamps(cursor: Cursor, words: Words, line: int) -> Option:
    cursor.require("val")
    val = None if cursor.accept("...") else read_number(cursor, words)
    cursor.require("ecr")
    ecr = None if cursor.accept("...") else read_number(cursor, words)
    return time_stamps(val, ecr, literal=cursor.accept("!"), line=line)


def _sack(cursor: Cursor, words: Words, line: int) -> Option:
    found = [cursor.expect(_BLOCK, "a SACK block, left:right")]
    while match := cursor.take(_BLOCK):
        found.append(match)
    return Option("sack", tuple(int(edge) & MASK for match in found for edge in match.groups()), line=line)


def _cookie(name: str, cursor: Cursor, words: Words, line: int) -> Option:
    word = cursor.peek(_WORD)
    data = words.get(word[0], word[0]) if word is not None else ""
    if word is not None and (_HEX.fullmatch(data) or data == "valid"):
        cursor.take(_WORD)
        return Option(name, data="00" * 16 if data == "valid" else data.lower(), line=line)
    digits = cursor.take(_HEX)
    return Option(name, data=digits[0].lower() if digits is not None else "", line=line)


_READERS: Final[dict[str, Callable[[Cursor, Words, int], Option]]] = {"TS": _timestamps, "sack": _sack}
