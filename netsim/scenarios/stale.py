"""Does a connection take a segment of the one before it?

A client moves text to a server and closes; after TIME-WAIT and a pause it opens the same four-tuple again and moves
other text. The path copies some segments and holds the copies back for long, so that some of them arrive in the second
connection. What becomes of them is what the core decides; the trace's ground truth says which they are.
"""

import math
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from simpy import Event

from netsim.link import DelayLaw, Exponential, Lifetime, Pareto, Path
from netsim.scenarios.parameters import both_ways, param, require_probabilities, tcp_param
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp.actions import Accepted, Allocated, Moved
from netsim.tcp.config import TcpConfig
from netsim.tcp.errors import ConnectionAlreadyExists, TcpError
from netsim.tcp.isn import RandomIsn
from netsim.tcp.profiles import profile
from netsim.tcp.segment import ACK, FIN, RST, SYN, Segment
from netsim.tcp.state import ESTABLISHED, SYN_RECEIVED
from netsim.tcp.tcb import Tcb
from netsim.theory import NewConnection, OldSegment, p_some_copy_accepted
from netsim.trace.records import Arrived, Decided, Decision, Record, Sent
from netsim.units import require_number

QUESTION: Final = "Does a reopened connection accept segments of the connection before it?"
KINDS: Final = ("syn", "synack", "data", "fin", "rst", "ack")
CLIENT_PORT: Final = 40000
PORT: Final = 80
CHUNK: Final = 1000  # bytes the client's application writes at a time
RETRY: Final = 1.0  # s between attempts to open a four-tuple that this end still holds
HORIZON: Final = 3600.0  # s after which a run is cut off
MOST_PACKETS: Final = 20_000  # packets after which it is: an accepted segment can start an endless exchange of ACKs


