"""Events that the shell puts into SimPy's queue itself: arrivals and alarms, a callback each and no process."""

import random
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from simpy import Environment, Event
from simpy.events import EventPriority


class Clock(Environment):
    """SimPy's environment with a clock in integer nanoseconds."""

    if not TYPE_CHECKING:
        now = property(attrgetter("_now"))  # SimPy's own, without a Python call: it is read several times an event

    if TYPE_CHECKING:

        @property
        def now(self) -> int: ...

        def schedule(self, event: Event | "Ring", priority: EventPriority = ..., delay: int | float = ...) -> None: ...


class Ring:
    """What SimPy's loop asks of an event, and no more: its callbacks are called in time, and nobody yields it.

    A third of the price of an ``Event``: no dictionary, and the two fields are set from outside, without a call.
    """

    __slots__ = ("callbacks", "content")

    _ok = True

    callbacks: list[Callable[["Ring"], None]]
    content: Any


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
