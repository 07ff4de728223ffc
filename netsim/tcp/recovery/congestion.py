"""Congestion control and loss recovery of one connection: slow start, congestion avoidance, fast retransmit and fast
recovery (RFC 5681, RFC 6582, RFC 6675).

``Congestion`` holds the windows and knows whether loss recovery is on. How the window grows without losses, and what a
loss leaves of it, is up to a ``CongestionControl``: Reno, here, or CUBIC (cubic.py).
"""

from dataclasses import dataclass
from typing import Final, Protocol

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.recovery.cubic import Cubic
from netsim.tcp.recovery.prr import Prr
from netsim.tcp.recovery.variables import Rack, Undo
from netsim.tcp.segment import HALF, MASK

DUPLICATE_ACKS: Final = 3  # RFC 5681 3.2
UNLIMITED: Final = 1 << 60


class CongestionControl(Protocol):
    """How the congestion window changes, loss recovery aside; windows in bytes, times in ns."""

    def ssthresh(self, cwnd: int, flight: int, *, of_window: bool) -> int:
        """The window after a loss: a share of the bytes in flight (RFC 5681 3.1), or of the window (Linux)."""

    def increase(self, cwnd: int, delivered: int, now: int) -> int:
        """The bytes that congestion avoidance adds when ``delivered`` bytes were acknowledged."""

    def rtt_sample(self, sample: int, cwnd: int, una: int, nxt: int, now: int, *, slow_start: bool) -> bool:
        """An RTT sample, with SND.UNA and SND.NXT. Returns whether to leave slow start."""

    def after_timeout(self) -> "CongestionControl":
        """The state after a retransmission timeout."""

    def after_idle(self, since: int, now: int) -> None:
        """New data is sent after nothing was in flight; data was last sent at ``since``."""


