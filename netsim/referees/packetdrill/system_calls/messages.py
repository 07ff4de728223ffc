"""sendmsg, recvmsg, writev and readv: the calls that write and read, with their text in pieces.

A message is {msg_name(...)=..., msg_iov(n)=[{..., length}, ...], msg_flags=flags}, a vector [{..., length}, ...].
"""

from netsim.referees.packetdrill.language.script import Call, Expression, Items, Name, Number, Structure, Unchecked
from netsim.referees.packetdrill.system_calls.process import names
from netsim.referees.packetdrill.verdict import Failure, Unsupported

_NONE = Number(0)


def plain(call: Call) -> Call:
    """The same call as send or recv. Unsupported for ancillary data, Failure for what is no message."""
    if call.name in ("writev", "readv"):
        pieces, count = _argument(call, 1), _argument(call, 2)
        flags: Expression = _NONE
    else:
        fields = _fields(call)
        if call.name == "recvmsg" and names(fields.get("msg_flags", _NONE)):
            raise Unsupported(call.line, f"{call.name} with msg_flags")
        if call.name == "sendmsg" and "msg_control" in fields:
            raise Unsupported(call.line, f"{call.name} with msg_control")
        pieces = fields.get("msg_iov", _NONE)
        count, flags = Unchecked(), _argument(call, 2)
    lengths = [_length(piece, call) for piece in pieces.items] if isinstance(pieces, Items) else []
    if not lengths:
        raise Failure(call.line, f"{call.name}: a list of {{..., length}} is missing")
    if isinstance(count, Number) and count.value != len(lengths):
        raise Failure(call.line, f"{call.name}: another number of pieces", str(count.value), str(len(lengths)))
    arguments = (call.arguments[0], Unchecked(), Number(sum(lengths)), flags)
    name = "send" if call.name in ("sendmsg", "writev") else "recv"
    return Call(name=name, arguments=arguments, result=call.result, errno=call.errno, line=call.line)


def _argument(call: Call, index: int) -> Expression:
    if index >= len(call.arguments):
        raise Failure(call.line, f"{call.name}: argument {index + 1} is missing")
    return call.arguments[index]


def _fields(call: Call) -> dict[str, Expression]:
    message = _argument(call, 1)
    if isinstance(message, Name):
        raise Unsupported(call.line, f"{call.name} with {message.value}")
    return dict(message.fields) if isinstance(message, Structure) else {}


def _length(piece: Expression, call: Call) -> int:
    fields = [value for _, value in piece.fields] if isinstance(piece, Structure) else []
    if len(fields) != 2 or not isinstance(fields[1], Number):
        raise Failure(call.line, f"{call.name}: a piece is {{..., length}}")
    return fields[1].value
