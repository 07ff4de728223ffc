"""The verdict on a script: pass, fail (where, what was expected and what was got) or unsupported (which construct)."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "fail", "unsupported"]


class Failure(Exception):
    """The host did not do what the script expects."""

    def __init__(self, line: int, reason: str, expected: str = "", got: str = "") -> None:
        super().__init__(line, reason, expected, got)
        self.line, self.reason, self.expected, self.got = line, reason, expected, got


class Unsupported(Exception):
    """The script uses a construct that the runner or the TCP core does not have."""

    def __init__(self, line: int, construct: str) -> None:
        super().__init__(line, construct)
        self.line, self.construct = line, construct


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on one script. ``line`` counts from 1.

    ``exchange`` are the last packets before the verdict, as packetdrill lines. ``malformed``: the file is not a
    packetdrill script. ``seconds`` is the duration of the run on the wall clock, the only field that differs between
    two runs.
    """

    path: str
    verdict: Outcome
    line: int | None = None
    reason: str = ""
    expected: str = ""
    got: str = ""
    exchange: tuple[str, ...] = ()
    malformed: bool = False
    seconds: float = 0.0

    def row(self) -> dict[str, str | int | float | None]:
        """The fields of the JSON report."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "line": self.line,
            "reason": self.reason,
            "seconds": self.seconds,
        }

    def report(self, *, exchange: bool) -> str:
        """The verdict with its place and reason, what was expected and got, and on request the exchange."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        lines = [f"{place}: {self.verdict}" + (f": {self.reason}" if self.reason else "")]
        if self.expected:
            lines.append(f"  expected {self.expected}")
        if self.got:
            lines.append(f"  got      {self.got}")
        if exchange:
            lines += [f"    {line}" for line in self.exchange]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report(exchange=self.verdict == "fail")
