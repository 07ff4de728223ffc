"""How the congestion window grows while nothing is lost, and what a loss leaves of it: Reno and CUBIC."""

from dataclasses import dataclass
from typing import Final, Protocol

from netsim.tcp.seq import HALF, MASK

_SCALE: Final = 1024
_BETA: Final = 717  # of 1024: RFC 9438 4.6, beta = 0.7
_RENO_SLOPE: Final = 15  # net/ipv4/tcp_cubic.c, beta_scale: 8 (1024 + beta) / 3 / (1024 - beta)
_C: Final = 410  # net/ipv4/tcp_cubic.c, cube_rtt_scale: C of RFC 9438 4.1 is .4, and time in units of 1/1024 s
_CUBE: Final = (1 << 40) // _C  # cube_factor
_MS: Final = 1_000_000
_LOW_WINDOW: Final = 16  # segments: net/ipv4/tcp_cubic.c, hystart_low_window
_TRAIN: Final = 2 * _MS  # hystart_ack_delta_us
_SAMPLES: Final = 8  # HYSTART_MIN_SAMPLES
_LEAST_RISE, _MOST_RISE = 4 * _MS, 16 * _MS  # HYSTART_DELAY_MIN, HYSTART_DELAY_MAX


class WindowLaw(Protocol):
    """What a congestion control decides by itself; windows in bytes, times in ns. Recovery is no matter of the law."""

    def threshold(self, cwnd: int, flight: int, *, of_window: bool) -> int:
        """What a loss leaves: ssthresh, of what is in flight (RFC 5681 3.1), or of the window (Linux)."""

    def avoid(self, cwnd: int, delivered: int, now: int) -> int:
        """Bytes to add in congestion avoidance when ``delivered`` were acknowledged."""

    def round_trip(self, sample: int, cwnd: int, una: int, nxt: int, now: int, *, slow_start: bool) -> bool:
        """An RTT sample, with SND.UNA and SND.NXT. True if it is time to leave slow start."""

    def after_timeout(self) -> "WindowLaw":
        """What to go on with when the retransmission timer has rung."""

    def idle(self, since: int, now: int) -> None:
        """Text goes out again after nothing was in flight; the last went out at ``since``."""


@dataclass(slots=True)
class Reno:
    """RFC 5681: a segment for each window in congestion avoidance; a loss leaves half."""

    mss: int

    def threshold(self, cwnd: int, flight: int, *, of_window: bool) -> int:
        if of_window:
            return max(cwnd // self.mss // 2, 2) * self.mss  # net/ipv4/tcp_cong.c, tcp_reno_ssthresh
        return max(flight // 2, 2 * self.mss)

    def avoid(self, cwnd: int, delivered: int, now: int) -> int:
        return max(1, self.mss * self.mss // cwnd)

    def round_trip(self, sample: int, cwnd: int, una: int, nxt: int, now: int, *, slow_start: bool) -> bool:
        return False

    def after_timeout(self) -> "Reno":
        return self

    def idle(self, since: int, now: int) -> None:
        pass


@dataclass(slots=True)
class Cubic:
    """RFC 9438, in the integer arithmetic of net/ipv4/tcp_cubic.c: whole segments, milliseconds, 1/1024 s.

    The window is C (t - K)^3 beyond or below ``origin``, the window of the last loss, t after the ``epoch`` began; at
    least what Reno would have, ``reno``. ``every``: so many segments acknowledged make it one greater. ``hystart``
    leaves slow start when ACKs come in a row for half of the least RTT, or the RTT rises (Ha and Rhee 2008).
    """

    mss: int
    last_max: int = 0
    epoch: int | None = None
    origin: int = 0
    k: int = 0
    every: int = 1
    reno: int = 0
    least: int = 0
    looked_at: tuple[int, int] = (-1, 0)  # the window and the time (ms) when ``every`` was worked out
    _bytes: int = 0
    _acked: int = 0
    _counted: int = 0
    _round: tuple[int, int, int] | None = None  # HyStart: its last number, when it began, when its last ACK came
    _current: int = 0
    _samples: int = 0
    _found: bool = False

    def threshold(self, cwnd: int, flight: int, *, of_window: bool) -> int:
        """0.7 of the window; another loss before the old window was reached makes room for others (4.6, 4.7)."""
        window = cwnd // self.mss
        self.epoch = None
        shrinks = window < self.last_max
        self.last_max = window * (_SCALE + _BETA) // (2 * _SCALE) if shrinks else window
        return max(window * _BETA // _SCALE, 2) * self.mss

    def avoid(self, cwnd: int, delivered: int, now: int) -> int:
        self._bytes += delivered
        segments, self._bytes = divmod(self._bytes, self.mss)
        self._update(cwnd // self.mss, segments, now // _MS)
        grown = 0
        if self._counted >= self.every:  # tcp_cong_avoid_ai
            self._counted, grown = 0, 1
        self._counted += segments
        more, self._counted = divmod(self._counted, self.every)
        return (grown + more) * self.mss

    def round_trip(self, sample: int, cwnd: int, una: int, nxt: int, now: int, *, slow_start: bool) -> bool:
        if self.epoch is not None and now // _MS - self.epoch < 1000:
            return False  # right after a recovery
        if not self.least or sample < self.least:
            self.least = sample
        if self._found or not slow_start:
            return False
        if self._round is None or 0 < (una - self._round[0]) & MASK < HALF:
            self._round, self._current, self._samples = (nxt, now, now), 1 << 62, 0
        if cwnd < _LOW_WINDOW * self.mss:
            return False
        end, began, last = self._round
        if now - last <= _TRAIN:
            self._round = end, began, now
            self._found = now - began > self.least // 2
        self._current = min(self._current, sample)
        if self._samples < _SAMPLES:
            self._samples += 1
        elif self._current > self.least + min(max(self.least // 8, _LEAST_RISE), _MOST_RISE):
            self._found = True
        return self._found

    def after_timeout(self) -> "Cubic":
        return Cubic(self.mss)  # all is forgotten: bictcp_reset

    def idle(self, since: int, now: int) -> None:
        """The time of silence does not count: the epoch moves on (cubictcp_cwnd_event_tx_start)."""
        if self.epoch is not None:
            self.epoch = min(self.epoch + max(now - since, 0) // _MS, now // _MS)

    def _update(self, window: int, segments: int, now: int) -> None:
        """``every`` from the cubic function and from Reno's pace (4.2 to 4.5); ``now`` in ms."""
        self._acked += segments
        seen, at = self.looked_at
        if seen == window and now - at <= 31:  # HZ / 32
            return
        if self.epoch is None or now != at:
            self.looked_at = window, now
            self.every = self._by_cube(window, segments, now)
        slope = window * _RENO_SLOPE >> 3
        while self._acked > slope:
            self._acked -= slope
            self.reno += 1
        if self.reno > window:
            self.every = min(self.every, window // (self.reno - window))
        self.every = max(self.every, 2)

    def _by_cube(self, window: int, segments: int, now: int) -> int:
        if self.epoch is None:
            self.epoch, self._acked, self.reno = now, segments, window
            self.k, self.origin = 0, window
            if self.last_max > window:
                self.k, self.origin = round((_CUBE * (self.last_max - window)) ** (1 / 3)), self.last_max
        elapsed = (now - self.epoch + self.least // _MS) * _SCALE // 1000
        distance = abs(elapsed - self.k)
        gap = _C * distance**3 >> 40
        target = self.origin - gap if elapsed < self.k else self.origin + gap
        every = window // (target - window) if target > window else 100 * window
        return min(every, 20) if not self.last_max else every
