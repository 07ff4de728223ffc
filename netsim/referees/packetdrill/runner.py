"""Runs scripts, one or many, and gives a verdict on each."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from netsim.referees.packetdrill.host_under_test import LOG_LINES, HostUnderTest
from netsim.referees.packetdrill.language.parser import defined_words, parse, parse_file
from netsim.referees.packetdrill.language.script import Conditional, Event, Script, ScriptError
from netsim.referees.packetdrill.platform import Platform, platform_of
from netsim.referees.packetdrill.player import Player
from netsim.referees.packetdrill.settings import settings_of
from netsim.referees.packetdrill.verdict import Failure, Unsupported, Verdict
from netsim.sweep.pool import UNAVAILABLE, Pool, cores

_SCRIPTS_PER_PROCESS = 150  # starting a process takes longer than running fewer scripts

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

    ``defines``: names, or names with values, for ``#ifdef`` and as words in the script. ``strict``: a script also fails
    if segments are left at its end that it does not expect. ``log_lines``: the number of packets in the verdict's
    ``exchange``, None for all. A file that is not a script is unsupported, with the place and what was expected there.
    ValueError for an unknown profile, OSError for a file that cannot be read.
    """
    symbols = _symbols(defines)
    return _verdict(
        str(path),
        partial(parse_file, path, symbols),
        platform_of(profile, symbols),
        symbols,
        strict=strict,
        log_lines=log_lines,
    )


def run_source(
    source: str,
    *,
    path: str = "<script>",
    profile: str = "rfc9293",
    defines: Defines = (),
    strict: bool = False,
    log_lines: int | None = LOG_LINES,
) -> Verdict:
    """The verdict on a script that is given as a string; the parameters are those of ``run_script``."""
    symbols = _symbols(defines)
    return _verdict(
        path,
        partial(parse, source, path, symbols),
        platform_of(profile, symbols),
        symbols,
        strict=strict,
        log_lines=log_lines,
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
    """The verdicts on files, and on all files ``*.pkt`` below folders, in order of their paths.

    ``workers`` is the number of processes; None: one per core if there are enough files. A file that is named twice
    runs once. The other parameters and the errors are those of ``run_script``.
    """
    platform_of(profile)
    run = partial(run_script, profile=profile, defines=_symbols(defines), strict=strict, log_lines=log_lines)
    files = list(dict.fromkeys(file for path in paths for file in _files(Path(path))))
    workers = min(cores(), len(files) // _SCRIPTS_PER_PROCESS) if workers is None else min(workers, len(files))
    yield from map(run, files) if workers < 2 else _in_processes(run, files, workers)


def _in_processes(run: Callable[[Path], Verdict], files: Sequence[Path], workers: int) -> Iterator[Verdict]:
    """The verdicts in the order of the files, from several processes; from this one where none can be started."""
    size = -(-len(files) // (4 * workers))
    chunks = [files[i : i + size] for i in range(0, len(files), size)]
    try:
        pool = Pool(workers)
        futures = [pool.submit(_run_all, run, chunk) for chunk in chunks]
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


def _run_all(run: Callable[[Path], Verdict], files: Sequence[Path]) -> list[Verdict]:
    return [run(file) for file in files]


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.pkt")) if path.is_dir() else [path]


def _symbols(defines: Defines) -> dict[str, str]:
    return dict(defines) if isinstance(defines, Mapping) else dict.fromkeys(defines, "")


def _verdict(
    path: str,
    read: "partial[Script]",
    platform: Platform,
    symbols: Mapping[str, str],
    *,
    strict: bool,
    log_lines: int | None,
) -> Verdict:
    start = time.perf_counter()
    try:
        verdict = _run(read(), platform, symbols, strict=strict, log_lines=log_lines)
    except ScriptError as error:
        reason = f"not a packetdrill script: {error}"
        verdict = Verdict(path=path, verdict="unsupported", line=error.line, reason=reason, malformed=True)
    return replace(verdict, seconds=time.perf_counter() - start)


def _run(
    script: Script, platform: Platform, symbols: Mapping[str, str], *, strict: bool, log_lines: int | None
) -> Verdict:
    """Play the script, with the commands before and after its events: if one of them fails, the script fails."""
    player = None
    try:
        words = {**defined_words(script.settings), **symbols}
        player = Player(platform, settings_of(script), log_lines)
        player.host.cookie = words.get("TFO_COOKIE", "").lower()
        if script.initial is not None:
            player.command(script.initial)
        for event in _chosen_events(script, words):
            player.play(event)
        player.end()
        if script.final is not None:
            player.command(script.final)
        if strict:
            _require_nothing_left(player.host)
        if player.matched == 0:
            raise Unsupported(0, "no outbound packet is expected: it would pass whatever TCP does")
        return Verdict(path=script.path, verdict="pass", exchange=player.host.recent())
    except Failure as failure:
        return Verdict(
            path=script.path,
            verdict="fail",
            line=failure.line or None,
            reason=failure.reason,
            expected=failure.expected,
            got=failure.got,
            exchange=player.host.recent() if player is not None else (),
        )
    except Unsupported as unsupported:
        line = unsupported.line or None
        exchange = player.host.recent() if player is not None else ()
        return Verdict(
            path=script.path, verdict="unsupported", line=line, reason=unsupported.construct, exchange=exchange
        )


def _require_nothing_left(host: HostUnderTest) -> None:
    left = host.left_over
    if left:
        many = "1 segment is" if len(left) == 1 else f"{len(left)} segments are"
        raise Failure(0, f"{many} left over at the end", got=f"{left[0].at / 1e9:.6f} {host.shown(left[0].segment)}")


def _chosen_events(script: Script, symbols: Mapping[str, str]) -> list[Event]:
    """The events, with those of the ``#ifdef`` branches that are taken. Unsupported if none of them is."""
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
