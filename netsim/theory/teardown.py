"""How the end that closes last leaves LAST-ACK: cleanly, by a reset, or by a timeout.

B, in LAST-ACK, sends its FIN and retransmits it until an answer arrives. A, in FIN-WAIT-2, enters TIME-WAIT on the
first FIN that arrives. While TIME-WAIT lasts, every FIN is acknowledged; afterwards there is no connection, and a FIN
is answered with a RST (RFC 9293 3.10.7.1). FINs are lost with probability pb, answers with pa, each independently;
delays are constant, so only the intervals between the FINs matter, and every answer has the time to arrive before B
times out. Write q = (1 - pb)(1 - pa) and r for the number of FIN retransmissions. Times are in seconds.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from netsim.theory._domain import (
    NANOSECONDS_PER_SECOND,
    check_count,
    check_non_negative,
    check_probability,
    nanoseconds,
)
from netsim.theory.distribution import LatencyDistribution, from_nanoseconds
from netsim.theory.setup_chain import TieBreak

_LONGEST = 1e15  # s; far beyond any schedule, and it keeps every instant finite


@dataclass(frozen=True, kw_only=True)
class TeardownOutcome:
    """What becomes of the end in LAST-ACK.

    Attributes:
        fin_times: when each FIN is sent, seconds after the first.
        clean: clean[k] = P(B is closed by the ACK of FIN k, k = 0 being the first).
        reset: reset[k] = P(B is closed by a RST that answers FIN k).
        p_timeout: P(no answer arrives: B times out).
    """

    fin_times: tuple[float, ...]
    clean: tuple[float, ...]
    reset: tuple[float, ...]
    p_timeout: float

    @property
    def p_clean(self) -> float:
        """P(B is closed by an ACK)."""
        return sum(self.clean)

    @property
    def p_reset(self) -> float:
        """P(B is closed by a RST)."""
        return sum(self.reset)

    @property
    def retransmissions(self) -> tuple[float, ...]:
        """P(exactly k FIN retransmissions are needed), k = 0, 1, ...; what is missing to 1 is `p_timeout`."""
        return tuple(clean + reset for clean, reset in zip(self.clean, self.reset, strict=True))

    def latency(self, *, rtt: float) -> LatencyDistribution:
        """From B's first FIN to the answer that closes it, cleanly or not, when the round trip takes `rtt` seconds.

        Raises:
            ValueError: rtt is negative or not finite.
        """
        check_non_negative("rtt", rtt, high=_LONGEST)
        instants = (nanoseconds(time) + nanoseconds(rtt) for time in self.fin_times)
        return from_nanoseconds(dict(zip(instants, self.retransmissions, strict=True)), p_fail=self.p_timeout)


def teardown_outcome(
    *,
    fin_intervals: Sequence[float],
    time_wait: float,
    loss_fin: float,
    loss_answer: float,
    restart: bool = True,
    tie_break: TieBreak = "timer-first",
) -> TeardownOutcome:
    """The exact outcome for any TIME-WAIT length, by a recursion over the FINs.

    Args:
        fin_intervals: seconds to wait after each transmission of the FIN, r + 1 of them for r retransmissions; at
            the end of the last one B times out.
        time_wait: length of TIME-WAIT (tau), seconds.
        loss_fin: probability that a FIN is lost (pb).
        loss_answer: probability that its ACK or RST is lost (pa).
        restart: whether a retransmitted FIN restarts TIME-WAIT (RFC 9293 3.10.7.4, eighth). Read to the letter,
            that step is never reached: such a FIN is out of the window and already answered in the first check.
        tie_break: which comes first when a FIN arrives at the instant at which TIME-WAIT ends.

    Raises:
        ValueError: no interval, an interval <= 0, a negative time_wait, a loss outside [0, 1], or another tie_break.
    """
    check_non_negative("time_wait", time_wait, high=_LONGEST)
    check_probability("loss_fin", loss_fin)
    check_probability("loss_answer", loss_answer)
    if tie_break not in get_args(TieBreak):
        raise ValueError(f"tie_break must be one of {', '.join(get_args(TieBreak))}, got {tie_break!r}")
    sent = _fin_times(fin_intervals)
    lasts = nanoseconds(time_wait) + (tie_break == "packet-first")  # a FIN is on time iff it arrives before this
    clean, reset, p_timeout = _recursion(
        sent, lasts, p_arrives=1 - loss_fin, p_answered=1 - loss_answer, restart=restart
    )
    return TeardownOutcome(
        fin_times=tuple(time / NANOSECONDS_PER_SECOND for time in sent),
        clean=tuple(clean),
        reset=tuple(reset),
        p_timeout=min(p_timeout, 1.0),
    )


def p_fin_retransmissions(count: int, *, loss_fin: float, loss_answer: float) -> float:
    """P(exactly `count` retransmissions of the FIN are needed): (1 - q)^k q, whatever the length of TIME-WAIT.

    Raises:
        ValueError: a negative count or a loss outside [0, 1].
    """
    check_count("count", count)
    failure = _unanswered(loss_fin, loss_answer)
    return float(failure**count * (1 - failure))


def p_teardown_timeout(*, retries: int, loss_fin: float, loss_answer: float) -> float:
    """P(B times out): (1 - q)^(r + 1), whatever the length of TIME-WAIT, as ACKs and RSTs are lost alike.

    Raises:
        ValueError: negative retries or a loss outside [0, 1].
    """
    check_count("retries", retries)
    return float(_unanswered(loss_fin, loss_answer) ** (retries + 1))


def p_clean_without_time_wait(*, retries: int, loss_fin: float, loss_answer: float) -> float:
    """P(B closes cleanly) when TIME-WAIT lasts no time: (1 - pa)(1 - pb^(r + 1)).

    Only the first FIN that arrives is acknowledged; B closes cleanly iff there is one and that ACK arrives.

    Raises:
        ValueError: negative retries or a loss outside [0, 1].
    """
    check_count("retries", retries)
    check_probability("loss_fin", loss_fin)
    check_probability("loss_answer", loss_answer)
    return float((1 - loss_answer) * (1 - loss_fin ** (retries + 1)))


def _recursion(
    sent: Sequence[int], lasts: int, *, p_arrives: float, p_answered: float, restart: bool
) -> tuple[list[float], list[float], float]:
    """P(closed by the ACK of FIN k), P(closed by its RST), for each k, and P(no answer); nanoseconds."""
    clean: list[float] = []
    reset: list[float] = []
    unanswered: dict[int | None, float] = {None: 1.0}  # when TIME-WAIT ends; None: no FIN has arrived yet
    for now in sent:
        closed_by = {"ACK": 0.0, "RST": 0.0}
        following: dict[int | None, float] = {}
        for end, p in unanswered.items():
            there = end is None or now < end
            moved = now + lasts if end is None or (there and restart) else end
            closed_by["ACK" if there else "RST"] += p * p_arrives * p_answered
            following[end] = following.get(end, 0.0) + p * (1 - p_arrives)
            following[moved] = following.get(moved, 0.0) + p * p_arrives * (1 - p_answered)
        clean.append(closed_by["ACK"])
        reset.append(closed_by["RST"])
        unanswered = following
    return clean, reset, sum(unanswered.values())


def _unanswered(loss_fin: float, loss_answer: float) -> float:
    """1 - q: a FIN or its answer is lost."""
    check_probability("loss_fin", loss_fin)
    check_probability("loss_answer", loss_answer)
    return 1 - (1 - loss_fin) * (1 - loss_answer)


def _fin_times(intervals: Sequence[float]) -> list[int]:
    """When each FIN is sent, nanoseconds."""
    if len(intervals) == 0:
        raise ValueError(f"fin_intervals must hold at least one interval, got {intervals!r}")
    for index, interval in enumerate(intervals):
        if not 0 < interval <= _LONGEST:
            raise ValueError(f"fin_intervals[{index}] must be in (0, {_LONGEST:g}], got {interval!r}")
    return list(itertools.accumulate(map(nanoseconds, intervals[:-1]), initial=0))
