"""A socket's error queue: which text sent with MSG_ZEROCOPY may be reused, and when text went out (SO_TIMESTAMPING).

Documentation/networking/msg_zerocopy.rst and timestamping.rst; net/core/skbuff.c, __msg_zerocopy_callback. The text of
one send is told of once all of it is acknowledged; notices of consecutive sends are one, with a range of numbers.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from netsim.referees.packetdrill.language.script import Expression, Items, Name, Number, Structure, Unchecked
from netsim.referees.packetdrill.system_calls.process import names
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.socket import Socket
from netsim.tcp.state import CLOSED

_STAMPS: Final = {"SCHED": "SCHED", "SOFTWARE": "SND", "ACK": "ACK"}  # SOF_TIMESTAMPING_TX_x asks for SCM_TSTAMP_y


@dataclass(slots=True)
class Notice:
    """One entry. ``fields`` are those of struct sock_extended_err, ``at`` (ns) when, for a time stamp."""

    fields: dict[str, Any]
    at: int | None = None


@dataclass(slots=True)
class _Text:
    """The text of one send, up to number ``end``: number ``zerocopy`` of its kind, ``stamps`` still to be told."""

    end: int
    zerocopy: int | None
    stamps: list[str]
    key: int


@dataclass(slots=True)
class Notices:
    """The error queue of one socket, and what is still to be put there."""

    zerocopy: bool = False
    stamps: tuple[str, ...] = ()
    origin: int = 0  # the sequence number from which time stamps count bytes (SOF_TIMESTAMPING_OPT_ID)
    told: int = 0  # notices so far
    waiting: deque[Notice] = field(default_factory=deque)
    _texts: list[_Text] = field(default_factory=list)
    _sends: int = 0

    def sent(self, socket: Socket, *, zerocopy: bool) -> None:
        """A send has put text into the socket's buffer."""
        tcb, number = socket.tcb, None
        zerocopy = zerocopy and self.zerocopy
        if tcb is None or not (zerocopy or self.stamps):
            return
        if zerocopy:
            number = self._sends
            self._sends += 1
        start = (tcb.iss + 1) & MASK if tcb.snd_una == tcb.iss else tcb.snd_una
        end = (start + len(tcb.snd_buffer or b"")) & MASK
        self._texts.append(_Text(end, number, list(self.stamps), (end - 1 - self.origin) & MASK))

    def look(self, socket: Socket, now: int) -> None:
        """Something was sent or acknowledged: tell what that settles, in the order of the text."""
        tcb = socket.tcb
        if tcb is None or not self._texts:
            return
        gone = tcb.state is CLOSED
        for text in self._texts:
            out = (tcb.snd_nxt - text.end) & MASK < HALF
            acknowledged = gone or (tcb.snd_una - text.end) & MASK < HALF
            for stamp in [s for s in text.stamps if (acknowledged if s == "ACK" else out) and not gone]:
                text.stamps.remove(stamp)
                self._put({"ee_errno": "ENOMSG", "ee_origin": "SO_EE_ORIGIN_TIMESTAMPING", "ee_code": 0}, now)
                self.waiting[-1].fields |= {"ee_info": f"SCM_TSTAMP_{stamp}", "ee_data": text.key}
            if acknowledged and text.zerocopy is not None:
                self._free(text.zerocopy)
        self._texts = [] if gone else [t for t in self._texts if (tcb.snd_una - t.end) & MASK >= HALF]

    def _free(self, number: int) -> None:
        last = self.waiting[-1].fields if self.waiting else {}
        if last.get("ee_origin") == "SO_EE_ORIGIN_ZEROCOPY" and last["ee_data"] == number - 1:
            last["ee_data"] = number
            self.told += 1
            return
        fields = {"ee_errno": 0, "ee_origin": "SO_EE_ORIGIN_ZEROCOPY", "ee_code": "SO_EE_CODE_ZEROCOPY_COPIED"}
        self._put(fields | {"ee_info": number, "ee_data": number}, None)

    def _put(self, fields: dict[str, Any], at: int | None) -> None:
        self.waiting.append(Notice({"ee_type": 0} | fields, at))
        self.told += 1


def asked_for(value: Expression, line: int) -> tuple[str, ...]:
    """The time stamps that SO_TIMESTAMPING's flags ask for, in the order in which they come. Unsupported for others."""
    flags = {flag.removeprefix("SOF_TIMESTAMPING_") for flag in names(value)}
    other = flags - {f"TX_{name}" for name in _STAMPS} - {"SOFTWARE", "OPT_ID", "OPT_ID_TCP", "OPT_TSONLY", "OPT_CMSG"}
    if other:
        raise Unsupported(line, f"SO_TIMESTAMPING with {', '.join(sorted(other))}")
    return tuple(told for name, told in _STAMPS.items() if f"TX_{name}" in flags)


def compare(notice: Notice, expected: Expression, tolerance: float, line: int) -> None:
    """The script's msg_control against what came. Failure where they differ."""
    for message in expected.items if isinstance(expected, Items) else ():
        data = dict(message.fields).get("cmsg_data") if isinstance(message, Structure) else None
        wanted = dict(data.fields) if isinstance(data, Structure) else {}
        if "scm_sec" in wanted:
            _compare_time(notice, wanted, tolerance, line)
            continue
        for name, value in wanted.items():
            got = notice.fields.get(name)
            said = value.value if isinstance(value, Number | Name) else None
            if not isinstance(value, Unchecked) and said != got:
                raise Failure(line, f"recvmsg tells another {name}", str(said), str(got))


def _compare_time(notice: Notice, wanted: dict[str, Expression], tolerance: float, line: int) -> None:
    seconds, nanoseconds = wanted.get("scm_sec"), wanted.get("scm_nsec")
    if not isinstance(seconds, Number) or not isinstance(nanoseconds, Number):
        return
    expected = seconds.value * 1_000_000_000 + nanoseconds.value
    if notice.at is None or abs(notice.at - expected) > tolerance:
        got = "no time stamp" if notice.at is None else f"{notice.at / 1e9:.6f} s"
        raise Failure(line, "recvmsg tells another time", f"{expected / 1e9:.6f} s", got)
