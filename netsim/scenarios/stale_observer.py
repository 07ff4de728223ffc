"""What the trace of two or more incarnations says of old segments: arrivals, verdicts, consequences, times."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from simpy import Event

from netsim.sim import Connection, Host
from netsim.sim.network import NS
from netsim.tcp import clauses
from netsim.tcp.actions import Accepted, Allocated, Dropped, Moved
from netsim.tcp.segment import ACK, FIN, HALF, MASK, RST, SYN, Segment
from netsim.tcp.state import ESTABLISHED, LISTEN, SYN_RECEIVED, TIME_WAIT
from netsim.theory import Moment, OldSegment
from netsim.trace.events import Arrived, Decided, Sent, TraceEvent

KINDS: Final = {
    "syn": "SYNs",
    "synack": "SYN-ACKs",
    "data": "data segments",
    "fin": "FINs",
    "rst": "RSTs",
    "ack": "ACKs without data",
}
"""The kinds of segments that columns count separately, and what they are called."""
MOST_PACKETS: Final = 20_000  # packets after which a run is cut off: a stale ACK can start an endless exchange of ACKs

CLAUSES: Final = {
    clauses.CHECK_1_SEQUENCE: "sequence",
    clauses.PAWS: "paws",
    clauses.TIMESTAMP_MISSING: "no_timestamp",
    clauses.CHECK_2_CHALLENGE_ACK: "rst_challenge",
    clauses.RFC1337_F1: "rst_in_time_wait",
    clauses.CHECK_4_CHALLENGE_ACK: "syn_challenge",
    clauses.CHECK_5_ACK: "ack",
    clauses.RFC5961_OLD_ACK: "old_ack",
    clauses.CHECK_7_SEGMENT_TEXT: "data",
    clauses.SYN_SENT_1_ACK: "syn_sent",
    clauses.SYN_SENT_2_RST: "syn_sent",
    clauses.SYN_SENT_5_NEITHER: "syn_sent",
    clauses.LISTEN_1_RST: "listen",
    clauses.LISTEN_2_ACK: "listen",
    clauses.LISTEN_4_OTHER: "listen",
    clauses.NO_CONNECTION: "closed",
    clauses.RFC6191_DROP: "rfc6191",
}
"""The clause that dropped a segment -> the name of its column."""
OTHER: Final = "other"
RULES: Final = {
    "sequence": "the sequence number check",
    "paws": "PAWS (RFC 7323)",
    "no_timestamp": "the rule that a timestamp must not be missing (RFC 7323)",
    "rst_challenge": "a challenge ACK to a RST (RFC 5961)",
    "rst_in_time_wait": "fix F1 of RFC 1337: RSTs are ignored in TIME-WAIT",
    "syn_challenge": "a challenge ACK to a SYN (RFC 5961)",
    "ack": "the check of the acknowledgment number",
    "old_ack": "the bound on old acknowledgment numbers (RFC 5961)",
    "data": "the seventh step, which takes no data in this state",
    "syn_sent": "the rules of SYN-SENT",
    "listen": "the rules of LISTEN",
    "closed": "CLOSED: there was no connection",
    "rfc6191": "the rule for SYNs in TIME-WAIT (RFC 6191)",
    OTHER: "any other rule",
}
"""What the names of these columns stand for."""
COLUMNS: Final = {
    "reopened": "Whether the client opened all connections.",
    "connections_accepted": "Number of connections that the server's application accepted.",
    "wrong_bytes": "Number of bytes of an earlier connection that the server's application read in a later one.",
    "has_wrong_bytes": "Whether the server's application read a byte of an earlier connection in a later one.",
    "premature_eof": "Whether the stream of a later connection ended at the server before all its data was read.",
    "reset": "Whether a connection after the first was reset, at either end.",
    "ack_of_unsent": "Whether the client dropped an ACK of data that it had not sent.",
    "half_open": "Whether an old SYN opened a connection at the server that was never ESTABLISHED.",
    "ghost": "Whether an old SYN opened a ghost connection: ESTABLISHED at the server, unknown to the client.",
    "stale_data_accepted": "Whether a connection accepted data of an earlier one.",
    "p_stale_data_per_connection": (
        "Share of the connections after the first that accepted data of an earlier one; NaN if there were none."
    ),
    "p_port_reused": (
        "Share of the connections after the first whose client port an earlier one had used; NaN if there were none."
    ),
    "ack_loop": "Whether the run was cut off because the ends answered each other's ACKs without end.",
    "arrived": "Number of stale segments (segments of an earlier connection) that arrived.",
    "accepted": "Number of times that a part of a stale segment (SYN, data, FIN, RST or ACK) was accepted.",
    "dropped": "Number of stale segments that were dropped.",
    "without_effect": "Number of stale segments that were neither dropped nor accepted.",
    "p_stale_data_expected": (
        "Probability that stale data is accepted, given the times of the run (random ISNs are integrated out); NaN "
        "where it is not known."
    ),
} | {
    **{f"arrived_{kind}": f"Number of stale {label} that arrived." for kind, label in KINDS.items()},
    **{f"accepted_{kind}": f"Number of stale {label} that were accepted." for kind, label in KINDS.items()},
    **{f"dropped_{name}": f"Number of stale segments dropped by {rule}." for name, rule in RULES.items()},
}
"""What each column of a row means."""


@dataclass(slots=True)
class Receiver:
    """A connection of the server after its first one, and what it would accept, from moment to moment."""

    connection: Connection
    began: int
    old_syn: bool
    course: list[Moment] = field(default_factory=list)
    end: float = math.inf


@dataclass
class StaleObserver:
    """Counts what became of old segments, and notes the times and numbers that the conditional estimates need.

    Old segments are counted in ``arrived``, ``dropped``, ``accepted`` (by the part that was accepted) and
    ``without_effect`` (neither: the connection ignores an old ACK). Connections are known by their numbers. ``opener``
    has, for each connection of the server, the client's connection whose SYN opened it. Of the server's connections,
    ``old_syn`` are those whose SYN had opened another one before, ``established`` those that were ESTABLISHED, and
    ``tainted`` those that accepted stale data. ``initial`` has the ISS of each connection of the client; ``opened`` and
    ``server_began`` have the time (ns) at which each connection of the client, and of the server, began.
    """

    arrived: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    without_effect: int = 0
    acks_of_unsent: int = 0
    first_segments: list[OldSegment] = field(default_factory=list)
    late_segments: list[OldSegment] = field(default_factory=list)
    receivers: dict[int, Receiver] = field(default_factory=dict)
    old_syn: set[int] = field(default_factory=set)
    established: set[int] = field(default_factory=set)
    tainted: set[int] = field(default_factory=set)
    opener: dict[int, int] = field(default_factory=dict)
    initial: dict[int, int] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)
    server_began: dict[int, int] = field(default_factory=dict)
    old_iss: int | None = None
    client: Host = field(init=False)
    server: Host = field(init=False)
    too_many: Event = field(init=False)
    _stale: bool = False
    _undecided: bool = False

    def __call__(self, event: TraceEvent) -> None:
        """One event of the run."""
        if isinstance(event, Arrived):
            self._note_arrival(event)
        elif isinstance(event, Sent):
            self._note_sent(event)
        elif isinstance(event, Decided):
            self._note_verdict(event)
            if event.host == "server":
                self._note_server(event)
            elif isinstance(event.decision, Allocated):
                self.opened.append(event.time)

    def finish(self) -> None:
        """The run is over: the fate of the last stale segment is known."""
        self.without_effect += self._undecided
        self._undecided = False

    def _note_arrival(self, event: Arrived) -> None:
        self.finish()
        self._stale = self._undecided = event.stale
        if event.stale:
            segment = event.packet.segment
            self.arrived[kind(segment)] += 1
            if event.host == "server" and segment.payload:
                s = OldSegment(event.time / NS, segment.seq, len(segment.payload), segment.ack)
                self.late_segments.append(s)

    def _note_sent(self, event: Sent) -> None:
        packet = event.packet
        segment = packet.segment
        if packet.number == MOST_PACKETS:
            self.too_many.succeed()
        if event.host == "server":
            self._note_moment(packet.connection, event.time / NS)
            return
        if segment.flags & SYN:
            self.initial.setdefault(packet.connection, segment.seq)
        if packet.connection == 1 and segment.payload and event.arrivals:
            s = OldSegment(event.arrivals[0] / NS, segment.seq, len(segment.payload), segment.ack)
            self.first_segments.append(s)
            self.old_iss = (segment.ack - 1) & MASK if self.old_iss is None else self.old_iss

    def _note_verdict(self, event: Decided) -> None:
        decision, packet = event.decision, event.packet
        if packet is None or not isinstance(decision, Accepted | Dropped):
            return
        if self._stale:
            self._undecided = False
            if isinstance(decision, Dropped):
                self.dropped[CLAUSES.get(decision.clause, OTHER)] += 1
            else:
                what = kind(packet.segment) if decision.what == "SYN" else decision.what.lower()
                self.accepted[what] += 1
                if what == "data":
                    self.tainted.add(decision.connection)
        elif isinstance(decision, Dropped) and decision.clause == clauses.CHECK_5_ACK and event.host == "client":
            client = self.client.receiver_of(packet.segment)
            self.acks_of_unsent += client is not None and 0 < (packet.segment.ack - client.snd_nxt) & MASK < HALF

    def _note_server(self, event: Decided) -> None:
        decision, time = event.decision, event.time / NS
        if isinstance(decision, Allocated):
            assert event.packet is not None
            opener = event.packet.connection
            if opener in self.opener.values():
                self.old_syn.add(decision.connection)
            self.opener[decision.connection] = opener
            self.server_began[decision.connection] = event.time
        if isinstance(decision, Moved):
            if decision.new is ESTABLISHED:
                self.established.add(decision.connection)
            if decision.new is SYN_RECEIVED and decision.connection > 1:
                number = decision.connection
                server = next(c for c in self.server.connections if c.number == number)
                self.receivers[number] = Receiver(server, event.time, number in self.old_syn)
            elif decision.new not in (ESTABLISHED, SYN_RECEIVED) and decision.connection in self.receivers:
                receiver = self.receivers[decision.connection]
                receiver.end = min(receiver.end, time)
        self._note_moment(decision.connection, time)

    def _note_moment(self, connection: int, time: float) -> None:
        receiver = self.receivers.get(connection)
        if receiver is None or receiver.end <= time:
            return
        server = receiver.connection
        if server.state in (LISTEN, TIME_WAIT):
            return
        flight = (server.snd_nxt - server.snd_una) & MASK
        if server.state is SYN_RECEIVED:
            first, acks = server.iss + 1, 1
        else:
            behind = server.max_snd_wnd if self.server.config.ack_policy == "rfc5961" else HALF
            first, acks = server.snd_una - behind, behind + flight + 1
        base = self.initial[self.opener[connection]]
        numbers = ((server.rcv_nxt - base) & MASK, server.rcv_wnd, (first - server.iss) & MASK, acks)
        course = receiver.course
        if not course or course[-1] != Moment(course[-1].time, *numbers):
            course.append(Moment(time, *numbers))

    def relative(self, segments: list[OldSegment]) -> list[OldSegment]:
        """Stale data with its numbers relative to the old initial ones."""
        iss, other = self.initial[1], self.old_iss or 0
        return [OldSegment(s.arrived, (s.seq - iss) & MASK, s.length, (s.ack - other) & MASK) for s in segments]


def kind(segment: Segment) -> str:
    """One of ``KINDS``."""
    flags = segment.flags
    if flags & RST:
        return "rst"
    if flags & SYN:
        return "synack" if flags & ACK else "syn"
    if segment.payload:
        return "data"
    return "fin" if flags & FIN else "ack"
