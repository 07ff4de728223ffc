"""Who may import whom: lower layers only, siblings do not know each other; third parties where they belong."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "netsim"

LAYERS = {
    "seeds": 0,
    "units": 0,
    "fields": 0,
    "identity": 0,
    "tcp": 1,
    "link": 1,
    "theory": 1,
    "sweep": 1,
    "trace": 2,
    "hostcheck": 2,
    "capture": 2.5,  # reads and writes traces
    "sim": 3,
    "referees": 4,
    "scenarios": 4,
    "figures": 4,
    "studies": 5,
    "experiments": 6,
    "study": 6,
    "cli": 7,
    "__main__": 8,
    "__init__": 8,
}

THIRD_PARTIES = {
    "seeds": set(),
    "units": set(),
    "fields": set(),
    "identity": set(),
    "tcp": set(),
    "link": set(),
    "theory": {"numpy", "scipy"},
    "sweep": {"numpy", "scipy", "cloudpickle", "pandas", "tqdm"},
    "trace": set(),
    "sim": {"simpy"},
    "hostcheck": set(),
    "capture": set(),
    "scenarios": {"simpy", "pydantic", "cloudpickle"},  # simpy: events of applications; pydantic: reading values
    "figures": {"numpy", "matplotlib", "pandas"},
    "referees": {"simpy"},  # as scenarios
    "studies": set(),
    "experiments": set(),
    "study": {"matplotlib", "pandas"},
    "cli": {"cyclopts", "numpy"},
    "__main__": set(),
    "__init__": set(),
}

LAZY = {"pandas", "scipy", "matplotlib", "cloudpickle", "pydantic"}

FILES = sorted(p for p in PACKAGE.rglob("*.py") if "_experiments" not in p.parts)


def package_of(path: Path) -> str:
    """The layer's name: the first folder or module below netsim."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that a file imports, and whether it does so when it is loaded itself."""
    tree = ast.parse(path.read_text())
    inner = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for guard in ast.walk(tree):
        if isinstance(guard, ast.If) and getattr(guard.test, "id", "") == "TYPE_CHECKING":
            inner |= {id(n) for n in ast.walk(guard)}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
            if node.module == "netsim":
                names = [f"netsim.{alias.name}" for alias in node.names]
        yield from ((name, id(node) not in inner) for name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    here = package_of(path)
    for name, at_load in imports(path):
        top, *rest = name.split(".")
        if top == "netsim":
            there = rest[0] if rest and rest[0] in LAYERS else "__init__"
            if there == here or here == "__init__":
                continue
            lower = LAYERS[there] < LAYERS[here]
            face = there == "__init__" and LAYERS[here] >= 6
            assert lower or face, f"{here} imports {name}"
        elif top not in sys.stdlib_module_names:
            assert top in THIRD_PARTIES[here], f"{here} imports {name}"
            eager = at_load and top in LAZY and here != "figures"
            assert not eager, f"{here} imports {name} when it is loaded"


def test_every_package_has_a_layer() -> None:
    assert {package_of(path) for path in FILES} == set(LAYERS)


LINES_OF_A_FILE, LINES_OF_A_FUNCTION, METHODS = 400, 40, 15

EXCEPTIONS = {
    # Each with its reason; the list only gets shorter.
    "tcp/tcb.py:__init__",  # one line for each variable of the TCB
}

DATA_TABLES = {"tcp/config/config.py", "tcp/config/profiles.py", "tcp/config/sysctl.py"}  # of any length


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_functions_and_classes_keep_their_size(path: Path) -> None:
    """The ceilings: 400 lines a file, 40 a function, 15 public methods a class."""
    here, text = path.relative_to(PACKAGE).as_posix(), path.read_text()
    assert here in DATA_TABLES or len(text.splitlines()) <= LINES_OF_A_FILE
    for node in ast.walk(ast.parse(text)):
        name = f"{here}:{getattr(node, 'name', '')}"
        if isinstance(node, ast.FunctionDef) and name not in EXCEPTIONS:
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < LINES_OF_A_FUNCTION, f"{node.name} is long"
        if isinstance(node, ast.ClassDef) and name not in EXCEPTIONS:
            public = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
            assert len(public) <= METHODS, f"{node.name} has {len(public)} public methods"


@pytest.mark.parametrize("statement", ["import netsim", "import netsim.cli"])
def test_heavy_libraries_are_not_imported_at_start(statement: str) -> None:
    code = f"{statement}; import sys; print(sorted({{'pandas', 'scipy', 'matplotlib'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_public_face_is_small() -> None:
    import netsim

    assert len(netsim.__all__) <= 25
    for name in netsim.__all__:
        assert hasattr(netsim, name)


KNOWN_FILES = set(FILES)


def modules_that_a_file_names(path: Path) -> set[Path]:
    """The files of netsim that this file imports, when it is loaded, inside functions or for type checking."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            place = PACKAGE.parent / name.replace(".", "/")
            found |= {file for file in (place.with_suffix(".py"), place / "__init__.py") if file in KNOWN_FILES}
    return found - {path}


def test_the_modules_form_no_circle() -> None:
    """Arrows only go down, at run time and for type checking: what two modules name stands below both."""
    remaining = {path: modules_that_a_file_names(path) for path in FILES}
    while leaves := [path for path, named in remaining.items() if not named & remaining.keys()]:
        for path in leaves:
            del remaining[path]
    assert not remaining, sorted(str(path.relative_to(PACKAGE)) for path in remaining)


def test_only_the_command_line_knows_the_referees() -> None:
    """They are a second product behind one wall."""
    users = {package_of(path) for path in FILES for name, _ in imports(path) if name.startswith("netsim.referees")}
    assert users - {"referees"} == {"cli"}
