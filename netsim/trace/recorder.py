"""The recorder: a list of records, and the digest that identifies a run."""

import hashlib
from collections.abc import Iterator
from dataclasses import astuple

from netsim.tcp.actions import Accepted, Allocated, Dropped, Freed, Moved
from netsim.trace.records import Arrived, Called, Decided, Packet, Record, Sent


class Trace:
    """The records of one run, in order."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def digest(self) -> str:
        """SHA-256 over every record: two runs are the same run when their digests are equal."""
        digest = hashlib.sha256()
        for record in self.records:
            digest.update(_line(record).encode())
            digest.update(b"\n")
        return digest.hexdigest()


def _packet(packet: Packet | None) -> str:
    if packet is None:
        return "-"
    s = packet.segment
    options = astuple(s.options) if s.options is not None else ()
    text = hashlib.sha256(s.payload).hexdigest()[:16] if s.payload else ""
    return f"#{packet.number} {s.flow} {s.seq} {s.ack} {s.flags} {s.window} {len(s.payload)} {text} {options}"


def _decision(decision: Moved | Dropped | Accepted | Allocated | Freed) -> str:
    match decision:
        case Moved(connection, _, old, new, clause):
            return f"moved {connection} {old} {new} {clause}"
        case Dropped(connection, _, clause):
            return f"dropped {connection} {clause}"
        case Accepted(connection, _, what, clause):
            return f"accepted {connection} {what} {clause}"
        case Allocated(connection, _, state):
            return f"allocated {connection} {state}"
        case Freed(connection, _, outcome):
            return f"freed {connection} {outcome}"


def _line(record: Record) -> str:
    match record:
        case Sent(time, host, packet, arrivals, cause):
            return f"{time} {host} sent {_packet(packet)} {arrivals} {cause}"
        case Arrived(time, host, packet, stale):
            return f"{time} {host} arrived #{packet.number} {stale}"
        case Decided(time, host, decision, seen):
            return f"{time} {host} {_decision(decision)} #{seen.number if seen else 0}"
        case Called(time, host, event, call, detail):
            return f"{time} {host} {event} {call} {detail}"
