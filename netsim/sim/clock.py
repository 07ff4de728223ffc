"""SimPy's environment with a clock in integer nanoseconds, and entries in its queue that are no SimPy events.

The only module that touches what is private in SimPy (pyproject.toml bounds its version for that reason).
"""

import random
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from itertools import count
from typing import Any

from simpy import Environment, Event, Process
from simpy.core import EmptySchedule, Infinity, StopSimulation
from simpy.events import NORMAL, URGENT, EventPriority

Act = Callable[[Any], None]
Entry = tuple[int, EventPriority, int, Act | None, Any]


class Clock(Environment):
    """A SimPy environment whose ``time`` is a number of nanoseconds; reading that attribute is no call.

    ``queue`` is a heap of entries (time, priority, number, act, subject), the numbers from ``numbers``. The arrival of
    a segment or the wake-up of a timer is an entry that calls ``act(subject)``; it costs a third of an ``Event``, which
    nobody would yield. For an event of SimPy ``act`` is None and ``subject`` the event. ``at`` adds an entry; the pump
    adds its own without that call.
    """

    def __init__(self) -> None:
        # SimPy's own constructor also binds ``process``, ``timeout`` and others to each environment.
        self.time = 0
        self.queue: list[Entry] = []
        self.numbers = count()
        self._active_proc = None

    @property
    def now(self) -> int:
        """Simulated time in nanoseconds."""
        return self.time

    def peek(self) -> int | float:
        """SimPy's ``peek``: the time of the next entry; infinite without one."""
        return self.queue[0][0] if self.queue else Infinity

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: int = 0) -> None:  # type: ignore[override]
        """SimPy's ``schedule``; but a process that ended without error, and for which nobody waits, needs no entry."""
        if event.callbacks or type(event) is not Process or not event._ok:
            heappush(self.queue, (self.time + delay, priority, next(self.numbers), None, event))
        else:
            event.callbacks = None  # type: ignore[assignment]  # SimPy's own mark of a processed event

    def at(self, time: int, priority: EventPriority, act: Act, subject: Any) -> None:
        """Call ``act(subject)`` at ``time`` (ns)."""
        heappush(self.queue, (time, priority, next(self.numbers), act, subject))

    def step(self) -> None:
        """SimPy's ``step``: the next entry. EmptySchedule if there is none."""
        if not self.queue:
            raise EmptySchedule
        self.time, _, _, act, subject = heappop(self.queue)
        if act is not None:
            return act(subject)
        callbacks, subject.callbacks = subject.callbacks, None
        for callback in callbacks:
            callback(subject)
        if not subject._ok and not hasattr(subject, "_defused"):
            raise _failure(subject)
        return None

    def run(self, until: int | float | Event | None = None) -> Any:
        """SimPy's ``run``; without an end it is SimPy's loop and ``step`` in one, which saves two calls an event."""
        if until is not None:
            return super().run(until)
        queue = self.queue
        while queue:
            self.time, _, _, act, subject = heappop(queue)
            if act is not None:
                act(subject)
                continue
            callbacks, subject.callbacks = subject.callbacks, None
            try:
                for callback in callbacks:
                    callback(subject)
            except StopSimulation as stop:  # the end of an earlier run that an exception cut short
                subject.callbacks = callbacks[callbacks.index(callback) + 1 :]
                self.schedule(subject, EventPriority(-1))
                return stop.args[0]
            if not subject._ok and not hasattr(subject, "_defused"):
                raise _failure(subject)
        return None


def _failure(event: Event) -> BaseException:
    """The exception of an event that failed and for which nobody waited, as if raised here, with its cause."""
    value = event._value
    failure: BaseException = type(value)(*value.args)
    failure.__cause__ = value
    return failure


def start(env: Clock, generator: Generator[Event, Any, Any], begin: Event) -> Process:
    """A process that begins now. SimPy's constructor makes an event to start it; here ``begin``, a past event, does.

    ValueError for what is no generator.
    """
    if not hasattr(generator, "throw"):
        raise ValueError(f"{generator!r} is not a generator")
    process: Process = Process.__new__(Process)
    process.env = env
    process.callbacks = []
    process._generator = generator
    process._target = begin
    heappush(env.queue, (env.time, URGENT, next(env.numbers), process._resume, begin))
    return process


def done(env: Environment, value: Any = None) -> Event:
    """An event in the past: a process that yields it continues immediately, and it never enters the queue."""
    event: Event = Event.__new__(Event)  # its own constructor would make a list of callbacks that nobody uses
    event.env = env
    event._ok = True
    event._value = value
    event.callbacks = None  # type: ignore[assignment]  # SimPy's own mark of a processed event
    return event


def random_priority(stream: random.Random) -> EventPriority:
    """A priority before all applications, drawn so that the order of simultaneous events is random."""
    return EventPriority(-1 - stream.getrandbits(30))
