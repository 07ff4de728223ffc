"""The calls that write and read: send, recv and their relatives with vectors and messages (sendmsg, recvmsg).

A message is {msg_name(...)=..., msg_iov(n)=[{..., length}, ...], msg_flags=flags, msg_control=[...]}, a vector
[{..., length}, ...]. ``simplified`` turns every form into a plain send or recv of the total length.
"""

from netsim.referees.packetdrill.language.script import (
    Array,
    Call,
    Expression,
    Name,
    Number,
    Structure,
    Unchecked,
)
from netsim.referees.packetdrill.system_calls.connections import open_with_data, opens_with_data
from netsim.referees.packetdrill.system_calls.errno import errno_of
from netsim.referees.packetdrill.system_calls.error_queue import compare
from netsim.referees.packetdrill.system_calls.process import (
    Attempt,
    Process,
    Result,
    argument,
    fields_of,
    flags_of,
    integer,
    listed,
    returns,
    symbols,
)
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.errors import ConnectionDoesNotExist, TcpError
from netsim.tcp.output import may_send_data
from netsim.tcp.socket import Socket
from netsim.tcp.state import CLOSED, ESTABLISHED, LISTEN
from netsim.tcp.user_calls import peer_closed

LARGEST_WRITE = 1 << 24  # bytes
_SEND_FLAGS = {"MSG_DONTWAIT", "MSG_NOSIGNAL", "MSG_MORE", "MSG_ZEROCOPY", "MSG_EOR"}
_RECV_FLAGS = {"MSG_DONTWAIT", "MSG_PEEK"}
_NONE = Number(0)


def waits(process: Process, call: Call) -> bool:
    """Whether a (simplified) call on a socket blocks rather than fail with EAGAIN."""
    return not process.socket(call).nonblocking and "MSG_DONTWAIT" not in flags_of(call)


def write(process: Process, call: Call) -> Attempt:
    """write, send and sendto."""
    socket, flags = process.socket(call), flags_of(call)
    opens = opens_with_data(process, call, socket, flags)
    if flags - _SEND_FLAGS - ({"MSG_FASTOPEN"} if opens else set()):
        raise Unsupported(call.line, f"{call.name} with {listed(flags)}")
    if "NULL" in symbols(argument(call, 1)):
        return returns(-1, "EFAULT")
    size, blocks = integer(call, 2), waits(process, call)
    if not 0 <= size <= LARGEST_WRITE:
        raise Unsupported(call.line, f"{call.name} of {size} bytes")
    zerocopy = "MSG_ZEROCOPY" in flags and size > 0
    if opens:
        opened = open_with_data(process, call, socket, size, waits=blocks)
        _queue_report(process, socket, zerocopy=zerocopy)
        return opened
    host, done = process.host, 0
    unconnected = "EPIPE" if host.platform.system == "linux" else "ENOTCONN"  # net/core/stream.c; uipc_socket.c

    def attempt() -> Result | None:
        nonlocal done
        if CLOSED < socket.state < ESTABLISHED and (socket.tcb is None or not may_send_data(socket.tcb)):
            return Result(-1, unconnected) if socket.state is LISTEN else None
        try:
            done += process.send(socket, size - done, more="MSG_MORE" in flags, record="MSG_EOR" in flags)
        except ConnectionDoesNotExist:
            return Result(-1, unconnected)
        except TcpError as error:
            return Result(-1, errno_of(error))
        if done < size:
            process.full.add(socket)
        if done == size or (done and not blocks):
            _queue_report(process, socket, zerocopy=zerocopy)
            return Result(done)
        return None

    return attempt


def _queue_report(process: Process, socket: Socket, *, zerocopy: bool) -> None:
    """The socket's error queue, if it has one, will report the data that was just written."""
    queue = process.error_queues.get(socket)
    if queue is not None:
        queue.sent(socket, zerocopy=zerocopy)
        queue.update(socket, process.host.now)


def read(process: Process, call: Call) -> Attempt:
    """read, recv and recvfrom. A buffer NULL fails with EFAULT when there is data, and leaves the data there."""
    socket, flags = process.socket(call), flags_of(call)
    if socket in process.deferred:
        return lambda: None
    if flags - _RECV_FLAGS:
        raise Unsupported(call.line, f"{call.name} with {listed(flags)}")
    size, no_buffer = integer(call, 2), "NULL" in symbols(argument(call, 1))

    def attempt() -> Result | None:
        try:
            data = process.receive(socket, size, peek="MSG_PEEK" in flags or no_buffer)
        except TcpError as error:
            return Result(-1, errno_of(error))
        if data and no_buffer:
            return Result(-1, "EFAULT")
        return Result(len(data)) if data is not None else None

    return attempt


