"""The text ladder: a run as the figures of RFC 9293 show it, time downwards and a host on either side.

Each end of a line has its own time (s) and state (after the event); both are blank if nothing happens there.

::

       time  client                                                  server             time
      0.000  SYN-SENT      |--- SYN seq=0 mss=1460 ----------------->|  SYN-RECEIVED    0.050

``---X loss`` is a packet that the path's stage "loss" drops; ``---...`` one that is still in flight when the next event
happens; ``...---`` its arrival.
"""

import itertools
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from netsim.tcp.segment import FourTuple, Options
from netsim.trace.events import Arrived, Called, Decided, Sent, TraceEvent
from netsim.trace.ladder_rows import End, LadderRows, Row
from netsim.trace.relative_numbers import RelativeNumbers

_STATE: Final = 12  # columns: SYN-RECEIVED
_NARROWEST: Final = 30  # columns a segment needs
_INK: Final = {"whole": 7, "leaves": 9, "arrives": 10, "lost": 8}  # columns of an arrow beside its label


@dataclass(frozen=True, slots=True)
class _Strokes:
    line: str
    right: str
    left: str
    lost: str
    on: str
    rail: str


_ASCII: Final = _Strokes("-", ">", "<", "X", "...", "|")
_UNICODE: Final = _Strokes("─", "▶", "◀", "✕", "┄┄┄", "│")


def ladder(
    trace: Iterable[TraceEvent],
    *,
    hosts: Sequence[str] | None = None,
    relative: bool = True,
    states: bool = True,
    width: int = 100,
    unicode: bool = False,
    max_lines: int | None = None,
    max_pairs: int | None = None,
) -> str:
    """The events as a text ladder, one section for each pair of hosts that exchange packets.

    ``hosts`` picks one pair, the left one first. Sequence numbers count from the SYN of their direction and
    incarnation, or are absolute if not ``relative``. ``states=False`` leaves the states out. No line is longer than
    ``width`` columns. ``unicode`` draws smoother arrows. ``max_lines`` per section and ``max_pairs`` (sections) shorten
    the ladder; the pairs of which one end is an address without a host come last. ValueError if ``width`` is too small,
    or if ``hosts`` are not two hosts of the trace.
    """
    events = list(trace)
    if not events:
        return "(no events: make the world with trace=True)"
    pairs = _pairs(events)
    layout = _layout(events, states=states, width=width, unicode=unicode)
    groups = _groups(events, pairs) if hosts is None else _group(events, pairs, hosts)
    sections = []
    for pair, own in itertools.islice(groups.items(), max_pairs):
        rows = LadderRows(pair, RelativeNumbers(relative=relative))
        for event in own:
            rows.add(event)
        lines = layout.section(pair, rows)
        if max_lines is not None and len(lines) > max_lines:
            lines[max_lines:] = [f"... {len(lines) - max_lines:,} more lines"]
        sections.append("\n".join(lines))
    if max_pairs is not None and len(groups) > max_pairs:
        sections.append(f"... {len(groups) - max_pairs:,} more pairs of hosts")
    return "\n\n".join(sections)


def _group(
    events: list[TraceEvent], pairs: list[tuple[str, str]], hosts: Sequence[str]
) -> dict[tuple[str, str], list[TraceEvent]]:
    """The events of one pair of hosts. ValueError if ``hosts`` are not two hosts of the trace."""
    names = sorted({name for pair in pairs for name in pair})
    if len(set(hosts)) != 2 or not set(hosts) <= set(names):
        raise ValueError(f"hosts = {list(hosts)!r}: must be two of {', '.join(names)}")
    pair = (hosts[0], hosts[1])
    alone = {name: sum(name in other for other in pairs) == 1 for name in pair}
    return {pair: [e for e in events if e.host in pair and _concerns(e, pair, alone=alone[e.host])]}


