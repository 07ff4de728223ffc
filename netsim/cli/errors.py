"""What the user did wrong: one line that names the field, its value and what is allowed."""

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """Bad input; its text is the line on stderr, and the exit status is 2."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean loss?" if ``word`` is close to one of the ``known``, else nothing."""
    close = difflib.get_close_matches(word.lower(), filter(None, known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def pick(field: str, word: str, known: Iterable[str]) -> str:
    """The one of ``known`` that ``word`` names, with - and _ alike. UsageError, with a guess, for any other."""
    names = list(known)
    for name in names:
        if name.replace("_", "-") == word.replace("_", "-"):
            return name
    raise UsageError(f"{field} = {word!r}: must be one of {', '.join(names)}{did_you_mean(word, names)}")
