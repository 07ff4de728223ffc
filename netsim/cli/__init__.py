"""The command line. ``main`` is the entry point; what a command needs is imported when it runs.

Theory of operation
-------------------

``commands.py`` declares every command as a function and builds the cyclopts application around them. ``netsim run`` and
``netsim trace`` have a sub-command for each scenario; ``options.py`` makes its options from the fields of ``Params``,
so that a new parameter needs no line here. What was given goes, still as strings, into a ``Request`` (request.py),
which adds the values of a file (``--config``) and builds the parameters by ``netsim.scenarios.names``: the names and
units are those of Python.

Each command does its work in a module of its own: ``run.py`` (with ``report.py`` for the table or the JSON object, and
``against.py`` for paired differences), ``trace.py``, ``listing.py`` (``netsim list``), ``explain.py``,
``reproduce.py``, ``compare.py`` and ``packetdrill.py``. It prints its result to stdout, everything else to stderr
(input.py), and returns the exit status. Wrong input is a ``UsageError`` or a ``ValueError``: one line that names the
parameter, its value and what is allowed, and exit status 2 (errors.py).
"""

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import netsim

TITLE: Final = "netsim: a discrete-event simulator of the TCP connection lifecycle"
AUTHORS: Final = "The netsim authors"
VERSION: Final = f"netsim {netsim.__version__}\nCite as: {AUTHORS}. {TITLE}. Version {netsim.__version__}."

WELCOME: Final = """netsim simulates the TCP connection lifecycle. Three commands to try:

  netsim trace setup --loss 30% --seed 5 --text     one connection attempt as a ladder
  netsim run setup --loss 10% --profile linux       how long it takes to open one: 2000 runs, theory beside them
  netsim reproduce                                  all figures, into the folder results

netsim list shows what there is, netsim --help the commands."""

_USAGE: Final = 2
_INTERRUPTED: Final = 130
_OUTPUT_STUCK: Final = (errno.EPIPE, errno.ENOSPC)  # the reader has gone (netsim list | head), or the disk is full


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (by default that of this process).

    Returns the exit status: 0 done, 1 something failed, 2 bad input (one line on stderr), 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: _run(words))


def script(main: Callable[..., Any]) -> None:
    """The command line of one experiment: ``if __name__ == "__main__": script(main)``. It ends the process."""
    from netsim.cli.reproduce import run_script

    sys.exit(guarded(lambda: run_script(main, sys.argv[1:])))


def guarded(act: Callable[[], int]) -> int:
    """The exit status of ``act``; bad input and interrupts (Ctrl-C, SIGTERM) become a line on stderr."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us: netsim list >&-
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    try:
        try:
            with _terminated_like_interrupted():
                return act()
        except Exception as error:
            line = _bad_input(error)
            if line is None:
                if _interrupted(error):
                    raise KeyboardInterrupt from None
                raise
            print(f"netsim: {line}", file=sys.stderr)
            return _USAGE
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("netsim: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except UnicodeEncodeError as error:
        sign = error.object[error.start]
        print(f"netsim: output cannot be written: {error.encoding} has no {sign!a}; UTF-8 has", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in _OUTPUT_STUCK:
            raise
        if error.errno == errno.ENOSPC:
            print(f"netsim: output cannot be written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end the worker processes in order and keep what is done, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():  # only there may a handler be set
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(words: list[str]) -> int:
    if not words:
        print(WELCOME)
        return 0
    if words[0] == "--version":
        print(VERSION)
        return 0
    from netsim.cli.commands import application
    from netsim.cli.options import without_dots

    app = application(words, version=VERSION)
    status: int | None = app(without_dots(words), exit_on_error=False, print_error=False)
    return status or 0


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C lies behind it: what breaks off inside an import may come out as another error."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _bad_input(error: Exception) -> str | None:
    """The line for what the user did wrong; None for an error that is ours."""
    from cyclopts import CycloptsError

    from netsim.cli.errors import UsageError

    if isinstance(error, CycloptsError | UsageError):
        return " ".join(str(error).split())
    return None
