"""Run a command line in this process."""

import contextlib
import io
from typing import NamedTuple

from netsim.cli import main


class Outcome(NamedTuple):
    """Exit status, standard output, standard error."""

    status: int
    out: str
    err: str


def netsim(*words: str) -> Outcome:
    """``netsim WORDS``."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    return Outcome(status, out.getvalue(), err.getvalue())