def _groups(events: list[TraceEvent], pairs: list[tuple[str, str]]) -> dict[tuple[str, str], list[TraceEvent]]:
    """The events of each pair; in one pass, since a flood has thousands of pairs. Pairs of real hosts come first."""
    real = {event.host for event in events}
    groups: dict[tuple[str, str], list[TraceEvent]] = {
        p: [] for p in sorted(pairs, key=lambda p: not real.issuperset(p))
    }
    of_ends = {frozenset(pair): pair for pair in groups}
    of_host: dict[str, list[tuple[str, str]]] = {}
    for pair in groups:
        for name in dict.fromkeys(pair):
            of_host.setdefault(name, []).append(pair)
    for event in events:
        own = of_host.get(event.host, [])
        alone = len(own) == 1
        flow = _flow(event)
        if flow is not None and flow.dst:
            pair_of_flow = of_ends.get(frozenset((flow.src, flow.dst)))
            own = [pair_of_flow] if pair_of_flow is not None and event.host in pair_of_flow else []
        for pair in own:
            if _concerns(event, pair, alone=alone):
                groups[pair].append(event)
    return groups


def _pairs(events: list[TraceEvent]) -> list[tuple[str, str]]:
    """The pairs of hosts that exchange packets, in the order of their first packet, its sender on the left."""
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for event in events:
        if isinstance(event, Sent):
            flow = event.packet.segment.flow
            pairs.setdefault(frozenset((flow.src, flow.dst)), (flow.src, flow.dst))
    if not pairs:
        names = list(dict.fromkeys(event.host for event in events))
        return [(names[0], names[1] if len(names) > 1 else "")]
    return list(pairs.values())


def _flow(event: TraceEvent) -> FourTuple | None:
    """The connection of a segment or of a decision; a call has none."""
    match event:
        case Sent(packet=packet) | Arrived(packet=packet):
            return packet.segment.flow
        case Decided(decision=decision):
            return decision.flow if hasattr(decision, "flow") else decision.segment.flow
    return None


def _concerns(event: TraceEvent, pair: tuple[str, str], *, alone: bool) -> bool:
    """Whether an event of one of its hosts belongs to the section of ``pair``; ``alone``: that host is in no other.

    Only connect names the peer: another call is shown where it can belong to one section only.
    """
    flow = _flow(event)
    if flow is not None:
        return {flow.src, flow.dst} == set(pair) or not flow.dst  # a listener has no peer
    if isinstance(event, Called):
        if event.call == "connect" and event.phase == "call":
            return str(event.detail).rpartition(":")[0] in pair
        return event.call in ("listen", "crash") or alone
    return False


def _options(options: Options | None) -> list[str]:
    """The options of a SYN that decide what the connection can do."""
    if options is None or options.mss is None:
        return []
    words = [f"mss={options.mss}"]
    if options.wscale is not None:
        words.append(f"ws={options.wscale}")
    if options.ts_val is not None:
        words.append("ts")
    return [*words, "sack"] if options.sack_permitted else words


def _layout(events: list[TraceEvent], *, states: bool, width: int, unicode: bool) -> "_Layout":
    latest = max(max(r.time, *r.arrivals) if isinstance(r, Sent) and r.arrivals else r.time for r in events)
    time = max(6, len(_seconds(latest)))
    margin = time + 2 + (_STATE + 1 if states else 0)
    lane = width - 2 * margin - 2
    if lane < _NARROWEST:
        raise ValueError(f"width = {width}: must be at least {width - lane + _NARROWEST} columns")
    return _Layout(time=time, state=_STATE if states else 0, lane=lane, strokes=_UNICODE if unicode else _ASCII)


