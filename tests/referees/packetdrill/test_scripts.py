"""Our own scripts under every profile that they name, their mutants, and the scripts of others where there are any.

``// verdicts: rfc9293 pass, linux fail 9`` states the verdict under each profile, and the line of a failure.
"""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from netsim.referees.packetdrill import Verdict, run_paths, run_script, run_source

HERE = Path(__file__).parent
OWN = sorted(HERE.rglob("*.pkt"))
FOREIGN = os.environ.get("NETSIM_SCRIPTS")


def verdicts(path: Path) -> list[tuple[str, str, int | None]]:
    """(profile, verdict, line) as the script's comment states them."""
    (stated,) = re.findall(r"^// verdicts: (.*)$", path.read_text(), re.MULTILINE)
    words = [item.split() for item in stated.split(", ")]
    return [(profile, verdict, int(line[0]) if line else None) for profile, verdict, *line in words]


CASES = [(path, *case) for path in OWN for case in verdicts(path)]


@pytest.mark.parametrize(
    ("path", "profile", "verdict", "line"), CASES, ids=[f"{c[0].relative_to(HERE)}-{c[1]}" for c in CASES]
)
def test_own_scripts(path: Path, profile: str, verdict: str, line: int | None) -> None:
    got = run_script(path, profile=profile, strict=True)
    assert got.verdict == verdict, str(got)
    assert line is None or got.line == line, str(got)


OUTBOUND = re.compile(
    r"^(?P<time>[+\d.*]\S*\s+)>\s+(?P<ports>\d+ > \d+ )?(?P<flags>\S+)\s+"
    r"(?P<seq>\d+):(?P<end>\d+)\((?P<len>\d+)\)(?P<rest>.*)"
)


def mutants(source: str) -> list[tuple[int, str, str]]:
    """(line, what was changed, the script with it) for every outbound packet of a script."""
    lines, found = source.splitlines(), []
    for index, line in enumerate(lines):
        match = OUTBOUND.match(line)
        if match is None:
            continue
        time, flags, rest = match["time"], match["flags"], match["rest"]
        seq, end, length = (int(match[name]) for name in ("seq", "end", "len"))
        fields, opening, options = rest.partition("<")
        options = opening + options
        head, numbers = f"{time}> {match['ports'] or ''}", f" {seq}:{end}({length})"
        start = head + flags + numbers
        changed = {
            "flag": head + (flags.replace("P", "") if "P" in flags else "P" + flags) + numbers + rest,
            "window": f"{start}{re.sub(' win .*', '', fields)} win 77 {options}",
            "length": f"{head}{flags} {seq}:{end + 1}({length + 1}){rest}",
            "option": f"{start}{fields} <nop,wscale 3>",
        }
        if "S" not in flags:
            changed["seq"] = head + flags + f" {seq + 1}:{end + 1}({length})" + rest
        if " ack " in rest:
            changed["ack"] = head + flags + numbers + re.sub(r"ack\s+(\d+)", lambda m: f"ack {int(m[1]) + 1}", rest)
        if time.strip() != "*":
            later = re.sub(r"[\d.]+", lambda m: f"{float(m[0]) + 5:g}", time, count=1)
            changed["time"] = f"{later}> {match['ports'] or ''}{flags}{numbers}{rest}"
        found += [
            (index + 1, what, "\n".join([*lines[:index], new, *lines[index + 1 :]])) for what, new in changed.items()
        ]
        found.append((index + 2, "extra", "\n".join([*lines[: index + 1], "+0 > R 77:77(0)", *lines[index + 1 :]])))
        if time.strip() == "+0":  # a later packet may be sent after the script's end, and then nothing is missing
            found.append((index + 1, "missing", "\n".join([*lines[:index], "", *lines[index + 1 :]])))
    return found


OPENING = ("socket", "accept", "open", "epoll_create")
CALL = re.compile(
    r"^(?P<call>\s*[+\d.]+(?:\.\.\.\S+)?\s+(?P<name>\w+)\(.*\) = )"
    r"(?P<result>-?\d+)(?![x\d])(?P<errno> E\w+)?(?P<rest>.*)"
)


def mutants_of_calls(source: str) -> list[tuple[int, str, str]]:
    """The same for the results of calls, for values that they read from the socket, and for assertions in code."""
    lines, found = source.splitlines(), []
    for index, line in enumerate(lines):
        changed = {}
        match = CALL.match(line)
        if match is not None and match["errno"] is not None:
            changed["errno"] = f"{match['call']}{match['result']} EBADF{match['rest']}"
        elif match is not None and match["name"] not in OPENING:  # any descriptor is right
            changed["result"] = f"{match['call']}{int(match['result']) + 1}{match['rest']}"
        if "SO_ERROR, [" in line:
            changed["option value"] = re.sub(r"SO_ERROR, \[\w+\]", "SO_ERROR, [EBADF]", line)
        if line.strip().startswith("//"):
            continue
        if "%{ assert " in line and " == " in line:
            changed["assertion"] = line.replace(" == ", " != ", 1)
        if "SIOCINQ" in line:
            changed["option value"] = line.replace("SIOCINQ, [", "SIOCINQ, [1")
        found += [
            (index + 1, what, "\n".join([*lines[:index], new, *lines[index + 1 :]])) for what, new in changed.items()
        ]
    return found


