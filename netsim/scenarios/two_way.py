"""Why does a handshake need a third segment? A server that believes the SYN, against the real one.

A client opens one connection, sends a request and reads the answer's end; the server closes first. The path may copy
the client's segments and hold the copies back, so that a SYN reaches the server when it has forgotten the connection.
Two-way, the server is ESTABLISHED on it: a ghost, which its application is given. Three-way, it is half-open and waits
for a segment that only the SYN's sender can send. Four-way is the same with one segment more.
"""

import math
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from simpy import Event

from netsim.link import DelayDistribution, Exponential, Fixed, Lifetime, Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import both_ways, param, parameters, require_choices, require_probabilities
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import NS, Observer
from netsim.sim.world import TieBreak
from netsim.sweep import Estimator
from netsim.tcp import clauses
from netsim.tcp.actions import Allocated, Freed, Moved
from netsim.tcp.config.config import Handshake, TcpConfig
from netsim.tcp.config.isn import ClockIsn, HashIsn
from netsim.tcp.config.profiles import profile
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import ACK, MASK, RST, FourTuple
from netsim.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED, SYN_SENT
from netsim.theory import p_ghost_delay, p_ghost_duplicate, p_ghost_reorder
from netsim.trace.events import Arrived, Decided, TraceEvent
from netsim.units import require_number

QUESTION: Final = "Does an old SYN become a connection that only the server believes in?"
NEVER: Final = float("nan")
PORT: Final = 80
REQUEST: Final = b"?" * 100
GONE: Final = Path(loss=1.0)

ServerEndsWith = Literal["close", "abort"]
ClientAfter = Literal["answers", "silent"]


@parameters
class Params:
    """Parameters of the study of handshakes. ``forward`` is client to server. ValueError for values out of range."""

    if TYPE_CHECKING:  # shorthands, see netsim.scenarios.names
        loss: InitVar[float | str] = 0.0
        delay: InitVar[float | str | DelayDistribution] = 0.0
        rtt: InitVar[float | str] = 0.0
        profile: InitVar[str] = "rfc9293"
        client_profile: InitVar[str] = "rfc9293"
        server_profile: InitVar[str] = "rfc9293"
    handshake: Handshake = param(
        "two-way",
        "when the server is ESTABLISHED: on the SYN (two-way), on the ACK of its own (three-way), or so with SYN and "
        "ACK apart (four-way)",
    )
    loss_forward: float = shared.loss("forward", 0.0)
    loss_reverse: float = shared.loss("reverse", 0.0)
    delay_forward: float | DelayDistribution = shared.delay("forward", distribution=True)
    delay_reverse: float | DelayDistribution = shared.delay("reverse", distribution=True)
    duplicate: float = param(0.1, "probability that a segment to the server has a late copy")
    duplicate_delay: float | DelayDistribution = shared.copy_delay(Exponential(5.0))
    reorder: float = param(0.0, "probability that a segment to the server is held back and overtaken")
    reorder_delay: float | DelayDistribution = param(
        Exponential(1.0), "how long it is held back: seconds or a distribution", "s"
    )
    msl: float = param(120.0, "segments older than this vanish (maximum segment lifetime)", "s", "RFC 9293 3.4.2")
    service_time: float = param(1.0, "from the SYN's arrival to the end that the server's application makes", "s")
    server_ends_with: ServerEndsWith = param("close", "that end: CLOSE once the request is there, or ABORT in any case")
    server_memory: float = param(0.0, "how long the server remembers a connection that is closed: its TIME-WAIT", "s")
    client_after: ClientAfter = param(
        "answers", "the client's host, once its connection is over: still answers (with RST), or is silent"
    )
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")
    tie_break: TieBreak = shared.tie_break()

    def check_relations(self) -> None:
        require_probabilities(self, "loss_forward", "loss_reverse", "duplicate", "reorder")
        for name in ("msl", "service_time", "server_memory"):
            require_number(name, getattr(self, name), low=0.0, high=1e9, unit="s")
        require_choices(self, handshake=Handshake, server_ends_with=ServerEndsWith, client_after=ClientAfter)
        if self.server_ends_with == "abort" and self.server_memory:
            raise ValueError(
                f"server_memory = {self.server_memory}: must be 0 where the server aborts; nothing is left of it then"
            )
        for name in ("handshake", "time_wait"):
            if getattr(self.server, name) != getattr(profile(self.server.name), name):
                decides = "server_memory" if name == "time_wait" else name
                raise ValueError(f"server.{name} = {getattr(self.server, name)}: set {decides}, which decides it here")
        _ = self.paths, World(tie_break=self.tie_break)

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Client to server, where copies are made; and back."""
        late = both_ways(
            self,
            reorder=self.reorder,
            reorder_delay=self.reorder_delay,
            duplicate=self.duplicate,
            duplicate_delay=self.duplicate_delay,
            stages=(Lifetime(self.msl),),
        )
        return late[0], both_ways(self)[1]

    @cached_property
    def believer(self) -> TcpConfig:
        """The server's TCP: this handshake, and a TIME-WAIT of ``memory`` that nothing ends or prolongs."""
        return self.server.replace(
            handshake=self.handshake, time_wait=self.server_memory, time_wait_rst="ignore", time_wait_restart="never"
        )


