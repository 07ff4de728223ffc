"""poll and epoll: what a socket is ready for, and when an edge is reported (net/ipv4/tcp.c, tcp_poll; fs/eventpoll.c).

An event structure is {events=EPOLLIN|EPOLLOUT, fd=4}, one of poll is {fd=4, events=POLLIN, revents=POLLIN}. Events are
named here without their prefix.
"""

from typing import Final

from netsim.referees.packetdrill.language.script import Array, Call, Expression, Name, Number, Unchecked
from netsim.referees.packetdrill.system_calls.process import (
    Attempt,
    Epoll,
    Process,
    Result,
    Watch,
    argument,
    descriptor,
    fields_of,
    integer,
    listed,
    returns,
    symbols,
)
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.output import may_send_data
from netsim.tcp.recovery.send_buffer import writable
from netsim.tcp.socket import Socket, pending_error
from netsim.tcp.state import CLOSED, ESTABLISHED, TIME_WAIT
from netsim.tcp.user_calls import peer_closed

_EVENTS: Final = {"IN", "OUT", "ERR", "HUP", "RDHUP", "RDNORM", "WRNORM", "PRI", "NVAL"}
_MODES: Final = {"ET", "ONESHOT", "EXCLUSIVE"}
_ALWAYS: Final = {"ERR", "HUP"}
_SYNONYMS: Final = {"RDNORM": "IN", "WRNORM": "OUT"}
_NEVER: Final = 1 << 62


def create(process: Process, call: Call) -> Attempt:
    """epoll_create(size), epoll_create1(flags)."""
    number = descriptor(call, -1)
    if number >= 0:
        process.objects[number] = Epoll()
    return returns(call.result if call.result is not None else 0)


def control(process: Process, call: Call) -> Attempt:
    """epoll_ctl(epfd, operation, fd, event)."""
    operation, target = symbols(argument(call, 1)), integer(call, 2)
    watched = _epoll(process, call).watched
    if target not in process.descriptors:
        return returns(-1, "EBADF")
    if operation == {"EPOLL_CTL_DEL"}:
        return returns(0) if watched.pop(target, None) is not None else returns(-1, "ENOENT")
    if operation not in ({"EPOLL_CTL_ADD"}, {"EPOLL_CTL_MOD"}):
        raise Unsupported(call.line, f"epoll_ctl with {listed(operation)}")
    if (operation == {"EPOLL_CTL_ADD"}) == (target in watched):
        return returns(-1, "EEXIST" if target in watched else "ENOENT")
    asked = _named_events(_field(argument(call, 3), "events", call), call, "EPOLL")
    watch = watched[target] = Watch((asked - _MODES) | _ALWAYS, asked & _MODES)
    socket = process.descriptors[target]
    if not _ready(process, socket) & watch.wanted:
        watch.seen = progress(process, socket, watch.wanted)
    return returns(0)


def wait(process: Process, call: Call) -> Attempt:
    """epoll_wait(epfd, event or [events], maximum, milliseconds)."""
    epoll, maximum = _epoll(process, call), integer(call, 2)
    expected = _structures(argument(call, 1))
    limit = _deadline(process, call, 3)

    def attempt() -> Result | None:
        every = ((fd, _reported(process, fd, watch)) for fd, watch in epoll.watched.items())
        ready = [(fd, events) for fd, events in every if events][:maximum]
        for (fd, events), structure in zip(ready, expected, strict=False):
            _compare(call, fd, events, structure, "events")
        return Result(len(ready)) if ready or process.host.now >= limit else None

    return attempt


def poll(process: Process, call: Call) -> Attempt:
    """poll([{fd=, events=, revents=}, ...], count, milliseconds)."""
    structures = _structures(argument(call, 0))
    limit = _deadline(process, call, 2)

    def attempt() -> Result | None:
        found = [_polled(process, call, structure) for structure in structures]
        if not any(events for _, events in found) and process.host.now < limit:
            return None
        for structure, (fd, events) in zip(structures, found, strict=True):
            _compare(call, fd, events, structure, "revents")
        return Result(sum(bool(events) for _, events in found))

    return attempt


def _polled(process: Process, call: Call, structure: Expression) -> tuple[int, set[str]]:
    """A descriptor of poll, and what it is ready for."""
    fd = _field(structure, "fd", call)
    if not isinstance(fd, Number):
        raise Unsupported(call.line, "poll with a descriptor that is not a number")
    asked = _named_events(_field(structure, "events", call), call, "POLL") | _ALWAYS
    socket = process.descriptors.get(fd.value)
    return fd.value, _ready(process, socket) & asked if socket is not None else {"NVAL"}


