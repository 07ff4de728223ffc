"""The same run on every Python that is here: digests do not depend on the interpreter's version."""

import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path as File

import pytest
import simpy

ROOT = File(__file__).parents[2]

PROGRAM = """
from netsim.link import Path
from netsim.sim import World

def client(sock):
    yield sock.connect(("server", 80))
    yield sock.send(bytes(5000))
    sock.shutdown()
    while (yield sock.recv()):
        pass
    sock.close()

def server(listener):
    listener.listen(80)
    sock = yield listener.accept()
    while (data := (yield sock.recv())):
        yield sock.send(data)
    sock.close()

world = World(seed=11, trace=True)
a, b = world.host("client", "linux"), world.host("server", "freebsd")
world.link(a, b, Path(loss=0.2, delay=0.05, jitter=0.01, reorder=0.1, duplicate=0.1))
world.process(client(a.socket()))
world.process(server(b.socket()))
world.run(until=200)
print(world.trace.digest())
"""


def interpreters() -> list[str]:
    """Every CPython from 3.11 on that can be started, other than this one."""
    found = {}
    for minor in range(11, 20):
        name = f"python3.{minor}"
        places = [shutil.which(name), *glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{minor}.*/bin/{name}"))]
        for place in filter(None, places):
            ask = "import sys; print(*sys.version_info[:2])"
            answer = subprocess.run([place, "-c", ask], capture_output=True, text=True, check=False)
            if answer.returncode == 0 and tuple(map(int, answer.stdout.split())) != sys.version_info[:2]:
                found[minor] = place
    return list(found.values())


def digest(python: str, libraries: File) -> str:
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(libraries)])}
    done = subprocess.run([python, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_another_python_gives_the_same_digest(tmp_path: File) -> None:
    others = interpreters()
    if not others:
        pytest.skip("only one Python from 3.11 on is here")
    shutil.copytree(File(simpy.__file__).parent, tmp_path / "simpy")
    here = digest(sys.executable, tmp_path)
    for python in others:
        assert digest(python, tmp_path) == here, python
