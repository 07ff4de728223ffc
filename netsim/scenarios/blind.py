"""How many forged segments does an off-path attacker need, who sees no segment of the connection?

A client and a server have an open connection. The attacker knows both addresses and the server's port, perhaps the
client's. The attacker guesses the rest and sends forged segments to the server: RST, SYN, data, or an ACK of data that
the client never received. Whether one takes effect is decided by the server's TCP.

There are three answers. ``segments_used`` and ``p_success``: the first ``max_segments`` guesses are really sent.
``segments_needed``: often too many to send, so they are counted, from the sequence numbers of the run and from what the
server's TCP accepts; that is measured with forged segments, of which one number is right and the other is moved until
it is refused. ``..._expected``: the same, integrated exactly over the numbers that the attacker does not know.

Not modelled: the side channel of a shared limit on challenge ACKs. The sequence numbers stand still during the attack.
"""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from simpy import Event

from netsim.fields import field
from netsim.link import Path, Scripted
from netsim.scenarios import shared
from netsim.scenarios.blind_guesses import MASK, SEQUENCE_SPACE, Draws, Field, Guess, Sweep, drawn_until_hit
from netsim.scenarios.parameters import parameters
from netsim.scenarios.shorthands import WithProfiles
from netsim.seeds import Seed
from netsim.sim import Connection, World
from netsim.sim.attacks import Forger
from netsim.sim.network import Observer
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.segment import ACK, PSH, RST, SYN, FourTuple, Segment
from netsim.tcp.state import CLOSED
from netsim.theory import BlindAttack

QUESTION: Final = "How many forged segments does an off-path attacker need to reset a connection or to inject data?"
PORT: Final = 80
FIRST_PORT: Final = 32_768  # the lowest that the client may have; net.ipv4.ip_local_port_range
BEGIN: Final = 10.0  # s after the OPEN, when the attack starts
LARGEST_UNSCALED: Final = 65_535
PATIENCE: Final = 1e9  # s; the server does not time out its unacknowledged data during the attack

Attack = Literal["rst", "syn", "data", "ack"]
Guessing = Literal["sweep", "random"]
_FLAGS: Final[dict[str, int]] = {"rst": RST, "syn": SYN, "data": ACK | PSH, "ack": ACK}


@parameters
class Params(WithProfiles):
    """Parameters of the study of blind attacks. ValueError for a value out of range."""

    attack: Attack = field(
        "rst", "what the attacker forges: a rst, a syn, data, or an ack of data that the client has not received"
    )
    guessing: Guessing = field(
        "sweep",
        "how the attacker guesses: all numbers in steps that cannot miss (sweep), or each guess at random (random)",
    )
    receive_window: int = field(
        65_535, "receive window of both ends; scaled where it exceeds 65535", unit="bytes", allowed=(1, (1 << 30) - 1)
    )
    payload_bytes: int = field(
        1, "data of each forged segment in the attack with data", unit="bytes", allowed=(1, 1460)
    )
    in_flight: int = field(
        0, "data that the server has sent and the client has not received", unit="bytes", allowed=(0, 10_000)
    )
    client_ports: int = field(
        1,
        "number of equally likely ports of the client; 1: the attacker knows the port",
        allowed=(1, 65_536 - FIRST_PORT),
    )
    sequence_space: int = field(
        SEQUENCE_SPACE,
        "number of values that RCV.NXT, and also SND.UNA, may have as far as the attacker knows",
        allowed=(1, SEQUENCE_SPACE),
    )
    max_segments: int = field(100, "maximum number of forged segments that are sent", allowed=(0, 1_000_000))
    attack_rate: float = field(10_000.0, "rate of forged segments", unit="1/s", allowed=(1e-3, 1e9))
    delay: float = field(0.05, "one-way delay between client and server", unit="s", allowed=(0, 0.4))
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    def check_relations(self) -> None:
        if self.payload_bytes > self.receive_window:
            raise ValueError(
                f"payload_bytes = {self.payload_bytes}: must be at most receive_window = {self.receive_window}"
            )
        if self.in_flight > self.receive_window:
            raise ValueError(f"in_flight = {self.in_flight}: must be at most receive_window = {self.receive_window}")
        if self.attack == "ack" and not self.in_flight:
            raise ValueError("in_flight = 0: must be at least 1 for attack = ack, which acknowledges it")
        if self.guessing == "random" and self.sequence_space < SEQUENCE_SPACE:
            raise ValueError(f"sequence_space = {self.sequence_space}: must be 4294967296 where guessing is random")
        for end in ("client", "server"):
            if getattr(self, end).receive_buffer != TcpConfig().receive_buffer and getattr(self, end).name == "rfc9293":
                raise ValueError(f"{end}.receive_buffer: set receive_window, which decides it here")

    def end(self, config: TcpConfig) -> TcpConfig:
        """An end's TCP with the window of this study; RFC 7323's shift as large as the window needs."""
        shift = max((self.receive_window >> 16).bit_length(), config.window_scale or 0)
        scaled = {} if self.receive_window <= LARGEST_UNSCALED else {"window_scale": shift}
        return config.replace(
            receive_buffer=self.receive_window,
            buffer_rounding=False,
            receive_window="buffer",
            nagle=False,
            user_timeout=PATIENCE,
            retries2=None,
            **scaled,
        )


