"""Events that the shell puts into SimPy's queue itself: arrivals and alarms, a callback each and no process."""

import random
from collections.abc import Callable
from heapq import heappop
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from simpy import Environment, Event
from simpy.core import StopSimulation
from simpy.events import EventPriority


class Clock(Environment):
    """SimPy's environment with a clock in integer nanoseconds."""

    if not TYPE_CHECKING:
        now = property(attrgetter("_now"))  # SimPy's own, without a Python call: it is read several times an event

    if TYPE_CHECKING:
        _queue: list[tuple[int, EventPriority, int, Event | "Ring"]]  # type: ignore[assignment]

        @property
        def now(self) -> int: ...

    def run(self, until: int | float | Event | None = None) -> Any:
        """SimPy's ``run``. Without an end, arrivals and alarms are served without a call of ``step`` for each."""
        if until is not None:
            return super().run(until)
        queue = self._queue
        try:
            while queue:
                ring = queue[0][3]
                if type(ring) is Ring:
                    self._now = heappop(queue)[0]
                    ring.callbacks[0](ring)
                else:
                    self.step()
        except StopSimulation as stop:  # an event that an earlier run was to end with
            return stop.args[0]
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