ESTIMATES: Final = {
    "p_ghost": Estimator(column="ghost", kind="proportion"),
    "ghosts": Estimator(column="ghosts", kind="mean"),
    "ghost_duration": Estimator(column="ghost_duration", kind="mean"),
    "p_wrong_bytes": Estimator(column="has_wrong_bytes", kind="proportion"),
    "wrong_bytes": Estimator(column="wrong_bytes", kind="mean"),
    "p_half_open": Estimator(column="half_open", kind="proportion"),
    "half_open_duration": Estimator(column="half_open_duration", kind="mean"),
    "p_unconfirmed": Estimator(column="unconfirmed", kind="proportion"),
    "unconfirmed_duration": Estimator(column="unconfirmed_duration", kind="mean"),
    "client_latency": Estimator(column="client_latency", kind="mean"),
    "server_latency": Estimator(column="server_latency", kind="mean"),
    "segments_until_established": Estimator(column="segments_until_established", kind="mean"),
    "segments": Estimator(column="segments", kind="mean"),
}


@dataclass(slots=True)
class _Entry:
    """A record of the server: when (ns) it began, was ESTABLISHED, had its ISS confirmed and ended; what it read."""

    began: int
    established: int | None = None
    confirmed: int | None = None
    ended: int | None = None
    ghost: bool = False
    text: int = 0


