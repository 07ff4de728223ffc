"""Ghost connections of a two-way handshake: connections that only the server believes in.

A server that is ESTABLISHED on the SYN opens a connection for every SYN that it does not recognise. A copy of a SYN
that arrives while the connection exists, or while the server remembers it, belongs to that connection; a copy that
arrives later opens a ghost connection. If packets have a maximum lifetime, the two-way handshake is therefore safe if
and only if the server remembers connections for longer than that (Attiya and Rappoport, Distributed Computing 1997).
A server with a three-way handshake receives the same SYNs and sets up no more than a SYN-RECEIVED connection for each.

The probabilities are exact for independent exponential delays and no loss. Times are in seconds. The mean number of
ghost connections that exist is `mean_population(rate=ghosts per second, lifetime=...)`.
"""

import math

from netsim.theory._domain import check_non_negative, check_positive, check_probability
from netsim.theory.late import p_late_exponential


def p_ghost_duplicate(
    *,
    duplicate: float,
    mean_extra_delay: float,
    connection_duration: float,
    server_memory: float = 0.0,
    lifetime: float | None = None,
) -> float:
    """P(a connection leaves a ghost) when the network copies its SYN with probability d: d e^(-(H + M)/theta).

    The copy comes an Exp(theta) time after the original and is a ghost iff that is more than H + M.

    Args:
        duplicate: probability that the SYN is copied (d).
        mean_extra_delay: mean time by which a copy follows its original (theta), s.
        connection_duration: duration of the server's connection (H), s.
        server_memory: how long the server remembers a closed connection (M), s.
        lifetime: a copy that would follow its original by more than this vanishes, s.

    Raises:
        ValueError: duplicate outside [0, 1], mean_extra_delay <= 0, or another argument negative.
    """
    check_probability("duplicate", duplicate)
    check_non_negative("connection_duration", connection_duration)
    check_non_negative("server_memory", server_memory)
    check_positive("mean_extra_delay", mean_extra_delay)
    return duplicate * p_late_exponential(
        time_wait=server_memory, age=connection_duration, mean_delay=mean_extra_delay, lifetime=lifetime
    )


def p_ghost_delay(
    *,
    rto: float,
    delay: float,
    mean_extra_delay: float,
    reply_delay: float,
    connection_duration: float,
    server_memory: float = 0.0,
    client_timeout: float | None = None,
) -> float:
    """P(a connection leaves a ghost) through delay alone: the network neither loses nor duplicates segments.

    The client sends its SYN at 0 and, if no answer came by T, once more. Each SYN takes b + Exp(mu), the answer
    r. The two SYNs are X1 and T + X2 late (X1, X2 ~ Exp(mu)) and the later one is a ghost iff they are more than
    h = H + M apart. With c = T - b - r and x0 = max(c, T - h):

        [e^(-c/mu) - e^(-(T - h)/mu)]^+ + e^(-(2 x0 - T + h)/mu) / 2 + e^(-(T + h)/mu) / 2

    The first two terms are a ghost of the second SYN, the last one of the first. A client whose OPEN times out at G
    leaves a ghost too if both SYNs arrive after that, whatever the time between them, which adds
    e^(-(2(G - b) - T)/mu) (1 - e^(-h/mu)).

    Args:
        rto: the client's initial RTO (T), s.
        delay: smallest one-way delay of a SYN (b), s.
        mean_extra_delay: mean of the exponential delay on top (mu), s.
        reply_delay: one-way delay of the answer (r), s.
        connection_duration: duration of the server's connection (H), s.
        server_memory: how long the server remembers a closed connection (M), s.
        client_timeout: when the client's OPEN times out, s after its first SYN (G); None: never.

    Raises:
        ValueError: rto or mean_extra_delay <= 0, another time negative, rto < delay + reply_delay (then the second SYN
            is always sent), or client_timeout < rto + delay (before the second SYN can come).
    """
    check_positive("rto", rto)
    check_positive("mean_extra_delay", mean_extra_delay)
    times = {
        "delay": delay,
        "reply_delay": reply_delay,
        "connection_duration": connection_duration,
        "server_memory": server_memory,
    }
    for name, value in times.items():
        check_non_negative(name, value)
    check_non_negative("rto - delay - reply_delay", rto - delay - reply_delay)

    def tail(time: float) -> float:
        return math.exp(-time / mean_extra_delay)

    apart = connection_duration + server_memory
    slack = rto - delay - reply_delay
    later = max(slack, rto - apart)
    certain = tail(slack) - tail(later)  # X1 in (c, x0): the second SYN is late enough however fast it is
    ghost = certain + tail(2 * later - rto + apart) / 2 + tail(rto + apart) / 2
    if client_timeout is None:
        return ghost
    patience = client_timeout - delay
    check_non_negative("client_timeout - delay - rto", patience - rto)
    return ghost + tail(2 * patience - rto) * (1 - tail(apart))


def p_ghost_reorder(
    *,
    reorder: float,
    rto: float,
    delay: float,
    mean_extra_delay: float,
    reply_delay: float,
    connection_duration: float,
    server_memory: float = 0.0,
    client_timeout: float | None = None,
) -> float:
    """P(a connection leaves a ghost) when each SYN is delayed with probability p, by Exp(mu) more.

    As `p_ghost_delay`, but a SYN that is not delayed takes b alone. The second one is sent only if the first is
    delayed by c or more; if it is itself on time (1 - p), the first is a ghost when it comes h later, and the second
    when the first came h before it: [e^(-c/mu) - e^(-(T - h)/mu)]^+ + e^(-(T + h)/mu).

    Args:
        reorder: probability that a SYN is delayed (p).
        rto: the client's initial RTO (T), s.
        delay: one-way delay of a SYN that is not delayed further (b), s.
        mean_extra_delay: mean of the exponential extra delay (mu), s.
        reply_delay: one-way delay of the answer (r), s.
        connection_duration: duration of the server's connection (H), s.
        server_memory: how long the server remembers a closed connection (M), s.
        client_timeout: when the client's OPEN times out, s after its first SYN (G); None: never.

    Raises:
        ValueError: reorder outside [0, 1], or as `p_ghost_delay`.
    """
    check_probability("reorder", reorder)
    both_held = p_ghost_delay(
        rto=rto,
        delay=delay,
        mean_extra_delay=mean_extra_delay,
        reply_delay=reply_delay,
        connection_duration=connection_duration,
        server_memory=server_memory,
        client_timeout=client_timeout,
    )

    def tail(time: float) -> float:
        return math.exp(-time / mean_extra_delay)

    apart, slack = connection_duration + server_memory, rto - delay - reply_delay
    first_held = max(tail(slack) - tail(rto - apart), 0.0) + tail(rto + apart)
    return reorder * ((1 - reorder) * first_held + reorder * both_held)
