"""Explicit congestion notification between the two ends (RFC 3168 6.1): agreed on the SYNs, then marks and echoes."""

from dataclasses import dataclass
from typing import Final

from netsim.tcp.segment import ACK, CWR, ECE, RST, SYN, Segment
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import Tcb

NOT_ECT: Final = 0  # codepoints of the IP header: RFC 3168 5
ECT_1: Final = 1
ECT_0: Final = 2
CE: Final = 3
SETUP: Final = ECE | CWR  # of an ECN-setup SYN; an ECN-setup SYN-ACK carries ECE alone: RFC 3168 6.1.1


@dataclass(slots=True)
class Ecn:
    """A connection on which ECN was agreed.

    ``echo``: a CE mark came and every ACK says ECE until the peer answers with CWR; ``answer``: our next text carries
    CWR; ``recover``: congestion that the peer echoes for text before this number has been answered already.
    """

    recover: int
    echo: bool = False
    answer: bool = False


def offered(tcb: Tcb) -> int:
    """The flags by which this SYN offers ECN: none once it was repeated too often (RFC 3168 6.1.1.1)."""
    config = tcb.config
    return SETUP if config.ecn == "request" and tcb.transmissions <= 1 + config.ecn_syn_retries else 0


def negotiate_ecn(tcb: Tcb, segment: Segment) -> None:
    """Both ends agree: an ECN-setup SYN that we accept, or an ECN-setup SYN-ACK to a SYN of ours that offered it."""
    wanted = ECE if segment.flags & ACK else SETUP
    willing = tcb.config.ecn == "request" if segment.flags & ACK else tcb.config.ecn != "off"
    if willing and segment.flags & SETUP == wanted:
        tcb.ecn = Ecn(tcb.iss)
        tcb.with_options = True


def mark(tcb: Tcb, segment: Segment) -> None:
    """A segment of ours, before it leaves: ECT(0) on new text, ECE and CWR where they are due (RFC 3168 6.1)."""
    ecn = tcb.ecn
    assert ecn is not None
    if segment.flags & (SYN | RST):
        return
    if segment.payload and segment.seq == (tcb.snd_nxt - segment.length) & MASK:
        segment.ecn = ECT_0
        if ecn.answer:
            segment.flags |= CWR
            ecn.answer = False
    if ecn.echo:
        segment.flags |= ECE


def ecn_arrives(tcb: Tcb, segment: Segment) -> None:
    """What an acceptable segment tells: CE and CWR to the receiver of text, ECE to its sender (RFC 3168 6.1)."""
    ecn = tcb.ecn
    assert ecn is not None
    if segment.flags & CWR and segment.payload:
        ecn.echo = False
    if segment.ecn == CE:
        tcb.ack_wanted = tcb.ack_wanted or not ecn.echo
        ecn.echo = True
    if segment.flags & ECE and (segment.ack - ecn.recover - 1) & MASK < HALF:  # once in a window of data
        congestion = tcb.congestion
        ecn.recover, ecn.answer = tcb.snd_nxt, True
        if congestion is not None and not congestion.in_recovery:
            congestion.reduce((tcb.snd_nxt - tcb.snd_una) & MASK)
