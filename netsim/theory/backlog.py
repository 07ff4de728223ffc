"""A SYN queue under a flood: the probability that a legitimate SYN finds the queue full.

The queue has B slots. Spoofed SYNs arrive at rate lambda; none of their handshakes is ever completed, so each occupies
its slot for the lifetime T of a SYN-RECEIVED entry (see `backoff_intervals`). A SYN that finds the queue full is
dropped. The offered load is a = lambda T, plus the rate of legitimate SYNs times the mean lifetime of their entries
(`mean_entry_lifetime`). What a client's retransmissions achieve depends on the distribution of the lifetime: if it is
constant, the queue fills, blocks and empties periodically, and all SYNs of one client are likely to arrive in the same
blocked phase; P(all blocked) is then far above the product of the single probabilities. Rates are per second, times in
seconds.
"""

import itertools
from collections.abc import Sequence

from netsim.theory._domain import check_count, check_non_negative, check_positive, check_probability


def erlang_b(*, load: float, slots: int) -> float:
    """P(a Poisson arrival finds all B slots taken), stationary: b_k = a b_(k-1) / (k + a b_(k-1)), b_0 = 1.

    The Erlang-B formula; it is exact whatever the distribution of the lifetime, of which only the mean enters `load`.

    Args:
        load: offered load a (erlang): arrival rate times mean lifetime.
        slots: number of slots B.

    Raises:
        ValueError: a negative load or number of slots.
    """
    check_non_negative("load", load)
    check_count("slots", slots)
    blocked = 1.0
    for k in range(1, slots + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked


def fluid_blocking(*, load: float, slots: int) -> float:
    """Share of blocked SYNs in the fluid approximation: max(0, 1 - B/a), the limit of `erlang_b` for large B.

    Raises:
        ValueError: a negative load or number of slots.
    """
    check_non_negative("load", load)
    check_count("slots", slots)
    return 1 - slots / load if load > slots else 0.0


def fill_time(*, attack_rate: float, slots: int) -> float:
    """Seconds until an empty queue is full: B / lambda.

    Raises:
        ValueError: attack_rate <= 0 or a negative number of slots.
    """
    check_positive("attack_rate", attack_rate)
    check_count("slots", slots)
    return slots / attack_rate


def saturating_rate(*, slots: int, entry_lifetime: float) -> float:
    """The smallest attack, SYNs per second, that keeps the queue full: B / T, 2.03 for 128 slots and 63 s.

    Raises:
        ValueError: a negative number of slots or entry_lifetime <= 0.
    """
    check_count("slots", slots)
    check_positive("entry_lifetime", entry_lifetime)
    return slots / entry_lifetime


def mean_entry_lifetime(
    *, synack_intervals: Sequence[float], rtt: float, loss_forward: float, loss_reverse: float
) -> float:
    """Mean time (s) that the entry of a legitimate client, which sends nothing after its ACK, occupies its slot.

    SYN-ACK k, sent when k intervals are over, completes the handshake one RTT later with probability
    q = (1 - pf)(1 - pr), each independently (RFC 9293: only the server's timer retransmits the SYN-ACK); at the end of
    the last interval the slot is freed.

    Raises:
        ValueError: no interval, one that is not positive, a negative rtt, or a loss outside [0, 1].
    """
    check_non_negative("rtt", rtt)
    check_probability("loss_forward", loss_forward)
    check_probability("loss_reverse", loss_reverse)
    _check_nonempty("synack_intervals", synack_intervals)
    for index, interval in enumerate(synack_intervals):
        check_positive(f"synack_intervals[{index}]", interval)
    success = (1 - loss_forward) * (1 - loss_reverse)
    *sent, end = itertools.accumulate(synack_intervals, initial=0.0)
    waiting = 1.0
    mean = 0.0
    for time in sent:
        mean += waiting * success * min(time + rtt, end)
        waiting *= 1 - success
    return mean + waiting * end


def p_blocked_from_empty(*, attack_rate: float, slots: int, time: float, entry_lifetime: float) -> float:
    """P(a SYN finds the queue full) `time` seconds after a Poisson attack met an empty one: P(Pois(lambda t) >= B).

    Exact for a constant lifetime, as long as no entry has expired: hence time <= entry_lifetime.

    Raises:
        ValueError: a negative argument, or time > entry_lifetime.
    """
    check_non_negative("attack_rate", attack_rate)
    check_count("slots", slots)
    check_non_negative("entry_lifetime", entry_lifetime)
    check_non_negative("time", time, high=entry_lifetime)
    from scipy.special import pdtrc

    return float(pdtrc(slots - 1, attack_rate * time)) if slots else 1.0


def p_blocked_in_first_lifetime(*, attack_rate: float, slots: int, entry_lifetime: float) -> float:
    """P(a SYN at a uniform time of the first `entry_lifetime` seconds finds the queue full), which was empty at 0.

    The mean of `p_blocked_from_empty` over [0, T]. With S_B the time of the B-th arrival it is E[(T - S_B)^+] / T =
    P(Pois(lambda T) >= B) - B / (lambda T) P(Pois(lambda T) >= B + 1).

    Raises:
        ValueError: attack_rate or entry_lifetime <= 0, or slots < 1.
    """
    check_positive("attack_rate", attack_rate)
    check_positive("entry_lifetime", entry_lifetime)
    check_count("slots", slots, low=1)
    from scipy.special import pdtrc

    mean = attack_rate * entry_lifetime
    return float(pdtrc(slots - 1, mean) - slots / mean * pdtrc(slots, mean))


def p_all_blocked_periodic(*, offsets: Sequence[float], attack_rate: float, slots: int, entry_lifetime: float) -> float:
    """P(every SYN of one client is blocked) with a constant lifetime: 1 - |U_i ([0, w) - o_i mod T)| / T.

    An approximation: the fluid limit of the first cycles from an empty queue. The attack fills the queue in w = B /
    lambda, is blocked until the first entry expires at T, and so on with period T; the client comes at a uniform
    phase and a SYN is served iff its phase lies in [0, w). While no gap between SYNs exceeds w and w + o_n <= T,
    this is 1 - (w + o_n)/T. In later cycles the edges blur, and at mild overload the true value is lower.

    Args:
        offsets: when each SYN is sent, seconds after the first (whose own offset is 0).
        attack_rate: spoofed SYNs per second (lambda).
        slots: number of slots (B).
        entry_lifetime: lifetime of an entry (T), s.

    Raises:
        ValueError: no offset, a negative or infinite one, attack_rate or entry_lifetime <= 0, or slots < 0.
    """
    _check_offsets(offsets)
    check_positive("entry_lifetime", entry_lifetime)
    width = fill_time(attack_rate=attack_rate, slots=slots)
    # Arcs of one width on a circle of circumference T: each covers its width, or the gap to the next one.
    starts = sorted({-offset % entry_lifetime for offset in offsets})
    gaps = [later - start for start, later in itertools.pairwise([*starts, starts[0] + entry_lifetime])]
    served = sum(min(width, gap) for gap in gaps)
    return max(0.0, 1 - served / entry_lifetime)


def p_all_blocked_markov(*, offsets: Sequence[float], attack_rate: float, slots: int, entry_lifetime: float) -> float:
    """P(every SYN of one client is blocked) with exponential lifetimes: pi_B prod_k [exp(Q d_k)]_BB.

    pi_B is `erlang_b`, Q the generator of the M/M/B/B queue and d_k the gaps between the SYNs: a blocked SYN leaves
    the queue as it found it, full, and the next one is blocked iff it is full again d_k later. Q is
    made symmetric, which leaves the diagonal of its exponential as it is, and diagonalised; about 0.5 s for
    1,000 slots. Arguments as in `p_all_blocked_periodic`; the offsets increase and `entry_lifetime` is the mean.

    Raises:
        ValueError: as `p_all_blocked_periodic`, or offsets that decrease.
    """
    _check_offsets(offsets)
    check_positive("attack_rate", attack_rate)
    check_count("slots", slots)
    check_positive("entry_lifetime", entry_lifetime)
    if any(later < earlier for earlier, later in itertools.pairwise(offsets)):
        raise ValueError(f"offsets must not decrease, got {offsets!r}")
    p = erlang_b(load=attack_rate * entry_lifetime, slots=slots)
    if slots == 0 or len(offsets) == 1:
        return p
    import numpy as np
    from scipy.linalg import eigh_tridiagonal

    taken = np.arange(slots + 1)
    leaving = -(taken / entry_lifetime + np.where(taken < slots, attack_rate, 0.0))
    rates, vectors = eigh_tridiagonal(leaving, np.sqrt(attack_rate * taken[1:] / entry_lifetime))
    full = vectors[-1] ** 2
    for earlier, later in itertools.pairwise(offsets):
        p *= float(full @ np.exp(np.minimum(rates, 0.0) * (later - earlier)))
    return p


def _check_offsets(offsets: Sequence[float]) -> None:
    _check_nonempty("offsets", offsets)
    for index, offset in enumerate(offsets):
        check_non_negative(f"offsets[{index}]", offset)


def _check_nonempty(name: str, values: Sequence[float]) -> None:
    if len(values) == 0:
        raise ValueError(f"{name} must hold at least one value, got {values!r}")