def _seconds(time: int) -> str:
    """ns as seconds, to the millisecond."""
    ms = (time + 500_000) // 1_000_000
    return f"{ms // 1000}.{ms % 1000:03d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Widths in columns, between the rails (``lane``) and beside them."""

    time: int
    state: int
    lane: int
    strokes: _Strokes

    def section(self, pair: tuple[str, str], rows: LadderRows) -> list[str]:
        """The lines of one pair of hosts."""
        several = len(rows.flows) > 1
        lines = [self._heading(pair)]
        for row in rows.rows:
            lines.extend(self._row(row, several=several))
        return lines

    def _heading(self, pair: tuple[str, str]) -> str:
        room = self.lane + 2 + (2 * self.state + 2 if self.state else 0)
        left, right = (name[: room // 2 - 1] for name in pair)
        names = f"{left:<{room - max(self.state, len(right))}}{right:<{self.state}}"
        return f"{'time':>{self.time}}  {names}  {'time':>{self.time}}"

    def _row(self, row: Row, *, several: bool) -> list[str]:
        notes = list(row.notes)
        if row.fate in ("call", "timer"):
            first, *more = self._wrapped(row.text)
            lanes = [self._beside(row.side, text) for text in (first, *more)]
        else:
            arrow, rest = self._arrow(row, several=several)
            lanes = [arrow]
            side = row.side if row.fate != "arrives" else 1 - row.side
            notes[:0] = [(side, rest)] if rest else []
        lines = [self._line(row.ends if not i else [None, None], lane) for i, lane in enumerate(lanes)]
        for side, text in notes:
            for part in self._wrapped(text):
                lines.append(self._line([None, None], self._beside(side, "  " + part if side == 0 else part + "  ")))
        return lines

    def _wrapped(self, text: str) -> list[str]:
        return textwrap.wrap(text, self.lane - 4) or [""]

    def _beside(self, side: int, text: str) -> str:
        return f" {text:<{self.lane - 1}}" if side == 0 else f"{text:>{self.lane - 1}} "

    def _line(self, ends: list[End | None], lane: str) -> str:
        rail = self.strokes.rail
        left, right = (self._end(end) for end in ends)
        time, state = left
        text = f"{time:>{self.time}}  "
        text += f"{state:<{self.state}} " if self.state else ""
        text += f"{rail}{lane}{rail}"
        time, state = right
        text += f" {state:<{self.state}}" if self.state else ""
        return f"{text}  {time:>{self.time}}".rstrip()

    def _end(self, end: End | None) -> tuple[str, str]:
        if end is None:
            return "", ""
        return _seconds(end.time), str(end.state) if end.state is not None else ""

    def _arrow(self, row: Row, *, several: bool) -> tuple[str, str]:
        """The arrow with its segment, and the words for which it has no room."""
        packet = row.packet
        assert packet is not None
        flow = packet.segment.flow
        words = [f"{flow.sport}>{flow.dport}", *row.text.split()] if several else row.text.split()
        mark = f"[{', '.join(row.marks)}]" if row.marks else ""
        rest, cause = [], row.cause if row.fate == "lost" else ""
        if len(cause) > self.lane // 3:
            rest, cause = [f"lost: {cause}"], ""
        room = self.lane - _INK[row.fate] - len(cause)
        if mark and len(" ".join([*words, mark])) > room:
            rest, mark = [mark, *rest], ""
        while len(words) > 1 and len(" ".join(words)) > room:
            rest.insert(0, words.pop())
        first = not row.marks and row.fate != "arrives"
        for word in _options(packet.segment.options) if first else ():
            if not rest and len(" ".join([*words, word, mark])) <= room:
                words.append(word)
        return self._stroke(row, f" {' '.join([*words, mark]).rstrip()} ", cause), " ".join(rest)

    def _stroke(self, row: Row, label: str, cause: str) -> str:
        """The arrow across the lane, or the three quarters of it that a packet covers in a row of its own."""
        s, right = self.strokes, row.side == 0
        tail, head = [s.line * 3, label], s.right if right else s.left
        reach = self.lane * 3 // 4
        match row.fate:
            case "lost":
                tip = [s.lost, f" {cause}" if right else f"{cause} "]
                reach += len(tip[1])
            case "leaves":
                tip = [s.on]
            case "arrives":
                tail, tip = [s.on, *tail], [head]
            case _:
                tip, reach = [head], self.lane
        room = min(self.lane, reach) - sum(map(len, [*tail, *tip]))
        parts = [*tail, s.line * max(room, 1), *tip]
        text = "".join(parts if right else reversed(parts))
        return text.ljust(self.lane) if right is (row.fate != "arrives") else text.rjust(self.lane)
