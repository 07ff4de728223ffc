"""A new SYN reaches TIME-WAIT: is it a new connection or an old duplicate? The rule of the end in TIME-WAIT decides.

A client opens a connection to a server and sends some data; the server closes first and is in TIME-WAIT. After a pause
the client opens the same four-tuple again. Nothing is lost.
"""

from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from simpy import Event

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import shared
from netsim.scenarios.closing import PORT
from netsim.scenarios.parameters import both_directions, parameters
from netsim.scenarios.shorthands import WithDelay
from netsim.seeds import Seed
from netsim.sim import Host, World
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import RandomIsn
from netsim.tcp.errors import TcpError
from netsim.tcp.state import ESTABLISHED, TIME_WAIT

QUESTION: Final = "A new SYN reaches TIME-WAIT: does it open a connection, at once or after what?"
NEVER: Final = float("nan")
CLIENT_PORT: Final = 40000


@parameters
class Params(WithDelay):
    """Parameters of the study of SYNs in TIME-WAIT, whose rule is the server's ``time_wait_reuse``.

    ValueError for a value out of range.
    """

    request_bytes: int = field(
        1000, "data that the client sends in the first connection", unit="bytes", allowed=(1, 1 << 24)
    )
    pause: float = field(
        1.0, "time from the end of the first connection at the client to its second OPEN", unit="s", allowed=(0, 1e6)
    )
    delay_forward: float = shared.delay("forward")
    delay_reverse: float = shared.delay("reverse")
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    loss_forward = loss_reverse = 0.0

    def check_relations(self) -> None:
        longest = self.server.time_wait - 3 * (self.delay_forward + self.delay_reverse)
        if self.pause >= longest:
            raise ValueError(f"pause = {self.pause}: must be < {longest:g} s, while TIME-WAIT lasts")

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Both directions (forward, reverse)."""
        return both_directions(self)


COLUMNS: Final = {
    "outcome": (
        "How the second connection opened: at once (TIME-WAIT accepted its SYN), after reset (TIME-WAIT was ended "
        "by a RST of the client), after TIME-WAIT (it had ended), or never."
    ),
    "setup_latency": "Time (s) from the client's second OPEN until the client is ESTABLISHED; NaN if it never is.",
    "syns": "Number of SYNs that the client sent for the second connection.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_at_once": Estimator(column="outcome", kind="proportion", equals="at once"),
    "p_after_reset": Estimator(column="outcome", kind="proportion", equals="after reset"),
    "p_after_time_wait": Estimator(column="outcome", kind="proportion", equals="after TIME-WAIT"),
    "p_fail": Estimator(column="outcome", kind="proportion", equals="never"),
    "setup_latency": Estimator(column="setup_latency", kind="mean"),
    "syns": Estimator(column="syns", kind="mean"),
}


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One reopening: how the second connection opened, how long (s) it took, how many SYNs (see COLUMNS)."""
    world = World(seed=seed, observers=observers)
    client, server = world.host("client", params.client), world.host("server", params.server)
    world.link(client, server, *params.paths)
    row: dict[str, Any] = {"outcome": "never", "setup_latency": NEVER, "syns": 0}
    world.process(_serve(server))
    world.process(_twice(world, client, server, params, row))
    world.run()
    return row


def _serve(host: Host) -> Generator[Event, Any, None]:
    """The server closes first, when it has the data; from the second connection it reads what arrives."""
    listener = host.socket(reuse_address=True)
    listener.listen(PORT)
    while True:
        sock = yield listener.accept()
        with suppress(TcpError):
            yield sock.recv()
            sock.shutdown()
            while (yield sock.recv()):
                pass
            sock.close()


def _twice(
    world: World, client: Host, server: Host, params: Params, row: dict[str, Any]
) -> Generator[Event, Any, None]:
    first = client.socket()
    first.bind(CLIENT_PORT)
    yield first.connect(("server", PORT))
    yield first.send(bytes(params.request_bytes))
    while (yield first.recv()):
        pass
    first.close()
    yield world.timeout(params.pause + 2 * (params.delay_forward + params.delay_reverse))
    assert server.states == {TIME_WAIT: 1}
    began, resets = world.env.now, client.counters.TcpOutRsts
    second = client.socket()
    second.bind(CLIENT_PORT)
    with suppress(TcpError):
        yield second.connect(("server", PORT))
    if second.state is ESTABLISHED:
        recycled, reset = server.counters.TcpExtTWRecycled > 0, client.counters.TcpOutRsts > resets
        row["outcome"] = "at once" if recycled else "after reset" if reset else "after TIME-WAIT"
        row["setup_latency"] = (world.env.now - began) / NS
    row["syns"] = 1 + client.counters.TcpExtTCPSynRetrans
    with suppress(TcpError):
        second.abort()


def theory(params: Params) -> dict[str, float]:
    """P(at once): 1 with timestamps at both ends; with random ISNs, P(the new one is ahead of the old one).

    RFC 1122 4.2.2.13, RFC 6191 2, net/ipv4/tcp_minisocks.c. Without a rule it is 0. There is no value for clock-driven
    ISNs. Exact for timers without ticks.
    """
    client, server = params.client, params.server
    rule = server.time_wait_reuse
    if client.timer_hz or server.timer_hz:
        return {}
    stamps = client.timestamps and server.timestamps
    if rule == "none":
        at_once = 0.0
    elif stamps and rule in ("rfc6191", "sequence-or-timestamp") and params.pause > 2 * client.ts_tick:
        at_once = 1.0
    elif stamps or rule == "sequence" or not isinstance(client.isn, RandomIsn):
        return {}
    else:
        at_once = ((1 << 31) - 1) / (1 << 32)
    values = {"p_at_once": at_once}
    if server.time_wait_rst == "accept" and rule != "rfc6191" and not stamps and not server.invalid_ratelimit:
        values["p_after_reset"] = 1 - at_once  # the refused SYN draws an ACK, whose RST ends TIME-WAIT
    return values
