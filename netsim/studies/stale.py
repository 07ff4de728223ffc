"""The studies of reused four-tuples: when does a new connection accept data of the old one? And one such run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from netsim.link import DelayDistribution, Exponential, Lognormal, Pareto
from netsim.scenarios import stale
from netsim.seeds import Seed
from netsim.studies.study import Case
from netsim.sweep import Rows, Scalar, point_key
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
COPIES: Final = f"20 % of segments have a late copy, by 10 s on average (exponential), at most {LIFETIME:g} s old"
TAILS: Final[dict[str, DelayDistribution]] = {
    "exponential": Exponential(10.0),
    "lognormal": Lognormal(10.0 * 2.718281828**-1.125, 1.5),
    "Pareto": Pareto(10.0 / 3, 1.5),
}
"""Distributions of how late a copy is: the mean is 10 s, the tail is not the same."""
CLOCK: Final = 5000.0  # Hz; an ISN clock that is slower than the text
FASTER: Final = 50_000.0  # bytes/s; the text
PAUSE: Final = 1.0  # s
RTT: Final = 0.1  # s
EDGE: Final = CLOCK * (PAUSE + 2 * RTT) / (1 - CLOCK / FASTER)
"""X = r D in bytes: the old connection's D is its own writing, two round trips, and the pause."""
COMPARED: Final = ("stale_data_accepted", "has_wrong_bytes", "reset", "ghost")
PAWS: Final = (
    "Timestamps (PAWS) against none: mean difference of runs that share their random numbers; constant ISNs.\n"
    "Shares of runs: old text accepted, wrong bytes read, a new connection reset, a ghost."
)
_OUTSIDE: Final = "3.10.7.4, first: sequence number"
_TRIES: Final = 5000
_NS: Final = 1e-9
_MASK: Final = (1 << 32) - 1
_SECOND: Final = 2  # the server's record of the second connection


def reuse_config(isn: str) -> TcpConfig:
    """RFC 9293 with one of ``ISNS``, and ACKs of unacceptable segments at most every 0.5 s, as Linux sends them.

    Without that limit the two ends may acknowledge each other for ever (RFC 1337, H2), and late copies feed the war.
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
    """Every ISN policy with a TIME-WAIT of 0, MSL and 2 MSL, the same loss both ways.

    The hosts believe in an MSL of 30 s, but copies live for up to 120 s: that is why waiting alone is not enough. A
    copy is late by 10 s on average, exponentially distributed.
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
    """Three choices of the client's ISN against the bytes of the old connection; the text outruns the clock."""
    isns: dict[str, IsnPolicy] = {"constant": ConstantIsn(), "clock": ClockIsn(CLOCK), "random": RandomIsn()}
    # The server's ISS counts up a little and it takes old ACKs: all protection is the client's number.
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
    """Constant ISNs: TIME-WAIT against how long segments live."""
    base = replace(_BASE, duplicate=0.3, duplicate_delay=Exponential(20.0))
    return [
        Case({"time_wait": wait, "lifetime": lifetime}, replace(base, msl=lifetime, time_wait=wait))
        for wait in (0.0, 15.0, 30.0, 60.0, 120.0)
        for lifetime in (15.0, 30.0, 60.0, 120.0)
    ]


def paws_cases() -> list[Case]:
    """Constant ISNs, with and without timestamps, against the share of segments that have a late copy."""
    base = replace(_BASE, duplicate_delay=Exponential(5.0))
    return [
        Case(
            {"timestamps": name, "duplicate": duplicate},
            replace(base, duplicate=duplicate, client=end, server=end),
        )
        for name, end in (("without", _CONSTANT), ("with", _CONSTANT.replace(timestamps=True)))
        for duplicate in (0.1, 0.2, 0.3, 0.4, 0.5)
    ]


def accident_params() -> stale.Params:
    """Constant ISNs, no TIME-WAIT, nothing lost, some late copies, and a small window that they may hit or miss."""
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
class Accident:
    """A run in which one old text segment is taken and one refused: which run it is, its result, its trace."""

    params: stale.Params
    seed: int
    replication: int
    row: dict[str, Any]
    trace: Trace


