"""Checks 7 and 8 of RFC 9293 3.10.7.4, segment text and FIN, and when they are acknowledged (3.8.6.3).

The ACK of data is delayed by ``delayed_ack`` and ``delayed_ack_timer``. The ACK of a FIN is delayed likewise only in
ESTABLISHED, and only if ``fin_ack`` is "delayed": in FIN-WAIT-1 and FIN-WAIT-2 it is always immediate, because the
connection enters CLOSING or TIME-WAIT and has no data of its own that could carry the ACK (``check_8_fin``).
"""

from netsim.tcp.clauses import CHECK_7_SEGMENT_TEXT, CHECK_8_FIN, SHLD_3
from netsim.tcp.connection import accepted, dropped, end, enter, enter_time_wait, signal
from netsim.tcp.errors import ConnectionReset
from netsim.tcp.output import send_reset_for
from netsim.tcp.recovery.delayed_ack import data_arrives, delayed_acks_of, schedule_ack
from netsim.tcp.recovery.queue import fin_acknowledged
from netsim.tcp.recovery.reassembly import Reassembly
from netsim.tcp.recovery.sack import report_dsack
from netsim.tcp.segment import FIN, HALF, MASK, Segment
from netsim.tcp.state import (
    CLOSE_WAIT,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    SYN_RECEIVED,
    TIME_WAIT,
)
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import DELACK, NEVER

RECEIVING = frozenset({ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2})


def check_7_segment_text(tcb: Tcb, segment: Segment, start: int, now: int) -> bool:
    """3.10.7.4, seventh: "deliver segment data to user RECEIVE buffers", as far as it is new and inside the window.

    It begins at ``start``. False if the connection has ended: a RST answers new data for an orphan (SHLD-3).
    """
    data = segment.payload
    if not data:
        return True
    if tcb.state not in RECEIVING:
        dropped(tcb, segment, CHECK_7_SEGMENT_TEXT)
        return True
    offset = (start - tcb.rcv_nxt) & MASK
    if offset >= HALF:
        if tcb.sack_ok:
            report_dsack(tcb, start, (start + min(len(data), MASK + 1 - offset)) & MASK)
        data = data[MASK + 1 - offset :]
        offset = 0
    if tcb.orphan and data:
        tcb.ctx.counters.TcpExtTCPAbortOnData += 1
        accepted(tcb, segment, "DATA", SHLD_3)
        send_reset_for(tcb.ctx, segment, tcb)
        end(tcb, SHLD_3, ConnectionReset())
        return False
    data = data[: max(tcb.rcv_wnd - offset, 0)]
    if not data:
        dropped(tcb, segment, CHECK_7_SEGMENT_TEXT)
        tcb.ack_wanted = True
        return True
    accepted(tcb, segment, "DATA", CHECK_7_SEGMENT_TEXT)
    if offset:
        if tcb.reassembly is None:
            tcb.reassembly = Reassembly()
        duplicate = tcb.reassembly.insert((tcb.rcv_nxt + offset) & MASK, data, tcb.rcv_nxt)
        if duplicate is not None:
            report_dsack(tcb, *duplicate)
        tcb.ctx.counters.TcpExtTCPOFOQueue += 1
        tcb.ack_wanted = True  # immediate ACK of data out of order: RFC 5681 3.2
        return True
    deliver(tcb, data, now)
    return True


def deliver(tcb: Tcb, data: bytes, now: int) -> None:
    """Append data in order to the user's buffer, and the data held out of order that follows it; schedule the ACK."""
    filled = False
    held = tcb.reassembly
    if held is not None:
        duplicate = held.overlap(tcb.rcv_nxt, len(data))
        if duplicate is not None:
            report_dsack(tcb, *duplicate)
        more = held.take((tcb.rcv_nxt + len(data)) & MASK)
        filled = bool(more) or held.duplicate is not None
        data += more
        if not held.blocks and held.duplicate is None:
            tcb.reassembly = None
    count = len(data)
    tcb.data_at = now
    tcb.rcv_nxt = (tcb.rcv_nxt + count) & MASK
    tcb.rcv_wnd -= count
    if tcb.rcv_buffer is None:
        tcb.rcv_buffer = bytearray(data)
    else:
        tcb.rcv_buffer += data
    tcb.ack_pending += count
    if filled or tcb.reassembly is not None:
        tcb.ack_wanted = True
    else:
        _schedule_ack(tcb, count, now)
    signal(tcb)