@dataclass(frozen=True, kw_only=True)
class Params:
    """Parameters of the stale-segment study. ``forward`` is client to server. ValueError for values out of range."""

    loss_forward: float = param(0.1, "loss probability, client to server")
    loss_reverse: float = param(0.1, "loss probability, server to client")
    delay_forward: float | DelayLaw = param(0.05, "one-way delay, client to server: seconds or a law", "s")
    delay_reverse: float | DelayLaw = param(0.05, "one-way delay, server to client: seconds or a law", "s")
    duplicate: float = param(0.1, "probability that a segment that arrives has a late copy; both ways")
    duplicate_delay: float | DelayLaw = param(Exponential(10.0), "how late the copy is: seconds or a law", "s")
    lifetime: float = param(120.0, "copies older than this vanish (maximum segment lifetime)", "s", "RFC 9293 3.4.2")
    size: int = param(20_000, "text of each incarnation", "bytes")
    rate: float = param(20_000.0, "rate at which the client's application writes it", "bytes/s")
    pause: float = param(1.0, "from the end of TIME-WAIT to the second connection", "s")
    time_wait: float = param(0.0, "length of TIME-WAIT at the client, which closes first", "s", "RFC 9293: 240")
    client: TcpConfig = tcp_param("client")
    server: TcpConfig = tcp_param("server")

    def __post_init__(self) -> None:
        require_probabilities(self, "loss_forward", "loss_reverse", "duplicate")
        for name, low, unit in (
            ("lifetime", 0.0, "s"),
            ("pause", 0.0, "s"),
            ("time_wait", 0.0, "s"),
            ("rate", 1.0, "bytes/s"),
        ):
            require_number(name, getattr(self, name), low=low, high=1e9, unit=unit)
        require_number("size", self.size, low=1, high=1 << 24, unit="bytes")
        if self.size != int(self.size):
            raise ValueError(f"size = {self.size!r}: must be a whole number of bytes")
        if self.client.time_wait != profile(self.client.name).time_wait:
            raise ValueError(f"client.time_wait = {self.client.time_wait}: set time_wait, which decides it here")
        _ = self.paths

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Client to server, and back."""
        return both_ways(
            self,
            duplicate=self.duplicate,
            duplicate_delay=self.duplicate_delay,
            stages=(Lifetime(self.lifetime),),
        )


ESTIMATES: Final = {
    "p_stale_data_accepted": Estimator(column="stale_data_accepted", kind="proportion"),
    "p_stale_data_expected": Estimator(column="p_expected", kind="mean"),
    "p_wrong_bytes": Estimator(column="wrong", kind="proportion"),
    "wrong_bytes": Estimator(column="wrong_bytes", kind="mean"),
    "p_reopened": Estimator(column="reopened", kind="proportion"),
    "p_ack_war": Estimator(column="ack_war", kind="proportion"),
    "stale_arrivals": Estimator(column="arrived", kind="mean"),
    "stale_data_arrivals": Estimator(column="arrived_data", kind="mean"),
}


@dataclass(slots=True)
class _Receiver:
    """A record of the server: RCV.NXT over time (s), and when it stopped taking text."""

    tcb: Tcb
    course: list[tuple[float, int]]
    end: float = math.inf


class _Witness:
    """Counts what the trace says of stale segments, and notes the times that the conditional estimate needs."""

    def __init__(self, further: Observer | None) -> None:
        self.further = further
        self.arrived: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.old_segments: list[OldSegment] = []
        self.receivers: dict[int, _Receiver] = {}
        self.reopened_at = math.inf
        self.ended_at = math.inf
        self._stale = False
        self.server: Host
        self.too_many: Event  # the hazard H2 of RFC 1337: each end acknowledges the other's ACK, for ever

    def __call__(self, record: Record) -> None:
        """One record of the run."""
        if self.further is not None:
            self.further(record)
        if isinstance(record, Arrived):
            self._stale = record.stale
            if record.stale:
                self.arrived[_kind(record.packet.segment)] += 1
        elif isinstance(record, Sent):
            self._note_sent(record)
        elif isinstance(record, Decided):
            decision = record.decision
            if isinstance(decision, Accepted) and record.packet is not None and self._stale:
                self.accepted[decision.what.lower()] += 1
            if record.host == "server":
                self._note_receiver(record.time / NS, decision)
            elif isinstance(decision, Allocated) and decision.connection == 2:
                self.reopened_at = record.time / NS

    def _note_sent(self, record: Sent) -> None:
        packet = record.packet
        if packet.number == MOST_PACKETS:
            self.too_many.succeed()
        if record.host == "client" and packet.incarnation == 1 and packet.segment.payload and record.arrivals:
            s = packet.segment
            self.old_segments.append(OldSegment(record.arrivals[0] / NS, s.seq, len(s.payload), s.ack))

    def _note_receiver(self, time: float, decision: Decision) -> None:
        """RCV.NXT of every record that the server sets up after its first, ghosts of old SYNs included."""
        if decision.connection < 2:
            return
        if isinstance(decision, Moved) and decision.new is SYN_RECEIVED:
            tcb = next(t for t in self.server.stack.connections.values() if t.id == decision.connection)
            self.receivers[tcb.id] = _Receiver(tcb, [(time, tcb.rcv_nxt)])
        elif isinstance(decision, Moved) and decision.new is not ESTABLISHED:
            receiver = self.receivers[decision.connection]
            receiver.end = min(receiver.end, time)
        elif isinstance(decision, Accepted) and decision.what == "DATA":
            receiver = self.receivers[decision.connection]
            receiver.course.append((time, receiver.tcb.rcv_nxt))


def _kind(segment: Segment) -> str:
    flags = segment.flags
    if flags & RST:
        return "rst"
    if flags & SYN:
        return "synack" if flags & ACK else "syn"
    if segment.payload:
        return "data"
    return "fin" if flags & FIN else "ack"


def content(incarnation: int, size: int) -> bytes:
    """The text of an incarnation: its number, ``size`` times, so that a wrong byte shows."""
    return b"%d" % incarnation * size


def run(params: Params, seed: Seed, observer: Observer | None = None) -> dict[str, Any]:
    """Two incarnations of one four-tuple: stale arrivals and acceptances by kind, wrong bytes, the expected chance."""
    witness = _Witness(observer)
    world = World(seed=seed, observer=witness)
    client = world.host("client", params.client.replace(time_wait=params.time_wait))
    server = witness.server = world.host("server", params.server)
    world.link(client, server, *params.paths)
    streams: list[bytearray] = []
    world.process(_serve(world, server, streams))
    opened: list[float] = []
    finished = world.process(_reuse(world, client, params, opened))
    witness.too_many = world.env.event()
    world.run(until=world.env.any_of([finished, world.timeout(HORIZON), witness.too_many]))
    witness.ended_at = world.now
    return _row(params, witness, streams, reopened=len(opened) == 2)


def _reuse(world: World, host: Host, params: Params, opened: list[float]) -> Generator[Event, Any, None]:
    for incarnation in (1, 2):
        sock = yield from _connect(world, host)
        if sock is None:
            return
        opened.append(world.now)
        with suppress(TcpError):
            yield from _move(world, sock, content(incarnation, params.size), params.rate)
        yield world.timeout(params.time_wait + params.pause)


def _connect(world: World, host: Host) -> Generator[Event, Any, Socket | None]:
    """The same four-tuple, as soon as this end lets go of the old record; None if nobody answers."""
    while True:
        sock = host.socket()
        sock.reuse_address = True
        sock.bind(CLIENT_PORT)
        try:
            yield sock.connect(("server", PORT))
        except ConnectionAlreadyExists:
            yield world.timeout(RETRY)
        except TcpError:
            return None
        else:
            return sock


def _move(world: World, sock: Socket, text: bytes, rate: float) -> Generator[Event, Any, None]:
    """Write ``text`` at ``rate``, close, and wait for the server's end of stream."""
    for start in range(0, len(text), CHUNK):
        chunk = text[start : start + CHUNK]
        yield sock.send(chunk)
        yield world.timeout(len(chunk) / rate)
    sock.shutdown()
    while (yield sock.recv()):
        pass
    sock.close()


