"""What calls return, and the symbols in their arguments."""

from collections.abc import Callable
from typing import NamedTuple

from netsim.referees.packetdrill.language.script import Either, Expression, Items, Name, Number


class Result(NamedTuple):
    """What a call returns; ``errno`` if it failed."""

    value: int
    errno: str | None = None


Attempt = Callable[[], Result | None]


def names(expression: Expression) -> set[str]:
    """The symbols of an argument such as ``O_RDWR|O_NONBLOCK``; numbers other than 0 count as themselves."""
    parts = expression.parts if isinstance(expression, Either) else (expression,)
    found = {part.value for part in parts if isinstance(part, Name)}
    return found | {str(part.value) for part in parts if isinstance(part, Number) and part.value}


def pointed(expression: Expression) -> Expression:
    """What ``[x]`` points to."""
    if isinstance(expression, Items) and len(expression.items) == 1:
        return expression.items[0]
    return expression
