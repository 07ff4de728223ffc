"""Retransmission schedules of SYN and SYN-ACK as data: how long an endpoint waits after each transmission.

| host | intervals (s) | source |
|---|---|---|
| RFC 6298 | 1 2 4 8 ... | RFC 6298 2.1, 5.5 |
| Linux >= 6.5 | 1 1 1 1 1 2 4 ... | tcp_syn_linear_timeouts, net/ipv4/tcp_timer.c |
| FreeBSD | 1 2.2 4.2 8.2 ... | tcp_backoff and rexmit_slop, sys/netinet/tcp_timer.c |
| Windows 2000 to 7 | 3 6 12 | TcpInitialRTT, TcpMaxConnectRetransmissions |
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff:
    """The wait after the k-th transmission (k = 0 for the first): ``initial * factor ** max(0, k - linear)``.

    ``initial`` and ``slop`` in seconds; ``slop`` is added to every wait but the first; ``linear`` is how many further
    waits stay at ``initial``; ``multipliers`` replaces the powers of ``factor``, its last entry repeating. ValueError
    on values out of range.
    """

    initial: float = 1.0
    factor: float = 2.0
    linear: int = 0
    slop: float = 0.0
    multipliers: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name, low in (("initial", 1e-9), ("factor", 1.0), ("linear", 0), ("slop", 0.0)):
            value = getattr(self, name)
            kind, types = ("whole", (int,)) if name == "linear" else ("finite", (int, float))
            number = isinstance(value, types) and not isinstance(value, bool)
            if not (number and low <= value < math.inf):
                raise ValueError(f"BackOff.{name} = {value!r}: allowed is a {kind} number >= {low}")
        if any(not (0 < m < math.inf) for m in self.multipliers):
            raise ValueError(f"BackOff.multipliers = {self.multipliers!r}: allowed are finite numbers > 0")

    def interval(self, k: int, *, maximum: float = math.inf) -> float:
        """Seconds to wait after transmission number ``k`` (from 0), at most ``maximum``."""
        if self.multipliers:
            multiple = self.multipliers[min(k, len(self.multipliers) - 1)]
        else:
            multiple = self.factor ** min(max(0, k - self.linear), 64)
        return min(self.initial * multiple + (self.slop if k else 0.0), maximum)

    def intervals(self, transmissions: int, *, maximum: float = math.inf) -> tuple[float, ...]:
        """The waits after each of that many transmissions; the last one ends in giving up."""
        return tuple(self.interval(k, maximum=maximum) for k in range(transmissions))
