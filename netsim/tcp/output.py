"""Building and sending segments: what goes out, with which window, acknowledgment and options."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from netsim.tcp.actions import Transmit
from netsim.tcp.host_context import HostContext
from netsim.tcp.recovery.bursts import piece, pushes
from netsim.tcp.recovery.chrono import within_record
from netsim.tcp.recovery.congestion import UNLIMITED, begin
from netsim.tcp.recovery.delayed_ack import acknowledged, answered
from netsim.tcp.recovery.ecn import mark, offered
from netsim.tcp.recovery.queue import Sent, payload_of, start_loss_probe
from netsim.tcp.recovery.sack import sack_bytes, with_sack
from netsim.tcp.segment import ACK, ECE, FIN, PSH, RST, SYN, SYN_ACK, Options, Segment
from netsim.tcp.segment_arrives.authentication import sign
from netsim.tcp.seq import MASK
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
    if tcb.ack_clock is not None:
        acknowledged(tcb)
        if payload:
            answered(tcb, now)
    tcb.ack_wanted = False
    tcb.ack_pending = 0
    tcb.deadlines[DELACK] = NEVER
    ack = tcb.last_ack_sent = tcb.rcv_nxt
    window, scale = tcb.rcv_wnd, tcb.rcv_wscale
    if scale:
        window = window >> scale if not window & (1 << scale) - 1 else _scaled_window(tcb)
    segment = Segment(tcb.flow, seq, ack, flags, window if window < MAX_WINDOW else MAX_WINDOW, payload)
    if tcb.with_options or tcb.reassembly is not None:
        _add_options(tcb, segment, now)
    ctx.counters.TcpOutSegs += 1
    ctx.actions.append(_new(Transmit, (segment, tcb.id, ctx.in_timer)))


def _add_options(tcb: Tcb, segment: Segment, now: int) -> None:
    """Timestamps, SACK blocks, ECN's marks, and last of all the MAC over them."""
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
    """Move the window's right edge to where the buffer allows; never back, never by silly steps (3.8.6.2.2)."""
    room = tcb.rcv_space
    free = room - (len(tcb.rcv_buffer) if tcb.rcv_buffer else 0)
    if tcb.config.receive_window == "buffer":
        if free > tcb.rcv_wnd and free >= min(room // 4, tcb.snd_mss):
            tcb.rcv_wnd = free
        return
    free = min(free, MAX_WINDOW << tcb.rcv_wscale)
    if free - tcb.rcv_wnd >= min(room // 2, tcb.snd_mss):
        tcb.rcv_wnd = free


def round_buffer(tcb: Tcb, mss: int) -> None:
    """Room for whole segments of ``mss`` bytes (sys/netinet/tcp_input.c, tcp_mss)."""
    if tcb.rcv_space > mss:
        tcb.rcv_space = -(-tcb.rcv_space // mss) * mss
    if tcb.config.receive_window == "buffer":
        tcb.rcv_wnd = tcb.rcv_space


def window_update_due(tcb: Tcb) -> bool:
    """Whether the user has taken so much that the sender should hear of it."""
    free = min(tcb.rcv_space - (len(tcb.rcv_buffer) if tcb.rcv_buffer else 0), MAX_WINDOW << tcb.rcv_wscale)
    if tcb.config.window_update == "doubled":
        return free >= 2 * tcb.rcv_wnd
    return free - tcb.rcv_wnd >= min(tcb.rcv_space // 2, 2 * tcb.config.mss)


def send_ack(tcb: Tcb, now: int) -> None:
    """``<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>``, or our FIN again where hosts do so."""
    if tcb.fin_seq >= 0 and tcb.config.fin_on_every_ack and tcb.state in FIN_UNACKNOWLEDGED:
        return transmit(tcb, now, ACK | FIN, tcb.fin_seq)
    return transmit(tcb, now, ACK, tcb.snd_nxt)


@lru_cache(maxsize=64)
def syn_options(mss: int | None, wscale: int | None, sack: bool) -> Options:
    """The options of a SYN without timestamps: one object for all SYNs alike, since nobody changes what was sent."""
    return Options(mss=mss, wscale=wscale, sack_permitted=sack)


def send_syn(tcb: Tcb, now: int, data: bytes = b"", cookie: bytes | None = None) -> None:
    """A SYN, or in SYN-RECEIVED a SYN,ACK; the same number each time. ``data`` and ``cookie`` are Fast Open's."""
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
    segment = Segment(tcb.flow, tcb.iss, ack, flags, window, data, options)
    if config.authentication_key is not None:
        sign(segment, config.authentication_key)
    ctx.actions.append(_new(Transmit, (segment, tcb.id, ctx.in_timer)))


def reset_for(segment: Segment) -> Segment | None:
    """The RST that answers a segment no connection wants (3.10.7.1); None for a RST."""
    if segment.flags & RST:
        return None
    flow = segment.flow.reverse()
    if segment.flags & ACK:
        return Segment(flow, segment.ack, 0, RST, 0)
    return Segment(flow, 0, (segment.seq + segment.length) & MASK, RST | ACK, 0)


def send_reset_for(ctx: HostContext[Tcb], segment: Segment, tcb: Tcb | None = None) -> None:
    """Answer ``segment`` with a RST, unless it is one; with no connection, ``tcb``, there is no key to sign it."""
    reset = reset_for(segment)
    if reset is not None:
        if tcb is not None and tcb.config.authentication_key is not None:
            sign(reset, tcb.config.authentication_key)
        ctx.counters.TcpOutRsts += 1
        ctx.counters.TcpOutSegs += 1
        ctx.actions.append(Transmit(reset, tcb.id if tcb is not None else 0, False))


def send_abort(tcb: Tcb, now: int) -> None:
    """``<SEQ=SND.NXT><CTL=RST>`` (3.10.5), or with ACK as real hosts have it."""
    ctx = tcb.ctx
    ctx.counters.TcpOutRsts += 1
    ctx.counters.TcpOutSegs += 1
    if tcb.config.abort_rst_ack:
        reset = Segment(tcb.flow, tcb.snd_nxt, tcb.rcv_nxt, RST | ACK, 0)
    else:
        reset = Segment(tcb.flow, tcb.snd_nxt, 0, RST, 0)
    if tcb.ts_ok and tcb.config.abort_rst_timestamps:
        reset.options = Options(ts_val=ctx.ts_clock(now, tcb.config), ts_ecr=tcb.ts_recent)
    if tcb.config.authentication_key is not None:
        sign(reset, tcb.config.authentication_key)
    ctx.actions.append(Transmit(reset, tcb.id, ctx.in_timer))


def may_speak(tcb: Tcb) -> bool:
    """Whether new text may be sent: from ESTABLISHED on, or earlier by a server that took text on a SYN (RFC 7413)."""
    return tcb.state in SENDING or (
        tcb.state is SYN_RECEIVED and tcb.listener is not None and tcb in tcb.listener.early
    )


def output(tcb: Tcb, now: int, *, more: bool = False) -> None:
    """Send what may be sent now, and the ACK that is owed, alone if nothing carried it.

    ``more``: the user is about to send more, so that a segment of less than full size waits for it (MSG_MORE).
    """
    if tcb.snd_buffer or tcb.close_called:
        if tcb.queue and tcb.backoff == 0:
            congestion = tcb.congestion
            if tcb.queue[0].lost if congestion is None else congestion.after_timeout and not congestion.trying:
                repair(tcb, now)
        if tcb.fin_seq < 0 and may_speak(tcb):
            if tcb.snd_wnd and not tcb.snd_buffer:
                send_new(tcb, now, ACK | FIN, b"")  # no text is left to go before it
            else:
                _send_text(tcb, now, more=more)
    if tcb.ack_wanted:
        if tcb.fin_seq < 0:
            transmit(tcb, now, ACK, tcb.snd_nxt)
        else:
            send_ack(tcb, now)


def _send_text(tcb: Tcb, now: int, *, more: bool) -> None:
    """Segmentize and send new text, then FIN, as far as both windows and Nagle's rule allow (3.10.2, 3.8.6.2.1)."""
    buffer = tcb.snd_buffer if tcb.snd_buffer is not None else b""
    if buffer and tcb.congestion is None and tcb.config.congestion != "none":
        # RFC 6928 2; one segment if the SYN had to be repeated (RFC 5681 3.1).
        lost = tcb.transmissions > 1
        if tcb.config.initial_window_after_loss == "two-retransmissions":
            lost = tcb.transmissions > 2 and tcb.listener is None
        tcb.congestion = begin(tcb.config, tcb.snd_mss, lost=lost)
    elif not tcb.queue and tcb.congestion is not None:
        initial = tcb.config.initial_window * tcb.snd_mss
        tcb.congestion.restart(tcb.config.idle_restart, initial, tcb.rto, now)
    first = tcb.snd_nxt
    mss = tcb.snd_mss if tcb.reassembly is None else max(1, tcb.snd_mss - sack_bytes(tcb))
    window, congestion = tcb.snd_wnd, tcb.congestion
    if congestion is not None and congestion.cwnd + congestion.beyond < window:
        window = congestion.cwnd + congestion.beyond
    burst = _pushed(tcb, window, mss) if tcb.config.min_tso_segs is not None else None
    records = tcb.chrono.records if tcb.chrono is not None else None
    while tcb.fin_seq < 0:
        flight = ((tcb.snd_nxt - tcb.snd_una) & MASK) - (1 if tcb.snd_una == tcb.iss else 0)
        unsent = len(buffer) - flight
        size = unsent if unsent < mss else mss
        if size > window - flight:
            size = window - flight
        record = False
        if records and size > 0:
            size, record = within_record(records, tcb.snd_nxt, size, (tcb.snd_nxt + unsent) & MASK)
        last = size == unsent
        fin = tcb.close_called and last and flight + size < window
        if size < 0 or (size == 0 and not fin):
            break
        small = size < mss and not fin and not record
        if small and (more or not _small_segment_allowed(tcb, size, flight, last=last)):
            break
        flags = ACK | (PSH if size and (last or record) else 0) | (FIN if fin else 0)
        push = PSH if burst is not None and next(burst, False) else 0
        if record and burst is not None:
            burst = _pushed(tcb, window - size, mss)
        send_new(tcb, now, flags, bytes(buffer[flight : flight + size]) if size else b"", push=push)
    if congestion is not None:
        if tcb.snd_nxt != first:
            congestion.sent_at = now
        if congestion.validate:
            congestion.sent(tcb.snd_una, tcb.snd_nxt, (tcb.snd_nxt - tcb.snd_una) & MASK)
    if tcb.chrono is not None:
        flight = (tcb.snd_nxt - tcb.snd_una) & MASK
        held_back = flight + min(mss, len(buffer) - flight) > tcb.snd_wnd == window
        tcb.chrono.update(now, text=bool(buffer), held_back=held_back and len(buffer) > flight)
    if tcb.snd_una == tcb.snd_nxt and (buffer or tcb.close_called) and tcb.deadlines[PERSIST] == NEVER:
        tcb.arm(PERSIST, now, tcb.rto)


def _pushed(tcb: Tcb, window: int, mss: int) -> Iterator[bool] | None:
    """Which of the segments that go out now carry PSH by ``min_tso_segs``; None if fewer than two do."""
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    unsent = len(tcb.snd_buffer or b"") - flight
    room = window - flight
    count = -(-unsent // mss) if unsent <= room else room // mss
    if count < 2:
        return None
    rate = tcb.congestion.cwnd if tcb.congestion is not None else window
    threshold = tcb.congestion.ssthresh if tcb.congestion is not None else UNLIMITED
    least = tcb.config.min_tso_segs or 1
    return pushes(count, piece(least, mss, rate, threshold, tcb.rtt.srtt if tcb.rtt is not None else None))


def send_one_more(tcb: Tcb, now: int) -> bool:
    """Send one segment of new text whatever Nagle's rule and the congestion window say; False if there is none."""
    buffer = tcb.snd_buffer
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    if not buffer or tcb.fin_seq >= 0 or flight >= len(buffer) or flight >= tcb.snd_wnd:
        return False
    size = min(len(buffer) - flight, tcb.snd_mss, tcb.snd_wnd - flight)
    last = flight + size == len(buffer)
    fin = tcb.close_called and last and flight + size < tcb.snd_wnd
    send_new(tcb, now, ACK | (PSH if last else 0) | (FIN if fin else 0), bytes(buffer[flight : flight + size]))
    return True


def _small_segment_allowed(tcb: Tcb, size: int, flight: int, *, last: bool) -> bool:
    """The sender's silly window avoidance with Nagle's rule (3.8.6.2.1, 3.7.4)."""
    if last:
        if tcb.config.cork:
            return False
        return flight == 0 or tcb.nodelay or (tcb.config.nagle_minshall and not _small_outstanding(tcb))
    return size >= tcb.max_snd_wnd // 2


def _small_outstanding(tcb: Tcb) -> bool:
    """Whether a segment of less than full size is unacknowledged: Minshall's reading of Nagle's rule."""
    return any(sent.length < tcb.snd_mss for sent in tcb.queue)


def send_new(tcb: Tcb, now: int, flags: int, payload: bytes, *, push: int = 0) -> None:
    """Send new text or FIN at SND.NXT and put it on the retransmission queue; ``push`` is PSH for this time only."""
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
        queue[-1].ends_piece = True
    if tcb.config.tail_loss_probe:
        start_loss_probe(tcb, now, queue[0].sent_at + tcb.rto)
    tcb.snd_nxt = (seq + length) & MASK
    transmit(tcb, now, flags | push, seq, payload)


def resend(tcb: Tcb, chosen: list[Sent], now: int) -> None:
    """Send segments of the queue again; those of one piece that follow each other go as one, whose last carries PSH."""
    joined = [
        one.sent_at == other.sent_at and not one.ends_piece and (one.seq + one.length) & MASK == other.seq
        for one, other in pairwise(chosen)
    ]
    for sent, before, after in zip(chosen, [False, *joined], [*joined, False], strict=False):
        whole = before and not after and tcb.config.min_tso_segs is not None
        retransmit(tcb, sent, now, push=PSH if whole else 0)


def retransmit(tcb: Tcb, sent: Sent, now: int, *, push: int = 0) -> None:
    """Send a segment of the queue again, with today's acknowledgment and window."""
    sent.transmissions += 1
    sent.sent_at = now
    sent.lost = False
    if tcb.deadlines[PROBE] != NEVER:
        tcb.deadlines[PROBE] = NEVER
        tcb.arm(REXMT, now, tcb.rto)
    tcb.ctx.counters.TcpRetransSegs += 1
    if tcb.congestion is not None and tcb.congestion.undo is not None:
        tcb.congestion.undo.sent_again(tcb.ctx.ts_clock(now, tcb.config) if tcb.ts_ok else None)
    transmit(tcb, now, sent.flags | push, sent.seq, payload_of(tcb, sent))


def repair(tcb: Tcb, now: int) -> None:
    """After a time-out: send what was lost again, while less than the congestion window is on its way."""
    congestion = tcb.congestion
    room = MAX_WINDOW << 14
    if congestion is not None:
        room = congestion.cwnd - sum(sent.length for sent in tcb.queue if not (sent.lost or sent.sacked))
        if not tcb.sack_ok:
            room += congestion.duplicates * tcb.snd_mss  # each tells of one that has arrived
    chosen = []
    for sent in tcb.queue:
        if sent.lost:
            room -= sent.length
            if room < 0:
                break
            chosen.append(sent)
    resend(tcb, chosen, now)
