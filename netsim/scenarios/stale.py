"""Does a connection accept segments of an earlier connection with the same four-tuple?

A client sends data to a server, and one of the two closes. After TIME-WAIT and a pause the client opens the same
four-tuple again and sends other data. The path loses and reorders segments; it duplicates some and delays the copies
for so long that they arrive in the second connection. The TCP of the receiver decides what becomes of them; the
simulator, which knows the origin of each segment, says which ones are stale.
"""

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, get_args

from simpy import Event

from netsim.fields import field
from netsim.link import DelayDistribution, Exponential, Lifetime, Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import both_directions, constant_delay, parameters
from netsim.scenarios.shared import End
from netsim.scenarios.shorthands import WithDistribution
from netsim.scenarios.stale_expected import (
    MOST_TERMS,
    ApartIsn,
    arrivals_expected,
    copies_expected,
    survival,
    terms,
)
from netsim.scenarios.stale_observer import COLUMNS as COLUMNS
from netsim.scenarios.stale_observer import KINDS, RULES, StaleObserver
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import Observer
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ClockIsn, HashIsn
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.profiles import profile
from netsim.tcp.errors import ConnectionAlreadyExists, ConnectionReset, TcpError

QUESTION: Final = "Does a reopened connection accept segments of the connection before it?"
NEVER: Final = float("nan")
CLIENT_PORT: Final = 40000
PORT: Final = 80
CHUNK: Final = 1000  # bytes the client's application writes at a time
RETRY: Final = 1.0  # s between attempts to open a four-tuple that this end still holds
HORIZON: Final = 3600.0  # s after which a run is cut off, for each connection
MOST_CONNECTIONS: Final = 75


@parameters
class Params(WithDistribution):
    """Parameters of the study of stale segments. ``forward`` is client to server. ValueError for a value out of range.

    The selection of ISNs, windows, window scale, timestamps (PAWS) and the rules for a new SYN in TIME-WAIT are
    settings of each end's TCP.
    """

    loss_forward: float = shared.loss("forward", 0.1)
    loss_reverse: float = shared.loss("reverse", 0.1)
    delay_forward: float | DelayDistribution = shared.delay("forward", distribution=True)
    delay_reverse: float | DelayDistribution = shared.delay("reverse", distribution=True)
    duplicate: float = field(
        0.1, "probability, in each direction, that the network duplicates a segment that arrives", allowed="probability"
    )
    duplicate_delay: float | DelayDistribution = shared.copy_delay(Exponential(10.0))
    reorder: float = shared.reorder()
    reorder_delay: float | DelayDistribution = shared.reorder_delay(Exponential(1.0))
    msl: float = shared.msl()
    data_bytes: int = field(20_000, "data that the client sends in each connection", unit="bytes", allowed=(1, 1 << 24))
    data_rate: float = field(
        20_000.0, "rate at which the client's application writes this data", unit="bytes/s", allowed=(1, 1e9)
    )
    pause: float = field(
        1.0,
        "time from the end of a connection, and of the client's TIME-WAIT, to the next OPEN",
        unit="s",
        allowed=(0, 1e9),
    )
    time_wait: float = field(
        0.0, "length of TIME-WAIT at the end that closes first", unit="s", source="RFC 9293: 240", allowed=(0, 1e9)
    )
    closes_first: End = field("client", "the end that closes first and so enters TIME-WAIT: client or server")
    connections: int = field(
        2, "number of connections that the client opens, one after another", allowed=(2, MOST_CONNECTIONS)
    )
    port_selection: Ports | None = field(
        None, "how the client selects the port of each connection; None: always the same port", source="RFC 6056"
    )
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    def check_relations(self) -> None:
        for end in get_args(End):
            config = getattr(self, end)
            if config.time_wait != profile(config.name).time_wait:
                raise ValueError(f"{end}.time_wait = {config.time_wait}: set time_wait, which decides it here")
        _ = self.paths

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Client to server, and back."""
        return both_directions(
            self,
            reorder=self.reorder,
            reorder_delay=self.reorder_delay,
            duplicate=self.duplicate,
            duplicate_delay=self.duplicate_delay,
            stages=(Lifetime(self.msl),),
        )

    @cached_property
    def configs(self) -> tuple[TcpConfig, TcpConfig]:
        """The TCPs of client and server, with this TIME-WAIT and this choice of ports."""
        client = self.client.replace(
            time_wait=self.time_wait, ports=self.client.ports if self.port_selection is None else self.port_selection
        )
        return client, self.server.replace(time_wait=self.time_wait)

    @property
    def wait(self) -> float:
        """Seconds from the end of a connection to the next: the pause, after the client's TIME-WAIT if it has one."""
        holds = self.closes_first == "client" and self.client.time_wait_open == "refuse" and self.port_selection is None
        return self.pause + (self.time_wait if holds else 0.0)


