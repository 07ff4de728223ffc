"""``netsim packetdrill``: lines, table, JSON, exit status."""

import json
from pathlib import Path

import pytest

from netsim.scenarios import NAMES
from tests.cli.in_process import netsim

SYN = """0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) <...>
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder with a script of each outcome."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a.pkt").write_text(SYN)
    (tmp_path / "b" / "late.pkt").write_text(SYN + "+2 > S 0:0(0) <...>\n")
    (tmp_path / "b" / "md5.pkt").write_text(SYN + "+0 setsockopt(3, SOL_TCP, TCP_MD5SIG, [1], 4) = 0\n")
    return tmp_path


def test_a_line_for_each_script_and_a_table_by_folder(scripts: Path) -> None:
    done = netsim("packetdrill", str(scripts), "--profile", "rfc9293")
    assert (done.status, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0] == f"{scripts}/a.pkt: pass"
    assert lines[1] == f"{scripts}/b/late.pkt:5: fail: sent at the wrong time"
    assert lines[2:4] == ["  expected 2.000000 > S 0:0(0) <...>", "  got      1.000000 > S 0:0(0) <...>"]
    assert lines[4].startswith("    0.000000 > S 0:0(0) win 65535 <mss 1460")
    table = [line.split() for line in lines[-4:]]
    assert table[0] == ["folder", "pass", "fail", "unsupported"]
    assert table[1:] == [[str(scripts), "1", "0", "0"], [f"{scripts}/b", "0", "1", "1"], ["total", "1", "1", "1"]]


def test_json(scripts: Path) -> None:
    done = netsim("packetdrill", str(scripts), "--json")
    assert (done.status, done.err) == (1, "")
    result = json.loads(done.out)
    assert result["summary"] == {"pass": 1, "fail": 1, "unsupported": 1}
    assert [(Path(s["path"]).name, s["verdict"], s["line"]) for s in result["scripts"]] == [
        ("a.pkt", "pass", None),
        ("late.pkt", "fail", 5),
        ("md5.pkt", "unsupported", 5),
    ]
    assert all(set(s) == {"path", "verdict", "line", "reason", "seconds"} for s in result["scripts"])
    assert result["scripts"][2]["reason"] == "setsockopt TCP_MD5SIG"


def test_exit_status_and_options(scripts: Path, tmp_path: Path) -> None:
    a = str(scripts / "a.pkt")
    assert netsim("packetdrill", a).status == 0
    assert netsim("packetdrill", str(scripts / "b" / "md5.pkt")).status == 0
    bad = tmp_path / "bad.pkt"
    bad.write_text("0 > X\n")
    done = netsim("packetdrill", a, str(bad))
    assert done.status == 2
    assert f"{bad}:1:5: expected TCP flags" in done.out
    traced = netsim("packetdrill", a, "--trace").out.splitlines()
    assert traced[1].startswith("    0.000000 > S 0:0(0) win 65535")
    left = tmp_path / "left.pkt"
    left.write_text(SYN + "+2 `true`\n")
    assert netsim("packetdrill", str(left)).status == 0
    strict = netsim("packetdrill", str(left), "--strict")
    assert (strict.status, "left over" in strict.out) == (1, True)


def test_defines(tmp_path: Path) -> None:
    script = tmp_path / "branch.pkt"
    script.write_text("#ifdef STANDARD\n" + SYN + "+1 > S 0:0(0) win WINDOW <...>\n#endif\n")
    none = netsim("packetdrill", str(script), "-D", "WINDOW=1")
    assert "none of the #ifdef branches is taken: STANDARD" in none.out
    words = ("packetdrill", str(script), "-D", "STANDARD", "--define")
    assert netsim(*words, "WINDOW=65535").status == 0
    assert netsim(*words, "WINDOW=7").status == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("nowhere.pkt", "path = 'nowhere.pkt': does not exist"),
        ("", "paths: must be"),
        ("{a} --profile vms", "profile = 'vms': must be one of"),
        ("{a} --workers 0", "workers = 0: must be an integer >= 1"),
        ("{a} --define 1x", "define = '1x': must be NAME or NAME=VALUE"),
        ("{empty}", "contains no *.pkt file"),
    ],
)
def test_bad_input_of_packetdrill(scripts: Path, words: str, said: str) -> None:
    empty = scripts / "empty"
    empty.mkdir()
    done = netsim("packetdrill", *words.format(a=scripts / "a.pkt", empty=empty).split())
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("netsim: ")
    assert done.err.count("\n") == 1
    assert said in done.err


def test_workers_do_not_change_the_output(scripts: Path) -> None:
    one, two = (netsim("packetdrill", str(scripts), "--workers", n) for n in "12")
    assert one == two


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_trace_as_a_script_passes_again(tmp_path: Path, end: str) -> None:
    out = tmp_path / "out.pkt"
    words = ("trace", "setup", "--loss", "30%", "--seed", "5", "--profile", "linux", "--client.syn-retries", "3")
    done = netsim(*words, "--packetdrill", str(out), "--end", end)
    assert (done.status, done.err) == (0, "")
    assert out.read_text().startswith(f"// setup, seed 5, run 0, as the {end} saw it")
    assert netsim("packetdrill", str(out), "--profile", "linux", "--strict").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--packetdrill /nowhere/out.pkt", "packetdrill = '/nowhere/out.pkt': cannot be written"),
        ("--packetdrill {out} --end middle", "end = 'middle': must be one of client, server"),
    ],
)
def test_bad_input_of_the_writer(tmp_path: Path, words: str, said: str) -> None:
    done = netsim("trace", "setup", *words.format(out=tmp_path / "out.pkt").split())
    assert (done.status, done.out) == (2, "")
    assert said in done.err


@pytest.mark.parametrize("name", NAMES)
def test_no_parameter_of_a_scenario_hides_an_option_of_trace(name: str) -> None:
    assert netsim("trace", name, "--help").status == 0
