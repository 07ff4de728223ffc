"""Back-off: how long a host waits after each transmission of a SYN or SYN-ACK.

| host | waits (s) | source |
|---|---|---|
| RFC 6298 | 1 2 4 8 ... | RFC 6298 2.1, 5.5 |
| Linux 6.5 and later | 1 1 1 1 1 2 4 ... | tcp_syn_linear_timeouts, net/ipv4/tcp_timer.c |
| FreeBSD | 1 2.2 4.2 8.2 ... | tcp_backoff and rexmit_slop, sys/netinet/tcp_timer.c |
| Windows 2000 to 7 | 3 6 12 | TcpInitialRTT, TcpMaxConnectRetransmissions |
"""

import math
from dataclasses import dataclass

from netsim.fields import check, field


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff:
    """The wait after transmission k (the first is k = 0): ``initial * factor ** max(0, k - linear)``.

    ValueError for a value out of its range.
    """

    initial: float = field(1.0, "wait after the first transmission", unit="s", allowed=">= 1e-9")
    factor: float = field(2.0, "ratio of a wait to the one before it", allowed=">= 1")
    linear: int = field(0, "number of further waits that are as long as the first", unit="waits", allowed=">= 0")
    slop: float = field(0.0, "time added to every wait but the first", unit="s", allowed=">= 0")
    multipliers: tuple[float, ...] = field(
        (),
        "waits as multiples of initial, instead of the powers of factor; the last is repeated",
        allowed="> 0",
    )

    def __post_init__(self) -> None:
        check(self, within="BackOff.")

    def interval(self, k: int, *, maximum: float = math.inf) -> float:
        """Seconds to wait after transmission number ``k`` (from 0), at most ``maximum``."""
        if self.multipliers:
            multiple = self.multipliers[min(k, len(self.multipliers) - 1)]
        else:
            multiple = self.factor ** min(max(0, k - self.linear), 64)
        return min(self.initial * multiple + (self.slop if k else 0.0), maximum)

    def intervals(self, transmissions: int, *, maximum: float = math.inf) -> tuple[float, ...]:
        """Seconds to wait after each of that many transmissions; after the last wait the sender times out."""
        return tuple(self.interval(k, maximum=maximum) for k in range(transmissions))
