"""Authenticated segments: a host without the key has no effect at all, and hears nothing (RFC 5925 7.3)."""

import dataclasses
import hashlib
import hmac

import pytest

from netsim import Path, World
from netsim.tcp import clauses
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.counters import Counters
from netsim.tcp.segment import ACK, PSH, RST, SYN, FourTuple, Options, Segment
from netsim.tcp.segment_arrives.authentication import mac_of, refused_by_mac, sign
from netsim.tcp.stack import Stack
from netsim.tcp.state import ESTABLISHED, LISTEN, SYN_RECEIVED, SYN_SENT
from netsim.tcp.user_calls import abort, send
from tests.tcp.harness import PEER_ISS, TO_PORT_80, Solo

KEY = "a secret"
CONFIG = TcpConfig(authentication_key=KEY, delayed_ack=None)
IN = FourTuple("b", 80, "a", 4000)


def signed(flags: int, seq: int, ack: int = 0, *, data: bytes = b"", key: str = KEY, **options: int) -> Segment:
    segment = Segment(IN, seq, ack, flags, 65535, data, Options(**options) if options else None)  # type: ignore[arg-type]
    sign(segment, key)
    return segment


def opened(config: TcpConfig = CONFIG, **options: int) -> Solo:
    """A connection with ISS 1000 and the peer's 5000, every segment of which was signed."""
    solo = Solo(config)
    solo.open()
    give(solo, signed(SYN | ACK, PEER_ISS, 1001, **options))
    assert solo.tcb.state is ESTABLISHED
    return solo


def give(solo: Solo, segment: Segment) -> list[Segment]:
    return solo.collect(solo.stack.on_segment(segment, solo.ns))


