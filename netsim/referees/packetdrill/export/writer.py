"""Writes a script of what one end of a simulated connection called, received and sent, and when."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from netsim.referees.packetdrill.export.endpoint import Endpoint, endpoint
from netsim.referees.packetdrill.export.host_settings import remarks, socket_options, sysctl_commands
from netsim.referees.packetdrill.language.options import time_stamps
from netsim.referees.packetdrill.language.packets import format_packet
from netsim.referees.packetdrill.language.script import Direction, Option, TcpPacket
from netsim.referees.packetdrill.option_layout import OptionStyle, layout
from netsim.referees.packetdrill.platform import platform_of
from netsim.referees.packetdrill.system_calls.errno import errno_of, strerror
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import ACK, IP_TCP_HEADERS, MASK, SYN, Segment
from netsim.trace.events import Called, Sent, TraceEvent

FIRST_TIME_STAMP = 100  # the script's number for the first time stamp of either end
_DEFAULT_MTU = 1500  # bytes; of scripts without --mtu
_SOCKET, _ACCEPTED = 3, 4  # descriptors
_WIDTH = 110  # columns of a comment
_BACKLOG = 128  # the default of a listener: the trace does not record it


def script_from_trace(
    events: Iterable[TraceEvent], *, host: str, config: TcpConfig, connection: int = 1, title: str = ""
) -> str:
    """The script of one connection as ``host`` saw it, for packetdrill on a real kernel or for this runner.

    ``config`` is that host's, ``connection`` is the connection's number there, ``title`` becomes the first comment.
    Sequence numbers count from the SYNs and time stamps from 100, as in most scripts. Comments name what a script
    cannot set on a host. ValueError if the trace has no such connection, or for what no script can express, such as
    two calls that block at the same time.
    """
    view = _View(endpoint(events, host, connection))
    comments = [*title.splitlines(), *remarks(config)]
    lines = [f"// {line}" for comment in comments for line in textwrap.wrap(comment, _WIDTH)]
    if config.mss != _DEFAULT_MTU - IP_TCP_HEADERS:
        lines.append(f"--mtu={config.mss + IP_TCP_HEADERS}")
    if config.timestamps:
        lines.append(f"--tcp_ts_tick_usecs={round(config.ts_tick * 1e6)}")
    if settings := sysctl_commands(config):
        lines.append("`" + "\n".join(settings) + "`")
    lines += view.lines(config)
    return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _End:
    """Translates one end's numbers to the script's by its ISN and its first time stamp, once they were seen."""

    isn: int | None = None
    stamp: int | None = None

    def learn(self, segment: Segment) -> None:
        if segment.flags & SYN and self.isn is None:
            self.isn = segment.seq
        if segment.options is not None and self.stamp is None:
            self.stamp = segment.options.ts_val

    def number(self, seq: int) -> int:
        return (seq - (self.isn or 0)) & MASK

    def time_stamp(self, val: int) -> int:
        return (val - self.stamp + FIRST_TIME_STAMP) & MASK if self.stamp is not None else val


@dataclass(slots=True)
class _View:
    """Translates what one end of a connection saw to the lines of a script."""

    end: Endpoint
    local: _End = field(default_factory=_End)
    remote: _End = field(default_factory=_End)
    stamps: set[int] = field(default_factory=set)  # the script's numbers of the time stamps sent so far
    writing: int | None = None  # the line of the write that blocks
    requested: int = 0  # the size of the last recv, bytes

    def lines(self, config: TcpConfig) -> Iterator[str]:
        """The events, in order. ValueError for two calls that block at the same time."""
        yield f"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = {_SOCKET}"
        for level, name, value in socket_options(config):
            yield f"+0 setsockopt({_SOCKET}, {level}, {name}, [{value}], 4) = 0"
        if not self.end.passive:
            yield f"+0 fcntl({_SOCKET}, F_SETFL, O_RDWR|O_NONBLOCK) = 0"
        style = platform_of(config.name).option_style
        found: list[str] = []
        for event in self.end.events:
            at = self._time(event.time)
            if isinstance(event, Called):
                self._call(event, at, found)
            elif isinstance(event, Sent):
                found.append(f"{at} {self._packet('>', event.packet.segment, style)}")
            else:
                found.append(f"{at} {self._packet('<', event.packet.segment, style)}")
        if self.writing is not None:
            raise ValueError("a send still blocks at the end of the trace: no packetdrill script can express that")
        yield from found

    def _time(self, time: int) -> str:
        """Seconds since the first call, to the nanosecond."""
        whole, rest = divmod(time - self.end.events[0].time, 1_000_000_000)
        return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")

    def _packet(self, direction: Direction, segment: Segment, style: OptionStyle) -> str:
        sender, receiver = (self.local, self.remote) if direction == ">" else (self.remote, self.local)
        sender.learn(segment)
        laid = tuple(self._option(option, direction, sender, receiver) for option in layout(segment.options, style))
        packet = TcpPacket(
            direction=direction,
            flags=segment.flags,
            seq=sender.number(segment.seq),
            length=len(segment.payload),
            ack=receiver.number(segment.ack) if segment.flags & ACK else segment.ack,
            window=segment.window,
            urgent=segment.urgent,
            options=laid,
        )
        return format_packet(packet)

    def _option(self, option: Option, direction: Direction, sender: _End, receiver: _End) -> Option:
        if option.name == "sack":
            return Option("sack", tuple(receiver.number(edge) for edge in option.values if edge is not None))
        if option.name != "TS":
            return option
        val, ecr = (0 if value is None else value for value in option.values)
        val, ecr = sender.time_stamp(val), receiver.time_stamp(ecr) if ecr else 0
        if direction == ">":
            self.stamps.add(val)
        return time_stamps(val, ecr, literal=direction == "<" and bool(ecr) and ecr not in self.stamps)

    def _call(self, event: Called, at: str, found: list[str]) -> None:
        fd = _ACCEPTED if self.end.passive and event.connection else _SOCKET
        match event.phase, event.call:
            case "call", "send":
                if self.writing is not None:
                    raise ValueError(
                        f"two sends block at the same time at {at} s: no packetdrill script can express that"
                    )
                self.writing = len(found)
                found.append(f"{at} write({fd}, ..., {event.detail})")
            case "return", "send":
                self._written(event, at, found)
            case "call", "recv":
                assert isinstance(event.detail, int)
                self.requested = event.detail
            case "return", "recv":
                # The trace has the window update that a read causes before the return of the read.
                before = len(found)
                while found[before - 1].startswith(f"{at} > "):
                    before -= 1
                found.insert(before, f"{at} read({fd}, ..., {self.requested}) = {_result(event.detail)}")
            case "return", "accept":
                found.append(f"{at} accept({fd if not event.connection else _SOCKET}, ..., ...) = {_ACCEPTED}")
            case _:
                found += _plain(event, at, fd)

    def _written(self, event: Called, at: str, found: list[str]) -> None:
        """A write that returned immediately has a time; one that blocked also has an end."""
        if self.writing is None:
            return
        line = found[self.writing]
        start, _, rest = line.partition(" ")
        size = rest.rpartition(" ")[2].rstrip(")")
        end = "" if start == at else f"...{at}"
        result = _result(event.detail) if isinstance(event.detail, TcpError) else size
        found[self.writing] = f"{start}{end} {rest} = {result}"
        self.writing = None


def _result(detail: object) -> str:
    if isinstance(detail, TcpError):
        name = errno_of(detail)
        return f"-1 {name} ({strerror(name)})"
    return str(detail)


def _plain(event: Called, at: str, fd: int) -> list[str]:
    """The lines of a call that returns immediately."""
    match event.phase, event.call:
        case "call", "bind":
            return [f"{at} bind({fd}, ..., ...) = 0"]
        case "call", "listen":
            return [f"{at} bind({fd}, ..., ...) = 0", f"+0 listen({fd}, {_BACKLOG}) = 0"]
        case "call", "connect":
            return [f"{at} connect({fd}, ..., ...) = -1 EINPROGRESS (Operation now in progress)"]
        case "return", "connect":
            error = errno_of(event.detail) if isinstance(event.detail, TcpError) else "0"
            check = f"{at} getsockopt({fd}, SOL_SOCKET, SO_ERROR, [{error}], [4]) = 0"
            return [check] if error != "0" else [check, f"+0 fcntl({fd}, F_SETFL, O_RDWR) = 0"]
        case "call", "shutdown":
            return [f"{at} shutdown({fd}, SHUT_WR) = 0"]
        case "call", "close":
            return [f"{at} close({fd}) = 0"]
        case "call", "abort":
            linger = f"{at} setsockopt({fd}, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=0}}, 8) = 0"
            return [linger, f"+0 close({fd}) = 0"]
        case "call", "crash":
            raise ValueError(f"the host crashes at {at} s: no packetdrill script can express that")
    return []
