"""Clauses in words: why a segment was ignored and how a connection ended, for a reader of the ladder."""

from typing import Final

from netsim.tcp.state import CLOSED, LISTEN, State

_DROPPED: Final = {
    "3.10.7.1: CLOSED": "no such connection",
    "3.10.7.2, first: RST": "a RST for a listener",
    "3.10.7.2, second: ACK": "an ACK for a listener",
    "3.10.7.2, fourth: other": "a listener wants a SYN",
    "listener: SYN queue full": "SYN queue full",
    "listener: accept queue full": "accept queue full",
    "listener: SYN with FIN": "a SYN with FIN",
    "3.10.7.3, first: ACK": "acknowledges what was never sent",
    "3.10.7.3, second: RST": "a RST without ACK does not answer our SYN",
    "3.10.7.3, fifth: neither SYN nor RST": "neither SYN nor RST",
    "3.10.7.4, first: sequence number": "SEQ outside the window",
    "3.10.7.4, second: RST, challenge ACK": "RST not exactly at RCV.NXT, challenge ACK",
    "RFC 1337, fix F1": "TIME-WAIT ignores a RST",
    "RFC 1337, fix F2": "TIME-WAIT ignores a RST in its first 2 s",
    "3.10.7.4, fourth: SYN, challenge ACK": "SYN on an open connection, challenge ACK",
    "3.10.7.4, fifth: ACK": "no acceptable ACK",
    "RFC 5961 5: old ACK": "ACK too old",
    "3.10.7.4, seventh: text": "no new text for this state and window",
    "RFC 7323 3.2: timestamp missing": "timestamp missing",
    "RFC 7323 5.3, R1: PAWS": "timestamp older than TS.Recent (PAWS)",
}

_ENDED: Final = {
    "3.8.3: R2": "gave up: R2 reached",
    "3.10.8: user timeout": "gave up: user timeout",
    "3.8.4: keep-alive": "gave up: keep-alive probes unanswered",
    "3.10.8: TIME-WAIT timeout": "2MSL over",
    "FIN-WAIT-2 timeout": "FIN-WAIT-2 timeout",
    "3.10.7.3, second: RST": "reset",
    "3.10.7.4, second: RST": "reset",
    "RFC 793 3.9, fourth: SYN": "reset: a SYN in the window",
    "3.10.7.4, fourth: SYN": "a SYN in the window: back to LISTEN",
    "3.6.1: SHLD-3": "reset: text after close()",
    "listener: accept queue full": "reset: accept queue full",
    "3.10.1: OPEN": "replaced by an active OPEN",
}


TIMERS: Final = frozenset(
    ("3.8.3: R2", "3.10.8: user timeout", "3.8.4: keep-alive", "3.10.8: TIME-WAIT timeout", "FIN-WAIT-2 timeout")
)


def citation(clause: str) -> str:
    """``3.10.7.4, first`` (of RFC 9293, unless another is named) for ``3.10.7.4, first: sequence number``; or empty."""
    place = clause.partition(":")[0]
    return place if place[:1].isdigit() or place.startswith("RFC") else ""


def why_dropped(clause: str) -> str:
    """Why a segment had no effect, with the clause that says so."""
    source = citation(clause)
    text = _DROPPED.get(clause, clause)
    return f"dropped: {text} ({source})" if source else f"dropped: {text}"


def how_ended(new: State, clause: str) -> str:
    """How a connection came to its end, when a timer or the peer ended it; empty if there is nothing to add."""
    if new is CLOSED or (new is LISTEN and clause != "3.10.1: OPEN"):
        return _ENDED.get(clause, "")
    return ""
