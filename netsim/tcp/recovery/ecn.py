"""Explicit congestion notification (RFC 3168 6.1): negotiated by the SYNs, then CE marks, ECE echoes and CWR."""

from typing import Final

from netsim.tcp.recovery.variables import Ecn
from netsim.tcp.segment import ACK, CWR, ECE, HALF, MASK, RST, SYN, Segment
from netsim.tcp.tcb import Tcb

NOT_ECT: Final = 0  # codepoints of the IP header: RFC 3168 5
ECT_1: Final = 1
ECT_0: Final = 2
CE: Final = 3
SETUP: Final = ECE | CWR  # of an ECN-setup SYN; an ECN-setup SYN-ACK carries ECE alone: RFC 3168 6.1.1


def offered(tcb: Tcb) -> int:
    """The flags by which this SYN offers ECN: none after too many retransmissions (RFC 3168 6.1.1.1)."""
    config = tcb.config
    return SETUP if config.ecn == "request" and tcb.transmissions <= 1 + config.ecn_syn_retries else 0


def negotiate_ecn(tcb: Tcb, segment: Segment) -> None:
    """Use ECN if ``segment`` is an ECN-setup SYN that we accept, or the ECN-setup SYN-ACK to a SYN that offered it."""
    wanted = ECE if segment.flags & ACK else SETUP
    willing = tcb.config.ecn == "request" if segment.flags & ACK else tcb.config.ecn != "off"
    if willing and segment.flags & SETUP == wanted:
        tcb.ecn = Ecn(tcb.iss)
        tcb.with_options = True


def mark(tcb: Tcb, segment: Segment) -> None:
    """Mark an outgoing segment: ECT(0) on new data, ECE and CWR where they are due (RFC 3168 6.1)."""
    ecn = tcb.ecn
    assert ecn is not None
    if segment.flags & (SYN | RST):
        return
    if segment.payload and segment.seq == (tcb.snd_nxt - segment.length) & MASK:
        segment.ecn = ECT_0
        if ecn.send_cwr:
            segment.flags |= CWR
            ecn.send_cwr = False
    if ecn.send_ece:
        segment.flags |= ECE


def ecn_arrives(tcb: Tcb, segment: Segment) -> None:
    """Process the ECN bits of an acceptable segment: CE and CWR as data receiver, ECE as sender (RFC 3168 6.1)."""
    ecn = tcb.ecn
    assert ecn is not None
    if segment.flags & CWR and segment.payload:
        ecn.send_ece = False
    if segment.ecn == CE:
        tcb.ack_wanted = tcb.ack_wanted or not ecn.send_ece
        ecn.send_ece = True
    if segment.flags & ECE and (segment.ack - ecn.recover - 1) & MASK < HALF:  # once in a window of data
        congestion = tcb.congestion
        ecn.recover, ecn.send_cwr = tcb.snd_nxt, True
        if congestion is not None and not congestion.in_recovery:
            congestion.reduce((tcb.snd_nxt - tcb.snd_una) & MASK)
