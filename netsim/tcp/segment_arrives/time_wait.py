"""What real hosts do with a segment in TIME-WAIT before, or instead of, the checks of RFC 9293 3.10.7.4."""

from typing import Final

from netsim.tcp.clauses import TIME_WAIT_NEITHER, TIME_WAIT_TWCHECK
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.connection import dropped, restart_time_wait
from netsim.tcp.output import send_ack
from netsim.tcp.segment import ACK, FIN, MASK, RST, SYN, Segment
from netsim.tcp.tcb import Tcb

_REOPEN_STEP: Final = 65_537
_REUSE_DELAY: Final = 1_000_000_000  # ns; net.ipv4.tcp_tw_reuse_delay


def settled_in_time_wait(tcb: Tcb, segment: Segment, now: int) -> bool:
    """Whether a host's own rule has dealt with the segment."""
    config, flags = tcb.config, segment.flags
    if config.time_wait_checks == "no-window":
        _twcheck(tcb, segment, now)
        return True
    if config.time_wait_no_ack == "drop" and not flags & (SYN | ACK):
        dropped(tcb, segment, TIME_WAIT_NEITHER)
        return True
    return False


def _twcheck(tcb: Tcb, segment: Segment, now: int) -> None:
    """FreeBSD looks at no window: RST and what has no ACK are dropped, all but the expected ACK is acknowledged."""
    flags, end = segment.flags, (segment.seq + segment.length) & MASK
    if flags & RST or not flags & ACK:
        return dropped(tcb, segment, TIME_WAIT_TWCHECK)
    if flags & FIN and end == tcb.rcv_nxt:
        restart_time_wait(tcb, now)
    if not is_expected_ack(tcb, segment) or segment.ack != tcb.snd_nxt:
        return send_ack(tcb, now)
    return dropped(tcb, segment, TIME_WAIT_TWCHECK)


def is_expected_ack(tcb: Tcb, segment: Segment) -> bool:
    """A bare ACK with the number that is due: nothing that calls for an answer."""
    return segment.flags & (SYN | FIN | RST | ACK) == ACK and not segment.payload and segment.seq == tcb.rcv_nxt


def may_replace(old: Tcb, config: TcpConfig, now: int) -> bool:
    """Whether an active OPEN may take the four-tuple that ``old`` holds in TIME-WAIT (net.ipv4.tcp_tw_reuse).

    Linux asks for timestamps on both connections, and that a second has gone by, so that they are newer.
    """
    if config.time_wait_open == "replace-after-1s":
        return old.ts_ok and config.timestamps and now - old.ts_recent_at > _REUSE_DELAY
    return config.time_wait_open == "replace"


def first_beyond(old: Tcb) -> int:
    """An ISS beyond all numbers of the old connection (net/ipv4/tcp_ipv4.c, tcp_twsk_unique; tcp_minisocks.c)."""
    return (old.snd_nxt + _REOPEN_STEP) & MASK
