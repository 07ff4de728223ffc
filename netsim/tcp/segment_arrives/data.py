"""Text and FIN: steps seven and eight of RFC 9293 3.10.7.4, and when an ACK for them is sent (3.8.6.3)."""

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


def text_arrives(tcb: Tcb, segment: Segment, start: int, now: int) -> bool:
    """Step seven: take the text that starts at ``start``, as far as it is new and inside the window.

    False if the connection ended: new text for a user who has closed draws a RST (SHLD-3).
    """
    text = segment.payload
    if not text:
        return True
    if tcb.state not in RECEIVING:
        dropped(tcb, segment, CHECK_7_SEGMENT_TEXT)
        return True
    offset = (start - tcb.rcv_nxt) & MASK
    if offset >= HALF:
        if tcb.sack_ok:
            report_dsack(tcb, start, (start + min(len(text), MASK + 1 - offset)) & MASK)
        text = text[MASK + 1 - offset :]
        offset = 0
    if tcb.orphan and text:
        tcb.ctx.counters.TcpExtTCPAbortOnData += 1
        accepted(tcb, segment, "DATA", SHLD_3)
        send_reset_for(tcb.ctx, segment, tcb)
        end(tcb, SHLD_3, ConnectionReset())
        return False
    text = text[: max(tcb.rcv_wnd - offset, 0)]
    if not text:
        dropped(tcb, segment, CHECK_7_SEGMENT_TEXT)
        tcb.ack_wanted = True
        return True
    accepted(tcb, segment, "DATA", CHECK_7_SEGMENT_TEXT)
    if offset:
        if tcb.reassembly is None:
            tcb.reassembly = Reassembly()
        duplicate = tcb.reassembly.insert((tcb.rcv_nxt + offset) & MASK, text, tcb.rcv_nxt)
        if duplicate is not None:
            report_dsack(tcb, *duplicate)
        tcb.ctx.counters.TcpExtTCPOFOQueue += 1
        tcb.ack_wanted = True  # at once: RFC 5681 3.2
        return True
    deliver(tcb, text, now)
    return True


def deliver(tcb: Tcb, text: bytes, now: int) -> None:
    """Text in order: into the user's buffer, with whatever it joins up with; an ACK now or soon."""
    filled = False
    held = tcb.reassembly
    if held is not None:
        duplicate = held.overlap(tcb.rcv_nxt, len(text))
        if duplicate is not None:
            report_dsack(tcb, *duplicate)
        more = held.take((tcb.rcv_nxt + len(text)) & MASK)
        filled = bool(more) or held.duplicate is not None
        text += more
        if not held.blocks and held.duplicate is None:
            tcb.reassembly = None
    count = len(text)
    tcb.data_at = now
    tcb.rcv_nxt = (tcb.rcv_nxt + count) & MASK
    tcb.rcv_wnd -= count
    if tcb.rcv_buffer is None:
        tcb.rcv_buffer = bytearray(text)
    else:
        tcb.rcv_buffer += text
    tcb.ack_pending += count
    if filled or tcb.reassembly is not None:
        tcb.ack_wanted = True
    else:
        _schedule_ack(tcb, count, now)
    signal(tcb)


def _schedule_ack(tcb: Tcb, count: int, now: int) -> None:
    """An ACK at least for every second full segment, and never later than the delayed-ACK timer (SHLD-18, MUST-40)."""
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
        delayed_acks_of(tcb).pingpong = True  # a FIN of our own is likely to come soon (net/ipv4/tcp_input.c, tcp_fin)
        schedule_ack(tcb, now)
    else:
        tcb.ack_wanted = True  # it came first, and a gap has been filled


def take_held_text(tcb: Tcb, now: int) -> None:
    """Text that came on the SYN and was held until ESTABLISHED (3.10.7.2): nothing behind it was taken before."""
    text, tcb.syn_data = tcb.syn_data, b""
    deliver(tcb, text[: tcb.rcv_wnd], now)


def fin_arrives(tcb: Tcb, segment: Segment, start: int, now: int) -> None:
    """Step eight: the peer's FIN, once all text before it is here."""
    if segment.flags & FIN:
        number = (start + len(segment.payload)) & MASK
        if (number - tcb.rcv_nxt) & MASK < tcb.rcv_wnd and tcb.peer_fin < 0:
            tcb.peer_fin = number
    if tcb.peer_fin != tcb.rcv_nxt:
        if segment.flags & FIN:
            tcb.ack_wanted = True
            if tcb.peer_fin >= 0 and tcb.sack_ok and tcb.reassembly is None and tcb.config.sack_fin:
                tcb.reassembly = Reassembly()  # the FIN is held, and reported
        return
    state = tcb.state
    if state is TIME_WAIT:
        return
    if tcb.ctx.record:
        accepted(tcb, segment, "FIN", CHECK_8_FIN)
    tcb.rcv_nxt = (tcb.rcv_nxt + 1) & MASK
    if tcb.reassembly is not None and tcb.config.sack_ends_with_fin:
        tcb.reassembly = None
    if state is ESTABLISHED and tcb.config.fin_ack == "delayed":
        _schedule_ack_of_fin(tcb, segment, now)  # the user who closes now closes in three segments
    else:
        tcb.ack_wanted = True
    if state is ESTABLISHED or state is SYN_RECEIVED:
        enter(tcb, CLOSE_WAIT, CHECK_8_FIN)
    elif state is FIN_WAIT_2 or (state is FIN_WAIT_1 and fin_acknowledged(tcb)):
        return enter_time_wait(tcb, now, CHECK_8_FIN)
    elif state is FIN_WAIT_1:
        enter(tcb, CLOSING, CHECK_8_FIN)
    return signal(tcb)