def _serve(world: World, host: Host, streams: list[bytearray]) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT)
    while True:
        sock = yield listener.accept()
        stream = bytearray()
        streams.append(stream)
        world.process(_read(sock, stream))


def _read(sock: Socket, stream: bytearray) -> Generator[Event, Any, None]:
    try:
        while text := (yield sock.recv()):
            stream += text
        sock.close()
    except TcpError:
        return


def _row(params: Params, witness: _Witness, streams: list[bytearray], *, reopened: bool) -> dict[str, Any]:
    wrong = sum(stream.count(b"1") for stream in streams[1:])
    row: dict[str, Any] = {
        "reopened": reopened,
        "connections": len(streams),
        "wrong_bytes": wrong,
        "wrong": wrong > 0,
        "stale_data_accepted": witness.accepted["data"] > 0,
        "p_expected": expected(params, witness),
        "ack_war": witness.too_many.triggered,
        "arrived": sum(witness.arrived.values()),
        "accepted": sum(witness.accepted.values()),
    }
    row |= {f"arrived_{kind}": witness.arrived[kind] for kind in KINDS}
    return row | {f"accepted_{what}": witness.accepted[what] for what in ("syn", "data", "fin", "rst", "ack")}


def survival(law: float | DelayLaw) -> Callable[[float], float] | None:
    """P(delay > t) of a law that has it in closed form; None for the others."""
    if isinstance(law, Exponential):
        return lambda t: math.exp(-max(t - law.offset, 0.0) / law.scale)
    if isinstance(law, Pareto):
        return lambda t: (max(t - law.offset, law.scale) / law.scale) ** -law.shape
    return None


def expected(params: Params, witness: _Witness) -> float:
    """P(some copy of the old text is accepted), given this run's times (netsim.theory.reuse); NaN without a law.

    Copies made in the network are all that can be stale here, and only those that are not older than the lifetime.
    """
    late = survival(params.duplicate_delay)
    if late is None or not isinstance(params.delay_forward, float | int):
        return math.nan
    config = params.server
    oldest = late(params.lifetime - _one_way(params.delay_forward))
    connections = [
        NewConnection(
            course=receiver.course,
            start=witness.reopened_at,
            end=min(receiver.end, witness.ended_at),
            window=config.receive_buffer,
            snd_nxt=(receiver.tcb.iss + 1) & 0xFFFFFFFF,
            max_snd_wnd=receiver.tcb.max_snd_wnd,
            bounded_ack=config.ack_policy == "rfc5961",
        )
        for receiver in witness.receivers.values()
    ]
    return p_some_copy_accepted(
        witness.old_segments,
        connections,
        duplicate=params.duplicate,
        late=lambda t: max(late(t) - oldest, 0.0),
        random_isns=isinstance(params.client.isn, RandomIsn) and isinstance(config.isn, RandomIsn),
    )


def _one_way(delay: float | DelayLaw) -> float:
    return delay if isinstance(delay, float | int) else delay.minimum


def theory(params: Params) -> dict[str, float]:
    """What is certain without a run: nothing that is late is made, or nothing late lives long enough."""
    constant = all(isinstance(d, float | int) for d in (params.delay_forward, params.delay_reverse))
    no_late_copy = params.duplicate == 0 and constant and params.pause > _one_way(params.delay_forward)
    if no_late_copy or params.time_wait + params.pause >= params.lifetime:
        return {"p_stale_data_accepted": 0.0, "p_wrong_bytes": 0.0, "wrong_bytes": 0.0}
    return {}
