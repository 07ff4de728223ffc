"""recvmsg with ancillary data: the error queue, and the text left behind what was read (TCP_INQ)."""

from typing import TYPE_CHECKING

from netsim.referees.packetdrill.language.script import Call, Expression, Items, Number, Structure, Unchecked
from netsim.referees.packetdrill.system_calls.error_queue import compare
from netsim.referees.packetdrill.system_calls.process import Attempt, Result, names
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.socket import Socket
from netsim.tcp.user_calls import peer_closed

if TYPE_CHECKING:
    from netsim.referees.packetdrill.system_calls.calls import Calls


def fields_of(call: Call) -> dict[str, Expression]:
    """The fields of the message that is a call's second argument."""
    message = call.arguments[1] if len(call.arguments) > 1 else None
    return dict(message.fields) if isinstance(message, Structure) else {}


def from_error_queue(calls: "Calls", call: Call) -> Attempt:
    """recvmsg(fd, message, MSG_ERRQUEUE): it never waits (ip(7), IP_RECVERR)."""
    notices = calls.notices.get(calls.of(call))
    if notices is None or not notices.waiting:
        return lambda: Result(-1, "EAGAIN")
    notice = notices.waiting.popleft()
    compare(notice, fields_of(call).get("msg_control", Unchecked()), calls.tolerance, call.line)
    return lambda: Result(0)


def with_inq(calls: "Calls", call: Call, read: Attempt) -> Attempt:
    """A read, and how much text it leaves; the stream's end counts as a byte (net/ipv4/tcp.c, tcp_inq_hint)."""
    socket = calls.of(call)
    control = fields_of(call)["msg_control"]
    messages = control.items if isinstance(control, Items) else ()

    def attempt() -> Result | None:
        result = read()
        if result is None or result.value < 0:
            return result
        told = {"TCP_CM_INQ": _inq(socket)} if socket in calls.inq else {}
        for message in messages:
            fields = dict(message.fields) if isinstance(message, Structure) else {}
            kind = "".join(names(fields.get("cmsg_type", Number(0))))
            if kind != "TCP_CM_INQ":
                raise Unsupported(call.line, f"recvmsg with {kind or 'such a control message'}")
            value = fields.get("cmsg_data")
            if isinstance(value, Number) and value.value != told.get(kind):
                raise Failure(call.line, f"recvmsg tells another {kind}", str(value.value), str(told.get(kind)))
        return result

    return attempt


def _inq(socket: Socket) -> int:
    tcb = socket.tcb
    if tcb is None:
        return 0
    return len(tcb.rcv_buffer or b"") or int(peer_closed(tcb))
