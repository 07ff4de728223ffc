"""Plays the events of a script, one after the other, against the host under test."""

from dataclasses import dataclass, replace
from typing import Any

from netsim.referees.packetdrill.code import run_code
from netsim.referees.packetdrill.commands import run_command
from netsim.referees.packetdrill.host_under_test import Emitted, HostUnderTest
from netsim.referees.packetdrill.language.packets import format_packet
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
    ip_header,
    ip_header_differs,
    joined,
    require_supported,
    time_stamp_difference,
)
from netsim.referees.packetdrill.platform import Platform
from netsim.referees.packetdrill.settings import Settings
from netsim.referees.packetdrill.system_calls.calls import blocks, start_call
from netsim.referees.packetdrill.system_calls.errno import same_error
from netsim.referees.packetdrill.system_calls.process import Attempt, Process, Result
from netsim.referees.packetdrill.tcp_info import tcp_info
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp.segment import FourTuple

PATIENCE = 2_000_000_000  # ns; how long after its time an outbound packet, or the end of a call, is still awaited
LONGEST_WAIT = 10 * 86_400 * 1_000_000_000  # ns; what takes longer never happens


@dataclass(slots=True)
class Blocked:
    """A call that blocks: when it was made and when it must return (ns); its result once it has one, and when."""

    call: Call
    attempt: Attempt
    start: int
    end: int
    result: Result | None = None
    at: int = 0


