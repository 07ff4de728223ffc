"""The system calls that a script may make: one table, and how a call is started.

The calls of each topic stand in a module of their own; this module stands above all of them.
"""

from collections.abc import Callable

from netsim.referees.packetdrill.language.script import Call
from netsim.referees.packetdrill.system_calls import connections, files, readiness, socket_options, transfers
from netsim.referees.packetdrill.system_calls.errno import errno_of
from netsim.referees.packetdrill.system_calls.process import Attempt, Process, integer, returns
from netsim.referees.packetdrill.verdict import Unsupported
from netsim.tcp.errors import TcpError

_CALLS: dict[str, Callable[[Process, Call], Attempt]] = {
    "socket": connections.socket,
    "bind": connections.bind,
    "listen": connections.listen,
    "connect": connections.connect,
    "accept": connections.accept,
    "accept4": connections.accept,
    "shutdown": connections.shutdown,
    "close": connections.close,
    "write": transfers.write,
    "send": transfers.write,
    "sendto": transfers.write,
    "read": transfers.read,
    "recv": transfers.read,
    "recvfrom": transfers.read,
    "recvmsg": transfers.read_error_queue,
    "getsockopt": socket_options.getsockopt,
    "setsockopt": socket_options.setsockopt,
    "fcntl": socket_options.fcntl,
    "ioctl": socket_options.ioctl,
    "open": files.open_file,
    "pipe": files.pipe,
    "sendfile": files.sendfile,
    "splice": files.splice,
    "poll": readiness.poll,
    "epoll_create": readiness.create,
    "epoll_create1": readiness.create,
    "epoll_ctl": readiness.control,
    "epoll_wait": readiness.wait,
}
_WITHOUT_SOCKET = {
    "socket",
    "open",
    "pipe",
    "splice",
    "poll",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
}


def start_call(process: Process, call: Call) -> Attempt:
    """Start a call. Unsupported for a call that is not known."""
    simple = transfers.simplified(call)
    handler = _CALLS.get(simple.name)
    if handler is None:
        raise Unsupported(call.line, f"the system call {call.name}")
    if call.name not in _WITHOUT_SOCKET and not _is_open(process, call):
        return returns(-1, "EBADF")
    try:
        attempt = handler(process, simple)
    except TcpError as error:
        return returns(-1, errno_of(error))
    except ValueError as error:
        raise Unsupported(call.line, f"{call.name}: {error}") from None
    compares_control = simple is not call and transfers.has_control(call)
    return transfers.with_control(process, call, attempt) if compares_control else attempt


def _is_open(process: Process, call: Call) -> bool:
    """Whether the descriptor that a call names can be used with it; only close takes one that is not a socket."""
    number = integer(call, 0)
    return number in process.descriptors or (call.name == "close" and number in process.objects)


def blocks(process: Process, call: Call) -> bool:
    """Whether the process waits for this call. Otherwise a call that cannot return fails with EAGAIN or EINPROGRESS."""
    simple = transfers.simplified(call)
    if simple.name in _WITHOUT_SOCKET or simple.name == "close":
        return True  # they know themselves when they have waited long enough
    return transfers.waits(process, simple)
