"""Properties that hold whatever happens: arbitrary segments, calls and times; any path; every place of the wrap."""

import random
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from netsim.tcp import user_calls
from netsim.tcp.actions import Dropped, Moved, Transmit
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import PROFILES, linux, profile, rfc793, rfc9293
from netsim.tcp.errors import ConnectionReset, ConnectionTimedOut, TcpError
from netsim.tcp.segment import ACK, CWR, ECE, FIN, HALF, MASK, RST, SYN, URG, FourTuple, Options, Segment
from netsim.tcp.segment_arrives.icmp import IcmpError, Kind
from netsim.tcp.stack import Stack
from netsim.tcp.state import CLOSED, LISTEN, TIME_WAIT
from netsim.tcp.tcb import Tcb
from tests.tcp.harness import LEGAL, Link, Pair, streams

FIXED = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
S = 10**9

# One stack, anything at all

SMALL = {"receive_buffer": 300, "send_buffer": 500, "mss": 100}
CONFIGS = [
    *(profile(name).replace(**SMALL) for name in PROFILES),
    rfc9293().replace(**SMALL, syn_data="accept", crossed_synack="refuse", window_scale=3, timestamps=True),
    linux().replace(**SMALL, syn_data="queue", timer_hz=250, keepalive=True, keepalive_idle=5.0, congestion="none"),
    linux().replace(
        **SMALL,
        ecn="request",
        defer_accept=3.0,
        receive_window="buffer",
        ack_every_second="any-size",
        fin_on_every_ack=True,
    ),
    profile("freebsd").replace(
        **SMALL, time_wait_checks="no-window", time_wait_reuse="sequence", syn_drop_options_after=1, timestamps=False
    ),
    rfc793().replace(**SMALL, time_wait_reuse="rfc1122", abort_on_overflow=True, time_wait=1.0, user_timeout=5.0),
]
IN = FourTuple("b", 80, "a", 4000)


def _often(choices: dict[Any, int]) -> Any:
    """One of the strategies or values, each as often as its weight."""
    picked = st.sampled_from([choice for choice, weight in choices.items() for _ in range(weight)])
    return picked.flatmap(lambda c: c if isinstance(c, st.SearchStrategy) else st.just(c))


FLAGS = _often(
    {
        ACK: 12, FIN | ACK: 2, SYN: 2, SYN | ACK: 2, 0: 1, FIN: 1, RST: 1, RST | ACK: 1, SYN | FIN: 1, URG | ACK: 1,
        ACK | ECE: 1, ACK | CWR: 1, SYN | ECE | CWR: 1, SYN | ACK | ECE: 1,
    }
)  # fmt: skip
FAR = st.sampled_from([HALF, HALF - 1, -HALF, 65535, 1 << 20])
NEAR = _often({0: 6, st.integers(-3, 3): 2, st.integers(-400, 400): 4, FAR: 1})
TIMES = _often({0.0: 1, 0.001: 2, 0.1: 3, 1.0: 3, st.floats(0, 10): 3, 70.0: 1, 300.0: 1})
OPTIONS = st.none() | st.builds(
    Options,
    mss=st.none() | st.sampled_from([0, 1, 100, 1460, 65535]),
    wscale=st.none() | st.sampled_from([0, 3, 14, 255]),
    ts_val=st.none() | st.sampled_from([0, 1, 5000, HALF, MASK]),
    ts_ecr=st.sampled_from([0, 1, MASK]),
    sack_permitted=st.booleans(),
    sack=st.lists(st.tuples(st.integers(-200, 500), st.integers(-200, 500)), max_size=4).map(tuple),
)
ICMP = st.tuples(
    st.just("icmp"), st.sampled_from(get_args(Kind)), st.integers(-2, 400), st.sampled_from([0, 68, 90, 120, 1500])
)
SEGMENTS = st.tuples(
    st.just("segment"), FLAGS, NEAR, NEAR, st.sampled_from([0, 1, 50, 300, 65535]), st.integers(0, 350), OPTIONS
)
CALLS = st.tuples(
    st.just("call"),
    _often({"send": 6, "receive": 4, "close": 2, "make_orphan": 1, "abort": 1, "status": 1, "open": 2, "accept": 1}),
)
WAITS = st.tuples(st.just("wait"), TIMES)
STEPS = st.lists(_often({SEGMENTS: 12, CALLS: 6, WAITS: 4, ICMP: 1}), min_size=15, max_size=40)
STARTS = st.sampled_from(["established", "accepted", "open", "listen"])


