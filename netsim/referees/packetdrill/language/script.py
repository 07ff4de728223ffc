"""The syntax tree of a packetdrill script: frozen nodes, each with its line.

Times are integer nanoseconds, sizes are bytes, sequence numbers are the script's own. The comparison of two nodes
ignores ``line``, so that what a host sent can be compared with what a script expects.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from netsim.tcp.segment import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG

Direction = Literal["<", ">"]
AE = 0x100  # the flag of draft-ietf-tcpm-accurate-ecn, written A
FLAG_LETTERS: tuple[tuple[str, int], ...] = (
    ("S", SYN),
    ("F", FIN),
    ("R", RST),
    ("P", PSH),
    (".", ACK),
    ("U", URG),
    ("E", ECE),
    ("W", CWR),
    ("A", AE),
)


class ScriptError(Exception):
    """The file is not a packetdrill script: ``path:line:column: expected ...``. Lines and columns count from 1."""

    def __init__(self, path: str, line: int, column: int, expected: str) -> None:
        super().__init__(path, line, column, expected)
        self.path, self.line, self.column, self.expected = path, line, column, expected

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: expected {self.expected}"


def _line() -> Any:
    return field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """When an event happens (ns). ``start`` and ``end`` differ for a range; both are None for ``*``, any time."""

    start: int | None
    end: int | None
    relative: bool
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Unchecked:
    """``...``: the runner fills it in, or does not compare it."""

    line: int = _line()


@dataclass(frozen=True, slots=True)
class Number:
    """An integer, decimal or hexadecimal."""

    value: int
    line: int = _line()


@dataclass(frozen=True, slots=True)
class String:
    """A string in double quotes."""

    value: str
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol, such as SO_ERROR."""

    value: str
    line: int = _line()


@dataclass(frozen=True, slots=True)
class BitwiseOr:
    """Symbols or numbers joined by ``|``."""

    parts: "tuple[Expression, ...]"
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Array:
    """``[a, b]``: the values that a pointer points to."""

    items: "tuple[Expression, ...]"
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Structure:
    """``{name=value, value}``; the name of a field is empty where the script gives none."""

    fields: "tuple[tuple[str, Expression], ...]"
    line: int = _line()


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function in an argument, such as ``htons(8080)``."""

    name: str
    arguments: "tuple[Expression, ...]"
    line: int = _line()


Expression: TypeAlias = Unchecked | Number | String | Name | BitwiseOr | Array | Structure | FunctionCall


@dataclass(frozen=True, slots=True)
class Option:
    """A TCP option, or one byte of padding: ``name`` as scripts write it, or raw.

    ``values`` are its numbers, None for ``...``; those of sack are the edges of its blocks. ``data`` is hexadecimal
    (cookies, digests, raw bytes), or the rest of an option of which only the name is known. ``literal``: ``ecr E!``.
    """

    name: str
    values: tuple[int | None, ...] = ()
    data: str = ""
    literal: bool = False
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPacket:
    """A segment to inject (``<``) or to expect (``>``).

    ``seq``, ``window`` and ``options`` are not checked if None. ``ip``: fields of the IP header as (name, value).
    ``ports``: (source, destination), or None. ``literal``: the numbers are the wire's own. ``ace``: the counter in the
    place of AE, CWR and ECE (draft-ietf-tcpm-accurate-ecn), or None.
    """

    direction: Direction
    flags: int
    seq: int | None
    length: int
    ack: int
    window: int | None
    urgent: int
    options: tuple[Option, ...] | None
    ip: tuple[tuple[str, str], ...] = ()
    ports: tuple[int, int] | None = None
    literal: bool = False
    ace: int | None = None
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class IcmpPacket:
    """An ICMP message that quotes the header of one of the socket's own segments.

    ``seq`` and ``length`` are those of the quoted segment, if given. ``quoted`` is its protocol: tcp, udp or raw.
    """

    direction: Direction
    kind: str
    code: str | None
    mtu: int | None
    seq: int | None
    length: int
    quoted: str = "tcp"
    ip: tuple[tuple[str, str], ...] = ()
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPacket:
    """A packet of another protocol, or in a tunnel. Only the name of its ``protocol`` is read."""

    direction: Direction
    protocol: str
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A system call. Any ``result``, or any ``errno``, is right if it is None."""

    name: str
    arguments: tuple[Expression, ...]
    result: int | None
    errno: str | None
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command in back-quotes. It is recognised by its pattern, never executed."""

    source: str
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Code:
    """``%{ python }%``: assertions on TCP_INFO."""

    source: str
    line: int = _line()


Packet: TypeAlias = TcpPacket | IcmpPacket | OtherPacket
Action: TypeAlias = Packet | Call | Command | Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An action and its time. ``until`` is when a blocking call returns, absolute or relative like ``time``."""

    time: Time
    action: Action
    until: int | None = None
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """The events from ``#ifdef name`` to ``#endif``."""

    name: str
    events: tuple[Event, ...]
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A line ``--name=value`` at the head of the script; the value is None where none is given."""

    name: str
    value: str | None
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole script: ``initial`` and ``final`` are the commands before and after its events."""

    path: str
    settings: tuple[Setting, ...]
    initial: Command | None
    events: tuple[Event | Conditional, ...]
    final: Command | None
