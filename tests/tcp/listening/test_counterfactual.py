"""The handshakes that RFC 9293 does not have, segment by segment: two-way and four-way."""

from collections import Counter

import pytest

from netsim.link import Path, Scripted, parse_fault
from netsim.sim import Host, World
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.trace.events import Sent
from tests.tcp.harness import BASE, RfcSolo, reach


def server(handshake: str, **changes: object) -> RfcSolo:
    return reach("LISTEN", BASE.replace(handshake=handshake, **changes))


@pytest.mark.parametrize(
    ("handshake", "sent", "state"),
    [
        ("three-way", ["<SEQ=1000><ACK=5001><CTL=SYN,ACK>"], "SYN-RECEIVED"),
        ("two-way", ["<SEQ=1000><ACK=5001><CTL=SYN,ACK>"], "ESTABLISHED"),
        ("four-way", ["<SEQ=1000><ACK=5001><CTL=ACK>", "<SEQ=1000><ACK=5001><CTL=SYN,ACK>"], "SYN-RECEIVED"),
    ],
)
def test_answer_to_a_syn(handshake: str, sent: list[str], state: str) -> None:
    lone = server(handshake)
    assert lone.arrive("SYN", 5000) == sent
    assert str(lone.connection.state) == state
    assert len(lone.stack.listeners[lone.connection.four_tuple.sport].accept_queue) == (state == "ESTABLISHED")


def test_two_way_retransmits_its_synack_for_a_retransmitted_syn_and_by_no_timer() -> None:
    lone = server("two-way")
    lone.arrive("SYN", 5000)
    assert lone.wait(1000.0) == []
    assert lone.arrive("SYN", 5000) == ["<SEQ=1000><ACK=5001><CTL=SYN,ACK>"]
    assert lone.arrive("SYN", 5001) == ["<SEQ=1001><ACK=5001><CTL=ACK>"]  # another SYN: challenge ACK, as ever
    assert str(lone.connection.state) == "ESTABLISHED"


def test_two_way_delivers_the_data_of_a_syn_immediately() -> None:
    lone = server("two-way")
    lone.arrive("SYN", 5000, data=b"twice?")
    assert bytes(lone.connection.rcv_buffer or b"") == b"twice?"


def test_two_way_needs_no_final_ack_and_tolerates_one() -> None:
    lone = server("two-way")
    lone.arrive("SYN", 5000)
    assert lone.arrive("ACK", 5001, 1001) == []
    assert lone.connection.snd_una == lone.connection.snd_nxt == 1001


def test_only_a_reset_ends_a_ghost_early() -> None:
    """A silent peer never ends it; keep-alive finds it after 7200 + 9 x 75 s."""
    lone = server("two-way")
    lone.arrive("SYN", 5000)
    lone.wait(1e6)
    assert str(lone.state) == "ESTABLISHED"
    lone.arrive("RST", 5001)
    assert lone.tcb is None
    lone = server("two-way", keepalive=True)
    lone.arrive("SYN", 5000)
    lone.wait(7874.9)
    assert lone.tcb is not None
    lone.wait(0.2)
    assert lone.tcb is None


@pytest.mark.parametrize("handshake", ["two-way", "three-way", "four-way"])
@pytest.mark.parametrize("profile", [rfc9293, linux])
@pytest.mark.parametrize("lost", ["", "SYN", "SYNACK", "HSACK"])
def test_data_is_delivered_whatever_segment_is_lost(handshake, profile, lost: str) -> None:
    world = World(trace=True)
    client = world.host("client", profile())
    host = world.host("server", profile().replace(handshake=handshake))
    stages = [Scripted([parse_fault(f"drop {lost} 1")])] if lost else []
    world.link(client, host, Path(stages=stages), Path(stages=stages))
    got: list[bytes] = []

    def serve(end: Host):
        listener = end.socket()
        listener.listen(80)
        sock = yield listener.accept()
        yield sock.send(b"greeting")
        got.append((yield sock.recv()))

    def ask(end: Host):
        sock = end.socket()
        yield sock.connect(("server", 80))
        got.append((yield sock.recv()))
        yield sock.send(b"request")

    world.process(serve(host))
    world.process(ask(client))
    world.run(until=60.0)
    assert got == [b"greeting", b"request"]
    states = Counter(str(tcb.state) for end in (client, host) for tcb in end.pump.stack.connections.values())
    assert states == {"ESTABLISHED": 2}
    if not lost:
        opening = [r.packet.segment for r in world.trace if isinstance(r, Sent)]
        before_text = next(k for k, segment in enumerate(opening) if segment.payload)
        assert before_text == {"two-way": 2, "three-way": 3, "four-way": 4}[handshake]
