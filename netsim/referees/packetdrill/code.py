"""``%{ }%``: assertions in a subset of Python, which are evaluated by a walk through their syntax tree.

The subset: assert, print, pass, ``name = value``, if, comparisons, boolean, bitwise and arithmetic operators, abs, min,
max, int, float, round, len, numbers, strings, tuples, lists and names. Anything else makes the script unsupported.
Nothing is ever compiled or executed.
"""

import ast
import operator
from collections import ChainMap
from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Any

from netsim.referees.packetdrill.language.script import Code
from netsim.referees.packetdrill.verdict import Failure, Unsupported

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "int": int,
    "float": float,
    "round": round,
    "len": len,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, several: one in several,
    ast.NotIn: lambda one, several: one not in several,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_LARGEST = 1 << 128  # no number of TCP is larger; it bounds the time that arithmetic takes


def run_code(code: Code, names: Mapping[str, Any], variables: dict[str, Any] | None = None) -> list[str]:
    """Run the assertions, and return the lines that the code prints. ``names`` are those of TCP_INFO and constants.

    ``variables`` are those that the script's earlier code has set; this code may set more. Failure if an assertion does
    not hold, Unsupported for other Python.
    """
    source = cleandoc(code.source)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unsupported(code.line, f"code that is not Python: {type(error).__name__}") from None
    try:
        return _run(tree.body, code, ChainMap({} if variables is None else variables, dict(names)))
    except RecursionError:
        raise Unsupported(code.line, "code that is nested too deeply") from None


def _run(body: list[ast.stmt], code: Code, names: ChainMap[str, Any]) -> list[str]:
    printed = []
    for statement in body:
        line = code.line + _blank_lines_before(code.source) + statement.lineno - 1
        match statement:
            case ast.Assert(test=test):
                _assert(test, names, line)
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=arguments, keywords=[])):
                printed.append(" ".join(str(_value(a, names, line)) for a in arguments))
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name not in names.maps[1]:
                names[name] = _value(value, names, line)
            case ast.If(test=test, body=then, orelse=otherwise):
                printed += _run(then if _value(test, names, line) else otherwise, code, names)
            case _:
                raise Unsupported(line, f"python: {type(statement).__name__}")
    return printed


def _blank_lines_before(source: str) -> int:
    """The number of blank lines at the start, which cleandoc removes."""
    return source[: len(source) - len(source.lstrip())].count("\n")


def _assert(test: ast.expr, names: Mapping[str, Any], line: int) -> None:
    if not _value(test, names, line):
        used = sorted(
            {node.id for node in ast.walk(test) if isinstance(node, ast.Name) and node.id.startswith("tcpi_")}
        )
        got = ", ".join(f"{name} = {names[name]}" for name in used if name in names)
        raise Failure(line, "the assertion does not hold", ast.unparse(test), got)


def _value(node: ast.expr, names: Mapping[str, Any], line: int) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as value):
            return value
        case ast.Name(id=name):
            if name not in names:
                raise Unsupported(line, f"the name {name}")
            return names[name]
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(v, names, line) for v in values)
        case ast.BoolOp(values=values):
            return any(_value(v, names, line) for v in values)
        case ast.UnaryOp(op=op, operand=operand):
            return _apply(_UNARY[type(op)], [operand], names, line)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _apply(_BINARY[type(op)], [left, right], names, line)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
            values = [_value(v, names, line) for v in (left, *others)]
            return all(
                _compare(_COMPARE[type(op)], a, b, line) for op, a, b in zip(ops, values, values[1:], strict=False)
            )
        case ast.IfExp(test=test, body=then, orelse=otherwise):
            return _value(then if _value(test, names, line) else otherwise, names, line)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return tuple(_value(e, names, line) for e in elements)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _called(name, [_value(a, names, line) for a in arguments], line)
    raise Unsupported(line, f"python: {type(node).__name__}")


def _apply(function: Callable[..., Any], operands: list[ast.expr], names: Mapping[str, Any], line: int) -> Any:
    values = [_value(operand, names, line) for operand in operands]
    if not all(isinstance(value, int | float) for value in values):
        raise Unsupported(line, "python: arithmetic on something other than numbers")
    try:
        result = function(*values)
    except (ArithmeticError, TypeError) as error:
        raise Failure(line, f"the code fails: {error}") from None
    if isinstance(result, int | float) and abs(result) > _LARGEST:
        raise Unsupported(line, "python: numbers of more than 128 bits")
    return result


def _called(name: str, values: list[Any], line: int) -> Any:
    try:
        return _FUNCTIONS[name](*values)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise Failure(line, f"the code fails: {error}") from None


def _compare(function: Callable[[Any, Any], bool], one: Any, other: Any, line: int) -> bool:
    try:
        return function(one, other)
    except TypeError as error:
        raise Failure(line, f"the code fails: {error}") from None
