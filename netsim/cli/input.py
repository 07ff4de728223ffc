"""What several commands read from the command line, and where they report: integers, files that are written, stderr."""

import sys
import tempfile
from pathlib import Path
from typing import Final

from netsim.cli.errors import UsageError
from netsim.scenarios.values import read

FAILED: Final = 1
INTERRUPTED: Final = 130
SEED: Final = 1
_LARGEST: Final = 2**63 - 1
_LARGEST_TEAM: Final = 1024  # processes


def natural(name: str, given: str | None, *, minimum: int = 0, maximum: int = _LARGEST) -> int | None:
    """The integer in this range that a string stands for; None for None. UsageError otherwise."""
    if given is None:
        return None
    try:
        value: int = read(int, given, name=name)
    except ValueError:
        value = minimum - 1
    if not minimum <= value <= maximum:
        upper = f" and <= {maximum}" if maximum < _LARGEST or value > maximum else ""
        raise UsageError(f"{name} = {given}: must be an integer >= {minimum}{upper}")
    return value


def read_seed(given: str | None) -> int:
    """The root seed, or the default one."""
    seed = natural("seed", given)
    return SEED if seed is None else seed


def read_workers(given: str | None) -> int | None:
    """The number of processes; None for one per core."""
    return natural("workers", given, minimum=1, maximum=_LARGEST_TEAM)


def say(line: str) -> None:
    """One line on stderr."""
    print(f"netsim: {line}", file=sys.stderr, flush=True)


def require_writable(out: str, name: str = "out") -> None:
    """UsageError unless a file of that name can be written: better now than after hours of work."""
    target = Path(out)
    try:
        if target.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise UsageError(f"{name} = {out!r}: {problem}; must be a file in a folder that can be written") from None
