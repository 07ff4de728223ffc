"""The study of handshakes: its points, and one old SYN that every handshake meets."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from netsim.link import Exponential
from netsim.scenarios import two_way
from netsim.seeds import Seed
from netsim.studies.study import Case, estimates, exact, pick
from netsim.sweep import Rows, Scalar
from netsim.tcp.actions import Moved
from netsim.tcp.config.config import Handshake
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.segment import ACK, FIN, RST, SYN, Segment
from netsim.trace import Trace
from netsim.trace.events import Arrived, Decided, Sent, TraceEvent

HANDSHAKES: Final[tuple[Handshake, ...]] = get_args(Handshake)
MEAN_DELAY: Final = 5.0  # s; of delayed duplicates
LIFETIME: Final = 10.0  # s; maximum lifetime of segments in the study of the server's memory
ONE_WAY, SYN_DELAY, DURATION = 0.05, 1.0, 0.3  # s: minimum delay, mean delay of a delayed SYN, of a connection
TWO_SYNS: Final = rfc9293().replace(syn_retries=1)
COMPARED: Final = ("ghosts", "wrong_bytes", "half_opens", "client_latency", "server_latency", "segments")
DIFFERENCES: Final = (
    "Handshakes minus the three-way one: mean difference of runs that share their random numbers.\n"
    "30 % of segments to the server have a delayed duplicate, 5 s late on average (exponential); the client\n"
    "does not answer afterwards. Ghosts (connections that only the server believes in), SYN-RECEIVED entries and\n"
    "segments: per connection. Latencies: s. ack_policy: a server that ignores old ACKs (RFC 793) accepts the data\n"
    "that comes with them; one that bounds them (RFC 5961) does not."
)
_TRIES: Final = 5000


def ghost_cases(duplicates: Sequence[float]) -> list[Case]:
    """Every handshake against the share of segments that have a delayed duplicate."""
    return [
        Case({"handshake": handshake, "duplicate": duplicate}, two_way.Params(handshake=handshake, duplicate=duplicate))
        for handshake in HANDSHAKES
        for duplicate in duplicates
    ]


def memory_cases(memories: Sequence[float]) -> list[Case]:
    """The two-way server against how long (s) it remembers, where no segment gets older than ``LIFETIME``."""
    distribution = Exponential(MEAN_DELAY)
    return [
        Case(
            {"server_memory": memory},
            two_way.Params(duplicate=0.3, duplicate_delay=distribution, msl=LIFETIME, server_memory=memory),
        )
        for memory in memories
    ]


def delay_cases(delays: Sequence[float], shares: Sequence[float]) -> list[Case]:
    """SYNs that are delayed and so retransmitted: against the delay of all (s), and against the share that is delayed.

    Labels: ``cause`` (delay or reorder), ``x``, ``handshake``.
    """
    every: list[tuple[str, float, dict[str, Any]]] = [
        *(("delay", mean, {"delay_forward": Exponential(mean, ONE_WAY)}) for mean in delays),
        *(("reorder", share, {"reorder": share, "reorder_delay": Exponential(SYN_DELAY)}) for share in shares),
    ]
    return [
        Case(
            {"cause": cause, "x": x, "handshake": handshake},
            two_way.Params(
                handshake=handshake,
                duplicate=0.0,
                server_ends_with="abort",
                service_time=DURATION,
                client=TWO_SYNS,
                **late,
            ),
        )
        for handshake in HANDSHAKES[:2]
        for cause, x, late in every
    ]


def with_theory(run: Callable[..., list[Rows]], cases: Sequence[Case], fine: Sequence[Case], *, n: int) -> Rows:
    """P(ghost connection) from ``n`` runs of each case, and by theory for ``fine``; ``run`` is ``simulate``."""
    wanted = pick(two_way.ESTIMATES, "p_ghost")
    simulated = estimates(cases, run(cases, replications=n), wanted)
    return Rows.concatenate([simulated, exact(two_way.theory, fine, wanted)])


def difference_cases() -> list[Case]:
    """Every handshake under heavy duplication, the client silent afterwards, with either rule for old ACKs."""
    servers = {rule: rfc9293().replace(ack_policy=rule) for rule in ("rfc5961", "rfc793")}
    return [
        Case(
            {"ack_policy": rule, "handshake": handshake},
            two_way.Params(handshake=handshake, duplicate=0.3, client_after="silent", server=server),
        )
        for rule, server in servers.items()
        for handshake in HANDSHAKES
    ]


@dataclass(frozen=True, slots=True)
class OldSyn:
    """One run for each handshake in which the same delayed duplicate, of the SYN alone, reaches the server."""

    seed: int
    replication: int
    late: float
    runs: dict[str, tuple[dict[str, Any], Trace]]

    @property
    def rows(self) -> Rows:
        """What it starts: each segment on its way, and what that makes of the server.

        Columns: ``handshake``, ``sender``, ``segment``, ``sent`` and ``arrives`` (s), ``state`` (the server's when it
        has arrived there, else empty).
        """
        return Rows.from_dicts([row for name, (_, trace) in self.runs.items() for row in _exchange(name, list(trace))])


def find_old_syn(seed: int) -> OldSyn:
    """The first replication with such a duplicate; the runs share their random numbers.

    LookupError if there is none among the first 5,000.
    """
    for replication in range(_TRIES):
        common = Seed(seed, "", replication)
        runs = {}
        for handshake in HANDSHAKES[:2]:
            trace = Trace()
            row = two_way.run(two_way.Params(handshake=handshake), common, [trace.events.append])
            runs[str(handshake)] = row, trace
        copied = [r for r in runs["two-way"][1] if isinstance(r, Sent) and len(r.arrivals) > 1]
        if runs["two-way"][0]["ghosts"] == runs["three-way"][0]["half_opens"] == len(copied) == 1:
            first, second = copied[0].arrivals
            found = OldSyn(seed, replication, (second - first) * 1e-9, runs)
            if all(sent in (0.0, *found.rows.array("arrives")) for sent in found.rows.array("sent")):
                return found  # nothing of the connection itself is still on its way
    raise LookupError(f"seed = {seed!r}: no such run among {_TRIES} replications; try another seed")


def _exchange(handshake: str, events: list[TraceEvent]) -> Iterator[dict[str, Scalar]]:
    late = next(r.arrivals[1] for r in events if isinstance(r, Sent) and len(r.arrivals) > 1)
    for event in events:
        if isinstance(event, Arrived) and event.time >= late:
            packet = event.packet
            state = _server_state(events, event) if event.host == "server" else ""
            line = {"handshake": handshake, "sender": packet.sender, "segment": segment_name(packet.segment)}
            yield {**line, "sent": packet.sent_at * 1e-9, "arrives": event.time * 1e-9, "state": state}


def _server_state(events: Sequence[TraceEvent], arrival: Arrived) -> str:
    """The state that this arrival leads the server to."""
    moves = [
        r.decision.new
        for r in events
        if isinstance(r, Decided) and r.host == "server" and r.packet is arrival.packet and r.time == arrival.time
        if isinstance(r.decision, Moved)
    ]
    return str(moves[-1]) if moves else ""


def segment_name(segment: Segment) -> str:
    """``SYN``, ``SYN,ACK``, ``RST``, ``FIN,ACK``, ``ACK``, or ``data``."""
    if segment.payload:
        return "data"
    names = {SYN: "SYN", RST: "RST", FIN: "FIN", ACK: "ACK"}
    return ",".join(name for flag, name in names.items() if segment.flags & flag)
