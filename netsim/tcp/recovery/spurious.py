"""Repairs that were for nothing, and their end (net/ipv4/tcp_input.c, tcp_try_undo_recovery, tcp_process_loss).

A repair was spurious if an ACK echoes a timestamp from before the first segment was sent again (Eifel, RFC 3522), if
the peer reports each segment that was sent again as one it had (D-SACK, RFC 3708), or, after a time-out, if something
is acknowledged that was sent only once (F-RTO, RFC 5682 3.1).
"""

from netsim.tcp.recovery.congestion import NewReno
from netsim.tcp.segment import Segment
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import Tcb


def settle(tcb: Tcb, segment: Segment, una: int, *, original: bool) -> None:
    """SND.UNA has moved on from ``una``, during a repair or after one that may yet prove spurious.

    ``original``: what was acknowledged includes a segment sent only once.
    """
    congestion = tcb.congestion
    assert congestion is not None
    if tcb.sack_ok and segment.options is not None and segment.options.sack:
        report_duplicate(tcb, segment, una)
    if not congestion.repairing:
        return
    counters, undo = tcb.ctx.counters, congestion.undo
    recovered = (tcb.snd_una - congestion.recover) & MASK < HALF
    options = segment.options
    delayed = undo is not None and options is not None and undo.echoes_the_original(options.ts_ecr)
    proven = delayed or (undo is not None and undo.again == 0)
    if congestion.after_timeout:
        if proven:
            counters.TcpExtTCPLossUndo += 1
            give_back(tcb, congestion)
        elif congestion.frto:
            _forward_rto(tcb, congestion, original=original, recovered=recovered)
    elif proven and recovered:
        counters.TcpExtTCPFullUndo += 1
        give_back(tcb, congestion)
    elif delayed and not any(sent.transmissions > 1 and not sent.sacked and not sent.lost for sent in tcb.queue):
        counters.TcpExtTCPPartialUndo += 1
        give_back(tcb, congestion)
    if recovered and congestion.rack is not None:
        congestion.rack.recovered()


def original_delivered(tcb: Tcb) -> None:
    """After a time-out, the peer selectively acknowledges what was sent only once (RFC 5682 3.1, step 3.b)."""
    congestion = tcb.congestion
    if congestion is not None and congestion.after_timeout and congestion.frto:
        tcb.ctx.counters.TcpExtTCPSpuriousRTOs += 1
        give_back(tcb, congestion)


def report_duplicate(tcb: Tcb, segment: Segment, una: int) -> None:
    """What D-SACK tells, if a segment carries one: a block below its ACK, or within the next block (RFC 2883 4).

    SND.UNA was ``una`` before it.
    """
    congestion, told = tcb.congestion, segment.options.sack if segment.options is not None else ()
    if congestion is None or not told:
        return
    left, right = told[0]
    length = (right - left) & MASK
    below = 0 < (segment.ack - left) & MASK < HALF
    inside = len(told) > 1 and (left - told[1][0]) & MASK < HALF and (told[1][1] - right) & MASK < HALF
    if not (below or inside) or not 0 < length <= tcb.max_snd_wnd:
        return
    if congestion.rack is not None:
        congestion.rack.duplicate_seen(tcb.snd_una, tcb.snd_nxt)
    undo = congestion.undo
    if undo is None:
        return
    undo.duplicate(right, una, -(-length // tcb.snd_mss))
    if undo.again == 0 and not congestion.repairing:
        tcb.ctx.counters.TcpExtTCPDSACKUndo += 1
        give_back(tcb, congestion)


def give_back(tcb: Tcb, congestion: NewReno) -> None:
    """The windows are what they were before the repair, and nothing counts as lost (tcp_undo_cwnd_reduction)."""
    congestion.restore()
    if tcb.ecn is not None:
        tcb.ecn.answer = False  # the window is not reduced after all: tcp_ecn_withdraw_cwr
    for sent in tcb.queue:
        sent.lost = False


def _forward_rto(tcb: Tcb, congestion: NewReno, *, original: bool, recovered: bool) -> None:
    """Step 2.b: the first ACK lets new text go out instead of lost; step 3: what is acknowledged then decides."""
    if original:
        tcb.ctx.counters.TcpExtTCPSpuriousRTOs += 1
        return give_back(tcb, congestion)
    sent_new = 0 < (tcb.snd_nxt - congestion.recover) & MASK < HALF
    congestion.trying = False
    congestion.beyond = 0
    if sent_new or recovered:
        return None
    congestion.recover = tcb.snd_nxt
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    if len(tcb.snd_buffer or b"") > flight and tcb.snd_wnd > flight:
        congestion.trying = True
        congestion.beyond = sum(sent.length for sent in tcb.queue if sent.sacked or sent.lost)
    else:
        congestion.frto = False
    return None
