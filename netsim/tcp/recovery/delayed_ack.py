"""Delayed ACKs as Linux schedules them, where ``delayed_ack_timer`` is adaptive (net/ipv4/tcp_input.c, tcp_output.c).

The first data segments are acknowledged immediately (quick ACKs). A host that answers data with data, or whose peer
has closed, is in pingpong mode: it expects to send soon, and delays ACKs so that data can carry them. The delay (ATO)
follows the time between the segments that arrive; it is zero before any data has arrived. RFC 9293 3.8.6.3.
"""

from typing import Final

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.recovery.variables import DelayedAcks
from netsim.tcp.segment import MASK
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import DELACK, NEVER

_LONGEST: Final = 500_000_000  # ns; HZ / 2
_LONGEST_PINGPONG: Final = 200_000_000  # ns; TCP_DELACK_MAX
_TICK: Final = 4_000_000  # ns; the next tick at 250 Hz, for a host whose timers have no ticks


def delayed_acks_of(tcb: Tcb) -> DelayedAcks:
    """The state of ``tcb``, created when the first data or FIN arrives."""
    if tcb.delayed_acks is None:
        tcb.delayed_acks = DelayedAcks()
    return tcb.delayed_acks


def data_arrives(tcb: Tcb, count: int, now: int) -> None:
    """``count`` bytes of data have arrived (tcp_event_data_recv, tcp_measure_rcv_mss)."""
    acks, config = delayed_acks_of(tcb), tcb.config
    minimum = config.ns.delayed_ack or 0
    if count >= acks.rcv_mss:
        acks.rcv_mss = min(count, config.mss)
    else:
        acks.two_small = acks.two_small or acks.small
        acks.small = True
    if not acks.ato:
        acks.quick, acks.ato = config.quick_acks, minimum
    else:
        interval = now - acks.data_at
        if interval <= minimum // 2:
            acks.ato = acks.ato // 2 + minimum // 2
        elif interval < acks.ato:
            acks.ato = min(acks.ato // 2 + interval, tcb.rto)
        elif interval > tcb.rto:
            acks.quick = config.quick_acks
    acks.data_at = now


def data_sent(tcb: Tcb, now: int) -> None:
    """Data was sent: within the ATO after the peer's data it counts as an answer (tcp_event_data_sent)."""
    acks = tcb.delayed_acks
    if acks is not None and now - acks.data_at < acks.ato:
        acks.pingpong = True


def ack_sent(tcb: Tcb) -> None:
    """An ACK was sent (tcp_dec_quickack_mode)."""
    acks = tcb.delayed_acks
    assert acks is not None
    acks.small = acks.two_small = False
    if acks.quick and tcb.ack_pending:
        acks.quick -= 1
        if not acks.quick:
            acks.ato = tcb.config.ns.delayed_ack or 0


def enter_quickack(tcb: Tcb) -> None:
    """The peer has retransmitted, so it may lack ACKs: the next ones are immediate (tcp_enter_quickack_mode)."""
    acks = tcb.delayed_acks
    if acks is not None:
        acks.quick, acks.pingpong = tcb.config.quick_acks, False
        acks.ato = tcb.config.ns.delayed_ack or 0


def delayed_ack_expires(tcb: Tcb) -> None:
    """The timer expired before any data could carry the ACK (tcp_delack_timer_handler)."""
    acks = tcb.delayed_acks
    if acks is not None:
        acks.ato = min(2 * acks.ato, tcb.rto) if not acks.pingpong else tcb.config.ns.delayed_ack or 0
        acks.pingpong = False


def schedule_ack(tcb: Tcb, now: int) -> None:
    """An immediate ACK for more than one segment or in quick-ACK mode, else a delayed one (__tcp_ack_snd_check)."""
    acks = delayed_acks_of(tcb)
    unacknowledged = (tcb.rcv_nxt - tcb.last_ack_sent) & MASK
    if unacknowledged > acks.rcv_mss or (acks.quick and not acks.pingpong):
        tcb.ack_wanted = True
        return
    tcb.ack_wanted = False
    delay = _delay(tcb, acks)
    due = tcb.deadlines[DELACK]
    if due != NEVER and due <= now + delay // 4:
        tcb.ack_wanted = True  # the timer would expire soon in any case
    elif due == NEVER or due > now + delay:
        tcb.arm(DELACK, now, delay)


def first_delay(config: TcpConfig) -> int:
    """How long (ns) the ACK of a FIN is delayed if no data has arrived before it: until the next tick."""
    return _TICK if config.timer_hz is None else 0


def _delay(tcb: Tcb, acks: DelayedAcks) -> int:
    """How long (ns) to delay an ACK (tcp_send_delayed_ack)."""
    minimum = tcb.config.ns.delayed_ack or 0
    if not acks.ato:
        return first_delay(tcb.config)
    if acks.ato <= minimum:
        return acks.ato
    longest = _LONGEST_PINGPONG if acks.pingpong or acks.small else _LONGEST
    if tcb.rtt is not None:
        longest = min(longest, max(tcb.rtt.srtt, minimum))
    return min(acks.ato, longest)


def reading_prompts_ack(tcb: Tcb) -> bool:
    """Whether to acknowledge now because the user has read all the data that had arrived (__tcp_cleanup_rbuf)."""
    acks = tcb.delayed_acks
    if acks is None or not tcb.ack_pending or tcb.rcv_buffer:
        return False
    return acks.two_small or (acks.small and not acks.pingpong)
