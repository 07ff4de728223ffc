"""Events that the shell puts into SimPy's queue itself: arrivals and alarms, a callback each and no process."""

import random
from collections.abc import Callable
from heapq import heappop
from typing import TYPE_CHECKING, Any

from simpy import Environment, Event
from simpy.core import StopSimulation
from simpy.events import EventPriority


class Clock(Environment):
    """SimPy's environment with a clock in integer nanoseconds; this package reads ``_now``, which is no call."""

    if TYPE_CHECKING:
        _now: int
        _queue: list[tuple[int, EventPriority, int, Any]]  # type: ignore[assignment]

        @property
        def now(self) -> int: ...

    def run(self, until: int | float | Event | None = None) -> Any:
        """SimPy's ``run``; without an end it is SimPy's loop and ``step`` in one, which saves two calls an event."""
        if until is not None:
            return super().run(until)
        queue = self._queue
        while queue:
            self._now, _, _, event = heappop(queue)
            if type(event) is Ring:
                event.callbacks[0](event)
                continue
            callbacks, event.callbacks = event.callbacks, None
            try:
                for callback in callbacks:
                    callback(event)
            except StopSimulation as stop:  # the end of an earlier run that an exception cut short
                event.callbacks = callbacks[callbacks.index(callback) + 1 :]
                self.schedule(event, EventPriority(-1))
                return stop.args[0]
            if not event._ok and not hasattr(event, "_defused"):
                failure = type(event._value)(*event._value.args)
                failure.__cause__ = event._value
                raise failure
        return None


class Ring:
    """What SimPy's loop asks of an event, and no more: its callbacks are called in time, and nobody yields it.

    A third of the price of an ``Event``: no dictionary, and the two fields are set from outside, without a call.
    ``callbacks`` has one entry, and all rings of one kind and host share the list.
    """

    __slots__ = ("callbacks", "content")

    _ok = True

    callbacks: "Callbacks"
    content: Any


Callbacks = list[Callable[[Ring], None]]


def done(env: Environment, value: Any = None) -> Event:
    """An event in the past: whoever yields it goes on at once, and SimPy's queue never sees it."""
    event = Event(env)
    event._ok = True
    event._value = value
    event.callbacks = None  # type: ignore[assignment]  # SimPy's own mark of a processed event
    return event


def shuffled(stream: random.Random) -> EventPriority:
    """A random priority before all applications: the order of things at one instant is then drawn, not decided."""
    return EventPriority(-1 - stream.getrandbits(30))