def _reported(process: Process, fd: int, watch: Watch) -> set[str]:
    """What an epoll set reports of a descriptor now; edge-triggered only if something has happened since."""
    socket = process.descriptors.get(fd)
    if socket is None or not watch.wanted:
        return set()
    if "ET" in watch.how:
        tcb, seen = socket.tcb, progress(process, socket, watch.wanted)
        if seen == watch.seen and not (socket in process.full and tcb is not None and writable(tcb, wake=True)):
            return set()
        watch.seen = seen
        process.full.discard(socket)
    events = _ready(process, socket) & watch.wanted
    if events and "ONESHOT" in watch.how:
        watch.wanted = set()
    return events


def _ready(process: Process, socket: Socket) -> set[str]:
    """What a socket is ready for; remembers that it was seen to be full, so that an edge follows when it is not."""
    if socket in process.deferred:
        return {"OUT"}
    events = _of_listener(socket) if socket.listener is not None else _of_connection(process, socket)
    if "OUT" not in events and socket.tcb is not None:
        process.full.add(socket)
    return events


def _of_listener(socket: Socket) -> set[str]:
    return {"IN"} if socket.listener is not None and socket.listener.accept_queue else set()


def _of_connection(process: Process, socket: Socket) -> set[str]:
    """What tcp_poll returns of a socket that is not a listener."""
    tcb, queue = socket.tcb, process.error_queues.get(socket)
    events = {"ERR"} if queue is not None and queue.waiting else set()
    if tcb is None:
        return events | {"HUP", "OUT"}
    closed = tcb.state in (CLOSED, TIME_WAIT)
    ended = closed or peer_closed(tcb) or socket.read_shut
    shut = closed or tcb.close_called
    if ended and shut:
        events.add("HUP")
    if ended:
        events |= {"IN", "RDHUP"}
    if tcb.state >= ESTABLISHED or closed or may_send_data(tcb):
        events |= ({"IN"} if tcb.rcv_buffer else set()) | ({"OUT"} if shut or writable(tcb) else set())
    if pending_error(socket) is not None:
        events.add("ERR")
    return events


def progress(process: Process, socket: Socket, wanted: set[str]) -> tuple[object, ...]:
    """What wakes a waiting process when it changes: data, connections, the state, reports in the error queue."""
    tcb, listener, queue = socket.tcb, socket.listener, process.error_queues.get(socket)
    connections = len(listener.accept_queue) if listener is not None else 0
    received = tcb.rcv_nxt if tcb is not None and "IN" in wanted else 0
    state = None if tcb is None else (tcb.state, tcb.peer_fin)
    return connections, received, state, queue.reported if queue is not None else 0


def _deadline(process: Process, call: Call, index: int) -> int:
    """When a call that may wait for ``index``'s number of milliseconds times out (ns); negative: never."""
    milliseconds = integer(call, index)
    if milliseconds < 0:
        return _NEVER
    deadline = process.host.now + milliseconds * 1_000_000
    if milliseconds:
        process.host.call_deadline = deadline
    return deadline


def _epoll(process: Process, call: Call) -> Epoll:
    epoll = process.objects.get(integer(call, 0))
    if not isinstance(epoll, Epoll):
        raise Failure(call.line, f"{call.name}: the descriptor is not an epoll set")
    return epoll


def _structures(expected: Expression) -> tuple[Expression, ...]:
    """The structures of an argument: one, or a list of them."""
    return expected.items if isinstance(expected, Array) else (expected,)


def _field(structure: Expression, name: str, call: Call) -> Expression:
    fields = fields_of(structure)
    if name not in fields:
        raise Failure(call.line, f"{call.name}: {{{name}=}} is missing")
    return fields[name]


def _named_events(expression: Expression, call: Call, prefix: str) -> set[str]:
    words = {word.removeprefix(prefix) for word in symbols(expression)}
    if words - _EVENTS - _MODES:
        raise Unsupported(call.line, f"{call.name} with {listed(words - _EVENTS - _MODES)}")
    return {_SYNONYMS.get(word, word) for word in words}


def _compare(call: Call, fd: int, got: set[str], structure: Expression, which: str) -> None:
    """Compare what was reported with the script's structure. Failure where they differ."""
    if isinstance(structure, Unchecked | Name):
        return
    expected = _field(structure, which, call)
    number = fields_of(structure).get("fd")
    if isinstance(number, Number) and number.value != fd:
        raise Failure(call.line, f"{call.name} reports another descriptor", str(number.value), str(fd))
    prefix = "POLL" if which == "revents" else "EPOLL"
    if not isinstance(expected, Unchecked) and _named_events(expected, call, prefix) != got:
        raise Failure(
            call.line, f"{call.name} reports other events", "|".join(sorted(symbols(expected))), "|".join(sorted(got))
        )
