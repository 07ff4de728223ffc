"""When Linux lets an ACK wait: ``delayed_ack_timer`` (net/ipv4/tcp_input.c and tcp_output.c; RFC 9293 3.8.6.3).

At first every segment of text is acknowledged at once. A host that answers text with text, or whose peer has closed,
expects to speak soon, and its ACKs wait to ride along: as long as text comes apart (ATO), not at all if none came yet.
"""

from dataclasses import dataclass
from typing import Final

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.seq import MASK
from netsim.tcp.tcb import Tcb
from netsim.tcp.timers import DELACK, NEVER

_SEGMENT: Final = 536  # bytes; TCP_MSS_DEFAULT, the first guess at the size of the peer's segments
_LONGEST: Final = 500_000_000  # ns; HZ / 2
_LONGEST_INTERACTIVE: Final = 200_000_000  # ns; TCP_DELACK_MAX
_TICK: Final = 4_000_000  # ns; the next tick at 250 Hz, where there is no wheel to wait for it


@dataclass(slots=True)
class AckClock:
    """What one connection knows about its peer's text. ``ato`` and ``data_at`` in ns, ``segment`` in bytes.

    ``quick`` ACKs are still due at once, unless the exchange is ``interactive`` (pingpong mode). ``small`` tells that a
    small segment waits for its ACK, ``two_small`` that two do.
    """

    ato: int = 0
    quick: int = 0
    data_at: int = 0
    interactive: bool = False
    segment: int = _SEGMENT
    small: bool = False
    two_small: bool = False


def clock_of(tcb: Tcb) -> AckClock:
    """The clock of ``tcb``, made when text or a FIN first comes."""
    if tcb.ack_clock is None:
        tcb.ack_clock = AckClock()
    return tcb.ack_clock


def data_arrives(tcb: Tcb, count: int, now: int) -> None:
    """``count`` bytes of text are here (tcp_event_data_recv, tcp_measure_rcv_mss)."""
    clock, config = clock_of(tcb), tcb.config
    shortest = config.ns.delayed_ack or 0
    if count >= clock.segment:
        clock.segment = min(count, config.mss)
    else:
        clock.two_small = clock.two_small or clock.small
        clock.small = True
    if not clock.ato:
        clock.quick, clock.ato = config.quick_acks, shortest
    else:
        apart = now - clock.data_at
        if apart <= shortest // 2:
            clock.ato = clock.ato // 2 + shortest // 2
        elif apart < clock.ato:
            clock.ato = min(clock.ato // 2 + apart, tcb.rto)
        elif apart > tcb.rto:
            clock.quick = config.quick_acks
    clock.data_at = now


def answered(tcb: Tcb, now: int) -> None:
    """Text was sent: soon enough after the peer's it counts as an answer (tcp_event_data_sent)."""
    clock = tcb.ack_clock
    if clock is not None and now - clock.data_at < clock.ato:
        clock.interactive = True


def acknowledged(tcb: Tcb) -> None:
    """An ACK went out (tcp_dec_quickack_mode)."""
    clock = tcb.ack_clock
    assert clock is not None
    clock.small = clock.two_small = False
    if clock.quick and tcb.ack_pending:
        clock.quick -= 1
        if not clock.quick:
            clock.ato = tcb.config.ns.delayed_ack or 0


def came_again(tcb: Tcb) -> None:
    """The peer repeats itself, and so has missed ACKs: they are sent at once again (tcp_enter_quickack_mode)."""
    clock = tcb.ack_clock
    if clock is not None:
        clock.quick, clock.interactive = tcb.config.quick_acks, False
        clock.ato = tcb.config.ns.delayed_ack or 0


def ran_out(tcb: Tcb) -> None:
    """An ACK waited in vain (tcp_delack_timer_handler)."""
    clock = tcb.ack_clock
    if clock is not None:
        clock.ato = min(2 * clock.ato, tcb.rto) if not clock.interactive else tcb.config.ns.delayed_ack or 0
        clock.interactive = False


def schedule_ack(tcb: Tcb, now: int) -> None:
    """An ACK at once for more than a segment or in quick mode, else when it has waited (__tcp_ack_snd_check)."""
    clock = clock_of(tcb)
    unacknowledged = (tcb.rcv_nxt - tcb.last_ack_sent) & MASK
    if unacknowledged > clock.segment or (clock.quick and not clock.interactive):
        tcb.ack_wanted = True
        return
    tcb.ack_wanted = False
    delay = _delay(tcb, clock)
    due = tcb.deadlines[DELACK]
    if due != NEVER and due <= now + delay // 4:
        tcb.ack_wanted = True  # it is about to go out anyway
    elif due == NEVER or due > now + delay:
        tcb.arm(DELACK, now, delay)


def first_delay(config: TcpConfig) -> int:
    """How long (ns) the ACK of a FIN waits before any text has come: until the next tick."""
    return _TICK if config.timer_hz is None else 0


def _delay(tcb: Tcb, clock: AckClock) -> int:
    """How long an ACK waits (tcp_send_delayed_ack)."""
    shortest = tcb.config.ns.delayed_ack or 0
    if not clock.ato:
        return first_delay(tcb.config)
    if clock.ato <= shortest:
        return clock.ato
    longest = _LONGEST_INTERACTIVE if clock.interactive or clock.small else _LONGEST
    if tcb.rtt is not None:
        longest = min(longest, max(tcb.rtt.srtt, shortest))
    return min(clock.ato, longest)


def read_calls_for_ack(tcb: Tcb) -> bool:
    """Whether the user's having read all there was is reason to acknowledge it now (__tcp_cleanup_rbuf)."""
    clock = tcb.ack_clock
    if clock is None or not tcb.ack_pending or tcb.rcv_buffer:
        return False
    return clock.two_small or (clock.small and not clock.interactive)
