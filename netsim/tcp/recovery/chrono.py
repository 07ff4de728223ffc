"""How a sender has spent its time, as TCP_INFO tells it (net/ipv4/tcp_output.c, tcp_chrono_start), and its records."""

from collections import deque
from dataclasses import dataclass

from netsim.tcp.seq import HALF, MASK

NOT_RUNNING = -1


@dataclass(slots=True)
class Stopwatch:
    """Sums the stretches of time in which something holds; ns."""

    since: int = NOT_RUNNING
    total: int = 0

    def holds(self, *, true: bool, now: int) -> None:
        """From now on it holds, or does not."""
        if true and self.since == NOT_RUNNING:
            self.since = now
        elif not true and self.since != NOT_RUNNING:
            self.total += now - self.since
            self.since = NOT_RUNNING

    def read(self, now: int) -> int:
        """The sum so far."""
        return self.total + (now - self.since if self.since != NOT_RUNNING else 0)


@dataclass(slots=True)
class Chrono:
    """``busy``: there is text that is not acknowledged; ``limited``: the peer's window holds some of it back.

    ``records``: the numbers behind the ends of records, which no segment spans (MSG_EOR), or None before the first.
    """

    busy: Stopwatch
    limited: Stopwatch
    records: deque[int] | None = None

    def update(self, now: int, *, text: bool, held_back: bool) -> None:
        """What holds from now on."""
        self.busy.holds(true=text, now=now)
        self.limited.holds(true=held_back, now=now)


def chrono() -> Chrono:
    """Nothing has been sent yet."""
    return Chrono(Stopwatch(), Stopwatch())


def within_record(records: deque[int], start: int, size: int, end: int) -> tuple[int, bool]:
    """The size of a segment from ``start`` that spans no record's end; whether it ends a record before ``end``.

    Records that ended before are forgotten.
    """
    while records and (start - records[0]) & MASK < HALF:
        records.popleft()
    if not records:
        return size, False
    room = (records[0] - start) & MASK
    return (room, records[0] != end) if room <= size else (size, False)
