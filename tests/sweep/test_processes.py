"""Sweeps of whole programs: scripts without a guard, hash seeds, Ctrl-C, orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# no `if __name__ == "__main__"` here, on purpose: a first own sweep must work without
SCRIPT = """
import os, sys, time
from dataclasses import dataclass
import netsim.sweep.runner as runner
from netsim.sweep import SweepInterrupted, format_csv, sweep

runner._POOL_PAYS, runner._CHUNK, runner._MINIMUM_CHUNK = 0.0, 0.02, 0.005

@dataclass(frozen=True)
class Params:
    loss: float
    tags: frozenset = frozenset("abcdefgh")

PAUSE, WORKERS, N = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

def run(params, seed):
    time.sleep(PAUSE)
    return {"latency": seed.stream("x").random() + params.loss, "tags": "".join(sorted(params.tags))}

def progress(done, total):
    if done > 20 and PAUSE:
        print("going", flush=True)

try:
    points = [Params(x / 10) for x in range(3)]
    rows = sweep(run, points, replications=N, seed=7, workers=WORKERS, progress=progress)
except SweepInterrupted as interrupt:
    kept = [(row["loss"], row["replication"]) for row in interrupt.rows]
    print(f"kept {len(kept)} in order {kept == sorted(kept)}: {interrupt}", flush=True)
    sys.exit(130)
print(format_csv(rows))
"""

posix = pytest.mark.skipif(os.name != "posix", reason="sends signals to a process group")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


def test_the_same_rows_under_every_hash_seed_and_number_of_workers(script):
    outputs = set()
    for workers, hash_seed in [("1", "0"), ("2", "1"), ("3", "2")]:
        done = subprocess.run(
            [sys.executable, script, "0", workers, "2000"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == ""
        outputs.add(done.stdout)
    (output,) = outputs
    assert output.count("\n") == 6000 + 2


def _start(script: Path, workers: str) -> subprocess.Popen[str]:
    """Start a sweep that would take a minute, in a process group of its own; wait until it is going."""
    process = subprocess.Popen(
        [sys.executable, script, "0.005", workers, "10000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "going\n"
    return process


def _group_is_gone(group: int, *, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@posix
@pytest.mark.parametrize(("workers", "after"), [("1", 0.0), ("2", 0.05), ("2", 0.6)])  # s: starting, at work
def test_ctrl_c_stops_immediately_keeps_the_rows_and_leaves_no_process(script, workers, after):
    process = _start(script, workers)
    time.sleep(after)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everyone
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 3
    assert process.returncode == 130
    assert err == ""
    last = out.splitlines()[-1]
    assert last.startswith("kept ")
    assert int(last.split()[1]) > 20
    assert "in order True: interrupted: " in last
    assert _group_is_gone(process.pid, within=5)


@posix
def test_the_workers_end_with_a_parent_that_was_killed(script):
    process = _start(script, "2")
    time.sleep(0.5)
    process.kill()
    process.communicate(timeout=20)
    assert _group_is_gone(process.pid, within=5)
