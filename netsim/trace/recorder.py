"""The recorder: a list of events, the digest that identifies a run, and the ladder a reader can follow."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from netsim.tcp.actions import Accepted, Allocated, Dropped, Moved
from netsim.tcp.segment import Options
from netsim.trace.events import Arrived, Decided, Decision, Packet, Sent, TraceEvent
from netsim.trace.ladder import ladder

_SHOWN = 200  # lines that a notebook shows of each pair of hosts
_PAIRS = 8  # pairs that it shows


class Trace:
    """The events of one run, in order. Printed, or shown by a notebook, it is a ladder."""

    def __init__(self) -> None:
        self.events: list[TraceEvent] = []

    def __iter__(self) -> Iterator[TraceEvent]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        return f"<Trace: {len(self.events)} events>"

    def __str__(self) -> str:
        return self.ladder()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows: the ladder, cut after some screens."""
        printer.text(repr(self) if cycle else self.ladder(limit=_SHOWN, most_pairs=_PAIRS))

    def ladder(
        self,
        *,
        hosts: Sequence[str] | None = None,
        relative: bool = True,
        states: bool = True,
        width: int = 100,
        unicode: bool = False,
        limit: int | None = None,
        most_pairs: int | None = None,
    ) -> str:
        """The run as text, with times and states; see ``netsim.trace.ladder.ladder`` for the parameters."""
        return ladder(
            self.events,
            hosts=hosts,
            relative=relative,
            states=states,
            width=width,
            unicode=unicode,
            limit=limit,
            most_pairs=most_pairs,
        )

    def digest(self) -> str:
        """SHA-256 over every event: two runs are the same run when their digests are equal.

        It covers times, hosts, every field and byte of every segment, losses, copies, the decisions with their clauses,
        and the applications' calls. It depends on nothing else, such as hash seeds or the Python version.
        """
        digest = hashlib.sha256()
        lines: list[str] = []
        for event in self.events:
            lines.append(_line(event))
            if type(event) is Sent and event.packet.segment.payload:
                digest.update("\n".join(lines).encode())
                digest.update(b"\n")
                digest.update(event.packet.segment.payload)  # its length stands in the line before
                lines.clear()
        digest.update("\n".join(lines).encode())
        return digest.hexdigest()


def _line(event: TraceEvent) -> str:
    """One event in canonical text: ints, strings, and enum members by name."""
    if isinstance(event, Sent):
        arrivals = " ".join(map(str, event.arrivals))
        return f"{event.time} {event.host} sent {_packet(event.packet)} {arrivals} {event.cause}"
    if isinstance(event, Arrived):
        return f"{event.time} {event.host} arrived #{event.packet.number} {'stale' if event.stale else ''}"
    if isinstance(event, Decided):
        seen = event.packet.number if event.packet is not None else 0
        return f"{event.time} {event.host} {_decision(event.decision)} #{seen}"
    detail = event.detail
    text = f"{type(detail).__name__}: {detail}" if isinstance(detail, Exception) else str(detail)
    return f"{event.time} {event.host} {event.phase} {event.call} {text}"


def _packet(packet: Packet) -> str:
    s = packet.segment
    src, sport, dst, dport = s.flow
    truth = f"{packet.connection}/{packet.incarnation}{'F' if packet.forged else ''}{'T' if packet.timer else ''}"
    return (
        f"#{packet.number} {truth} {src}:{sport} {dst}:{dport} {s.seq} {s.ack} {s.flags} {s.window} {s.urgent} "
        f"{len(s.payload)} {_options(s.options)}"
    )


def _options(options: Options | None) -> str:
    if options is None:
        return "-"
    o = options
    sack = ",".join(f"{left}-{right}" for left, right in o.sack)
    return f"mss {o.mss} ws {o.wscale} sack {int(o.sack_permitted)} ts {o.ts_val} {o.ts_ecr} blocks {sack}"


def _decision(decision: Decision) -> str:
    d = decision
    if isinstance(d, Accepted):
        return f"accepted {d.connection} {d.what} {d.clause}"
    if isinstance(d, Moved):
        return f"moved {d.connection} {d.old.name} {d.new.name} {d.clause}"
    if isinstance(d, Dropped):
        return f"dropped {d.connection} {d.clause}"
    if isinstance(d, Allocated):
        src, sport, dst, dport = d.flow
        return f"allocated {d.connection} {src}:{sport} {dst}:{dport} {d.state.name}"
    return f"freed {d.connection} {d.outcome}"