class Player:
    """One script on one host. ``matched`` counts the outbound packets that were as expected."""

    def __init__(self, platform: Platform, settings: Settings, log_lines: int | None) -> None:
        config = platform.config if settings.mss is None else platform.config.replace(mss=settings.mss)
        self.platform, self.settings = replace(platform, config=config), settings
        self.host = HostUnderTest(
            self.platform,
            local=settings.local,
            remote=settings.remote,
            bind_port=settings.bind_port,
            connect_port=settings.connect_port,
            log_lines=log_lines,
        )
        self.process = Process(self.host, tolerance=settings.tolerance)
        self.matched = 0
        self._base = 0  # when the previous event was completed (ns): relative times count from there
        self._previous = 0  # the script's time of the previous event
        self._blocked: Blocked | None = None
        self._variables: dict[str, Any] = {}  # those that the script's code has set

    def play(self, event: Event) -> None:
        """Play one event. Failure if the host does not do what the script expects, Unsupported if that is not known."""
        action = event.action
        if isinstance(action, TcpPacket | IcmpPacket | OtherPacket) and action.direction == ">":
            self._expect(action, event.time)
        else:
            start = self._absolute(event.time.start or 0, event.time)
            self.host.advance(start)
            until = None if event.until is None else self._absolute(event.until, event.time)
            self._base = self.host.now
            self._act(action, until)
            self._previous = start
        if event.until is None:
            self._base = self.host.now

    def command(self, command: Command) -> None:
        """Carry out the command before the first event, or after the last one."""
        run_command(command, self.process)

    def end(self) -> None:
        """After the last event: a call that still blocks must return."""
        self._await_blocked()

    def _act(self, action: Action, until: int | None) -> None:
        match action:
            case TcpPacket():
                require_supported(action)
                self.host.inject(action)
            case IcmpPacket():
                self.host.inject_icmp(action)
            case OtherPacket():
                raise Unsupported(action.line, f"{action.protocol} packets")
            case Call():
                self._call(action, until)
            case Command():
                run_command(action, self.process)
            case Code():
                run_code(action, self.platform.constants() | tcp_info(self.host), self._variables)

    def _absolute(self, time: int, of: Time) -> int:
        absolute = time + self._base if of.relative else time
        if absolute - self.host.now > LONGEST_WAIT:
            raise Unsupported(of.line, "times more than ten days ahead")
        return absolute

    def _tolerance(self, distance: int) -> float:
        share = self.platform.tolerance if self.settings.share is None else self.settings.share
        return max(self.settings.tolerance, share * distance)

    # System calls

    def _call(self, call: Call, end: int | None) -> None:
        """Make a call. One with an ``end`` blocks, and the script goes on meanwhile."""
        self._await_blocked()
        host = self.host
        attempt = start_call(self.process, call)
        result = attempt()
        host.settle()
        if result is None and not blocks(self.process, call):
            result = Result(-1, "EINPROGRESS" if call.name == "connect" else "EAGAIN")
        if result is None and end is not None:
            self._blocked = Blocked(call, attempt, host.now, end)
            host.on_settled = self._retry
            return
        if end is not None and end - host.now > self._tolerance(end - host.now):
            reason = f"{call.name} returns immediately"
            raise Failure(call.line, reason, f"{end / 1e9:.6f} s", f"{host.now / 1e9:.6f} s")
        while result is None:
            if not host.step(min(host.next_event(), LONGEST_WAIT)):
                raise Failure(call.line, f"{call.name} never returns")
            result = attempt()
            host.settle()
        _compare(call, result)

    def _retry(self) -> None:
        blocked = self._blocked
        if blocked is not None and blocked.result is None:
            blocked.result = blocked.attempt()
            blocked.at = self.host.now

    def _await_blocked(self) -> None:
        blocked = self._blocked
        if blocked is None:
            return
        while blocked.result is None and self.host.step(blocked.end + PATIENCE):
            pass
        self._blocked = self.host.on_settled = None
        expected = f"{blocked.end / 1e9:.6f} s"
        if blocked.result is None:
            raise Failure(blocked.call.line, f"{blocked.call.name} does not return", expected)
        _compare(blocked.call, blocked.result)
        if abs(blocked.at - blocked.end) > self._tolerance(blocked.end - blocked.start):
            reason = f"{blocked.call.name} returns at the wrong time"
            raise Failure(blocked.call.line, reason, expected, f"{blocked.at / 1e9:.6f} s")

    # Outbound packets

    def _expect(self, packet: Packet, when: Time) -> None:
        """Compare the next segment that the host sends with ``packet``, and its time with ``when``."""
        if not isinstance(packet, TcpPacket):
            raise Unsupported(packet.line, f"outbound {getattr(packet, 'protocol', 'icmp')} packets")
        require_supported(packet)
        host = self.host
        if packet.ports is not None:
            port, remote = packet.ports
            host.choose(FourTuple(host.local, port, host.remote, remote))
        early = late = None
        limit = LONGEST_WAIT
        if when.start is not None and when.end is not None:
            early, late = self._absolute(when.start, when), self._absolute(when.end, when)
            limit = late + PATIENCE
        emitted = self._collect(packet, limit)
        if emitted is None:
            raise Failure(packet.line, "the host sends nothing", format_packet(packet))
        self._compare_packet(packet, emitted)
        if early is not None and late is not None:
            self._check_time(packet, emitted, early, late)
        self.matched += 1
        self._previous = emitted.at if early is None else early

    def _collect(self, packet: TcpPacket, limit: int) -> Emitted | None:
        """What the host sends next, joined from consecutive segments up to the expected length."""
        emitted = self.host.next_sent(limit)
        largest = len(emitted.segment.payload) if emitted is not None else 0
        strict = self.settings.strict_segments
        while emitted is not None and not strict and len(emitted.segment.payload) < packet.length:
            following = self.host.next_sent(limit)
            both = joined(emitted, following, largest) if following is not None else None
            if both is None:
                if following is not None:
                    self.host.sent.appendleft(following)
                break
            emitted = both
        return emitted

    def _compare_packet(self, packet: TcpPacket, emitted: Emitted) -> None:
        subject = self.host.subject
        subject.learn(packet, emitted.segment)
        got = subject.to_script(emitted.segment, self.platform.option_style)
        wrong = differences(packet, got)
        if fields := ip_header(packet, emitted):
            got = replace(got, ip=fields + got.ip)
            wrong += ["IP header"] if ip_header_differs(packet, fields) else []
        ticks = time_stamp_difference(packet, got) * self.settings.tick
        if not wrong and ticks > self._tolerance(emitted.at - self._previous):
            wrong = ["time stamp"]
        if wrong:
            raise Failure(packet.line, f"unexpected {', '.join(wrong)}", format_packet(packet), format_packet(got))

    def _check_time(self, packet: TcpPacket, emitted: Emitted, early: int, late: int) -> None:
        tolerance = self._tolerance(early - self._previous)
        if not early - tolerance <= emitted.at <= late + tolerance:
            when = f"{early / 1e9:.6f}" if early == late else f"{early / 1e9:.6f}~{late / 1e9:.6f}"
            expected, got = f"{when} {format_packet(packet)}", f"{emitted.at / 1e9:.6f} {format_packet(packet)}"
            raise Failure(packet.line, "sent at the wrong time", expected, got)


def _compare(call: Call, result: Result) -> None:
    """Compare a result with the script's: its value, and its error number where the script names one."""
    if call.result is None:
        return
    wrong = call.result != result.value
    if not wrong and result.value == -1 and call.errno is not None:
        wrong = result.errno is None or not same_error(call.errno, result.errno)
    if wrong:
        expected, got = f"{call.result} {call.errno or ''}".rstrip(), f"{result.value} {result.errno or ''}".rstrip()
        raise Failure(call.line, f"unexpected result of {call.name}", expected, got)