@dataclass(slots=True)
class Reno:
    """RFC 5681: congestion avoidance adds a segment per window, a loss halves the window."""

    mss: int

    def ssthresh(self, cwnd: int, flight: int, *, of_window: bool) -> int:
        if of_window:
            return max(cwnd // self.mss // 2, 2) * self.mss  # net/ipv4/tcp_cong.c, tcp_reno_ssthresh
        return max(flight // 2, 2 * self.mss)

    def increase(self, cwnd: int, delivered: int, now: int) -> int:
        return max(1, self.mss * self.mss // cwnd)

    def rtt_sample(self, sample: int, cwnd: int, una: int, nxt: int, now: int, *, slow_start: bool) -> bool:
        return False

    def after_timeout(self) -> "Reno":
        return self

    def after_idle(self, since: int, now: int) -> None:
        pass


@dataclass(slots=True)
class Congestion:
    """One connection's windows (bytes) and its state of loss recovery; times in ns.

    Growth: ``slow_start_limit`` is what one ACK may add in slow start (RFC 5681 3.1: an MSS; RFC 3465 2.2). With
    ``validate`` the window grows only if it is used: ``max_in_flight`` is the maximum in flight since ``usage_seq`` was
    SND.NXT, ``cwnd_limited`` is whether that filled the window. ``last_sent_at``: when new data was last sent.

    Recovery: ``recover`` was SND.NXT, and ``recovery_at`` the time, when the loss was detected. ``extra_bytes`` may be
    sent beyond the window: for the first two duplicate ACKs (RFC 3042), and as F-RTO allows. With ``uses_prr`` a loss
    leaves a share of the window, not of the bytes in flight, and with SACK ``prr`` limits what recovery sends.

    Undo: with ``may_undo``, ``undo`` keeps the windows from before recovery. ``frto``: an ACK may yet prove the timeout
    spurious; ``frto_probing``: new data is being sent to find out, and nothing is retransmitted meanwhile.
    """

    mss: int
    control: CongestionControl
    cwnd: int
    slow_start_limit: int
    limited_transmit: bool
    validate: bool
    uses_prr: bool
    may_undo: bool = False
    ssthresh: int = UNLIMITED
    duplicate_acks: int = 0
    extra_bytes: int = 0
    recover: int = 0
    recovery_at: int = 0
    max_in_flight: int = 0
    usage_seq: int = 0
    cwnd_limited: bool = False
    in_recovery: bool = False
    after_timeout: bool = False
    prr: Prr | None = None
    rack: Rack | None = None
    undo: Undo | None = None
    frto: bool = False
    frto_probing: bool = False
    last_sent_at: int = 0

    @property
    def recovering(self) -> bool:
        """Whether a loss was detected and not all of what was then in flight is acknowledged yet."""
        return self.in_recovery or self.after_timeout

    def ack_arrives(self, count: int, una: int, flight: int, now: int) -> bool:
        """``count`` new bytes were acknowledged, up to ``una``. Returns whether to retransmit the next hole.

        Where one ACK may add all that it acknowledges, only the bytes count that duplicate ACKs have not reported
        as delivered before (net/ipv4/tcp_input.c, tcp_cong_control).
        """
        delivered = count
        if self.duplicate_acks:
            if self.slow_start_limit == UNLIMITED:
                delivered = max(count - self.duplicate_acks * self.mss, 0)
            self.duplicate_acks = self.extra_bytes = 0
        if self.after_timeout and (una - self.recover) & MASK < HALF:
            self.after_timeout = False
        if self.in_recovery:
            if (self.recover - una) & MASK < HALF and una != self.recover:
                # RFC 6582 3.2, step 3: a partial acknowledgment deflates the window; the next hole is retransmitted.
                self.cwnd = max(self.cwnd - count, 0) + self.mss
                return True
            self.cwnd = self.ssthresh if self.uses_prr else min(self.ssthresh, max(flight, self.mss) + self.mss)
            self.in_recovery, self.prr = False, None
            return False
        if self.validate and not self.cwnd_limited and not self.cwnd < min(2 * self.max_in_flight, self.ssthresh):
            return False
        if self.cwnd < self.ssthresh:
            rest = delivered
            if self.slow_start_limit == UNLIMITED:
                delivered = min(delivered, self.ssthresh - self.cwnd)  # net/ipv4/tcp_cong.c, tcp_slow_start
            self.cwnd += min(delivered, self.slow_start_limit)
            delivered = rest - delivered
        if delivered and self.cwnd >= self.ssthresh:
            self.cwnd += self.control.increase(self.cwnd, delivered, now)
        return False

    def rtt_sample(self, sample: int, una: int, nxt: int, now: int) -> None:
        """An RTT sample (ns): the congestion control may leave slow start."""
        if self.control.rtt_sample(sample, self.cwnd, una, nxt, now, slow_start=self.cwnd < self.ssthresh):
            self.ssthresh = self.cwnd

    def restart_after_idle(self, rule: str, initial: int, rto: int, now: int) -> None:
        """New data is sent with nothing in flight: after more than an RTO without sending, with a smaller window.

        By RFC 5681 4.1 at most the ``initial`` window; or half the window for each RTO, but not less than the initial
        one (net/ipv4/tcp_output.c, tcp_cwnd_restart).
        """
        idle = now - self.last_sent_at
        if idle > rto and rule == "rfc5681":
            self.cwnd = min(self.cwnd, initial)
        elif idle > rto and rule == "halved":
            self.ssthresh = max(self.ssthresh, 3 * self.cwnd // 4)
            minimum, window = min(initial, self.cwnd), self.cwnd
            halvings = min((idle - 1) // rto, 40)
            self.cwnd = max(window // self.mss >> halvings, minimum // self.mss) * self.mss
            self.max_in_flight = 0
        self.control.after_idle(self.last_sent_at, now)

    def validate_window(self, una: int, nxt: int, flight: int) -> None:
        """New data was sent: note how much of the window is in use (net/ipv4/tcp_output.c, tcp_cwnd_validate)."""
        limited = flight + self.mss > self.cwnd
        more = not self.cwnd_limited and flight > self.max_in_flight
        if limited or (una - self.usage_seq) & MASK < HALF or more:
            self.cwnd_limited, self.max_in_flight, self.usage_seq = limited, flight, nxt

    def duplicate_ack(self, una: int) -> bool:
        """A duplicate ACK has arrived. Returns whether it is the third, so that recovery begins (RFC 5681 3.2)."""
        self.duplicate_acks += 1
        if self.frto and self.frto_probing:  # RFC 5682 3.1, step 3.a: the loss was real
            self.frto = self.frto_probing = False
            self.extra_bytes = 0
        if self.in_recovery:
            self.cwnd += self.mss
            return False
        if self.after_timeout and (self.recover - una) & MASK < HALF:
            return False
        if self.duplicate_acks < DUPLICATE_ACKS and self.limited_transmit:
            self.extra_bytes = self.duplicate_acks * self.mss
        return self.duplicate_acks == DUPLICATE_ACKS

    def enter_recovery(self, nxt: int, flight: int, now: int) -> None:
        """Fast retransmit: cwnd is ssthresh and the three segments that have left (RFC 5681 3.2, RFC 6582 3.2)."""
        self._save_for_undo(nxt, flight)
        self.ssthresh = self._new_ssthresh(flight)
        self.cwnd = self.ssthresh + DUPLICATE_ACKS * self.mss
        self.extra_bytes = 0
        self.recover, self.recovery_at = nxt, now
        self.in_recovery, self.after_timeout = True, False

    def timeout(self, nxt: int, flight: int, now: int) -> None:
        """The retransmission timer expired: a window of one segment, and slow start (RFC 5681 3.1)."""
        if not self.recovering:
            self._save_for_undo(nxt, flight)
        self.recovery_at = now
        if not (self.uses_prr and self.recovering):  # net/ipv4/tcp_input.c, tcp_enter_loss
            self.ssthresh = self._new_ssthresh(flight)
        self.cwnd = self.mss
        self.control = self.control.after_timeout()
        self.recover = nxt
        self.duplicate_acks = self.extra_bytes = 0
        self.in_recovery, self.after_timeout, self.prr = False, True, None

    def reduce(self, flight: int) -> None:
        """The peer echoes congestion (ECE) but nothing was lost: the window shrinks to ssthresh (RFC 3168 6.1.2)."""
        self.ssthresh = self._new_ssthresh(flight)
        self.cwnd = min(self.cwnd, self.ssthresh)

    def undo_reduction(self) -> None:
        """Loss recovery was spurious: restore the windows."""
        undo = self.undo
        if undo is not None:
            self.cwnd = undo.cwnd if self.in_recovery else max(self.cwnd, undo.cwnd)
            self.ssthresh = max(self.ssthresh, undo.ssthresh)
        self.in_recovery = self.after_timeout = self.frto = self.frto_probing = False
        self.duplicate_acks = self.extra_bytes = 0
        self.prr = self.undo = None

    def _save_for_undo(self, nxt: int, flight: int) -> None:
        """Keep the windows from before recovery (net/ipv4/tcp_input.c, tcp_init_undo, tcp_current_ssthresh)."""
        if self.may_undo:
            self.undo = Undo((nxt - flight) & MASK, self.cwnd, max(self.ssthresh, 3 * self.cwnd // 4))

    def _new_ssthresh(self, flight: int) -> int:
        """The window that a loss leaves."""
        return self.control.ssthresh(self.cwnd, flight, of_window=self.uses_prr)


def begin(config: TcpConfig, mss: int, *, lost: bool) -> Congestion:
    """The state of a connection that has data to send; ``lost``: its SYN was lost, so it begins with one segment."""
    return Congestion(
        mss,
        Cubic(mss) if config.congestion == "cubic" else Reno(mss),
        (1 if lost else config.initial_window) * mss,
        UNLIMITED if config.slow_start_growth is None else config.slow_start_growth * mss,
        config.limited_transmit,
        config.cwnd_validation,
        config.loss_response == "prr",
        config.undo,
    )
