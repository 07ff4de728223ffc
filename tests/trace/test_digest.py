"""The digest identifies a run: nothing that matters is left out, nothing else gets in."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from netsim.tcp.actions import Accepted, Allocated, Dropped, Freed, Moved
from netsim.tcp.clauses import CHECK_1_SEQUENCE, LISTEN_3_SYN, OPEN, SEND
from netsim.tcp.errors import ConnectionRefused
from netsim.tcp.segment import ACK, SYN, FourTuple, Options, Segment
from netsim.tcp.state import CLOSED, LISTEN, SYN_RECEIVED, SYN_SENT
from netsim.trace import Trace
from netsim.trace.events import Arrived, Called, Decided, Packet, Sent

HERE = Path(__file__).parent


def by_hand() -> Trace:
    """One event of each kind, made without a simulator."""
    flow = FourTuple("a", 1000, "b", 80)
    syn = Packet(1, Segment(flow, 7, 0, SYN, 65535, b"text", Options(mss=1460, ts_val=5)), "a", 10, 1, 1)
    trace = Trace()
    trace.events = [
        Called(0, "a", "call", "connect", "b:80"),
        Decided(5, "a", Allocated(1, flow, CLOSED), None),
        Decided(5, "a", Moved(1, flow, CLOSED, SYN_SENT, OPEN), None),
        Sent(10, "a", syn, (20, 30), ""),
        Arrived(20, "b", syn, False),
        Decided(20, "b", Accepted(1, syn.segment, "SYN", LISTEN_3_SYN), syn),
        Decided(20, "b", Moved(1, flow.reverse(), LISTEN, SYN_RECEIVED, LISTEN_3_SYN), syn),
        Decided(30, "b", Dropped(1, syn.segment, CHECK_1_SEQUENCE), syn),
        Decided(40, "a", Freed(1, flow, "connection refused"), None),
        Called(40, "a", "return", "connect", ConnectionRefused()),
    ]
    return trace


BY_HAND = "878e0a83c7341a957b413561c7e086d4df1714a957819ae48d78f92e89284480"


def test_the_digest_is_the_same_on_every_python_and_machine() -> None:
    assert by_hand().digest() == BY_HAND


def change(index: int, path: str, value: object) -> Callable[[Trace], None]:
    """Set the attribute at ``path`` of an event."""

    def apply(trace: Trace) -> None:
        target: object = trace.events[index]
        *way, last = path.split(".")
        for name in way:
            target = getattr(target, name)
        assert getattr(target, last) != value
        setattr(target, last, value)

    return apply


CHANGES = [
    (0, "time", 1),
    (0, "host", "c"),
    (0, "phase", "return"),
    (0, "call", "listen"),
    (0, "detail", "b:81"),
    (1, "decision.connection", 2),
    (1, "decision.flow", FourTuple("a", 1001, "b", 80)),
    (1, "decision.state", LISTEN),
    (2, "decision.connection", 2),
    (2, "decision.old", LISTEN),
    (2, "decision.new", SYN_RECEIVED),
    (2, "decision.clause", SEND),
    (3, "time", 11),
    (3, "host", "b"),
    (3, "arrivals", (20,)),
    (3, "arrivals", ()),
    (3, "cause", "loss"),
    (3, "packet.number", 2),
    (3, "packet.connection", 2),
    (3, "packet.incarnation", 2),
    (3, "packet.forged", True),
    (3, "packet.timer", True),
    (3, "packet.segment.flow", FourTuple("a", 1000, "b", 81)),
    (3, "packet.segment.seq", 8),
    (3, "packet.segment.ack", 1),
    (3, "packet.segment.flags", SYN | ACK),
    (3, "packet.segment.window", 1),
    (3, "packet.segment.payload", b"texT"),
    (3, "packet.segment.payload", b""),
    (3, "packet.segment.urgent", 1),
    (3, "packet.segment.options", None),
    (3, "packet.segment.options.mss", 536),
    (3, "packet.segment.options.wscale", 0),
    (3, "packet.segment.options.sack_permitted", True),
    (3, "packet.segment.options.ts_val", 6),
    (3, "packet.segment.options.ts_ecr", 1),
    (3, "packet.segment.options.sack", ((1, 2),)),
    (4, "time", 21),
    (4, "stale", True),
    (5, "decision.what", "ACK"),
    (5, "decision.clause", "else"),
    (5, "packet", None),
    (7, "decision.clause", "else"),
    (8, "decision.outcome", ""),
]


@pytest.mark.parametrize(("index", "path", "value"), CHANGES, ids=[f"{i}-{p}-{v}" for i, p, v in CHANGES])
def test_any_change_changes_the_digest(index: int, path: str, value: object) -> None:
    trace = copy.deepcopy(by_hand())
    change(index, path, value)(trace)
    assert trace.digest() != BY_HAND


def test_order_and_number_of_events_matter() -> None:
    for events in (by_hand().events[:-1], by_hand().events[::-1], by_hand().events * 2):
        trace = Trace()
        trace.events = events
        assert trace.digest() != BY_HAND


def test_hash_seeds_do_not_matter() -> None:
    program = "from runs import weather; print(weather('linux').trace.digest())"
    digests = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout)
    assert len(digests) == 1
