"""Runs whose ladders and digests are kept: each name is a function of a profile that gives a world already run."""

from collections.abc import Callable, Generator
from typing import Any

from simpy import Event

from netsim.link import Path, Scripted
from netsim.sim import Host, Socket, World
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.errors import TcpError

Process = Generator[Event, Any, None]
Profile = str | TcpConfig


def pair(
    profile: Profile, forward: str = "", reverse: str = "", *, seed: int = 5, **path: Any
) -> tuple[World, Host, Host]:
    """A traced world with a client and a server, 50 ms apart; ``forward`` and ``reverse`` are scripted faults."""
    world = World(seed=seed, trace=True)
    client, server = world.host("client", profile), world.host("server", profile)

    def way(faults: str) -> Path:
        return Path(**{"delay": 0.05, **path}, stages=[Scripted(faults)] if faults else [])

    world.link(client, server, way(forward), way(reverse))
    return world, client, server


def speak(host: Host, peer: Host, data: bytes = b"", *, port: int | None = None) -> Process:
    """Connect, send ``data``, half-close, read to the end, close."""
    sock = host.socket()
    if port is not None:
        sock.bind(port)
    try:
        yield sock.connect((peer, 80))
        if data:
            yield sock.send(data)
        sock.shutdown()
        while (yield sock.recv()):
            pass
        sock.close()
    except TcpError:
        return


def serve(host: Host, count: int = 1, *, reply: bytes = b"") -> Process:
    """Accept ``count`` connections; for each read to the end, reply, close."""
    listener = host.socket()
    listener.listen(80)
    for _ in range(count):
        sock = yield listener.accept()
        host.world.process(_answer(sock, reply))


def _answer(sock: Socket, reply: bytes) -> Process:
    try:
        while (yield sock.recv()):
            pass
        if reply:
            yield sock.send(reply)
        sock.close()
    except TcpError:
        return


def talk(world: World, client: Host, server: Host, data: bytes = b"", reply: bytes = b"", count: int = 1) -> World:
    """One connection from start to end."""
    world.process(serve(server, count, reply=reply))
    world.process(speak(client, server, data))
    world.run(1000)
    return world


def open_close(profile: Profile) -> World:
    """A clean open and close with data in between."""
    return talk(*pair(profile), b"x" * 200)


def syn_lost(profile: Profile) -> World:
    """The first SYN is lost."""
    return talk(*pair(profile, "drop SYN 1"))


def synack_lost(profile: Profile) -> World:
    """The first SYN-ACK is lost."""
    return talk(*pair(profile, "", "drop SYNACK 1"))


def handshake_ack_lost(profile: Profile) -> World:
    """The handshake's final ACK is lost, and the client sends no data for a while."""
    world, client, server = pair(profile, "drop HSACK 1")

    def quiet() -> Process:
        sock = client.socket()
        yield sock.connect((server, 80))
        yield world.timeout(3.0)
        sock.close()

    world.process(serve(server))
    world.process(quiet())
    world.run(1000)
    return world


def last_ack_lost(profile: Profile) -> World:
    """The ACK of the server's FIN is lost: it is retransmitted in TIME-WAIT."""
    return talk(*pair(profile, "drop ACKFIN 1"))


def duplicate_syn(profile: Profile) -> World:
    """A copy of the SYN comes when all is over."""
    return talk(*pair(profile, "dup SYN 1 0.3"), b"x" * 100)


def simultaneous_open(profile: Profile) -> World:
    """Both connect, both close."""
    world, left, right = pair(profile)

    def meet(host: Host, peer: Host, mine: int, yours: int) -> Process:
        sock = host.socket()
        sock.bind(mine)
        yield sock.connect((peer, yours))
        sock.close()

    world.process(meet(left, right, 1000, 2000))
    world.process(meet(right, left, 2000, 1000))
    world.run(1000)
    return world


def closed_port(profile: Profile) -> World:
    """Nobody listens."""
    world, client, server = pair(profile)
    world.process(speak(client, server))
    world.run(1000)
    return world


def no_answer(profile: Profile) -> World:
    """Everything is lost."""
    return talk(*pair(profile, loss=1.0))


def data_lost(profile: Profile) -> World:
    """The second of several data segments is lost."""
    return talk(*pair(profile, "drop DATA 2"), b"x" * 6000, b"y" * 100)


def aborted(profile: Profile) -> World:
    """The client aborts while the server waits for more."""
    world, client, server = pair(profile)

    def leave() -> Process:
        sock = client.socket()
        yield sock.connect((server, 80))
        yield sock.send(b"x" * 10)
        yield world.timeout(1.0)
        sock.abort()

    world.process(serve(server))
    world.process(leave())
    world.run(1000)
    return world


def reopened(config: TcpConfig) -> World:
    """Data of a first incarnation arrives during the second one of the same four-tuple."""
    world, client, server = pair(config, "dup DATA 1 0.5")

    def twice() -> Process:
        yield world.process(speak(client, server, b"old" * 20, port=5000))
        yield world.timeout(0.05)
        sock = client.socket()
        sock.bind(5000)
        yield sock.connect((server, 80))
        yield world.timeout(0.35)
        yield sock.send(b"new" * 10)
        sock.close()

    world.process(serve(server, 2))
    world.process(twice())
    world.run(1.0)
    return world


def stale_dropped(config: TcpConfig) -> World:
    """... and the window keeps it out."""
    return reopened(config.replace(time_wait=0.01))


def stale_accepted(config: TcpConfig) -> World:
    """... and with a constant ISN it is taken."""
    return reopened(config.replace(time_wait=0.01, isn=ConstantIsn()))


def three_hosts(profile: Profile) -> World:
    """Two clients of one server, one of them with two connections."""
    world = World(seed=3, trace=True)
    alice, bob, carol = (world.host(name, profile) for name in ("alice", "bob", "carol"))
    world.link(alice, bob, Path(delay=0.05))
    world.link(carol, bob, Path(delay=0.02))
    world.process(serve(bob, 3))
    for client in (alice, carol, carol):
        world.process(speak(client, bob, b"x"))
    world.run(1000)
    return world


def weather(profile: Profile) -> World:
    """Loss, copies and reordering, data in both directions."""
    path: dict[str, Any] = {
        "loss": 0.3,
        "duplicate": 0.1,
        "duplicate_delay": 0.2,
        "reorder": 0.2,
        "reorder_delay": 0.03,
    }
    return talk(*pair(profile, **path), b"x" * 20_000, b"y" * 5_000)


LADDERS: dict[str, Callable[[Any], World]] = {
    run.__name__: run
    for run in (
        open_close,
        syn_lost,
        synack_lost,
        handshake_ack_lost,
        last_ack_lost,
        duplicate_syn,
        simultaneous_open,
        closed_port,
        no_answer,
        data_lost,
        aborted,
        stale_dropped,
        stale_accepted,
        three_hosts,
    )
}
DIGESTS: dict[str, Callable[[Any], World]] = {
    run.__name__: run for run in (open_close, synack_lost, simultaneous_open, closed_port, data_lost, weather)
}
