"""How does a connection end: in how many segments, after how long at either end, and in which states?

The connection opens over a path without losses. Then the path loses segments, and the client closes its socket,
half-closes or aborts, or both ends close simultaneously, or the server closes with unread data. The server reads the
end of the stream, thinks, sends the rest of its data, and closes.
"""

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from simpy import Event

from netsim.link.distributions import as_distribution
from netsim.scenarios.closing import UNREAD, open_connection, segments_sent
from netsim.scenarios.teardown_parameters import Close as Close
from netsim.scenarios.teardown_parameters import Params as Params
from netsim.scenarios.teardown_theory import teardown_theory
from netsim.seeds import Seed
from netsim.sim import Host, Socket, World
from netsim.sim.network import NS, Observer
from netsim.sweep import Estimator
from netsim.tcp import clauses
from netsim.tcp.actions import Moved
from netsim.tcp.errors import TcpError
from netsim.tcp.segment import FIN
from netsim.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, TIME_WAIT, State
from netsim.trace.events import Decided, Sent, TraceEvent

QUESTION: Final = "How does a connection end: in how many segments, after how long, and in which states?"
NEVER: Final = float("nan")

How = Literal["TIME-WAIT", "clean", "reset", "timeout", "abort", "orphan", "data after close", "never"]

_HOW: Final[dict[str, How]] = {
    clauses.CHECK_5_ACK: "clean",
    clauses.CHECK_2_RST: "reset",
    clauses.R2: "timeout",
    clauses.USER_TIMEOUT: "timeout",
    clauses.KEEP_ALIVE: "timeout",
    clauses.ABORT: "abort",
    clauses.FIN_WAIT_2_TIMEOUT: "orphan",
    clauses.SHLD_3: "data after close",
}


COLUMNS: Final = {
    "segments": "Number of segments that both ends sent from the first close on, retransmissions included.",
    "ack_piggybacked": (
        "Whether the server acknowledged the client's FIN with its own FIN, not with a segment of its own before."
    ),
    "data_delivered": "Whether the client's application read all data that the server sent after the first close.",
    "client_latency": "Time (s) from the first close until the client is in TIME-WAIT or CLOSED; NaN if it never is.",
    "client_outcome": (
        "What ended the close at the client: TIME-WAIT, clean (an ACK ended LAST-ACK), reset (a RST arrived), "
        "timeout (R2, the user timeout or keep-alive), abort (its application aborted), orphan (the FIN_WAIT_2 "
        "timer expired), data after close (data arrived that nobody could read), or never."
    ),
    "client_state": "State of the client's connection when the run ended.",
    "server_latency": "Time (s) from the first close until the server is in TIME-WAIT or CLOSED; NaN if it never is.",
    "server_outcome": "What ended the close at the server; values as for client_outcome.",
    "server_state": "State of the server's connection when the run ended.",
}
"""What each column of a row means."""

ESTIMATES: Final = {
    "p_three_segments": Estimator(column="segments", kind="proportion", equals=3),
    "p_four_segments": Estimator(column="segments", kind="proportion", equals=4),
    "p_ack_piggybacked": Estimator(column="ack_piggybacked", kind="proportion"),
    "segments": Estimator(column="segments", kind="mean"),
    "client_latency": Estimator(column="client_latency", kind="mean"),
    "client_latency_p95": Estimator(column="client_latency", kind="quantile", at=0.95),
    "server_latency": Estimator(column="server_latency", kind="mean"),
    "server_latency_p95": Estimator(column="server_latency", kind="quantile", at=0.95),
    "p_client_time_wait": Estimator(column="client_outcome", kind="proportion", equals="TIME-WAIT"),
    "p_client_abort": Estimator(column="client_outcome", kind="proportion", equals="abort"),
    "p_client_reset": Estimator(column="client_outcome", kind="proportion", equals="reset"),
    "p_client_never_closed": Estimator(column="client_outcome", kind="proportion", equals="never"),
    "p_server_clean": Estimator(column="server_outcome", kind="proportion", equals="clean"),
    "p_server_time_wait": Estimator(column="server_outcome", kind="proportion", equals="TIME-WAIT"),
    "p_server_abort": Estimator(column="server_outcome", kind="proportion", equals="abort"),
    "p_server_reset": Estimator(column="server_outcome", kind="proportion", equals="reset"),
    "p_server_timeout": Estimator(column="server_outcome", kind="proportion", equals="timeout"),
    "p_server_never_closed": Estimator(column="server_outcome", kind="proportion", equals="never"),
    "p_data_delivered": Estimator(column="data_delivered", kind="proportion"),
}


