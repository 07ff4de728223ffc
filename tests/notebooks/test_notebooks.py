"""Notebooks: thin, without outputs, and they run."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FIRST = ROOT / "notebooks" / "01_setup_latency.ipynb"
SECONDS = 60  # for a whole notebook
LONGEST_CELL = 25  # lines


def code(path: Path) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path: Path) -> None:
    nbformat.validate(nbformat.read(path, as_version=4))
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_thin(path: Path) -> None:
    assert max(len(cell.source.splitlines()) for cell in code(path)) <= LONGEST_CELL
    assert sum(len(cell.source.splitlines()) for cell in code(path)) <= 120


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type == "error"]
    assert [out for out in outputs if "image/png" in out.get("data", {})], "a notebook shows a figure"
    assert list(tmp_path.iterdir()) == []


def test_the_first_program_opens_the_first_notebook() -> None:
    """At most 25 lines, two plain generators, a path, a run, the ladder; and the README shows the same lines."""
    notebook = nbformat.read(FIRST, as_version=4)
    assert notebook.cells[0].cell_type == "code"
    program = notebook.cells[0].source
    assert len(program.splitlines()) <= 25
    for part in ("def client(", "def server(", "Path(loss=", "delay=", "reorder=", "world.run()", ".ladder()"):
        assert part in program
    assert re.findall(r"^(?:from|import) .*", program, re.MULTILINE) == ["from netsim import Path, World"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    heading = re.search(r"^##+ .*first program.*$", readme, re.IGNORECASE | re.MULTILINE)
    assert heading is not None
    block = re.search(r"```python\n(.*?)```", readme[heading.end() :], re.DOTALL)
    assert block is not None, "no ```python block under the README's heading"
    assert block[1].strip() == program.strip()