@dataclass
class _ServerObserver:
    """Follows the server's records and asks, when one is ESTABLISHED, whether the client knows of it."""

    params: Params
    entries: dict[int, _Entry] = field(default_factory=dict)
    client_latency: float = NEVER
    segments_until_established: int | None = None
    world: World = field(init=False)

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
                self.entries[decision.connection] = _Entry(event.time)
            elif isinstance(decision, Moved) and decision.new is ESTABLISHED:
                self._note_established(decision, event)
            elif isinstance(decision, Freed):
                self.entries[decision.connection].ended = event.time

    def _note_client(self, moved: Moved, now: int) -> None:
        if moved.new is ESTABLISHED:
            self.client_latency = now / NS
        elif moved.new is CLOSED and self.params.client_after == "silent":
            hosts = self.world.hosts
            self.world.link(hosts["client"], hosts["server"], GONE)

    def _note_established(self, moved: Moved, event: Decided) -> None:
        entry = self.entries[moved.connection]
        entry.established = event.time
        entry.ghost = not self._client_knows(moved.flow)
        if moved.clause == clauses.CHECK_5_ACK:
            entry.confirmed = event.time
        if not entry.ghost and self.segments_until_established is None:
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
        server = self.world.hosts["server"].connection(segment.flow.reverse())
        if server is None or segment.flags & (ACK | RST) != ACK or server.state is SYN_RECEIVED:
            return
        entry = self.entries[server.number]
        if entry.confirmed is None and 0 < (segment.ack - server.iss) & MASK <= (server.snd_nxt - server.iss) & MASK:
            entry.confirmed = event.time


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One connection and what late copies do to its server: ghosts, text given to them, half-open records, times."""
    observer = _ServerObserver(params)
    world = observer.world = World(seed=seed, tie_break=params.tie_break, observers=[*observers, observer])
    client, server = world.host("client", params.client), world.host("server", params.believer)
    world.link(client, server, *params.paths)
    world.process(_serve(world, server, params, observer))
    world.process(_ask(client))
    world.run()
    return _row(world, observer)


def _ask(host: Host) -> Generator[Event, Any, None]:
    sock = host.socket()
    with suppress(TcpError):
        yield sock.connect(("server", PORT))
        yield sock.send(REQUEST)
        while (yield sock.recv()):
            pass
        sock.close()


def _serve(world: World, host: Host, params: Params, observer: _ServerObserver) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT)
    while True:
        sock = yield listener.accept()
        entry = observer.entries[sock.connection.number]
        end = entry.began / NS + params.service_time
        if params.server_ends_with == "close":
            world.process(_answer(world, sock, entry, end))
        else:
            world.process(_read(sock, entry))
            world.process(_abort(world, sock, end))


def _answer(world: World, sock: Socket, entry: _Entry, end: float) -> Generator[Event, Any, None]:
    """Wait for the request, then until ``end``; close."""
    with suppress(TcpError):
        while entry.text < len(REQUEST):
            entry.text += len((yield sock.recv()))
        yield world.timeout(max(end - world.now, 0.0))
        sock.shutdown()
        yield from _read(sock, entry)
        sock.close()


def _read(sock: Socket, entry: _Entry) -> Generator[Event, Any, None]:
    with suppress(TcpError):
        while text := (yield sock.recv()):
            entry.text += len(text)


def _abort(world: World, sock: Socket, end: float) -> Generator[Event, Any, None]:
    yield world.timeout(max(end - world.now, 0.0))
    with suppress(TcpError):
        sock.abort()


def _row(world: World, observer: _ServerObserver) -> dict[str, Any]:
    entries = observer.entries.values()
    ghosts = [e for e in entries if e.ghost]
    half_open = [e for e in entries if e.established is None]
    known = next((e for e in entries if e.established is not None and not e.ghost), None)
    wrong = sum(e.text for e in ghosts)
    return {
        "ghosts": len(ghosts),
        "ghost": bool(ghosts),
        "ghost_duration": _mean([_seconds(e.established, e.ended) for e in ghosts]),
        "wrong_bytes": wrong,
        "has_wrong_bytes": wrong > 0,
        "half_opens": len(half_open),
        "half_open": bool(half_open),
        "half_open_duration": _mean([_seconds(e.began, e.ended) for e in half_open]),
        "unconfirmed": any(e.established is not None and e.confirmed is None for e in entries),
        "unconfirmed_duration": NEVER if known is None else _seconds(known.established, known.confirmed),
        "client_latency": observer.client_latency,
        "server_latency": NEVER if known is None else _seconds(0, known.established),
        "segments_until_established": observer.segments_until_established,
        "segments": world.network.packets,
    }


def _seconds(start: int | None, end: int | None) -> float:
    """Seconds from one instant (ns) to another; infinite if the other never came."""
    return math.inf if start is None or end is None else (end - start) / NS


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if values else NEVER


def theory(params: Params) -> dict[str, float]:
    """Ghosts by netsim.theory.two_way, and the timetable, where nothing is lost; empty where neither is known.

    Either the originals take a constant time and copies an exponential one more, or there are no copies and the
    originals take an exponential time, all or those that are held back (then for two SYNs, and a server that aborts).
    """
    back = _constant(params.delay_reverse)
    if params.loss_forward or params.loss_reverse or back is None:
        return {}
    there = _constant(params.delay_forward)
    if there is None or params.reorder:
        return _late(params, there, back)
    rtt = there + back
    if rtt >= min(params.client.syn_intervals()[0], params.server.synack_intervals()[0]):
        return {}
    two_way = params.handshake == "two-way"
    values = {
        "client_latency": rtt,
        "server_latency": there + (0.0 if two_way else rtt),
        "unconfirmed_duration": rtt if two_way else 0.0,
    }
    if two_way or not params.duplicate:  # else a copy of the SYN may be answered meanwhile
        values["segments_until_established"] = {"two-way": 1.0, "three-way": 3.0, "four-way": 4.0}[params.handshake]
    return values | _copied(params, there, rtt)


def _copied(params: Params, there: float, rtt: float) -> dict[str, float]:
    """A copy of the one SYN finds the server without a memory of it: a ghost, or else a half-open record."""
    distribution, closes = params.duplicate_delay, params.server_ends_with == "close"
    if (
        not isinstance(distribution, Exponential)
        or distribution.offset
        or not isinstance(params.server.isn, HashIsn | ClockIsn)
    ):
        return {}
    if params.service_time < rtt or params.msl < there:
        return {}
    late = p_ghost_duplicate(
        duplicate=params.duplicate,
        mean_extra_delay=distribution.scale,
        life=params.service_time + (rtt if closes else 0.0),  # CLOSE takes a round trip more until TIME-WAIT
        memory=params.server_memory,
        lifetime=params.msl - there,
    )
    two_way = params.handshake == "two-way"
    ghost, half_open = (late, 0.0) if two_way else (0.0, late)
    values = {"p_ghost": ghost, "ghosts": ghost, "p_half_open": half_open, "p_unconfirmed": ghost}
    if params.client_after == "answers":
        values["ghost_duration" if two_way else "half_open_duration"] = rtt  # the SYN-ACK draws a RST
    elif not two_way:
        values["half_open_duration"] = sum(params.server.synack_intervals())
    return values


def _late(params: Params, there: float | None, back: float) -> dict[str, float]:
    """Ghosts of a SYN that is sent twice since it is late: all are (``there`` is None), or those held back."""
    distribution, config = params.delay_forward if there is None else params.reorder_delay, params.client
    if not isinstance(distribution, Exponential) or params.duplicate or params.server_ends_with != "abort":
        return {}
    if (there is None) is bool(params.reorder) or (there is not None and distribution.offset):
        return {}
    intervals, least = config.syn_intervals(), distribution.offset if there is None else there
    lost_by_age = math.exp(-(params.msl - least) / distribution.scale)
    if params.handshake != "two-way" or len(intervals) != 2 or lost_by_age > 1e-9 or intervals[0] < least + back:
        return {}
    times = {"rto": intervals[0], "delay": least, "mean_extra_delay": distribution.scale, "reply_delay": back}
    times |= {"life": params.service_time, "gives_up": sum(intervals)}
    ghost = p_ghost_delay(**times) if there is None else p_ghost_reorder(reorder=params.reorder, **times)
    return {"p_ghost": ghost, "ghosts": ghost}


def _constant(delay: float | DelayDistribution) -> float | None:
    if isinstance(delay, Fixed):
        return delay.seconds
    return float(delay) if isinstance(delay, float | int) else None
