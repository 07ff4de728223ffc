"""The ladder's phrases for clauses: why a segment was dropped, and how a connection ended."""

from netsim.tcp.clauses import CLAUSES, OPEN
from netsim.tcp.state import CLOSED, LISTEN, State


def citation(clause: str) -> str:
    """``3.10.7.4, first`` (of RFC 9293, unless another is named) for ``3.10.7.4, first: sequence number``; or empty."""
    return CLAUSES[clause].citation


def why_dropped(clause: str) -> str:
    """Why a segment had no effect, with the clause that says so."""
    rule = CLAUSES[clause]
    phrase = rule.dropped or rule.summary
    return f"dropped: {phrase} ({rule.citation})" if rule.citation else f"dropped: {phrase}"


def how_ended(new: State, clause: str) -> str:
    """How a connection came to its end, when a timer or the peer ended it; empty if there is nothing to add."""
    return CLAUSES[clause].ended if new is CLOSED or (new is LISTEN and clause != OPEN) else ""
