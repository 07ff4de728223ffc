"""The application of one end: processes that play its steps."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final

from simpy import Event, Interrupt, Process

from netsim.referees.recordings.exchange import is_failure, other
from netsim.referees.recordings.scenario import CLIENT, CLIENT_PORT, SERVER_PORT, End, Step
from netsim.referees.recordings.steps import ACTS
from netsim.sim import Host, Socket
from netsim.tcp.state import CLOSED, TIME_WAIT

if TYPE_CHECKING:
    from netsim.referees.recordings.rebuild import Run

_PORTS: Final = {CLIENT: CLIENT_PORT}


@dataclass(slots=True)
class Descriptor:
    """What a process holds: its socket, when that was opened (ns), and whether its error has been told."""

    socket: Socket
    since: int = 0
    told: bool = False


class Program:
    """The processes of one host. ``plan`` says what they do; calls and results are told to ``run``."""

    def __init__(self, run: "Run", end: str, plan: End, host: Host) -> None:
        self.run = run
        self.end = end
        self.plan = plan
        self.host = host
        self.listener: Socket | None = None
        self.sockets: list[Socket] = []
        self.processes: list[Process] = []
        self.first_send = run.world.env.event()

    def start(self) -> None:
        """Listen at once; the steps begin when the client's are due."""
        if self.plan.listen is not None:
            self.listener = self.socket()
            self.listener.listen(SERVER_PORT, self.plan.listen)
        self.spawn(self._begin())
        for step in self.plan.walk():
            if step.kind == "kill_at":
                self.run.world.process(self._killer(*step.arguments))

    def _begin(self) -> Generator[Event, Any, None]:
        yield self.run.world.timeout(self.run.lead)
        yield from self.play(self.plan.steps, Descriptor(self.socket()))

    def spawn(self, generator: Generator[Event, Any, Any]) -> None:
        """A process that dies with this host's others."""
        self.processes.append(self.run.world.process(_mortal(generator)))

    def play(self, steps: Sequence[Step], descriptor: Descriptor) -> Generator[Event, Any, None]:
        """The steps in their order, until one of them ends them."""
        for step in steps:
            goes_on = ACTS[step.kind](self, descriptor, *step.arguments)
            if isinstance(goes_on, GeneratorType):
                goes_on = yield from goes_on
            if not goes_on:
                return

    def _killer(self, seconds: Any) -> Generator[Event, Any, None]:
        """The processes die so long after the client's first send; the system closes their sockets."""
        yield self.run.programs[CLIENT].first_send
        yield self.run.world.timeout(seconds)
        self.act()
        for process in self.processes:
            if process.is_alive:
                process.interrupt()
        for socket in self.sockets:
            socket.waiting = []
            socket.close()

    def socket(self) -> Socket:
        """A new socket with SO_REUSEADDR."""
        socket = self.host.socket(reuse_address=True)
        self.sockets.append(socket)
        return socket

    def act(self) -> None:
        """Note that an application acts now."""
        self.run.acted(self.end)

    def result(self, what: str) -> None:
        """Note what a call returned."""
        if is_failure(what):
            self.run.exchange.failed_after[self.end].append(self.run.silence(self.end))
        self.act()
        self.run.exchange.result(self.end, what)

    def open(self, descriptor: Descriptor) -> Event:
        """Connect to the other end's usual port, from this end's, or the next that no socket of this end holds."""
        self.run.opens(self.end)
        self.act()
        socket, peer = descriptor.socket, other(self.end)
        if socket.core.port is None:
            held = [s.connection for s in self.sockets if s.state not in (CLOSED, TIME_WAIT)]
            taken = {connection.four_tuple.sport for connection in held if connection is not None}
            first = _PORTS.get(self.end, SERVER_PORT)
            socket.bind(next(port for port in range(first, 65536) if port not in taken))
        return socket.connect((peer, _PORTS.get(peer, SERVER_PORT)))


def _mortal(generator: Generator[Event, Any, Any]) -> Generator[Event, Any, None]:
    try:
        yield from generator
    except Interrupt:
        return