ESTIMATES: Final = {
    "p_stale_data_accepted": Estimator(column="stale_data_accepted", kind="proportion"),
    "p_stale_data_expected": Estimator(column="p_stale_data_expected", kind="mean"),
    "p_stale_data_per_connection": Estimator(column="p_stale_data_per_connection", kind="mean"),
    "p_port_reused": Estimator(column="p_port_reused", kind="mean"),
    "p_wrong_bytes": Estimator(column="has_wrong_bytes", kind="proportion"),
    "wrong_bytes": Estimator(column="wrong_bytes", kind="mean"),
    "p_premature_eof": Estimator(column="premature_eof", kind="proportion"),
    "p_reset": Estimator(column="reset", kind="proportion"),
    "p_ack_of_unsent": Estimator(column="ack_of_unsent", kind="proportion"),
    "p_half_open": Estimator(column="half_open", kind="proportion"),
    "p_ghost": Estimator(column="ghost", kind="proportion"),
    "p_reopened": Estimator(column="reopened", kind="proportion"),
    "p_ack_loop": Estimator(column="ack_loop", kind="proportion"),
    "stale_arrivals": Estimator(column="arrived", kind="mean"),
    "stale_data_arrivals": Estimator(column="arrived_data", kind="mean"),
}


@dataclass(slots=True)
class _Stream:
    """What the application read from one connection of the server, and how that ended."""

    connection: int
    data: bytearray = dataclasses.field(default_factory=bytearray)
    ended: bool = False
    reset: bool = False


@dataclass
class _Play:
    """One run: the world's observer, what the applications saw, when (s) it was over."""

    observer: StaleObserver
    streams: list[_Stream] = dataclasses.field(default_factory=list)
    ports: list[int] = dataclasses.field(default_factory=list)
    client_resets: int = 0
    ended: float = 0.0


def content(connection: int, size: int) -> bytes:
    """The data of a connection: one character, different for each connection, so that a wrong byte is recognised."""
    return bytes([ord("0") + connection]) * size


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """Consecutive connections of one four-tuple: what became of stale segments, by kind and rule (see COLUMNS)."""
    play = _play(params, params.configs, seed, observers)
    return _row(params, play) | {"p_stale_data_expected": expected(params, seed, play)}


def _play(params: Params, configs: tuple[TcpConfig, TcpConfig], seed: Seed, observers: Sequence[Observer]) -> _Play:
    observer = StaleObserver()
    world = World(seed=seed, observers=[*observers, observer])
    observer.client, observer.server = world.host("client", configs[0]), world.host("server", configs[1])
    world.link(observer.client, observer.server, *params.paths)
    play = _Play(observer)
    world.process(_serve(world, observer.server, params, play))
    finished = world.process(_reuse(world, observer.client, params, play))
    observer.too_many = world.env.event()
    longest = world.timeout(HORIZON * (params.connections - 1))
    world.run(until=world.env.any_of([finished, longest, observer.too_many]))
    observer.finish()
    play.ended = world.now
    return play


