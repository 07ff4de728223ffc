"""The retransmission timeout of RFC 6298, and the variant of Linux.

All times are integer nanoseconds. With samples of 1, 2 and 1.5 s the RTO is 3, 3.625 and 3.421875 s.
"""

from dataclasses import dataclass
from typing import TypeAlias, final

from netsim.tcp.seq import HALF, MASK


@final
@dataclass(slots=True)
class RttEstimator:
    """SRTT, RTTVAR and the RTO of one connection; created by its first sample (RFC 6298 2.2). ``least``: the least."""

    srtt: int
    rttvar: int
    least: int

    @classmethod
    def first(cls, sample: int) -> "RttEstimator":
        """SRTT = R, RTTVAR = R/2 (RFC 6298 2.2)."""
        return cls(sample, sample // 2, sample)

    def update(self, sample: int) -> None:
        """RTTVAR first, then SRTT, with beta = 1/4 and alpha = 1/8 (RFC 6298 2.3)."""
        self.rttvar = (3 * self.rttvar + abs(self.srtt - sample)) // 4
        self.srtt = (7 * self.srtt + sample) // 8
        if sample < self.least:
            self.least = sample

    def rto(self, granularity: int, variance_floor: int, minimum: int, maximum: int) -> int:
        """SRTT + max(G, 4 RTTVAR), kept within [minimum, maximum] (RFC 6298 2.3 to 2.5).

        ``variance_floor`` bounds the 4 RTTVAR term from below: Linux keeps it at its minimum RTO (200 ms) instead of
        bounding the sum (net/ipv4/tcp_input.c, tcp_rtt_estimator).
        """
        spread = 4 * self.rttvar
        if spread < variance_floor:
            spread = variance_floor
        if spread < granularity:
            spread = granularity
        rto = self.srtt + spread
        if rto < minimum:
            return minimum
        return maximum if rto > maximum else rto


@dataclass(slots=True)
class PeakEstimator:
    """Linux's: the RTO stands on the greatest deviation of a round trip (net/ipv4/tcp_input.c, tcp_rtt_estimator).

    ``deviation`` is four times a smoothed mean deviation, ``peak`` its greatest value in this round trip, ``spread``
    what the RTO adds to SRTT: it follows a higher peak at once, a lower one by a quarter of the way each round trip.
    A round trip is over when what had been sent as it began, up to ``end``, is acknowledged. ``least``: the least RTT.
    """

    srtt: int
    deviation: int
    peak: int
    spread: int
    end: int
    least: int

    @classmethod
    def first(cls, sample: int, floor: int, snd_nxt: int) -> "PeakEstimator":
        """SRTT = R, the spread 2 R; at least ``floor`` (ns)."""
        spread = max(2 * sample, floor)
        return cls(sample, 2 * sample, spread, spread, snd_nxt, sample)

    @property
    def rttvar(self) -> int:
        """The smoothed mean deviation itself, as TCP_INFO has it."""
        return self.deviation >> 2

    def update(self, sample: int, floor: int, snd_una: int, snd_nxt: int) -> None:
        """One more sample. One below SRTT raises the deviation by an eighth of what one above it does."""
        error = sample - self.srtt
        excess = abs(error) - (self.deviation >> 2)
        if error < 0 < excess:
            excess >>= 3
        self.srtt += error >> 3
        if sample < self.least:
            self.least = sample
        self.deviation += excess
        if self.deviation > self.peak:
            self.peak = self.deviation
            self.spread = max(self.spread, self.peak)
        if 0 < (snd_una - self.end) & MASK < HALF:
            if self.peak < self.spread:
                self.spread -= (self.spread - self.peak) >> 2
            self.peak, self.end = floor, snd_nxt

    def rto(self, granularity: int, variance_floor: int, minimum: int, maximum: int) -> int:
        """SRTT and the spread, kept within [minimum, maximum]."""
        return min(max(self.srtt + max(self.spread, variance_floor, granularity), minimum), maximum)


Estimator: TypeAlias = RttEstimator | PeakEstimator


def model_timeout(retransmissions: int, minimum: int, maximum: int) -> int:
    """How long that many retransmissions take if the RTO is the least at first (net/ipv4/tcp_timer.c).

    With 200 ms and 120 s, 8 of them take 102.2 s and 15 take 924.6 s.
    """
    return sum(min(minimum << min(k, 20), maximum) for k in range(retransmissions + 1))