class _CloseObserver:
    """Notes how and when (ns) each end was done with the close, and what first acknowledged the client's FIN."""

    def __init__(self) -> None:
        self.state: dict[str, State] = {}
        self.done: dict[str, tuple[int, How]] = {}
        self.rides: bool | None = None
        self._owes_ack = False

    def __call__(self, event: TraceEvent) -> None:
        """One event of the run."""
        if type(event) is Decided and type(event.decision) is Moved:
            moved, host = event.decision, event.host
            self.state[host] = moved.new
            self._owes_ack |= host == "server" and moved.new is CLOSE_WAIT
            if moved.new is TIME_WAIT:
                self.done[host] = (event.time, "TIME-WAIT")
            elif moved.new is CLOSED and host not in self.done:
                self.done[host] = (event.time, _HOW[moved.clause])
        elif self._owes_ack and type(event) is Sent and event.host == "server":
            self._owes_ack = False
            self.rides = bool(event.packet.segment.flags & FIN)


@dataclass(slots=True)
class _Close:
    """When (ns) the first end closed, how many segments had been sent before, what the client has read since."""

    at: int = 0
    segments_before: int = 0
    read: int = 0


def run(params: Params, seed: Seed, observers: Sequence[Observer] = ()) -> dict[str, Any]:
    """One close: segments, and how and when (s) either end was done with it (see COLUMNS)."""
    observer = _CloseObserver()
    world = World(seed=seed, tie_break=params.tie_break, observers=[*observers, observer])
    client, server = world.host("client", params.client), world.host("server", params.server)
    world.link(client, server, *params.clean)
    close = _Close()
    world.process(_open_and_close(world, client, server, params, close))
    world.run()
    return _row(params, world, observer, close)


def _open_and_close(
    world: World, client: Host, server: Host, params: Params, close: _Close
) -> Generator[Event, Any, None]:
    near, far = yield from open_connection(client, server)
    if params.close == "unread":
        yield near.send(bytes(UNREAD))
        # Long enough for the data to be acknowledged: a delayed ACK waits less than 0.5 s (RFC 9293 3.8.6.3).
        yield world.timeout(1.0 + 2 * (params.delay_forward + params.delay_reverse))
    world.link(client, server, *params.lossy)
    close.at = world.env.now
    close.segments_before = segments_sent(world)
    if params.close == "unread":
        world.process(_read_and_close(near, close))
        far.close()
        return
    world.process(_answer(world, far, params))
    if params.close == "abort":
        near.abort()
    elif params.close == "close":
        near.close()
    else:
        near.shutdown()
        world.process(_read_and_close(near, close))


def _read_and_close(sock: Socket, close: _Close) -> Generator[Event, Any, None]:
    """The client reads to the end of the stream, or until it is reset, and closes."""
    with suppress(TcpError):
        while data := (yield sock.recv()):
            close.read += len(data)
        sock.close()


def _answer(world: World, sock: Socket, params: Params) -> Generator[Event, Any, None]:
    """The server: it reads to the end of the stream, thinks, sends the rest of its data, and closes."""
    with suppress(TcpError):
        if params.close == "simultaneous":
            sock.shutdown()
        while (yield sock.recv()):
            pass
        if params.close != "simultaneous":
            think = as_distribution("think_time", params.think_time).sampler(world.seed.draws("think"))
            yield world.timeout(think() / NS)
            if params.unsent_bytes:
                yield sock.send(bytes(params.unsent_bytes))
        sock.close()


def _row(params: Params, world: World, observer: _CloseObserver, close: _Close) -> dict[str, Any]:
    row: dict[str, Any] = {
        "segments": segments_sent(world) - close.segments_before,
        "ack_piggybacked": bool(observer.rides),
        "data_delivered": close.read == _due(params),
    }
    for end in ("client", "server"):
        when, how = observer.done.get(end, (None, "never"))
        row[f"{end}_latency"] = NEVER if when is None else (when - close.at) / NS
        row[f"{end}_outcome"] = how
        row[f"{end}_state"] = str(observer.state.get(end, ESTABLISHED))
    return row


def _due(params: Params) -> int:
    """How many bytes the client's application should read; -1 if the server is the end that leaves data unread."""
    if params.close == "unread":
        return -1
    return params.unsent_bytes if params.close in ("half-close", "close") else 0


def theory(params: Params) -> dict[str, float]:
    """Number of segments and latencies of a close, and what becomes of a RST (netsim.theory.closing). Exact.

    Conditions: a constant or exponential think time, unsent data of at most one segment, timers without ticks, an RTO
    longer than the RTT.
    """
    return teardown_theory(params)