def _schedule_ack(tcb: Tcb, count: int, now: int) -> None:
    """ACK at least every second full-sized segment, and no later than the delayed-ACK timer (SHLD-18, MUST-40)."""
    if tcb.config.delayed_ack_timer == "adaptive":
        data_arrives(tcb, count, now)
        return schedule_ack(tcb, now)
    delay = tcb.config.ns.delayed_ack
    waiting = tcb.deadlines[DELACK] != NEVER
    if delay is None or tcb.quick_acks or tcb.ack_pending >= 2 * tcb.snd_mss:
        tcb.quick_acks = max(0, tcb.quick_acks - 1)
        tcb.ack_wanted = True
    elif not waiting:
        tcb.arm(DELACK, now, delay)
    elif tcb.config.ack_every_second == "any-size":
        tcb.ack_wanted = True
    return None


def _schedule_ack_of_fin(tcb: Tcb, segment: Segment, now: int) -> None:
    if tcb.config.delayed_ack_timer == "fixed":
        if not tcb.ack_wanted:
            _schedule_ack(tcb, 0, now)
    elif segment.flags & FIN:
        delayed_acks_of(tcb).pingpong = True  # our own FIN is likely to follow (net/ipv4/tcp_input.c, tcp_fin)
        schedule_ack(tcb, now)
    else:
        tcb.ack_wanted = True  # the FIN arrived earlier, and a gap has been filled


def deliver_syn_data(tcb: Tcb, now: int) -> None:
    """Deliver the data of a SYN, queued until ESTABLISHED (3.10.7.2)."""
    data, tcb.syn_data = tcb.syn_data, b""
    deliver(tcb, data[: tcb.rcv_wnd], now)


def check_8_fin(tcb: Tcb, segment: Segment, start: int, now: int) -> None:
    """3.10.7.4, eighth: process the peer's FIN once all data before it has arrived.

    "Advance RCV.NXT over the FIN, and send an acknowledgment for the FIN."
    """
    if segment.flags & FIN:
        number = (start + len(segment.payload)) & MASK
        if (number - tcb.rcv_nxt) & MASK < tcb.rcv_wnd and tcb.peer_fin < 0:
            tcb.peer_fin = number
    if tcb.peer_fin != tcb.rcv_nxt:
        if segment.flags & FIN:
            tcb.ack_wanted = True
            if tcb.peer_fin >= 0 and tcb.sack_ok and tcb.reassembly is None and tcb.config.sack_fin:
                tcb.reassembly = Reassembly()  # the FIN is kept, and SACK reports it
        return
    state = tcb.state
    if state is TIME_WAIT:
        return
    if tcb.ctx.tracing:
        accepted(tcb, segment, "FIN", CHECK_8_FIN)
    tcb.rcv_nxt = (tcb.rcv_nxt + 1) & MASK
    if tcb.reassembly is not None and tcb.config.sack_ends_with_fin:
        tcb.reassembly = None
    if state is ESTABLISHED and tcb.config.fin_ack == "delayed":
        _schedule_ack_of_fin(tcb, segment, now)  # our own FIN can carry it: a close in three segments
    else:
        tcb.ack_wanted = True  # immediate, in FIN-WAIT-2 for instance
    if state is ESTABLISHED or state is SYN_RECEIVED:
        enter(tcb, CLOSE_WAIT, CHECK_8_FIN)
    elif state is FIN_WAIT_2 or (state is FIN_WAIT_1 and fin_acknowledged(tcb)):
        return enter_time_wait(tcb, now, CHECK_8_FIN)
    elif state is FIN_WAIT_1:
        enter(tcb, CLOSING, CHECK_8_FIN)
    return signal(tcb)
