"""Further studies of reused four-tuples: tails of the delay, bytes sent, TIME-WAIT against lifetime, timestamps."""

from dataclasses import replace
from typing import Final

from netsim.link import DelayDistribution, Exponential, Lognormal, Pareto
from netsim.scenarios import stale
from netsim.studies.study import Case
from netsim.studies.time_wait import LIFETIME, reuse_config
from netsim.tcp.config.isn import BsdIsn, ClockIsn, ConstantIsn, IsnPolicy, RandomIsn

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
COMPARED: Final = ("stale_data_accepted", "wrong", "reset", "ghost")
PAWS: Final = (
    "Timestamps (PAWS) against none: mean difference of runs that share their random numbers; constant ISNs.\n"
    "Shares of runs: old text accepted, wrong bytes read, a new connection reset, a ghost."
)
_CONSTANT: Final = reuse_config("constant")
_BASE: Final = stale.Params(
    loss_forward=0.0,
    loss_reverse=0.0,
    duplicate=0.2,
    size=5000,
    rate=2500.0,
    pause=PAUSE,
    client=_CONSTANT,
    server=_CONSTANT,
)


def tail_cases() -> list[Case]:
    """Constant ISNs: every tail, with and without loss, against TIME-WAIT."""
    base = replace(_BASE, lifetime=LIFETIME)
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
    server = _CONSTANT.replace(ack_policy="rfc793", isn=BsdIsn(per_second=0, per_connection=64_000))
    base = replace(
        _BASE,
        delay_forward=RTT / 2,
        delay_reverse=RTT / 2,
        duplicate_delay=Exponential(2.0),
        rate=FASTER,
        server=server,
    )
    return [
        Case({"isn": name, "size": size}, replace(base, size=size, client=_CONSTANT.replace(isn=isn)))
        for name, isn in isns.items()
        for size in (1000, 2000, 4000, 6000, 8000, 10_000, 20_000)
    ]


def lifetime_cases() -> list[Case]:
    """Constant ISNs: TIME-WAIT against how long segments live."""
    base = replace(_BASE, duplicate=0.3, duplicate_delay=Exponential(20.0))
    return [
        Case({"time_wait": wait, "lifetime": lifetime}, replace(base, lifetime=lifetime, time_wait=wait))
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
