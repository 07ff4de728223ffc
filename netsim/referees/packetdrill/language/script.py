"""The syntax tree of a packetdrill script: frozen nodes, each of which knows its line.

Times are integer nanoseconds, sizes bytes, sequence numbers those of the script. ``line`` does not count when two
nodes are compared, so that what a host sent can be compared with what a script expects.
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
    """The text is no packetdrill script: ``path:line:column: what was expected``. Lines and columns count from 1."""

    def __init__(self, path: str, line: int, column: int, expected: str) -> None:
        super().__init__(path, line, column, expected)
        self.path, self.line, self.column, self.expected = path, line, column, expected

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: expected {self.expected}"


def _line() -> Any:
    return field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """When an event happens. ``start`` and ``end`` differ for a range; both are None for ``*`` (any time)."""

    start: int | None
    end: int | None
    relative: bool
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Unchecked:
    """``...``: filled in by the runner, or not compared."""

    line: int = _line()


@dataclass(frozen=True, slots=True)
class Number:
    """An integer, decimal or hexadecimal."""

    value: int
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Text:
    """A string in double quotes."""

    value: str
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol, such as SO_ERROR."""

    value: str
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Either:
    """Symbols or numbers joined by ``|``."""

    parts: "tuple[Expression, ...]"
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Items:
    """``[a, b]``: what a pointer points to."""

    items: "tuple[Expression, ...]"
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Structure:
    """``{name=value, value}``; the name is empty where none is given."""

    fields: "tuple[tuple[str, Expression], ...]"
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Application:
    """``htons(8080)`` and the like."""

    name: str
    arguments: "tuple[Expression, ...]"
    line: int = _line()


Expression: TypeAlias = Unchecked | Number | Text | Name | Either | Items | Structure | Application


@dataclass(frozen=True, slots=True)
class Option:
    """A TCP option, or one byte of padding: ``name`` as scripts write it, or raw.

    ``values`` are its numbers, None for ``...``; the edges of sack one after the other. ``data`` is hexadecimal
    (cookies, digests, raw bytes), or the text of an option that is only known by name. ``literal``: ``ecr E!``.
    """

    name: str
    values: tuple[int | None, ...] = ()
    data: str = ""
    literal: bool = False
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPacket:
    """A segment to inject (``<``) or to expect (``>``).

    ``seq`` None: not checked. ``window`` None: not checked. ``options`` None: any. ``ip``: fields of the IP header, as
    (name, value). ``ports`` as (source, destination), or None. ``ace`` is the counter that stands for AE, CWR and ECE
    (draft-ietf-tcpm-accurate-ecn), or None.
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
    """An ICMP message that quotes the header of the socket's own segment, ``seq`` and ``length`` of it if given.

    ``quoted`` is the protocol of what it quotes: tcp, udp or raw.
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
    """A packet of another protocol, or inside a tunnel: ``protocol`` says which. It can only be named."""

    direction: Direction
    protocol: str
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A system call. ``result`` None: any. ``errno`` None: any."""

    name: str
    arguments: tuple[Expression, ...]
    result: int | None
    errno: str | None
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Command:
    """A shell command in back-quotes. It is recognised, never executed."""

    text: str
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Code:
    """``%{ python }%``."""

    text: str
    line: int = _line()


Packet: TypeAlias = TcpPacket | IcmpPacket | OtherPacket
Action: TypeAlias = Packet | Call | Command | Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An action at a time. ``until``: when a blocking call returns, on ``time``'s scale; None if it does not."""

    time: Time
    action: Action
    until: int | None = None
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """``#ifdef name`` to ``#endif``."""

    name: str
    events: tuple[Event, ...]
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """``--name=value``; the value is None where none is given."""

    name: str
    value: str | None
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A whole file."""

    path: str
    settings: tuple[Setting, ...]
    initial: Command | None
    events: tuple[Event | Conditional, ...]
    final: Command | None
