"""The exchanges of RFC 1337 between two complete hosts: no segment is forged, all old ones are delayed duplicates.

Two connections of one four-tuple, 50 ms in each direction. The client sends 160 and 80 bytes, closes first and is in
TIME-WAIT from 0.6 s on; where a delayed ACK has ended that (figure 1), the second connection begins with the same
numbers, at 1 s or, where fix F2 has put it off, at 3.5 s.
"""

from collections.abc import Callable, Generator
from typing import Any

from netsim.sim import Host, World
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import rfc793
from netsim.tcp.errors import TcpError
from tests.trace.runs import Process, pair

KILL = "dup ACK 2 0.4"  # from the server: it reaches the client at .8 s, in TIME-WAIT
LATER_KILL = "dup ACK 1 3.0"  # from the server: at 3.2 s, when the two seconds of fix F2 are over
LATER_TEXT = "dup DATA 2 4.0"  # from the client: at 4.35 s
LATER_ACK = "dup ACK 1 3.35; dup ACK 2 2.8"  # 3.55 s, in SYN-SENT; and 3.2 s, to end TIME-WAIT
OLD_TEXT = "dup DATA 2 1.5"  # from the client: it reaches the server at 1.85 s
OLD_ACK = "dup ACK 1 0.85; dup ACK 2 0.4"  # the first reaches the client at 1.05 s, in SYN-SENT


_RFC793: dict[str, Any] = {name: getattr(rfc793(), name) for name in ("rst_policy", "syn_policy", "ack_policy")}


def plain(config: TcpConfig) -> TcpConfig:
    """Equal numbers in both connections, every segment acknowledged at once and sent at once."""
    return config.replace(isn=ConstantIsn(), delayed_ack=None, nagle=False)


def _serve(host: Host) -> Process:
    listener = host.socket()
    listener.listen(80)
    while True:
        sock = yield listener.accept()
        host.world.process(_read(sock))


def _read(sock: Any) -> Process:
    try:
        while (yield sock.recv()):
            pass
        sock.close()
    except TcpError:
        return


def _first(world: World, client: Host) -> Generator[Any, Any, None]:
    sock = client.socket(reuse_address=True)
    sock.bind(5000)
    yield sock.connect(("server", 80))
    for size, at in ((160, 0.3), (80, 0.5)):
        yield sock.send(b"o" * size)
        yield world.timeout(at - world.now)
    sock.shutdown()
    while (yield sock.recv()):
        pass
    sock.close()


def _second(world: World, client: Host, begin: float, sends: tuple[float, ...]) -> Generator[Any, Any, None]:
    yield world.timeout(begin - world.now)
    sock = client.socket(reuse_address=True)
    sock.bind(5000)
    try:
        yield sock.connect(("server", 80))
        for at in sends:
            yield world.timeout(max(0.0, at - world.now))
            yield sock.send(b"n" * 100)
    except TcpError:
        return


def _run(
    config: TcpConfig,
    reverse: str,
    forward: str = "",
    *,
    sends: tuple[float, ...] | None,
    until: float,
    begin: float = 1.0,
) -> World:
    world, client, server = pair(plain(config), forward, reverse)

    def both() -> Process:
        yield from _first(world, client)
        if sends is not None:
            yield from _second(world, client, begin, sends)

    world.process(_serve(server))
    world.process(both())
    world.run(until)
    return world


def rfc1337_figure_1(config: TcpConfig) -> World:
    """Assassination: a late ACK, the ACK that it draws, a RST."""
    return _run(config, KILL, sends=None, until=2.0)


def rfc1337_figure_1_fix_f1(config: TcpConfig) -> World:
    """The same with RSTs ignored in TIME-WAIT."""
    return _run(config.replace(time_wait_rst="ignore"), KILL, sends=None, until=2.0)


def rfc1337_figure_1_fix_f2(config: TcpConfig) -> World:
    """The same with RSTs ignored for two seconds: the first is, that of a copy which comes at 3.2 s is not."""
    return _run(config.replace(time_wait_rst="ignore-2s"), f"{KILL}; {LATER_KILL}", sends=None, until=4.0)


def rfc1337_figure_2(config: TcpConfig) -> World:
    """H1: 80 old bytes are queued behind a gap; the new data fills it, and 40 of them are delivered."""
    return _run(config, KILL, OLD_TEXT, sends=(1.1, 2.0, 2.05, 2.3), until=2.6)


def rfc1337_figure_2_fix_f2(config: TcpConfig) -> World:
    """No H1 with fix F2: TIME-WAIT is killed later, and the timestamps of the next connection refuse the old data."""
    fixed = config.replace(time_wait_rst="ignore-2s", timestamps=True)
    return _run(fixed, LATER_KILL, LATER_TEXT, begin=3.5, sends=(3.6, 4.5), until=5.0)


def rfc1337_figure_3(config: TcpConfig) -> World:
    """H2: the server acknowledges 40 bytes that were never sent, and the ACKs answer each other without end."""
    return _run(config, KILL, OLD_TEXT, sends=(1.1, 2.0), until=2.5)


def rfc1337_figure_4(config: TcpConfig) -> World:
    """H3, under RFC 793: the RST that answers a late ACK in SYN-SENT lies in the server's window."""
    return _run(config.replace(**_RFC793), OLD_ACK, sends=(1.1,), until=1.6)


def rfc1337_figure_4_fix_f2(config: TcpConfig) -> World:
    """H3 is still there with fix F2, for no timestamp is looked at in SYN-SENT."""
    fixed = config.replace(**_RFC793, time_wait_rst="ignore-2s", timestamps=True)
    return _run(fixed, LATER_ACK, begin=3.5, sends=(3.6,), until=4.1)


def rfc1337_figure_4_rfc5961(config: TcpConfig) -> World:
    """The same under RFC 5961: a challenge ACK, and the connection opens."""
    return _run(config, OLD_ACK, sends=(1.1,), until=1.6)


LADDERS: dict[str, Callable[[Any], World]] = {
    run.__name__: run
    for run in (
        rfc1337_figure_1,
        rfc1337_figure_1_fix_f1,
        rfc1337_figure_1_fix_f2,
        rfc1337_figure_2,
        rfc1337_figure_2_fix_f2,
        rfc1337_figure_3,
        rfc1337_figure_4,
        rfc1337_figure_4_fix_f2,
        rfc1337_figure_4_rfc5961,
    )
}
