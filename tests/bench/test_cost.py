"""Cost of a connection and of a SYN-RECEIVED entry, as ratios to a bare SimPy loop in the same process.

    python -m pytest tests/bench

The bare loop is fixed: a fresh Environment, one process, 18 ``yield env.timeout(1)``. Loop and subject are timed in
turn, in small blocks of CPU time: a busy machine slows both. A ratio is the median over such pairs; their table is
printed at the end of the run. Nothing here asserts on time.
"""

import itertools
import statistics
import time
import tracemalloc
from collections.abc import Callable, Generator
from typing import Any

import pytest
import simpy

from netsim.link import Path
from netsim.scenarios import setup
from netsim.seeds import Seed
from netsim.sim import Host, World
from netsim.tcp.actions import Transmit
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import SYN, FourTuple, Options, Segment
from netsim.tcp.stack import Stack

BLOCK = 10  # runs timed together
ROUNDS = 200

Cost = Callable[[str], None]
pytestmark = pytest.mark.benchmark(timer=time.thread_time)


def bare() -> None:
    """The unit of cost."""
    env = simpy.Environment()

    def process() -> Generator[Any, Any, None]:
        for _ in range(18):
            yield env.timeout(1)

    env.process(process())
    env.run()


def client(host: Host, size: int) -> Generator[Any, Any, None]:
    """Open, move ``size`` bytes in each direction, close."""
    sock = host.socket()
    try:
        yield sock.connect(("server", 80))
        if size:
            yield sock.send(bytes(size))
            received = 0
            while received < size:
                received += len((yield sock.recv()))
        yield sock.close()
    except TcpError:
        return


def server(host: Host, size: int) -> Generator[Any, Any, None]:
    """Accept, answer ``size`` bytes with as many, close after the client."""
    listener = host.socket()
    listener.listen(80)
    sock = yield listener.accept()
    try:
        received = 0
        while text := (yield sock.recv()):
            received += len(text)
            if received == size:
                yield sock.send(bytes(size))
        yield sock.close()
    except TcpError:
        return


def connection(seed: int, *, loss: float, size: int) -> World:
    """One connection in a world of its own, 50 ms in each direction, untraced."""
    world = World(seed=seed)
    a, b = world.host("client"), world.host("server")
    world.link(a, b, Path(delay=0.05, loss=loss))
    world.process(server(b, size))
    world.process(client(a, size))
    world.run()
    return world


def report(benchmark: Any, cost: Cost, name: str, run: Callable[[int], Any]) -> None:
    """Time ``run`` in blocks, the bare loop before each, and note the median of the ratios."""
    loops: list[float] = []
    blocks = itertools.count()

    def loop() -> None:
        start = time.thread_time()
        for _ in range(BLOCK):
            bare()
        loops.append((time.thread_time() - start) / BLOCK)

    def block() -> None:
        first = next(blocks) * BLOCK
        for number in range(first, first + BLOCK):
            run(number)

    benchmark.pedantic(block, setup=loop, rounds=ROUNDS)
    unit, each = statistics.median(loops), benchmark.stats.stats.median / BLOCK
    ratio = statistics.median(t / BLOCK / loop for t, loop in zip(benchmark.stats.stats.data, loops, strict=True))
    benchmark.extra_info["ratio"] = round(ratio, 2)
    cost(f"{name:44s} {each * 1e6:9.1f} us  bare loop {unit * 1e6:6.1f} us  ratio {ratio:6.2f}")


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3])
def test_open_and_close(benchmark: Any, cost: Cost, loss: float) -> None:
    world = connection(1, loss=0.0, size=0)
    assert sum(h.counters.TcpOutSegs for h in world.hosts.values()) == 7
    report(benchmark, cost, f"open and close, loss {loss}", lambda n: connection(n, loss=loss, size=0))


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_ten_kilobytes_each_way(benchmark: Any, cost: Cost, loss: float) -> None:
    report(benchmark, cost, f"10 kB in each direction, loss {loss}", lambda n: connection(n, loss=loss, size=10_000))


def test_row_of_a_sweep(benchmark: Any, cost: Cost) -> None:
    params = setup.Params()
    report(benchmark, cost, "row of scenario setup, loss 0.1", lambda n: setup.run(params, Seed(1, "bench", n)))


def test_per_segment_of_a_transfer(benchmark: Any, cost: Cost) -> None:
    world = connection(1, loss=0.0, size=1_000_000)
    segments = sum(h.counters.TcpOutSegs for h in world.hosts.values())
    benchmark.pedantic(connection, args=(1,), kwargs={"loss": 0.0, "size": 1_000_000}, rounds=7)
    each = benchmark.stats.stats.median / segments
    benchmark.extra_info["us_per_segment"] = round(each * 1e6, 1)
    cost(f"{'a segment of 1 MB in each direction':44s} {each * 1e6:9.1f} us  ({segments} segments)")


def test_memory_of_half_open_connections(cost: Cost) -> None:
    entries = 100_000
    stack = Stack("server", lambda name: Seed(1).stream(name))
    stack.config = stack.config.replace(somaxconn=entries + 1)
    listener, _ = stack.listen(80, entries + 1)
    syn = Options(mss=1460)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(entries):
        flow = FourTuple(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 1024, "server", 80)
        actions = stack.on_segment(Segment(flow, number, 0, SYN, 65535, b"", syn), number)
        assert isinstance(actions[0], Transmit)
    del actions, flow
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert listener.syn_queue_length == entries
    cost(f"{f'a half-open connection among {entries:,}':44s} {used / entries:9.0f} bytes")
