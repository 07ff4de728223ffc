"""The identity of a function that a user writes: module, qualified name, and a digest of its source.

A point of a sweep is identified by its content. A function has none that could be compared, and its pickle changes
with the version of Python; so two functions are the same if their sources are. What the source refers to outside itself
(global variables, other functions) does not count; what it captures from an enclosing function does, if that is plain.
"""

import inspect
import textwrap
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

_DIGITS = 8  # bytes of the digest


def identity(function: Callable[..., Any], name: str | None = None) -> str:
    """``module.qualified_name:digest of the source``, or ``name`` where one is given.

    The source is that of the ``def`` statement, without its indentation, and the values that a closure captures; of a
    lambda it is the whole line, and the column where the lambda begins. ValueError, which asks for a name, if the
    source cannot be read or a captured value is not plain (None, bool, int, float, str, bytes or tuples of these).
    """
    if name is not None:
        return name
    shown = getattr(function, "__qualname__", repr(function))
    if not inspect.isfunction(function):
        raise ValueError(f"{shown}: is not a function with a source; give it an identity, name=...")
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise ValueError(f"{shown}: its source cannot be read; give it an identity, name=...") from None
    parts = [source, *_captured(function, shown)]
    if function.__name__ == "<lambda>":
        parts.append(str(next((column for *_, column, _ in function.__code__.co_positions() if column), 0)))
    digest = blake2b("\0".join(parts).encode(), digest_size=_DIGITS).hexdigest()
    return f"{function.__module__}.{shown}:{digest}"


def _captured(function: Any, shown: str) -> list[str]:
    """What a closure captures, as text."""
    found = []
    for variable, cell in sorted(inspect.getclosurevars(function).nonlocals.items()):
        if not _is_plain(cell):
            raise ValueError(f"{shown}: captures {variable} = {cell!r}; give it an identity, name=...")
        found.append(f"{variable}={cell!r}")
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, bool | int | float | str | bytes | None)
