"""Runs packetdrill scripts against the TCP core on a virtual clock: no shell, no network, no waiting.

Inbound packets, calls, commands and code happen at their time, after the timers that are due then. Outbound packets
are taken from what the host sent, in order, and the time of sending is checked.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from netsim.referees.packetdrill.commands import carry_out
from netsim.referees.packetdrill.host_under_test import LOG_LINES, Exchange
from netsim.referees.packetdrill.language.parser import defined, parse, parse_file
from netsim.referees.packetdrill.language.script import Conditional, Event, Script, ScriptError
from netsim.referees.packetdrill.platform import Host, host
from netsim.referees.packetdrill.player import Play
from netsim.referees.packetdrill.settings import settings_of
from netsim.referees.packetdrill.verdict import Failure, Unsupported, Verdict
from netsim.sweep.pool import UNAVAILABLE, Pool, cores

_WORTH_A_PROCESS = 150  # scripts; below that, starting a process takes longer than running them

Defines = Mapping[str, str] | Iterable[str]


def run_script(
    path: str | Path,
    *,
    profile: str = "rfc9293",
    defines: Defines = (),
    strict: bool = False,
    log_lines: int | None = LOG_LINES,
) -> Verdict:
    """The verdict on one file.

    ``defines``: names, or names with values; ``#ifdef`` asks for them, and they stand for numbers and words.
    ``strict`` also fails a script at whose end segments are left over. ``log_lines``: how many of the last segments
    the verdict's exchange holds; None: all. ValueError for an unknown profile, OSError for
    a file that cannot be read. A file that is no script is unsupported, with the place and what was expected there.
    """
    symbols = _symbols(defines)
    return _verdict(
        str(path),
        partial(parse_file, path, symbols),
        host(profile, symbols),
        symbols,
        strict=strict,
        log_lines=log_lines,
    )


def run_text(
    text: str,
    *,
    path: str = "<script>",
    profile: str = "rfc9293",
    defines: Defines = (),
    strict: bool = False,
    log_lines: int | None = LOG_LINES,
) -> Verdict:
    """As ``run_script``, for a script that is no file."""
    symbols = _symbols(defines)
    return _verdict(
        path, partial(parse, text, path, symbols), host(profile, symbols), symbols, strict=strict, log_lines=log_lines
    )


def run_paths(
    paths: Sequence[str | Path],
    *,
    profile: str = "rfc9293",
    defines: Defines = (),
    strict: bool = False,
    log_lines: int | None = LOG_LINES,
    workers: int | None = 1,
) -> Iterator[Verdict]:
    """The verdicts on files, and on all ``*.pkt`` files below folders, in order of their paths.

    ``workers`` is the number of processes; None: one per core, if there are enough files to be worth it. A file that is
    named twice is run once. ValueError and OSError as for ``run_script``.
    """
    host(profile)
    run = partial(run_script, profile=profile, defines=_symbols(defines), strict=strict, log_lines=log_lines)
    files = list(dict.fromkeys(file for path in paths for file in _files(Path(path))))
    workers = min(cores(), len(files) // _WORTH_A_PROCESS) if workers is None else min(workers, len(files))
    yield from map(run, files) if workers < 2 else _in_processes(run, files, workers)


def _in_processes(run: Callable[[Path], Verdict], files: Sequence[Path], workers: int) -> Iterator[Verdict]:
    """``run`` of each file, in their order, on that many processes; in this one where there can be no others."""
    size = -(-len(files) // (4 * workers))
    chunks = [files[i : i + size] for i in range(0, len(files), size)]
    try:
        pool = Pool(workers)
        futures = [pool.submit(_each, run, chunk) for chunk in chunks]
    except UNAVAILABLE:
        yield from map(run, files)
        return
    try:
        for future in futures:
            yield from future.result()
    except BaseException:
        pool.kill()
        raise
    pool.close()


def _each(run: Callable[[Path], Verdict], files: Sequence[Path]) -> list[Verdict]:
    return [run(file) for file in files]


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.pkt")) if path.is_dir() else [path]


def _symbols(defines: Defines) -> dict[str, str]:
    return dict(defines) if isinstance(defines, Mapping) else dict.fromkeys(defines, "")


def _verdict(
    path: str,
    read: "partial[Script]",
    machine: Host,
    symbols: Mapping[str, str],
    *,
    strict: bool,
    log_lines: int | None,
) -> Verdict:
    start = time.perf_counter()
    try:
        verdict = _run(read(), machine, symbols, strict=strict, log_lines=log_lines)
    except ScriptError as error:
        reason = f"no packetdrill script: {error}"
        verdict = Verdict(path=path, verdict="unsupported", line=error.line, reason=reason, malformed=True)
    return replace(verdict, seconds=time.perf_counter() - start)


def _run(script: Script, machine: Host, symbols: Mapping[str, str], *, strict: bool, log_lines: int | None) -> Verdict:
    """Play the script. Its last command is carried out too: if it fails, packetdrill fails."""
    play = None
    try:
        words = {**defined(script.settings), **symbols}
        play = Play(machine, settings_of(script), log_lines)
        play.exchange.cookie = words.get("TFO_COOKIE", "").lower()
        if script.initial is not None:
            carry_out(script.initial, play.calls)
        for event in _taken(script, words):
            play.event(event)
        play.end()
        if script.final is not None:
            carry_out(script.final, play.calls)
        if strict:
            _require_empty(play.exchange)
        if play.expected == 0:
            raise Unsupported(0, "no outbound packet is expected: it would pass whatever TCP does")
        return Verdict(path=script.path, verdict="pass", exchange=play.exchange.recent())
    except Failure as failure:
        return Verdict(
            path=script.path,
            verdict="fail",
            line=failure.line or None,
            reason=failure.reason,
            expected=failure.expected,
            got=failure.got,
            exchange=play.exchange.recent() if play is not None else (),
        )
    except Unsupported as unsupported:
        line = unsupported.line or None
        exchange = play.exchange.recent() if play is not None else ()
        return Verdict(
            path=script.path, verdict="unsupported", line=line, reason=unsupported.construct, exchange=exchange
        )


def _require_empty(exchange: Exchange) -> None:
    left = exchange.left_over
    if left:
        many = "1 segment is" if len(left) == 1 else f"{len(left)} segments are"
        raise Failure(
            0, f"{many} left over at the end", got=f"{left[0].at / 1e9:.6f} {exchange.shown(left[0].segment)}"
        )


def _taken(script: Script, symbols: Mapping[str, str]) -> list[Event]:
    """The events of the branches that are taken. Unsupported if there are branches and none is."""
    branches = [item for item in script.events if isinstance(item, Conditional)]
    if branches and not any(branch.name in symbols for branch in branches):
        names = ", ".join(sorted({branch.name for branch in branches}))
        raise Unsupported(branches[0].line, f"none of the #ifdef branches is taken: {names}")
    events: list[Event] = []
    for item in script.events:
        if isinstance(item, Event):
            events.append(item)
        elif item.name in symbols:
            events.extend(item.events)
    if events and events[0].time.start:
        raise ScriptError(script.path, events[0].line, 1, "time 0 for the first event")
    return events
