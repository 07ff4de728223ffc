"""Wrong input from the user: one line that names the field, its value and what is allowed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from netsim.units import did_you_mean


class UsageError(ValueError):
    """Wrong input; its message is the line on stderr, and the exit status is 2."""


@contextmanager
def checked_input() -> Iterator[None]:
    """Turn a ValueError of the code that reads the user's input into a UsageError, with the same message."""
    try:
        yield
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from None


def pick(field: str, word: str, known: Iterable[str]) -> str:
    """The one of ``known`` that ``word`` names, with - and _ alike. UsageError, with a suggestion, for any other."""
    names = list(known)
    for name in names:
        if name.replace("_", "-") == word.replace("_", "-"):
            return name
    raise UsageError(f"{field} = {word!r}: must be one of {', '.join(names)}{did_you_mean(word, names)}")
