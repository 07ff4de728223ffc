"""Playing a script's events, one after the other, against the exchange."""

from dataclasses import dataclass, replace
from typing import Any

from netsim.referees.packetdrill.code import check, tcp_info
from netsim.referees.packetdrill.commands import carry_out
from netsim.referees.packetdrill.host_under_test import Emitted, Exchange
from netsim.referees.packetdrill.language.script import (
    Action,
    Call,
    Code,
    Command,
    Event,
    IcmpPacket,
    OtherPacket,
    Packet,
    TcpPacket,
    Time,
)
from netsim.referees.packetdrill.match import (
    differences,
    header,
    header_differs,
    joined,
    require_supported,
    stamp_difference,
)
from netsim.referees.packetdrill.option_layout import packet_text
from netsim.referees.packetdrill.platform import Host
from netsim.referees.packetdrill.settings import Settings
from netsim.referees.packetdrill.system_calls.calls import Calls
from netsim.referees.packetdrill.system_calls.errno import same
from netsim.referees.packetdrill.system_calls.process import Attempt, Result
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.segment import FourTuple

PATIENCE = 2_000_000_000  # ns after its time that an outbound packet or the end of a call is waited for
LONGEST = 10 * 86_400 * 1_000_000_000  # ns; a call or a packet at any time that takes longer never comes


@dataclass(slots=True)
class Blocked:
    """A call that waits: its attempt, when it began and must end (ns), and how it went."""

    call: Call
    attempt: Attempt
    start: int
    end: int
    result: Result | None = None
    at: int = 0


