"""``%{ }%``: assertions on TCP_INFO in a subset of Python, evaluated by walking the syntax tree.

Known are assert, print, pass, ``name = value``, if, comparisons, boolean, bit and arithmetic operators, abs, min, max,
int, float, round, len, numbers, strings, tuples, lists and names. Nothing is ever compiled or executed; anything else
makes the script unsupported.
"""

import ast
import operator
from collections import ChainMap
from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Any

from netsim.referees.packetdrill.host_under_test import Exchange
from netsim.referees.packetdrill.language.script import Code
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.recovery.congestion import UNLIMITED
from netsim.tcp.recovery.send_buffer import unsent
from netsim.tcp.seq import MASK
from netsim.tcp.state import State
from netsim.tcp.tcb import Tcb

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
_HUGE = 1 << 128  # no number of TCP is as great; it bounds the time that arithmetic takes


def tcp_info(exchange: Exchange) -> dict[str, float]:
    """TCP_INFO of the socket under test, as far as the model has it. tcpi_rto is in microseconds."""
    info: dict[str, float] = {"tcpi_state": exchange.host.state_numbers[exchange.state]}
    tcb = exchange.tcb
    if tcb is not None:
        info |= _of_connection(tcb, tcb.config, exchange.now)
        if exchange.host.tools == "linux":  # windows are in segments; elsewhere in bytes
            if exchange.state is State.TIME_WAIT:  # another object has it: net/ipv4/tcp_minisocks.c, tcp_time_wait
                info["tcpi_state"] = exchange.host.state_numbers[State.CLOSED]
            congestion = tcb.congestion
            cwnd = tcb.config.initial_window
            if congestion is not None:
                cwnd = (congestion.prr.window if congestion.prr else congestion.cwnd) // tcb.snd_mss
            if tcb.ecn is None:  # what ECN's echo asks for (CWR) is not told from Open
                info["tcpi_ca_state"] = _ca_state(tcb)
            limited = congestion is not None and congestion.ssthresh != UNLIMITED
            info |= _of_repair(tcb)
            info["tcpi_delivered"] = exchange.delivered.get(tcb.id, 1)
            info["tcpi_options"] += 32 * (tcb.id in exchange.syn_data)
            info["tcpi_snd_cwnd"] = cwnd
            info["tcpi_snd_ssthresh"] = congestion.ssthresh // tcb.snd_mss if congestion and limited else 0x7FFFFFFF
    return info


def _of_repair(tcb: Tcb) -> dict[str, float]:
    """What is lost and sent again, in segments; a lost one counts until it arrives (net/ipv4/tcp.c, tcp_get_info)."""
    congestion = tcb.congestion
    since = congestion.recovery_at if congestion is not None and congestion.repairing else 1 << 62
    missing = [sent for sent in tcb.queue if not sent.sacked]
    again = [sent for sent in missing if sent.transmissions > 1 and not sent.lost]
    rack = congestion.rack if congestion is not None else None
    return {
        "tcpi_lost": sum(sent.lost for sent in missing) + sum(sent.sent_at >= since for sent in again),
        "tcpi_retrans": len(again),
        "tcpi_reordering": rack.reordering if rack is not None else 3,
    }


def _ca_state(tcb: Tcb) -> int:
    """Open, Disorder, Recovery or Loss: include/uapi/linux/tcp.h, enum tcp_ca_state."""
    congestion = tcb.congestion
    if tcb.backoff or (congestion is not None and congestion.after_timeout):
        return 4
    if congestion is not None and congestion.in_recovery:
        return 3
    return int(congestion is not None and (congestion.duplicates > 0 or any(sent.sacked for sent in tcb.queue)))


def _of_connection(tcb: Tcb, config: TcpConfig, now: int) -> dict[str, float]:
    text_acknowledged = (tcb.snd_una - tcb.iss - 1) & MASK if tcb.snd_una != tcb.iss else 0
    rtt = tcb.rtt
    measured: dict[str, float] = {}
    if rtt is not None:
        measured = {
            "tcpi_rtt": rtt.srtt // 1000,
            "tcpi_rttvar": rtt.rttvar // 1000,
            "tcpi_min_rtt": rtt.least // 1000,
        }
    spent = (tcb.chrono.busy.read(now), tcb.chrono.limited.read(now)) if tcb.chrono is not None else (0, 0)
    return measured | {
        "tcpi_busy_time": spent[0] // 1000,
        "tcpi_rwnd_limited": spent[1] // 1000,
        "tcpi_last_data_recv": (now - tcb.data_at) // 1_000_000,
        "tcpi_options": 1 * tcb.ts_ok | 2 * tcb.sack_ok | 4 * tcb.scaling | 8 * (tcb.ecn is not None),
        "tcpi_snd_mss": tcb.snd_mss,
        "tcpi_advmss": config.mss,
        "tcpi_rto": tcb.rto // 1000,
        "tcpi_backoff": tcb.backoff,
        "tcpi_probes": tcb.probes,
        "tcpi_retransmits": tcb.backoff,
        "tcpi_unacked": len(tcb.queue),
        "tcpi_sacked": sum(sent.sacked for sent in tcb.queue),
        "tcpi_bytes_acked": text_acknowledged - (tcb.fin_seq >= 0 and tcb.snd_una == (tcb.fin_seq + 1) & MASK),
        "tcpi_bytes_received": max(((tcb.rcv_nxt - tcb.irs - 1) & MASK) - (tcb.peer_fin >= 0), 0),
        "tcpi_notsent_bytes": unsent(tcb),
        "tcpi_snd_wnd": tcb.snd_wnd,
        "tcpi_snd_wscale": tcb.snd_wscale,
        "tcpi_rcv_wscale": tcb.rcv_wscale,
    }


def check(code: Code, names: Mapping[str, Any], variables: dict[str, Any] | None = None) -> list[str]:
    """Run the assertions; the lines that it printed. Failure if one does not hold, Unsupported for other Python.

    ``variables`` are those that the script's code has set so far; it may set more.
    """
    text = cleandoc(code.text)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unsupported(code.line, f"code that is no Python: {type(error).__name__}") from None
    try:
        return _run(tree.body, code, ChainMap({} if variables is None else variables, dict(names)))
    except RecursionError:
        raise Unsupported(code.line, "code that is nested too deeply") from None


def _run(body: list[ast.stmt], code: Code, names: ChainMap[str, Any]) -> list[str]:
    printed = []
    for statement in body:
        line = code.line + _lines_before(code.text) + statement.lineno - 1
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


def _lines_before(text: str) -> int:
    """Blank lines at the start, which cleandoc takes away."""
    return text[: len(text) - len(text.lstrip())].count("\n")


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
        raise Unsupported(line, "python: arithmetic on something else than numbers")
    try:
        result = function(*values)
    except (ArithmeticError, TypeError) as error:
        raise Failure(line, f"the code fails: {error}") from None
    if isinstance(result, int | float) and abs(result) > _HUGE:
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
