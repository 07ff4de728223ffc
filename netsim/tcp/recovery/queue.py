"""The retransmission queue: segments sent and not acknowledged, RTT samples, and the timers of data (RFC 6298)."""

from collections import deque

from netsim.tcp.recovery.rto import MdevEstimator, RttEstimator
from netsim.tcp.recovery.variables import Sent
from netsim.tcp.segment import FIN, HALF, MASK, PSH
from netsim.tcp.tcb import NO_SEGMENTS, Tcb
from netsim.tcp.timers import NEVER, PERSIST, PROBE, REXMT, USER

_TIMEOUT_MIN = 2_000_000  # ns; include/net/tcp.h, TCP_TIMEOUT_MIN_US


def resegment(tcb: Tcb, mss: int) -> None:
    """Cut the queued segments into segments of at most ``mss`` bytes of data."""
    tcb.queue = deque(part for sent in tcb.queue for part in _split(sent, mss))


def _split(sent: Sent, mss: int) -> list[Sent]:
    """A segment cut into segments of at most ``mss`` bytes of data, marked lost; FIN and PSH on the last one."""
    data = sent.length - (sent.flags & FIN)
    if data <= mss:
        return [sent]
    parts = []
    for start in range(0, data, mss):
        last = start + mss >= data
        size = min(mss, data - start) + (sent.flags & FIN if last else 0)
        flags = sent.flags if last else sent.flags & ~(FIN | PSH)
        parts.append(Sent((sent.seq + start) & MASK, size, flags, sent.sent_at, sent.transmissions, lost=True))
    return parts


def payload_of(tcb: Tcb, sent: Sent) -> bytes:
    """The data that ``sent`` carries, from the send buffer, which starts at SND.UNA."""
    buffer = tcb.snd_buffer
    if not buffer:
        return b""
    start = (sent.seq - tcb.snd_una) & MASK
    return bytes(buffer[start : start + sent.length - (sent.flags & FIN)])


def acknowledge(tcb: Tcb, ack: int, now: int) -> int | None:
    """SND.UNA = ``ack``: remove acknowledged segments from the queue and acknowledged data from the send buffer.

    Returns an RTT sample (ns) from the last segment acknowledged; None if one was retransmitted (Karn's algorithm).
    """
    if tcb.snd_una == tcb.iss:
        tcb.snd_una = (tcb.iss + 1) & MASK  # the SYN's own sequence number; data starts behind it
    acked = (ack - tcb.snd_una) & MASK
    tcb.snd_una = ack
    tcb.backoff = 0
    queue = tcb.queue
    if not acked or queue is NO_SEGMENTS:
        return None
    if tcb.snd_buffer:
        del tcb.snd_buffer[: acked - (1 if fin_acknowledged(tcb) else 0)]
    sample: int | None = None
    clean = True
    while queue:
        oldest = queue[0]
        covered = (ack - oldest.seq) & MASK
        if covered > acked:
            break
        if covered < oldest.length:
            oldest.seq, oldest.length = ack, oldest.length - covered
            break
        queue.popleft()
        clean = clean and oldest.transmissions == 1
        sample = now - oldest.sent_at
    return sample if clean else None


def fin_acknowledged(tcb: Tcb) -> bool:
    """Whether our FIN was sent and acknowledged."""
    return tcb.fin_seq >= 0 and tcb.snd_una == (tcb.fin_seq + 1) & MASK


def update_rto(tcb: Tcb, sample: int) -> None:
    """A new RTT sample (ns): update SRTT, RTTVAR and RTO (RFC 6298 2), which ends the back-off."""
    rtt, ns = tcb.rtt, tcb.config.ns
    if type(rtt) is RttEstimator:
        rtt.update(sample)
    elif rtt is not None:
        rtt.update(sample, ns.rto_variance_floor, tcb.snd_una, tcb.snd_nxt)
    elif tcb.config.rtt_variance == "peak":
        rtt = tcb.rtt = MdevEstimator.first(sample, ns.rto_variance_floor, tcb.snd_nxt)
    else:
        rtt = tcb.rtt = RttEstimator(sample, sample // 2, sample)  # RFC 6298 2.2
    tcb.rto = rtt.rto(ns.clock_granularity, ns.rto_variance_floor, ns.rto_min, ns.rto_max)


def restart_timers(tcb: Tcb, now: int) -> None:
    """New data was acknowledged: restart the retransmission timer, or stop it if none is left (RFC 6298 5.2, 5.3)."""
    deadlines = tcb.deadlines
    deadlines[PERSIST] = NEVER
    tcb.probes = 0
    if tcb.probe_end >= 0 and 0 < (tcb.snd_una - tcb.probe_end) & MASK < HALF:
        tcb.probe_end = -1
    if not tcb.queue:
        deadlines[REXMT] = deadlines[USER] = deadlines[PROBE] = NEVER
        return
    if not (tcb.config.tail_loss_probe and arm_loss_probe(tcb, now, now + tcb.rto)):
        deadlines[PROBE] = NEVER
        tcb.arm(REXMT, now, tcb.rto)
    timeout = tcb.config.ns.user_timeout
    if timeout is not None:
        tcb.arm(USER, now, timeout)


def arm_loss_probe(tcb: Tcb, now: int, rto_at: int) -> bool:
    """Arm the tail loss probe instead of the RTO, which is due at ``rto_at`` (RFC 8985 7.2). False if none may be sent.

    The probe timeout is two round trips, plus the minimum RTO if one segment is in flight, whose ACK may be delayed;
    without an RTT sample it is the initial RTO (net/ipv4/tcp_output.c, tcp_schedule_loss_probe). No probe is sent in
    loss recovery.
    """
    congestion = tcb.congestion
    if len(tcb.queue) > 1 and any(sent.sacked for sent in tcb.queue):
        return False
    if not tcb.sack_ok or tcb.backoff or (congestion is not None and congestion.recovering):
        return False
    ns = tcb.config.ns
    delay = ns.rto_initial
    if tcb.rtt is not None:
        delay = 2 * tcb.rtt.srtt + (ns.rto_min if len(tcb.queue) == 1 else _TIMEOUT_MIN)
    if now < rto_at < now + delay:
        delay = rto_at - now
    tcb.deadlines[REXMT] = NEVER
    tcb.arm(PROBE, now, delay)
    return True
