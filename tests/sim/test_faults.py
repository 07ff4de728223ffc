"""Scripted faults strike the packets that they name."""

import pytest

from netsim.link import Path, Scripted
from netsim.trace.events import Sent
from tests.sim.programs import Run, ask, echo, pair

FAULTS = [
    # rule, sender, the packets that it must lose: letters of their flags, bytes of their data
    ("drop SYN 1", "a", [("S", 0)]),
    ("drop SYN 1-2", "a", [("S", 0), ("S", 0)]),
    ("drop SYNACK 1", "b", [("SA", 0)]),
    ("drop HSACK 1", "a", [("A", 0)]),
    ("drop DATA 1", "a", [("PA", 5)]),
    ("drop FIN 1", "a", [("FA", 0)]),
    ("drop ACKFIN 1", "b", [("A", 0)]),
    ("drop FIN 1", "b", [("FA", 0)]),
    ("drop ACKFIN 1", "a", [("A", 0)]),
    ("drop ANY 1-3", "a", [("S", 0), ("S", 0), ("S", 0)]),
    ("drop RST 1", "a", []),
]


def _letters(flags: int) -> str:
    return "".join(letter for bit, letter in ((1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "A")) if flags & bit)


@pytest.mark.parametrize(("rule", "side", "lost"), FAULTS)
def test_scripted_faults_hit_what_they_name(rule: str, side: str, lost: list[tuple[str, int]]) -> None:
    """A client that waits a second, sends five bytes and closes a second later; the server closes a second after."""
    faulty = Path(stages=[Scripted(rule)])
    world, a, b = pair(faulty if side == "a" else Path(), faulty if side == "b" else Path(), trace=True)
    done: list[bytes] = []

    def server() -> Run:
        listener = b.socket()
        yield listener.listen(80)
        connection = yield listener.accept()
        text = b""
        while part := (yield connection.recv()):
            text += part
        yield world.timeout(1)
        yield connection.close()
        done.append(text)

    def client() -> Run:
        socket = a.socket()
        yield socket.connect((b, 80))
        yield world.timeout(1)
        yield socket.send(b"hello")
        yield world.timeout(1)
        yield socket.shutdown()
        while (yield socket.recv()):
            pass

    world.process(server())
    world.process(client())
    world.run()
    sent = [event for event in world.trace if isinstance(event, Sent)]
    gone = [event for event in sent if not event.arrivals]
    assert [(_letters(r.packet.segment.flags), len(r.packet.segment.payload)) for r in gone] == lost
    assert {r.host for r in gone} <= {side}
    assert {r.cause for r in gone} <= {"scripted"}
    assert done == [b"hello"]
    if "HSACK" in rule:
        assert gone[0].packet.number == 3
    if "ACKFIN" in rule:
        fin = next(r for r in sent if r.host != side and r.packet.segment.flags & 1)
        assert gone[0].packet.segment.ack == (fin.packet.segment.seq + 1) & 0xFFFFFFFF
        assert gone[0].packet.number > fin.packet.number


def test_delayed_and_copied_packets() -> None:
    world, a, b = pair(Path(stages=[Scripted("delay SYN 1 0.3; dup HSACK 1 0.5")]), Path(), trace=True)
    world.process(echo(b))
    world.process(ask(a, b, b"x", []))
    world.run(0.6)
    first, third = (r for r in world.trace if isinstance(r, Sent) and r.host == "a" and r.packet.number in (1, 3))
    assert first.arrivals == (350_000_000,)
    assert third.arrivals == (450_000_000 + 0, 950_000_000)
