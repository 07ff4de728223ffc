"""``netsim packetdrill``: a verdict on each script and a table by folder; ``netsim trace --packetdrill`` writes one."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import netsim
from netsim.cli.errors import UsageError, pick
from netsim.cli.input import read_workers, require_writable
from netsim.cli.trace import Run
from netsim.referees.packetdrill import Verdict, run_paths, script_from_trace
from netsim.referees.packetdrill.host_under_test import LOG_LINES
from netsim.study.text import aligned
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import PROFILES

DEFAULT: Final = "rfc9293"
ENDS: Final = ("client", "server")
FAILED: Final = 1
MALFORMED: Final = 2
_OUTCOMES: Final = ("pass", "fail", "unsupported")


def check(
    paths: Sequence[str],
    *,
    profile: str | None,
    define: Sequence[str],
    workers: str | None,
    strict: bool,
    as_json: bool,
    trace: bool,
) -> int:
    """Run the scripts, print the verdicts, and return the exit status.

    0: no script failed. 1: a script failed. 2: no script failed, but a file is not a packetdrill script. UsageError for
    wrong input.
    """
    if not paths:
        raise UsageError("paths: must be packetdrill scripts, or folders with *.pkt files")
    for path in paths:
        _require_readable(path)
    try:
        verdicts = run_paths(
            paths,
            profile=pick("profile", profile or DEFAULT, PROFILES),
            defines=_symbols(define),
            strict=strict,
            log_lines=None if trace else LOG_LINES,
            workers=read_workers(workers),
        )
        done = list(verdicts) if as_json else list(_printed(verdicts, trace=trace))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise UsageError(f"path = {error.filename!r}: cannot be read: {error.strerror}") from None
    print(_as_json(done, trace=trace) if as_json else _summary(done))
    if any(verdict.verdict == "fail" for verdict in done):
        return FAILED
    return MALFORMED if any(verdict.malformed for verdict in done) else 0


def write(run: Run, *, end: str | None, path: str) -> None:
    """Write what one end of a run saw as a packetdrill script. UsageError for what no script can express."""
    require_writable(path, "packetdrill")
    host = pick("end", end or ENDS[0], ENDS)
    title = f"{run.title}, as the {host} saw it; written by netsim {netsim.__version__}\n{run.outcome}"
    config = getattr(run.params, host, None)
    if not isinstance(config, TcpConfig):
        raise UsageError(f"end = {host!r}: this scenario has no such end")
    try:
        script = script_from_trace(run.trace, host=host, config=config, title=title)
    except ValueError as error:
        raise UsageError(f"packetdrill = {path!r}: {error}") from None
    Path(path).write_text(script)


def _require_readable(path: str) -> None:
    """UsageError unless it is a file, or a folder that contains scripts."""
    place = Path(path)
    try:
        there = place.is_file() or any(place.rglob("*.pkt"))
    except (OSError, ValueError):
        there = False
    if not there:
        problem = "contains no *.pkt file" if place.is_dir() else "does not exist"
        raise UsageError(f"path = {path!r}: {problem}; must be a packetdrill script, or a folder with *.pkt files")


def _symbols(define: Sequence[str]) -> Mapping[str, str]:
    """The definitions ``NAME`` and ``NAME=VALUE`` of the command line."""
    symbols = {}
    for word in define:
        name, _, value = word.partition("=")
        if not (name.isascii() and name.isidentifier()):
            raise UsageError(f"define = {word!r}: must be NAME or NAME=VALUE, with a name of letters, digits and _")
        symbols[name] = value
    return symbols


def _printed(verdicts: Iterable[Verdict], *, trace: bool) -> Iterable[Verdict]:
    """The verdicts, each of which is printed as soon as it is known."""
    for verdict in verdicts:
        print(verdict.report(exchange=trace or verdict.verdict == "fail"), flush=True)
        yield verdict


def _summary(verdicts: Sequence[Verdict]) -> str:
    """A table of the verdicts by folder, and in total."""
    folders: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        folders.setdefault(str(Path(verdict.path).parent), Counter())[verdict.verdict] += 1
    rows = [(name, *(str(counts[o]) for o in _OUTCOMES)) for name, counts in folders.items()]
    total = Counter(verdict.verdict for verdict in verdicts)
    cells = [("folder", *_OUTCOMES), *rows, ("total", *(str(total[o]) for o in _OUTCOMES))]
    return "\n".join(["", *aligned(cells)])


def _as_json(verdicts: Sequence[Verdict], *, trace: bool) -> str:
    total = Counter(verdict.verdict for verdict in verdicts)
    scripts = [v.row() | ({"exchange": list(v.exchange)} if trace else {}) for v in verdicts]
    return json.dumps({"summary": {o: total[o] for o in _OUTCOMES}, "scripts": scripts}, indent=2)