def test_the_mac_is_hmac_sha1_cut_to_96_bits() -> None:
    segment = Segment(IN, 1, 2, ACK, 3, b"data")
    head = b"('b', 80, 'a', 4000, 1, 2, 16, 3, 0, " + repr(Options()).encode() + b")"
    mac = mac_of(segment, KEY)
    assert mac == hmac.new(KEY.encode(), head + b"data", hashlib.sha1).digest()[:12]
    assert len(mac) * 8 == 96


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 2},
        {"ack": 3},
        {"flags": ACK | PSH},
        {"window": 4},
        {"payload": b"dat."},
        {"flow": FourTuple("c", 80, "a", 4000)},
        {"urgent": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_mac_covers_the_whole_segment(change: dict[str, object]) -> None:
    good = Segment(IN, 1, 2, ACK, 3, b"data")
    sign(good, KEY)
    counters = Counters()
    assert refused_by_mac(good, KEY, counters) == ""
    bad = dataclasses.replace(good, **change)  # type: ignore[arg-type]
    assert refused_by_mac(bad, KEY, counters) == clauses.WRONG_MAC
    assert good.options is not None
    other = dataclasses.replace(good, options=dataclasses.replace(good.options, mss=536))
    assert refused_by_mac(other, KEY, counters) == clauses.WRONG_MAC
    assert (counters.TcpExtTCPAOGood, counters.TcpExtTCPAOBad) == (1, 2)


def test_two_hosts_with_the_key_exchange_data_and_every_segment_is_signed() -> None:
    solo = opened(CONFIG.replace(timestamps=True), ts_val=7)
    assert solo.call(send, b"hello")[0].payload == b"hello"
    give(solo, signed(ACK, PEER_ISS + 1, 1006, data=b"world", ts_val=8))
    assert solo.read() == b"world"
    assert all(s.options is not None and s.options.mac == mac_of(s, KEY) for _, s in solo.log)
    assert len(solo.log) >= 4
    assert solo.stack.counters.TcpExtTCPAOGood == 2
    solo.call(abort)
    assert solo.log[-1][1].options is not None  # the RST is signed too


@pytest.mark.parametrize("key", [None, "another"], ids=["no MAC", "wrong key"])
@pytest.mark.parametrize(
    ("flags", "data"),
    [(RST, b""), (SYN, b""), (ACK, b"forged"), (SYN | ACK, b"")],
    ids=["RST", "SYN", "data", "SYN-ACK"],
)
@pytest.mark.parametrize("policy", ["rfc5961", "rfc793"])
def test_the_right_number_is_not_enough(policy: str, flags: int, data: bytes, key: str | None) -> None:
    """Sequence and acknowledgment numbers are exactly right; the connection does not even answer."""
    solo = opened(CONFIG.replace(rst_policy=policy, syn_policy=policy, ack_policy=policy))
    forged = Segment(IN, PEER_ISS + 1, 1001, flags, 65535, data)
    if key is not None:
        sign(forged, key)
    assert give(solo, forged) == []
    assert solo.tcb.state is ESTABLISHED
    assert solo.read() is None
    counters = solo.stack.counters
    assert (counters.TcpExtTCPAORequired, counters.TcpExtTCPAOBad) == ((1, 0) if key is None else (0, 1))


def test_without_the_key_the_same_segments_do_harm() -> None:
    """The counter-test of the one above: what the MAC keeps out would have been accepted."""
    solo = Solo(TcpConfig(rst_policy="rfc793"))
    solo.establish()
    solo.feed(RST, PEER_ISS + 1)
    assert solo.tcb.error is not None


def test_a_syn_without_a_mac_opens_nothing() -> None:
    solo = Solo(CONFIG)
    solo.stack.listen(80, 5)
    assert solo.feed(SYN, 77, flow=TO_PORT_80) == []
    assert not solo.stack.connections
    syn = Segment(TO_PORT_80, 77, 0, SYN, 65535)
    sign(syn, KEY)
    (answer,) = give(solo, syn)
    assert answer.options is not None
    assert answer.options.mac == mac_of(answer, KEY)
    (tcb,) = solo.stack.connections.values()
    assert tcb.state is SYN_RECEIVED
    assert solo.stack.listeners[80].state is LISTEN


def test_a_refusal_without_a_mac_does_not_stop_an_open() -> None:
    solo = Solo(CONFIG)
    solo.open()
    solo.feed(RST | ACK, 0, 1001)
    assert solo.tcb.state is SYN_SENT


def test_the_option_takes_sixteen_bytes_of_every_segment() -> None:
    """RFC 5925 2.2: kind, length, two key numbers, 12 bytes of MAC. 1460 - 16 = 1444 bytes of data remain."""
    solo = opened(mss=1460)
    assert solo.tcb.snd_mss == 1444
    assert solo.log[-1][1].wire_size == 40 + 16


@pytest.mark.parametrize(
    "changes",
    [
        {"syn_cookies": "always"},
        {"handshake": "four-way"},
        {"handshake": "two-way"},
        {"timestamps": True, "sack": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_kind_of_open_is_signed(changes: dict[str, object]) -> None:
    """SYN cookies, the other handshakes, more options: no segment of either end is refused."""
    world = World(seed=1)
    client, server = world.host("client", CONFIG), world.host("server", CONFIG.replace(**changes))
    world.link(client, server, Path(delay=0.05))
    heard = []

    def speak():
        sock = client.socket()
        yield sock.connect(("server", 80))
        yield sock.send(b"hello")
        sock.close()

    def serve():
        listener = server.socket()
        listener.listen(80)
        sock = yield listener.accept()
        heard.append((yield sock.recv()))
        sock.close()

    world.process(speak())
    world.process(serve())
    world.run(until=10.0)
    assert heard == [b"hello"]
    for host in (client, server):
        counters = host.counters
        assert (counters.TcpExtTCPAORequired, counters.TcpExtTCPAOBad) == (0, 0)
        assert counters.TcpExtTCPAOGood >= counters.TcpInSegs > 0
        assert counters.TcpRetransSegs == 0


def test_a_stack_without_a_key_ignores_macs() -> None:
    solo = Solo()
    solo.establish()
    assert isinstance(solo.stack, Stack)
    assert solo.log[-1][1].options is None
    assert solo.stack.counters.TcpExtTCPAOGood == 0
