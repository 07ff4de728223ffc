"""What the README shows is what the program does."""

import contextlib
import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from netsim.cli import main
from netsim.scenarios import setup
from netsim.study import Study
from netsim.sweep import read_csv

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The lines below a heading, up to the next one."""
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_ladder_is_the_one_that_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    text = section("A ladder in two seconds")
    command = blocks(text, "sh")[0].split()
    assert command[0] == "netsim"
    assert main(command[1:]) == 0
    assert capsys.readouterr().out.rstrip() == blocks(text, "text")[0].rstrip()


def test_the_first_program_runs_and_is_short() -> None:
    program = blocks(section("The first program"), "python")[0]
    assert len(program.strip().splitlines()) <= 25
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, "README.md", "exec"), {"__name__": "__main__"})
    assert "ESTABLISHED" in out.getvalue()
    assert "HELLO" in out.getvalue()


def test_the_first_program_is_the_notebooks_first_cell() -> None:
    program = blocks(section("The first program"), "python")[0]
    notebook = json.loads((ROOT / "notebooks" / "01_setup_latency.ipynb").read_text(encoding="utf-8"))
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert "".join(first["source"]).strip() == program.strip()


def test_the_sweep_of_the_readme_runs() -> None:
    program = blocks(section("The questions it answers"), "python")[0]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program.replace("500", "20"), "README.md", "exec"), {"__name__": "readme"})
    assert "mean" in out.getvalue()


def test_the_figure_of_the_readme_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program as it stands, with fewer runs."""
    program = blocks(section("Your own figure"), "python")[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(program.replace("2000", "20"), "README.md", "exec"), {"__name__": "readme"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.csv", "own.pdf", "own.png", "own.svg"]
    exact = read_csv(tmp_path / "own.csv").where(source="exact").where(**{"client.syn_retries": 0})
    linux = setup.Params(loss=0.4, rtt="80ms", profile="linux", **{"client.syn_retries": 0})
    assert exact.only("value", loss=0.4) == pytest.approx(setup.theory(linux)["p_fail"])


def test_the_study_of_the_readme_is_the_same_in_a_file(tmp_path: Path) -> None:
    text = section("Your own figure")
    (tmp_path / "study.toml").write_text(blocks(text, "toml")[0])
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(blocks(text, "python")[0].split("table = ")[0], "README.md", "exec"), names)
    study = Study.from_toml(tmp_path / "study.toml")
    assert [point.params for point in study.points] == [point.params for point in names["study"].points]


def test_the_readmes_own_scenario_distribution_and_policy_run(tmp_path: Path) -> None:
    """From a file, as a user has them: a function has an identity if its source can be read."""
    _, own, functions = blocks(section("Your own figure"), "python")
    script = tmp_path / "mine.py"
    script.write_text(f"import netsim\n\n\n{own}\n\n{functions}")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(script.read_text(), str(script), "exec"), {"__name__": "readme"})
    assert "arrived" in out.getvalue()
    assert main(["run", f"{script}:walk", "--p", "2%", "--replications", "5"]) == 0


def test_every_figure_is_there() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture


def test_every_dependency_is_named_with_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[><=]", dependency)[0] for dependency in project["dependencies"]}
    table = section("Dependencies, and why")
    assert all(name in table for name in names)


def test_the_packetdrill_commands_print_what_it_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = section("packetdrill scripts")
    shown, written = blocks(text, "sh")
    monkeypatch.chdir(ROOT)
    assert main(shown.split()[1:]) == 1
    assert capsys.readouterr().out.rstrip() == blocks(text, "text")[0].rstrip()
    for profile in ("rfc9293", "linux", "freebsd"):
        assert main([*shown.split()[1:-1], profile]) == 0
    monkeypatch.chdir(tmp_path)
    for command in written.splitlines():
        assert main(command.split()[1:]) == 0


def test_the_tests_are_run_as_the_readme_says() -> None:
    assert 'pip install -e ".[test]"' in section("Two commands")
    assert "-m pytest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_section_stands_once() -> None:
    headings = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert len(headings) == len(set(headings))