class Play:
    """One script on one host. ``expected`` counts the outbound packets that were met."""

    def __init__(self, host: Host, settings: Settings, log_lines: int | None) -> None:
        config = host.config if settings.mss is None else host.config.replace(mss=settings.mss)
        self.host, self.settings = replace(host, config=config), settings
        self.exchange = Exchange(
            self.host,
            local=settings.local,
            remote=settings.remote,
            bind_port=settings.bind_port,
            connect_port=settings.connect_port,
            log_lines=log_lines,
        )
        self.calls = Calls(self.exchange)
        self.calls.tolerance = settings.tolerance
        self.expected = 0
        self._base = 0  # when the event before was completed, ns: relative times count from here
        self._previous = 0  # the time that the script gave it
        self._blocked: Blocked | None = None
        self._variables: dict[str, Any] = {}  # that the script's code has set

    def event(self, event: Event) -> None:
        """Play one event. Failure or Unsupported if that is what it comes to."""
        action = event.action
        if isinstance(action, TcpPacket | IcmpPacket | OtherPacket) and action.direction == ">":
            self._expect(action, event.time)
        else:
            start = self._absolute(event.time.start or 0, event.time)
            self.exchange.advance(start)
            until = None if event.until is None else self._absolute(event.until, event.time)
            self._base = self.exchange.now
            self._act(action, until)
            self._previous = start
        if event.until is None:
            self._base = self.exchange.now

    def _act(self, action: Action, until: int | None) -> None:
        match action:
            case TcpPacket():
                require_supported(action)
                self.exchange.inject(action)
            case IcmpPacket():
                self.exchange.inject_icmp(action)
            case OtherPacket():
                raise Unsupported(action.line, f"{action.protocol} packets")
            case Call():
                self._call(action, until)
            case Command():
                carry_out(action, self.calls)
            case Code():
                check(action, self.host.constants() | tcp_info(self.exchange), self._variables)

    def end(self) -> None:
        """After the last event: a blocked call must return."""
        self._await_blocked()

    def _absolute(self, time: int, of: Time) -> int:
        absolute = time + self._base if of.relative else time
        if absolute - self.exchange.now > LONGEST:
            raise Unsupported(of.line, "times more than ten days ahead")
        return absolute

    def _tolerance(self, distance: int) -> float:
        share = self.host.tolerance if self.settings.share is None else self.settings.share
        return max(self.settings.tolerance, share * distance)

    # Calls

    def _call(self, call: Call, end: int | None) -> None:
        self._await_blocked()
        exchange = self.exchange
        attempt = self.calls.begin(call)
        result = attempt()
        exchange.settle()
        if result is None and not self.calls.blocks(call):
            result = Result(-1, "EINPROGRESS" if call.name == "connect" else "EAGAIN")
        if result is None and end is not None:
            self._blocked = Blocked(call, attempt, exchange.now, end)
            exchange.waiting = self._retry
            return
        if end is not None and end - exchange.now > self._tolerance(end - exchange.now):
            raise Failure(
                call.line, f"{call.name} returns at once", f"{end / 1e9:.6f} s", f"{exchange.now / 1e9:.6f} s"
            )
        while result is None:
            if not exchange.step(min(exchange.next_event(), LONGEST)):
                raise Failure(call.line, f"{call.name} never returns")
            result = attempt()
            exchange.settle()
        _compare(call, result)

    def _retry(self) -> None:
        blocked = self._blocked
        if blocked is not None and blocked.result is None:
            blocked.result = blocked.attempt()
            blocked.at = self.exchange.now

    def _await_blocked(self) -> None:
        blocked = self._blocked
        if blocked is None:
            return
        while blocked.result is None and self.exchange.step(blocked.end + PATIENCE):
            pass
        self._blocked = self.exchange.waiting = None
        expected = f"{blocked.end / 1e9:.6f} s"
        if blocked.result is None:
            raise Failure(blocked.call.line, f"{blocked.call.name} does not return", expected)
        _compare(blocked.call, blocked.result)
        if abs(blocked.at - blocked.end) > self._tolerance(blocked.end - blocked.start):
            reason = f"{blocked.call.name} returns at another time"
            raise Failure(blocked.call.line, reason, expected, f"{blocked.at / 1e9:.6f} s")

    # Outbound packets

    def _expect(self, packet: Packet, when: Time) -> None:
        if not isinstance(packet, TcpPacket):
            raise Unsupported(packet.line, f"outbound {getattr(packet, 'protocol', 'icmp')} packets")
        require_supported(packet)
        exchange = self.exchange
        if packet.ports is not None:
            port, remote = packet.ports
            exchange.choose(FourTuple(exchange.local, port, exchange.remote, remote))
        early = late = None
        limit = LONGEST
        if when.start is not None and when.end is not None:
            early, late = self._absolute(when.start, when), self._absolute(when.end, when)
            limit = late + PATIENCE
        emitted = self._collect(packet, limit)
        if emitted is None:
            raise Failure(packet.line, "the host sends nothing", packet_text(packet))
        exchange.subject.learn(packet, emitted.segment)
        got = exchange.subject.observe(emitted.segment, self.host.style)
        wrong = differences(packet, got)
        if fields := header(packet, emitted):
            got = replace(got, ip=fields + got.ip)
            wrong += ["IP header"] if header_differs(packet, fields) else []
        ticks = stamp_difference(packet, got) * self.settings.tick
        if not wrong and ticks > self._tolerance(emitted.at - self._previous):
            wrong = ["time stamp"]
        if wrong:
            reason = f"another {', '.join(wrong)}"
            raise Failure(packet.line, reason, packet_text(packet), packet_text(got))
        if early is not None and late is not None:
            self._check_time(packet, emitted, early, late)
        self.expected += 1
        self._previous = emitted.at if early is None else early

    def _check_time(self, packet: TcpPacket, emitted: Emitted, early: int, late: int) -> None:
        tolerance = self._tolerance(early - self._previous)
        if not early - tolerance <= emitted.at <= late + tolerance:
            when = f"{early / 1e9:.6f}" if early == late else f"{early / 1e9:.6f}~{late / 1e9:.6f}"
            reason = "sent at another time"
            raise Failure(
                packet.line,
                reason,
                f"{when} {packet_text(packet)}",
                f"{emitted.at / 1e9:.6f} {packet_text(packet)}",
            )

    def _collect(self, packet: TcpPacket, limit: int) -> Emitted | None:
        """What the host sends next, joined from segments up to the length expected."""
        emitted = self.exchange.next_sent(limit)
        largest = len(emitted.segment.payload) if emitted is not None else 0
        apart = self.settings.strict_segments
        while emitted is not None and not apart and len(emitted.segment.payload) < packet.length:
            more = self.exchange.next_sent(limit)
            both = joined(emitted, more, largest) if more is not None else None
            if both is None:
                if more is not None:
                    self.exchange.sent.appendleft(more)
                break
            emitted = both
        return emitted


def _compare(call: Call, result: Result) -> None:
    """The result against the script's: its value, and its error number where the script names one."""
    if call.result is None:
        return
    wrong = call.result != result.value
    if not wrong and result.value == -1 and call.errno is not None:
        wrong = result.errno is None or not same(call.errno, result.errno)
    if wrong:
        got = f"{result.value} {result.errno or ''}".rstrip()
        raise Failure(
            call.line, f"{call.name} returns something else", f"{call.result} {call.errno or ''}".rstrip(), got
        )
