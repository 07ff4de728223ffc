"""The rules that the core names: why a segment had no effect, or why a connection changed its state.

The core, the trace and the scenarios know a rule by its identifier, a plain string such as
``3.10.7.4, first: sequence number``: the section (of RFC 9293 where no other source is named), the step in it if there
is one, and a summary. This module is the only place where an identifier is spelled out; ``CLAUSES`` has the rest.
"""

from typing import Final, NamedTuple


class Clause(NamedTuple):
    """One rule. ``explanation`` says what it orders.

    ``dropped`` is the ladder's phrase for a segment that the rule ignored, ``ended`` its phrase for a connection that
    the rule ended; each is empty if the rule does no such thing, or needs no comment.
    """

    identifier: str
    explanation: str
    dropped: str = ""
    ended: str = ""

    @property
    def section(self) -> str:
        """``3.10.7.4`` for ``3.10.7.4, first: sequence number``."""
        return self.citation.partition(", ")[0]

    @property
    def step(self) -> str:
        """``first`` for ``3.10.7.4, first: sequence number``; empty if the rule is no step of a list."""
        return self.citation.partition(", ")[2]

    @property
    def summary(self) -> str:
        """``sequence number`` for ``3.10.7.4, first: sequence number``."""
        return self.identifier.partition(": ")[2] or self.identifier

    @property
    def citation(self) -> str:
        """Section and step, ``3.10.7.4, first``; empty for a rule that is not an RFC's."""
        place = self.identifier.partition(":")[0]
        return place if place[:1].isdigit() or place.startswith("RFC") else ""


CLAUSES: Final[dict[str, Clause]] = {}
"""Every rule by its identifier."""


def _clause(identifier: str, explanation: str, *, dropped: str = "", ended: str = "") -> str:
    assert identifier not in CLAUSES
    CLAUSES[identifier] = Clause(identifier, explanation, dropped, ended)
    return identifier


# User calls (RFC 9293 3.10.1 to 3.10.5).

OPEN: Final = _clause(
    "3.10.1: OPEN",
    "The user opens a connection, actively or passively; an active OPEN may replace a connection in TIME-WAIT.",
    ended="replaced by an active OPEN",
)
SEND: Final = _clause("3.10.2: SEND", "SEND on a passive OPEN whose remote socket is known makes it active.")
CLOSE: Final = _clause("3.10.4: CLOSE", "The user has no more data to send: a FIN follows what is queued.")
ABORT: Final = _clause("3.10.5: ABORT", "The user drops the connection; the peer gets a RST if it may hold it too.")

# SEGMENT ARRIVES, CLOSED (3.10.7.1).

NO_CONNECTION: Final = _clause(
    "3.10.7.1: CLOSED",
    "A segment for no connection is discarded; unless it is a RST, a RST answers it.",
    dropped="no such connection",
)

# SEGMENT ARRIVES, LISTEN (3.10.7.2).

LISTEN_1_RST: Final = _clause(
    "3.10.7.2, first: RST", "In LISTEN an incoming RST is ignored.", dropped="a RST for a listener"
)
LISTEN_2_ACK: Final = _clause(
    "3.10.7.2, second: ACK", "In LISTEN any ACK is bad, and a RST answers it.", dropped="an ACK for a listener"
)
LISTEN_3_SYN: Final = _clause("3.10.7.2, third: SYN", "A SYN opens a connection in SYN-RECEIVED.")
LISTEN_4_OTHER: Final = _clause(
    "3.10.7.2, fourth: other",
    "In LISTEN a segment without SYN, ACK and RST is dropped.",
    dropped="a listener expects a SYN",
)
SYN_QUEUE_FULL: Final = _clause(
    "listener: SYN queue full", "No slot of the SYN queue is free, and the SYN is dropped.", dropped="SYN queue full"
)
ACCEPT_QUEUE_FULL: Final = _clause(
    "listener: accept queue full",
    "The accept queue holds no more connections: a SYN, or the handshake's final ACK, is ignored or reset.",
    dropped="accept queue full",
    ended="reset: accept queue full",
)
SYN_WITH_FIN: Final = _clause(
    "listener: SYN with FIN", "A host may drop a SYN that carries a FIN as well.", dropped="a SYN with FIN"
)
EVICTED: Final = _clause("RFC 4987 3.4: evicted", "A newer SYN evicts a SYN-RECEIVED entry from the SYN queue.")
SYN_COOKIE: Final = _clause(
    "RFC 4987 3.6: SYN cookie", "A SYN-ACK encodes the SYN in its ISN; the ACK of it restores the connection."
)
FAST_OPEN: Final = _clause(
    "RFC 7413 4.2.2: SYN with a valid cookie",
    "Data on a SYN with a valid cookie is delivered immediately.",
)
DEFER_ACCEPT: Final = _clause(
    "TCP_DEFER_ACCEPT: no data yet",
    "The handshake's final ACK is ignored until the peer sends data.",
    dropped="final ACK without data (TCP_DEFER_ACCEPT)",
)
TWO_WAY: Final = _clause(
    "two-way handshake: ESTABLISHED on the SYN", "A counterfactual: the server is ESTABLISHED when the SYN arrives."
)

