"""CUBIC congestion control (RFC 9438) with HyStart, in the integer arithmetic of net/ipv4/tcp_cubic.c."""

from dataclasses import dataclass
from typing import Final

from netsim.tcp.segment import HALF, MASK

_SCALE: Final = 1024
_BETA: Final = 717  # of 1024: RFC 9438 4.6, beta = 0.7
_RENO_SLOPE: Final = 15  # net/ipv4/tcp_cubic.c, beta_scale: 8 (1024 + beta) / 3 / (1024 - beta)
_C: Final = 410  # net/ipv4/tcp_cubic.c, cube_rtt_scale: C of RFC 9438 4.1 is .4, and time in units of 1/1024 s
_CUBE: Final = (1 << 40) // _C  # cube_factor
_MS: Final = 1_000_000
_LOW_WINDOW: Final = 16  # segments: net/ipv4/tcp_cubic.c, hystart_low_window
_ACK_DELTA: Final = 2 * _MS  # hystart_ack_delta_us
_SAMPLES: Final = 8  # HYSTART_MIN_SAMPLES
_DELAY_MIN, _DELAY_MAX = 4 * _MS, 16 * _MS  # HYSTART_DELAY_MIN, HYSTART_DELAY_MAX


@dataclass(slots=True)
class Cubic:
    """The variables of RFC 9438, in whole segments, milliseconds and 1/1024 s.

    At time t after the ``epoch`` began the window is ``origin`` + C (t - ``k``)^3, where ``origin`` is ``w_max``, the
    window before the last reduction; but not less than ``w_est``, which Reno would have. ``cnt`` is the number of
    acknowledged segments per segment of growth. HyStart leaves slow start when a train of ACKs lasts half of the
    minimum RTT, or when the RTT rises (Ha and Rhee 2008).
    """

    mss: int
    w_max: int = 0
    epoch: int | None = None
    origin: int = 0
    k: int = 0
    cnt: int = 1
    w_est: int = 0
    min_rtt: int = 0
    updated: tuple[int, int] = (-1, 0)  # the window and the time (ms) when ``cnt`` was computed
    _bytes: int = 0
    _acked: int = 0
    _counted: int = 0
    _round: tuple[int, int, int] | None = None  # HyStart: its last sequence number, its start, its last ACK (ns)
    _current: int = 0
    _samples: int = 0
    _found: bool = False

    def ssthresh(self, cwnd: int, flight: int, *, of_window: bool) -> int:
        """0.7 of the window; a further loss below ``w_max`` leaves bandwidth to other flows (4.6, 4.7)."""
        window = cwnd // self.mss
        self.epoch = None
        shrinks = window < self.w_max
        self.w_max = window * (_SCALE + _BETA) // (2 * _SCALE) if shrinks else window
        return max(window * _BETA // _SCALE, 2) * self.mss

    def increase(self, cwnd: int, delivered: int, now: int) -> int:
        self._bytes += delivered
        segments, self._bytes = divmod(self._bytes, self.mss)
        self._update(cwnd // self.mss, segments, now // _MS)
        grown = 0
        if self._counted >= self.cnt:  # tcp_cong_avoid_ai
            self._counted, grown = 0, 1
        self._counted += segments
        more, self._counted = divmod(self._counted, self.cnt)
        return (grown + more) * self.mss

    def rtt_sample(self, sample: int, cwnd: int, una: int, nxt: int, now: int, *, slow_start: bool) -> bool:
        if self.epoch is not None and now // _MS - self.epoch < 1000:
            return False  # right after a recovery
        if not self.min_rtt or sample < self.min_rtt:
            self.min_rtt = sample
        if self._found or not slow_start:
            return False
        if self._round is None or 0 < (una - self._round[0]) & MASK < HALF:
            self._round, self._current, self._samples = (nxt, now, now), 1 << 62, 0
        if cwnd < _LOW_WINDOW * self.mss:
            return False
        end, began, last = self._round
        if now - last <= _ACK_DELTA:
            self._round = end, began, now
            self._found = now - began > self.min_rtt // 2
        self._current = min(self._current, sample)
        if self._samples < _SAMPLES:
            self._samples += 1
        elif self._current > self.min_rtt + min(max(self.min_rtt // 8, _DELAY_MIN), _DELAY_MAX):
            self._found = True
        return self._found

    def after_timeout(self) -> "Cubic":
        return Cubic(self.mss)  # bictcp_reset

    def after_idle(self, since: int, now: int) -> None:
        """The idle time does not count: the epoch moves forward (cubictcp_cwnd_event_tx_start)."""
        if self.epoch is not None:
            self.epoch = min(self.epoch + max(now - since, 0) // _MS, now // _MS)

    def _update(self, window: int, segments: int, now: int) -> None:
        """Compute ``cnt`` from the cubic function and from ``w_est`` (4.2 to 4.5); ``now`` in ms."""
        self._acked += segments
        seen, at = self.updated
        if seen == window and now - at <= 31:  # HZ / 32
            return
        if self.epoch is None or now != at:
            self.updated = window, now
            self.cnt = self._cubic_cnt(window, segments, now)
        slope = window * _RENO_SLOPE >> 3
        while self._acked > slope:
            self._acked -= slope
            self.w_est += 1
        if self.w_est > window:
            self.cnt = min(self.cnt, window // (self.w_est - window))
        self.cnt = max(self.cnt, 2)

    def _cubic_cnt(self, window: int, segments: int, now: int) -> int:
        if self.epoch is None:
            self.epoch, self._acked, self.w_est = now, segments, window
            self.k, self.origin = 0, window
            if self.w_max > window:
                self.k, self.origin = round((_CUBE * (self.w_max - window)) ** (1 / 3)), self.w_max
        elapsed = (now - self.epoch + self.min_rtt // _MS) * _SCALE // 1000
        distance = abs(elapsed - self.k)
        gap = _C * distance**3 >> 40
        target = self.origin - gap if elapsed < self.k else self.origin + gap
        cnt = window // (target - window) if target > window else 100 * window
        return min(cnt, 20) if not self.w_max else cnt
