"""From the events of a trace to the rows of a ladder: which events share a line, each end's state, what is marked.

A segment with which no other event interferes is one row, with the time and state of both its ends. A segment that
crosses another, is reordered, or is still in flight when another event happens has two rows: it leaves, and it arrives.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from netsim.tcp.actions import Accepted, Allocated, Dropped, Freed, Moved
from netsim.tcp.clauses import TIMEOUTS
from netsim.tcp.segment import ACK, FIN, RST, SYN, FourTuple, Segment, flag_names
from netsim.tcp.state import CLOSED, LISTEN, State
from netsim.trace.events import Arrived, Called, Decided, Packet, Sent, TraceEvent
from netsim.trace.explanations import citation, how_ended, why_dropped
from netsim.trace.relative_numbers import RelativeNumbers

Fate = Literal["whole", "leaves", "arrives", "lost", "call", "timer"]


@dataclass(slots=True)
class End:
    """What happened at one host: when (ns), and the state of its connection afterwards (None: not known)."""

    time: int
    state: State | None


@dataclass(slots=True)
class Row:
    """One event of the ladder. ``side`` (0 left, 1 right) is the host that sends, calls, or whose timer expires."""

    fate: Fate
    side: int
    ends: list[End | None]
    packet: Packet | None = None
    text: str = ""
    marks: list[str] = field(default_factory=list)
    cause: str = ""
    notes: list[tuple[int, str]] = field(default_factory=list)


class LadderRows:
    """Turns the events of two hosts, the left one first, into the rows of their ladder."""

    def __init__(self, hosts: tuple[str, str], numbers: RelativeNumbers) -> None:
        self.rows: list[Row] = []
        self.flows: set[FourTuple] = set()
        self._hosts = hosts
        self._numbers = numbers
        self._states: tuple[dict[int, State], dict[int, State]] = ({}, {})  # by side, by connection
        self._connections: dict[FourTuple, int] = {}
        self._listening: set[tuple[str, int]] = set()  # host and port
        self._in_flight: dict[int, Row] = {}  # packets in flight with which no event has interfered
        self._arrivals: Counter[int] = Counter()
        self._current_rows: dict[str, Row] = {}  # by host: the row of the packet or call that it handled last
        self._highest: dict[tuple[str, int], int] = {}
        self._syns: set[tuple[str, int, int]] = set()
        self._windows: dict[tuple[str, FourTuple], int] = {}

    def add(self, event: TraceEvent) -> None:
        """Show one event."""
        match event:
            case Sent():
                self._sent(event)
            case Arrived():
                self._arrived(event)
            case Decided():
                self._decided(event)
            case Called():
                self._called(event)

    def _sent(self, event: Sent) -> None:
        packet = event.packet
        self.flows.add(min(packet.segment.flow, packet.segment.flow.reverse()))
        numbered = self._numbers.of(packet, event.time)
        row = self._row(
            "leaves" if event.arrivals else "lost",
            event.host,
            event.time,
            packet.connection,
            packet.segment.flow.sport,
        )
        row.packet, row.text, row.cause = packet, self._label(packet), event.cause
        row.marks = self._sending_marks(packet)
        behind = self._numbers.latest.get(packet.segment.flow.reverse(), 0)
        if packet.segment.flags & ACK and 0 < numbered.ack_base.incarnation < behind:
            row.marks.append(f"acknowledges incarnation {numbered.ack_base.incarnation}")
        self._interfere(event.host, event.time, sends=not packet.timer)
        if event.arrivals:
            self._in_flight[packet.number] = row

    def _arrived(self, event: Arrived) -> None:
        packet = event.packet
        self._numbers.arrived(event.host, packet, event.time)
        self._windows[event.host, packet.segment.flow] = packet.segment.window
        self._arrivals[packet.number] += 1
        flow = packet.segment.flow
        end = End(event.time, self._state(event.host, self._connections.get(flow.reverse(), 0), flow.dport))
        row = self._in_flight.pop(packet.number, None)
        if row is not None:
            row.fate = "whole"
            row.ends[1 - row.side] = end
            self._in_flight = {number: other for number, other in self._in_flight.items() if number > packet.number}
        else:
            self._interfere(event.host, event.time, sends=False)
            side = self._side(event.host)
            row = Row("arrives", 1 - side, [None, None], packet, self._label(packet))
            row.ends[side] = end
            self.rows.append(row)
            if packet.forged:
                row.marks.append("forged")
            if self._arrivals[packet.number] > 1:
                row.marks.append("copy")
        if event.stale:
            row.marks.append(f"old (incarnation {packet.incarnation})")
        self._current_rows[event.host] = row

    def _decided(self, event: Decided) -> None:
        host, decision = event.host, event.decision
        match decision:
            case Allocated(connection, flow, state):
                self._connections[flow] = connection
                self._states[self._side(host)][connection] = state
            case Moved():
                self._moved(event, decision)
            case Dropped(_, _, clause):
                self._note(host, event.time, why_dropped(clause))
            case Accepted(connection, segment, what, clause):
                if what == "SYN" and event.packet is not None:
                    self._numbers.took_syn(host, connection, event.packet)
                self._accepted_stale(event, segment, what, clause)
            case Freed(connection, flow):
                self._states[self._side(host)].pop(connection, None)
                if self._connections.get(flow) == connection:
                    del self._connections[flow]

    def _moved(self, event: Decided, move: Moved) -> None:
        host, time, side = event.host, event.time, self._side(event.host)
        if move.connection:
            self._states[side][move.connection] = move.new
        elif move.new is LISTEN:
            self._listening.add((host, move.flow.sport))
        else:
            self._listening.discard((host, move.flow.sport))
        cause = self._current(host, time)
        unasked = event.packet is None and (cause is None or cause.fate != "call")
        if cause is None or unasked or move.clause in TIMEOUTS:  # a timer, or a user call that is not shown
            row = self._row("timer", host, time, move.connection, move.flow.sport)
            row.text = how_ended(move.new, move.clause) or move.clause.rpartition(": ")[2]
            self._interfere(host, time, sends=False)
            return
        words = how_ended(move.new, move.clause)
        if words:
            cause.notes.append((side, words))
        for row in reversed(self.rows):
            end = row.ends[side]
            if end is not None and end.time == time:
                end.state = move.new
            if row is cause:
                break

    def _accepted_stale(self, event: Decided, segment: Segment, what: str, clause: str) -> None:
        cause = self._current(event.host, event.time)
        if cause is None or not any(mark.startswith("old") for mark in cause.marks):
            return
        detail = f"{what}, {_bytes(len(segment.payload))} {_preview(segment.payload)}" if what == "DATA" else what
        self._note(event.host, event.time, f"ACCEPTED: {detail} ({citation(clause)})")

    def _called(self, event: Called) -> None:
        host, time, call, detail = event.host, event.time, event.call, event.detail
        if event.phase == "return":
            if isinstance(detail, Exception):
                self._note(host, time, f"{call}(): {detail}")
            elif call == "recv":
                self._note(host, time, f"recv: {_bytes(detail)}" if detail else "recv: end")
            return
        if call in ("recv", "accept"):
            return
        if call == "crash":
            self._forget(host)
        live = self._states[self._side(host)]
        row = self._row("call", host, time, next(iter(live), 0))
        if len(live) > 1:
            row.ends[row.side] = End(time, None)
        row.text = f"send({_bytes(detail)})" if call == "send" else f"{call}({detail})"
        self._current_rows[host] = row
        if not self._precedes_flights(host, time):
            self._interfere(host, time, sends=False)

    def _precedes_flights(self, host: str, time: int) -> bool:
        """Move the last row above the packets that the other host has sent at this instant; False if there are none.

        Neither event depends on the other, so the packets keep their single rows.
        """
        side = self._side(host)
        starts = [(other, other.ends[1 - side]) for other in self._in_flight.values() if other.side != side]
        if (
            not starts
            or len(starts) < len(self._in_flight)
            or any(end is None or end.time != time for _, end in starts)
        ):
            return False
        place = next(i for i, other in enumerate(self.rows) if other is starts[0][0])
        self.rows.insert(place, self.rows.pop())
        return True

    def _forget(self, host: str) -> None:
        """``host`` crashed: its listeners and connections are gone."""
        self._listening = {place for place in self._listening if place[0] != host}
        self._states[self._side(host)].clear()
        self._connections = {flow: number for flow, number in self._connections.items() if flow.src != host}

    def _row(self, fate: Fate, host: str, time: int, connection: int, port: int = 0) -> Row:
        side = self._side(host)
        row = Row(fate, side, [None, None])
        row.ends[side] = End(time, self._state(host, connection, port))
        self.rows.append(row)
        return row

    def _note(self, host: str, time: int, text: str) -> None:
        """A note under the row of the packet or call that the host handles now; a row of its own if there is none."""
        cause = self._current(host, time)
        if cause is not None:
            last = cause.notes[-1] if cause.notes else (0, "")
            if text.startswith("recv: ") and last[0] == self._side(host) and last[1].startswith("recv: "):
                cause.notes[-1] = (last[0], f"{last[1]}, {text.removeprefix('recv: ')}")
            else:
                cause.notes.append((self._side(host), text))
            return
        self._row("call", host, time, 0).text = text
        self._interfere(host, time, sends=False)

    def _current(self, host: str, time: int) -> Row | None:
        """The row of the packet or call that ``host`` handles at this instant, if any."""
        row = self._current_rows.get(host)
        end = row.ends[self._side(host)] if row is not None else None
        return row if end is not None and end.time == time else None

    def _interfere(self, host: str, time: int, *, sends: bool) -> None:
        """An event at ``host``: a packet in flight keeps its single row only if both are of one burst."""
        side = self._side(host)

        def same_burst(row: Row) -> bool:
            here = row.ends[row.side]
            return row.side == side and here is not None and (sends or here.time == time)

        self._in_flight = {number: row for number, row in self._in_flight.items() if same_burst(row)}

    def _sending_marks(self, packet: Packet) -> list[str]:
        """``RTO``, ``retransmission``, ``window probe``, ``keep-alive``, ``delayed ACK``, ``forged``."""
        segment, key = packet.segment, (packet.sender, packet.connection)
        if packet.forged:
            return ["forged"]
        if not packet.connection or segment.flags & RST:
            return []
        seq = self._numbers.of(packet, packet.sent_at).seq
        end, highest = seq + segment.length, self._highest.get(key, seq)
        self._highest[key] = max(end, highest)
        window = self._windows.get((packet.sender, segment.flow.reverse()), 1)
        if not segment.length:
            return (
                []
                if not packet.timer
                else ["delayed ACK" if seq >= highest else "window probe" if window == 0 else "keep-alive probe"]
            )
        if packet.timer and window == 0 and not segment.flags & (SYN | FIN):
            return ["window probe"]
        again = end <= highest
        if segment.flags & SYN:
            again = (*key, segment.flags) in self._syns
            self._syns.add((*key, segment.flags))
        if not again:
            return []
        return ["RTO" if packet.timer else "retransmission"]

    def _label(self, packet: Packet) -> str:
        """``SYN,ACK seq=0 ack=1``: a segment as an arrow carries it."""
        segment = packet.segment
        counted = self._numbers.of(packet, packet.sent_at)
        words = [flag_names(segment.flags) or "none", f"seq={counted.seq}"]
        if segment.flags & ACK:
            words.append(f"ack={counted.ack}")
        if segment.payload:
            words.append(f"len={len(segment.payload)}")
        return " ".join(words)

    def _state(self, host: str, connection: int, port: int) -> State:
        idle = LISTEN if (host, port) in self._listening else CLOSED
        return self._states[self._side(host)].get(connection, idle)

    def _side(self, host: str) -> int:
        return self._hosts.index(host)


def _preview(data: bytes) -> str:
    """The first bytes of data, in quotes."""
    shown = data[:12].decode("ascii", "backslashreplace")
    shown = "".join(c if c.isprintable() else "." for c in shown)
    return f"'{shown}{'...' if len(data) > 12 else ''}'"


def _bytes(count: object) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"