class Anything:
    """A stack with a listener, and perhaps an active connection; every step is checked."""

    def __init__(self, config: TcpConfig, iss: int, start: str) -> None:
        self.now = 0
        self.stack = Stack("a", streams(), config.replace(isn=ConstantIsn(iss)))
        self.stack.ctx.tracing = True
        self.listener, actions = self.stack.listen(4000, 1)
        self.look(actions)
        self.iss, self.irs = iss, 77_000
        self.mine: list[Tcb] = []
        if start in ("open", "established"):
            self.call("open")
            self.step(("wait", 0.1))
        if start == "established":
            self.step(("segment", SYN | ACK, 0, 0, 300, 0, Options(mss=100, wscale=3, sack_permitted=True, ts_val=9)))
        if start == "accepted":
            self.step(("segment", SYN, 0, 0, 300, 0, Options(mss=100, wscale=3, sack_permitted=True, ts_val=9)))
            self.step(("segment", ACK, 0, 0, 300, 0, Options(ts_val=9)))
            self.call("accept")

    @property
    def tcb(self) -> Tcb | None:
        return self.stack.connections.get(IN) or (self.mine[-1] if self.mine else None)

    def step(self, step: tuple[Any, ...]) -> None:
        if step[0] == "segment":
            self.arrives(*step[1:])
        elif step[0] == "wait":
            self.wait(step[1])
        elif step[0] == "icmp":
            self.icmp(*step[1:])
        else:
            self.call(step[1])
        self.look(self.stack.finish(self.tcb))

    def arrives(self, flags: int, seq: int, ack: int, window: int, size: int, options: Options | None) -> None:
        tcb = self.stack.connections.get(IN)
        seq0, ack0 = (tcb.rcv_nxt, tcb.snd_nxt) if tcb is not None else (self.irs, self.iss)
        if tcb is not None and options is not None and options.ts_val is not None:
            options.ts_val = (options.ts_val + tcb.ts_recent) & MASK
        if tcb is not None and options is not None:
            options.sack = tuple(((tcb.snd_una + a) & MASK, (tcb.snd_una + b) & MASK) for a, b in options.sack)
        segment = Segment(IN, (seq0 + seq) & MASK, (ack0 + ack) & MASK, flags, window, bytes(size), options)
        self.look(self.stack.on_segment(segment, self.now))

    def icmp(self, kind: Kind, seq: int, mtu: int) -> None:
        una = self.tcb.snd_una if self.tcb is not None else self.iss
        self.look(self.stack.on_icmp(IcmpError(IN.reverse(), (una + seq) & MASK, kind, mtu), self.now))

    def wait(self, seconds: float) -> None:
        end = self.now + round(seconds * S)
        while self.stack.next_deadline() <= end:
            self.now = max(self.now, self.stack.next_deadline())
            self.look(self.stack.on_timer(self.now))
        self.now = end

    def call(self, name: str) -> None:
        tcb, now = self.tcb, self.now
        try:
            if name == "open":
                tcb, actions = self.stack.open("b", 80, now, sport=4000)
                self.mine.append(tcb)
                self.look(actions)
            elif name == "accept":
                self.mine += [self.listener.accept_queue.popleft()] if self.listener.accept_queue else []
            elif tcb is not None and (name != "make_orphan" or tcb.close_called):
                arguments: dict[str, tuple[Any, ...]] = {
                    "send": (b"x" * 120, now), "receive": (70, now), "status": (), "abort": (now,),
                }  # fmt: skip
                getattr(user_calls, name)(tcb, *arguments.get(name, (now,)))
        except TcpError:
            pass  # the RFC's own words for what a caller does wrong

    def look(self, actions: list[Any]) -> None:
        for action in actions:
            if isinstance(action, Moved):
                assert (action.old, action.new, action.clause) in LEGAL
            elif isinstance(action, Dropped):
                assert action.clause
            elif isinstance(action, Transmit):
                sent = action.segment
                assert 0 <= sent.seq <= MASK
                assert 0 <= sent.ack <= MASK
                assert 0 <= sent.window <= 65535
                assert len(sent.payload) <= 100
        for tcb in self.stack.connections.values():
            tcb.check()
            assert tcb.state not in (CLOSED, LISTEN)
            assert (tcb.snd_nxt - tcb.snd_una) & MASK < HALF
            assert tcb.rcv_wnd + len(tcb.rcv_buffer or b"") < 300 + (1 << tcb.rcv_wscale)
            queued = sum(sent.length for sent in tcb.queue)
            assert queued == (tcb.snd_nxt - tcb.snd_una) & MASK or tcb.snd_una == tcb.iss
            if tcb.queue:
                assert min(tcb.deadlines) < 1 << 62, "something unacknowledged and no timer"
        assert 0 <= self.listener.syn_queue_length <= 2
        assert self.listener.syn_queue_length == sum(
            t.state.name == "SYN_RECEIVED" and t.listener is self.listener for t in self.stack.connections.values()
        )


