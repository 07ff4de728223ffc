"""Descriptors that are not sockets: files of zeros and pipes, for sendfile(2) and splice(2)."""

from netsim.referees.packetdrill.language.script import Array, Call, Number, String
from netsim.referees.packetdrill.system_calls.process import (
    Attempt,
    File,
    Pipe,
    Process,
    Result,
    argument,
    descriptor,
    integer,
    pointed_to,
    returns,
)
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import HALF, MASK
from netsim.tcp.socket import Socket


def open_file(process: Process, call: Call) -> Attempt:
    """open(path, flags): a file that a command of the script has made."""
    path = argument(call, 0)
    if not isinstance(path, String) or path.value not in process.files:
        raise Unsupported(call.line, "open of a file that the script has not made")
    number = descriptor(call, 0)
    process.objects[number] = File(process.files[path.value])
    return returns(number)


def pipe(process: Process, call: Call) -> Attempt:
    """pipe([read end, write end])."""
    ends = argument(call, 0)
    numbers = [end.value for end in ends.items if isinstance(end, Number)] if isinstance(ends, Array) else []
    if len(numbers) != 2:
        raise Failure(call.line, "pipe: a list of two descriptors is missing")
    process.objects |= dict.fromkeys(numbers, Pipe())
    return returns(0)


def sendfile(process: Process, call: Call) -> Attempt:
    """sendfile(socket, file, [offset] or NULL, count)."""
    socket, file = process.socket(call), process.objects.get(integer(call, 1))
    if not isinstance(file, File):
        raise Unsupported(call.line, "sendfile from a descriptor that is not a file")
    offset, count = pointed_to(argument(call, 2)), integer(call, 3)
    start = offset.value if isinstance(offset, Number) else file.position
    size = max(min(count, file.size - start), 0)

    def attempt() -> Result | None:
        done = process.send(socket, size) if size else 0
        if not isinstance(offset, Number):
            file.position = start + done
        return Result(done) if done or not size else None

    return attempt


def splice(process: Process, call: Call) -> Attempt:
    """splice(in, NULL, out, NULL, count, flags): from a socket to a pipe, or from a pipe to a socket."""
    source, sink, count = integer(call, 0), integer(call, 2), integer(call, 4)
    into, out_of = process.objects.get(sink), process.objects.get(source)
    if source in process.descriptors and isinstance(into, Pipe):
        return _fill(process, into, process.descriptors[source], count)
    if sink in process.descriptors and isinstance(out_of, Pipe):
        size = min(count, out_of.size)
        out_of.size -= size
        sent = process.send(process.descriptors[sink], size)
        return returns(sent)
    raise Unsupported(call.line, "splice other than between a socket and a pipe")


def _fill(process: Process, pipe: Pipe, socket: Socket, count: int) -> Attempt:
    """Move up to ``count`` received bytes from a socket to a pipe."""

    def attempt() -> Result | None:
        limit = _before_urgent(socket)
        size = count if limit is None else min(count, limit)
        if limit is not None and not size:
            return Result(0)
        try:
            data = process.receive(socket, size)
        except TcpError:
            data = b""
        pipe.size += len(data) if data is not None else 0
        return None if data is None else Result(len(data))

    return attempt


def _before_urgent(socket: Socket) -> int | None:
    """How many bytes precede the urgent octet, where splice stops (net/ipv4/tcp.c, tcp_read_sock); None without one."""
    tcb = socket.tcb
    if tcb is not None and tcb.rcv_buffer:
        start = (tcb.rcv_nxt - len(tcb.rcv_buffer)) & MASK
        before = (tcb.rcv_up - 1 - start) & MASK
        if tcb.rcv_up >= 0 and before < HALF and before < len(tcb.rcv_buffer):
            return before
    return None
