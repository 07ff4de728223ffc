"""The studies of reused four-tuples: when a new connection accepts data of the old one, and one such run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from netsim.link import DelayDistribution, Exponential, Lognormal, Pareto
from netsim.scenarios import stale
from netsim.seeds import Seed
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar, point_key
from netsim.tcp import clauses
from netsim.tcp.actions import Accepted, Dropped
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, IsnPolicy, RandomIsn
from netsim.tcp.config.profiles import rfc9293
from netsim.tcp.segment import SYN
from netsim.trace import Trace
from netsim.trace.events import Arrived, Decided, Packet, Sent

MSL: Final = 30.0  # s; what Linux and FreeBSD assume, half of their TIME-WAIT
LIFETIME: Final = 120.0  # s; RFC 9293 3.4.2
ISNS: Final[dict[str, IsnPolicy]] = {"constant": ConstantIsn(), "clock": ClockIsn(), "random": RandomIsn()}
HEADINGS: Final = {0.0: "TIME-WAIT: 0", MSL: f"MSL = {MSL:g} s", 2 * MSL: f"2 MSL = {2 * MSL:g} s"}
DUPLICATES: Final = (
    f"20 % of segments have a delayed duplicate, 10 s late on average (exponential), at most {LIFETIME:g} s old"
)
TAILS: Final[dict[str, DelayDistribution]] = {
    "exponential": Exponential(10.0),
    "lognormal": Lognormal(10.0 * 2.718281828**-1.125, 1.5),
    "Pareto": Pareto(10.0 / 3, 1.5),
}
"""Distributions of the delay of a duplicate: the mean is 10 s, the tails differ."""
CLOCK: Final = 5000.0  # Hz; an ISN clock that is slower than the data
FASTER: Final = 50_000.0  # bytes/s; the data
PAUSE: Final = 1.0  # s
RTT: Final = 0.1  # s
EDGE: Final = CLOCK * (PAUSE + 2 * RTT) / (1 - CLOCK / FASTER)
"""X = r D in bytes, where D is how long the old connection writes, two round trips, and the pause."""
COMPARED: Final = ("stale_data_accepted", "has_wrong_bytes", "reset", "ghost")
PAWS: Final = (
    "With timestamps (PAWS) minus without: mean difference of runs that share their random numbers; constant ISNs.\n"
    "Proportions of runs: old data accepted, wrong bytes read, new connection reset, ghost connection (one that only\n"
    "the server believes in)."
)
_TRIES: Final = 5000
_NS: Final = 1e-9
_MASK: Final = (1 << 32) - 1
_SECOND: Final = 2  # the server's number of the second connection


def reuse_config(isn: str) -> TcpConfig:
    """RFC 9293 with one of ``ISNS``, and ACKs of unacceptable segments at most every 0.5 s, as Linux sends them.

    Without that limit the two ends may acknowledge each other without end (RFC 1337, H2).
    """
    return rfc9293().replace(isn=ISNS[isn], invalid_ratelimit=0.5)


_CONSTANT: Final = reuse_config("constant")
_BASE: Final = stale.Params(
    loss_forward=0.0,
    loss_reverse=0.0,
    duplicate=0.2,
    data_bytes=5000,
    data_rate=2500.0,
    pause=PAUSE,
    client=_CONSTANT,
    server=_CONSTANT,
)


def stale_cases(losses: Sequence[float]) -> list[Case]:
    """Every ISN policy with a TIME-WAIT of 0, MSL and 2 MSL, the same loss in both directions.

    The hosts assume an MSL of 30 s, but duplicates live for up to 120 s: that is why waiting alone is not enough. A
    duplicate is 10 s late on average, exponentially distributed.
    """
    cases = []
    for isn in ISNS:
        config = reuse_config(isn)
        for wait in (0.0, MSL, 2 * MSL):
            for loss in losses:
                params = stale.Params(
                    loss_forward=loss,
                    loss_reverse=loss,
                    duplicate=0.2,
                    duplicate_delay=Exponential(10.0),
                    msl=LIFETIME,
                    data_bytes=5000,
                    data_rate=2500.0,
                    time_wait=wait,
                    client=config,
                    server=config,
                )
                cases.append(Case({"isn": isn, "time_wait": wait, "loss": loss}, params))
    return cases


def tail_cases() -> list[Case]:
    """Constant ISNs: every tail, with and without loss, against TIME-WAIT."""
    base = replace(_BASE, msl=LIFETIME)
    return [
        Case(
            {"tail": tail, "loss": loss, "time_wait": wait},
            replace(base, loss_forward=loss, loss_reverse=loss, duplicate_delay=distribution, time_wait=wait),
        )
        for tail, distribution in TAILS.items()
        for loss in (0.0, 0.3)
        for wait in (0.0, 15.0, 30.0, 60.0, 100.0)
    ]


def bytes_cases() -> list[Case]:
    """Three choices of the client's ISN against the bytes of the old connection; its data is faster than the clock."""
    isns: dict[str, IsnPolicy] = {"constant": ConstantIsn(), "clock": ClockIsn(CLOCK), "random": RandomIsn()}
    # The server's ISS hardly changes and it accepts old ACKs: only the client's ISN protects the connection.
    server = _CONSTANT.replace(ack_policy="rfc793", isn=CounterIsn(per_second=0, per_connection=64_000))
    base = replace(
        _BASE,
        delay_forward=RTT / 2,
        delay_reverse=RTT / 2,
        duplicate_delay=Exponential(2.0),
        data_rate=FASTER,
        server=server,
    )
    return [
        Case({"isn": name, "size": size}, replace(base, data_bytes=size, client=_CONSTANT.replace(isn=isn)))
        for name, isn in isns.items()
        for size in (1000, 2000, 4000, 6000, 8000, 10_000, 20_000)
    ]


