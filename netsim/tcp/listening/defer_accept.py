"""TCP_DEFER_ACCEPT: a passive OPEN that waits for the peer's first text before it is ESTABLISHED (tcp(7)).

The bare ACK of the handshake is ignored, and remembered: the SYN-ACK is not repeated meanwhile, except at the end of
the time, to give the peer a last chance (net/ipv4/tcp_minisocks.c, tcp_check_req; inet_connection_sock.c).
"""

from netsim.tcp.segment import Segment
from netsim.tcp.state import SYN_RECEIVED
from netsim.tcp.tcb import PassiveOpen, Tcb


def waits_for_text(listener: PassiveOpen, tcb: Tcb, segment: Segment) -> bool:
    """Whether ``segment``, the ACK of our SYN, is too early: it carries nothing, and the time has not run out."""
    if segment.length or tcb.transmissions > _timeouts(tcb):
        return False
    if tcb not in listener.deferred:
        listener.deferred = [other for other in listener.deferred if other.state is SYN_RECEIVED]
        listener.deferred.append(tcb)
    return True


def keeps_silent(listener: PassiveOpen, tcb: Tcb) -> bool:
    """Whether the SYN-ACK whose time has come stays away: the peer has it, and only its text is missing."""
    return tcb in listener.deferred and tcb.transmissions <= _timeouts(tcb)


def _timeouts(tcb: Tcb) -> int:
    """After how many time-outs of the SYN-ACK the time is over (net/ipv4/tcp.c, secs_to_retrans)."""
    seconds = tcb.config.defer_accept
    if seconds is None:
        return 0
    count, period = 0, 0.0
    for interval in tcb.config.synack_intervals():
        count, period = count + 1, period + interval
        if period >= seconds:
            break
    return count
