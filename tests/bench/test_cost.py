"""Cost of a connection and of a half-open record, as ratios to a bare SimPy loop in the same process.

    python -m pytest tests/bench

The bare loop is fixed: a fresh Environment, one process, 18 ``yield env.timeout(1)``. Loop and subject are timed in
turn, in small blocks of CPU time: a busy machine slows both. The ratio is that of the medians. Nothing here asserts on
time.
"""

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


def bare() -> None:
    """The unit of cost."""
    env = simpy.Environment()

    def process() -> Generator[Any, Any, None]:
        for _ in range(18):
            yield env.timeout(1)

    env.process(process())
    env.run()


def client(host: Host, size: int) -> Generator[Any, Any, None]:
    """Open, move ``size`` bytes each way, close."""
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
    """One connection in a world of its own, 50 ms each way, untraced."""
    world = World(seed=seed)
    a, b = world.host("client"), world.host("server")
    world.link(a, b, Path(delay=0.05, loss=loss))
    world.process(server(b, size))
    world.process(client(a, size))
    world.run()
    return world


def block(run: Callable[[int], Any], first: int) -> float:
    start = time.thread_time()
    for number in range(first, first + BLOCK):
        run(number)
    return (time.thread_time() - start) / BLOCK


def compare(run: Callable[[int], Any]) -> tuple[float, float]:
    """Median seconds of the bare loop and of ``run``, timed in turn."""
    pairs = [(block(lambda _: bare(), 0), block(run, n * BLOCK)) for n in range(ROUNDS)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def report(benchmark: Any, name: str, run: Callable[[int], Any]) -> None:
    loop, cost = compare(run)
    benchmark.extra_info["ratio"] = round(cost / loop, 2)
    print(f"\n{name:44s} {cost * 1e6:9.1f} us  bare {loop * 1e6:6.1f} us  ratio {cost / loop:6.2f}")
    benchmark.pedantic(run, args=(0,), rounds=5, iterations=1)


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3])
def test_open_and_close(benchmark: Any, loss: float) -> None:
    world = connection(1, loss=0.0, size=0)
    assert sum(h.counters.TcpOutSegs for h in world.hosts.values()) == 7
    report(benchmark, f"open and close, loss {loss}", lambda n: connection(n, loss=loss, size=0))


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_ten_kilobytes_each_way(benchmark: Any, loss: float) -> None:
    report(benchmark, f"10 kB each way, loss {loss}", lambda n: connection(n, loss=loss, size=10_000))


def test_row_of_a_sweep(benchmark: Any) -> None:
    params = setup.Params()
    report(benchmark, "row of scenario setup, loss 0.1", lambda n: setup.run(params, Seed(1, "bench", n)))


def test_per_segment_of_a_transfer(benchmark: Any) -> None:
    world = connection(1, loss=0.0, size=1_000_000)
    segments = sum(h.counters.TcpOutSegs for h in world.hosts.values())
    start = time.perf_counter()
    connection(1, loss=0.0, size=1_000_000)
    per_segment = (time.perf_counter() - start) / segments
    print(f"\n1 MB each way: {segments} segments, {per_segment * 1e6:.1f} us each")
    benchmark.extra_info["us_per_segment"] = round(per_segment * 1e6, 1)
    benchmark.pedantic(connection, args=(1,), kwargs={"loss": 0.0, "size": 100_000}, rounds=3, iterations=1)


def test_memory_of_half_open_connections(benchmark: Any) -> None:
    entries = 100_000
    stack = Stack("server", lambda name: Seed(1).stream(name))
    stack.config = stack.config.replace(somaxconn=entries + 1)
    listener = stack.listen(80, entries + 1)
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
    assert listener.half_open == entries
    print(f"\n{entries} half-open connections: {used / entries:.0f} bytes each")
    benchmark.extra_info["bytes"] = round(used / entries)
    benchmark.pedantic(lambda: None, rounds=1)
