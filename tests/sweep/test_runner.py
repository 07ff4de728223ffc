"""The sweep: same rows from every kind of worker, failures as rows, clear errors."""

import builtins
import gc
import math
import os
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pytest

from netsim.seeds import Seed
from netsim.sweep import SweepFailed, SweepInterrupted, Workers, format_csv, grid, point_key, sweep
from netsim.sweep import pool as pool_module
from netsim.sweep import runner as runner_module


@dataclass(frozen=True)
class Params:
    loss: float
    name: str = "x"


POINTS = [Params(loss=x / 10) for x in range(4)]


def draw(params, seed):
    random = seed.stream("latency")
    value = random.random()
    if value < 0.1:
        raise ArithmeticError(f"drew {value}")
    if value < 0.2:
        return {"latency": value, "rare": True}
    return {"latency": value + params.loss, "outcome": "ok"}


@pytest.fixture
def eager_pool(monkeypatch):
    """Processes even for the smallest sweep, and small chunks."""
    monkeypatch.setattr(runner_module, "_POOL_PAYS", 0.0)
    monkeypatch.setattr(runner_module, "_CHUNK", 0.001)
    monkeypatch.setattr(runner_module, "_MINIMUM_CHUNK", 0.001)


def test_rows_by_hand():
    rows = sweep(draw, POINTS[:2], replications=3, seed=5, workers=1)
    assert rows.columns[:4] == ("loss", "name", "point", "replication")
    assert rows.columns[-1] == "error"
    assert rows.column("loss") == [0.0] * 3 + [0.1] * 3
    assert rows.column("replication") == [0, 1, 2] * 2
    assert rows.column("point") == [point_key(POINTS[0])] * 3 + [point_key(POINTS[1])] * 3
    expected = [Seed(5, point_key(p), r).stream("latency").random() for p in POINTS[:2] for r in range(3)]
    for row, value in zip(rows, expected, strict=True):
        assert row["latency"] == (None if value < 0.1 else value if value < 0.2 else value + row["loss"])


@pytest.fixture(scope="module")
def reference():
    return format_csv(sweep(draw, POINTS, replications=500, seed=1, workers=1))


@pytest.mark.usefixtures("eager_pool")
@pytest.mark.parametrize("workers", [2, 3])
def test_the_same_rows_from_any_number_of_workers(reference, workers):
    assert format_csv(sweep(draw, POINTS, replications=500, seed=1, workers=workers)) == reference


def test_the_same_rows_from_threads(reference):
    with ThreadPoolExecutor(3) as executor:
        rows = sweep(draw, POINTS, replications=500, seed=1, workers=3, executor=executor)
        assert format_csv(rows) == reference
        assert executor.submit(int).result() == 0  # it stays open
    assert gc.isenabled()


def test_the_order_of_completion_does_not_matter(reference, monkeypatch):
    monkeypatch.setattr(runner_module, "_CHUNK", 0.0005)
    lock, turn = threading.Lock(), iter(range(10**6))

    class Late:
        """An executor whose every other task is late."""

        def __init__(self, inner):
            self.inner = inner

        def submit(self, function, *args):
            def late():
                with lock:
                    delay = 0.01 * (next(turn) % 2)
                time.sleep(delay)
                return function(*args)

            return self.inner.submit(late)

    seen: list[str] = []
    with ThreadPoolExecutor(4) as inner:
        rows = sweep(
            draw,
            POINTS,
            replications=500,
            seed=1,
            workers=4,
            executor=Late(inner),
            on_rows=lambda rows: seen.extend(f"{row['point']} {row['replication']}" for row in rows),
        )
    assert format_csv(rows) == reference
    assert seen == [f"{row['point']} {row['replication']}" for row in rows]  # on_rows: in order, once


def test_another_seed_gives_other_rows(reference):
    assert format_csv(sweep(draw, POINTS, replications=500, seed=2, workers=1)) != reference


def test_rows_do_not_depend_on_the_company_of_other_points():
    alone = sweep(draw, POINTS[2:3], replications=50, seed=1, workers=1)
    together = sweep(draw, POINTS, replications=50, seed=1, workers=1)
    assert list(together.where(loss=0.2)) == list(alone)


@pytest.mark.usefixtures("eager_pool")
def test_failing_runs_are_rows_and_the_sweep_goes_on():
    def run(params, seed):
        match seed.replication:
            case 0:
                return {"x": 1}
            case 1:
                raise KeyError("a, b")
            case 2:
                raise SystemExit(3)
            case 3:
                return {"x": [1]}
            case 4:
                return {"loss": 1}
            case 5:
                return None
            case _:
                return {"x": 2.5}

    for workers in (1, 2):
        rows = sweep(run, grid(loss=[0.5, 1.0]), replications=40, seed=1, workers=workers)
        assert rows.column("x")[:7] == [1, None, None, None, None, None, 2.5]
        errors = rows.column("error")
        assert errors[:4] == [None, "KeyError: 'a, b'", "SystemExit: 3", errors[3]]
        assert "x = [1]: must be a bool, int, float, str or None" in errors[3]
        assert "row has loss: must not be a parameter" in errors[4]
        assert errors[5].startswith("TypeError")
        assert len(rows.failed()) == 10
        assert rows.failed().column("loss") == [0.5] * 5 + [1.0] * 5


