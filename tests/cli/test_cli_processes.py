"""What only a process of its own shows: imports, signals, pipes, worker processes, scripts."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = ("pandas", "scipy", "matplotlib")


def _netsim(*words: str, **settings: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "netsim", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    "statement",
    ["import netsim", "import netsim.cli; netsim.cli.main(['--help'])", "import netsim.cli; netsim.cli.main([])"],
)
def test_nothing_heavy_is_imported_for_help(statement: str) -> None:
    code = f"{statement}\nimport sys; print('loaded', [m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "loaded []"


def test_help_loads_neither_simulator_nor_numpy() -> None:
    code = (
        "import sys, netsim.cli; netsim.cli.main(['--help']); print([m for m in ('numpy','simpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_bad_input_has_no_traceback() -> None:
    done = _netsim("run", "setup", "--loss", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "netsim: loss = 2: must be a probability in [0, 1]\n"


def test_any_number_of_workers_gives_the_same_numbers(tmp_path: Path) -> None:
    results = []
    for workers in ("1", "2"):
        rows = tmp_path / f"{workers}.csv"
        words = ["--replications", "3000", "--workers", workers, "--json", "--out", str(rows)]
        done = _netsim("run", "setup", *words)
        assert (done.returncode, done.stderr) == (0, "")
        results.append((done.stdout, rows.read_bytes()))
    assert results[0] == results[1]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT reaches a process group there")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_what_is_done(how: signal.Signals, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    words = ["run", "setup", "--replications", "10000000", "--json", "--out", str(rows)]
    for patience in (3, 10, 30):  # s; until the first runs are done, which a busy machine may delay
        process = subprocess.Popen(
            [sys.executable, "-m", "netsim", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what a shell starts with & ignores it
        )
        time.sleep(patience)
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
        if out or "Traceback" in err:
            break
    assert process.returncode == 130
    assert "Traceback" not in err
    n = json.loads(out)["n"]
    assert err == f"netsim: interrupted: {n} of 10000000 runs are done; their rows are in {rows}\n"
    assert rows.read_text().count("\n") == n + 1


def test_ctrl_c_inside_an_import_is_no_traceback() -> None:
    """It may come out as another error, here as that of a class body: RuntimeError from KeyboardInterrupt."""
    code = (
        "import sys, netsim.cli\n"
        "def act():\n"
        "    try:\n"
        "        raise KeyboardInterrupt\n"
        "    except KeyboardInterrupt as stop:\n"
        "        raise RuntimeError('Error calling __set_name__') from stop\n"
        "sys.exit(netsim.cli.guarded(act))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "netsim: interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes there")
def test_a_reader_that_goes_away_is_no_traceback() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "netsim", "list"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(write)
    assert done.stderr == ""


def test_an_encoding_without_the_arrows_is_one_line() -> None:
    settings = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = _netsim("trace", "setup", "--unicode", env=settings)
    line = "netsim: output cannot be written: ascii has no '\\u2502'; UTF-8 has\n"
    assert (done.returncode, done.stderr) == (1, line)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", ["list", "run setup --replications 5 --json", "trace setup"])
def test_a_full_disk_is_one_line(words: str) -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "netsim", *words.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    line = f"netsim: output cannot be written: {os.strerror(errno.ENOSPC)}\n"
    assert (done.returncode, done.stderr) == (1, line)


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_streams_that_are_closed(closed: str) -> None:
    line = f'"{sys.executable}" -m netsim run setup --replications 5 --json {closed}'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "" if closed.startswith(">") else json.loads(done.stdout)["n"] == 5


def test_a_script_alone_has_the_options_of_reproduce(tmp_path: Path) -> None:
    script = tmp_path / "e07_alone.py"
    script.write_text(
        "from netsim.cli import script\n"
        "def main(lab):\n"
        "    (lab.out / 'alone.txt').write_text(f'{lab.full} {lab.seed} {lab.workers.count}')\n"
        "    return [lab.out / 'alone.txt']\n"
        "if __name__ == '__main__':\n"
        "    script(main)\n"
    )
    command = [sys.executable, str(script)]
    options = ["--out", "here", "--full", "--workers", "3"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, Path(done.stdout.strip())) == (0, Path("here/alone.txt"))
    assert (tmp_path / "here" / "alone.txt").read_text() == "True 1 3"
    done = subprocess.run([*command, "--seed", "-1"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "netsim: seed = -1: must be an integer >= 0\n")