@pytest.mark.parametrize("index", range(len(CONFIGS)))
def test_one_stack_survives_anything(index: int) -> None:
    """No exception but the RFC's, legal edges only, the invariants after every step, timers while data is out."""

    @seed(index)
    @settings(FIXED, max_examples=40)
    @given(STEPS, STARTS, st.sampled_from([0, 1000, MASK, MASK - 100, HALF]))
    def run(steps: list[tuple[Any, ...]], start: str, iss: int) -> None:
        world = Anything(CONFIGS[index], iss, start)
        for step in steps:
            world.step(step)
        world.wait(10_000)
        assert all(tcb.state.name in QUIET for tcb in world.stack.connections.values())

    run()


# States in which a connection may stay without end when its peer is silent.
QUIET = {"ESTABLISHED", "FIN_WAIT_2", "CLOSE_WAIT"}


# An honest peer, and a path that does what it likes


def _link(rng: random.Random, loss: float, reorder: float, duplicate: float, delay: float) -> Link:
    def link(now: float, who: str, segment: Segment, nth: int) -> list[float]:
        copies = 0 if rng.random() < loss else 2 if rng.random() < duplicate else 1
        return [delay + (rng.random() * 4 * delay if rng.random() < reorder else 0) for _ in range(copies)]

    return link


PATHS = st.tuples(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.1, 0.3, 0.6]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.0, 0.01, 0.5]),
)
ENDS = [
    linux(), linux().replace(congestion="none", receive_buffer=2000), rfc9293(), rfc793().replace(receive_buffer=700),
    profile("freebsd"), profile("windows"), linux().replace(timer_hz=250, keepalive=True, keepalive_idle=30.0),
    rfc9293().replace(sack=True, ecn="request", mss=300), linux().replace(dsack=False, ecn="request", mss=200),
    rfc9293().replace(zero_window_probe="empty", nagle=False, receive_buffer=600, window_scale=2, timestamps=True),
]  # fmt: skip
INDEX = st.integers(0, len(ENDS) - 1)


class Application:
    """One end that sends ``data``, half-closes, reads to the end and closes; its errors are noted."""

    def __init__(self, pair: Pair, socket: Any, data: bytes) -> None:
        self.pair, self.socket, self.data = pair, socket, data
        self.sent = 0
        self.got = bytearray()
        self.open = self.ended = self.shut = False
        self.error: Exception | None = None

    def act(self) -> None:
        if (self.ended and self.shut) or self.error is not None:
            return
        try:
            if not self.open and not self.socket.connected:
                return
            self.open = True
            if self.sent < len(self.data):
                self.sent += self.pair.send(self.socket, self.data[self.sent :])
            elif not self.shut:
                self.shut = True
                self.pair.shutdown(self.socket)
            if not self.ended:
                more = self.pair.read(self.socket, 500)
                self.ended = more == b""
                self.got += more or b""
        except TcpError as error:
            self.error = error


