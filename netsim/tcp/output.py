"""Building and sending segments: which data is sent when, with which window, acknowledgment and options."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from netsim.tcp.actions import Transmit
from netsim.tcp.host_context import HostContext
from netsim.tcp.recovery.congestion import UNLIMITED, begin
from netsim.tcp.recovery.delayed_ack import ack_sent, data_sent
from netsim.tcp.recovery.ecn import mark, offered
from netsim.tcp.recovery.queue import arm_loss_probe, payload_of
from netsim.tcp.recovery.sack import sack_bytes, with_sack
from netsim.tcp.recovery.send_buffer import within_record
from netsim.tcp.recovery.tso import burst_ends, burst_size
from netsim.tcp.recovery.variables import Sent
from netsim.tcp.segment import ACK, ECE, FIN, MASK, PSH, RST, SYN, SYN_ACK, Options, Segment
from netsim.tcp.segment_arrives.authentication import sign
from netsim.tcp.state import CLOSE_WAIT, CLOSING, ESTABLISHED, FIN_WAIT_1, LAST_ACK, SYN_RECEIVED, SYN_SENT
from netsim.tcp.tcb import NO_SEGMENTS, Tcb
from netsim.tcp.timers import DELACK, NEVER, PERSIST, PROBE, REXMT, USER

SENDING = frozenset({ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, CLOSING, LAST_ACK})
FIN_UNACKNOWLEDGED = frozenset({FIN_WAIT_1, CLOSING, LAST_ACK})
MAX_WINDOW = 65535
_new = tuple.__new__  # half the price of Transmit(...)
TS_BYTES = 12  # the timestamps option with its padding, on every segment: RFC 7323 appendix A
MAC_BYTES = 16  # the authentication option, on every segment: RFC 5925 2.2


def transmit(tcb: Tcb, now: int, flags: int, seq: int, payload: bytes = b"") -> None:
    """Send one segment (not a SYN) with the current acknowledgment and window."""
    ctx = tcb.ctx
    if tcb.rcv_wnd < tcb.rcv_space:
        open_window(tcb)
    if tcb.delayed_acks is not None:
        ack_sent(tcb)
        if payload:
            data_sent(tcb, now)
    tcb.ack_wanted = False
    tcb.ack_pending = 0
    tcb.deadlines[DELACK] = NEVER
    ack = tcb.last_ack_sent = tcb.rcv_nxt
    window, scale = tcb.rcv_wnd, tcb.rcv_wscale
    if scale:
        window = window >> scale if not window & (1 << scale) - 1 else _scaled_window(tcb)
    segment = Segment(tcb.four_tuple, seq, ack, flags, window if window < MAX_WINDOW else MAX_WINDOW, payload)
    if tcb.with_options or tcb.reassembly is not None:
        _add_options(tcb, segment, now)
    ctx.counters.TcpOutSegs += 1
    ctx.actions.append(_new(Transmit, (segment, tcb.id, ctx.in_timer)))


def _add_options(tcb: Tcb, segment: Segment, now: int) -> None:
    """Add timestamps, SACK blocks and ECN bits, and last the MAC, which covers them."""
    config = tcb.config
    if tcb.ts_ok:
        segment.options = Options(ts_val=tcb.ctx.ts_clock(now, config), ts_ecr=tcb.ts_recent)
    if tcb.reassembly is not None and tcb.sack_ok:
        segment.options = with_sack(tcb, segment.options)
    if tcb.ecn is not None:
        mark(tcb, segment)
    if config.authentication_key is not None:
        sign(segment, config.authentication_key)


def _scaled_window(tcb: Tcb) -> int:
    """The window field: rounded up while there is room, since the right edge must not move back (RFC 7323 2.4)."""
    scale = tcb.rcv_wscale
    window = tcb.rcv_wnd >> scale
    free = tcb.rcv_space - (len(tcb.rcv_buffer) if tcb.rcv_buffer else 0)
    if window << scale < free and window < MAX_WINDOW:
        window += 1
        tcb.rcv_wnd = window << scale
    return window


def open_window(tcb: Tcb) -> None:
    """Advance the window's right edge as far as the buffer allows: never back, never by little (3.8.6.2.2)."""
    space = tcb.rcv_space
    free = space - (len(tcb.rcv_buffer) if tcb.rcv_buffer else 0)
    if tcb.config.receive_window == "buffer":
        if free > tcb.rcv_wnd and free >= min(space // 4, tcb.snd_mss):
            tcb.rcv_wnd = free
        return
    free = min(free, MAX_WINDOW << tcb.rcv_wscale)
    if free - tcb.rcv_wnd >= min(space // 2, tcb.snd_mss):
        tcb.rcv_wnd = free


def round_buffer(tcb: Tcb, mss: int) -> None:
    """Round the receive buffer up to whole segments of ``mss`` bytes (sys/netinet/tcp_input.c, tcp_mss)."""
    if tcb.rcv_space > mss:
        tcb.rcv_space = -(-tcb.rcv_space // mss) * mss
    if tcb.config.receive_window == "buffer":
        tcb.rcv_wnd = tcb.rcv_space


def window_update_due(tcb: Tcb) -> bool:
    """Whether the user has read enough data that a window update is sent."""
    free = min(tcb.rcv_space - (len(tcb.rcv_buffer) if tcb.rcv_buffer else 0), MAX_WINDOW << tcb.rcv_wscale)
    if tcb.config.window_update == "doubled":
        return free >= 2 * tcb.rcv_wnd
    return free - tcb.rcv_wnd >= min(tcb.rcv_space // 2, 2 * tcb.config.mss)


def send_ack(tcb: Tcb, now: int) -> None:
    """``<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>``; some hosts send their unacknowledged FIN with each ACK."""
    if tcb.fin_seq >= 0 and tcb.config.fin_on_every_ack and tcb.state in FIN_UNACKNOWLEDGED:
        return transmit(tcb, now, ACK | FIN, tcb.fin_seq)
    return transmit(tcb, now, ACK, tcb.snd_nxt)


@lru_cache(maxsize=64)
def syn_options(mss: int | None, wscale: int | None, sack: bool) -> Options:
    """The options of a SYN without timestamps: equal SYNs share an object, since a sent segment never changes."""
    return Options(mss=mss, wscale=wscale, sack_permitted=sack)


def send_syn(tcb: Tcb, now: int, data: bytes = b"", cookie: bytes | None = None) -> None:
    """Send a SYN, or in SYN-RECEIVED a SYN,ACK, always with ISS. ``data`` and ``cookie`` belong to Fast Open."""
    ctx, config = tcb.ctx, tcb.config
    if tcb.state is not SYN_SENT:
        flags = SYN_ACK if tcb.ecn is None else SYN_ACK | ECE
        ack = tcb.last_ack_sent = tcb.rcv_nxt
        wscale, sack, stamps = config.window_scale if tcb.scaling else None, tcb.sack_ok, tcb.ts_ok
    else:
        flags = SYN if config.ecn != "request" else SYN | offered(tcb)
        ack = 0
        wscale, sack, stamps = config.window_scale, config.sack, config.timestamps
        if config.syn_drop_options_after is not None and tcb.transmissions > 1 + config.syn_drop_options_after:
            wscale, sack, stamps = None, False, False
    mss = config.mss if config.announce_mss else None
    if stamps:
        options = Options(mss, wscale, sack, ctx.ts_clock(now, config), tcb.ts_recent)
    else:
        options = syn_options(mss, wscale, sack)
    window = tcb.rcv_wnd if tcb.rcv_wnd < MAX_WINDOW else MAX_WINDOW  # never scaled on a SYN: RFC 7323 2.2
    if tcb.snd_nxt == tcb.iss:
        tcb.snd_nxt = (tcb.iss + 1) & MASK
    tcb.sent_at = now
    ctx.counters.TcpOutSegs += 1
    if cookie is not None:
        options = replace(options, cookie=cookie)
    segment = Segment(tcb.four_tuple, tcb.iss, ack, flags, window, data, options)
    if config.authentication_key is not None:
        sign(segment, config.authentication_key)
    ctx.actions.append(_new(Transmit, (segment, tcb.id, ctx.in_timer)))


def reset_for(segment: Segment) -> Segment | None:
    """The RST that answers a segment for which there is no connection (3.10.7.1); None if it is a RST itself."""
    if segment.flags & RST:
        return None
    flow = segment.flow.reverse()
    if segment.flags & ACK:
        return Segment(flow, segment.ack, 0, RST, 0)
    return Segment(flow, 0, (segment.seq + segment.length) & MASK, RST | ACK, 0)


def send_reset_for(ctx: HostContext[Tcb], segment: Segment, tcb: Tcb | None = None) -> None:
    """Answer ``segment`` with a RST, unless it is one. The key of ``tcb``, if given, signs it."""
    reset = reset_for(segment)
    if reset is not None:
        if tcb is not None and tcb.config.authentication_key is not None:
            sign(reset, tcb.config.authentication_key)
        ctx.counters.TcpOutRsts += 1
        ctx.counters.TcpOutSegs += 1
        ctx.actions.append(Transmit(reset, tcb.id if tcb is not None else 0, False))


def send_abort(tcb: Tcb, now: int) -> None:
    """``<SEQ=SND.NXT><CTL=RST>`` (3.10.5), or with ACK, as real hosts send it."""
    ctx = tcb.ctx
    ctx.counters.TcpOutRsts += 1
    ctx.counters.TcpOutSegs += 1
    if tcb.config.abort_rst_ack:
        reset = Segment(tcb.four_tuple, tcb.snd_nxt, tcb.rcv_nxt, RST | ACK, 0)
    else:
        reset = Segment(tcb.four_tuple, tcb.snd_nxt, 0, RST, 0)
    if tcb.ts_ok and tcb.config.abort_rst_timestamps:
        reset.options = Options(ts_val=ctx.ts_clock(now, tcb.config), ts_ecr=tcb.ts_recent)
    if tcb.config.authentication_key is not None:
        sign(reset, tcb.config.authentication_key)
    ctx.actions.append(Transmit(reset, tcb.id, ctx.in_timer))


def may_send_data(tcb: Tcb) -> bool:
    """Whether new data may be sent: from ESTABLISHED on, or earlier by a server that took data on a SYN (RFC 7413)."""
    return tcb.state in SENDING or (
        tcb.state is SYN_RECEIVED and tcb.listener is not None and tcb in tcb.listener.fast_open_pending
    )


def output(tcb: Tcb, now: int, *, more: bool = False) -> None:
    """Send what may be sent now, and the ACK that is due, without data if no segment carries it.

    ``more``: the user will send more soon, so that a segment of less than full size waits for it (MSG_MORE).
    """
    if tcb.snd_buffer or tcb.close_called:
        if tcb.queue and tcb.backoff == 0:
            congestion = tcb.congestion
            if tcb.queue[0].lost if congestion is None else congestion.after_timeout and not congestion.frto_probing:
                retransmit_lost(tcb, now)
        if tcb.fin_seq < 0 and may_send_data(tcb):
            if tcb.snd_wnd and not tcb.snd_buffer:
                send_new(tcb, now, ACK | FIN, b"")  # no data is left to send before it
            else:
                _send_data(tcb, now, more=more)
    if tcb.ack_wanted:
        if tcb.fin_seq < 0:
            transmit(tcb, now, ACK, tcb.snd_nxt)
        else:
            send_ack(tcb, now)


def _send_data(tcb: Tcb, now: int, *, more: bool) -> None:
    """Send new data, then FIN, as far as the peer's and the congestion window allow (3.10.2, 3.8.6.2.1)."""
    if tcb.congestion is None or not tcb.queue:
        _begin_or_restart(tcb, now)
    first, window, congestion = tcb.snd_nxt, tcb.snd_wnd, tcb.congestion
    if congestion is not None and congestion.cwnd + congestion.extra_bytes < window:
        window = congestion.cwnd + congestion.extra_bytes
    mss = tcb.snd_mss if tcb.reassembly is None else max(1, tcb.snd_mss - sack_bytes(tcb))
    _segmentize(tcb, now, mss, window, more=more)
    if congestion is not None:
        if tcb.snd_nxt != first:
            congestion.last_sent_at = now
        if congestion.validate:
            congestion.validate_window(tcb.snd_una, tcb.snd_nxt, (tcb.snd_nxt - tcb.snd_una) & MASK)
    if tcb.send_times is not None:
        data, flight = len(tcb.snd_buffer or b""), (tcb.snd_nxt - tcb.snd_una) & MASK
        next_edge = flight + min(mss, data - flight)
        tcb.send_times.update(now, data=data > 0, rwnd_limited=data > flight and next_edge > tcb.snd_wnd == window)
    if tcb.snd_una == tcb.snd_nxt and tcb.deadlines[PERSIST] == NEVER and (tcb.snd_buffer or tcb.close_called):
        tcb.arm(PERSIST, now, tcb.rto)  # a closed window, or data that waits for more: the persist timer sends it


def _begin_or_restart(tcb: Tcb, now: int) -> None:
    """The congestion window of the first data (RFC 6928 2), or of the first after a period without data in flight."""
    config, congestion = tcb.config, tcb.congestion
    if congestion is not None:
        congestion.restart_after_idle(config.idle_restart, config.initial_window * tcb.snd_mss, tcb.rto, now)
    elif tcb.snd_buffer and config.congestion != "none":
        lost = tcb.transmissions > 1  # one segment if the SYN was retransmitted (RFC 5681 3.1)
        if config.initial_window_after_loss == "two-retransmissions":
            lost = tcb.transmissions > 2 and tcb.listener is None
        tcb.congestion = begin(config, tcb.snd_mss, lost=lost)


def _segmentize(tcb: Tcb, now: int, mss: int, window: int, *, more: bool) -> None:
    """Send segments of at most ``mss`` bytes until ``window`` bytes are in flight or the rest must wait.

    ``flight`` counts the data in flight, where the sequence number of a SYN that is unacknowledged does not count.
    """
    buffer, records = tcb.snd_buffer if tcb.snd_buffer is not None else b"", tcb.record_ends
    burst = _burst_ends(tcb, window, mss) if tcb.config.min_tso_segs is not None else None
    while tcb.fin_seq < 0:
        flight = ((tcb.snd_nxt - tcb.snd_una) & MASK) - (1 if tcb.snd_una == tcb.iss else 0)
        unsent = len(buffer) - flight
        size = unsent if unsent < mss else mss
        if size > window - flight:
            size = window - flight
        record = False  # whether a record ends with this segment, and another one follows
        if records and size > 0:
            size, record = within_record(records, tcb.snd_nxt, size, (tcb.snd_nxt + unsent) & MASK)
        last = size == unsent
        fin = tcb.close_called and last and flight + size < window
        if size < 0 or (size == 0 and not fin):
            return
        if size < mss and not (fin or record) and (more or not _may_send_small(tcb, size, flight, last=last)):
            return
        flags = ACK | (PSH if size and (last or record) else 0) | (FIN if fin else 0)
        push = PSH if burst is not None and next(burst, False) else 0
        if record and burst is not None:
            burst = _burst_ends(tcb, window - size, mss)
        send_new(tcb, now, flags, bytes(buffer[flight : flight + size]) if size else b"", push=push)


def _may_send_small(tcb: Tcb, size: int, flight: int, *, last: bool) -> bool:
    """Whether a segment of less than full size may be sent.

    The last data of the buffer waits while TCP_CORK is set, and by Nagle's rule while data is in flight (3.7.4); with
    Minshall's variant of it, while a segment of less than full size is in flight. A segment that the window limits must
    have half of the largest window that the peer has offered: the sender's silly window syndrome avoidance (3.8.6.2.1).
    """
    if last:
        if tcb.config.cork:
            return False
        return flight == 0 or tcb.nodelay or (tcb.config.nagle_minshall and not _small_in_flight(tcb))
    return size >= tcb.max_snd_wnd // 2


def _small_in_flight(tcb: Tcb) -> bool:
    """Whether a segment of less than full size is unacknowledged: Minshall's variant of Nagle's rule."""
    return any(sent.length < tcb.snd_mss for sent in tcb.queue)


def _burst_ends(tcb: Tcb, window: int, mss: int) -> Iterator[bool] | None:
    """Which of the segments to be sent now end a TSO burst and so carry PSH; None for fewer than two segments."""
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    unsent = len(tcb.snd_buffer or b"") - flight
    room = window - flight
    count = -(-unsent // mss) if unsent <= room else room // mss
    if count < 2:
        return None
    rate = tcb.congestion.cwnd if tcb.congestion is not None else window
    threshold = tcb.congestion.ssthresh if tcb.congestion is not None else UNLIMITED
    minimum = tcb.config.min_tso_segs or 1
    return burst_ends(count, burst_size(minimum, mss, rate, threshold, tcb.rtt.srtt if tcb.rtt is not None else None))


def send_one_segment(tcb: Tcb, now: int) -> bool:
    """Send one segment of new data whatever Nagle's rule and the congestion window say. False if there is none."""
    buffer = tcb.snd_buffer
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    if not buffer or tcb.fin_seq >= 0 or flight >= len(buffer) or flight >= tcb.snd_wnd:
        return False
    size = min(len(buffer) - flight, tcb.snd_mss, tcb.snd_wnd - flight)
    last = flight + size == len(buffer)
    fin = tcb.close_called and last and flight + size < tcb.snd_wnd
    send_new(tcb, now, ACK | (PSH if last else 0) | (FIN if fin else 0), bytes(buffer[flight : flight + size]))
    return True


def send_new(tcb: Tcb, now: int, flags: int, payload: bytes, *, push: int = 0) -> None:
    """Send new data or FIN at SND.NXT and queue it; ``push`` is PSH for this transmission only."""
    seq = tcb.snd_nxt
    length = len(payload)
    if flags & FIN:
        tcb.fin_seq = (seq + length) & MASK
        length += 1
    queue = tcb.queue
    if queue is NO_SEGMENTS:
        queue = tcb.queue = deque()
    if not queue:
        tcb.arm(REXMT, now, tcb.rto)
        tcb.deadlines[PERSIST] = NEVER
        timeout = tcb.config.ns.user_timeout
        if timeout is not None:
            tcb.arm(USER, now, timeout)
    queue.append(Sent(seq, length, flags, now))
    if push:
        queue[-1].ends_burst = True
    if tcb.config.tail_loss_probe:
        arm_loss_probe(tcb, now, queue[0].sent_at + tcb.rto)
    tcb.snd_nxt = (seq + length) & MASK
    transmit(tcb, now, flags | push, seq, payload)


def retransmit_segments(tcb: Tcb, chosen: list[Sent], now: int) -> None:
    """Retransmit queued segments. Those of one TSO burst that follow each other are one burst again, with PSH last."""
    joined = [
        one.sent_at == other.sent_at and not one.ends_burst and (one.seq + one.length) & MASK == other.seq
        for one, other in pairwise(chosen)
    ]
    for sent, before, after in zip(chosen, [False, *joined], [*joined, False], strict=False):
        ends = before and not after and tcb.config.min_tso_segs is not None
        retransmit(tcb, sent, now, push=PSH if ends else 0)


def retransmit(tcb: Tcb, sent: Sent, now: int, *, push: int = 0) -> None:
    """Retransmit a queued segment, with the current acknowledgment and window."""
    sent.transmissions += 1
    sent.sent_at = now
    sent.lost = False
    if tcb.deadlines[PROBE] != NEVER:
        tcb.deadlines[PROBE] = NEVER
        tcb.arm(REXMT, now, tcb.rto)
    tcb.ctx.counters.TcpRetransSegs += 1
    if tcb.congestion is not None and tcb.congestion.undo is not None:
        tcb.congestion.undo.segment_retransmitted(tcb.ctx.ts_clock(now, tcb.config) if tcb.ts_ok else None)
    transmit(tcb, now, sent.flags | push, sent.seq, payload_of(tcb, sent))


def retransmit_lost(tcb: Tcb, now: int) -> None:
    """After a timeout: retransmit lost segments while less than the congestion window is in flight."""
    congestion = tcb.congestion
    room = MAX_WINDOW << 14
    if congestion is not None:
        room = congestion.cwnd - sum(sent.length for sent in tcb.queue if not (sent.lost or sent.sacked))
        if not tcb.sack_ok:
            room += congestion.duplicate_acks * tcb.snd_mss  # each reports a segment that was delivered
    chosen = []
    for sent in tcb.queue:
        if sent.lost:
            room -= sent.length
            if room < 0:
                break
            chosen.append(sent)
    retransmit_segments(tcb, chosen, now)
