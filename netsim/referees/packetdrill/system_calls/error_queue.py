"""A socket's error queue: completions of MSG_ZEROCOPY, and when data was sent (SO_TIMESTAMPING).

Documentation/networking/msg_zerocopy.rst and timestamping.rst; net/core/skbuff.c, __msg_zerocopy_callback. One send is
reported when all of its data has been acknowledged. The reports of consecutive sends are joined into one that has a
range of numbers.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from netsim.referees.packetdrill.language.script import Array, Expression, Name, Number, Structure, Unchecked
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.segment import HALF, MASK
from netsim.tcp.socket import Socket
from netsim.tcp.state import CLOSED

# SOF_TIMESTAMPING_TX_x asks for SCM_TSTAMP_y
_TIME_STAMPS: Final = {"SCHED": "SCHED", "SOFTWARE": "SND", "ACK": "ACK"}


@dataclass(slots=True)
class Report:
    """One entry: ``fields`` of struct sock_extended_err, and for a time stamp the time ``at`` (ns)."""

    fields: dict[str, Any]
    at: int | None = None


@dataclass(slots=True)
class _Send:
    """The data of one send, up to sequence number ``end``.

    ``zerocopy`` is the send's number among those with MSG_ZEROCOPY, ``stamps`` are the time stamps still to come, and
    ``key`` is the number of the send's last byte.
    """

    end: int
    zerocopy: int | None
    stamps: list[str]
    key: int


@dataclass(slots=True)
class ErrorQueue:
    """The error queue of one socket, and the sends that will still be reported there.

    ``origin`` is the sequence number from which time stamps count bytes (SOF_TIMESTAMPING_OPT_ID); ``reported`` is the
    number of reports since the beginning.
    """

    zerocopy: bool = False
    stamps: tuple[str, ...] = ()
    origin: int = 0
    reported: int = 0
    waiting: deque[Report] = field(default_factory=deque)
    _pending: list[_Send] = field(default_factory=list)
    _sends: int = 0

    def sent(self, socket: Socket, *, zerocopy: bool) -> None:
        """A send has put data into the socket's buffer."""
        tcb, number = socket.tcb, None
        zerocopy = zerocopy and self.zerocopy
        if tcb is None or not (zerocopy or self.stamps):
            return
        if zerocopy:
            number = self._sends
            self._sends += 1
        start = (tcb.iss + 1) & MASK if tcb.snd_una == tcb.iss else tcb.snd_una
        end = (start + len(tcb.snd_buffer or b"")) & MASK
        self._pending.append(_Send(end, number, list(self.stamps), (end - 1 - self.origin) & MASK))

    def update(self, socket: Socket, now: int) -> None:
        """Segments were sent or acknowledged: report the sends that this completes, in the order of the data."""
        tcb = socket.tcb
        if tcb is None or not self._pending:
            return
        closed = tcb.state is CLOSED
        for send in self._pending:
            transmitted = (tcb.snd_nxt - send.end) & MASK < HALF
            acknowledged = closed or (tcb.snd_una - send.end) & MASK < HALF
            due = [s for s in send.stamps if (acknowledged if s == "ACK" else transmitted) and not closed]
            for stamp in due:
                send.stamps.remove(stamp)
                self._report({"ee_errno": "ENOMSG", "ee_origin": "SO_EE_ORIGIN_TIMESTAMPING", "ee_code": 0}, now)
                self.waiting[-1].fields |= {"ee_info": f"SCM_TSTAMP_{stamp}", "ee_data": send.key}
            if acknowledged and send.zerocopy is not None:
                self._complete(send.zerocopy)
        self._pending = [] if closed else [s for s in self._pending if (tcb.snd_una - s.end) & MASK >= HALF]

    def _complete(self, number: int) -> None:
        last = self.waiting[-1].fields if self.waiting else {}
        if last.get("ee_origin") == "SO_EE_ORIGIN_ZEROCOPY" and last["ee_data"] == number - 1:
            last["ee_data"] = number
            self.reported += 1
            return
        fields = {"ee_errno": 0, "ee_origin": "SO_EE_ORIGIN_ZEROCOPY", "ee_code": "SO_EE_CODE_ZEROCOPY_COPIED"}
        self._report(fields | {"ee_info": number, "ee_data": number}, None)

    def _report(self, fields: dict[str, Any], at: int | None) -> None:
        self.waiting.append(Report({"ee_type": 0} | fields, at))
        self.reported += 1


def requested_time_stamps(flags: set[str], line: int) -> tuple[str, ...]:
    """The time stamps that SO_TIMESTAMPING's flags ask for, in the order in which they come.

    Unsupported for flags that are not known.
    """
    known = {f"TX_{name}" for name in _TIME_STAMPS} | {"SOFTWARE", "OPT_ID", "OPT_ID_TCP", "OPT_TSONLY", "OPT_CMSG"}
    words = {flag.removeprefix("SOF_TIMESTAMPING_") for flag in flags}
    if words - known:
        raise Unsupported(line, f"SO_TIMESTAMPING with {', '.join(sorted(words - known))}")
    return tuple(stamp for name, stamp in _TIME_STAMPS.items() if f"TX_{name}" in words)


def compare(report: Report, expected: Expression, tolerance: float, line: int) -> None:
    """Compare a report with the msg_control that the script expects. Failure where they differ."""
    for message in expected.items if isinstance(expected, Array) else ():
        data = dict(message.fields).get("cmsg_data") if isinstance(message, Structure) else None
        wanted = dict(data.fields) if isinstance(data, Structure) else {}
        if "scm_sec" in wanted:
            _compare_time(report, wanted, tolerance, line)
            continue
        for name, value in wanted.items():
            got = report.fields.get(name)
            want = value.value if isinstance(value, Number | Name) else None
            if not isinstance(value, Unchecked) and want != got:
                raise Failure(line, f"recvmsg: {name} differs", str(want), str(got))


def _compare_time(report: Report, wanted: dict[str, Expression], tolerance: float, line: int) -> None:
    seconds, nanoseconds = wanted.get("scm_sec"), wanted.get("scm_nsec")
    if not isinstance(seconds, Number) or not isinstance(nanoseconds, Number):
        return
    expected = seconds.value * 1_000_000_000 + nanoseconds.value
    if report.at is None or abs(report.at - expected) > tolerance:
        got = "no time stamp" if report.at is None else f"{report.at / 1e9:.6f} s"
        raise Failure(line, "recvmsg: the time stamp differs", f"{expected / 1e9:.6f} s", got)
