"""The wheel, as a stranger gets it: built, installed into a new environment, run from an empty directory."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "COV"))}
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=kept | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("tcp_netsim-*.whl")
    return built


def test_the_wheel_holds_the_experiments_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "netsim/_experiments/e01_setup_latency.py" in names
    assert "netsim/py.typed" in names
    assert not any(name.startswith(("tests/", "experiments/", "notebooks/")) for name in names)


def test_reproduce_from_an_empty_directory(wheel: Path, tmp_path: Path) -> None:
    """The environment sees the libraries that are installed here, and netsim only from the wheel."""
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    binaries = home / ("Scripts" if os.name == "nt" else "bin")
    here = next(p for p in sys.path if p.endswith("site-packages"))
    pure = run(binaries / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path)
    Path(pure.stdout.strip(), "installed.pth").write_text(f"{here}\n")
    run(
        binaries / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--ignore-installed",
        wheel,
        cwd=tmp_path,
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    where = run(binaries / "python", "-c", "import netsim; print(netsim.__file__)", cwd=empty)
    assert str(home) in where.stdout
    done = run(binaries / "netsim", "reproduce", cwd=empty)
    made = sorted(p.name for p in (empty / "results").iterdir())
    for stem in ("e01a_ccdf", "e02a_acceptance"):
        assert {f"{stem}.{kind}" for kind in ("png", "pdf", "svg", "csv")} <= set(made)
    assert all(name in done.stdout for name in ("e01a_ccdf.png", "e02a_acceptance.png"))
