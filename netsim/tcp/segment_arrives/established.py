"""Entering ESTABLISHED, from SYN-SENT or SYN-RECEIVED: the send window, the first RTT sample, the timers."""

from netsim.tcp.clauses import CLOSE
from netsim.tcp.connection import enter, signal
from netsim.tcp.output import TS_BYTES, round_buffer
from netsim.tcp.recovery.queue import acknowledge, resegment, restart_timers, update_rto
from netsim.tcp.segment import SYN, Segment
from netsim.tcp.segment_arrives.data import deliver_syn_data
from netsim.tcp.segment_arrives.options import echo_sample
from netsim.tcp.state import FIN_WAIT_1
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import KEEPALIVE, NEVER, REXMT, USER

_THREE_SECONDS = 3_000_000_000


def established(tcb: Tcb, segment: Segment, now: int) -> None:
    """``segment`` acknowledged our SYN: set SND.UNA and SND.WND, stop the SYN's timers, deliver data of the SYN."""
    config = tcb.config
    if tcb.queue:
        acknowledge(tcb, segment.ack, now)
    tcb.snd_una = segment.ack
    tcb.data_at = now
    # The window of a segment that is a SYN itself is never scaled (RFC 7323 2.2).
    window = segment.window if segment.flags & SYN else segment.window << tcb.snd_wscale
    tcb.snd_wnd = window
    if window > tcb.max_snd_wnd:
        tcb.max_snd_wnd = window
    tcb.snd_wl1, tcb.snd_wl2 = segment.seq, segment.ack
    deadlines = tcb.deadlines
    deadlines[REXMT] = deadlines[USER] = NEVER
    sample = echo_sample(tcb, segment, now) if tcb.ts_ok else None
    if sample is None and tcb.transmissions == 1 and tcb.syn_answered_at < 0:
        sample = now - tcb.sent_at  # Karn: only if our SYN was sent once
    if sample is not None:
        update_rto(tcb, sample)
    elif (
        config.ns.rto_after_syn_timeout is not None
        and config.ns.rto_initial < _THREE_SECONDS
        and (tcb.transmissions > 1 or config.rto_after_syn_timeout_rule == "no-rtt-sample")
    ):
        tcb.rto = config.ns.rto_after_syn_timeout  # RFC 6298 5.7
    if config.buffer_rounding and tcb.listener is not None:
        round_buffer(tcb, tcb.snd_mss + (TS_BYTES if tcb.ts_ok else 0))  # real hosts create the socket only now
    if tcb.keepalive:
        tcb.arm(KEEPALIVE, now, config.ns.keepalive_idle)
    if tcb.syn_data:
        deliver_syn_data(tcb, now)
    if tcb.close_called:
        enter(tcb, FIN_WAIT_1, CLOSE)  # CLOSE was called in SYN-RECEIVED with data to send
    if tcb.queue:
        _fast_open_data_remains(tcb, now)
    if tcb.owner is not None:
        signal(tcb)


def _fast_open_data_remains(tcb: Tcb, now: int) -> None:
    """Retransmit the Fast Open data of a client's SYN that the SYN-ACK did not acknowledge (RFC 7413 4.2.1)."""
    resegment(tcb, tcb.snd_mss)
    for sent in tcb.queue:
        sent.lost = tcb.listener is None
    restart_timers(tcb, now)
