"""The cost of processing: first come first served, worked by hand and against the queueing formula."""

import math
import statistics

import pytest

from netsim import Path, World
from netsim.tcp.config.config import TcpConfig


def opened_at(**cost: float) -> float:
    """When a client 50 ms away is ESTABLISHED, the server paying the cost."""
    world = World(seed=1)
    client, server = world.host("client"), world.host("server", **cost)
    world.link(client, server, Path(delay=0.05))
    times = []

    def connect():
        yield client.socket().connect(("server", 80))
        times.append(world.now)

    server.socket().listen(80)
    world.process(connect())
    world.run(until=5.0)
    return times[0]


def test_processing_costs_no_time_by_default() -> None:
    assert opened_at() == pytest.approx(0.1, abs=1e-12)
    assert World(seed=1).host("a").processor is None


def test_a_busy_host_answers_late() -> None:
    """The SYN has no data: 20 ms for the segment, nothing for bytes."""
    assert opened_at(cpu_per_segment=0.02, cpu_per_byte=1.0) == pytest.approx(0.12, abs=1e-9)


def test_segments_wait_for_those_before_them() -> None:
    """Two segments of 1000 bytes at 0 s take 3 ms + 1000 x 1 us each: done at 54 and 58 ms, behind 50 ms of path."""
    world = World(seed=1)
    client, server = world.host("client"), world.host("server", cpu_per_segment=0.003, cpu_per_byte=1e-6)
    world.link(client, server, Path(delay=0.05))
    times = []

    def send():
        sock = client.socket(TcpConfig(mss=1000))
        yield sock.connect(("server", 80))
        yield world.timeout(1.0 - world.now)
        yield sock.send(b"x" * 2000)

    def serve():
        listener = server.socket()
        listener.listen(80)
        sock = yield listener.accept()
        for _ in range(2):
            yield sock.recv(1000)
            times.append(round(world.now - 1.0, 9))

    world.process(send())
    world.process(serve())
    world.run(until=3.0)
    assert times == [0.054, 0.058]
    assert server.processor is not None
    assert server.processor.load == pytest.approx((2 * 0.003 + 2 * 0.004) / 3.0)  # SYN, ACK, two segments


def test_the_wait_is_that_of_a_queue_with_poisson_arrivals() -> None:
    """SYNs at 60 a second, 10 ms each: load .6, mean wait rho S / (2 (1 - rho)) = 7.5 ms (Pollaczek and Khinchine).

    10 runs of 1,500 SYNs; t interval of their means with 9 degrees of freedom, alpha = .001.
    """
    means = []
    for seed in range(10):
        world = World(seed=seed)
        client, server = world.host("client"), world.host("server", cpu_per_segment=0.01)
        world.link(client, server, Path(delay=0.0))
        stream = world.seed.stream("arrivals")
        waits = []

        def connect(world=world, client=client, waits=waits):
            begun = world.now
            try:
                yield client.socket().connect(("server", 80))
            except Exception:
                waits.append(world.now - begun)

        def arrivals(world=world, stream=stream, connect=connect):
            for _ in range(1500):
                yield world.timeout(stream.expovariate(60.0))
                world.process(connect())

        world.process(arrivals())  # nobody listens: a RST answers each SYN, and the client sends no final ACK
        world.run()
        means.append(statistics.fmean(waits) - 0.01)
    error = statistics.stdev(means) / math.sqrt(len(means))
    assert abs(statistics.fmean(means) - 0.0075) < 4.78 * error
    assert error < 0.001


@pytest.mark.parametrize("cost", [-1.0, math.nan, math.inf, 1e7])
@pytest.mark.parametrize("name", ["cpu_per_segment", "cpu_per_byte"])
def test_a_cost_is_a_time(name: str, cost: float) -> None:
    with pytest.raises(ValueError, match=f"{name} = "):
        World(seed=1).host("a", **{name: cost})
