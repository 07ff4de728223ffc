"""The table of costs, printed at the end of a run of ``python -m pytest tests/bench``."""

from collections.abc import Callable

import pytest

_LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def cost(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Add a line to the table."""
    return pytestconfig.stash.setdefault(_LINES, []).append


def pytest_xdist_auto_num_workers() -> int:
    """One process: what is timed has the machine to itself."""
    return 0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("costs")
        for line in lines:
            terminalreporter.write_line(line)