@settings(FIXED, max_examples=300)
@given(PATHS, INDEX, INDEX, st.integers(0, 5000), st.integers(0, 5000))
def test_two_hosts_deliver_everything_or_report_failure(
    path: tuple[int, float, float, float, float], a: int, b: int, up: int, down: int
) -> None:
    """Both directions, with close: in order, complete, or ConnectionTimedOut or ConnectionReset at either end."""
    number, *distribution = path
    rng = random.Random(f"path/{number}")
    pair = Pair(ENDS[a], ENDS[b], link=_link(rng, *distribution), seed=number)
    listener, socket = pair.socket("b"), pair.socket("a")
    listener.listen(80)
    socket.connect("b", 80, 0)
    client = Application(pair, socket, rng.randbytes(up))
    server: Application | None = None
    while True:
        more = pair.step(20_000 * S)
        if server is None and (accepted := listener.accept()) is not None:
            server = Application(pair, accepted, rng.randbytes(down))
        for end in (client, server):
            if end is not None:
                end.act()
                peer = server if end is client else client
                assert bytes(end.got) == (peer.data if peer is not None else b"")[: len(end.got)]
        for stack in pair.stacks.values():
            for tcb in stack.connections.values():
                tcb.check()
        if not more:
            break
    for end in (client, server) * 20:
        if end is not None:
            end.act()  # what is left in the buffers
    for records in (end.events for end in pair.ends.values()):
        assert all((m.old, m.new, m.clause) in LEGAL for m in records if isinstance(m, Moved))
    ends = [client] if server is None else [client, server]
    failures = [error for end in ends if (error := end.error or end.socket.tcb.error) is not None]
    if server is not None and not failures:
        assert bytes(server.got) == client.data
        assert bytes(client.got) == server.data
    else:
        assert failures
        assert all(isinstance(error, ConnectionTimedOut | ConnectionReset) for error in failures)
    if distribution[0] == 0:
        assert all(end.ended for end in ends)


# The wrap


def _trace(iss: int, peer: int, config: TcpConfig) -> list[tuple[Any, ...]]:
    """Open, 3 kB there, 100 bytes back, close, over a path that loses and reorders a little; numbers from the ISSs."""

    def link(now: float, who: str, segment: Segment, nth: int) -> list[float]:
        return [] if nth == 5 else [0.09] if nth % 4 == 3 else [0.05]

    pair = Pair(config.replace(isn=ConstantIsn(iss)), config.replace(isn=ConstantIsn(peer)), link=link)
    client, server = pair.connect(wait=8)
    pair.send(client, bytes(range(250)) * 12)
    pair.run(20)
    assert pair.read(server) == bytes(range(250)) * 12
    pair.send(server, bytes(100))
    pair.shutdown(client)
    pair.run(40)
    assert pair.read(client) == bytes(100)
    pair.shutdown(server)
    pair.run(60)
    assert client.state is TIME_WAIT
    assert server.state is CLOSED
    base = {"a": (iss, peer), "b": (peer, iss)}
    assert all(0 <= s.seq <= MASK and 0 <= s.ack <= MASK for _, _, s, _ in pair.wire)
    return [
        (
            time,
            who,
            s.flags,
            (s.seq - base[who][0]) & MASK,
            (s.ack - base[who][1]) & MASK if s.flags & ACK else 0,
            s.window,
            s.payload,
        )
        for time, who, s, _ in pair.wire
    ]


@pytest.mark.parametrize("config", [rfc9293(), linux().replace(rto_after_syn_timeout=None)], ids=lambda c: c.name)
def test_the_wrap_at_every_offset(config: TcpConfig) -> None:
    """ISS = 2**32 - k for k = 0 to 3,005, so that every number of the exchange is the wrap once: the trace of ISS 0.

    The client's numbers wrap, then the server's (201 offsets), then both at once, half the space apart and together.
    """
    plain = _trace(0, 0, config)
    assert any(s[6] for s in plain)
    step = 1 if config.name == "rfc9293" else 13
    for k in range(0, 3006, step):
        assert _trace(-k & MASK, 0, config) == plain, k
    for k in range(0, 201, step):
        assert _trace(0, -k & MASK, config) == plain, k
        assert _trace(-15 * k & MASK, -k & MASK, config) == plain, k
        assert _trace((HALF - 15 * k) & MASK, (HALF - k) & MASK, config) == plain, k