def _reuse(world: World, host: Host, params: Params, play: _Play) -> Generator[Event, Any, None]:
    for connection in range(1, params.connections + 1):
        sock = yield from _connect(world, host, params)
        if sock is None:
            return
        assert sock.connection is not None
        play.ports.append(sock.connection.four_tuple.sport)
        try:
            yield from _move(world, sock, content(connection, params.data_bytes), params)
        except ConnectionReset:
            play.client_resets += connection > 1
        except TcpError:
            pass
        yield world.timeout(params.wait)


def _connect(world: World, host: Host, params: Params) -> Generator[Event, Any, Socket | None]:
    """Open the same four-tuple, as soon as this end allows it, or a port that the policy selects; None: no answer."""
    while True:
        sock = host.socket(reuse_address=True)
        try:
            if params.port_selection is None:
                sock.bind(CLIENT_PORT)
            yield sock.connect(("server", PORT))
        except ConnectionAlreadyExists:
            yield world.timeout(RETRY)
        except TcpError:
            return None
        else:
            return sock


def _move(world: World, sock: Socket, data: bytes, params: Params) -> Generator[Event, Any, None]:
    """Write the data at the given rate and close; the peer closes before or after."""
    for start in range(0, len(data), CHUNK):
        chunk = data[start : start + CHUNK]
        yield sock.send(chunk)
        yield world.timeout(len(chunk) / params.data_rate)
    if params.closes_first == "client":
        sock.shutdown()
    while (yield sock.recv()):
        pass
    sock.close()


def _serve(world: World, host: Host, params: Params, play: _Play) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT)
    while True:
        sock = yield listener.accept()
        stream = _Stream(sock.connection.number)
        play.streams.append(stream)
        world.process(_read(sock, stream, params))


def _read(sock: Socket, stream: _Stream, params: Params) -> Generator[Event, Any, None]:
    try:
        while data := (yield sock.recv()):
            stream.data += data
            if params.closes_first == "server" and len(stream.data) - len(data) < params.data_bytes <= len(stream.data):
                sock.shutdown()
        stream.ended = True
        sock.close()
    except ConnectionReset:
        stream.reset = True
    except TcpError:
        return


def _row(params: Params, play: _Play) -> dict[str, Any]:
    observer, later = play.observer, play.streams[1:]
    wrong = sum(_wrong_bytes(observer, stream) for stream in later)
    reopened = max(len(play.ports) - 1, 0)
    known = sum(play.ports[k] in play.ports[:k] for k in range(1, len(play.ports)))
    row: dict[str, Any] = {
        "reopened": len(play.ports) == params.connections,
        "connections_accepted": len(play.streams),
        "wrong_bytes": wrong,
        "has_wrong_bytes": wrong > 0,
        "premature_eof": any(stream.ended and len(stream.data) < params.data_bytes for stream in later),
        "reset": any(stream.reset for stream in later) or play.client_resets > 0,
        "ack_of_unsent": observer.acks_of_unsent > 0,
        "half_open": bool(observer.old_syn - observer.established),
        "ghost": bool(observer.old_syn & observer.established),
        "stale_data_accepted": observer.accepted["data"] > 0,
        "p_stale_data_per_connection": len(observer.tainted) / reopened if reopened else NEVER,
        "p_port_reused": known / reopened if reopened else NEVER,
        "ack_loop": observer.too_many.triggered,
        "arrived": sum(observer.arrived.values()),
        "accepted": sum(observer.accepted.values()),
        "dropped": sum(observer.dropped.values()),
        "without_effect": observer.without_effect,
    }
    row |= {f"arrived_{kind}": observer.arrived[kind] for kind in KINDS}
    row |= {f"accepted_{kind}": observer.accepted[kind] for kind in KINDS}
    return row | {f"dropped_{name}": observer.dropped[name] for name in RULES}


