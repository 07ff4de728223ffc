"""The pool of worker processes: deaf to Ctrl-C, gone when told."""

import multiprocessing
import os
import signal
import threading
import time

import pytest

from netsim.sweep.pool import Pool, cores

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals to single processes")


@pytest.fixture
def pool():
    pool = Pool(1)
    yield pool
    pool.kill()


def test_a_worker_ignores_ctrl_c_from_its_first_moment(pool):
    future = pool.submit(os.getpid)
    (worker,) = multiprocessing.active_children()
    for _ in range(20):  # while it starts
        os.kill(worker.pid, signal.SIGINT)
        time.sleep(0.002)
    assert future.result(timeout=20) == worker.pid
    assert pool.submit(signal.raise_signal, signal.SIGINT).result(timeout=20) is None  # and at work
    assert pool.submit(signal.getsignal, signal.SIGINT).result(timeout=20) == signal.SIG_IGN


def test_the_parent_gets_ctrl_c_after_a_start(pool):
    pool.submit(int).result(timeout=20)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_kill_does_not_wait_for_the_work(pool):
    pool.submit(int).result(timeout=20)
    future = pool.submit(time.sleep, 60)
    time.sleep(0.1)
    began = time.monotonic()
    pool.kill()
    assert time.monotonic() - began < 5
    assert future.done()
    assert multiprocessing.active_children() == []


def test_kill_does_not_wait_for_half_a_result():
    for _ in range(3):
        pool = Pool(2)
        futures = [pool.submit(bytes, 3_000_000) for _ in range(100)]
        futures[1].result(timeout=20)  # from here on one worker or the other is sending
        killer = threading.Thread(target=pool.kill, daemon=True)
        killer.start()
        killer.join(timeout=20)
        assert not killer.is_alive()
        assert multiprocessing.active_children() == []


def test_close_leaves_no_process():
    pool = Pool(2)
    assert pool.submit(int).result(timeout=20) == 0
    pool.close()
    assert multiprocessing.active_children() == []


def test_at_least_one_core():
    assert cores() >= 1
