"""What a type checker, and with it an editor, knows of the Python interface."""

import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """
import netsim
from netsim.scenarios import setup, teardown

params = setup.Params(loss=0.1)
more = setup.Params(loss="10%", rtt="80ms", profile="linux", client_profile="freebsd", client_sends=True)
loss: float = params.loss_forward
teardown.Params(rtt="80ms", think_time=0.1)
study = netsim.Study("setup", loss=[0.05, 0.1], rtt="80ms", axes={"client.syn_retries": [0, 1]}, profile="linux")
table = study.run(replications=2000, seed=1)
frame = table.to_pandas()
paths = table.plot("p_fail", x="loss", by="client.syn_retries").save("own")
module = netsim.scenario("setup")
question: str = module.QUESTION
theory: dict[str, float] = module.theory(params)


def mine(params: dict[str, float], seed: netsim.Seed) -> dict[str, float]:
    return {"y": params["a"] * seed.stream("y").random()}


netsim.Study(mine, a=[1, 2, 3]).run(replications=2, seed=1)
"""
BAD = """
from netsim.scenarios import setup

setup.Params(los=0.1)
setup.Params(loss=[0.1])
"""


def _mypy(tmp_path: Path, source: str) -> str:
    pytest.importorskip("mypy")
    (tmp_path / "user.py").write_text(source)
    words = ["--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "user.py")]
    return subprocess.run([sys.executable, "-m", "mypy", *words], capture_output=True, text=True, check=False).stdout


@pytest.mark.slow
def test_the_names_of_the_command_line_are_known_to_mypy_strict(tmp_path: Path) -> None:
    assert "Success" in _mypy(tmp_path, GOOD)
    errors = _mypy(tmp_path, BAD)
    assert 'Unexpected keyword argument "los" for "Params"' in errors
    assert 'Argument "loss" to "Params" has incompatible type' in errors
