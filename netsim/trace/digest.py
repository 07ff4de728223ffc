"""The digest of a trace: two runs are the same run if and only if their digests are equal."""

import hashlib
from collections.abc import Iterable

from netsim.tcp.actions import Accepted, Allocated, Dropped, Moved
from netsim.tcp.segment import Options
from netsim.trace.events import Arrived, Decided, Decision, Packet, Sent, TraceEvent


def digest(events: Iterable[TraceEvent]) -> str:
    """SHA-256 over every event, as hexadecimal digits.

    It covers times, hosts, every field and byte of every segment, losses, copies, the decisions with their clauses,
    and the calls of applications. It depends on nothing else, such as hash seeds or the Python version.
    """
    sha256 = hashlib.sha256()
    lines: list[str] = []
    for event in events:
        lines.append(_line(event))
        if type(event) is Sent and event.packet.segment.payload:
            sha256.update("\n".join(lines).encode())
            sha256.update(b"\n")
            sha256.update(event.packet.segment.payload)  # its length stands in the line before
            lines.clear()
    sha256.update("\n".join(lines).encode())
    return sha256.hexdigest()


def _line(event: TraceEvent) -> str:
    """One event as a line: ints, strings, and enum members by name."""
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
