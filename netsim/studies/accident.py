"""One run in which old text gets into a new connection, seen from the receiver."""

from itertools import groupby
from typing import Final

from netsim.studies.time_wait import Accident
from netsim.sweep import Rows, Scalar
from netsim.tcp.actions import Accepted, Dropped
from netsim.tcp.segment import SYN
from netsim.trace.events import Arrived, Decided, Packet, Sent

_NS: Final = 1e-9
_MASK: Final = (1 << 32) - 1
_SECOND: Final = 2  # the server's record of the second connection


def sequence_rows(accident: Accident) -> Rows:
    """What reached the second connection, relative to the IRS, and how its window moved.

    Columns: ``kind`` (``window``, ``new`` or ``old`` text), ``time`` (s), ``seq`` and ``end``, ``verdict`` (accepted,
    or the clause that refused it). A window lasts until the next one.
    """
    irs = _irs(accident)
    windows: dict[float, dict[str, Scalar]] = {}
    segments: list[dict[str, Scalar]] = []
    for record in accident.trace:
        if isinstance(record, Sent) and record.host == "server" and record.packet.connection == _SECOND:
            s = record.packet.segment
            low = (s.ack - irs) & _MASK
            time = record.time * _NS
            windows[time] = {"kind": "window", "time": time, "seq": low, "end": low + s.window}
        elif isinstance(record, Decided):
            segments += _judged(record, irs)
    return Rows.from_dicts([*windows.values(), *segments])


def _judged(record: Decided, irs: int) -> list[dict[str, Scalar]]:
    """The line of a text segment that the second connection decided about, if this is its verdict."""
    decision, packet = record.decision, record.packet
    if record.host != "server" or packet is None or decision.connection != _SECOND or not packet.segment.payload:
        return []
    if isinstance(decision, Accepted) and decision.what == "DATA":
        verdict = "accepted"
    elif isinstance(decision, Dropped):
        verdict = decision.clause
    else:
        return []
    seq = (packet.segment.seq - irs) & _MASK
    kind = "old" if packet.incarnation == 1 else "new"
    end = seq + len(packet.segment.payload)
    return [{"kind": kind, "time": record.time * _NS, "seq": seq, "end": end, "verdict": verdict}]


def _irs(accident: Accident) -> int:
    """The client's ISS of the second incarnation."""
    for record in accident.trace:
        if isinstance(record, Arrived) and record.host == "server":
            packet: Packet = record.packet
            if packet.incarnation == 2 and packet.segment.flags & SYN:
                return packet.segment.seq
    raise LookupError("no SYN of the second connection arrived")


def text_read(accident: Accident) -> str:
    """What the application of the second connection read, in runs of equal bytes: ``1000 x '2', 1000 x '1' (old)``.

    Rebuilt from the text that was accepted: what arrived first is kept, but text in order wins.
    """
    stream: dict[int, int] = {}
    irs, nxt = _irs(accident), 1
    for record in accident.trace:
        if not isinstance(record, Decided) or record.packet is None or not _judged(record, irs):
            continue
        if not isinstance(record.decision, Accepted):
            continue
        segment = record.packet.segment
        seq = (segment.seq - irs) & _MASK
        fresh = {seq + k: byte for k, byte in enumerate(segment.payload) if seq + k >= nxt}
        stream = stream | fresh if seq <= nxt else fresh | stream
        while nxt in stream:
            nxt += 1
    text = [stream[k] for k in range(1, nxt)]
    runs = [(chr(byte), len(list(group))) for byte, group in groupby(text)]
    return ", ".join(f"{count} x '{byte}'" + (" (old)" if byte == "1" else "") for byte, count in runs)


def describe(accident: Accident) -> str:
    """The run in a sentence, for a footer."""
    p = accident.params
    return (
        f"One run: constant ISNs, no TIME-WAIT, receive window {p.server.receive_buffer} bytes; seed {accident.seed}, "
        f"replication {accident.replication}; nothing lost, {100 * p.duplicate:g} % of segments have a late copy "
        f"(exponential); timers first at equal times."
    )


def accident_text(accident: Accident) -> str:
    """The ladder of the run, with what it shows above and what the application read below."""
    return (
        "Constant ISNs: an old segment is taken for new. The text of the first connection is '1', of the second '2'.\n"
        f"{describe(accident)}\n\n"
        f"{accident.trace.ladder().rstrip()}\n\n"
        f"The second connection's application read: {text_read(accident)}.\n"
        f"{accident.row['wrong_bytes']} wrong bytes, and no error at either end.\n"
    )
