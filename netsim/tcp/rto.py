"""The retransmission timeout of RFC 6298, and the variant of Linux.

All times are integer nanoseconds. With samples of 1, 2 and 1.5 s the RTO is 3, 3.625 and 3.421875 s.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class RttEstimator:
    """SRTT, RTTVAR and the RTO of one connection; created by its first sample (RFC 6298 2.2)."""

    srtt: int
    rttvar: int

    @classmethod
    def first(cls, sample: int) -> "RttEstimator":
        """SRTT = R, RTTVAR = R/2 (RFC 6298 2.2)."""
        return cls(sample, sample // 2)

    def update(self, sample: int) -> None:
        """RTTVAR first, then SRTT, with beta = 1/4 and alpha = 1/8 (RFC 6298 2.3)."""
        self.rttvar = (3 * self.rttvar + abs(self.srtt - sample)) // 4
        self.srtt = (7 * self.srtt + sample) // 8

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


def model_timeout(retransmissions: int, minimum: int, maximum: int) -> int:
    """How long that many retransmissions take if the RTO is the least at first (net/ipv4/tcp_timer.c).

    With 200 ms and 120 s, 8 of them take 102.2 s and 15 take 924.6 s.
    """
    return sum(min(minimum << min(k, 20), maximum) for k in range(retransmissions + 1))
