"""The application of one end: its sockets, and the processes that play its steps."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from simpy import Event, Interrupt, Process

from netsim.referees.recordings.exchange import is_error, other
from netsim.referees.recordings.run import Run
from netsim.referees.recordings.scenario import CLIENT, CLIENT_PORT, SERVER_PORT, End
from netsim.sim import Socket
from netsim.tcp.state import CLOSED, TIME_WAIT

_PORTS: Final = {CLIENT: CLIENT_PORT}


@dataclass(slots=True)
class Descriptor:
    """The socket that a process uses, when its connection was opened (ns), and whether its error was reported."""

    socket: Socket
    opened_at: int = 0
    error_reported: bool = False


class Application:
    """What runs on the host of ``end``. ``run`` is notified of its calls and their results."""

    def __init__(self, run: Run, end: str) -> None:
        self.run = run
        self.end = end
        self.plan: End = run.plans[end]
        self.listener: Socket | None = None
        self.sockets: list[Socket] = []
        self.processes: list[Process] = []

    def listen(self) -> None:
        """Open the listening socket, if the scenario has one."""
        if self.plan.listen is not None:
            self.listener = self.socket()
            self.listener.listen(SERVER_PORT, self.plan.listen)

    def spawn(self, generator: Generator[Event, Any, Any]) -> None:
        """Start a process, which ends if the application is killed."""
        self.processes.append(self.run.world.process(_until_killed(generator)))

    def kill(self) -> None:
        """End all processes; the system closes their sockets."""
        self.act()
        for process in self.processes:
            if process.is_alive:
                process.interrupt()
        for socket in self.sockets:
            socket.waiting = []
            socket.close()

    def socket(self) -> Socket:
        """A new socket with SO_REUSEADDR."""
        socket = self.run.hosts[self.end].socket(reuse_address=True)
        self.sockets.append(socket)
        return socket

    def act(self) -> None:
        """Record that the application acts now."""
        self.run.acts(self.end)

    def result(self, what: str) -> None:
        """Record what a call returned."""
        if is_error(what):
            self.run.exchange.error_delays[self.end].append(self.run.quiet(self.end))
        self.act()
        self.run.exchange.result(self.end, what)

    def connect(self, descriptor: Descriptor) -> Event:
        """Connect to the usual port of the other end, from this end's usual port or the next one that is free here."""
        self.run.connects(self.end)
        self.act()
        socket, peer = descriptor.socket, other(self.end)
        if socket.core.port is None:
            held = [s.connection for s in self.sockets if s.state not in (CLOSED, TIME_WAIT)]
            taken = {connection.four_tuple.sport for connection in held if connection is not None}
            first = _PORTS.get(self.end, SERVER_PORT)
            socket.bind(next(port for port in range(first, 65536) if port not in taken))
        return socket.connect((peer, _PORTS.get(peer, SERVER_PORT)))


def _until_killed(generator: Generator[Event, Any, Any]) -> Generator[Event, Any, None]:
    try:
        yield from generator
    except Interrupt:
        return
