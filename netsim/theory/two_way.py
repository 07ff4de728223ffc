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
    *, rto: float, delay: float, mean_extra_delay: float, reply_delay: float, life: float, memory: float = 0.0
) -> float:
    """P(a connection leaves a ghost) through delay alone, no segment being lost or copied by the network.

    The client sends its SYN at 0 and, if no answer came by T, once more. Each SYN takes b + Exp(mu), the answer
    r. The two SYNs are X1 and T + X2 late (X1, X2 ~ Exp(mu)) and the later one is a ghost iff they are more than
    h = H + M apart. With c = T - b - r and x0 = max(c, T - h):

        [e^(-c/mu) - e^(-(T - h)/mu)]^+ + e^(-(2 x0 - T + h)/mu) / 2 + e^(-(T + h)/mu) / 2

    The first two terms are a ghost of the second SYN, the last one of the first.

    Args:
        rto: the client's initial RTO (T), s.
        delay: smallest one-way delay of a SYN (b), s.
        mean_extra_delay: mean of the exponential delay on top (mu), s.
        reply_delay: one-way delay of the answer (r), s.
        life: how long the server's connection lives (H), s.
        memory: how long the server remembers a closed connection (M), s.

    Raises:
        ValueError: rto or mean_extra_delay <= 0, another time negative, or rto < delay + reply_delay (then the
            second SYN is always sent).
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
    return certain + tail(2 * later - rto + apart) / 2 + tail(rto + apart) / 2
