"""One simulated run of a scenario: the world with its two hosts, the scripted link, and the exchange that it shows."""

from typing import Final

from simpy import Event

from netsim.link import LiveScript, Path
from netsim.referees.packetdrill.option_layout import layout
from netsim.referees.recordings.exchange import Exchange, RawPacket
from netsim.referees.recordings.scenario import CLIENT, ENDS, SERVER, End, Scenario
from netsim.sim import World
from netsim.tcp.actions import Moved
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile as named
from netsim.tcp.config.sysctl import configure
from netsim.tcp.segment import Options
from netsim.tcp.state import State
from netsim.trace.events import Arrived, Decided, Sent, TraceEvent

LEAD: Final = 0.05  # s from the start of a run to the client's connect call
_KERNEL_HZ: Final = 250
_NS: Final = 1e9

_OPTION_WORDS: Final = {"mss": "mss", "wscale": "ws", "sackOK": "sackok", "TS": "ts", "sack": "sack"}

# net/ipv4/tcp.c, as ss and /proc/net/tcp name them
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


def host_config(end: End, *, profile: str, phase: float) -> TcpConfig:
    """The TCP of one end. ValueError for a setting that the system does not have, or a value out of its range."""
    return configure(named(profile), end.sysctl).replace(timer_hz=_KERNEL_HZ, timer_phase=phase)


class Run:
    """The simulated world of a scenario, whose hosts have ``profile`` and clocks at ``phase`` (s) when it starts.

    It observes what the wire shows, and applications report to it what they do and what their calls return.
    """

    def __init__(self, scenario: Scenario, *, profile: str, phase: float) -> None:
        self.world = World(observers=[self._observe])
        self.exchange = Exchange()
        self.plans = {end: scenario.end(end) for end in ENDS}
        self.hosts = {
            end: self.world.host(end, host_config(plan, profile=profile, phase=phase))
            for end, plan in self.plans.items()
        }
        self.links = {end: LiveScript([rule.fault for rule in scenario.rules if rule.sender == end]) for end in ENDS}
        self.client_sends = self.world.env.event()  # happens at the client's first send
        self._zero = round(LEAD * _NS)
        self._connects = False
        self._last: dict[str, int] = {}  # when anything last happened at each end
        self._barrier: list[Event] = []
        there, back = (Path(delay=scenario.one_way_delay, stages=[self.links[end]]) for end in ENDS)
        self.world.link(self.hosts[CLIENT], self.hosts[SERVER], there, back)

    def connects(self, end: str) -> None:
        """``end`` calls connect; the client's first call is time 0."""
        if end == CLIENT and not self._connects:
            self._connects, self._zero = True, self.world.env.now

    def sends(self, end: str) -> None:
        """``end`` calls send."""
        if end == CLIENT and not self.client_sends.triggered:
            self.client_sends.succeed()

    def acts(self, end: str) -> None:
        """An application of ``end`` does something now."""
        self._last[end] = self.world.env.now

    def quiet(self, end: str) -> float:
        """How long nothing has happened at ``end`` (s): no packet was sent or arrived, no application acted."""
        now = self.world.env.now
        return (now - self._last.get(end, now)) / _NS

    def at_barrier(self) -> Event:
        """An event for an end that has reached a barrier; it happens when both ends have."""
        event = self.world.env.event()
        self._barrier.append(event)
        if len(self._barrier) == len(ENDS):
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
    """The kinds of the options in their order, with the values that are compared."""
    words = []
    for option in layout(options, "linux"):
        match option.name:
            case "mss" | "wscale":
                words.append(f"{_OPTION_WORDS[option.name]}={option.values[0]}")
            case name if name in _OPTION_WORDS:
                words.append(_OPTION_WORDS[name])
    return tuple(words)
