"""What a run of ``two_way`` sees of the server's connections, and which of them the client knows of."""

import dataclasses
from dataclasses import dataclass
from typing import Final

from netsim.link import Path
from netsim.sim import World
from netsim.sim.network import NS
from netsim.tcp import clauses
from netsim.tcp.actions import Allocated, Freed, Moved
from netsim.tcp.segment import ACK, MASK, RST, FourTuple
from netsim.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED, SYN_SENT
from netsim.trace.events import Arrived, Decided, TraceEvent

NEVER: Final = float("nan")
GONE: Final = Path(loss=1.0)


@dataclass(slots=True)
class ServerConnection:
    """A connection of the server: when (ns) it began, was ESTABLISHED, was confirmed and ended; bytes read."""

    began: int
    established: int | None = None
    confirmed: int | None = None
    ended: int | None = None
    ghost: bool = False
    bytes_read: int = 0


@dataclass
class ServerObserver:
    """Follows the server's connections and checks, when one is ESTABLISHED, whether the client knows of it."""

    client_after: str
    connections: dict[int, ServerConnection] = dataclasses.field(default_factory=dict)
    client_latency: float = NEVER
    segments_until_established: int | None = None
    world: World = dataclasses.field(init=False)

    def __call__(self, event: TraceEvent) -> None:
        """One event of the run."""
        if isinstance(event, Arrived):
            if event.host == "server":
                self._note_confirmation(event)
        elif isinstance(event, Decided):
            decision = event.decision
            if event.host == "client":
                if isinstance(decision, Moved):
                    self._note_client(decision, event.time)
            elif isinstance(decision, Allocated):
                self.connections[decision.connection] = ServerConnection(event.time)
            elif isinstance(decision, Moved) and decision.new is ESTABLISHED:
                self._note_established(decision, event)
            elif isinstance(decision, Freed):
                self.connections[decision.connection].ended = event.time

    def _note_client(self, moved: Moved, now: int) -> None:
        if moved.new is ESTABLISHED:
            self.client_latency = now / NS
        elif moved.new is CLOSED and self.client_after == "silent":
            hosts = self.world.hosts
            self.world.link(hosts["client"], hosts["server"], GONE)

    def _note_established(self, moved: Moved, event: Decided) -> None:
        connection = self.connections[moved.connection]
        connection.established = event.time
        connection.ghost = not self._client_knows(moved.flow)
        if moved.clause == clauses.CHECK_5_ACK:
            connection.confirmed = event.time
        if not connection.ghost and self.segments_until_established is None:
            assert event.packet is not None
            self.segments_until_established = event.packet.number

    def _client_knows(self, flow: FourTuple) -> bool:
        """Whether the client has opened, or is opening, the connection that the server has just set up."""
        hosts = self.world.hosts
        ours = hosts["server"].connection(flow)
        theirs = hosts["client"].connection(flow.reverse())
        if ours is None or theirs is None or theirs.iss != ours.irs:
            return False
        return theirs.state is SYN_SENT or theirs.irs == ours.iss

    def _note_confirmation(self, event: Arrived) -> None:
        """The first segment from the client that acknowledges the server's ISS."""
        segment = event.packet.segment
        if segment.flags & (ACK | RST) != ACK:
            return
        server = self.world.hosts["server"].receiver_of(segment)
        if server is None or server.state is SYN_RECEIVED:
            return
        connection = self.connections[server.number]
        if (
            connection.confirmed is None
            and 0 < (segment.ack - server.iss) & MASK <= (server.snd_nxt - server.iss) & MASK
        ):
            connection.confirmed = event.time
