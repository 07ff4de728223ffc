"""TIME-WAIT assassination (RFC 1337): an old segment elicits an ACK, the ACK a RST, and the RST ends TIME-WAIT early.

A server sends some full-sized segments and a client reads them. The client closes first and is in TIME-WAIT; the server
closes next and forgets the connection, and its listening socket is closed too. The path duplicates segments and delays
the copies; nothing is lost. A copy that reaches the client in TIME-WAIT is acknowledged, and the server, which knows no
such connection, answers the ACK with a RST. A delayed duplicate of the client's last ACK elicits the same RST.
"""

import math
from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

from simpy import Event

from netsim.fields import field
from netsim.link import DelayDistribution, Exponential, Path
from netsim.scenarios import shared
from netsim.scenarios.closing import PORT
from netsim.scenarios.parameters import both_directions, parameters
from netsim.scenarios.shorthands import WithDelay
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp import clauses
from netsim.tcp.actions import Dropped, Moved
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.errors import TcpError
from netsim.tcp.state import CLOSED, TIME_WAIT
from netsim.trace.events import Arrived, Decided, TraceEvent

QUESTION: Final = "How often does an old segment end TIME-WAIT early (RFC 1337), and which fix helps?"
NEVER: Final = float("nan")
MOST_SEGMENTS: Final = 10  # the initial window of RFC 6928: all data is sent before any ACK


