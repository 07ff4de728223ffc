"""What a sceptical user found, and must not come back."""

import random

import pytest

from netsim.link import Path
from netsim.sim import World
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import linux, profile, rfc9293
from netsim.tcp.errors import ConnectionRefused, ConnectionReset
from netsim.tcp.segment import ACK, FIN, RST, SYN, URG, FourTuple, Options, Segment
from netsim.tcp.stack import Stack
from netsim.tcp.state import ESTABLISHED, SYN_RECEIVED, TIME_WAIT
from netsim.tcp.user_calls import close

KEY = FourTuple("a", 4000, "b", 80)  # as the peer writes it
S = 10**9


@pytest.mark.parametrize(
    "config",
    [
        rfc9293().replace(user_timeout=30.0),
        rfc9293().replace(user_timeout=100.0),
        rfc9293().replace(retries2=5, user_timeout=None),
        profile("windows"),
    ],
)
def test_a_connection_whose_probes_are_answered_is_never_given_up(config: TcpConfig) -> None:
    """RFC 9293 3.8.6.1, MUST-37: however long the window stays closed, and however far the probes are apart."""
    world = World(seed=1)
    a, b = world.host("a", config), world.host("b", rfc9293().replace(receive_buffer=2000))
    world.link(a, b, Path(delay=0.05))
    client, listener = a.socket(), b.socket()
    listener.listen(80)

    def run():  # type: ignore[no-untyped-def]
        yield client.connect((b, 80))
        yield client.send(bytes(6000))

    world.process(run())
    world.run(20_000)
    assert client.state is ESTABLISHED


def _in_time_wait(config: TcpConfig) -> Stack:
    """A stack that listens on port 80 and holds KEY in TIME-WAIT: SND.NXT 502, RCV.NXT 102, since 1 s."""
    stack = Stack("b", random.Random, config.replace(isn=ConstantIsn(500)))
    listener, _ = stack.listen(80, 5)
    stack.on_segment(Segment(KEY, 100, 0, SYN, 65535, b"", Options(mss=1460)), 0)
    stack.on_segment(Segment(KEY, 101, 501, ACK, 65535), 0)
    tcb = listener.accept_queue.popleft()
    close(tcb, 0)
    stack.on_segment(Segment(KEY, 101, 502, ACK | FIN, 65535), S)
    assert tcb.state is TIME_WAIT
    return stack


@pytest.mark.parametrize("rule", ["rfc1122", "rfc6191", "sequence-or-timestamp"])
def test_an_old_syn_leaves_time_wait_as_it_was(rule: str) -> None:
    """RFC 1122 4.2.2.13 (2): it returns to TIME-WAIT if the SYN turns out to be an old duplicate, and ends on time."""
    stack = _in_time_wait(rfc9293().replace(time_wait_reuse=rule))
    old = stack.connections[KEY]
    stack.on_segment(Segment(KEY, 9000, 0, SYN, 65535, b"", Options(mss=1460)), 10 * S)
    assert stack.connections[KEY].state is SYN_RECEIVED
    stack.on_segment(Segment(KEY, 9001, 0, RST, 0), 11 * S)
    assert stack.connections[KEY] is old
    stack.on_timer(241 * S - 1)
    assert old.state is TIME_WAIT
    stack.on_timer(241 * S)
    assert KEY not in stack.connections


@pytest.mark.parametrize("rule", ["rfc1122", "rfc6191", "sequence-or-timestamp"])
def test_a_syn_ack_opens_nothing_in_time_wait(rule: str) -> None:
    """MAY-2 is about a SYN alone. One with ACK meets the usual checks: a challenge ACK (3.10.7.4, fourth), no RST."""
    stack = _in_time_wait(rfc9293().replace(time_wait_reuse=rule))
    old = stack.connections[KEY]
    (answer,) = stack.on_segment(Segment(KEY, 9000, 502, SYN | ACK, 65535, b"", Options(mss=1460)), 10 * S)
    assert stack.connections[KEY] is old
    assert old.state is TIME_WAIT
    reply = answer.segment  # type: ignore[union-attr]
    assert (reply.seq, reply.ack, reply.flags) == (502, 102, ACK)


def test_linux_continues_behind_the_old_numbers() -> None:
    """tcp_minisocks.c: the ISS is tw_snd_nxt + 65535 + 2, whatever the clock says."""
    stack = _in_time_wait(linux().replace(timestamps=False))
    (answer, *_) = stack.on_segment(Segment(KEY, 9000, 0, SYN, 65535, b"", Options(mss=1460)), 10 * S)
    assert answer.segment.seq == 502 + 65535 + 2  # type: ignore[union-attr]


def test_a_crash_frees_every_record_in_the_trace() -> None:
    stack = _in_time_wait(rfc9293())
    stack.ctx.tracing = True
    assert [type(action).__name__ for action in stack.crash()] == ["Freed"]


def test_refused_is_a_kind_of_reset() -> None:
    """3.10.7.3 calls it "connection reset", 3.10.7.4 "connection refused"."""
    assert issubclass(ConnectionRefused, ConnectionReset)


@pytest.mark.parametrize("port", [0, -1, 65536, "http", 80.0, True])
def test_ports_are_checked(port: object) -> None:
    world = World()
    host = world.host("a")
    with pytest.raises(ValueError, match="port = "):
        host.socket().listen(port)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="port = "):
        host.socket().connect(("a", port))  # type: ignore[arg-type]


def test_backlogs_and_profiles_are_checked() -> None:
    world = World()
    with pytest.raises(ValueError, match="backlog = -3"):
        world.host("a").socket().listen(80, -3)
    with pytest.raises(ValueError, match="profile = None"):
        world.host("b", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("irs", [200, 2**31 + 5, 2**32 - 3])
def test_the_urgent_pointer_counts_from_its_segment(irs: int) -> None:
    """3.10.7.4, sixth: RCV.UP = max(RCV.UP, SEG.UP), where SEG.UP = SEG.SEQ + the pointer, wherever the numbers lie."""
    stack = Stack("b", lambda name: random.Random(name), rfc9293().replace(isn=ConstantIsn(0)))
    stack.listen(80, 1)
    first = (irs + 1) % 2**32
    stack.on_segment(Segment(KEY, irs, 0, SYN, 65535), S)
    stack.on_segment(Segment(KEY, first, 1, ACK, 65535), S)
    tcb = stack.connections[KEY]
    stack.on_segment(Segment(KEY, first, 1, ACK | URG, 65535, b"abcd", urgent=3), S)
    assert tcb.rcv_up == (irs + 4) % 2**32
    stack.on_segment(Segment(KEY, (irs + 5) % 2**32, 1, ACK | URG, 65535, b"efgh", urgent=2), S)
    assert tcb.rcv_up == (irs + 7) % 2**32
    stack.on_segment(Segment(KEY, (irs + 9) % 2**32, 1, ACK, 65535, b"i"), S)
    assert tcb.rcv_up == (irs + 7) % 2**32


def test_repeated_syns_draw_one_synack_in_half_a_second() -> None:
    """net.ipv4.tcp_invalid_ratelimit = 500 ms: sooner is too soon, after exactly as long it is not."""
    stack = Stack("b", lambda name: random.Random(name), linux())
    stack.listen(80, 1)
    syn = Segment(KEY, 100, 0, SYN, 65535)
    answers = {t: len(stack.on_segment(syn, round(t * S))) for t in (0.0, 0.1, 0.599999999, 0.6, 0.7)}
    assert answers == {0.0: 1, 0.1: 1, 0.599999999: 0, 0.6: 1, 0.7: 0}
