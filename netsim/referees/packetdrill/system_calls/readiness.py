"""poll and epoll: what a socket is ready for, and when an edge is told (net/ipv4/tcp.c, tcp_poll; fs/eventpoll.c).

An event structure is {events=EPOLLIN|EPOLLOUT, fd=4}, a poll one {fd=4, events=POLLIN, revents=POLLIN}.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from netsim.referees.packetdrill.language.script import Call, Expression, Items, Name, Number, Structure, Unchecked
from netsim.referees.packetdrill.system_calls.error_queue import Notices
from netsim.referees.packetdrill.system_calls.process import Attempt, Result, names
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.output import may_speak
from netsim.tcp.recovery.send_buffer import writable
from netsim.tcp.socket import Socket, pending_error
from netsim.tcp.state import CLOSED, ESTABLISHED, TIME_WAIT
from netsim.tcp.user_calls import peer_closed

if TYPE_CHECKING:
    from netsim.referees.packetdrill.system_calls.calls import Calls

_KNOWN: Final = {"IN", "OUT", "ERR", "HUP", "RDHUP", "RDNORM", "WRNORM", "PRI", "NVAL"}
_HOW: Final = {"ET", "ONESHOT", "EXCLUSIVE"}
_ALWAYS: Final = {"ERR", "HUP"}
_SAME: Final = {"RDNORM": "IN", "WRNORM": "OUT"}


def ready(socket: Socket, notices: Notices | None) -> set[str]:
    """What poll would tell of a socket now, without the prefix of the names."""
    if socket.listener is not None:
        return {"IN"} if socket.listener.accept_queue else set()
    tcb, found = socket.tcb, set()
    gone = tcb is None or tcb.state in (CLOSED, TIME_WAIT)
    ended = tcb is not None and (gone or peer_closed(tcb) or socket.read_shut)
    shut = gone or (tcb is not None and tcb.close_called)
    if gone or (ended and shut):
        found.add("HUP")
    if ended:
        found |= {"IN", "RDHUP"}
    if tcb is not None and (tcb.state >= ESTABLISHED or gone or may_speak(tcb)):
        found |= ({"IN"} if tcb.rcv_buffer else set()) | ({"OUT"} if shut or writable(tcb) else set())
    elif tcb is None:
        found.add("OUT")
    if (tcb is not None and pending_error(socket) is not None) or (notices is not None and notices.waiting):
        found.add("ERR")
    return found


@dataclass(slots=True)
class Watch:
    """One descriptor in an epoll set: what is asked for, how, and what was seen when it was last told."""

    wanted: set[str]
    how: set[str]
    seen: tuple[object, ...] | None = None


@dataclass(slots=True)
class Epoll:
    """An epoll set: descriptors in the order in which they were added."""

    watched: dict[int, Watch] = field(default_factory=dict)


def _happened(socket: Socket, notices: Notices | None, wanted: set[str]) -> tuple[object, ...]:
    """What wakes those who wait: text and connections, a new state, news in the error queue."""
    tcb, listener = socket.tcb, socket.listener
    connections = len(listener.accept_queue) if listener is not None else 0
    text = tcb.rcv_nxt if tcb is not None and "IN" in wanted else 0
    state = None if tcb is None else (tcb.state, tcb.peer_fin)
    return connections, text, state, notices.told if notices else 0


def create(calls: "Calls", call: Call) -> Attempt:
    """epoll_create(size), epoll_create1(flags)."""
    if call.result is not None and call.result >= 0:
        calls.objects[call.result] = Epoll()
    return lambda: Result(call.result if call.result is not None else 0)


def control(calls: "Calls", call: Call) -> Attempt:
    """epoll_ctl(epfd, operation, fd, event)."""
    operation, target = names(calls.argument(call, 1)), calls.integer(call, 2)
    watched = _epoll(calls, call).watched
    if target not in calls.descriptors:
        return _returns(-1, "EBADF")
    if operation == {"EPOLL_CTL_DEL"}:
        return _returns(0) if watched.pop(target, None) is not None else _returns(-1, "ENOENT")
    if operation not in ({"EPOLL_CTL_ADD"}, {"EPOLL_CTL_MOD"}):
        raise Unsupported(call.line, f"epoll_ctl with {', '.join(sorted(operation))}")
    if (operation == {"EPOLL_CTL_ADD"}) == (target in watched):
        return _returns(-1, "EEXIST" if target in watched else "ENOENT")
    asked = _events(_field(calls.argument(call, 3), "events", call), call, "EPOLL")
    watch = watched[target] = Watch((asked - _HOW) | _ALWAYS, asked & _HOW)
    socket = calls.descriptors[target]
    notices = calls.notices.get(socket)
    if not _now(calls, socket, notices) & watch.wanted:
        watch.seen = _happened(socket, notices, watch.wanted)
    return _returns(0)


def wait(calls: "Calls", call: Call) -> Attempt:
    """epoll_wait(epfd, event or [events], most, milliseconds)."""
    epoll, most = _epoll(calls, call), calls.integer(call, 2)
    expected = calls.argument(call, 1)
    structures = _structures(expected)
    limit = _until(calls, call, 3)

    def attempt() -> Result | None:
        told = [(fd, got) for fd, watch in epoll.watched.items() if (got := _tell(calls, fd, watch))][:most]
        for (fd, got), structure in zip(told, structures, strict=False):
            _compare(call, fd, got, structure, "events")
        return Result(len(told)) if told or calls.exchange.now >= limit else None

    return attempt


def poll(calls: "Calls", call: Call) -> Attempt:
    """poll([{fd=, events=, revents=}, ...], count, milliseconds)."""
    structures = _structures(calls.argument(call, 0))
    limit = _until(calls, call, 2)

    def attempt() -> Result | None:
        found = [_polled(calls, call, structure) for structure in structures]
        if not any(got for _, got in found) and calls.exchange.now < limit:
            return None
        for structure, (fd, got) in zip(structures, found, strict=True):
            _compare(call, fd, got, structure, "revents")
        return Result(sum(bool(got) for _, got in found))

    return attempt


def _polled(calls: "Calls", call: Call, structure: Expression) -> tuple[int, set[str]]:
    """A descriptor of poll, and what it is ready for."""
    fd = _field(structure, "fd", call)
    if not isinstance(fd, Number):
        raise Unsupported(call.line, "poll with a descriptor that is no number")
    asked = _events(_field(structure, "events", call), call, "POLL") | _ALWAYS
    socket = calls.descriptors.get(fd.value)
    return fd.value, _now(calls, socket, calls.notices.get(socket)) & asked if socket is not None else {"NVAL"}


def _structures(expected: Expression) -> tuple[Expression, ...]:
    """The structures of an argument: one, or a list of them."""
    return expected.items if isinstance(expected, Items) else (expected,)


def _tell(calls: "Calls", fd: int, watch: Watch) -> set[str]:
    """What an epoll set tells of a descriptor now; by an edge only if something has happened since."""
    socket = calls.descriptors.get(fd)
    if socket is None or not watch.wanted:
        return set()
    notices = calls.notices.get(socket)
    if "ET" in watch.how:
        happened, tcb = _happened(socket, notices, watch.wanted), socket.tcb
        if happened == watch.seen and not (socket in calls.full and tcb is not None and writable(tcb, wake=True)):
            return set()
        watch.seen = happened
        calls.full.discard(socket)
    got = _now(calls, socket, notices) & watch.wanted
    if got and "ONESHOT" in watch.how:
        watch.wanted = set()
    return got


def _now(calls: "Calls", socket: Socket, notices: Notices | None) -> set[str]:
    """What a socket is ready for; one that is full tells those who have seen so when it no longer is."""
    if socket in calls.deferred:
        return {"OUT"}
    found = ready(socket, notices)
    if "OUT" not in found and socket.tcb is not None:
        calls.full.add(socket)
    return found


def _until(calls: "Calls", call: Call, index: int) -> int:
    """When a call that waits so many milliseconds gives up."""
    milliseconds = calls.integer(call, index)
    if milliseconds < 0:
        return 1 << 62
    if milliseconds:
        calls.exchange.alarm = calls.exchange.now + milliseconds * 1_000_000
    return calls.exchange.now + milliseconds * 1_000_000


def _epoll(calls: "Calls", call: Call) -> Epoll:
    epoll = calls.objects.get(calls.integer(call, 0))
    if not isinstance(epoll, Epoll):
        raise Failure(call.line, f"{call.name}: the descriptor is no epoll set")
    return epoll


def _field(structure: Expression, name: str, call: Call) -> Expression:
    fields = dict(structure.fields) if isinstance(structure, Structure) else {}
    if name not in fields:
        raise Failure(call.line, f"{call.name}: {{{name}=}} is missing")
    return fields[name]


def _events(expression: Expression, call: Call, prefix: str) -> set[str]:
    words = {word.removeprefix(prefix) for word in names(expression)}
    if words - _KNOWN - _HOW:
        raise Unsupported(call.line, f"{call.name} with {', '.join(sorted(words - _KNOWN - _HOW))}")
    return {_SAME.get(word, word) for word in words}


def _compare(call: Call, fd: int, got: set[str], structure: Expression, which: str) -> None:
    if isinstance(structure, Unchecked | Name):
        return
    expected = _field(structure, which, call)
    number = dict(structure.fields).get("fd") if isinstance(structure, Structure) else None
    if isinstance(number, Number) and number.value != fd:
        raise Failure(call.line, f"{call.name} tells of another descriptor", str(number.value), str(fd))
    prefix = "POLL" if which == "revents" else "EPOLL"
    if not isinstance(expected, Unchecked) and _events(expected, call, prefix) != got:
        raise Failure(call.line, f"{call.name} tells other events", "|".join(sorted(names(expected))), str(sorted(got)))


def _returns(value: int, errno: str | None = None) -> Attempt:
    return lambda: Result(value, errno)
