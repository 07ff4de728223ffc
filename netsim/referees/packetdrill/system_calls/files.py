"""Descriptors that are no sockets: files of zeros and pipes, as sendfile and splice use them (sendfile(2))."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netsim.referees.packetdrill.language.script import Call, Items, Number, Text
from netsim.referees.packetdrill.system_calls.process import Attempt, Result, pointed
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.errors import TcpError
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.socket import Socket

if TYPE_CHECKING:
    from netsim.referees.packetdrill.system_calls.calls import Calls


@dataclass(slots=True)
class File:
    """A file of so many bytes, read up to ``position``."""

    size: int
    position: int = 0


@dataclass(slots=True)
class Pipe:
    """The bytes in a pipe; both its ends name it."""

    size: int = 0


def open_file(calls: "Calls", call: Call) -> Attempt:
    """open(path, flags): a file that a command of the script has made."""
    path = calls.argument(call, 0)
    if not isinstance(path, Text) or path.value not in calls.files:
        raise Unsupported(call.line, "open of a file that the script has not made")
    descriptor = _descriptor(call)
    calls.objects[descriptor] = File(calls.files[path.value])
    return lambda: Result(descriptor)


def pipe(calls: "Calls", call: Call) -> Attempt:
    """pipe([reading end, writing end])."""
    ends = calls.argument(call, 0)
    numbers = [end.value for end in ends.items if isinstance(end, Number)] if isinstance(ends, Items) else []
    if len(numbers) != 2:
        raise Failure(call.line, "pipe: a list of two descriptors is missing")
    calls.objects |= dict.fromkeys(numbers, Pipe())
    return lambda: Result(0)


def sendfile(calls: "Calls", call: Call) -> Attempt:
    """sendfile(socket, file, [offset] or NULL, count)."""
    socket, file = calls.of(call), calls.objects.get(calls.integer(call, 1))
    if not isinstance(file, File):
        raise Unsupported(call.line, "sendfile from what is no file")
    offset, count = pointed(calls.argument(call, 2)), calls.integer(call, 3)
    start = offset.value if isinstance(offset, Number) else file.position
    left = max(min(count, file.size - start), 0)

    def attempt() -> Result | None:
        done = _send(socket, left, calls) if left else 0
        if not isinstance(offset, Number):
            file.position = start + done
        return Result(done) if done or not left else None

    return attempt


def splice(calls: "Calls", call: Call) -> Attempt:
    """splice(in, NULL, out, NULL, count, flags): from a socket to a pipe, or from a pipe to a socket."""
    source, sink, count = calls.integer(call, 0), calls.integer(call, 2), calls.integer(call, 4)
    into, out_of = calls.objects.get(sink), calls.objects.get(source)
    if source in calls.descriptors and isinstance(into, Pipe):
        return _filling(into, calls.descriptors[source], count, calls)
    if sink in calls.descriptors and isinstance(out_of, Pipe):
        size = min(count, out_of.size)
        out_of.size -= size
        sent = _send(calls.descriptors[sink], size, calls)
        return lambda: Result(sent)
    raise Unsupported(call.line, "splice between other things than a socket and a pipe")


def _filling(pipe: Pipe, socket: Socket, count: int, calls: "Calls") -> Attempt:
    def attempt() -> Result | None:
        tcb = socket.tcb
        size = count
        if tcb is not None and tcb.rcv_buffer:
            start = (tcb.rcv_nxt - len(tcb.rcv_buffer)) & MASK
            before = (tcb.rcv_up - 1 - start) & MASK
            if tcb.rcv_up >= 0 and before < HALF and before < len(tcb.rcv_buffer):
                size = min(size, before)  # it stops at the urgent octet: net/ipv4/tcp.c, tcp_read_sock
                if not size:
                    return Result(0)
        try:
            text, actions = socket.receive(size, calls.exchange.now)
        except TcpError:
            text, actions = b"", []
        calls.exchange.perform(actions)
        pipe.size += len(text) if text is not None else 0
        return None if text is None else Result(len(text))

    return attempt


def _send(socket: Socket, size: int, calls: "Calls") -> int:
    count, actions = socket.send(bytes(size), calls.exchange.now)
    calls.exchange.perform(actions)
    return count


def _descriptor(call: Call) -> int:
    return call.result if call.result is not None and call.result >= 0 else 0