def lifetime_cases() -> list[Case]:
    """Constant ISNs: TIME-WAIT against the lifetime of segments."""
    base = replace(_BASE, duplicate=0.3, duplicate_delay=Exponential(20.0))
    return [
        Case({"time_wait": wait, "lifetime": lifetime}, replace(base, msl=lifetime, time_wait=wait))
        for wait in (0.0, 15.0, 30.0, 60.0, 120.0)
        for lifetime in (15.0, 30.0, 60.0, 120.0)
    ]


def timestamp_cases() -> list[Case]:
    """Constant ISNs, with and without timestamps, against the share of segments that have a delayed duplicate."""
    base = replace(_BASE, duplicate_delay=Exponential(5.0))
    return [
        Case(
            {"timestamps": name, "duplicate": duplicate},
            replace(base, duplicate=duplicate, client=end, server=end),
        )
        for name, end in (("without", _CONSTANT), ("with", _CONSTANT.replace(timestamps=True)))
        for duplicate in (0.1, 0.2, 0.3, 0.4, 0.5)
    ]


def example_params() -> stale.Params:
    """Constant ISNs, no TIME-WAIT, no loss, some delayed duplicates, and a small window that they may hit or miss."""
    config = reuse_config("constant").replace(receive_buffer=2000)
    return stale.Params(
        loss_forward=0.0,
        loss_reverse=0.0,
        duplicate=0.2,
        duplicate_delay=Exponential(4.0),
        data_bytes=5000,
        data_rate=2500.0,
        client=config,
        server=config,
    )


@dataclass(frozen=True, slots=True)
class Example:
    """A run in which one old data segment is accepted and one refused: its identity, its result, its trace."""

    params: stale.Params
    seed: int
    replication: int
    row: dict[str, Any]
    trace: Trace


def find_example(seed: int) -> Example:
    """The first replication in which two old data segments reach the second connection, one of them in its window.

    Nothing else happens in that run: the wrong bytes are the only consequence. The search goes through replications
    0, 1, 2, ... of ``example_params`` and so always ends at the same one.
    LookupError if there is none among the first 5,000.
    """
    params = example_params()
    point = point_key(params)
    for replication in range(_TRIES):
        trace = Trace()
        row = stale.run(params, Seed(seed, point, replication), observers=[trace.events.append])
        if (
            row["connections_accepted"] != 2
            or row["arrived_data"] != 2
            or row["accepted_data"] != 1
            or not row["has_wrong_bytes"]
        ):
            continue
        if _refused_by_number(trace) == 1 and not _stalls(trace):
            return Example(params, seed, replication, row, trace)
    raise LookupError(f"seed = {seed!r}: no such run among {_TRIES} replications; try another seed")


def _stalls(trace: Trace) -> bool:
    """Whether the client retransmitted data by timer, because the server acknowledged what it never sent."""
    sent = (event for event in trace if isinstance(event, Sent) and event.host == "client")
    return any(event.packet.timer and event.packet.segment.payload for event in sent)