# SEGMENT ARRIVES, SYN-SENT (3.10.7.3).

SYN_SENT_1_ACK: Final = _clause(
    "3.10.7.3, first: ACK",
    "In SYN-SENT an ACK of anything but our SYN is answered by a RST.",
    dropped="acknowledges what was never sent",
)
SYN_SENT_2_RST: Final = _clause(
    "3.10.7.3, second: RST",
    "In SYN-SENT a RST counts if it acknowledges our SYN, and ends the connection.",
    dropped="a RST without ACK does not answer our SYN",
    ended="reset",
)
SYN_SENT_4_SYN: Final = _clause(
    "3.10.7.3, fourth: SYN", "A SYN that acknowledges ours leads to ESTABLISHED, one that does not to SYN-RECEIVED."
)
SYN_SENT_5_NEITHER: Final = _clause(
    "3.10.7.3, fifth: neither SYN nor RST",
    "In SYN-SENT a segment with neither SYN nor RST is dropped.",
    dropped="neither SYN nor RST",
)
SYNACK_FOREIGN_ECHO: Final = _clause(
    "net/ipv4/tcp_input.c: SYN-ACK with a foreign echo",
    "A SYN-ACK that echoes a timestamp which no SYN of this OPEN carried is answered by a RST.",
    dropped="SYN-ACK with a foreign timestamp echo",
)

# SEGMENT ARRIVES, later states: the eight checks (3.10.7.4).

CHECK_1_SEQUENCE: Final = _clause(
    "3.10.7.4, first: sequence number",
    "A segment that lies outside the receive window is acknowledged and dropped.",
    dropped="SEQ outside the window",
)
CHECK_2_RST: Final = _clause(
    "3.10.7.4, second: RST", "A RST whose number is acceptable ends the connection.", ended="reset"
)
CHECK_2_CHALLENGE_ACK: Final = _clause(
    "3.10.7.4, second: RST, challenge ACK",
    "A RST inside the window, but not at RCV.NXT, is answered by a challenge ACK.",
    dropped="RST not exactly at RCV.NXT, challenge ACK",
)
CHECK_4_SYN: Final = _clause(
    "3.10.7.4, fourth: SYN",
    "A SYN inside the window returns a passive OPEN in SYN-RECEIVED to LISTEN.",
    ended="a SYN in the window: back to LISTEN",
)
CHECK_4_CHALLENGE_ACK: Final = _clause(
    "3.10.7.4, fourth: SYN, challenge ACK",
    "A SYN on a synchronized connection is answered by a challenge ACK.",
    dropped="SYN on an open connection, challenge ACK",
)
CHECK_5_ACK: Final = _clause(
    "3.10.7.4, fifth: ACK",
    "The ACK field advances SND.UNA and the state; a segment without an acceptable one is dropped.",
    dropped="no acceptable ACK",
)
CHECK_7_SEGMENT_TEXT: Final = _clause(
    "3.10.7.4, seventh: segment text",
    "Data inside the window is delivered in order, in the states that may receive it.",
    dropped="no new data for this state and window",
)
CHECK_8_FIN: Final = _clause("3.10.7.4, eighth: FIN", "The peer's FIN is taken once all data before it has arrived.")
SHLD_3: Final = _clause(
    "3.6.1: SHLD-3", "Data for a user who has closed for good is answered by a RST.", ended="reset: data after close()"
)
MAY_2: Final = _clause("3.6.1: MAY-2", "A SYN with a higher number may open a new connection out of TIME-WAIT.")

