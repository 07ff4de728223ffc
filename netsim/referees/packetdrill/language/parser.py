"""From the source of a script to its syntax tree: settings, times, events, ``#ifdef``.

script      = setting* [command] (event | "#ifdef" name event* "#endif")* [command]
setting     = "--" name ["=" value], with "--define=" name ["=" (word | string | command)] among them
event       = time ["..." seconds] (packet | call | command | code)
time        = "*" | ["+"] seconds ["~" ["+"] seconds]
command     = "`" shell "`"
code        = "%{" python "}%"
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from netsim.referees.packetdrill.language.cursor import Cursor
from netsim.referees.packetdrill.language.expressions import read_call
from netsim.referees.packetdrill.language.packets import read_packet
from netsim.referees.packetdrill.language.script import (
    Action,
    Code,
    Command,
    Conditional,
    Event,
    IcmpPacket,
    OtherPacket,
    Script,
    Setting,
    TcpPacket,
    Time,
)

_SETTING = re.compile(r"--([A-Za-z_]\w*)(?:=((?:\w+=)?(?:\"[^\"\n]*\"|`[^`]*`|[^\s`\"]+)))?")
_COMMAND = re.compile(r"`([^`]*)`")
_CODE = re.compile(r"%\{(.*?)\}%", re.DOTALL)
_SECONDS = re.compile(r"(\d{1,9})(?:\.(\d{1,18}))?|\.(\d{1,18})")
_IFDEF = re.compile(r"#ifdef[ \t]+([A-Za-z_]\w*)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_ENDIF = re.compile(r"#endif\b")


def parse(source: str, path: str = "<script>", defines: Mapping[str, str] | None = None) -> Script:
    """The syntax tree of a script. ``defines`` gives words a value. ScriptError if it is not a packetdrill script."""
    cursor = Cursor(source, path)
    settings = []
    while match := cursor.peek(_SETTING):
        settings.append(Setting(name=match[1], value=match[2], line=cursor.line))
        cursor.take(_SETTING)
    words = {**defined_words(settings), **(defines or {})}
    initial = _command(cursor, words)
    events: list[Event | Conditional] = []
    final = None
    while not cursor.at_end:
        final = _command(cursor, words)
        if final is not None:
            break
        events.append(_conditional(cursor, words) if cursor.peek(_IFDEF) else _event(cursor, words))
    if not cursor.at_end:
        cursor.fail("the end of the file after the last command")
    return Script(path=path, settings=tuple(settings), initial=initial, events=tuple(events), final=final)


def parse_file(path: str | Path, defines: Mapping[str, str] | None = None) -> Script:
    """The syntax tree of a file. ScriptError if it is not a script, OSError if it cannot be read."""
    return parse(Path(path).read_bytes().decode("utf-8", errors="replace"), str(path), defines)


def defined_words(settings: Sequence[Setting]) -> dict[str, str]:
    """The words that the script itself defines, by ``--define=name`` or ``--define=name=value``."""
    pairs = [(s.value or "").partition("=") for s in settings if s.name == "define"]
    return {name: value for name, _, value in pairs if name}


def _command(cursor: Cursor, words: Mapping[str, str]) -> Command | None:
    line = cursor.line
    match = cursor.take(_COMMAND)
    if match is not None:
        return Command(match[1].strip(), line)
    word = cursor.peek(_WORD)
    value = words.get(word[0], "") if word is not None else ""
    if not value.startswith("`"):
        return None
    cursor.take(_WORD)
    return Command(value.strip("`").strip(), line)


def _conditional(cursor: Cursor, words: Mapping[str, str]) -> Conditional:
    line = cursor.line
    name = cursor.expect(_IFDEF, "#ifdef")[1]
    events = []
    while not cursor.take(_ENDIF):
        if cursor.at_end:
            cursor.fail(f"the #endif of the #ifdef in line {line}")
        events.append(_event(cursor, words))
    return Conditional(name=name, events=tuple(events), line=line)


def _event(cursor: Cursor, words: Mapping[str, str]) -> Event:
    line = cursor.line
    start = cursor.position
    time = _time(cursor)
    until = _seconds(cursor) if time.start is not None and cursor.accept("...") else None
    if until is not None and time.start is not None and until < time.start:
        cursor.fail(f"an end no earlier than the start, {time.start / 1e9:g} s")
    action = _action(cursor, words)
    direction = action.direction if isinstance(action, TcpPacket | IcmpPacket | OtherPacket) else ""
    if time.start != time.end or time.start is None:
        if direction != ">":
            cursor.position = start
            cursor.fail("one time: a range or '*' is for outbound packets")
    elif until is not None and direction:
        cursor.position = start
        cursor.fail("a time without end: '...' is for system calls")
    return Event(time=time, action=action, until=until, line=line)


def _time(cursor: Cursor) -> Time:
    line = cursor.line
    if cursor.accept("*"):
        return Time(start=None, end=None, relative=False, line=line)
    relative = cursor.accept("+")
    start = end = _seconds(cursor)
    if cursor.accept("~"):
        if cursor.accept("+") != relative:
            cursor.fail("both ends of a range absolute, or both relative")
        end = _seconds(cursor)
        if end < start:
            cursor.fail(f"an end no earlier than the start, {start / 1e9:g} s")
    return Time(start=start, end=end, relative=relative, line=line)


def _seconds(cursor: Cursor) -> int:
    match = cursor.expect(_SECONDS, "a time in seconds, such as 0.1, +0.1 or *")
    fraction = match[2] or match[3] or "0"
    return int(match[1] or 0) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])


def _action(cursor: Cursor, words: Mapping[str, str]) -> Action:
    line = cursor.line
    if cursor.accept("<"):
        return read_packet(cursor, "<", words, line)
    if cursor.accept(">"):
        return read_packet(cursor, ">", words, line)
    command = _command(cursor, words)
    if command is not None:
        return command
    code = cursor.take(_CODE)
    if code is not None:
        return Code(code[1], line)
    return read_call(cursor, words)
