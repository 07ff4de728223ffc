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

        def schedule(self, event: Event | "Ring", priority: EventPriority = ..., delay: int | float = ...) -> None: ...


class Ring:
    """What SimPy's loop asks of an event, and no more: it calls ``callback`` when its time comes, and nobody yields it.

    Half the price of an ``Event``, which has a dictionary.
    """

    __slots__ = ("callbacks", "content")

    _ok = True

    def __init__(self, callback: Callable[["Ring"], None], content: Any) -> None:
        self.callbacks = [callback]
        self.content = content


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
