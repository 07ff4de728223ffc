"""A position in the source of a script, which takes tokens by pattern and reports where it expected another one."""

import re
from bisect import bisect_right
from typing import NoReturn

from netsim.referees.packetdrill.language.script import ScriptError

_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)


class Cursor:
    """Reads ``source`` from left to right. White space and comments before a token are skipped."""

    def __init__(self, source: str, path: str) -> None:
        self.source = source
        self.path = path
        self.position = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]

    def skip(self) -> None:
        """Skip white space and comments."""
        match = _BLANK.match(self.source, self.position)
        if match is not None:
            self.position = match.end()
        if self.source.startswith("/*", self.position):
            self.fail("the end of this comment, '*/'")

    def peek(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The next token if it matches; the position does not change."""
        self.skip()
        return pattern.match(self.source, self.position)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take the next token if it matches, or return None."""
        match = self.peek(pattern)
        if match is not None:
            self.position = match.end()
        return match

    def expect(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        """Take the next token. ScriptError, which says that ``what`` was expected, if it does not match."""
        match = self.take(pattern)
        return match if match is not None else self.fail(what)

    def accept(self, token: str) -> bool:
        """Take ``token`` if it is next."""
        self.skip()
        if not self.source.startswith(token, self.position):
            return False
        self.position += len(token)
        return True

    def require(self, token: str) -> None:
        """Take ``token``; ScriptError if something else is next."""
        if not self.accept(token):
            self.fail(f"'{token}'")

    def skip_to(self, pattern: re.Pattern[str]) -> None:
        """Move to where ``pattern`` is found, or to the end."""
        match = pattern.search(self.source, self.position)
        self.position = match.start() if match is not None else len(self.source)

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        self.skip()
        return self.position >= len(self.source)

    @property
    def line(self) -> int:
        """The line of the next token, from 1."""
        self.skip()
        return bisect_right(self._starts, self.position)

    def fail(self, what: str) -> NoReturn:
        """Raise ScriptError at this position."""
        line = bisect_right(self._starts, self.position)
        raise ScriptError(self.path, line, self.position - self._starts[line - 1] + 1, what)
