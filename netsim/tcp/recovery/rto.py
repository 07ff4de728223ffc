"""The retransmission timeout: RTT estimation as in RFC 6298, and as Linux does it.

All times are integer nanoseconds. With samples of 1, 2 and 1.5 s the RTO is 3, 3.625 and 3.421875 s.
"""

from dataclasses import dataclass
from typing import TypeAlias, final

from netsim.tcp.segment import HALF, MASK


@final
@dataclass(slots=True)
class RttEstimator:
    """SRTT, RTTVAR and the smallest RTT of one connection; created by its first sample (RFC 6298 2.2)."""

    srtt: int
    rttvar: int
    min_rtt: int

    @classmethod
    def first(cls, sample: int) -> "RttEstimator":
        """SRTT = R, RTTVAR = R/2 (RFC 6298 2.2)."""
        return cls(sample, sample // 2, sample)

    def update(self, sample: int) -> None:
        """RTTVAR first, then SRTT, with beta = 1/4 and alpha = 1/8 (RFC 6298 2.3)."""
        self.rttvar = (3 * self.rttvar + abs(self.srtt - sample)) // 4
        self.srtt = (7 * self.srtt + sample) // 8
        if sample < self.min_rtt:
            self.min_rtt = sample

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
class MdevEstimator:
    """Linux's estimator: the RTO follows the maximum deviation of each round trip (tcp_input.c, tcp_rtt_estimator).

    ``mdev`` is four times the smoothed mean deviation and ``mdev_max`` its maximum in the current round trip. The RTO
    is SRTT plus ``smoothed_mdev_max`` (rttvar_us in the kernel), which rises to a higher maximum immediately and
    falls by a quarter of the difference per round trip. A round trip ends when SND.UNA passes ``rtt_seq``, which was
    SND.NXT when the round trip began.
    """

    srtt: int
    mdev: int
    mdev_max: int
    smoothed_mdev_max: int
    rtt_seq: int
    min_rtt: int

    @classmethod
    def first(cls, sample: int, floor: int, snd_nxt: int) -> "MdevEstimator":
        """SRTT = R, and the RTO adds 2 R, but not less than ``floor`` (ns)."""
        deviation = max(2 * sample, floor)
        return cls(sample, 2 * sample, deviation, deviation, snd_nxt, sample)

    @property
    def rttvar(self) -> int:
        """The smoothed mean deviation (ns), as TCP_INFO reports it."""
        return self.mdev >> 2

    def update(self, sample: int, floor: int, snd_una: int, snd_nxt: int) -> None:
        """One more sample. Below SRTT, it raises the deviation by an eighth of what a sample above SRTT does."""
        error = sample - self.srtt
        excess = abs(error) - (self.mdev >> 2)
        if error < 0 < excess:
            excess >>= 3
        self.srtt += error >> 3
        if sample < self.min_rtt:
            self.min_rtt = sample
        self.mdev += excess
        if self.mdev > self.mdev_max:
            self.mdev_max = self.mdev
            self.smoothed_mdev_max = max(self.smoothed_mdev_max, self.mdev_max)
        if 0 < (snd_una - self.rtt_seq) & MASK < HALF:
            if self.mdev_max < self.smoothed_mdev_max:
                self.smoothed_mdev_max -= (self.smoothed_mdev_max - self.mdev_max) >> 2
            self.mdev_max, self.rtt_seq = floor, snd_nxt

    def rto(self, granularity: int, variance_floor: int, minimum: int, maximum: int) -> int:
        """SRTT and the smoothed maximum deviation, kept within [minimum, maximum]."""
        return min(max(self.srtt + max(self.smoothed_mdev_max, variance_floor, granularity), minimum), maximum)


Estimator: TypeAlias = RttEstimator | MdevEstimator


def model_timeout(retransmissions: int, minimum: int, maximum: int) -> int:
    """How long (ns) that many retransmissions take if the first RTO is ``minimum`` (net/ipv4/tcp_timer.c).

    With 200 ms and 120 s, 8 of them take 102.2 s and 15 take 924.6 s.
    """
    return sum(min(minimum << min(k, 20), maximum) for k in range(retransmissions + 1))
