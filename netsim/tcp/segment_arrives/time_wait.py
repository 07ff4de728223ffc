"""TIME-WAIT: which SYN, and which active OPEN, may end it, and rules of hosts that come before the eight checks.

What happens to a SYN that arrives in TIME-WAIT: the stack asks ``reopens_time_wait`` whether the SYN may open a new
connection (``TcpConfig.time_wait_reuse``), and gives it to the listener of the port if so. If not, the SYN is an old
one, and the eight checks process it like any other segment (only with "rfc6191" it is dropped silently instead).

On Linux a SYN is old if its timestamp is older than TS.Recent, or if its number is at or before RCV.NXT and its
timestamp is not newer. PAWS, or the sequence number, then fails in check 1: an ACK answers the SYN, at most one in
500 ms, and the TIME_WAIT timer is not restarted. An old SYN exactly at RCV.NXT passes check 1 and gets a challenge ACK
in check 4.
"""

from typing import Final

from netsim.tcp.clauses import TIME_WAIT_NEITHER, TIME_WAIT_TWCHECK
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.connection import dropped, restart_time_wait
from netsim.tcp.output import send_ack
from netsim.tcp.segment import ACK, FIN, HALF, MASK, RST, SYN, Segment
from netsim.tcp.tcb import Tcb

_ISS_STEP: Final = 65_537  # how far the new ISS lies beyond the old SND.NXT
_REUSE_DELAY: Final = 1_000_000_000  # ns; net.ipv4.tcp_tw_reuse_delay


def reopens_time_wait(tcb: Tcb, segment: Segment, config: TcpConfig) -> bool:
    """Whether this SYN may open a new connection out of TIME-WAIT, by ``TcpConfig.time_wait_reuse``.

    RFC 9293 3.6.1 (MAY-2), RFC 6191 section 2, or net/ipv4/tcp_minisocks.c.
    """
    rule = config.time_wait_reuse
    if rule == "none":
        return False
    # The peer's FIN has the last number: a SYN beyond it cannot be an old duplicate.
    beyond_fin = 0 < (segment.seq - (tcb.rcv_nxt - 1)) & MASK < HALF
    if rule == "sequence":
        return 0 < (segment.seq - tcb.rcv_nxt) & MASK < HALF
    if rule == "rfc1122":
        return beyond_fin
    ts_val = segment.options.ts_val if segment.options is not None else None
    newer = ts_val is not None and tcb.ts_ok and 0 < (ts_val - tcb.ts_recent) & MASK < HALF
    if rule == "sequence-or-timestamp":
        older = ts_val is not None and tcb.ts_ok and 0 < (tcb.ts_recent - ts_val) & MASK < HALF
        return not older and (0 < (segment.seq - tcb.rcv_nxt) & MASK < HALF or newer)
    if not tcb.ts_ok:
        return ts_val is not None or beyond_fin
    if ts_val is None or ts_val == tcb.ts_recent:
        return beyond_fin
    return newer


def host_rule_applies(tcb: Tcb, segment: Segment, now: int) -> bool:
    """Whether a host's own rule for TIME-WAIT has processed the segment, so that the eight checks are skipped."""
    config, flags = tcb.config, segment.flags
    if config.time_wait_checks == "no-window":
        _check_no_window(tcb, segment, now)
        return True
    if config.time_wait_no_ack == "drop" and not flags & (SYN | ACK):
        dropped(tcb, segment, TIME_WAIT_NEITHER)
        return True
    return False


def _check_no_window(tcb: Tcb, segment: Segment, now: int) -> None:
    """FreeBSD checks no window: a RST and a segment without ACK are dropped, any but the expected ACK is answered."""
    flags, end = segment.flags, (segment.seq + segment.length) & MASK
    if flags & RST or not flags & ACK:
        return dropped(tcb, segment, TIME_WAIT_TWCHECK)
    if flags & FIN and end == tcb.rcv_nxt:
        restart_time_wait(tcb, now)
    if not is_expected_ack(tcb, segment) or segment.ack != tcb.snd_nxt:
        return send_ack(tcb, now)
    return dropped(tcb, segment, TIME_WAIT_TWCHECK)


def is_expected_ack(tcb: Tcb, segment: Segment) -> bool:
    """Whether this is an ACK without data at RCV.NXT: nothing in it asks for an answer."""
    return segment.flags & (SYN | FIN | RST | ACK) == ACK and not segment.payload and segment.seq == tcb.rcv_nxt


def may_replace(old: Tcb, config: TcpConfig, now: int) -> bool:
    """Whether an active OPEN may take the four-tuple that ``old`` holds in TIME-WAIT (net.ipv4.tcp_tw_reuse).

    Linux requires timestamps on both connections, and that one second has passed, so that the new ones are newer.
    """
    if config.time_wait_open == "replace-after-1s":
        return old.ts_ok and config.timestamps and now - old.ts_recent_at > _REUSE_DELAY
    return config.time_wait_open == "replace"


def first_beyond(old: Tcb) -> int:
    """An ISS beyond all sequence numbers of the old connection (net/ipv4/tcp_ipv4.c, tcp_twsk_unique)."""
    return (old.snd_nxt + _ISS_STEP) & MASK
