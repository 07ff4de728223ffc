"""Forged segments: they arrive like any other, the trace knows them, replies go where they claim to come from."""

import pytest

from netsim import Path, World
from netsim.sim.attacks import Forger
from netsim.tcp.config.profiles import profile
from netsim.tcp.segment import RST, SYN, FourTuple, Segment
from netsim.tcp.state import ESTABLISHED
from netsim.trace.events import Sent


def world_with_mallory(server_profile: str = "rfc793") -> tuple[World, Forger]:
    world = World(seed=1, trace=True)
    client, server = world.host("client"), world.host("server", server_profile)
    mallory = world.host("mallory")
    world.link(client, server, Path(delay=0.05))
    world.link(mallory, server, Path(delay=0.01))
    server.socket().listen(80)
    return world, Forger(mallory)


def test_a_forged_reset_ends_the_connection_of_another() -> None:
    world, forger = world_with_mallory()
    sock = world.hosts["client"].socket()
    sock.bind(4000)
    sock.connect(("server", 80))
    world.run(until=1.0)
    (tcb,) = world.hosts["server"].pump.stack.connections.values()
    assert tcb.state is ESTABLISHED
    forger.send(Segment(FourTuple("client", 4000, "server", 80), tcb.rcv_nxt + 100, 0, RST, 0))
    world.run(until=1.005)
    assert tcb.state is ESTABLISHED  # on its way: 10 ms
    world.run(until=2.0)
    assert not world.hosts["server"].pump.stack.connections
    assert sock.state is ESTABLISHED  # the client knows nothing
    assert "forged" in world.trace.ladder()
    assert [r.packet.forged for r in world.trace.events if isinstance(r, Sent)].count(True) == 1


def test_a_silent_address_gets_the_answers_and_says_nothing() -> None:
    """Five SYN-ACK retransmissions to nobody, then the entry is gone: 63 s."""
    world, forger = world_with_mallory("linux_classic")
    forger.send(Segment(FourTuple("nobody", 1234, "server", 80), 1, 0, SYN, 1000))
    world.run(until=62.9)
    (listener,) = world.hosts["server"].pump.stack.listeners.values()
    assert listener.syn_queue_length == 1
    world.run(until=68.0)
    assert listener.syn_queue_length == 0
    assert world.hosts["server"].counters.TcpOutSegs == 1 + profile("linux_classic").synack_retries


def test_the_path_of_the_forger_counts() -> None:
    world = World(seed=1)
    server, mallory = world.host("server"), world.host("mallory")
    world.link(mallory, server, Path(loss=1.0))
    server.socket().listen(80)
    Forger(mallory).send(Segment(FourTuple("nobody", 1, "server", 80), 1, 0, SYN, 1000))
    world.run(until=1.0)
    assert server.counters.TcpInSegs == 0


def test_a_forger_needs_a_link() -> None:
    _, forger = world_with_mallory()
    with pytest.raises(ValueError, match="destination = 'client': must be a host with a link to 'mallory'"):
        forger.send(Segment(FourTuple("server", 80, "client", 4000), 1, 0, RST, 0))