@pytest.mark.usefixtures("eager_pool")
def test_closures_and_lambdas_reach_the_workers():
    offset, here = 3, os.getpid()

    def slow(run):
        """So slow that this process cannot have done all runs before it hands over to the workers."""
        return lambda params, seed: time.sleep(0.001) or run(params, seed)

    rows = sweep(
        slow(lambda params, seed: {"y": params["x"] + offset, "here": os.getpid() == here}),
        grid(x=[1, 2]),
        replications=50,
        seed=1,
        workers=2,
    )
    assert rows.column("y") == [4] * 50 + [5] * 50
    assert False in rows.column("here")


@pytest.mark.usefixtures("eager_pool")
def test_sweeps_may_share_their_workers(reference):
    """The same rows from the same two processes; they end with the block, also where an exception leaves it."""

    def where(params, seed):
        time.sleep(0.002)
        return {"pid": os.getpid()}

    with Workers(2) as team:
        assert not team.started
        assert format_csv(sweep(draw, POINTS, replications=500, seed=1, workers=team)) == reference
        assert team.started
        pids = [set(sweep(where, [{}], replications=60, seed=1, workers=team).column("pid")) for _ in range(2)]
    assert not team.started
    there = [found - {os.getpid()} for found in pids]
    assert there[0]
    assert len(there[0] | there[1]) <= 2
    with pytest.raises(ZeroDivisionError), Workers(2) as team:
        _fail_after(sweep(where, [{}], replications=60, seed=1, workers=team), team)
    assert not team.started


def _fail_after(rows, team):
    assert len(rows) == 60
    assert team.started
    raise ZeroDivisionError


@pytest.mark.usefixtures("eager_pool")
def test_shared_workers_that_broke_down_are_replaced(reference):
    here = os.getpid()

    def run(params, seed):
        time.sleep(0.001)
        return {"x": 1} if os.getpid() == here else os._exit(9)

    with Workers(2) as team:
        with pytest.raises(SweepFailed):
            sweep(run, [{}], replications=1000, seed=0, workers=team)
        assert not team.started
        assert format_csv(sweep(draw, POINTS, replications=500, seed=1, workers=team)) == reference


def test_a_small_sweep_starts_no_processes(monkeypatch):
    monkeypatch.setattr(pool_module, "Pool", None)
    assert len(sweep(draw, POINTS, replications=10, seed=1, workers=2)) == 40


def test_numpy_scalars_and_enums_become_plain():
    class Outcome(Enum):
        DONE = "done"

    rows = sweep(
        lambda params, seed: {"a": np.float64(0.5), "b": np.bool_(True), "c": np.int64(3), "d": Outcome.DONE},
        [{}],
        replications=1,
        seed=0,
        workers=1,
    )
    row = next(iter(rows))
    assert [row["a"], row["b"], row["c"], row["d"]] == [0.5, True, 3, "done"]
    assert [type(row[name]) for name in "abc"] == [float, bool, int]


def test_the_collector_is_paused_in_runs_and_restored_whatever_happens():
    def run(params, seed):
        if seed.replication == 1:
            raise ValueError
        return {"enabled": gc.isenabled()}

    rows = sweep(run, [{}], replications=3, seed=0, workers=1)
    assert rows.column("enabled") == [False, None, False]
    assert gc.isenabled()
    gc.disable()
    try:
        sweep(run, [{}], replications=1, seed=0, workers=1)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_cyclic_garbage_of_many_runs_is_collected_all_the_same():
    def run(params, seed):
        nodes = [[] for _ in range(1000)]
        for node in nodes:
            node.append(node)
        return {"young": gc.get_count()[0]}

    rows = sweep(run, [{}], replications=200, seed=0, workers=1)  # 200,000 nodes of garbage in all
    assert 10_000 < max(rows.column("young")) < 60_000


def test_progress_is_reported():
    heard: list[tuple[int, int]] = []
    sweep(
        draw,
        POINTS,
        replications=5,
        seed=1,
        workers=1,
        progress=lambda done, total: heard.append((done, total)),
    )
    assert heard[-1] == (20, 20)


def test_an_interrupt_keeps_the_rows_that_are_done(monkeypatch):
    monkeypatch.setattr(runner_module, "_CHUNK", 0.0)  # every run a chunk of its own

    def run(params, seed):
        if seed.replication == 7:
            raise KeyboardInterrupt
        return {"x": seed.replication}

    with pytest.raises(KeyboardInterrupt) as caught:
        sweep(run, [{}], replications=10, seed=0, workers=1)
    assert isinstance(caught.value, SweepInterrupted)
    assert caught.value.rows.column("x") == list(range(7))
    assert caught.value.total == 10
    assert str(caught.value) == "interrupted: 7 of 10 runs are done"


