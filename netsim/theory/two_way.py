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
from dataclasses import dataclass

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
    reorder: float = 1.0,
) -> float:
    """P(a connection leaves a ghost) because SYNs are delayed; the network neither loses nor duplicates segments.

    The client sends its SYN at 0 and, if no answer came by T, once more. Each SYN takes b, and with probability p
    Exp(mu) more; the answer takes r. The later SYN is a ghost iff it arrives more than h = H + M after the other.

    Args:
        rto: the client's initial RTO (T), s.
        delay: one-way delay of a SYN that is not delayed further (b), s.
        mean_extra_delay: mean of the exponential extra delay (mu), s.
        reply_delay: one-way delay of the answer (r), s.
        connection_duration: duration of the server's connection (H), s.
        server_memory: how long the server remembers a closed connection (M), s.
        client_timeout: when the client's OPEN times out, s after its first SYN (G); None: never.
        reorder: probability that a SYN is delayed (p); 1: every SYN is.

    Raises:
        ValueError: reorder outside [0, 1], rto or mean_extra_delay <= 0, another time negative, rto < delay +
            reply_delay (the second SYN is then always sent), or client_timeout < rto + delay (before it can arrive).
    """
    check_probability("reorder", reorder)
    check_non_negative("connection_duration", connection_duration)
    check_non_negative("server_memory", server_memory)
    apart = connection_duration + server_memory
    syns = _TwoSyns(rto=rto, delay=delay, mean_extra_delay=mean_extra_delay, reply_delay=reply_delay, apart=apart)
    both = syns.ghost_if_both_are_delayed(client_timeout)
    return reorder * ((1 - reorder) * syns.ghost_if_the_first_is_delayed() + reorder * both)


@dataclass(frozen=True, kw_only=True)
class _TwoSyns:
    """The two SYNs of `p_ghost_delay`, which are X1 and T + X2 late; ``apart`` is h."""

    rto: float
    delay: float
    mean_extra_delay: float
    reply_delay: float
    apart: float

    def __post_init__(self) -> None:
        check_positive("rto", self.rto)
        check_positive("mean_extra_delay", self.mean_extra_delay)
        check_non_negative("delay", self.delay)
        check_non_negative("reply_delay", self.reply_delay)
        check_non_negative("rto - delay - reply_delay", self.slack)

    @property
    def slack(self) -> float:
        """How late the first SYN may be without a second one: c = T - b - r."""
        return self.rto - self.delay - self.reply_delay

    def tail(self, time: float) -> float:
        """P(a delayed SYN is later than ``time``)."""
        return math.exp(-time / self.mean_extra_delay)

    def ghost_if_the_first_is_delayed(self) -> float:
        """X1 ~ Exp(mu) and X2 = 0: [e^(-c/mu) - e^(-(T - h)/mu)]^+ + e^(-(T + h)/mu).

        The second SYN is a ghost when the first arrived h before it, and the first when it arrives h after the second.
        """
        second = max(self.tail(self.slack) - self.tail(self.rto - self.apart), 0.0)
        return second + self.tail(self.rto + self.apart)

    def ghost_if_both_are_delayed(self, client_timeout: float | None) -> float:
        """X1, X2 ~ Exp(mu): with x0 = max(c, T - h),

            [e^(-c/mu) - e^(-(T - h)/mu)]^+ + e^(-(2 x0 - T + h)/mu) / 2 + e^(-(T + h)/mu) / 2

        The first two terms are a ghost of the second SYN, the last one of the first. A client whose OPEN times out at G
        leaves a ghost too if both SYNs arrive after that, whatever the time between them, which adds
        e^(-(2(G - b) - T)/mu) (1 - e^(-h/mu)).
        """
        rto, apart, tail = self.rto, self.apart, self.tail
        later = max(self.slack, rto - apart)
        certain = tail(self.slack) - tail(later)  # X1 in (c, x0): the second SYN is late enough however fast it is
        ghost = certain + tail(2 * later - rto + apart) / 2 + tail(rto + apart) / 2
        if client_timeout is None:
            return ghost
        patience = client_timeout - self.delay
        check_non_negative("client_timeout - delay - rto", patience - rto)
        return ghost + tail(2 * patience - rto) * (1 - tail(apart))
