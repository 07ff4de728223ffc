"""Attacks: forged segments arrive like any other, the trace knows them, and floods draw the answers they should."""

import itertools
import random
from statistics import fmean

import pytest

from netsim.link import Path
from netsim.sim import World
from netsim.sim.attacks import Forger, botnet, flood, interarrival_times, own_addresses, send_each, spoofed_sources
from netsim.tcp.config.profiles import profile
from netsim.tcp.segment import ACK, RST, SYN, FourTuple, Segment
from netsim.tcp.state import ESTABLISHED, SYN_RECEIVED
from netsim.trace.events import Arrived, Decided, Sent

# Forged segments


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


def test_a_silent_address_gets_the_answers_and_sends_nothing() -> None:
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


# Floods


def attacked(*, backlog: int = 100, loss: float = 0.0, trace: bool = False) -> tuple[World, dict[str, object]]:
    world = World(trace=trace)
    server, attacker = world.host("server"), world.host("attacker")
    world.link(attacker, server, Path(delay=0.01, loss=loss))
    server.socket().listen(80, backlog)
    return world, {"server": server, "attacker": attacker}


def syn(k: int) -> Segment | None:
    return Segment(FourTuple(f"s{k}", 1000, "server", 80), k, 0, SYN, 1000) if k < 20 else None


def test_what_a_flood_sends_is_marked_and_so_is_what_it_causes() -> None:
    world, _ = attacked(trace=True)
    attacker = world.hosts["attacker"]
    world.process(send_each(attacker, itertools.repeat(0.1), syn))
    world.run(until=3.0)
    sent = [r for r in world.trace.events if type(r) is Sent]
    forged = [r.packet for r in sent if r.packet.forged]
    assert [p.sent_at for p in forged] == [(k + 1) * 100_000_000 for k in range(20)]
    assert {r.host for r in sent if r.packet.forged} == {"attacker"}
    assert [r.time - r.packet.sent_at for r in world.trace.events if type(r) is Arrived] == [10_000_000] * 20
    answers = [r for r in sent if not r.packet.forged]
    assert {(r.host, r.packet.segment.flags, r.cause) for r in answers} == {("server", SYN | ACK, "no route")}
    decided = [r for r in world.trace.events if type(r) is Decided and r.packet is not None]
    assert decided
    assert all(r.packet is not None and r.packet.forged for r in decided)


def test_silent_sources_leave_their_entries_and_owners_reset_them() -> None:
    for owned, left in ((False, 50), (True, 0)):
        world, _ = attacked()
        server, attacker = world.hosts["server"], world.hosts["attacker"]
        sources = spoofed_sources(7)
        if owned:
            bystander = world.host("bystander")
            world.link(server, bystander, Path(delay=0.02))
            own_addresses(bystander, server, sources)
        gaps = itertools.chain([0.01] * 50, [1e6])
        world.process(flood(attacker, ("server", 80), sources=sources, gaps=gaps, stream=random.Random(1)))
        world.run(until=0.6)
        assert server.states.get(SYN_RECEIVED, 0) == left
        if owned:
            assert world.hosts["bystander"].counters.TcpOutRsts == 50


def test_no_four_tuple_repeats() -> None:
    world, _ = attacked(backlog=4096)
    gaps = itertools.chain([0.0] * 1000, [1e6])
    flooding = flood(world.hosts["attacker"], ("server", 80), sources=["a", "b"], gaps=gaps, stream=random.Random(1))
    world.process(flooding)
    world.run(until=0.5)
    assert world.hosts["server"].states == {SYN_RECEIVED: 1000}


def test_a_botnet_completes_its_handshakes() -> None:
    world, _ = attacked(backlog=10)
    world.process(botnet(world.hosts["attacker"], ("server", 80), gaps=itertools.chain([0.1] * 12, [1e6])))
    world.run(until=3.0)
    assert world.hosts["server"].states == {ESTABLISHED: 10}  # nobody accepts: the accept queue is full
    assert world.hosts["server"].counters.TcpExtListenOverflows >= 2


@pytest.mark.parametrize("arrivals", ["poisson", "constant", "bursts"])
def test_rates(arrivals: str) -> None:
    """10,000 arrivals at 50 a second: 200 s, within 5 standard errors (bursts of 4: 2,500 of them)."""
    gaps = list(itertools.islice(interarrival_times(arrivals, 50.0, random.Random(3), burst=4), 10_000))  # type: ignore[arg-type]
    assert fmean(gaps) == pytest.approx(0.02, rel=1e-9 if arrivals == "constant" else 0.1)
    assert gaps.count(0.0) == (7500 if arrivals == "bursts" else 0)


def test_what_a_flood_cannot_do() -> None:
    world, _ = attacked()
    attacker = world.hosts["attacker"]
    with pytest.raises(ValueError, match="peer = 'attacker': must be a host with a link to 'attacker'"):
        attacker.alias("x", attacker)
    with pytest.raises(ValueError, match="rate = 0"):
        next(interarrival_times("poisson", 0.0, random.Random(1)))
    with pytest.raises(ValueError, match="arrivals = 'often': must be poisson, constant or bursts"):
        next(interarrival_times("often", 1.0, random.Random(1)))  # type: ignore[arg-type]
