"""Ghosts of a two-way handshake: connections that only the server believes in.

A server that is ESTABLISHED on the SYN opens a connection for every SYN it does not recognise. A copy that
arrives while the connection lives, or while the server remembers it, belongs to that connection; one that comes
later makes a ghost. With a bounded packet lifetime the two-way handshake is therefore safe iff the server remembers
for longer than a packet lives (Attiya and Rappoport, Distributed Computing 1997). The three-way server meets the
same SYNs and keeps no more than a half-open connection for each. Times are in seconds. How many ghosts are alive:
`mean_population(rate=ghosts per second, lifetime=...)`.
"""

import math

from netsim.theory._domain import check_non_negative, check_positive, check_probability
from netsim.theory.late import p_late_exponential


def p_ghost_duplicate(
    *,
    duplicate: float,
    mean_extra_delay: float,
    life: float,
    memory: float = 0.0,
    lifetime: float | None = None,
) -> float:
    """P(a connection leaves a ghost) when the network copies its SYN with probability d: d e^(-(H + M)/theta).

    The copy comes an Exp(theta) time after the original and is a ghost iff that is more than H + M.

    Args:
        duplicate: probability that the SYN is copied (d).
        mean_extra_delay: mean time by which a copy follows its original (theta), s.
        life: how long the server's connection lives (H), s.
        memory: how long the server remembers a closed connection (M), s.
        lifetime: a copy that would follow its original by more than this vanishes, s.

    Raises:
        ValueError: duplicate outside [0, 1], mean_extra_delay <= 0, or another argument negative.
    """
    check_probability("duplicate", duplicate)
    check_non_negative("life", life)
    check_non_negative("memory", memory)
    check_positive("mean_extra_delay", mean_extra_delay)
    return duplicate * p_late_exponential(time_wait=memory, age=life, mean_delay=mean_extra_delay, lifetime=lifetime)


def p_ghost_delay(
    *,
    rto: float,
    delay: float,
    mean_extra_delay: float,
    reply_delay: float,
    life: float,
    memory: float = 0.0,
    gives_up: float | None = None,
) -> float:
    """P(a connection leaves a ghost) through delay alone, no segment being lost or copied by the network.

    The client sends its SYN at 0 and, if no answer came by T, once more. Each SYN takes b + Exp(mu), the answer
    r. The two SYNs are X1 and T + X2 late (X1, X2 ~ Exp(mu)) and the later one is a ghost iff they are more than
    h = H + M apart. With c = T - b - r and x0 = max(c, T - h):

        [e^(-c/mu) - e^(-(T - h)/mu)]^+ + e^(-(2 x0 - T + h)/mu) / 2 + e^(-(T + h)/mu) / 2

    The first two terms are a ghost of the second SYN, the last one of the first. A client that gives up at G leaves a
    ghost too if both SYNs come after that, however near to each other: e^(-(2(G - b) - T)/mu) (1 - e^(-h/mu)) more.

    Args:
        rto: the client's initial RTO (T), s.
        delay: smallest one-way delay of a SYN (b), s.
        mean_extra_delay: mean of the exponential delay on top (mu), s.
        reply_delay: one-way delay of the answer (r), s.
        life: how long the server's connection lives (H), s.
        memory: how long the server remembers a closed connection (M), s.
        gives_up: when the client gives up, s after its first SYN (G); None: never.

    Raises:
        ValueError: rto or mean_extra_delay <= 0, another time negative, rto < delay + reply_delay (then the second SYN
            is always sent), or gives_up < rto + delay (before the second SYN can come).
    """
    check_positive("rto", rto)
    check_positive("mean_extra_delay", mean_extra_delay)
    times = {"delay": delay, "reply_delay": reply_delay, "life": life, "memory": memory}
    for name, value in times.items():
        check_non_negative(name, value)
    check_non_negative("rto - delay - reply_delay", rto - delay - reply_delay)

    def tail(time: float) -> float:
        return math.exp(-time / mean_extra_delay)

    apart = life + memory
    slack = rto - delay - reply_delay
    later = max(slack, rto - apart)
    certain = tail(slack) - tail(later)  # X1 in (c, x0): the second SYN is late enough however fast it is
    ghost = certain + tail(2 * later - rto + apart) / 2 + tail(rto + apart) / 2
    if gives_up is None:
        return ghost
    patience = gives_up - delay
    check_non_negative("gives_up - delay - rto", patience - rto)
    return ghost + tail(2 * patience - rto) * (1 - tail(apart))


def p_ghost_reorder(
    *,
    reorder: float,
    rto: float,
    delay: float,
    mean_extra_delay: float,
    reply_delay: float,
    life: float,
    memory: float = 0.0,
    gives_up: float | None = None,
) -> float:
    """P(a connection leaves a ghost) when each SYN is held back with probability p, by Exp(mu), and overtaken.

    As `p_ghost_delay`, but that a SYN which is not held back takes b alone. The second one is sent only if the first is
    held back for c or more; if it is itself on time (1 - p), the first is a ghost when it comes h later, and the second
    when the first came h before it: [e^(-c/mu) - e^(-(T - h)/mu)]^+ + e^(-(T + h)/mu).

    Args:
        reorder: probability that a SYN is held back (p).
        rto: the client's initial RTO (T), s.
        delay: one-way delay of a SYN that is not held back (b), s.
        mean_extra_delay: mean of the exponential time for which one is (mu), s.
        reply_delay: one-way delay of the answer (r), s.
        life: how long the server's connection lives (H), s.
        memory: how long the server remembers a closed connection (M), s.
        gives_up: when the client gives up, s after its first SYN (G); None: never.

    Raises:
        ValueError: reorder outside [0, 1], or as `p_ghost_delay`.
    """
    check_probability("reorder", reorder)
    both_held = p_ghost_delay(
        rto=rto, delay=delay, mean_extra_delay=mean_extra_delay, reply_delay=reply_delay, life=life, memory=memory,
        gives_up=gives_up,
    )  # fmt: skip

    def tail(time: float) -> float:
        return math.exp(-time / mean_extra_delay)

    apart, slack = life + memory, rto - delay - reply_delay
    first_held = max(tail(slack) - tail(rto - apart), 0.0) + tail(rto + apart)
    return reorder * ((1 - reorder) * first_held + reorder * both_held)