def _wrong_bytes(observer: StaleObserver, stream: _Stream) -> int:
    """Bytes of another connection; all bytes, if a SYN of an earlier connection opened this one."""
    opener = observer.opener[stream.connection]
    if stream.connection in observer.old_syn and opener < len(observer.opened):
        return len(stream.data)
    return len(stream.data) - stream.data.count(content(opener, 1))


def expected(params: Params, seed: Seed, play: _Play) -> float:
    """P(some stale data is accepted), given this run's times (netsim.theory.reuse); NaN where it is not known.

    Random ISNs are integrated out. If only copies can be delayed, and their distribution is known, they are integrated
    out too; otherwise the copies that arrived count. If something was accepted, the run is repeated with ISNs that are
    far apart, as the window's course until then is what counts.
    """
    configs = params.configs
    if params.connections > 2 or params.port_selection is not None or all(config.timestamps for config in configs):
        return NEVER
    if params.closes_first == "server" and params.server.time_wait_reuse != "none":
        return NEVER  # the ISS of a connection out of TIME-WAIT follows the old one (RFC 1122 4.2.2.13)
    if any(play.observer.accepted[what] for what in ("data", "fin", "rst", "ack")):
        client, server = (config.replace(isn=ApartIsn()) for config in configs)
        play = _play(params, (client, server), seed, ())
    if len(play.ports) < 2:
        return 0.0
    observer, late, there = play.observer, survival(params.duplicate_delay), constant_delay(params.delay_forward)
    if late is None or there is None or params.reorder or terms(observer) > MOST_TERMS:
        return arrivals_expected(observer, *configs, play.ended)
    oldest = late(params.msl - there)

    def late_and_alive(t: float) -> float:
        return max(late(t) - oldest, 0.0)

    return copies_expected(observer, *configs, play.ended, duplicate=params.duplicate, late=late_and_alive)


def theory(params: Params) -> dict[str, float]:
    """Values that are certain without a run: how often a port is reused, and zero where no stale data can be accepted.

    Zero holds if no segment is delayed beyond its connection, if TIME-WAIT or the MSL ends the life of all of them, or
    if a clock has carried the new ISNs past all old numbers. Elsewhere p_stale_data_expected is exact, given each run's
    times. Resets, premature ends, ACKs of unsent data and ghost connections have no closed form, as they take several
    stale segments or answers.
    """
    values = {}
    if params.port_selection is None:
        values["p_port_reused"] = 1.0
    elif params.port_selection.order == "random" and params.connections == 2 and params.time_wait == 0:
        values["p_port_reused"] = 1 / len(params.port_selection)
    if _nothing_late(params) or _clock_is_ahead(params):
        harmless = ("p_stale_data_accepted", "p_stale_data_per_connection", "p_wrong_bytes", "wrong_bytes")
        values |= dict.fromkeys(harmless, 0.0)
        if params.connections == 2 and params.port_selection is None:
            values["p_stale_data_expected"] = 0.0
    return values


def _nothing_late(params: Params) -> bool:
    there, back = constant_delay(params.delay_forward), constant_delay(params.delay_reverse)
    if there is not None and back is not None and not params.duplicate and not params.reorder:
        return params.wait > there
    return params.wait >= params.msl


def _clock_is_ahead(params: Params) -> bool:
    """Whether both ISNs come from clocks, and the client's is faster than its data: X <= r D (netsim.theory.stale)."""
    isns = [config.isn for config in params.configs]
    rates = [isn.rate for isn in isns if isinstance(isn, ClockIsn | HashIsn)]
    if len(rates) < 2:
        return False
    at_least = params.data_bytes / params.data_rate + params.wait  # D: writing takes so long, at best
    at_most = HORIZON * (params.connections - 1)
    ahead = int(rates[0] * at_least) >= params.data_bytes + 1
    return ahead and max(rates) * at_most + params.server.receive_buffer < 1 << 31
