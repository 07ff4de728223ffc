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


# Expressions: the arguments of system calls.


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


# TCP options, in the order and with the padding of the wire.


@dataclass(frozen=True, slots=True)
class Mss:
    """``mss N``, bytes."""

    value: int
    line: int = _line()


@dataclass(frozen=True, slots=True)
class WindowScale:
    """``wscale N``."""

    shift: int
    line: int = _line()


@dataclass(frozen=True, slots=True)
class SackPermitted:
    """``sackOK``."""

    line: int = _line()


@dataclass(frozen=True, slots=True)
class Nop:
    """``nop``."""

    line: int = _line()


@dataclass(frozen=True, slots=True)
class Eol:
    """``eol``; it also stands for the padding behind."""

    line: int = _line()


@dataclass(frozen=True, slots=True)
class Timestamps:
    """``TS val V ecr E``, ticks; None for ``...``. ``literal``: ``ecr E!`` is not mapped to the host's number."""

    val: int | None
    ecr: int | None
    literal: bool = False
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Sack:
    """``sack a:b c:d``: left and right edges."""

    blocks: tuple[tuple[int, int], ...]
    line: int = _line()


@dataclass(frozen=True, slots=True)
class Opaque:
    """An option that is passed over here: ``kind`` is FO, FOEXP, md5 or raw, ``data`` hexadecimal."""

    kind: str
    data: str
    line: int = _line()


Option: TypeAlias = Mss | WindowScale | SackPermitted | Nop | Eol | Timestamps | Sack | Opaque


# What happens.


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpPacket:
    """A segment to inject (``<``) or to expect (``>``).

    ``seq`` None: not checked. ``window`` None: not checked. ``options`` None: any. ``ip``: fields of the IP header, as
    (name, value). ``ports`` as (source, destination), or None.
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
    line: int = _line()


@dataclass(frozen=True, slots=True, kw_only=True)
class IcmpPacket:
    """An ICMP message that quotes the header of the socket's own segment, ``seq`` and ``length`` of it if given."""

    direction: Direction
    kind: str
    code: str | None
    mtu: int | None
    seq: int | None
    length: int
    ip: tuple[tuple[str, str], ...] = ()
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


Action: TypeAlias = TcpPacket | IcmpPacket | Call | Command | Code


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
