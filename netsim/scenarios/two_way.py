"""Why does a handshake need a final ACK? A server that is ESTABLISHED on a SYN, compared with the real one.

A client opens one connection, sends a request and reads to the end of the response; the server closes first. The path
may duplicate the client's segments and delay the copies, so that a SYN arrives after the server has forgotten the
connection. With a two-way handshake the server is then ESTABLISHED and its application gets a ghost connection: one
that only the server believes in. With a three-way handshake the server is in SYN-RECEIVED and waits for an ACK that
only the sender of the SYN can send. The four-way handshake is the same with one segment more.
"""

import math
from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final, Literal

from simpy import Event

from netsim.fields import field
from netsim.link import DelayDistribution, Exponential, Lifetime, Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import both_directions, constant_delay, parameters
from netsim.scenarios.shorthands import WithDistribution
from netsim.scenarios.two_way_observer import NEVER, ServerConnection, ServerObserver
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import NS, Observer
from netsim.sim.world import TieBreak
from netsim.sweep import Estimator
from netsim.tcp.config.config import Handshake, TcpConfig
from netsim.tcp.config.isn import ClockIsn, HashIsn
from netsim.tcp.config.profiles import profile
from netsim.tcp.errors import TcpError
from netsim.theory import p_ghost_delay, p_ghost_duplicate

QUESTION: Final = "Does an old SYN become a ghost connection, one that only the server believes in?"
PORT: Final = 80
REQUEST: Final = b"?" * 100

ServerEndsWith = Literal["close", "abort"]
ClientAfter = Literal["answers", "silent"]


@parameters
class Params(WithDistribution):
    """Parameters of the study of handshakes. ``forward`` is client to server. ValueError for a value out of range."""

    handshake: Handshake = field(
        "two-way",
        "when the server is ESTABLISHED: on a SYN (two-way), on the ACK of its SYN-ACK (three-way), or on the ACK "
        "of its SYN, which it sends apart from its ACK (four-way)",
    )
    loss_forward: float = shared.loss("forward", 0.0)
    loss_reverse: float = shared.loss("reverse", 0.0)
    delay_forward: float | DelayDistribution = shared.delay("forward", distribution=True)
    delay_reverse: float | DelayDistribution = shared.delay("reverse", distribution=True)
    duplicate: float = field(
        0.1, "probability that the network duplicates a segment on its way to the server", allowed="probability"
    )
    duplicate_delay: float | DelayDistribution = shared.copy_delay(Exponential(5.0))
    reorder: float = shared.reorder(to_server=True)
    reorder_delay: float | DelayDistribution = shared.reorder_delay(Exponential(1.0))
    msl: float = shared.msl()
    service_time: float = field(
        1.0,
        "time from the arrival of the SYN until the server's application ends the connection",
        unit="s",
        allowed=(0, 1e9),
    )
    server_ends_with: ServerEndsWith = field(
        "close", "call with which it does: close (not before the whole request is there) or abort"
    )
    server_memory: float = field(
        0.0, "how long the server remembers old connections: the length of its TIME-WAIT", unit="s", allowed=(0, 1e9)
    )
    client_after: ClientAfter = field(
        "answers",
        "what the client's host does after its connection: it answers segments with a RST (answers), or is gone "
        "(silent)",
    )
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")
    tie_break: TieBreak = shared.tie_break()

    def check_relations(self) -> None:
        if self.server_ends_with == "abort" and self.server_memory:
            raise ValueError(f"server_memory = {self.server_memory}: must be 0 where the server aborts")
        for name in ("handshake", "time_wait"):
            if getattr(self.server, name) != getattr(profile(self.server.name), name):
                decides = "server_memory" if name == "time_wait" else name
                raise ValueError(f"server.{name} = {getattr(self.server, name)}: set {decides}, which decides it here")
        _ = self.paths

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Client to server, where copies are made; and back."""
        late = both_directions(
            self,
            reorder=self.reorder,
            reorder_delay=self.reorder_delay,
            duplicate=self.duplicate,
            duplicate_delay=self.duplicate_delay,
            stages=(Lifetime(self.msl),),
        )
        return late[0], both_directions(self)[1]

    @cached_property
    def server_config(self) -> TcpConfig:
        """The server's TCP: this handshake, and a TIME-WAIT of ``server_memory`` that nothing ends or prolongs."""
        return self.server.replace(
            handshake=self.handshake, time_wait=self.server_memory, time_wait_rst="ignore", time_wait_restart="never"
        )