def _refused_by_number(trace: Trace) -> int:
    """Old data segments that the server refused because they lie outside its window."""
    return sum(
        event.host == "server"
        and event.packet is not None
        and event.packet.incarnation == 1
        and bool(event.packet.segment.payload)
        and getattr(event.decision, "clause", "") == clauses.CHECK_1_SEQUENCE
        and event.decision.connection == 2
        for event in trace
        if isinstance(event, Decided)
    )


def sequence_rows(example: Example) -> Rows:
    """What reached the second connection, relative to the IRS, and how its window moved.

    Columns: ``kind`` (``window``, ``new`` or ``old`` data), ``time`` (s), ``seq`` and ``end``, ``verdict`` (accepted,
    or the clause that refused it). A window lasts until the next one.
    """
    irs = _irs(example)
    windows: dict[float, dict[str, Scalar]] = {}
    segments: list[dict[str, Scalar]] = []
    for event in example.trace:
        if isinstance(event, Sent) and event.host == "server" and event.packet.connection == _SECOND:
            s = event.packet.segment
            low = (s.ack - irs) & _MASK
            time = event.time * _NS
            windows[time] = {"kind": "window", "time": time, "seq": low, "end": low + s.window}
        elif isinstance(event, Decided):
            segments += _judged(event, irs)
    return Rows.from_dicts([*windows.values(), *segments])


def _judged(event: Decided, irs: int) -> list[dict[str, Scalar]]:
    """The row of a data segment that the second connection accepted or refused; none for other decisions."""
    decision, packet = event.decision, event.packet
    if event.host != "server" or packet is None or decision.connection != _SECOND or not packet.segment.payload:
        return []
    if isinstance(decision, Accepted) and decision.what == "DATA":
        verdict = "accepted"
    elif isinstance(decision, Dropped):
        verdict = decision.clause
    else:
        return []
    seq = (packet.segment.seq - irs) & _MASK
    kind = "old" if packet.incarnation == 1 else "new"
    end = seq + len(packet.segment.payload)
    return [{"kind": kind, "time": event.time * _NS, "seq": seq, "end": end, "verdict": verdict}]


def _irs(example: Example) -> int:
    """The client's ISS of the second incarnation."""
    for event in example.trace:
        if isinstance(event, Arrived) and event.host == "server":
            packet: Packet = event.packet
            if packet.incarnation == 2 and packet.segment.flags & SYN:
                return packet.segment.seq
    raise LookupError("no SYN of the second connection arrived")


def data_read(example: Example) -> str:
    """What the application of the second connection read, in runs of equal bytes: ``1000 x '2', 1000 x '1' (old)``.

    Rebuilt from the data that was accepted: what arrived first is kept, but data in order takes precedence.
    """
    stream: dict[int, int] = {}
    irs, nxt = _irs(example), 1
    for event in example.trace:
        if not isinstance(event, Decided) or event.packet is None or not _judged(event, irs):
            continue
        if not isinstance(event.decision, Accepted):
            continue
        segment = event.packet.segment
        seq = (segment.seq - irs) & _MASK
        fresh = {seq + k: byte for k, byte in enumerate(segment.payload) if seq + k >= nxt}
        stream = stream | fresh if seq <= nxt else fresh | stream
        while nxt in stream:
            nxt += 1
    text = [stream[k] for k in range(1, nxt)]
    runs = [(chr(byte), len(list(group))) for byte, group in groupby(text)]
    return ", ".join(f"{count} x '{byte}'" + (" (old)" if byte == "1" else "") for byte, count in runs)


def describe(example: Example) -> str:
    """The run in one sentence, for a footer."""
    p = example.params
    return (
        f"One run: constant ISNs, no TIME-WAIT, receive window {p.server.receive_buffer} bytes; seed {example.seed}, "
        f"replication {example.replication}; no loss, {100 * p.duplicate:g} % of segments have a delayed "
        f"duplicate (exponential)."
    )


def example_text(example: Example) -> str:
    """The ladder of the run; above it what it shows, below it what the application read."""
    return (
        "Constant ISNs: an old segment is accepted as new. The first connection sends '1', the second '2'.\n"
        f"{describe(example)}\n\n"
        f"{example.trace.ladder().rstrip()}\n\n"
        f"The second connection's application read: {data_read(example)}.\n"
        f"{example.row['wrong_bytes']} wrong bytes, and no error at either end.\n"
    )
