"""How much text a SEND may add, and when its user is told that there is room (net/ipv4/tcp.c, tcp_sendmsg)."""

from typing import Final

from netsim.tcp.seq import MASK
from netsim.tcp.tcb import Tcb

_LARGEST: Final = 65536 - 1 - 320  # bytes: include/net/sock.h, GSO_LEGACY_MAX_SIZE, less the headers


def send_room(tcb: Tcb) -> int:
    """Bytes a SEND may add now."""
    room = tcb.config.send_buffer - (len(tcb.snd_buffer) if tcb.snd_buffer else 0)
    return room if tcb.config.notsent_lowat is None else min(room, _below_lowat(tcb, tcb.config.notsent_lowat, room))


def unsent(tcb: Tcb) -> int:
    """Bytes that the user has given and TCP has not sent."""
    return max((len(tcb.snd_buffer) if tcb.snd_buffer else 0) - ((tcb.snd_nxt - tcb.snd_una) & MASK), 0)


def writable(tcb: Tcb, *, wake: bool = False) -> bool:
    """Whether a SEND would take text. One that waited is told (``wake``) once two thirds of the buffer, or half of
    what may be unsent, is free (include/net/sock.h, sk_stream_min_wspace; tcp_stream_memory_free)."""
    config, used = tcb.config, len(tcb.snd_buffer) if tcb.snd_buffer else 0
    if config.notsent_lowat is not None and unsent(tcb) << wake >= config.notsent_lowat:
        return False
    return config.send_buffer - used >= (used >> 1 if wake else 1)


def _below_lowat(tcb: Tcb, lowat: int, room: int) -> int:
    """Text is queued in pieces of half the window at most, in whole segments; a new one while less than ``lowat`` is
    not sent. What the windows allow goes out as it is given."""
    goal = max(min(_LARGEST, tcb.max_snd_wnd // 2) // tcb.snd_mss, 1) * tcb.snd_mss
    window, flight = tcb.snd_wnd, (tcb.snd_nxt - tcb.snd_una) & MASK
    congestion = tcb.congestion.cwnd if tcb.congestion is not None else tcb.config.initial_window * tcb.snd_mss
    waiting = unsent(tcb)
    may_go, taken = max(min(window, congestion) - flight - waiting, 0), 0
    while taken < room and (waiting % goal or waiting < lowat):
        piece = goal - waiting % goal
        taken, waiting = taken + piece, waiting + piece
        gone = min(may_go, waiting)
        may_go, waiting = may_go - gone, waiting - gone
    return taken
