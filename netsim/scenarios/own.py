"""A scenario of the user: any function ``run(params, seed) -> dict``.

``params`` is a dict of what the user gave, ``seed`` a ``netsim.Seed``. The dict that it returns is the row of the run:
numbers, booleans and strings. Unless estimates are given, each boolean column becomes a proportion and each column of
numbers a mean, under the column's name.
"""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from netsim.identity import identity
from netsim.scenarios.values import read_any
from netsim.seeds import Seed
from netsim.sweep import Estimator, Rows
from netsim.sweep.rows import ERROR, REPLICATION
from netsim.units import did_you_mean

Function = Callable[[dict[str, Any], Seed], Mapping[str, Any]]
_FORM: Final = "must be FILE.py:FUNCTION, a function run(params, seed) -> dict"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnScenario:
    """A user's function as a scenario. ``identity``: see ``netsim.identity``.

    ``estimates`` is empty where they follow from the rows; ``theory`` gives exact values under the same names.
    """

    run: Function
    identity: str
    estimates: Mapping[str, Estimator] = field(default_factory=dict)
    theory: Callable[[dict[str, Any]], Mapping[str, float]] = field(default=lambda params: {})

    @property
    def name(self) -> str:
        """What the function is called."""
        return str(getattr(self.run, "__name__", self.identity))

    @property
    def question(self) -> str:
        """The first line of the function's docstring, if it has one."""
        return (inspect.getdoc(self.run) or "a function of your own").partition("\n")[0]

    def estimators(self, rows: Rows) -> Mapping[str, Estimator]:
        """The estimates: those given, or one for each column of results in these rows."""
        return self.estimates or inferred(rows)

    @staticmethod
    def build(*sources: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters from several sources, each of which overrides the ones before it; strings are read."""
        return {name: read_any(value) for given in sources for name, value in given.items()}


def own_scenario(
    run: Function,
    *,
    name: str | None = None,
    estimates: Mapping[str, Estimator] | None = None,
    theory: Callable[[dict[str, Any]], Mapping[str, float]] | None = None,
) -> OwnScenario:
    """The function as a scenario; ``name`` is its identity where it is not to follow from the source. ValueError."""
    if not callable(run):
        raise ValueError(f"scenario = {run!r}: must be the name of a scenario or a function run(params, seed) -> dict")
    more: dict[str, Any] = {"theory": theory} if theory is not None else {}
    return OwnScenario(run=run, identity=identity(run, name), estimates=dict(estimates or {}), **more)


def inferred(rows: Rows) -> dict[str, Estimator]:
    """A proportion for each boolean column of results, a mean for each column of numbers; none for strings."""
    columns = list(rows.columns)
    found = {}
    for column in columns[columns.index(REPLICATION) + 1 :]:
        kinds = {type(value) for value in rows.column(column) if value is not None}
        if column != ERROR and kinds and kinds <= {bool, int, float}:
            found[column] = Estimator(column=column, kind="proportion" if kinds == {bool} else "mean")
    return found


def is_own(name: str) -> bool:
    """Whether a name means a function in a file: ``FILE.py:FUNCTION``."""
    path, colon, _ = name.rpartition(":")
    return bool(colon) and path.endswith(".py")


def load(name: str) -> OwnScenario:
    """The function that ``FILE.py:FUNCTION`` names; the file is run.

    ValueError if there is no such file, if it fails, or if it has no such function.
    """
    path, _, function = name.rpartition(":")
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"scenario = {name!r}: no file {file}; {_FORM}")
    module = _imported(name, file.resolve())
    run = getattr(module, function, None)
    if not callable(run):
        known = [known for known, value in vars(module).items() if inspect.isfunction(value)]
        guess = did_you_mean(function, known)
        raise ValueError(f"scenario = {name!r}: {file} has no function {function!r}; {_FORM}{guess}")
    return own_scenario(run, estimates=getattr(module, "ESTIMATES", None))


def _imported(name: str, file: Path) -> Any:
    """The module of a file, under the file's name; its functions travel to workers by value."""
    import cloudpickle

    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)
    sys.path.append(str(file.parent))  # for what the file imports from its own folder
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"scenario = {name!r}: {file} fails with {type(error).__name__}: {error}") from None
    if sys.modules.get(file.stem) is module:
        cloudpickle.register_pickle_by_value(module)
    return module
