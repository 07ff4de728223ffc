"""Events that the shell puts into SimPy's queue itself: arrivals and wake-ups, a call each and no process."""

import random
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from simpy import Environment, Event, Process
from simpy.core import EmptySchedule, StopSimulation
from simpy.events import NORMAL, URGENT, EventPriority

Act = Callable[[Any], None]


class Clock(Environment):
    """SimPy's environment with a clock in integer nanoseconds; this package reads ``_now``, which is no call.

    An entry of its queue is (time, priority, number, act, subject). An arrival or a wake-up is ``act(subject)``, which
    costs a third of an ``Event``: no process yields it. For a SimPy event ``act`` is None and ``subject`` the event.
    """

    if TYPE_CHECKING:
        _now: int
        _queue: list[tuple[int, EventPriority, int, Act | None, Any]]  # type: ignore[assignment]

        @property
        def now(self) -> int: ...

    def __init__(self) -> None:
        # SimPy's own also binds ``process``, ``timeout`` and others to each environment; they are found without.
        self._now = 0
        self._queue = []
        self._eid = count()
        self._active_proc = None

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: int = 0) -> None:  # type: ignore[override]
        """SimPy's ``schedule``; but a process that has ended well, and that nobody waits for, is over at once."""
        if event.callbacks or type(event) is not Process or not event._ok:
            heappush(self._queue, (self._now + delay, priority, next(self._eid), None, event))
        else:
            event.callbacks = None  # type: ignore[assignment]  # SimPy's own mark of a processed event

    def at(self, time: int, priority: EventPriority, act: Act, subject: Any) -> None:
        """Call ``act(subject)`` at ``time`` (ns)."""
        heappush(self._queue, (time, priority, next(self._eid), act, subject))

    def step(self) -> None:
        """SimPy's ``step``: the next entry. EmptySchedule if there is none."""
        if not self._queue:
            raise EmptySchedule
        self._now, _, _, act, subject = heappop(self._queue)
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
        queue = self._queue
        while queue:
            self._now, _, _, act, subject = heappop(queue)
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
    """What an event that failed, and that nobody waited for, raises: the exception as if from here, and its cause."""
    value = event._value
    failure: BaseException = type(value)(*value.args)
    failure.__cause__ = value
    return failure


def start(env: Clock, generator: Generator[Event, Any, Any], begin: Event) -> Process:
    """A process that begins at this instant. SimPy's constructor makes an event for that; here ``begin``, past, is it.

    ValueError for what is no generator.
    """
    if not hasattr(generator, "throw"):
        raise ValueError(f"{generator!r} is not a generator")
    process: Process = Process.__new__(Process)
    process.env = env
    process.callbacks = []
    process._generator = generator
    process._target = begin
    heappush(env._queue, (env._now, URGENT, next(env._eid), process._resume, begin))
    return process


def done(env: Environment, value: Any = None) -> Event:
    """An event in the past: whoever yields it goes on at once, and SimPy's queue never sees it."""
    event: Event = Event.__new__(Event)  # its own constructor would make a list of callbacks that nobody uses
    event.env = env
    event._ok = True
    event._value = value
    event.callbacks = None  # type: ignore[assignment]  # SimPy's own mark of a processed event
    return event


def shuffled(stream: random.Random) -> EventPriority:
    """A random priority before all applications: the order of things at one instant is then drawn, not decided."""
    return EventPriority(-1 - stream.getrandbits(30))
