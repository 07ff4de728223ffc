"""What a half-open connection costs the server that holds it."""

import gc
import tracemalloc

import pytest

from netsim.sim import World
from netsim.tcp.config.profiles import profile
from netsim.tcp.segment import SYN, FourTuple, Options, Segment
from netsim.tcp.state import SYN_RECEIVED


def bytes_per_entry(name: str, entries: int) -> float:
    """A host floods another with SYNs from spoofed sources; what tracemalloc finds more, divided by the entries.

    The sources have no link: SYN-ACKs vanish, and nothing but the server's own connections, keys and timers is left.
    """
    world = World()
    server = world.host("server", profile(name).replace(somaxconn=1 << 20))
    listener = server.socket()
    listener.listen(80, 1 << 20)
    gc.collect()
    gc.disable()  # as World.run does
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for k in range(entries):
            flow = FourTuple(f"s{k >> 8}", 1024 + (k & 0xFF), "server", 80)
            options = Options(mss=1460, wscale=7, sack_permitted=True, ts_val=k)
            server.pump.stack.on_segment(Segment(flow, k, 0, SYN, 65535, b"", options), 0)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert server.states == {SYN_RECEIVED: entries}
    assert listener.core.listener is not None
    assert listener.core.listener.syn_queue_length == entries
    return (after - before) / entries


@pytest.mark.parametrize(("name", "entries"), [("rfc9293", 20_000), ("linux", 5000)])
def test_a_syn_received_entry_takes_at_most_two_kilobytes(name: str, entries: int) -> None:
    assert bytes_per_entry(name, entries) <= 2048


def test_nothing_is_left_when_they_have_timed_out() -> None:
    world = World()
    server = world.host("server", "linux")
    server.socket().listen(80, 4096)
    for k in range(2000):
        flow = FourTuple(f"s{k}", 1024, "server", 80)
        server.pump.stack.on_segment(Segment(flow, k, 0, SYN, 65535), 0)
    assert len(server.connections) == 2000
    world.run()
    assert world.now == pytest.approx(63)
    assert not server.connections
    assert server.states == {}