# What other RFCs and hosts check beside the eight.

RFC793_SYN: Final = _clause(
    "RFC 793 3.9, fourth: SYN",
    "RFC 793 resets a connection when a SYN inside its window arrives.",
    ended="reset: a SYN in the window",
)
RFC793_SYN_OUTSIDE: Final = _clause(
    "RFC 793 3.9, fourth: SYN outside the window",
    "Only the data of this SYN lies inside the window, so it is ignored.",
    dropped="SYN outside the window",
)
RFC1337_F1: Final = _clause(
    "RFC 1337, fix F1", "A connection in TIME-WAIT ignores every RST.", dropped="TIME-WAIT ignores a RST"
)
RFC1337_F2: Final = _clause(
    "RFC 1337, fix F2",
    "A connection in TIME-WAIT ignores a RST in the first two seconds.",
    dropped="TIME-WAIT ignores a RST in its first 2 s",
)
RFC5961_OLD_ACK: Final = _clause(
    "RFC 5961 5: old ACK", "An ACK older than the largest window is answered by a challenge ACK.", dropped="ACK too old"
)
RFC6191_DROP: Final = _clause(
    "RFC 6191 2: silently dropped",
    "A SYN that may not open a new connection out of TIME-WAIT is dropped.",
    dropped="SYN that may not reopen TIME-WAIT",
)
TIMESTAMP_MISSING: Final = _clause(
    "RFC 7323 3.2: timestamp missing",
    "Once timestamps are in use, a segment without one may be dropped.",
    dropped="timestamp missing",
)
PAWS: Final = _clause(
    "RFC 7323 5.3, R1: PAWS",
    "A segment whose timestamp is older than TS.Recent is an old duplicate: acknowledged and dropped.",
    dropped="timestamp older than TS.Recent (PAWS)",
)
NO_MAC: Final = _clause("RFC 5925 7.3: no MAC", "A segment without the MAC that it must carry is dropped.")
WRONG_MAC: Final = _clause("RFC 5925 7.3: wrong MAC", "A segment whose MAC does not fit is dropped.")
TIME_WAIT_TWCHECK: Final = _clause(
    "TIME-WAIT: sys/netinet/tcp_timewait.c, tcp_twcheck",
    "FreeBSD checks no window in TIME-WAIT: it drops a RST and a segment without ACK, and acknowledges most others.",
    dropped="TIME-WAIT of FreeBSD (tcp_twcheck)",
)
TIME_WAIT_NEITHER: Final = _clause(
    "TIME-WAIT: neither SYN nor ACK",
    "A host may drop a segment with neither SYN nor ACK in TIME-WAIT without an ACK.",
    dropped="neither SYN nor ACK in TIME-WAIT",
)

# Timers (3.10.8 and 3.8).

USER_TIMEOUT: Final = _clause(
    "3.10.8: user timeout",
    "Data stayed unacknowledged for longer than the user allows.",
    ended="aborted: user timeout",
)
R2: Final = _clause(
    "3.8.3: R2",
    "The limit R2 on the retransmissions of a segment is reached, and the connection is aborted.",
    ended="aborted: R2 reached",
)
KEEP_ALIVE: Final = _clause(
    "3.8.4: keep-alive",
    "No keep-alive probe was answered.",
    ended="aborted: keep-alive probes unanswered",
)
TIME_WAIT_TIMEOUT: Final = _clause(
    "3.10.8: TIME-WAIT timeout", "Two maximum segment lifetimes have passed in TIME-WAIT.", ended="2MSL elapsed"
)
FIN_WAIT_2_TIMEOUT: Final = _clause(
    "FIN-WAIT-2 timeout",
    "An orphaned connection waited in FIN-WAIT-2 for longer than the host allows.",
    ended="FIN-WAIT-2 timeout",
)

# ICMP (3.9.2.2).

ICMP_ERROR: Final = _clause("3.9.2.2: ICMP error", "A hard ICMP error about a segment of the connection ends it.")

TIMEOUTS: Final = frozenset((R2, USER_TIMEOUT, KEEP_ALIVE, TIME_WAIT_TIMEOUT, FIN_WAIT_2_TIMEOUT))
"""The rules by which a timer ends a connection."""
