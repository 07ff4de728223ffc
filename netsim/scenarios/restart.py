"""A server stops and starts again: can it bind its port, or is an old connection in the way (EADDRINUSE)?

A client has one connection to the server. The server stops: it closes its listening socket. One end of the connection
closes first, the other when it reads the end of the stream, over a path that may lose their segments. After a pause the
server starts again and tries to listen on the same port until it succeeds.
"""

from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from simpy import Event

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import shared
from netsim.scenarios.closing import PORT, fin_intervals, first_retransmission, require_end, rtt_is_measured
from netsim.scenarios.parameters import (
    both_directions,
    parameters,
    without_loss,
)
from netsim.scenarios.shared import End
from netsim.scenarios.shorthands import WithLoss
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import ConnectionAlreadyExists, TcpError
from netsim.units import nanoseconds

QUESTION: Final = (
    "A server stops and starts again: can it bind its port immediately, and if not, how long must it wait?"
)
NEVER: Final = float("nan")


@parameters
class Params(WithLoss):
    """Parameters of the study of a server that restarts. ValueError for a value out of range."""

    closes_first: End = field("server", "the end that closes the connection first: client or server")
    reuse_address: bool = field(False, "whether the server sets SO_REUSEADDR, before and after the restart")
    downtime: float = field(1.0, "time from the server's stop to its start", unit="s", allowed=(0, 1e6))
    retry_interval: float = field(
        1.0, "time from a failed attempt to bind the port to the next", unit="s", allowed=(1e-3, 1e6)
    )
    loss_forward: float = shared.loss("forward", 0.1, since="the stop")
    loss_reverse: float = shared.loss("reverse", 0.1, since="the stop")
    delay_forward: float = shared.delay("forward")
    delay_reverse: float = shared.delay("reverse")
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    def check_relations(self) -> None:
        require_end("client", self.client)
        require_end("server", self.server)

    @cached_property
    def lossy(self) -> tuple[Path, Path]:
        """Both directions (forward, reverse) from the server's stop on."""
        return both_directions(self)


COLUMNS: Final = {
    "address_in_use": "Whether the first attempt to bind the port failed with EADDRINUSE.",
    "bind_wait": "Time (s) from the server's start until it could bind its port.",
    "bind_attempts": "Number of attempts to bind the port, the successful one included.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_address_in_use": Estimator(column="address_in_use", kind="proportion"),
    "bind_wait": Estimator(column="bind_wait", kind="mean"),
    "bind_wait_p95": Estimator(column="bind_wait", kind="quantile", at=0.95),
    "bind_attempts": Estimator(column="bind_attempts", kind="mean"),
}


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One restart: whether the first bind failed, and when (s) one succeeded (see COLUMNS)."""
    world = World(seed=seed, observers=observers)
    client, server = world.host("client", params.client), world.host("server", params.server)
    world.link(client, server, *without_loss(params.lossy))
    row: dict[str, Any] = {"address_in_use": False, "bind_wait": NEVER, "bind_attempts": 0}
    world.process(_stop_and_start(world, client, server, params, row))
    world.run()
    return row


def _stop_and_start(
    world: World, client: Host, server: Host, params: Params, row: dict[str, Any]
) -> Generator[Event, Any, None]:
    listener, near = server.socket(reuse_address=params.reuse_address), client.socket()
    listener.listen(PORT)
    opening = near.connect((server, PORT))
    far = yield listener.accept()
    yield opening
    world.link(client, server, *params.lossy)
    listener.close()
    first, last = (near, far) if params.closes_first == "client" else (far, near)
    world.process(_close_after(last))
    first.shutdown()
    world.process(_close_after(first))
    yield world.timeout(params.downtime)
    started = world.env.now
    while True:
        row["bind_attempts"] += 1
        again = server.socket(reuse_address=params.reuse_address)
        try:
            again.listen(PORT)
        except ConnectionAlreadyExists:
            row["address_in_use"] = True
            yield world.timeout(params.retry_interval)
        else:
            row["bind_wait"] = (world.env.now - started) / NS
            again.close()
            return


def _close_after(sock: Socket) -> Generator[Event, Any, None]:
    """Close at the end of the stream, or when the connection is gone."""
    with suppress(TcpError):
        while (yield sock.recv()):
            pass
        sock.close()


def theory(params: Params) -> dict[str, float]:
    """P(address in use): 0 with SO_REUSEADDR; 1 without, if the server's TIME-WAIT outlasts the downtime.

    If the client closed first, the server keeps its connection until one of its FINs is answered. With q = (1 - pf)(1 -
    pr), no answer arrives in time with probability (1 - q)^k, for the k FINs whose answers could have arrived. This is
    exact if nothing is lost from client to server; otherwise there is no closed form.
    """
    if params.reuse_address:
        return {"p_address_in_use": 0.0, "bind_wait": 0.0, "bind_wait_p95": 0.0, "bind_attempts": 1.0}
    if params.closes_first == "server":
        held = params.server.time_wait > params.downtime
        return {"p_address_in_use": 1.0} if held else {}
    return _theory_of_last_ack(params)


def _theory_of_last_ack(params: Params) -> dict[str, float]:
    client, server = params.client, params.server
    rtt = nanoseconds(params.delay_forward) + nanoseconds(params.delay_reverse)
    if (
        params.loss_forward
        or not rtt_is_measured(rtt, client, server)
        or rtt >= first_retransmission(server, rtt, peer=client)
    ):
        return {}
    if server.timer_hz or client.timer_hz or server.keepalive or client.time_wait < params.downtime:
        return {}
    # The client's FIN arrives after one one-way delay; only the server's own FINs are lost.
    closed = nanoseconds(params.downtime) - nanoseconds(params.delay_forward) - rtt
    sent = tried = 0
    for wait in fin_intervals(server, rtt, peer=client):
        if sent == closed:
            return {}  # the answer comes as the server binds
        tried += sent < closed
        sent += nanoseconds(wait)
    return {"p_address_in_use": params.loss_reverse**tried}