COLUMNS: Final = {
    "succeeded": "Whether one of the first max_segments forged segments took effect.",
    "segments_used": "Number of forged segments sent until one took effect; NaN if none did.",
    "segments_needed": "Number of guesses until one takes effect, counted and not sent; infinite if none ever does.",
    "p_success_expected": (
        "Probability that one of the first max_segments forged segments takes effect, over all numbers that the "
        "attacker does not know."
    ),
    "segments_expected": (
        "Number of forged segments until one takes effect, mean over all numbers that the attacker does not know; "
        "infinite if none ever does."
    ),
    "seconds_expected": "Time (s) that segments_expected forged segments take at attack_rate.",
    "challenge_acks": "Number of challenge ACKs (RFC 5961) that the server sent.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_success": Estimator(column="succeeded", kind="proportion"),
    "p_success_expected": Estimator(column="p_success_expected", kind="mean"),
    "segments_used": Estimator(column="segments_used", kind="mean"),
    "segments_needed": Estimator(column="segments_needed", kind="mean"),
    "segments_expected": Estimator(column="segments_expected", kind="mean"),
    "seconds_expected": Estimator(column="seconds_expected", kind="mean"),
    "challenge_acks": Estimator(column="challenge_acks", kind="mean"),
}


@dataclass(slots=True)
class _Target:
    """The world at the moment the attack begins: the server's connection, and the client's port minus FIRST_PORT."""

    world: World
    forger: Forger
    server: Connection
    port: int
    seq: int  # RCV.NXT
    ack: int  # SND.UNA

    def forge(self, attack: Attack, guess: Guess, length: int) -> None:
        """Send one forged segment; it arrives at this instant."""
        flow = FourTuple("client", FIRST_PORT + guess.port, "server", PORT)
        data = b"!" * length if attack == "data" else b""
        ack = 0 if attack in ("rst", "syn") else guess.ack
        self.forger.send(Segment(flow, guess.seq, ack, _FLAGS[attack], 1000, data))

    @property
    def harmed(self) -> bool:
        """Whether a forged segment took effect: the connection is gone, or data or an ACK was accepted."""
        server = self.server
        moved = server.rcv_nxt != self.seq or server.snd_una != self.ack
        return server.state is CLOSED or moved or server.out_of_order