def find_accident(seed: int) -> Accident:
    """The first replication in which two old text segments reach the second connection, one of them in its window.

    And in which all goes on as if nothing had happened: the wrong bytes are all that the accident leaves behind.
    The search goes through replications 0, 1, 2, ... of ``accident_params`` and so always ends at the same one.
    LookupError if there is none among the first 5,000.
    """
    params = accident_params()
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
            return Accident(params, seed, replication, row, trace)
    raise LookupError(f"seed = {seed!r}: no such run among {_TRIES} replications; try another seed")


def _stalls(trace: Trace) -> bool:
    """Whether the client sent text again by timer: the server acknowledges what it never sent, and is not believed."""
    sent = (event for event in trace if isinstance(event, Sent) and event.host == "client")
    return any(event.packet.timer and event.packet.segment.payload for event in sent)


def _refused_by_number(trace: Trace) -> int:
    """Old text segments that the server refused because they lie outside its window."""
    return sum(
        event.host == "server"
        and event.packet is not None
        and event.packet.incarnation == 1
        and bool(event.packet.segment.payload)
        and getattr(event.decision, "clause", "") == _OUTSIDE
        and event.decision.connection == 2
        for event in trace
        if isinstance(event, Decided)
    )


def sequence_rows(accident: Accident) -> Rows:
    """What reached the second connection, relative to the IRS, and how its window moved.

    Columns: ``kind`` (``window``, ``new`` or ``old`` text), ``time`` (s), ``seq`` and ``end``, ``verdict`` (accepted,
    or the clause that refused it). A window lasts until the next one.
    """
    irs = _irs(accident)
    windows: dict[float, dict[str, Scalar]] = {}
    segments: list[dict[str, Scalar]] = []
    for event in accident.trace:
        if isinstance(event, Sent) and event.host == "server" and event.packet.connection == _SECOND:
            s = event.packet.segment
            low = (s.ack - irs) & _MASK
            time = event.time * _NS
            windows[time] = {"kind": "window", "time": time, "seq": low, "end": low + s.window}
        elif isinstance(event, Decided):
            segments += _judged(event, irs)
    return Rows.from_dicts([*windows.values(), *segments])


def _judged(event: Decided, irs: int) -> list[dict[str, Scalar]]:
    """The line of a text segment that the second connection decided about, if this is its verdict."""
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


def _irs(accident: Accident) -> int:
    """The client's ISS of the second incarnation."""
    for event in accident.trace:
        if isinstance(event, Arrived) and event.host == "server":
            packet: Packet = event.packet
            if packet.incarnation == 2 and packet.segment.flags & SYN:
                return packet.segment.seq
    raise LookupError("no SYN of the second connection arrived")


def text_read(accident: Accident) -> str:
    """What the application of the second connection read, in runs of equal bytes: ``1000 x '2', 1000 x '1' (old)``.

    Rebuilt from the text that was accepted: what arrived first is kept, but text in order wins.
    """
    stream: dict[int, int] = {}
    irs, nxt = _irs(accident), 1
    for event in accident.trace:
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


def describe(accident: Accident) -> str:
    """The run in a sentence, for a footer."""
    p = accident.params
    return (
        f"One run: constant ISNs, no TIME-WAIT, receive window {p.server.receive_buffer} bytes; seed {accident.seed}, "
        f"replication {accident.replication}; nothing lost, {100 * p.duplicate:g} % of segments have a late copy "
        f"(exponential); timers first at equal times."
    )


def accident_text(accident: Accident) -> str:
    """The ladder of the run, with what it shows above and what the application read below."""
    return (
        "Constant ISNs: an old segment is taken for new. The text of the first connection is '1', of the second '2'.\n"
        f"{describe(accident)}\n\n"
        f"{accident.trace.ladder().rstrip()}\n\n"
        f"The second connection's application read: {text_read(accident)}.\n"
        f"{accident.row['wrong_bytes']} wrong bytes, and no error at either end.\n"
    )
