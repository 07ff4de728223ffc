"""Blind injection: how many forged segments an attacker needs who sees no segment of the connection (off-path).

The attacker knows the addresses, perhaps the ports, and guesses the rest. A sweep steps through the sequence space by
as much as is acceptable at once and cannot miss; memoryless guesses are drawn uniformly each time. Where an
acknowledgment number (or a port) must be right as well, a sweep tries every step of the faster field for each step of
the slower one: ports change slowest, acknowledgment numbers fastest. The receiver's numbers stand still meanwhile and
are uniform.

Sources: RFC 5961 1.2, 3.2, 4.2, 5.2 and RFC 4953 figures 1 and 2 (after Watson 2004, "Slipping in the Window"). The
side channel of a rate limit on challenge ACKs is not part of it. Counts are segments; windows are bytes.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from netsim.theory._domain import check_count, check_non_negative, check_positive
from netsim.theory.stale import SEQUENCE_SPACE, acceptable_sequences

Rules = Literal["rfc793", "rfc5961"]


@dataclass(frozen=True, kw_only=True)
class BlindAttack:
    """Guessing with a given number of right answers in each field; no right answer means that it never succeeds.

    Attributes:
        sequences: acceptable sequence numbers, contiguous, out of `modulus`.
        acks: acceptable acknowledgment numbers, contiguous; all of them where they are not looked at.
        ports: how many ports the attacked end may be using, each as likely; 1 when it is known.
        modulus: size of the sequence space.

    Raises:
        ValueError: sequences or acks outside [0, modulus], ports outside [1, 65536], or modulus < 1.
    """

    sequences: int
    acks: int = SEQUENCE_SPACE
    ports: int = 1
    modulus: int = SEQUENCE_SPACE

    def __post_init__(self) -> None:
        check_count("modulus", self.modulus, low=1)
        check_count("sequences", self.sequences, high=self.modulus)
        check_count("acks", self.acks, high=self.modulus)
        check_count("ports", self.ports, low=1, high=2**16)

    @property
    def worst(self) -> float:
        """Segments of a whole sweep: x ceil(2^32 / W) ceil(2^32 / A); infinite if it never succeeds."""
        if not self._possible:
            return math.inf
        return self.ports * self._steps(self.sequences) * self._steps(self.acks)

    @property
    def mean(self) -> float:
        """Expected segments of a sweep up to the one that succeeds.

        In one field the k-th of n guesses is the first that hits with probability W / 2^32, the last with what
        remains, hence W n (n - 1) / 2 + n (2^32 - (n - 1) W) over 2^32: near 2^31 / W.
        """
        if not self._possible:
            return math.inf
        sequence_steps, ack_steps = self._steps(self.sequences), self._steps(self.acks)
        for_port = ((self.ports + 1) / 2 - 1) * sequence_steps * ack_steps
        return for_port + (self._mean_steps(self.sequences) - 1) * ack_steps + self._mean_steps(self.acks)

    @property
    def memoryless_mean(self) -> float:
        """Expected segments of uniform guesses: 1 / P(one guess succeeds) = x (2^32 / W) (2^32 / A)."""
        return 1 / self._p_guess if self._possible else math.inf

    def p_within(self, segments: int) -> float:
        """P(a sweep succeeds with its first `segments` segments), exactly.

        Raises:
            ValueError: a negative number of segments.
        """
        check_count("segments", segments)
        if not self._possible:
            return 0.0
        ack_steps = self._steps(self.acks)
        rest, acks_tried = divmod(segments, ack_steps)
        ports_tried, sequences_tried = divmod(rest, self._steps(self.sequences))
        this_step = self._covered(sequences_tried + 1, self.sequences) - self._covered(sequences_tried, self.sequences)
        this_port = self._covered(sequences_tried, self.sequences) + this_step * self._covered(acks_tried, self.acks)
        return min((ports_tried + this_port) / self.ports, 1.0)

    def p_within_memoryless(self, segments: int) -> float:
        """P(`segments` uniform guesses hold one that succeeds): 1 - (1 - p)^n.

        Raises:
            ValueError: a negative number of segments.
        """
        check_count("segments", segments)
        if self._p_guess >= 1:
            return float(segments > 0)
        return -math.expm1(segments * math.log1p(-self._p_guess))

    def mean_within(self, segments: int, guesses: Literal["sweep", "random"] = "sweep") -> float:
        """Expected segments of an attack, given that it succeeds with its first `segments`; NaN if it cannot.

        Raises:
            ValueError: a negative number of segments.
        """
        within = self.p_within if guesses == "sweep" else self.p_within_memoryless
        total = within(segments)
        if total <= 0:
            return math.nan
        if guesses == "sweep":
            return segments - math.fsum(map(within, range(segments))) / total
        p = self._p_guess
        # The mean of a geometric number, less what the end cuts off: 1/p - n q^n / (1 - q^n).
        return 1 / p - segments * (1 - total) / total if p < 1 else 1.0

    @property
    def _possible(self) -> bool:
        return self.sequences > 0 and self.acks > 0

    @property
    def _p_guess(self) -> float:
        return self.sequences / self.modulus * self.acks / self.modulus / self.ports

    def _steps(self, right: int) -> int:
        """Guesses that a sweep of one field needs at most."""
        return -(-self.modulus // right)

    def _mean_steps(self, right: int) -> float:
        steps = self._steps(right)
        return (right * steps * (steps - 1) // 2 + steps * (self.modulus - (steps - 1) * right)) / self.modulus

    def _covered(self, steps: int, right: int) -> float:
        """P(one of the first `steps` guesses of a field is right)."""
        return min(steps * right, self.modulus) / self.modulus


def blind_reset(*, window: int, rules: Rules, ports: int = 1) -> BlindAttack:
    """A forged RST: in the window (RFC 793), or with exactly RCV.NXT (RFC 5961 3.2; else a challenge ACK).

    Raises:
        ValueError: window outside [0, 2^32], unknown rules, or ports outside [1, 65536].
    """
    _check_rules(rules)
    check_count("window", window, high=SEQUENCE_SPACE)
    right = acceptable_sequences(length=0, window=window if rules == "rfc793" else 0)
    return BlindAttack(sequences=right, ports=ports)


def blind_syn(*, window: int, rules: Rules, ports: int = 1) -> BlindAttack:
    """A forged SYN: resets from within the window (RFC 793), never does (RFC 5961 4.2: always a challenge ACK).

    Raises:
        ValueError: window outside [0, 2^32 - 1], unknown rules, or ports outside [1, 65536].
    """
    _check_rules(rules)
    right = acceptable_sequences(length=1, window=window)
    return BlindAttack(sequences=right if rules == "rfc793" else 0, ports=ports)


def blind_data(
    *, window: int, rules: Rules, length: int = 1, max_snd_wnd: int = 65_535, in_flight: int = 0, ports: int = 1
) -> BlindAttack:
    """Forged data: its sequence number and its acknowledgment number must both pass.

    RFC 793 takes any ACK that is not ahead of SND.NXT, 2^31 + 1 numbers, so that one of two guesses is always right.
    RFC 5961 5.2 takes those from SND.UNA - MAX.SND.WND to SND.NXT only.

    Args:
        window: the attacked end's receive window, bytes.
        rules: `rfc793` or `rfc5961`.
        length: bytes of data in each forged segment, at most window + 1: a segment that reaches beyond both ends of
            the window is refused.
        max_snd_wnd: the largest window that the attacked end was ever offered (MAX.SND.WND), bytes; RFC 5961 only.
        in_flight: the data that the attacked end has sent and that is not yet acknowledged, bytes; RFC 5961 only.
        ports: how many ports the attacked end may be using.

    Raises:
        ValueError: a number outside its range or unknown rules.
    """
    _check_rules(rules)
    check_count("window", window)
    check_count("length", length, low=1, high=max(window + 1, 1))
    check_count("max_snd_wnd", max_snd_wnd)
    check_count("in_flight", in_flight)
    check_count("max_snd_wnd + in_flight", max_snd_wnd + in_flight, high=SEQUENCE_SPACE - 1)
    acks = SEQUENCE_SPACE // 2 + 1 if rules == "rfc793" else max_snd_wnd + in_flight + 1
    return BlindAttack(sequences=acceptable_sequences(length=length, window=window), acks=acks, ports=ports)


def bandwidth_delay_window(*, bandwidth: float, rtt: float) -> int:
    """The window (bytes) that fills a path: bandwidth (bit/s) times round trip (s), as RFC 4953 figure 1 has it.

    Raises:
        ValueError: bandwidth or rtt <= 0.
    """
    check_positive("bandwidth", bandwidth)
    check_positive("rtt", rtt)
    return round(bandwidth * rtt / 8)


def attack_duration(*, segments: float, bandwidth: float, segment_bytes: int = 40) -> float:
    """Seconds to send `segments` of `segment_bytes` bytes each (40: headers only) at `bandwidth` bit/s.

    Raises:
        ValueError: segments negative or NaN, bandwidth <= 0, or segment_bytes < 1.
    """
    if segments != math.inf:
        check_non_negative("segments", segments)
    check_positive("bandwidth", bandwidth)
    check_count("segment_bytes", segment_bytes, low=1)
    return segments * segment_bytes * 8 / bandwidth


def _check_rules(rules: str) -> None:
    if rules not in get_args(Rules):
        raise ValueError(f"rules must be one of {', '.join(get_args(Rules))}, got {rules!r}")