MUTANTS = [
    (path, profile, *mutant)
    for path in OWN
    for profile, verdict, _ in verdicts(path)[:1]
    if verdict == "pass"
    for mutant in mutants(path.read_text()) + mutants_of_calls(path.read_text())
]


def test_there_are_scripts_of_every_topic() -> None:
    topics = Counter(path.parent.name for path in OWN)
    assert topics.keys() >= {
        "open",
        "close",
        "reset",
        "time-wait",
        "retransmission",
        "options",
        "data",
        "windows",
        "backlog",
        "sockets",
    }
    assert sum(topics.values()) >= 60
    sources = re.compile(r"RFC \d{3,4}|net/ipv4/|sys/netinet/|include/net/|ip-sysctl")
    assert not [path for path in OWN if not sources.search(path.read_text())]
    stated = [case[1:] for case in CASES]
    assert sum(verdict == "fail" for _, verdict, _ in stated) >= 30  # policies differ, and the scripts say where


def test_there_are_mutants_of_every_kind() -> None:
    assert {m[3] for m in MUTANTS} == {
        "flag", "window", "length", "option", "seq", "ack", "time", "extra", "missing",
        "result", "errno", "option value", "assertion",
    }  # fmt: skip
    assert len({m[0] for m in MUTANTS}) >= 50
    assert len(MUTANTS) > 1000


@pytest.mark.parametrize("path", OWN, ids=lambda p: str(p.relative_to(HERE)))
def test_every_mutant_fails_at_its_line(path: Path) -> None:
    for _, profile, line, what, source in [m for m in MUTANTS if m[0] == path]:
        require_failure(run_source(source, profile=profile, strict=True), what, line)


def require_failure(got: Verdict, what: str, line: int) -> None:
    """It fails at that line; a missing packet is noticed at the next expected packet, or at the end."""
    assert got.verdict == "fail", f"{what} in line {line}: {got}"
    if what == "missing":
        assert got.line is None or got.line > line or "does not return" in got.reason, str(got)
    else:
        assert got.line == line, f"{what} in line {line}: {got}"


@pytest.mark.skipif(FOREIGN is None, reason="NETSIM_SCRIPTS names no folder with packetdrill scripts")
@pytest.mark.parametrize(
    ("folder", "define", "passed", "vacuous"),
    [("freebsd", "STANDARD", 175, 2), ("freebsd", "FreeBSD", 175, 2), ("linux", "STANDARD", 72, 0)],
)
def test_scripts_of_others(folder: str, define: str, passed: int, vacuous: int) -> None:
    """Two of them only read socket options: they expect no packet, and do not count as passed."""
    assert FOREIGN is not None
    got = list(run_paths([Path(FOREIGN) / folder], profile=folder, defines=[define]))
    assert Counter(v.verdict for v in got) == Counter({"pass": passed, "unsupported": vacuous})
    assert all("no outbound packet is expected" in v.reason for v in got if v.verdict == "unsupported")


@pytest.mark.skipif(FOREIGN is None, reason="NETSIM_SCRIPTS names no folder with packetdrill scripts")
def test_no_script_passes_without_an_ifdef_branch() -> None:
    assert FOREIGN is not None
    for verdict in run_paths([Path(FOREIGN) / "freebsd"], profile="freebsd"):
        if "#ifdef" in Path(verdict.path).read_text():
            assert verdict.verdict != "pass"


@pytest.mark.skipif(FOREIGN is None, reason="NETSIM_SCRIPTS names no folder with packetdrill scripts")
@pytest.mark.parametrize("folder", ["freebsd", "linux"])
def test_mutants_of_scripts_of_others_fail(folder: str) -> None:
    """One in fourteen of all (about 500): 14 and the number of kinds are coprime, so that every kind occurs."""
    assert FOREIGN is not None
    every = [
        (mutant, path)
        for path in sorted((Path(FOREIGN) / folder).rglob("*.pkt"))
        if "#ifdef" not in path.read_text()  # a mutant in a branch that is not taken passes
        for mutant in mutants(path.read_text()) + mutants_of_calls(path.read_text())
    ]
    chosen = every[::14]
    assert len(chosen) > 100
    for (line, what, source), path in chosen:
        got = run_source(source, path=str(path), profile=folder, strict=True)
        if got.reason != "no outbound packet is expected: it would pass whatever TCP does":
            require_failure(got, what, line)