COLUMNS: Final = {
    "ghosts": (
        "Number of ghost connections: ESTABLISHED at the server, and neither open nor being opened at the client."
    ),
    "ghost": "Whether the server had a ghost connection.",
    "ghost_duration": (
        "Time (s) from ESTABLISHED to the end of a ghost connection, mean of the run; infinite if one never ended, "
        "NaN if there was none."
    ),
    "wrong_bytes": "Number of bytes that the server's application read from ghost connections.",
    "has_wrong_bytes": "Whether the server's application read a byte from a ghost connection.",
    "half_opens": "Number of connections of the server that were never ESTABLISHED.",
    "half_open": "Whether the server had a connection that was never ESTABLISHED.",
    "half_open_duration": (
        "Time (s) that a connection which was never ESTABLISHED existed at the server, mean of the run; infinite if "
        "one never ended, NaN if there was none."
    ),
    "unconfirmed": (
        "Whether a connection of the server was ESTABLISHED although no ACK of its initial sequence number ever "
        "arrived."
    ),
    "unconfirmed_duration": (
        "Time (s) from ESTABLISHED at the server until an ACK of its initial sequence number arrived, for the "
        "client's connection; infinite if none arrived, NaN if the server never had this connection."
    ),
    "client_latency": "Time (s) from the client's OPEN until the client is ESTABLISHED; NaN if its OPEN fails.",
    "server_latency": "Time (s) from the client's OPEN until the server is ESTABLISHED with it; NaN if it never is.",
    "segments_until_established": (
        "Number of segments sent, by both ends, up to the one with which the server became ESTABLISHED; None if it "
        "never did."
    ),
    "segments": "Number of segments that both ends sent.",
}
"""What each column of a row means."""

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


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One connection, and what delayed duplicates do to its server (see COLUMNS)."""
    observer = ServerObserver(params.client_after)
    world = observer.world = World(seed=seed, tie_break=params.tie_break, observers=[*observers, observer])
    client, server = world.host("client", params.client), world.host("server", params.server_config)
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


def _serve(world: World, host: Host, params: Params, observer: ServerObserver) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT)
    while True:
        sock = yield listener.accept()
        connection = observer.connections[sock.connection.number]
        end = connection.began / NS + params.service_time
        if params.server_ends_with == "close":
            world.process(_answer(world, sock, connection, end))
        else:
            world.process(_read(sock, connection))
            world.process(_abort(world, sock, end))


def _answer(world: World, sock: Socket, connection: ServerConnection, end: float) -> Generator[Event, Any, None]:
    """Wait for the request, then until ``end``; close."""
    with suppress(TcpError):
        while connection.bytes_read < len(REQUEST):
            connection.bytes_read += len((yield sock.recv()))
        yield world.timeout(max(end - world.now, 0.0))
        sock.shutdown()
        yield from _read(sock, connection)
        sock.close()


def _read(sock: Socket, connection: ServerConnection) -> Generator[Event, Any, None]:
    with suppress(TcpError):
        while data := (yield sock.recv()):
            connection.bytes_read += len(data)


def _abort(world: World, sock: Socket, end: float) -> Generator[Event, Any, None]:
    yield world.timeout(max(end - world.now, 0.0))
    with suppress(TcpError):
        sock.abort()


def _row(world: World, observer: ServerObserver) -> dict[str, Any]:
    connections = observer.connections.values()
    ghosts = [e for e in connections if e.ghost]
    half_open = [e for e in connections if e.established is None]
    known = next((e for e in connections if e.established is not None and not e.ghost), None)
    wrong = sum(e.bytes_read for e in ghosts)
    return {
        "ghosts": len(ghosts),
        "ghost": bool(ghosts),
        "ghost_duration": _mean([_seconds(e.established, e.ended) for e in ghosts]),
        "wrong_bytes": wrong,
        "has_wrong_bytes": wrong > 0,
        "half_opens": len(half_open),
        "half_open": bool(half_open),
        "half_open_duration": _mean([_seconds(e.began, e.ended) for e in half_open]),
        "unconfirmed": any(e.established is not None and e.confirmed is None for e in connections),
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
    """Ghost connections by netsim.theory.two_way, and latencies.

    Conditions: no loss, a constant reverse delay, and one of two cases. Either forward delays are constant and copies
    have an exponential extra delay; or there are no copies, and all SYNs, or those that are reordered, have an
    exponential delay (then for a client with two SYNs and a server that aborts).
    """
    back = constant_delay(params.delay_reverse)
    if params.loss_forward or params.loss_reverse or back is None:
        return {}
    there = constant_delay(params.delay_forward)
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
    """A copy of the only SYN arrives after the server forgot the connection: a ghost, or SYN-RECEIVED."""
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
        connection_duration=params.service_time
        + (rtt if closes else 0.0),  # CLOSE takes a round trip more until TIME-WAIT
        server_memory=params.server_memory,
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
    """Ghosts of delayed SYNs that are sent twice: all are delayed (``there`` is None), or the reordered ones."""
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
    times |= {"connection_duration": params.service_time, "client_timeout": sum(intervals)}
    ghost = p_ghost_delay(**times, reorder=1.0 if there is None else params.reorder)
    return {"p_ghost": ghost, "ghosts": ghost}
