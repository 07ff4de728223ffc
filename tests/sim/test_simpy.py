"""What is private in SimPy is touched in one file only, and the version of SimPy is bounded for that reason."""

import ast
import re
import tomllib
from pathlib import Path

import simpy

import netsim

PACKAGE = Path(netsim.__file__).parent
ROOT = PACKAGE.parent


def private_names(path: Path) -> set[str]:
    """Names of one leading underscore that a file uses as attributes."""
    attributes = (node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))
    return {name for name in attributes if re.match("_[a-z]", name)}


def own_names(path: Path) -> set[str]:
    """Those that a file defines itself: methods, slots, and attributes of ``self``."""
    tree = ast.parse(path.read_text())
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self":
            own.add(node.attr)
    return own


def test_only_the_clock_touches_what_is_private_in_simpy() -> None:
    folder = Path(simpy.__file__).parent
    theirs = set().union(*map(private_names, folder.glob("*.py")))
    assert {"_now", "_queue", "_ok", "_value", "_resume"} <= theirs
    users = [path for path in PACKAGE.rglob("*.py") if "simpy" in path.read_text()]
    assert len(users) > 10
    touching = {path.name for path in users if (private_names(path) - own_names(path)) & theirs}
    assert touching == {"clock.py"}


def test_the_version_of_simpy_has_an_upper_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (requirement,) = (line for line in project["dependencies"] if line.startswith("simpy"))
    assert re.fullmatch(r"simpy>=4\.1\.1,<4\.2", requirement)
