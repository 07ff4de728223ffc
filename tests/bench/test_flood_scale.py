"""A million SYNs against one listener: time and memory of the run, and whether a SYN costs more among many entries.

    python -m pytest tests/bench -m slow -k flood

Nothing here asserts on time: the costs are printed. Both floods of the comparison are timed in turn, in small blocks.
"""

import itertools
import random
import resource
import statistics
import time
from collections.abc import Callable

import pytest

from netsim.link import Path
from netsim.seeds import Seed
from netsim.sim import World
from netsim.sim.attacks import flood, spoofed_sources
from netsim.sim.network import NS
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.listening.listener import Listener

HOLD = 7.0  # s: SYN-ACKs at 0, 1 and 3 s, the end at 7 s
SPARE = 1.02  # the attacker sends as many times the SYNs that fill the queue


def flooded(alive: int) -> tuple[World, Listener, float]:
    """A server with room for ``alive`` entries, the flood that keeps it full, and the time (s) between its SYNs."""
    world = World(seed=Seed(1))
    server = world.host("server", rfc9293().replace(synack_retries=2, somaxconn=1 << 20))
    attacker = world.host("attacker")
    world.link(attacker, server, Path(delay=0.05))
    listener = server.socket()
    listener.listen(80, backlog=alive)
    assert listener.core.listener is not None
    gap = HOLD / alive / SPARE
    syns = flood(
        attacker,
        ("server", 80),
        sources=spoofed_sources(4094),
        gaps=itertools.repeat(gap),
        stream=random.Random(1),
    )
    world.process(syns)
    return world, listener.core.listener, round(gap * NS) / NS


@pytest.mark.slow
def test_a_million_syns_with_a_hundred_thousand_entries_alive(cost: Callable[[str], None]) -> None:
    syns, alive = 1_000_000, 100_000
    world, listener, gap = flooded(alive)
    start = time.process_time()
    world.run(until=(syns + 0.5) * gap + 0.05)
    took = time.process_time() - start
    counters = world.hosts["server"].counters
    assert counters.TcpInSegs == syns
    assert listener.syn_queue_length >= 0.999 * alive
    assert counters.TcpExtTCPSynRetrans > syns  # the SYN-ACKs of all these entries were retransmitted
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cost(f"{syns:,} SYNs, {alive:,} entries alive: {took:.0f} s, {took / syns * 1e6:.1f} us a SYN, {peak:.0f} MB")


@pytest.mark.slow
def test_the_cost_of_a_syn_in_a_flood_is_flat(cost: Callable[[str], None]) -> None:
    """1,000 entries alive against 100,000: each full for more than a hold, then blocks of 2,000 SYNs in turn."""
    block, rounds = 2000, 30
    floods = {alive: flooded(alive) for alive in (1000, 100_000)}
    for world, _, _ in floods.values():
        world.run(until=1.1 * HOLD)
    costs: dict[int, list[float]] = {alive: [] for alive in floods}
    for _ in range(rounds):
        for alive, (world, listener, gap) in floods.items():
            start = time.process_time()
            world.run(until=world.now + block * gap)
            costs[alive].append((time.process_time() - start) / block * 1e6)
            assert listener.syn_queue_length >= 0.95 * alive
    few, many = (statistics.median(costs[alive]) for alive in floods)
    cost(f"a SYN costs {few:.1f} us among 1,000 entries, {many:.1f} us among 100,000: {many / few:.2f} times")