def read_error_queue(process: Process, call: Call) -> Attempt:
    """recvmsg(fd, message, MSG_ERRQUEUE), which never blocks (ip(7), IP_RECVERR)."""
    queue = process.error_queues.get(process.socket(call))
    if queue is None or not queue.waiting:
        return returns(-1, "EAGAIN")
    expected = fields_of(argument(call, 1)).get("msg_control", Unchecked())
    compare(queue.waiting.popleft(), expected, process.tolerance, call.line)
    return returns(0)


def with_control(process: Process, call: Call, attempt: Attempt) -> Attempt:
    """A recvmsg whose control messages are compared, too: how many bytes it leaves to be read (TCP_INQ).

    The end of the stream counts as a byte (net/ipv4/tcp.c, tcp_inq_hint).
    """
    socket = process.socket(call)
    control = fields_of(argument(call, 1)).get("msg_control")
    messages = control.items if isinstance(control, Array) else ()

    def compared() -> Result | None:
        result = attempt()
        if result is None or result.value < 0:
            return result
        got = {"TCP_CM_INQ": _left_to_read(socket)} if socket in process.inq else {}
        for message in messages:
            fields = fields_of(message)
            kind = "".join(symbols(fields.get("cmsg_type", _NONE)))
            if kind != "TCP_CM_INQ":
                raise Unsupported(call.line, f"recvmsg with the control message {kind}".rstrip())
            value = fields.get("cmsg_data")
            if isinstance(value, Number) and value.value != got.get(kind):
                raise Failure(call.line, f"recvmsg: {kind} differs", str(value.value), str(got.get(kind)))
        return result

    return compared


def _left_to_read(socket: Socket) -> int:
    tcb = socket.tcb
    return 0 if tcb is None else len(tcb.rcv_buffer or b"") or int(peer_closed(tcb))


def has_control(call: Call) -> bool:
    """Whether a call's second argument is a message with control messages."""
    return len(call.arguments) > 1 and "msg_control" in fields_of(call.arguments[1])


def simplified(call: Call) -> Call:
    """The call as a plain send or recv if it is a sendmsg, recvmsg, writev or readv; otherwise the call itself.

    A recvmsg from the error queue stays as it is. Unsupported for control messages of sendmsg; Failure if the argument
    is not a message or a vector.
    """
    if call.name not in ("sendmsg", "recvmsg", "writev", "readv"):
        return call
    if call.name == "recvmsg" and len(call.arguments) > 2 and "MSG_ERRQUEUE" in symbols(call.arguments[2]):
        return call
    if call.name in ("writev", "readv"):
        vector, count = argument(call, 1), argument(call, 2)
        flags: Expression = _NONE
    else:
        fields = _message(call)
        vector, count, flags = fields.get("msg_iov", _NONE), Unchecked(), argument(call, 2)
    lengths = [_length(part, call) for part in vector.items] if isinstance(vector, Array) else []
    if not lengths:
        raise Failure(call.line, f"{call.name}: a list of {{..., length}} is missing")
    if isinstance(count, Number) and count.value != len(lengths):
        raise Failure(call.line, f"{call.name}: the length of the vector differs", str(count.value), str(len(lengths)))
    arguments = (call.arguments[0], Unchecked(), Number(sum(lengths)), flags)
    name = "send" if call.name in ("sendmsg", "writev") else "recv"
    return Call(name=name, arguments=arguments, result=call.result, errno=call.errno, line=call.line)


def _message(call: Call) -> dict[str, Expression]:
    """The fields of the message that sendmsg or recvmsg takes."""
    message = argument(call, 1)
    if isinstance(message, Name):
        raise Unsupported(call.line, f"{call.name} with {message.value}")
    fields = fields_of(message)
    if call.name == "recvmsg" and symbols(fields.get("msg_flags", _NONE)):
        raise Unsupported(call.line, f"{call.name} with msg_flags")
    if call.name == "sendmsg" and "msg_control" in fields:
        raise Unsupported(call.line, f"{call.name} with msg_control")
    return fields


def _length(part: Expression, call: Call) -> int:
    fields = [value for _, value in part.fields] if isinstance(part, Structure) else []
    if len(fields) != 2 or not isinstance(fields[1], Number):
        raise Failure(call.line, f"{call.name}: an element of the vector must be {{..., length}}")
    return fields[1].value
