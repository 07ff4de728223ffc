"""Clauses: one table, and nobody spells an identifier out a second time."""

import ast
from pathlib import Path

import pytest

from netsim.tcp import clauses
from netsim.tcp.clauses import CLAUSES
from netsim.tcp.state import TRANSITIONS

NETSIM, TESTS = Path(clauses.__file__).parents[1], Path(__file__).parents[1]
CONSTANTS = {name: value for name, value in vars(clauses).items() if isinstance(value, str) and value in CLAUSES}


def test_every_clause_has_one_constant_and_an_explanation() -> None:
    assert sorted(CONSTANTS.values()) == sorted(CLAUSES)
    for identifier, clause in CLAUSES.items():
        assert clause.identifier == identifier
        assert clause.explanation[:1].isupper()
        assert clause.explanation.endswith(".")
    explanations = [clause.explanation for clause in CLAUSES.values()]
    assert len(set(explanations)) == len(explanations)


@pytest.mark.parametrize(
    ("identifier", "section", "step", "summary"),
    [
        (clauses.CHECK_1_SEQUENCE, "3.10.7.4", "first", "sequence number"),
        (clauses.OPEN, "3.10.1", "", "OPEN"),
        (clauses.PAWS, "RFC 7323 5.3", "R1", "PAWS"),
        (clauses.RFC1337_F1, "RFC 1337", "fix F1", "RFC 1337, fix F1"),
        (clauses.SYN_QUEUE_FULL, "", "", "SYN queue full"),
        (clauses.FIN_WAIT_2_TIMEOUT, "", "", "FIN-WAIT-2 timeout"),
    ],
)
def test_section_step_and_summary(identifier: str, section: str, step: str, summary: str) -> None:
    clause = CLAUSES[identifier]
    assert (clause.section, clause.step, clause.summary) == (section, step, summary)


def test_every_edge_names_a_clause() -> None:
    assert {edge.clause for edge in TRANSITIONS} <= set(CLAUSES)


FILES = [*NETSIM.rglob("*.py"), *TESTS.rglob("*.py")]


@pytest.mark.parametrize("path", sorted(FILES), ids=lambda path: path.relative_to(NETSIM.parent).as_posix())
def test_no_file_spells_out_a_clause(path: Path) -> None:
    """A changed letter would break a column, or the test of it, silently."""
    if path in (Path(clauses.__file__), Path(__file__)):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    literals = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not literals & set(CLAUSES)
