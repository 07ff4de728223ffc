"""Events that the shell puts into SimPy's queue itself: arrivals and alarms, a callback each and no process."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simpy import Environment, Event
from simpy.events import EventPriority


class Clock(Environment):
    """SimPy's environment with a clock in integer nanoseconds."""

    if TYPE_CHECKING:

        @property
        def now(self) -> int: ...


class Ring(Event):
    """An event that calls ``callback`` when its time comes; it has succeeded from the start and nobody yields it."""

    def __init__(self, env: Environment, callback: Callable[[Any], None], content: Any = None) -> None:
        self.env = env
        self.callbacks = [callback]
        self._value = content
        self._ok = True


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
