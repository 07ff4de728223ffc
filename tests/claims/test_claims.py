"""The README's table of what the tutorials say is what the claims compute."""

import re
from pathlib import Path

import pytest

from tests.claims.claims import CLAIMS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## What the tutorials say\n")[1].split("\n## ")[0]


def table() -> dict[str, tuple[str, str, str]]:
    """The README's rows by the name of the claim's test: claim, verdict, number."""
    rows = re.findall(r"^\| (.+?) \| (true|half|false) \| (.+?) \| `(\w+)` \|$", SECTION, flags=re.MULTILINE)
    return {name: (text, judged, number) for text, judged, number, name in rows}


def test_the_readme_has_every_claim_once_and_in_order() -> None:
    lines = [line for line in SECTION.splitlines() if line.startswith("|")]
    assert len(lines) - 2 == len(table()) >= 16  # a heading and a rule above
    assert list(table()) == list(CLAIMS)


@pytest.mark.parametrize("name", CLAIMS)
def test_claim(name: str) -> None:
    text, judge = CLAIMS[name]
    judged, number = judge()
    assert table()[name] == (text, judged, number)


def test_not_all_are_false() -> None:
    assert {judged for _, judged, _ in table().values()} == {"true", "half", "false"}
