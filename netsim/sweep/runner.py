"""The sweep: a pure function mapped over cases, by this process, worker processes or any executor."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any

from netsim.sweep.cases import Block, Plan, Run, require_integer, run_pickled, run_stretch
from netsim.sweep.pool import UNAVAILABLE, Workers
from netsim.sweep.rows import Rows

_BLOCK = 0.2  # s of work sent at once: long against its overhead of 1 ms, short to wait for
_SMALLEST_BLOCK = 0.01  # s; at the end of a sweep, where blocks shrink to keep all workers busy
_POOL_PAYS = 1.0  # s of work left for one process; to start a pool and import in it takes 0.3 to 0.6 s
_POLL = 0.2  # s; on Windows a wait without an end cannot be interrupted


class SweepInterrupted(KeyboardInterrupt):
    """Ctrl-C during a sweep. `rows`: what was done, in the order of the cases; `total`: runs asked for."""

    def __init__(self, rows: Rows, total: int) -> None:
        super().__init__(f"interrupted: {len(rows)} of {total} runs are done")
        self.rows = rows
        self.total = total


class SweepFailed(RuntimeError):
    """The workers broke down (not a run: that is a row with an `error`).

    `rows`: what was done, in the order of the cases; `total`: runs asked for.
    """

    def __init__(self, reason: str, rows: Rows, total: int) -> None:
        super().__init__(f"{reason}; {len(rows)} of {total} runs are done")
        self.rows = rows
        self.total = total


def sweep(
    run: Run,
    points: Iterable[Any],
    *,
    replications: int,
    seed: int,
    workers: int | Workers | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    on_rows: Callable[[Rows], None] | None = None,
) -> Rows:
    """Call `run(params, Seed(seed, point_key(params), replication))` for every point and replication.

    The rows: parameters, `point`, `replication`, results, `error`; in the order of the points, replications
    within. They are the same for any number of workers and any executor. A run that raises is a row with
    an `error`, and the sweep goes on.

    run: pure; closures and functions of a script or notebook will do (cloudpickle carries them).
    points: dataclasses or mappings, all different. replications: runs of each. seed: the root seed.
    workers: processes, by default one per core; started only if the sweep is long enough to pay for it. `Workers` are
    shared by several sweeps. Where there are none, or `run` cannot be pickled, it warns and goes on in this process.
    executor: used instead of own processes; it stays open, and `workers` says how many it has.
    progress(done, total): called every now and then. on_rows(rows): the rows after those it had before.

    Raises ValueError for bad arguments; SweepInterrupted and SweepFailed with the rows that are done.
    """
    plan = Plan(points, replications=replications, seed=seed)
    team = workers if isinstance(workers, Workers) else Workers(workers)
    require_integer("workers", team.count, least=1)
    ledger = _Ledger(plan, progress, on_rows)
    try:
        if executor is not None:
            _run_remotely(executor.submit, _pickle(run), plan, ledger, workers=team.count, stays_open=True)
        elif team.count == 1:
            _run_here(run, plan, ledger)
        else:
            _run_in_processes(run, plan, ledger, team)
            if team is not workers:
                team.end()
    except KeyboardInterrupt:
        raise SweepInterrupted(ledger.rows(), plan.total) from None
    except _WorkersBroke as problem:
        raise SweepFailed(str(problem), ledger.rows(), plan.total) from problem.__cause__
    return ledger.rows()


class _WorkersBroke(Exception):
    """The machinery failed; `sweep` makes a SweepFailed of it, with the rows."""


class _Ledger:
    """The blocks that are done, and who wants to hear of them."""

    def __init__(
        self,
        plan: Plan,
        progress: Callable[[int, int], None] | None,
        on_rows: Callable[[Rows], None] | None,
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._on_rows = on_rows
        self._blocks: dict[int, Block] = {}
        self._told = 0  # the cases before this one were given to on_rows
        self._done = 0

    def keep(self, block: Block) -> None:
        """Put a block down, telling nobody; putting it down twice does no harm."""
        self._blocks[block.start] = block

    def add(self, block: Block) -> None:
        """Put a block down and tell."""
        self.keep(block)
        self._done += block.stop - block.start
        if self._on_rows is not None:
            fresh = []
            while (following := self._blocks.get(self._told)) is not None:
                fresh.append(following)
                self._told = following.stop
            if fresh:
                self._on_rows(self._plan.rows(fresh))
        if self._progress is not None:
            self._progress(self._done, self._plan.total)

    def rows(self) -> Rows:
        """All that is done, in the order of the cases."""
        return self._plan.rows(self._blocks.values())


def _pickle(value: Any) -> bytes:
    import cloudpickle

    data: bytes = cloudpickle.dumps(value)
    return data


def _run_here(run: Run, plan: Plan, ledger: _Ledger, *, start: int = 0) -> None:
    """Run the cases from `start` on in this process."""
    while start < plan.total:
        block = run_stretch(run, plan.stretch(start, plan.total), limit=_BLOCK)
        ledger.add(block)
        start = block.stop


def _run_in_processes(run: Run, plan: Plan, ledger: _Ledger, team: Workers) -> None:
    """Begin here; hand over to processes as soon as the pace so far says that they pay, or if they are there."""
    start = 0
    while True:
        block = run_stretch(run, plan.stretch(start, plan.total), limit=_BLOCK)
        ledger.add(block)
        start = block.stop
        cost = block.seconds / (block.stop - block.start)
        if start == plan.total:
            return
        if team.started or (plan.total - start) * cost > _POOL_PAYS:
            break
    try:
        pickled = _pickle(run)
    except Exception as problem:  # pickling runs __reduce__ of anything that run refers to
        _warn(f"run cannot be sent to processes ({type(problem).__name__}: {problem})")
        return _run_here(run, plan, ledger, start=start)
    try:
        pool = team.start()
    except UNAVAILABLE as problem:
        _warn(f"no worker processes here ({type(problem).__name__}: {problem})")
        return _run_here(run, plan, ledger, start=start)
    try:
        _run_remotely(pool.submit, pickled, plan, ledger, workers=team.count, start=start, cost=cost)
    except BaseException:
        team.kill()
        raise


def _warn(reason: str) -> None:
    warnings.warn(f"{reason}: the sweep runs in this process", RuntimeWarning, stacklevel=1)


def _run_remotely(
    submit: Callable[..., Future[Block]],
    run: bytes,
    plan: Plan,
    ledger: _Ledger,
    *,
    workers: int,
    start: int = 0,
    cost: float | None = None,
    stays_open: bool = False,
) -> None:
    """Run the cases from `start` on, two blocks per worker under way, sized by what the last ones took.

    When it is interrupted, an executor that stays open is told to forget what waits. A pool that will be killed is
    not: its manager may stumble over futures that somebody else has cancelled.
    """
    window = 2 * workers
    costs = deque([] if cost is None else [cost], maxlen=window)  # s per run; unknown at first
    pending: set[Future[Block]] = set()
    try:
        while start < plan.total or pending:
            try:
                while start < plan.total and len(pending) < window:
                    stop = start + _block_size(plan.total - start, window, max(costs, default=None))
                    pending.add(submit(run_pickled, run, _pickle(plan.stretch(start, stop))))
                    start = stop
                done = wait(pending, timeout=_POLL, return_when=FIRST_COMPLETED).done
                blocks = [future.result() for future in done]
            except Exception as problem:  # of the machinery: what a run raises is in its row
                reason = f"the workers broke down ({type(problem).__name__}: {problem})"
                raise _WorkersBroke(reason) from problem
            for block in blocks:
                costs.append(block.seconds / (block.stop - block.start))
                ledger.add(block)
            pending -= done
    except BaseException:
        for future in pending:
            if stays_open and future.cancel():
                continue
            if future.done() and future.exception() is None:
                ledger.keep(future.result())
        raise


def _block_size(left: int, window: int, cost: float | None) -> int:
    """How many runs to send: _BLOCK seconds of work, less towards the end, one if the cost is unknown."""
    if not cost:
        return 1
    share = max(left / window, _SMALLEST_BLOCK / cost)
    return min(left, max(1, int(min(_BLOCK / cost, share))))
