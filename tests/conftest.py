"""The tiers: tests of one package that need nothing else are marked `unit` by their folder."""

from pathlib import Path

import pytest

UNIT = ("tcp", "link", "sweep", "trace")  # folders of tests/


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        folder, *_ = item.path.relative_to(here).parts
        if folder in UNIT and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.unit)