@parameters
class Params(WithDelay):
    """Parameters of the study of RFC 1337; its fixes are the client's ``time_wait_rst``. ValueError if out of range."""

    data_segments: int = field(
        3, "number of full-sized data segments that the server sends", allowed=(1, MOST_SEGMENTS)
    )
    duplicate: float = field(
        0.1, "probability, in each direction, that the network duplicates a segment", allowed="probability"
    )
    duplicate_delay: float | DelayDistribution = shared.copy_delay(Exponential(20.0))
    delay_forward: float = shared.delay("forward")
    delay_reverse: float = shared.delay("reverse")
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")

    loss_forward = loss_reverse = 0.0

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Both directions (forward, reverse)."""
        return both_directions(self, duplicate=self.duplicate, duplicate_delay=self.duplicate_delay)

    @property
    def data_bytes(self) -> int:
        """Bytes that the server sends."""
        return self.data_segments * min(self.client.mss, self.server.mss)


COLUMNS: Final = {
    "assassinated": "Whether a RST ended the client's TIME-WAIT.",
    "assassinated_after": "Time (s) from the start of TIME-WAIT to the RST that ended it; NaN if none did.",
    "time_wait_duration": "Time (s) that the client spent in TIME-WAIT.",
    "old_segment_arrived": "Whether a segment that was sent before TIME-WAIT began arrived at the client in TIME-WAIT.",
    "resets_ignored": "Number of RSTs that the client ignored in TIME-WAIT (RFC 1337).",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_assassinated": Estimator(column="assassinated", kind="proportion"),
    "assassinated_after": Estimator(column="assassinated_after", kind="mean"),
    "time_wait_duration": Estimator(column="time_wait_duration", kind="mean"),
    "p_old_segment_arrived": Estimator(column="old_segment_arrived", kind="proportion"),
    "resets_ignored": Estimator(column="resets_ignored", kind="mean"),
}


class _TimeWaitObserver:
    """When (ns) the client's TIME-WAIT began and ended, by what, and what reached it meanwhile."""

    def __init__(self) -> None:
        self.began = self.ended = -1
        self.clause = ""
        self.old = self.ignored = 0

    def __call__(self, event: TraceEvent) -> None:
        """One event of the run."""
        if event.host != "client":
            return
        if type(event) is Arrived:
            waiting = self.began >= 0 and self.ended < 0
            self.old += waiting and event.packet.sent_at < self.began
        elif type(event) is Decided:
            decision = event.decision
            if type(decision) is Moved and decision.new is TIME_WAIT:
                self.began = event.time
            elif type(decision) is Moved and decision.new is CLOSED:
                self.ended, self.clause = event.time, decision.clause
            elif type(decision) is Dropped and decision.clause in (clauses.RFC1337_F1, clauses.RFC1337_F2):
                self.ignored += 1


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One TIME-WAIT: whether a RST ended it, after how long (s), old segments and ignored RSTs (see COLUMNS)."""
    observer = _TimeWaitObserver()
    world = World(seed=seed, observers=[*observers, observer])
    client, server = world.host("client", params.client), world.host("server", params.server)
    world.link(client, server, *params.paths)
    world.process(_serve(server, params))
    world.process(_read(client, params))
    world.run()
    held = (observer.ended - observer.began) / NS
    killed = observer.clause == clauses.CHECK_2_RST
    return {
        "assassinated": killed,
        "assassinated_after": held if killed else NEVER,
        "time_wait_duration": held,
        "old_segment_arrived": observer.old > 0,
        "resets_ignored": observer.ignored,
    }


def _serve(host: Host, params: Params) -> Generator[Event, Any, None]:
    listener = host.socket()
    listener.listen(PORT)
    sock: Socket = yield listener.accept()
    listener.close()
    with suppress(TcpError):
        yield sock.send(bytes(params.data_bytes))
        yield sock.recv()
        sock.close()


def _read(host: Host, params: Params) -> Generator[Event, Any, None]:
    sock = host.socket()
    yield sock.connect(("server", PORT))
    left = params.data_bytes
    with suppress(TcpError):
        while left:
            left -= len((yield sock.recv()))
        sock.shutdown()
        yield sock.recv()
        sock.close()


def theory(params: Params) -> dict[str, float]:
    """P(assassinated) for exponential extra delays of copies: 1 - P(no segment's copy arrives at a bad time).

    A copy that arrives in TIME-WAIT ends it one round trip later, if it still lasts then; a FIN restarts TIME-WAIT
    before. With fix F1 the probability is 0. With F2 there is no closed form, as a copy elicits an ACK whose own copy
    may arrive when the 2 s are over. Exact if no timer, window or limit moves a segment.
    """
    client, distribution = params.client, params.duplicate_delay
    if client.time_wait_rst == "ignore":
        return {"p_assassinated": 0.0}
    rtt = params.delay_forward + params.delay_reverse
    if (
        client.time_wait_rst != "accept"
        or not isinstance(distribution, Exponential)
        or distribution.offset
        or not distribution.scale
    ):
        return {}
    if _not_as_described(params, rtt):
        return {}

    def kills(gap: float, lasts: float) -> float:
        """P(a copy is late by between ``gap`` and ``gap + lasts``), the segment having a copy at all or not."""
        return params.duplicate * (math.exp(-gap / distribution.scale) - math.exp(-(gap + lasts) / distribution.scale))

    wait = client.time_wait
    restart = client.time_wait_restart
    plain, fin = wait - rtt * (restart != "any"), wait - rtt * (restart == "never")
    # The SYN-ACK arrives two round trips before TIME-WAIT, the data one; it begins with the FIN and the ACK of the FIN.
    spared = (1 - kills(2 * rtt, plain)) * (1 - kills(rtt, plain)) ** params.data_segments * (1 - kills(0.0, fin))
    if params.server.fin_ack == "immediate":
        spared *= 1 - kills(0.0, plain)
    spared *= 1 - kills(0.0, wait - rtt)  # the client's last ACK, which draws the RST itself
    return {"p_assassinated": 1 - spared}


def _not_as_described(params: Params, rtt: float) -> bool:
    """Whether timers, windows or limits may change when a segment is sent."""
    client, server = params.client, params.server
    return (
        bool(client.timer_hz or server.timer_hz or client.invalid_ratelimit or client.keepalive or server.keepalive)
        or rtt >= min(client.rto_min, server.rto_min, client.syn_intervals()[0], server.synack_intervals()[0])
        or client.time_wait <= rtt
        or params.data_bytes > min(client.receive_buffer, server.send_buffer)
        or params.data_segments > server.initial_window
        or client.timestamps
    )
