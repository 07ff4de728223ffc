"""How a sender has spent its time, as TCP_INFO reports it (net/ipv4/tcp_output.c, tcp_chrono_start)."""

from dataclasses import dataclass, field

NOT_RUNNING = -1


@dataclass(slots=True)
class Stopwatch:
    """Sums the periods (ns) in which a condition holds."""

    since: int = NOT_RUNNING
    total: int = 0

    def update(self, *, holds: bool, now: int) -> None:
        """From ``now`` on the condition holds, or does not."""
        if holds and self.since == NOT_RUNNING:
            self.since = now
        elif not holds and self.since != NOT_RUNNING:
            self.total += now - self.since
            self.since = NOT_RUNNING

    def read(self, now: int) -> int:
        """The sum (ns) up to ``now``."""
        return self.total + (now - self.since if self.since != NOT_RUNNING else 0)


@dataclass(slots=True)
class SendTimes:
    """``busy``: data is unacknowledged (tcpi_busy_time). ``rwnd_limited``: the peer's window delays some of it
    (tcpi_rwnd_limited)."""

    busy: Stopwatch = field(default_factory=Stopwatch)
    rwnd_limited: Stopwatch = field(default_factory=Stopwatch)

    def update(self, now: int, *, data: bool, rwnd_limited: bool) -> None:
        """Whether, from ``now`` on, data is unacknowledged, and only the peer's window delays the rest of it."""
        self.busy.update(holds=data, now=now)
        self.rwnd_limited.update(holds=rwnd_limited, now=now)

    def stop(self, now: int) -> None:
        """All data is acknowledged."""
        self.busy.update(holds=False, now=now)
        self.rwnd_limited.update(holds=False, now=now)
