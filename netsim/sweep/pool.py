"""A pool of worker processes that can be interrupted, on every platform.

Workers are spawned, never forked: a fork of a process with threads (a notebook, a BLAS library) may hang.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

UNAVAILABLE = (ImportError, NotImplementedError, OSError, RuntimeError, AssertionError)
"""What starting processes raises where there are none: no _multiprocessing module or no semaphores
(Pyodide), no threads, no more processes allowed, or a daemonic process, which may not have children."""

_WINDOWS_LIMIT = 61  # ProcessPoolExecutor: WaitForMultipleObjects takes no more handles


def cores() -> int:
    """The number of cores this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


class Pool:
    """Worker processes behind `submit`. Raises one of UNAVAILABLE where there can be none."""

    def __init__(self, workers: int) -> None:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        if sys.platform == "win32":
            workers = min(workers, _WINDOWS_LIMIT)
        self._executor: ProcessPoolExecutor = ProcessPoolExecutor(
            workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
        )

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Like Executor.submit. The first calls start processes."""
        with _interrupts_deferred(), _main_module_hidden():
            return self._executor.submit(function, *args)

    def close(self) -> None:
        """End the idle workers and wait until they have exited."""
        with _interrupts_deferred():
            self._executor.shutdown(wait=True)

    def kill(self) -> None:
        """Terminate the workers in the middle of their work and wait until they have exited."""
        with _interrupts_deferred():
            # there is no public way to reach the processes before Executor.terminate_workers of Python 3.14
            processes = list((self._executor._processes or {}).values())
            for process in processes:
                process.terminate()
            for process in processes:
                process.join()
            # One that died while it sent a result has left a part of it in the pipe. Its reader would wait for the
            # rest as long as anybody, this process included, holds the other end.
            if self._executor._result_queue is not None:
                self._executor._result_queue._writer.close()  # type: ignore[attr-defined]
            self._executor.shutdown(wait=True, cancel_futures=True)


class Workers:
    """``count`` processes (default: one per core) that several sweeps use, one sweep after the other.

    ``with Workers() as workers: sweep(..., workers=workers)``. The processes start with the first sweep that is long
    enough to pay for it. They end with the ``with`` block: after their work, or immediately if an exception leaves it.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = cores() if count is None else count
        self._pool: Pool | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.end() if kind is None else self.kill()

    @property
    def started(self) -> bool:
        """Whether the processes are running."""
        return self._pool is not None

    def start(self) -> Pool:
        """The processes, started if they are not running. Raises one of UNAVAILABLE where there can be none."""
        if self._pool is None:
            pool = Pool(self.count)
            pool.submit(int)  # starts the first worker, or shows that it cannot be done
            self._pool = pool
        return self._pool

    def end(self) -> None:
        """End them after their work."""
        if self._pool is not None:
            self._pool.close()
        self._pool = None

    def kill(self) -> None:
        """Terminate them."""
        if self._pool is not None:
            self._pool.kill()
        self._pool = None


def _start_worker() -> None:
    """Ignore Ctrl-C, which the terminal sends to all processes: the parent handles it. Exit when the parent exits."""
    import multiprocessing
    from multiprocessing.connection import wait

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)  # the parent was killed

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Block SIGINT in this thread and in the processes and threads that are started meanwhile.

    A worker that is still importing has no handler of its own yet and would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows: a worker ignores Ctrl-C once it has started
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Keep a spawned worker from running the user's script again, as multiprocessing would have it.

    It does so to find what was pickled by name in `__main__`. Cloudpickle sends such things by value, so
    a script needs no `if __name__ == "__main__"` for a sweep.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
