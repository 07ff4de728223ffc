"""The send buffer: how much data a SEND may add, when its user is notified of room, and where records end (MSG_EOR).

The buffer holds what the user has given and the peer has not acknowledged, sent or not: it begins at SND.UNA.
"""

from collections import deque
from typing import Final

from netsim.tcp.segment import HALF, MASK
from netsim.tcp.tcb import Tcb

_LARGEST: Final = 65536 - 1 - 320  # bytes: include/net/sock.h, GSO_LEGACY_MAX_SIZE, less the headers


def send_room(tcb: Tcb) -> int:
    """The number of bytes that a SEND may add now (net/ipv4/tcp.c, tcp_sendmsg)."""
    room = tcb.config.send_buffer - (len(tcb.snd_buffer) if tcb.snd_buffer else 0)
    return room if tcb.config.notsent_lowat is None else min(room, _below_lowat(tcb, tcb.config.notsent_lowat, room))


def unsent(tcb: Tcb) -> int:
    """The number of bytes that the user has given and TCP has not sent."""
    return max((len(tcb.snd_buffer) if tcb.snd_buffer else 0) - ((tcb.snd_nxt - tcb.snd_una) & MASK), 0)


def writable(tcb: Tcb, *, wake: bool = False) -> bool:
    """Whether a SEND would accept data.

    ``wake``: whether a user that waits for room is notified of it: not before a third of the buffer, or half of what
    may be unsent, is free (include/net/sock.h, sk_stream_min_wspace; tcp_stream_memory_free).
    """
    config, used = tcb.config, len(tcb.snd_buffer) if tcb.snd_buffer else 0
    if config.notsent_lowat is not None and unsent(tcb) << wake >= config.notsent_lowat:
        return False
    return config.send_buffer - used >= (used >> 1 if wake else 1)


def _below_lowat(tcb: Tcb, lowat: int, room: int) -> int:
    """The number of bytes, at most ``room``, that a SEND adds until ``lowat`` bytes are unsent (TCP_NOTSENT_LOWAT).

    Linux queues data in chunks of at most half the peer's window, in whole segments, and begins a new chunk while less
    than ``lowat`` is unsent. What the windows allow is sent as soon as it is queued.
    """
    chunk = max(min(_LARGEST, tcb.max_snd_wnd // 2) // tcb.snd_mss, 1) * tcb.snd_mss
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    cwnd = tcb.congestion.cwnd if tcb.congestion is not None else tcb.config.initial_window * tcb.snd_mss
    waiting = unsent(tcb)
    sendable, taken = max(min(tcb.snd_wnd, cwnd) - flight - waiting, 0), 0
    while taken < room and (waiting % chunk or waiting < lowat):
        added = chunk - waiting % chunk
        taken, waiting = taken + added, waiting + added
        sent = min(sendable, waiting)
        sendable, waiting = sendable - sent, waiting - sent
    return taken


def end_record(tcb: Tcb) -> None:
    """A record ends with the last byte of the send buffer: no segment carries bytes from both sides (MSG_EOR)."""
    assert tcb.snd_buffer is not None
    start = (tcb.iss + 1) & MASK if tcb.snd_una == tcb.iss else tcb.snd_una
    if tcb.record_ends is None:
        tcb.record_ends = deque()
    tcb.record_ends.append((start + len(tcb.snd_buffer)) & MASK)


def within_record(ends: deque[int], start: int, size: int, end: int) -> tuple[int, bool]:
    """Limit a segment of ``size`` bytes from ``start`` to one record, when the buffered data ends before ``end``.

    Returns its size, and whether a record ends with it and another one follows. ``ends`` are the numbers behind the
    ends of records; those that lie before ``start`` are removed.
    """
    while ends and (start - ends[0]) & MASK < HALF:
        ends.popleft()
    if not ends:
        return size, False
    room = (ends[0] - start) & MASK
    return (room, ends[0] != end) if room <= size else (size, False)
