"""Two handshakes that RFC 9293 does not have, to be compared with the real one. The peer is a TCP like any other.

In the two-way handshake the server is ESTABLISHED when the SYN arrives. In the four-way handshake it sends the ACK of
the SYN and its own SYN in separate segments.
"""

from netsim.tcp.actions import Transmit
from netsim.tcp.clauses import TWO_WAY
from netsim.tcp.connection import enter
from netsim.tcp.output import send_syn
from netsim.tcp.segment import ACK, Segment
from netsim.tcp.segment_arrives.authentication import sign
from netsim.tcp.segment_arrives.data import deliver_syn_data
from netsim.tcp.state import ESTABLISHED
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import KEEPALIVE, NEVER, REXMT


def answer_syn(tcb: Tcb, now: int) -> None:
    """Answer the SYN that created the SYN-RECEIVED entry ``tcb``, where ``handshake`` is not "three-way"."""
    if tcb.config.handshake == "four-way":
        _send_bare_ack(tcb)  # a client in SYN-SENT drops it (3.10.7.3, fifth), but the SYN that follows has an ACK too
        return send_syn(tcb, now)
    send_syn(tcb, now)
    return _enter_established(tcb, now)


def _send_bare_ack(tcb: Tcb) -> None:
    ctx = tcb.ctx
    ctx.counters.TcpOutSegs += 1
    window = min(tcb.rcv_wnd, 65535)
    ack = Segment(tcb.four_tuple, tcb.iss, tcb.rcv_nxt, ACK, window)
    if tcb.config.authentication_key is not None:
        sign(ack, tcb.config.authentication_key)
    ctx.actions.append(Transmit(ack, tcb.id, False))


def _enter_established(tcb: Tcb, now: int) -> None:
    """Enter ESTABLISHED. Our SYN counts as acknowledged: no timer retransmits it."""
    tcb.snd_una = tcb.snd_nxt
    tcb.deadlines[REXMT] = NEVER
    enter(tcb, ESTABLISHED, TWO_WAY)
    if tcb.keepalive:
        tcb.arm(KEEPALIVE, now, tcb.config.ns.keepalive_idle)
    if tcb.syn_data:
        deliver_syn_data(tcb, now)
    assert tcb.listener is not None
    tcb.listener.handshake_completes(tcb)
