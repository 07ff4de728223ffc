"""A connection's timers: absolute deadlines (ns) in one small list, and the timer wheel of a real kernel.

A timer is armed by writing its deadline, and stopped by writing NEVER. The driver has a few wake-ups pending for a
connection, and none is ever cancelled: one that comes too early finds no timer expired and sets the next wake-up.
"""

import itertools
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

Connection = TypeVar("Connection")  # the TCB, which names the timers and so stands above them

# In the order in which timers with the same deadline expire.
USER: Final = 0  # user timeout (RFC 9293 3.8.3), connection establishment included
TIME_WAIT_TIMER: Final = 1  # 2MSL in TIME-WAIT (RFC 9293 3.4.2)
FIN_WAIT_2_TIMER: Final = 1  # an orphaned connection in FIN-WAIT-2; a slot for both, since a connection is in one state
REXMT: Final = 2  # retransmission of SYN, SYN-ACK, data, FIN (RFC 6298)
PROBE: Final = 3  # tail loss probe (RFC 8985 7); while it is running, REXMT is not
REORDERING: Final = 3  # RACK's reordering timer (RFC 8985 6.3), never together with a probe
PERSIST: Final = 4  # zero-window probe (RFC 9293 3.8.6.1)
DELACK: Final = 5  # delayed ACK (RFC 9293 3.8.6.3)
KEEPALIVE: Final = 6  # RFC 9293 3.8.4
COUNT: Final = 7

NEVER: Final = 1 << 62

_NS: Final = 1_000_000_000
_LEVEL_SLOTS: Final = 64  # slots of a level; the next level is eight times as coarse: kernel/time/timer.c
_LEVELS: Final = 9


def idle() -> list[int]:
    """The deadlines of a connection with no timer running."""
    return [NEVER] * COUNT


class TimerQueue(Generic[Connection]):
    """The wake-ups of all connections, for a driver without an event queue of its own. None is ever cancelled."""

    __slots__ = ("_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Connection]] = []
        self._order = itertools.count()

    def add(self, deadline: int, tcb: Connection) -> None:
        """Wake ``tcb`` at ``deadline``."""
        heappush(self._heap, (deadline, next(self._order), tcb))

    def earliest(self) -> int:
        """The first deadline; NEVER if there is none."""
        return self._heap[0][0] if self._heap else NEVER

    def due(self, now: int) -> Iterator[Connection]:
        """The connections with a wake-up due by ``now``, in the order of deadlines, including those added meanwhile."""
        while self._heap and self._heap[0][0] <= now:
            yield heappop(self._heap)[2]

    def clear(self) -> None:
        """Remove all wake-ups."""
        self._heap.clear()


def wheel_deadline(now: int, delay: int, *, hz: int, phase: int) -> int:
    """When a timer armed at ``now`` for ``delay`` expires on a kernel's timer wheel, all in ns; never early.

    The wheel ticks ``hz`` times a second, with ticks at ``phase`` modulo the tick. Level 0 has slots of one tick for
    delays below 63 ticks; each further level is eight times as coarse and reaches eight times as far. The deadline
    is rounded up to the end of a slot (kernel/time/timer.c, calc_index). ``phase`` may be as long as the coarsest
    slot in use: it is where this host's clock stood at simulated time 0.
    """
    tick = _NS // hz
    local = now + phase
    jiffies = local // tick
    ticks = -(-delay // tick)
    limit, granularity = _LEVEL_SLOTS - 1, 1
    for _ in range(_LEVELS - 1):
        if ticks < limit:
            break
        limit, granularity = limit * 8, granularity * 8
    # The next slot's end, even from a slot's very start: part of the current tick has already gone by.
    slot = ((jiffies + ticks) // granularity + 1) * granularity
    return slot * tick - phase
