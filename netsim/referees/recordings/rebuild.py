"""A scenario in a world of our own: hosts with their settings, the scripted link, the applications."""

from typing import Final

from simpy import Event

from netsim.link import LiveScript, Path
from netsim.referees.packetdrill.option_layout import layout
from netsim.referees.recordings.exchange import Exchange, RawPacket
from netsim.referees.recordings.program import Program
from netsim.referees.recordings.scenario import CLIENT, SERVER, End, Scenario
from netsim.sim import World
from netsim.tcp.actions import Moved
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile
from netsim.tcp.config.sysctl import configure
from netsim.tcp.segment import Options
from netsim.tcp.state import State
from netsim.trace.events import Arrived, Decided, Sent, TraceEvent

_KERNEL_HZ: Final = 250
_LEAD: Final = 0.05  # s from the beginning of a run to the client's connect call
_AFTERWARDS: Final = 5.0  # s, and a tenth: so much longer than the recording, for what is late within its tolerance
_NS: Final = 1e9

_WORDS: Final = {"mss": "mss", "wscale": "ws", "sackOK": "sackok", "TS": "ts", "sack": "sack"}

# net/ipv4/tcp.c, as ss and /proc/net/tcp have them
STATES: Final = {
    State.CLOSED: "-",
    State.LISTEN: "-",
    State.SYN_SENT: "SYN_SENT",
    State.SYN_RECEIVED: "SYN_RECV",
    State.ESTABLISHED: "ESTABLISHED",
    State.FIN_WAIT_1: "FIN_WAIT1",
    State.FIN_WAIT_2: "FIN_WAIT2",
    State.CLOSE_WAIT: "CLOSE_WAIT",
    State.CLOSING: "CLOSING",
    State.LAST_ACK: "LAST_ACK",
    State.TIME_WAIT: "TIME_WAIT",
}


def rebuild(scenario: Scenario, *, system: str, phase: float) -> Exchange:
    """What the hosts of profile ``system`` do in ``scenario``, their clocks at ``phase`` (s) when the run begins."""
    run = Run(scenario, system, phase)
    run.world.run(until=_LEAD + 1.1 * scenario.duration + _AFTERWARDS)
    return run.exchange


def host_config(end: End, *, system: str, phase: float) -> TcpConfig:
    """One end's TCP. ValueError for a setting that the system does not have, or a value out of its range."""
    return configure(profile(system), end.sysctl).replace(timer_hz=_KERNEL_HZ, timer_phase=phase)


class Run:
    """One run: the world, its two programs, and the exchange that is written down meanwhile."""

    def __init__(self, scenario: Scenario, system: str, phase: float) -> None:
        self.world = World(observers=[self._observe])
        self.lead = _LEAD
        self.exchange = Exchange()
        self._zero = round(_LEAD * _NS)
        self._opened = False
        self._last: dict[str, int] = {}
        self._barrier: list[Event] = []
        plans = {CLIENT: scenario.client, SERVER: scenario.server}
        hosts = {
            end: self.world.host(end, host_config(plan, system=system, phase=phase)) for end, plan in plans.items()
        }
        self.wires = {
            end: LiveScript([rule.fault for rule in scenario.rules if rule.sender == end]) for end in (CLIENT, SERVER)
        }
        there, back = (Path(delay=scenario.one_way_delay, stages=[wire]) for wire in self.wires.values())
        self.world.link(hosts[CLIENT], hosts[SERVER], there, back)
        self.programs = {end: Program(self, end, plan, hosts[end]) for end, plan in plans.items()}
        for program in self.programs.values():
            program.start()

    def opens(self, end: str) -> None:
        """``end`` connects: time 0 if it is the client, for the first time."""
        if end == CLIENT and not self._opened:
            self._opened, self._zero = True, self.world.env.now

    def acted(self, end: str) -> None:
        """An application of ``end`` did something."""
        self._last[end] = self.world.env.now

    def silence(self, end: str) -> float:
        """How long (s) nothing has happened at ``end``: no packet came or went, no application acted."""
        now = self.world.env.now
        return (now - self._last.get(end, now)) / _NS

    def at_barrier(self) -> Event:
        """An event for one end that has come to a barrier; it happens when the other has."""
        event = self.world.env.event()
        self._barrier.append(event)
        if len(self._barrier) == len(self.programs):
            for waiting in self._barrier:
                waiting.succeed()
            self._barrier = []
        return event

    def _observe(self, event: TraceEvent) -> None:
        if isinstance(event, Sent):
            self.exchange.packets.append(self._packet(event))
            self._last[event.host] = event.time
        elif isinstance(event, Arrived):
            self._last[event.host] = event.time
        elif isinstance(event, Decided):
            move = event.decision
            if isinstance(move, Moved) and move.connection and STATES[move.new] != STATES[move.old]:
                self.exchange.states[event.host].append(STATES[move.new])

    def _packet(self, event: Sent) -> RawPacket:
        segment = event.packet.segment
        return RawPacket(
            time=(event.time - self._zero) / _NS,
            sender=event.host,
            ports=(segment.flow.sport, segment.flow.dport),
            flags=segment.flags,
            seq=segment.seq,
            ack=segment.ack,
            length=len(segment.payload),
            options=_options(segment.options),
            arrivals=tuple((arrival - self._zero) / _NS for arrival in event.arrivals),
            since=(event.time - self._last.get(event.host, event.time)) / _NS,
            timer=event.packet.timer,
        )


def _options(options: Options | None) -> tuple[str, ...]:
    """The kinds in their order, with the values that compare."""
    words = []
    for option in layout(options, "linux"):
        match option.name:
            case "mss" | "wscale":
                words.append(f"{_WORDS[option.name]}={option.values[0]}")
            case name if name in _WORDS:
                words.append(_WORDS[name])
    return tuple(words)
