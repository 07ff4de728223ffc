"""The sweep: a pure function mapped over cases, in this process, in worker processes or by any executor."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any

from netsim.sweep.cases import Plan, Results, Run, as_parameters, require_integer, run_chunk, run_pickled
from netsim.sweep.pool import UNAVAILABLE, Workers
from netsim.sweep.rows import Rows

_CHUNK = 0.2  # s of work sent in one piece: long compared with the overhead of 1 ms, short enough to wait for
_MINIMUM_CHUNK = 0.01  # s; near the end of a sweep chunks shrink, to keep all workers busy
_POOL_PAYS = 1.0  # s of work left for one process; starting a pool and importing in it takes 0.3 to 0.6 s
_POLL = 0.2  # s; on Windows a wait without a timeout cannot be interrupted


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

    Columns of the rows: parameters, `point`, `replication`, results, `error`. Order: the points as given, replications
    within a point. The rows are the same for any number of workers and any executor. A run that raises becomes a row
    with an `error`, and the sweep continues.

    run: a pure function; closures and functions of a script or notebook are allowed (cloudpickle carries them).
    points: dataclasses or mappings, all different; a mapping becomes the dataclass that `run` is annotated with.
    replications: runs per point. seed: the root seed.
    workers: number of processes, by default one per core; they are started only if the sweep is long enough to pay for
    it. `Workers` are shared by several sweeps. Without processes, or if `run` cannot be pickled, the sweep warns and
    runs in this process. executor: replaces the processes and stays open; `workers` is then its number of workers.
    progress(done, total): called several times a second. on_rows(rows): receives the rows as they are completed.

    Raises ValueError for bad arguments; SweepInterrupted and SweepFailed, each with the rows that are done.
    """
    plan = Plan(as_parameters(run, points), replications=replications, seed=seed)
    ledger = _Ledger(plan, progress, on_rows)
    try:
        _run_cases(run, plan, ledger, workers, executor)
    except KeyboardInterrupt:
        raise SweepInterrupted(ledger.rows(), plan.total) from None
    except _WorkersBroke as problem:
        raise SweepFailed(str(problem), ledger.rows(), plan.total) from problem.__cause__
    return ledger.rows()


def _run_cases(run: Run, plan: Plan, ledger: _Ledger, workers: int | Workers | None, executor: Executor | None) -> None:
    """Run all cases, by whatever is there to run them."""
    team = workers if isinstance(workers, Workers) else Workers(workers)
    require_integer("workers", team.count, minimum=1)
    if executor is not None:
        _run_remotely(executor.submit, _pickle(run), plan, ledger, workers=team.count, stays_open=True)
    elif team.count == 1:
        _run_here(run, plan, ledger)
    else:
        _run_in_processes(run, plan, ledger, team)
        if team is not workers:
            team.end()


class _WorkersBroke(Exception):
    """Worker processes or the executor failed; `sweep` turns this into a SweepFailed with the rows."""


class _Ledger:
    """The results of the chunks that are done, and the callbacks that receive them."""

    def __init__(
        self,
        plan: Plan,
        progress: Callable[[int, int], None] | None,
        on_rows: Callable[[Rows], None] | None,
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._on_rows = on_rows
        self._results: dict[int, Results] = {}
        self._reported = 0  # the cases before this one were given to on_rows
        self._done = 0

    def keep(self, results: Results) -> None:
        """Store results without calling anybody; storing them twice does no harm."""
        self._results[results.start] = results

    def add(self, results: Results) -> None:
        """Store results and call `on_rows` and `progress`."""
        self.keep(results)
        self._done += results.stop - results.start
        if self._on_rows is not None:
            fresh = []  # only in the order of the cases
            while (following := self._results.get(self._reported)) is not None:
                fresh.append(following)
                self._reported = following.stop
            if fresh:
                self._on_rows(self._plan.rows(fresh))
        if self._progress is not None:
            self._progress(self._done, self._plan.total)

    def rows(self) -> Rows:
        """All that is done, in the order of the cases."""
        return self._plan.rows(self._results.values())


def _pickle(value: Any) -> bytes:
    import cloudpickle

    data: bytes = cloudpickle.dumps(value)
    return data


def _run_here(run: Run, plan: Plan, ledger: _Ledger, *, start: int = 0) -> None:
    """Run the cases from `start` on in this process."""
    while start < plan.total:
        results = run_chunk(run, plan.chunk(start, plan.total), limit=_CHUNK)
        ledger.add(results)
        start = results.stop


def _run_in_processes(run: Run, plan: Plan, ledger: _Ledger, team: Workers) -> None:
    """Begin in this process; hand over to worker processes if they are running, or once they are worth starting."""
    start = 0
    while True:
        results = run_chunk(run, plan.chunk(start, plan.total), limit=_CHUNK)
        ledger.add(results)
        start = results.stop
        cost = results.seconds / (results.stop - results.start)
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
    submit: Callable[..., Future[Results]],
    run: bytes,
    plan: Plan,
    ledger: _Ledger,
    *,
    workers: int,
    start: int = 0,
    cost: float | None = None,
    stays_open: bool = False,
) -> None:
    """Run the cases from `start` on, with two chunks per worker in progress, sized by the cost of the last runs."""
    window = 2 * workers
    costs = deque([] if cost is None else [cost], maxlen=window)  # s per run; unknown at first
    pending: set[Future[Results]] = set()
    try:
        while start < plan.total or pending:
            try:
                while start < plan.total and len(pending) < window:
                    stop = start + _chunk_size(plan.total - start, window, max(costs, default=None))
                    pending.add(submit(run_pickled, run, _pickle(plan.chunk(start, stop))))
                    start = stop
                done = wait(pending, timeout=_POLL, return_when=FIRST_COMPLETED).done
                finished = [future.result() for future in done]
            except Exception as problem:  # of the machinery: what a run raises is in its row
                reason = f"the workers broke down ({type(problem).__name__}: {problem})"
                raise _WorkersBroke(reason) from problem
            for results in finished:
                costs.append(results.seconds / (results.stop - results.start))
                ledger.add(results)
            pending -= done
    except BaseException:
        _keep_finished(pending, ledger, cancel=stays_open)
        raise


def _keep_finished(pending: Iterable[Future[Results]], ledger: _Ledger, *, cancel: bool) -> None:
    """After an interrupt: store the results of the chunks that are done, and cancel the others if asked to.

    Chunks of an executor that stays open are cancelled. Those of a pool that will be killed are not: its manager may
    stumble over futures that somebody else has cancelled.
    """
    for future in pending:
        if cancel and future.cancel():
            continue
        if future.done() and future.exception() is None:
            ledger.keep(future.result())


def _chunk_size(left: int, window: int, cost: float | None) -> int:
    """How many runs to send: _CHUNK seconds of work, fewer towards the end, one while the cost is unknown."""
    if not cost:
        return 1
    share = max(left / window, _MINIMUM_CHUNK / cost)
    return min(left, max(1, int(min(_CHUNK / cost, share))))
