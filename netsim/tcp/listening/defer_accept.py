"""TCP_DEFER_ACCEPT: a passive OPEN does not become ESTABLISHED before the peer has sent data (tcp(7)).

The handshake's final ACK is ignored if it carries no data. The listener remembers that it arrived: until the configured
time is over the SYN-ACK is not retransmitted; then it is retransmitted once more, so that the peer can still answer
(net/ipv4/tcp_minisocks.c, tcp_check_req; inet_connection_sock.c).
"""

from netsim.tcp.segment import Segment
from netsim.tcp.state import SYN_RECEIVED
from netsim.tcp.tcb import PassiveOpen, Tcb


def waits_for_data(listener: PassiveOpen, tcb: Tcb, segment: Segment) -> bool:
    """Whether to ignore ``segment``, the ACK of our SYN: it carries no data and the configured time is not over."""
    if segment.length or tcb.transmissions > _timeouts(tcb):
        return False
    if tcb not in listener.deferred:
        listener.deferred = [other for other in listener.deferred if other.state is SYN_RECEIVED]
        listener.deferred.append(tcb)
    return True


def suppresses_synack(listener: PassiveOpen, tcb: Tcb) -> bool:
    """Whether not to retransmit the SYN-ACK although its timer expired: the peer has it, only its data is missing."""
    return tcb in listener.deferred and tcb.transmissions <= _timeouts(tcb)


def _timeouts(tcb: Tcb) -> int:
    """After how many timeouts of the SYN-ACK the configured time is over (net/ipv4/tcp.c, secs_to_retrans)."""
    seconds = tcb.config.defer_accept
    if seconds is None:
        return 0
    count, period = 0, 0.0
    for interval in tcb.config.synack_intervals():
        count, period = count + 1, period + interval
        if period >= seconds:
            break
    return count
