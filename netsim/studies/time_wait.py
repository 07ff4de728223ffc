"""The study of reused four-tuples: its points, and one accident to look at closely."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from netsim.link import Exponential
from netsim.scenarios import stale
from netsim.seeds import Seed
from netsim.studies.study import Case
from netsim.sweep import point_key
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, IsnPolicy, RandomIsn
from netsim.tcp.config.profiles import rfc9293
from netsim.trace import Trace
from netsim.trace.events import Decided, Sent

MSL: Final = 30.0  # s; what Linux and FreeBSD assume, half of their TIME-WAIT
LIFETIME: Final = 120.0  # s; RFC 9293 3.4.2
ISNS: Final[dict[str, IsnPolicy]] = {"constant": ConstantIsn(), "clock": ClockIsn(), "random": RandomIsn()}
HEADINGS: Final = {0.0: "TIME-WAIT: 0", MSL: f"MSL = {MSL:g} s", 2 * MSL: f"2 MSL = {2 * MSL:g} s"}
COPIES: Final = f"20 % of segments have a late copy, by 10 s on average (exponential), at most {LIFETIME:g} s old"
_OUTSIDE: Final = "3.10.7.4, first: sequence number"
_TRIES: Final = 5000


def reuse_config(isn: str) -> TcpConfig:
    """RFC 9293 with one of ``ISNS``, and ACKs of unacceptable segments at most every 0.5 s, as Linux sends them.

    Without that limit the two ends may acknowledge each other for ever (RFC 1337, H2), and late copies feed the war.
    """
    return rfc9293().replace(isn=ISNS[isn], invalid_ratelimit=0.5)


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
                    lifetime=LIFETIME,
                    size=5000,
                    rate=2500.0,
                    time_wait=wait,
                    client=config,
                    server=config,
                )
                cases.append(Case({"isn": isn, "time_wait": wait, "loss": loss}, params))
    return cases


def accident_params() -> stale.Params:
    """Constant ISNs, no TIME-WAIT, nothing lost, some late copies, and a small window that they may hit or miss."""
    config = reuse_config("constant").replace(receive_buffer=2000)
    return stale.Params(
        loss_forward=0.0,
        loss_reverse=0.0,
        duplicate=0.2,
        duplicate_delay=Exponential(4.0),
        size=5000,
        rate=2500.0,
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
        row = stale.run(params, Seed(seed, point, replication), observer=trace.records.append)
        if row["connections_read"] != 2 or row["arrived_data"] != 2 or row["accepted_data"] != 1 or not row["wrong"]:
            continue
        if _refused_by_number(trace) == 1 and not _stalls(trace):
            return Accident(params, seed, replication, row, trace)
    raise LookupError(f"seed = {seed!r}: no such run among {_TRIES} replications; try another seed")


def _stalls(trace: Trace) -> bool:
    """Whether the client sent text again by timer: the server acknowledges what it never sent, and is not believed."""
    sent = (record for record in trace if isinstance(record, Sent) and record.host == "client")
    return any(record.packet.timer and record.packet.segment.payload for record in sent)


def _refused_by_number(trace: Trace) -> int:
    """Old text segments that the server refused because they lie outside its window."""
    return sum(
        record.host == "server"
        and record.packet is not None
        and record.packet.incarnation == 1
        and bool(record.packet.segment.payload)
        and getattr(record.decision, "clause", "") == _OUTSIDE
        and record.decision.connection == 2
        for record in trace
        if isinstance(record, Decided)
    )
