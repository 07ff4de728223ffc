"""SEGMENT ARRIVES in SYN-SENT: RFC 9293 3.10.7.3."""

from netsim.tcp.clauses import (
    SYN_SENT_1_ACK,
    SYN_SENT_2_RST,
    SYN_SENT_4_SYN,
    SYN_SENT_5_NEITHER,
    SYNACK_FOREIGN_ECHO,
)
from netsim.tcp.connection import accepted, dropped, end, enter
from netsim.tcp.errors import ConnectionRefused
from netsim.tcp.listening.fast_open import store_cookie
from netsim.tcp.output import send_reset_for, send_syn
from netsim.tcp.recovery.ecn import negotiate_ecn
from netsim.tcp.segment import ACK, CWR, ECE, FIN, MASK, RST, SYN, Segment
from netsim.tcp.segment_arrives.authentication import authentic
from netsim.tcp.segment_arrives.data import check_7_segment_text, check_8_fin
from netsim.tcp.segment_arrives.established import established
from netsim.tcp.segment_arrives.options import echoes_our_syn, negotiate
from netsim.tcp.state import ESTABLISHED, SYN_RECEIVED
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import REXMT


def in_syn_sent(tcb: Tcb, segment: Segment, now: int) -> None:
    """The five steps of 3.10.7.3. The stack calls ``output`` afterwards, which sends the ACK of a SYN-ACK."""
    flags = segment.flags
    if tcb.with_options and not authentic(tcb, segment):
        return None
    # "First, check the ACK bit: ... If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset"
    if flags & ACK and not 0 < (segment.ack - tcb.iss) & MASK <= (tcb.snd_nxt - tcb.iss) & MASK:
        return _wrong_ack(tcb, segment, now)
    if flags & ACK and tcb.config.synack_echo_check and not echoes_our_syn(tcb, segment, now):
        tcb.ctx.counters.TcpExtPAWSActive += 1
        send_reset_for(tcb.ctx, segment, tcb)
        return dropped(tcb, segment, SYNACK_FOREIGN_ECHO)
    # "Second, check the RST bit: ... If the ACK was acceptable, then signal to the user 'error: connection reset'"
    if flags & RST:
        if not flags & ACK:
            return dropped(tcb, segment, SYN_SENT_2_RST)
        accepted(tcb, segment, "RST", SYN_SENT_2_RST)
        tcb.ctx.counters.TcpAttemptFails += 1
        return end(tcb, SYN_SENT_2_RST, ConnectionRefused())
    # "Third, check the security": segments have no security compartment here.
    # "Fifth, if neither of the SYN or RST bits is set, then drop the segment and return."
    if not flags & SYN:
        return dropped(tcb, segment, SYN_SENT_5_NEITHER)
    # "Fourth, check the SYN bit: ... RCV.NXT is set to SEG.SEQ+1, IRS is set to SEG.SEQ"
    _syn_arrives(tcb, segment, now)
    return _synack_arrives(tcb, segment, now) if flags & ACK else _simultaneous_open(tcb, segment, now)


def _wrong_ack(tcb: Tcb, segment: Segment, now: int) -> None:
    send_reset_for(tcb.ctx, segment, tcb)
    delay = tcb.config.ns.syn_rto_after_wrong_ack
    if delay is not None and tcb.transmissions == 1:
        tcb.arm(REXMT, now, delay)
    return dropped(tcb, segment, SYN_SENT_1_ACK)


def _syn_arrives(tcb: Tcb, segment: Segment, now: int) -> None:
    if tcb.ctx.tracing:
        accepted(tcb, segment, "SYN", SYN_SENT_4_SYN)
    tcb.irs = segment.seq
    tcb.rcv_nxt = (segment.seq + 1) & MASK
    negotiate(tcb, segment.options, now)
    if segment.flags & (ECE | CWR):
        negotiate_ecn(tcb, segment)
    tcb.snd_wnd = tcb.max_snd_wnd = segment.window
    tcb.snd_wl1, tcb.snd_wl2 = segment.seq, segment.ack


def _synack_arrives(tcb: Tcb, segment: Segment, now: int) -> None:
    """ "If SND.UNA > ISS (our SYN has been ACKed), change the connection state to ESTABLISHED" """
    tcb.ack_wanted = True
    if tcb.config.fast_open != "off":
        store_cookie(tcb, segment)
    enter(tcb, ESTABLISHED, SYN_SENT_4_SYN)
    established(tcb, segment, now)
    if segment.payload or segment.flags & FIN:
        start = (segment.seq + 1) & MASK
        check_7_segment_text(tcb, segment, start, now)
        check_8_fin(tcb, segment, start, now)


def _simultaneous_open(tcb: Tcb, segment: Segment, now: int) -> None:
    """ "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment ... and send it."

    Data and FIN on the SYN: "queue them for processing after the ESTABLISHED state has been reached".
    """
    enter(tcb, SYN_RECEIVED, SYN_SENT_4_SYN)
    if tcb.config.syn_data != "drop":
        tcb.syn_data = segment.payload
    if segment.flags & FIN:
        tcb.peer_fin = (segment.seq + 1 + len(segment.payload)) & MASK
    tcb.syn_answered_at = now
    send_syn(tcb, now)
