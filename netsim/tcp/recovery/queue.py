"""The retransmission queue: what was sent and is not acknowledged, and how the RTT is measured (RFC 6298)."""

from collections import deque
from dataclasses import dataclass

from netsim.tcp.recovery.rto import PeakEstimator, RttEstimator
from netsim.tcp.segment import FIN, PSH
from netsim.tcp.seq import HALF, MASK
from netsim.tcp.tcb import NO_SEGMENTS, Tcb
from netsim.tcp.timers import NEVER, PERSIST, PROBE, REXMT, USER

_LEAST_PROBE = 2_000_000  # ns; include/net/tcp.h, TCP_TIMEOUT_MIN_US


@dataclass(slots=True)
class Sent:
    """A segment on the retransmission queue: ``length`` counts FIN, ``sent_at`` is its last transmission (ns).

    ``ends_piece``: the next one was handed to the interface separately (bursts.py).
    """

    seq: int
    length: int
    flags: int
    sent_at: int
    transmissions: int = 1
    lost: bool = False
    sacked: bool = False
    ends_piece: bool = False


def resegment(tcb: Tcb, mss: int) -> None:
    """Cut what is on the queue into segments of at most ``mss`` bytes of text."""
    tcb.queue = deque(piece for sent in tcb.queue for piece in _split(sent, mss))


def _split(sent: Sent, mss: int) -> list[Sent]:
    """A queued segment in pieces of at most ``mss`` bytes of text, to be sent again; FIN and PSH on the last."""
    text = sent.length - (sent.flags & FIN)
    if text <= mss:
        return [sent]
    pieces = []
    for start in range(0, text, mss):
        last = start + mss >= text
        size = min(mss, text - start) + (sent.flags & FIN if last else 0)
        flags = sent.flags if last else sent.flags & ~(FIN | PSH)
        pieces.append(Sent((sent.seq + start) & MASK, size, flags, sent.sent_at, sent.transmissions, lost=True))
    return pieces


def payload_of(tcb: Tcb, sent: Sent) -> bytes:
    """The text that ``sent`` carries, from the send buffer (which starts at SND.UNA)."""
    buffer = tcb.snd_buffer
    if not buffer:
        return b""
    start = (sent.seq - tcb.snd_una) & MASK
    return bytes(buffer[start : start + sent.length - (sent.flags & FIN)])


def acknowledge(tcb: Tcb, ack: int, now: int) -> int | None:
    """Take acknowledged segments off the queue and text off the buffer, up to ``ack``; SND.UNA = ``ack``.

    Returns an RTT sample (ns) from the latest segment that was sent only once (Karn), or None.
    """
    if tcb.snd_una == tcb.iss:
        tcb.snd_una = (tcb.iss + 1) & MASK  # the SYN's own number; text starts behind it
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


def measured(tcb: Tcb, sample: int) -> None:
    """A new RTT sample: SRTT, RTTVAR, RTO (RFC 6298 2); the back-off ends."""
    rtt, ns = tcb.rtt, tcb.config.ns
    if type(rtt) is RttEstimator:
        rtt.update(sample)
    elif rtt is not None:
        rtt.update(sample, ns.rto_variance_floor, tcb.snd_una, tcb.snd_nxt)
    elif tcb.config.rtt_variance == "peak":
        rtt = tcb.rtt = PeakEstimator.first(sample, ns.rto_variance_floor, tcb.snd_nxt)
    else:
        rtt = tcb.rtt = RttEstimator(sample, sample // 2, sample)  # RFC 6298 2.2
    tcb.rto = rtt.rto(ns.clock_granularity, ns.rto_variance_floor, ns.rto_min, ns.rto_max)


def rearm(tcb: Tcb, now: int) -> None:
    """After an ACK of new text: the timer restarts, or stops when all is acknowledged (RFC 6298 5.2, 5.3)."""
    deadlines = tcb.deadlines
    deadlines[PERSIST] = NEVER
    tcb.probes = 0
    if tcb.probe_end >= 0 and 0 < (tcb.snd_una - tcb.probe_end) & MASK < HALF:
        tcb.probe_end = -1
    if not tcb.queue:
        deadlines[REXMT] = deadlines[USER] = deadlines[PROBE] = NEVER
        return
    if not (tcb.config.tail_loss_probe and start_loss_probe(tcb, now, now + tcb.rto)):
        deadlines[PROBE] = NEVER
        tcb.arm(REXMT, now, tcb.rto)
    timeout = tcb.config.ns.user_timeout
    if timeout is not None:
        tcb.arm(USER, now, timeout)


def start_loss_probe(tcb: Tcb, now: int, rto_at: int) -> bool:
    """Let a tail loss probe come before the RTO, which is due at ``rto_at`` (RFC 8985 7.2); False where none may.

    Two round trips, and the least RTO if one segment is outstanding, whose ACK may be delayed; without a sample as the
    first SYN waits (net/ipv4/tcp_output.c, tcp_schedule_loss_probe). Not while something is being repaired.
    """
    congestion = tcb.congestion
    if len(tcb.queue) > 1 and any(sent.sacked for sent in tcb.queue):
        return False
    if not tcb.sack_ok or tcb.backoff or (congestion is not None and congestion.repairing):
        return False
    ns = tcb.config.ns
    delay = ns.rto_initial
    if tcb.rtt is not None:
        delay = 2 * tcb.rtt.srtt + (ns.rto_min if len(tcb.queue) == 1 else _LEAST_PROBE)
    if now < rto_at < now + delay:
        delay = rto_at - now
    tcb.deadlines[REXMT] = NEVER
    tcb.arm(PROBE, now, delay)
    return True
