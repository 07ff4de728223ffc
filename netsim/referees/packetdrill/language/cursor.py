"""A place in a script's text: takes tokens by pattern and says where something else was expected."""

import re
from bisect import bisect_right
from typing import NoReturn

from netsim.referees.packetdrill.language.script import ScriptError

_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)


class Cursor:
    """Reads ``text`` from left to right. White space and comments before a token are passed over."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path
        self.position = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def skip(self) -> None:
        """Pass over white space and comments."""
        match = _BLANK.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
        if self.text.startswith("/*", self.position):
            self.fail("the end of this comment, '*/'")

    def peek(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The next token if it matches; it stays where it is."""
        self.skip()
        return pattern.match(self.text, self.position)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The next token if it matches."""
        match = self.peek(pattern)
        if match is not None:
            self.position = match.end()
        return match

    def expect(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        """The next token; ScriptError, saying ``what`` was expected, if it does not match."""
        match = self.take(pattern)
        return match if match is not None else self.fail(what)

    def accept(self, token: str) -> bool:
        """Take ``token`` if it is next."""
        self.skip()
        if not self.text.startswith(token, self.position):
            return False
        self.position += len(token)
        return True

    def require(self, token: str) -> None:
        """Take ``token``; ScriptError if something else is next."""
        if not self.accept(token):
            self.fail(f"'{token}'")

    def pass_over(self, pattern: re.Pattern[str]) -> None:
        """Go to where ``pattern`` is found, or to the end."""
        match = pattern.search(self.text, self.position)
        self.position = match.start() if match is not None else len(self.text)

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        self.skip()
        return self.position >= len(self.text)

    @property
    def line(self) -> int:
        """The line of the next token, from 1."""
        self.skip()
        return bisect_right(self._starts, self.position)

    def fail(self, what: str) -> NoReturn:
        """ScriptError at this place."""
        line = bisect_right(self._starts, self.position)
        raise ScriptError(self.path, line, self.position - self._starts[line - 1] + 1, what)
