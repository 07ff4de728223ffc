"""The progress bar of a sweep."""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Progress = Callable[[int, int], None]
"""Called with the number of runs that are done and the number of all runs."""


@contextmanager
def progress(label: str, *, show: bool | None = None) -> Iterator[Progress]:
    """A progress bar for ``sweep(..., progress=...)``; ``show=None``: on stderr, if that is a terminal.

    With ``show=True`` also elsewhere: in a notebook it is a widget, if Jupyter has them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without widgets gets the bar as characters
        bar_class: Any = importlib.import_module("tqdm.auto" if show else "tqdm").tqdm
    disable = None if show is None else not show
    with bar_class(desc=label, unit=" runs", file=sys.stderr, disable=disable, leave=False) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report
