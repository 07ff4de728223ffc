"""System calls and the expressions in their arguments.

call        = name "(" [expression ("," expression)*] ")" "=" (number | "...") [errno] ["(" note ")"]
expression  = term ("|" term)*
term        = "..." | number | string+ ["..."]
            | name ["(" arguments ")"] | "[" items "]" | "{" [name "="] expression, ... "}"
"""

import re
from collections.abc import Mapping

from netsim.referees.packetdrill.language.cursor import Cursor
from netsim.referees.packetdrill.language.script import (
    Array,
    BitwiseOr,
    Call,
    Expression,
    FunctionCall,
    Name,
    Number,
    String,
    Structure,
    Unchecked,
)

_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]{1,16}|\d{1,20})(?![\w.])")
_WORD = re.compile(r"[A-Za-z_]\w*")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_ERRNO = re.compile(r"E[A-Z0-9]+\b")
_NOTE = re.compile(r"\([^()\n]*\)")
_MAX_DEPTH = 20  # of nested brackets; real scripts have four


def _value(digits: str) -> int:
    """The value of a number, hexadecimal after 0x and otherwise decimal."""
    return int(digits, 16 if "x" in digits.lower() else 10)


def read_call(cursor: Cursor, words: Mapping[str, str]) -> Call:
    """A system call with its expected result."""
    line = cursor.line
    name = cursor.expect(_WORD, "a packet ('<' or '>'), a system call, a command or code")[0]
    cursor.require("(")
    arguments = _list(cursor, ")", words, 0)
    cursor.require("=")
    result = None if cursor.accept("...") else _number(cursor, words, "a result: a number or '...'")
    errno = cursor.take(_ERRNO)
    cursor.take(_NOTE)
    return Call(name=name, arguments=arguments, result=result, errno=errno[0] if errno is not None else None, line=line)


def _number(cursor: Cursor, words: Mapping[str, str], what: str) -> int:
    match = cursor.peek(_WORD)
    if match is not None and _NUMBER.fullmatch(words.get(match[0], "")):
        cursor.take(_WORD)
        return _value(words[match[0]])
    return _value(cursor.expect(_NUMBER, what)[0])


def _list(cursor: Cursor, end: str, words: Mapping[str, str], depth: int) -> tuple[Expression, ...]:
    if cursor.accept(end):
        return ()
    items = [_expression(cursor, words, depth)]
    while cursor.accept(","):
        items.append(_expression(cursor, words, depth))
    if not cursor.accept(end):
        cursor.fail(f"',' or '{end}'")
    return tuple(items)


def _expression(cursor: Cursor, words: Mapping[str, str], depth: int) -> Expression:
    line = cursor.line
    if depth > _MAX_DEPTH:
        cursor.fail(f"at most {_MAX_DEPTH} nested brackets")
    parts = [_term(cursor, words, depth)]
    while cursor.accept("|"):
        parts.append(_term(cursor, words, depth))
    return parts[0] if len(parts) == 1 else BitwiseOr(tuple(parts), line)


def _term(cursor: Cursor, words: Mapping[str, str], depth: int) -> Expression:
    line = cursor.line
    if cursor.accept("..."):
        return Unchecked(line)
    if match := cursor.take(_NUMBER):
        return Number(_value(match[0]), line)
    if match := cursor.take(_STRING):
        parts = [match[1]]
        while match := cursor.take(_STRING):
            parts.append(match[1])
        cursor.accept("...")
        return String("".join(parts), line)
    if cursor.accept("["):
        return Array(_list(cursor, "]", words, depth + 1), line)
    if cursor.accept("{"):
        return _structure(cursor, words, depth + 1, line)
    name = cursor.expect(_WORD, "an argument: a number, a name, a string, '[', '{' or '...'")[0]
    if cursor.accept("("):
        return FunctionCall(name, _list(cursor, ")", words, depth + 1), line)
    value = words.get(name)
    if value is None:
        return Name(name, line)
    if value.startswith('"'):
        return String(value.strip('"'), line)
    return Number(_value(value), line) if _NUMBER.fullmatch(value) else Name(value, line)


def _structure(cursor: Cursor, words: Mapping[str, str], depth: int, line: int) -> Structure:
    fields: list[tuple[str, Expression]] = []
    while not cursor.accept("}"):
        if fields:
            cursor.require(",")
        value = _expression(cursor, words, depth)
        name = ""
        if isinstance(value, Name | FunctionCall) and cursor.accept("="):
            name = value.name if isinstance(value, FunctionCall) else value.value
            value = _expression(cursor, words, depth)
        fields.append((name, value))
    return Structure(tuple(fields), line)
