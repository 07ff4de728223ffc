"""Undoing a reduction of the windows that was spurious (net/ipv4/tcp_input.c, tcp_try_undo_recovery, tcp_process_loss).

Loss recovery was spurious if an ACK echoes a timestamp from before the first retransmission (Eifel, RFC 3522 and 4015),
if the peer reports every retransmitted segment as a duplicate (D-SACK, RFC 3708), or, after a timeout, if an ACK covers
data that was transmitted only once (F-RTO, RFC 5682 3.1). Then the windows are what they were before.
"""

from netsim.tcp.segment import HALF, MASK, Segment
from netsim.tcp.tcb import Tcb


def check_undo(tcb: Tcb, segment: Segment, una: int, *, original: bool) -> None:
    """``segment`` has advanced SND.UNA from ``una`` in loss recovery, or after one that may yet prove spurious.

    ``original``: it acknowledged a segment that was transmitted only once.
    """
    congestion = tcb.congestion
    assert congestion is not None
    if tcb.sack_ok and segment.options is not None and segment.options.sack:
        dsack_arrives(tcb, segment, una)
    if not congestion.recovering:
        return
    counters, undo = tcb.ctx.counters, congestion.undo
    recovered = (tcb.snd_una - congestion.recover) & MASK < HALF
    options = segment.options
    delayed = undo is not None and options is not None and undo.echo_predates_retransmission(options.ts_ecr)
    spurious = delayed or (undo is not None and undo.retransmitted == 0)
    if congestion.after_timeout:
        if spurious:
            counters.TcpExtTCPLossUndo += 1
            undo_reduction(tcb)
        elif congestion.frto:
            _forward_rto(tcb, original=original, recovered=recovered)
    elif spurious and recovered:
        counters.TcpExtTCPFullUndo += 1
        undo_reduction(tcb)
    elif delayed and not any(sent.transmissions > 1 and not sent.sacked and not sent.lost for sent in tcb.queue):
        counters.TcpExtTCPPartialUndo += 1
        undo_reduction(tcb)
    if recovered and congestion.rack is not None:
        congestion.rack.recovery_ends()


def original_sacked(tcb: Tcb) -> None:
    """The peer selectively acknowledges a segment that was transmitted only once (RFC 5682 3.1, step 3.b)."""
    congestion = tcb.congestion
    if congestion is not None and congestion.after_timeout and congestion.frto:
        tcb.ctx.counters.TcpExtTCPSpuriousRTOs += 1
        undo_reduction(tcb)


def dsack_arrives(tcb: Tcb, segment: Segment, una: int) -> None:
    """Process the D-SACK of ``segment``, if it has one: a first block below its ACK or in the second (RFC 2883 4).

    SND.UNA was ``una`` before ``segment``.
    """
    congestion, blocks = tcb.congestion, segment.options.sack if segment.options is not None else ()
    if congestion is None or not blocks:
        return
    left, right = blocks[0]
    length = (right - left) & MASK
    below = 0 < (segment.ack - left) & MASK < HALF
    inside = len(blocks) > 1 and (left - blocks[1][0]) & MASK < HALF and (blocks[1][1] - right) & MASK < HALF
    if not (below or inside) or not 0 < length <= tcb.max_snd_wnd:
        return
    if congestion.rack is not None:
        congestion.rack.dsack_arrives(tcb.snd_una, tcb.snd_nxt)
    undo = congestion.undo
    if undo is None:
        return
    undo.dsack_arrives(right, una, -(-length // tcb.snd_mss))
    if undo.retransmitted == 0 and not congestion.recovering:
        tcb.ctx.counters.TcpExtTCPDSACKUndo += 1
        undo_reduction(tcb)


def undo_reduction(tcb: Tcb) -> None:
    """Restore the windows from before loss recovery; no segment is marked lost (tcp_undo_cwnd_reduction)."""
    congestion = tcb.congestion
    assert congestion is not None
    congestion.undo_reduction()
    if tcb.ecn is not None:
        tcb.ecn.send_cwr = False  # the window is not reduced after all: tcp_ecn_withdraw_cwr
    for sent in tcb.queue:
        sent.lost = False


def _forward_rto(tcb: Tcb, *, original: bool, recovered: bool) -> None:
    """F-RTO (RFC 5682 3.1): after the first ACK new data is sent (2.b), and the next ACK decides (3)."""
    congestion = tcb.congestion
    assert congestion is not None
    if original:
        tcb.ctx.counters.TcpExtTCPSpuriousRTOs += 1
        return undo_reduction(tcb)
    sent_new = 0 < (tcb.snd_nxt - congestion.recover) & MASK < HALF
    congestion.frto_probing = False
    congestion.extra_bytes = 0
    if sent_new or recovered:
        return None
    congestion.recover = tcb.snd_nxt
    flight = (tcb.snd_nxt - tcb.snd_una) & MASK
    if len(tcb.snd_buffer or b"") > flight and tcb.snd_wnd > flight:
        congestion.frto_probing = True
        congestion.extra_bytes = sum(sent.length for sent in tcb.queue if sent.sacked or sent.lost)
    else:
        congestion.frto = False
    return None
