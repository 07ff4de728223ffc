"""What became of a script: pass, fail (where, and what was expected and got) or unsupported (which construct)."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "fail", "unsupported"]


class Failure(Exception):
    """The host did something else than the script expects."""

    def __init__(self, line: int, reason: str, expected: str = "", got: str = "") -> None:
        super().__init__(line, reason, expected, got)
        self.line, self.reason, self.expected, self.got = line, reason, expected, got


class Unsupported(Exception):
    """The script uses something that the runner or the TCP core does not have: ``construct`` names it."""

    def __init__(self, line: int, construct: str) -> None:
        super().__init__(line, construct)
        self.line, self.construct = line, construct


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One script's result. ``line`` counts from 1; ``exchange`` is what went before (or, of a pass, the last of it), as
    packetdrill lines.

    ``malformed`` tells that the file is no packetdrill script. ``seconds`` is how long the run took on the wall clock:
    the only thing here that differs from run to run.
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

    def text(self, *, exchange: bool) -> str:
        """Where and why, what was expected and got, and on request the exchange."""
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
        return self.text(exchange=self.verdict == "fail")
