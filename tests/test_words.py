"""The words of the field stand everywhere, and no others: in what a user reads and in what a developer reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from netsim.scenarios import NAMES
from tests.words import files, prose_of, violations

ROOT = Path(__file__).parent.parent

COMMANDS = [
    ["--help"],
    *([command, "--help"] for command in ("list", "run", "trace", "packetdrill", "compare", "explain", "reproduce")),
    *([verb, name, "--help"] for name in NAMES for verb in ("run", "trace")),
    ["list"],
    ["list", "tcp"],
    *(["list", name] for name in NAMES),
]

PROSE = ["netsim", "experiments", "notebooks", "docs", "tests", "README.md", "CONTRIBUTING.md"]
NOT_PROSE = {"tests/words.py", "tests/test_words.py"}  # the list itself, and its test


def found(text: str) -> list[str]:
    return [f"{wording} -> {instead}" for wording, instead in violations(text)]


def output_of(arguments: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "netsim", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    return done.stdout


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_help_and_lists_use_the_words_of_the_field(arguments: list[str]) -> None:
    printed = output_of(arguments)
    assert len(printed) > 100
    assert found(printed) == []


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in files(*(str(ROOT / place) for place in PROSE))
        if path.relative_to(ROOT).as_posix() not in NOT_PROSE
    ],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_docstrings_comments_and_documents_use_the_words_of_the_field(path: Path) -> None:
    assert [(line, wording) for line, prose in prose_of(path) for wording in found(prose)] == []


def test_the_list_finds_what_it_is_for() -> None:
    old = "The alarm rings and the text is sent again; n = 500 a point, dashes: exact; the user gives up."
    assert len(found(old)) == 7
    new = "The timer expires and the data is retransmitted; 500 runs per point, dashed: exact; the user call times out."
    assert found(new) == []