def test_an_interrupt_keeps_chunks_that_are_done_but_not_yet_reported():
    class AtOnce:
        """An executor that has done everything by the time it is asked."""

        def submit(self, function, *args):
            future = Future()
            future.set_result(function(*args))
            return future

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(SweepInterrupted) as caught:
        sweep(draw, [{"x": 1}], replications=100, seed=0, workers=4, executor=AtOnce(), progress=interrupt)
    assert caught.value.rows.column("replication") == list(range(8))  # two blocks of one run per worker


@pytest.mark.usefixtures("eager_pool")
def test_a_killed_worker_is_one_clear_error_with_the_rows_so_far():
    here = os.getpid()

    def run(params, seed):
        if seed.replication == 300 and os.getpid() != here:
            os._exit(9)
        time.sleep(0.001)
        return {"x": seed.replication}

    with pytest.raises(SweepFailed, match=r"broke down \(BrokenProcessPool.*; \d+ of 1000") as caught:
        sweep(run, [{}], replications=1000, seed=0, workers=2)
    done = caught.value.rows.column("x")
    assert 0 < len(done) < 1000
    assert done == sorted(done)


def test_a_broken_executor_of_the_caller_is_the_same_error():
    with ProcessPoolExecutor(1) as executor, pytest.raises(SweepFailed, match="0 of 5 runs are done"):
        sweep(lambda params, seed: os._exit(1), [{}], replications=5, seed=0, workers=1, executor=executor)


def test_errors_of_callbacks_are_the_callers(eager_pool):
    def bad(done, total):
        if done > 100:
            raise ZeroDivisionError

    for workers in (1, 2):
        with pytest.raises(ZeroDivisionError):
            sweep(draw, POINTS, replications=500, seed=1, workers=workers, progress=bad)


@pytest.mark.usefixtures("eager_pool")
@pytest.mark.parametrize("reason", [ImportError("_multiprocessing"), NotImplementedError("x"), OSError(38)])
def test_without_processes_it_runs_here_and_says_so(reference, monkeypatch, reason):
    def refuse(workers):
        raise reason

    monkeypatch.setattr(pool_module, "Pool", refuse)
    with pytest.warns(RuntimeWarning, match="no worker processes here .* runs in this process") as warned:
        rows = sweep(draw, POINTS, replications=500, seed=1, workers=2)
    assert format_csv(rows) == reference
    assert len(warned) == 1


@pytest.mark.usefixtures("eager_pool")
def test_as_in_pyodide_where_the_module_is_missing(reference, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("concurrent.futures") and "ProcessPoolExecutor" in (args[2] or ()):
            raise ModuleNotFoundError("No module named '_multiprocessing'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.warns(RuntimeWarning, match="_multiprocessing"):
        rows = sweep(draw, POINTS, replications=500, seed=1, workers=2)
    assert format_csv(rows) == reference


@pytest.mark.usefixtures("eager_pool")
def test_what_cannot_be_pickled_runs_here_and_says_so():
    lock = threading.Lock()

    def run(params, seed):
        with lock:
            return {"x": 1}

    with pytest.warns(RuntimeWarning, match="cannot be sent to processes .*lock"):
        assert len(sweep(run, [{}], replications=5000, seed=0, workers=2)) == 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replications": 0}, "replications = 0: must be an integer >= 1"),
        ({"replications": -1}, "replications = -1: must be an integer >= 1"),
        ({"replications": 2.0}, r"replications = 2\.0: must be an integer >= 1"),
        ({"workers": 0}, "workers = 0: must be an integer >= 1"),
        ({"workers": True}, "workers = True: must be an integer >= 1"),
        ({"seed": -1}, "seed = -1: must be an integer >= 0"),
        ({"points": []}, r"points = \[\]: must be at least one point"),
        ({"points": [{"x": 1}, {"x": 1.0}]}, r"twice, at 0 and 1: must be distinct"),
        ({"points": [{"x": math.nan}]}, r"params\.x = nan"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    given = {"points": [{}], "replications": 1, "seed": 0, "workers": 1} | arguments
    with pytest.raises(ValueError, match=message):
        sweep(draw, given.pop("points"), **given)


@dataclass(frozen=True)
class _Annotated:
    loss: float = 0.0


def _run_annotated(params: _Annotated, seed: Seed) -> dict[str, float]:
    return {"double": 2 * params.loss}


def test_a_mapping_becomes_the_dataclass_that_run_is_annotated_with() -> None:
    rows = sweep(_run_annotated, grid(loss=[0.1, 0.2]), replications=1, seed=1)
    assert rows.floats("double") == [0.2, 0.4]
    assert rows.column("point") == [point_key(_Annotated(loss)) for loss in (0.1, 0.2)]
    with pytest.raises(ValueError, match="unexpected keyword argument 'los'"):
        sweep(_run_annotated, grid(los=[0.1, 0.2]), replications=1, seed=1)


def test_a_mapping_stays_one_where_run_says_nothing_else() -> None:
    rows = sweep(lambda params, seed: {"double": 2 * params["loss"]}, grid(loss=[0.1]), replications=1, seed=1)
    assert rows.floats("double") == [0.2]
