"""The trace of a run: its events, their digest, and the ladder.

Theory of operation
-------------------

The shell (``netsim.sim``) calls observers with an event for everything that happens: a packet is sent (``Sent``, with
the times at which its copies will arrive, or the stage that lost it), a copy arrives (``Arrived``), a TCP decides
something (``Decided``: a change of state, a segment dropped or accepted, each with the clause that says so), an
application calls or a call returns (``Called``). A ``Trace`` (recorder.py) is an observer that keeps them.

**Ground truth rides outside TCP.** A ``Packet`` is a segment with what no TCP can see: its sender, its incarnation,
whether it is forged, whether a timer sent it. So the trace can say that a segment is an old duplicate when the TCP that
accepts it cannot.

**The digest** (digest.py) identifies a run: the tests use it to find any change of behaviour.

**The ladder** (ladder.py) is made in two steps. ``LadderRows`` (ladder_rows.py) turns the events of two hosts into
rows: which sending and arrival are one line, the state of either end after each event, marks such as ``RTO`` or
``copy``, and notes such as ``dropped: ...`` (explanations.py, from the table of clauses). The layout then draws each
row. Sequence numbers are relative (relative_numbers.py): they count from the SYN of their direction and incarnation.
"""

from netsim.trace.ladder import ladder
from netsim.trace.recorder import Trace

__all__ = ["Trace", "ladder"]