def _target(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> _Target:
    """An open connection, a silent client, ``in_flight`` bytes on their way that will not arrive."""
    world = World(seed=seed, observers=observers)
    client = world.host("client", params.end(params.client))
    server = world.host("server", params.end(params.server))
    attacker = world.host("attacker")
    lost = Path(delay=params.delay, stages=(Scripted("drop DATA 2-"),))
    world.link(client, server, Path(delay=params.delay), lost)
    world.link(attacker, server, Path(delay=0.0))
    port = seed.stream("client port").randrange(params.client_ports)
    connections: list[Connection] = []

    def serve() -> Generator[Event, Any, None]:
        listener = server.socket()
        listener.listen(PORT)
        sock = yield listener.accept()
        connections.append(sock.connection)
        yield sock.send(b".")  # opens a window beyond 65,535 and makes the client announce its own
        yield world.timeout(BEGIN / 2)
        if params.in_flight:
            yield sock.send(b"." * params.in_flight)

    def connect() -> Generator[Event, Any, None]:
        sock = client.socket()
        sock.bind(FIRST_PORT + port)
        yield sock.connect(("server", PORT))

    world.process(serve())
    world.process(connect())
    world.run(until=BEGIN)
    (connection,) = connections
    return _Target(world, Forger(attacker), connection, port, connection.rcv_nxt, connection.snd_una)


def fields(params: Params) -> tuple[Field, Field]:
    """What the rules of the server's TCP take as sequence and as acknowledgment number (RFC 9293 3.10.7.4)."""
    config, attack = params.server, params.attack
    window = max(params.receive_window, _offered(params, params.server))
    # One beyond the window is acceptable to Linux, but its data or SYN lies outside and has no effect.
    last = window - 1 + (config.window_edge == "inclusive" and attack in ("rst", "ack"))
    seq, ack = (0, last), (-(SEQUENCE_SPACE // 2), SEQUENCE_SPACE // 2 - 1)
    if attack == "rst" and config.rst_policy == "rfc5961":
        seq = (0, 0)
    elif attack == "data":
        seq = (1 - params.payload_bytes, last)
        behind = SEQUENCE_SPACE // 2 if config.ack_policy == "rfc793" else _offered(params, params.client)
        ack = (-behind, params.in_flight)
    elif attack == "ack":
        ack = (1, params.in_flight)
    if kept_out(params):
        seq = (0, -1)
    return Field(*seq, params.sequence_space), Field(*ack, params.sequence_space)


def _offered(params: Params, config: TcpConfig) -> int:
    """The largest window that an end offers: in whole units of its scale, rounded up as far as the field goes."""
    scales = [params.end(end).window_scale for end in (params.client, params.server)]
    if None in scales:
        return min(params.receive_window, LARGEST_UNSCALED)
    scale = params.end(config).window_scale or 0
    return max(
        min(-(-params.receive_window // (1 << scale)), LARGEST_UNSCALED) << scale,
        min(params.receive_window, LARGEST_UNSCALED),
    )


def kept_out(params: Params) -> bool:
    """Whether no guess can succeed: TCP-AO, timestamps that must be present, or a SYN under RFC 5961."""
    client, server = params.client, params.server
    stamped = client.timestamps and server.timestamps and server.missing_timestamp == "drop" and params.attack != "rst"
    return (
        server.authentication_key is not None or stamped or (params.attack == "syn" and server.syn_policy == "rfc5961")
    )


@lru_cache(maxsize=8)
def measured(params: Params) -> tuple[Field, Field]:
    """What the server's TCP takes, found by forged segments: each number moved alone until it is refused."""

    def takes(seq: int, ack: int) -> bool:
        target = _target(params, Seed(0))
        right = Guess(target.port, (target.seq + seq) & MASK, (target.ack + ack) & MASK)
        target.forge(params.attack, right, params.payload_bytes)
        target.world.run(until=BEGIN + 1e-6)
        return target.harmed

    middle = 1 if params.attack == "ack" else 0
    if not takes(0, middle):
        return Field(0, -1, params.sequence_space), Field(0, -1, params.sequence_space)
    said_seq, said_ack = fields(params)
    seq = _edges(lambda distance: takes(distance, middle), 0, said_seq)
    ack = _edges(lambda distance: takes(0, distance), middle, said_ack)
    return Field(*seq, params.sequence_space), Field(*ack, params.sequence_space)


def _edges(takes: Callable[[int], bool], middle: int, said: Field) -> tuple[int, int]:
    """The first and the last of the distances around ``middle`` that are taken, by bisection.

    Where the rules say the edge to be is tried first: if it is there, two forged segments show it.
    """
    edges = []
    for far, edge, step in ((-(SEQUENCE_SPACE // 2), said.low, -1), (SEQUENCE_SPACE // 2 - 1, said.high, 1)):
        good, bad = middle, far
        if takes(far):
            good = bad
        elif edge != far and takes(edge) and not takes(edge + step):
            good, bad = edge, edge + step
        while abs(bad - good) > 1:
            half = (good + bad) // 2
            good, bad = (half, bad) if takes(half) else (good, half)
        edges.append(good)
    return edges[0], edges[1]


def attack_on(params: Params, taken: tuple[Field, Field]) -> BlindAttack:
    """The closed form for a receiver that takes these numbers (netsim.theory.blind)."""
    seq, ack = taken
    return BlindAttack(sequences=seq.count, acks=ack.count, ports=params.client_ports, modulus=params.sequence_space)


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One attack: whether ``segments`` guesses sufficed, how many it took, how many it would take on average."""
    taken = measured(params)
    target = _target(params, seed, observers)
    stream = seed.stream("attacker")
    p_hit = attack_on(params, taken).p_within_memoryless(1)
    plan: Sweep | Draws = Draws(params.client_ports, stream)
    needed = drawn_until_hit(p_hit, seed.stream("counted"))
    if params.guessing == "sweep":
        actual = (target.seq, target.ack)
        plan = Sweep(
            *fields(params), params.client_ports, (_start(params, actual[0], stream), _start(params, actual[1], stream))
        )
        needed = plan.needed(taken, actual, target.port)
    used: list[int] = []
    target.world.run(until=target.world.process(_attack(params, target, plan, used)))
    expected = _expected(params, attack_on(params, taken))
    return {
        "succeeded": bool(used),
        "segments_used": used[0] if used else math.nan,
        "segments_needed": needed,
        "p_success_expected": expected["p_success"],
        "segments_expected": expected["segments_expected"],
        "seconds_expected": expected["seconds_expected"],
        "challenge_acks": target.world.hosts["server"].counters.TcpExtTCPChallengeACK,
    }


def _start(params: Params, actual: int, stream: Any) -> int:
    """The lowest number that the attacker considers possible; nothing else of the real one is known."""
    return (actual - stream.randrange(params.sequence_space)) & MASK if params.sequence_space < SEQUENCE_SPACE else 0


def _attack(params: Params, target: _Target, plan: Sweep | Draws, used: list[int]) -> Generator[Event, Any, None]:
    for number in range(params.max_segments):
        guess = plan.guess(number)
        if guess is None:
            return
        target.forge(params.attack, guess, params.payload_bytes)
        yield target.world.timeout(1 / params.attack_rate)
        if target.harmed:
            used.append(number + 1)
            return


def _expected(params: Params, attack: BlindAttack) -> dict[str, float]:
    sweep = params.guessing == "sweep"
    within = attack.p_within if sweep else attack.p_within_memoryless
    mean = attack.mean if sweep else attack.memoryless_mean
    return {
        "p_success": within(params.max_segments),
        "segments_expected": mean,
        "seconds_expected": mean / params.attack_rate,
    }


def theory(params: Params) -> dict[str, float]:
    """The closed forms of netsim.theory.blind for what the rules of the server's TCP accept. Exact."""
    attack = attack_on(params, fields(params))
    values = _expected(params, attack)
    values |= {"p_success_expected": values["p_success"], "segments_needed": values["segments_expected"]}
    values["segments_used"] = attack.mean_within(params.max_segments, params.guessing)
    return {name: value for name, value in values.items() if value == value}
