"""Every name of a parameter means the same in Python, in a TOML file and on the command line."""

import ast
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import pytest

from netsim.cli.commands import application
from netsim.cli.request import Request
from netsim.fields import check
from netsim.link import DelayDistribution
from netsim.scenarios import NAMES, scenario, shorthands
from netsim.scenarios.names import Option, options
from netsim.scenarios.values import show
from netsim.study import Study
from netsim.sweep import point_key
from netsim.tcp.config.backoff import BackOff


def _other_values(option: Option) -> list[str]:
    """Strings that this parameter may take, other than its default."""
    kinds = {option.hint, *get_args(option.hint)}
    if bool in kinds:
        return ["true", "false"]
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if get_origin(option.hint) is Literal:
        words = list(get_args(option.hint))
    if words:
        return [str(word) for word in words]
    if DelayDistribution in kinds:
        return ["70ms", "20ms+exponential:30ms"]
    if BackOff in kinds:
        return ["initial=2s,factor=3"]
    if kinds & {int, float}:
        return ["1", "2", "10%", "200ms", "1s", "60s", "4096"] if option.unit == "s" else ["1", "2", "10%", "4096"]
    return [option.default]


def _accepted(params: type[Any], option: Option) -> str | None:
    """The first of them that the scenario accepts, alone and away from the default; None if it takes none alone."""
    for word in _other_values(option):
        try:
            made = params(**{option.name: word})
        except ValueError:
            continue
        if made != params():
            return word
    return None


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_the_same_point_in_python_in_a_file_and_on_the_command_line(name: str, tmp_path: Path) -> None:
    params = scenario(name).Params
    tried = 0
    for option in options(params).values():
        if option.policy and option.name.partition(".")[0] == "server" and hasattr(params(), "client"):
            continue  # the fields of the client stand for those of both ends
        word = _accepted(params, option)
        if word is None:
            continue
        tried += 1
        python = params(**{option.name: word})
        file = tmp_path / "p.toml"
        file.write_text(f'{option.name} = "{word}"\n')
        flag = Request.read(name, {option.name: word})
        in_file = Request.read(name, {}, config=str(file))
        (point,) = Study(name, parameters={option.name: word}).points
        assert python == flag.params == in_file.params == point.params, option.name
        assert len({point_key(p) for p in (python, flag.params, in_file.params, point.params)}) == 1
        check(python)
    own = [option for option in options(params).values() if not option.policy]
    assert tried >= len(own) / 2


def test_the_flags_of_the_command_line_are_these_names(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def act(name: str, values: dict[str, Any]) -> int:
        given.update(values)
        return 0

    act.__name__ = "run"
    monkeypatch.setattr("netsim.cli.commands.run", act)
    for name in NAMES:
        params = scenario(name).Params
        for option in options(params).values():
            if option.policy:
                continue
            given.clear()
            words = [option.flag] if option.hint is bool else [option.flag, _other_values(option)[0]]
            app = application(["run", name, *words], version="")
            app(["run", name, *words], exit_on_error=False, print_error=False)
            assert list(given) == [option.name]


def _declared(cls: ast.ClassDef) -> set[str]:
    """The shorthands that a class declares to type checkers, itself or in a base of ``shorthands.py``."""
    bases = {node.name: node for node in ast.walk(_tree(shorthands)) if isinstance(node, ast.ClassDef)}
    own = {
        node.target.id
        for node in ast.walk(cls)
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and "InitVar" in ast.dump(node.annotation)
    }
    return own.union(*(_declared(bases[base.id]) for base in cls.bases if isinstance(base, ast.Name)))


def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def test_the_shorthands_that_type_checkers_know_are_those_there_are() -> None:
    for name in NAMES:
        params = scenario(name).Params
        (made,) = (
            node
            for node in ast.walk(_tree(sys.modules[params.__module__]))
            if isinstance(node, ast.ClassDef) and node.name == "Params"
        )
        known = {o.name for o in options(params).values() if o.name not in params.__dataclass_fields__ and not o.policy}
        assert _declared(made) == known, name


def test_show_is_what_a_file_may_have() -> None:
    assert show(scenario("setup").Params().client.isn) == "rfc6528"
