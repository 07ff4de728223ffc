"""Selective acknowledgments as the data receiver sends them: RFC 2018 4, and D-SACK for duplicates (RFC 2883)."""

from typing import Final

from netsim.tcp.recovery.reassembly import Range, Reassembly
from netsim.tcp.segment import HALF, MASK, Options
from netsim.tcp.tcb import Tcb

_BLOCK: Final = 8  # bytes; RFC 2018 3
_HEAD: Final = 4  # bytes: kind, length, and two NOPs before them
_ROOM: Final = 40  # bytes; RFC 9293 3.1: Data Offset has four bits


def with_sack(tcb: Tcb, options: Options | None) -> Options | None:
    """``options`` with the SACK blocks of the data held beyond RCV.NXT. A duplicate is reported once."""
    held = tcb.reassembly
    assert held is not None
    used = options.size() if options is not None else 0
    ranges = _ranges(tcb, held)[: (_ROOM - used - _HEAD) // _BLOCK]
    if held.duplicate is not None:
        held.duplicate = None  # RFC 2883 4, (2): "reported only once"
        if not held.blocks:
            tcb.reassembly = None
    if not ranges:
        return options
    if options is None:
        return Options(sack=ranges)
    options.sack = ranges
    return options


def sack_bytes(tcb: Tcb) -> int:
    """The maximum size (bytes) of the SACK option on the next segment, which leaves less for data (RFC 6691 2)."""
    held = tcb.reassembly
    if held is None or not tcb.sack_ok:
        return 0
    blocks = len(held.blocks) + (held.duplicate is not None)
    return min(_HEAD + _BLOCK * blocks, 28 if tcb.ts_ok else 36) if blocks else 0


def _ranges(tcb: Tcb, held: Reassembly) -> tuple[Range, ...]:
    """The duplicate first (RFC 2883 4), then the block with the latest segment, then the blocks changed before it.

    A FIN that arrived before the data in front of it is held too: it has a sequence number of its own.
    """
    latest = sorted(held.blocks, key=lambda block: -block.stamp)
    ranges = [(block.seq, (block.seq + len(block.data)) & MASK) for block in latest]
    fin = tcb.peer_fin
    if fin >= 0 and tcb.config.sack_fin and 0 < (fin - tcb.rcv_nxt) & MASK < HALF:
        end = (fin + 1) & MASK
        joined = next((i for i, (_, right) in enumerate(ranges) if right == fin), None)
        if joined is None:
            ranges.insert(0, (fin, end))
        else:
            ranges[joined] = (ranges[joined][0], end)
    return tuple(ranges if held.duplicate is None else [held.duplicate, *ranges])


def report_dsack(tcb: Tcb, seq: int, end: int) -> None:
    """Report with the next ACK that the data from ``seq`` to ``end`` was received before (RFC 2883)."""
    if tcb.sack_ok and tcb.config.dsack and 0 < (end - seq) & MASK < HALF:
        if tcb.reassembly is None:
            tcb.reassembly = Reassembly()
        if tcb.reassembly.duplicate is None:
            tcb.reassembly.duplicate = (seq, end)
