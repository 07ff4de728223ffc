"""Congestion control: slow start, congestion avoidance, fast retransmit and recovery (RFC 5681, RFC 6582, RFC 6675)."""

from dataclasses import dataclass
from typing import Final

from netsim.tcp.config.config import TcpConfig
from netsim.tcp.recovery.laws import Cubic, Reno, WindowLaw
from netsim.tcp.recovery.prr import Prr
from netsim.tcp.recovery.rack import Rack
from netsim.tcp.recovery.undo import Undo
from netsim.tcp.seq import HALF, MASK

DUPLICATE_ACKS: Final = 3  # RFC 5681 3.2
UNLIMITED: Final = 1 << 60


@dataclass(slots=True)
class NewReno:
    """One connection's congestion state; windows in bytes, ``recovery_at`` in ns.

    ``growth`` is what one ACK may add in slow start (RFC 5681 3.1: an MSS; RFC 3465 2.2). ``beyond`` is what may go out
    beyond the window because of the first two duplicate ACKs (RFC 3042). With ``validate`` the window grows only if it
    is used: ``used`` is the most that was in flight since ``used_until`` was SND.NXT, ``full`` whether that filled it.
    ``law``: how it grows in congestion avoidance. ``proportional``: a loss leaves a share of the window, not of what is
    in flight, and with SACK ``prr`` says what recovery sends. ``sent_at``: when new text last went out.
    ``undoes``: ``undo`` keeps what a repair took. ``frto``: a time-out may yet prove spurious; ``trying``: new text is
    to find that out, and nothing is repaired.
    """

    mss: int
    law: WindowLaw
    cwnd: int
    growth: int
    limited_transmit: bool
    validate: bool
    proportional: bool
    undoes: bool = False
    ssthresh: int = UNLIMITED
    duplicates: int = 0
    beyond: int = 0
    recover: int = 0
    recovery_at: int = 0
    used: int = 0
    used_until: int = 0
    full: bool = False
    in_recovery: bool = False
    after_timeout: bool = False
    prr: Prr | None = None
    rack: Rack | None = None
    undo: Undo | None = None
    frto: bool = False
    trying: bool = False
    sent_at: int = 0

    def acknowledged(self, count: int, una: int, flight: int, now: int) -> bool:
        """``count`` new bytes were acknowledged, up to ``una``. True if the next hole must be sent again.

        Where one ACK may add all that it acknowledges, that is what was not known to be delivered by duplicate ACKs
        (net/ipv4/tcp_input.c, tcp_cong_control).
        """
        delivered = count
        if self.duplicates:
            if self.growth == UNLIMITED:
                delivered = max(count - self.duplicates * self.mss, 0)
            self.duplicates = self.beyond = 0
        if self.after_timeout and (una - self.recover) & MASK < HALF:
            self.after_timeout = False
        if self.in_recovery:
            if (self.recover - una) & MASK < HALF and una != self.recover:
                # RFC 6582 3.2, step 3: a partial acknowledgment deflates the window and repairs the next hole.
                self.cwnd = max(self.cwnd - count, 0) + self.mss
                return True
            self.cwnd = self.ssthresh if self.proportional else min(self.ssthresh, max(flight, self.mss) + self.mss)
            self.in_recovery, self.prr = False, None
            return False
        if self.validate and not self.full and not self.cwnd < min(2 * self.used, self.ssthresh):
            return False
        if self.cwnd < self.ssthresh:
            rest = delivered
            if self.growth == UNLIMITED:
                delivered = min(delivered, self.ssthresh - self.cwnd)  # net/ipv4/tcp_cong.c, tcp_slow_start
            self.cwnd += min(delivered, self.growth)
            delivered = rest - delivered
        if delivered and self.cwnd >= self.ssthresh:
            self.cwnd += self.law.avoid(self.cwnd, delivered, now)
        return False

    def round_trip(self, sample: int, una: int, nxt: int, now: int) -> None:
        """An RTT sample: the law may leave slow start."""
        if self.law.round_trip(sample, self.cwnd, una, nxt, now, slow_start=self.cwnd < self.ssthresh):
            self.ssthresh = self.cwnd

    def restart(self, rule: str, initial: int, rto: int, now: int) -> None:
        """New text goes out with nothing in flight; after more than an RTO of silence with a smaller window.

        By RFC 5681 4.1 no more than the ``initial`` one; or halved for each RTO, down to that (net/ipv4/tcp_output.c,
        tcp_cwnd_restart).
        """
        idle = now - self.sent_at
        if idle > rto and rule == "rfc5681":
            self.cwnd = min(self.cwnd, initial)
        elif idle > rto and rule == "halved":
            self.ssthresh = max(self.ssthresh, 3 * self.cwnd // 4)
            least, window = min(initial, self.cwnd), self.cwnd
            halvings = min((idle - 1) // rto, 40)
            self.cwnd = max(window // self.mss >> halvings, least // self.mss) * self.mss
            self.used = 0
        self.law.idle(self.sent_at, now)

    def sent(self, una: int, nxt: int, flight: int) -> None:
        """New text went out: how much of the window is in use (net/ipv4/tcp_output.c, tcp_cwnd_validate)."""
        full = flight + self.mss > self.cwnd
        if full or (una - self.used_until) & MASK < HALF or (not self.full and flight > self.used):
            self.full, self.used, self.used_until = full, flight, nxt

    def duplicate(self, una: int) -> bool:
        """A duplicate ACK came. True if it is the third, and recovery must begin (RFC 5681 3.2)."""
        self.duplicates += 1
        if self.frto and self.trying:  # RFC 5682 3.1, step 3.a: the loss was real
            self.frto = self.trying = False
            self.beyond = 0
        if self.in_recovery:
            self.cwnd += self.mss
            return False
        if self.after_timeout and (self.recover - una) & MASK < HALF:
            return False
        if self.duplicates < DUPLICATE_ACKS and self.limited_transmit:
            self.beyond = self.duplicates * self.mss
        return self.duplicates == DUPLICATE_ACKS

    def begin_recovery(self, nxt: int, flight: int, now: int) -> None:
        """Fast retransmit: half the window, and the three segments that have left (RFC 5681 3.2, RFC 6582 3.2)."""
        self._remember(nxt, flight)
        self.ssthresh = self._threshold(flight)
        self.cwnd = self.ssthresh + DUPLICATE_ACKS * self.mss
        self.beyond = 0
        self.recover, self.recovery_at = nxt, now
        self.in_recovery, self.after_timeout = True, False

    def _remember(self, nxt: int, flight: int) -> None:
        """What the windows were before a repair (net/ipv4/tcp_input.c, tcp_init_undo, tcp_current_ssthresh)."""
        if self.undoes:
            self.undo = Undo((nxt - flight) & MASK, self.cwnd, max(self.ssthresh, 3 * self.cwnd // 4))

    def restore(self) -> None:
        """The repair was for nothing: the windows are what they were."""
        undo = self.undo
        if undo is not None:
            self.cwnd = undo.cwnd if self.in_recovery else max(self.cwnd, undo.cwnd)
            self.ssthresh = max(self.ssthresh, undo.ssthresh)
        self.in_recovery = self.after_timeout = self.frto = self.trying = False
        self.duplicates = self.beyond = 0
        self.prr = self.undo = None

    def _threshold(self, flight: int) -> int:
        """The window that a loss leaves."""
        return self.law.threshold(self.cwnd, flight, of_window=self.proportional)

    def reduce(self, flight: int) -> None:
        """The network says that it is congested, nothing was lost: half the window (RFC 3168 6.1.2)."""
        self.ssthresh = self._threshold(flight)
        self.cwnd = min(self.cwnd, self.ssthresh)

    @property
    def repairing(self) -> bool:
        """Whether a loss was found and is not repaired yet."""
        return self.in_recovery or self.after_timeout

    def timeout(self, nxt: int, flight: int, now: int) -> None:
        """The retransmission timer rang: one segment of window, slow start again (RFC 5681 3.1)."""
        if not self.repairing:
            self._remember(nxt, flight)
        self.recovery_at = now
        if not (self.proportional and self.repairing):  # net/ipv4/tcp_input.c, tcp_enter_loss
            self.ssthresh = self._threshold(flight)
        self.cwnd = self.mss
        self.law = self.law.after_timeout()
        self.recover = nxt
        self.duplicates = self.beyond = 0
        self.in_recovery, self.after_timeout, self.prr = False, True, None


def begin(config: TcpConfig, mss: int, *, lost: bool) -> NewReno:
    """The state of a connection that has text to send; ``lost``: its SYN was, and it begins with one segment."""
    return NewReno(
        mss,
        Cubic(mss) if config.congestion == "cubic" else Reno(mss),
        (1 if lost else config.initial_window) * mss,
        UNLIMITED if config.slow_start_growth is None else config.slow_start_growth * mss,
        config.limited_transmit,
        config.cwnd_validation,
        config.loss_response == "prr",
        config.undo,
    )
