"""What a packet is called in a scripted fault: SYN, SYNACK, HSACK, FIN, ACKFIN, RST, DATA, ACK, ANY."""

from netsim.tcp.segment import ACK, FIN, MASK, RST, SYN, Segment
from netsim.tcp.tcb import Tcb


def kinds(segment: Segment, tcb: Tcb | None) -> tuple[str, ...]:
    """The kinds of ``segment``, sent by ``tcb`` (None: by no connection).

    HSACK is the pure ACK of a SYN-ACK, ACKFIN the pure ACK of the peer's FIN; both are ACKs too.
    """
    flags = segment.flags
    names = ["ANY"]
    if flags & SYN:
        names.append("SYNACK" if flags & ACK else "SYN")
    if flags & RST:
        names.append("RST")
    if flags & FIN:
        names.append("FIN")
    if segment.payload:
        names.append("DATA")
    if flags & (SYN | RST | FIN | ACK) == ACK and not segment.payload:
        names.append("ACK")
        if (
            tcb is not None
            and not tcb.passive
            and segment.ack == (tcb.irs + 1) & MASK
            and segment.seq == (tcb.iss + 1) & MASK
        ):
            names.append("HSACK")
        if tcb is not None and tcb.peer_fin >= 0 and segment.ack == (tcb.peer_fin + 1) & MASK:
            names.append("ACKFIN")
    return tuple(names)
