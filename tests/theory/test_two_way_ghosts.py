"""Two-way ghosts: the formulas against a played handshake. Monte Carlo at alpha = .001 over all cases of a test."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from netsim.theory import p_ghost_delay, p_ghost_duplicate

ALPHA = 0.001
RUNS = 400_000


def ghosts(first: np.ndarray, second: np.ndarray, *, connection_duration: float, server_memory: float) -> np.ndarray:
    """A server that is ESTABLISHED on the SYN: the later copy opens a ghost once the earlier one is forgotten."""
    earlier, later = np.minimum(first, second), np.maximum(first, second)
    forgotten = earlier + connection_duration + server_memory
    return np.isfinite(later) & (later > forgotten)


def assert_agrees(hits: int, p: float, *, cases: int) -> None:
    """Two-sided normal test of a binomial count, alpha shared by the cases."""
    limit = NormalDist().inv_cdf(1 - ALPHA / cases / 2)
    assert abs(hits - RUNS * p) <= limit * math.sqrt(RUNS * p * (1 - p)), (hits / RUNS, p)


DUPLICATES = [(0.05, 2.0, 1.0, 0.0, None), (0.2, 0.5, 0.1, 0.3, None), (0.5, 5.0, 2.0, 1.0, 6.0)]


@pytest.mark.parametrize(("duplicate", "mean", "connection_duration", "server_memory", "lifetime"), DUPLICATES)
def test_copies(
    duplicate: float, mean: float, connection_duration: float, server_memory: float, lifetime: float | None
) -> None:
    rng = np.random.default_rng(51)
    extra = rng.exponential(mean, RUNS)
    gone = extra > (math.inf if lifetime is None else lifetime)
    extra[gone | (rng.random(RUNS) >= duplicate)] = math.inf
    found = ghosts(np.zeros(RUNS), extra, connection_duration=connection_duration, server_memory=server_memory)
    p = p_ghost_duplicate(
        duplicate=duplicate,
        mean_extra_delay=mean,
        connection_duration=connection_duration,
        server_memory=server_memory,
        lifetime=lifetime,
    )
    assert_agrees(int(found.sum()), p, cases=len(DUPLICATES))


def test_copies_by_hand() -> None:
    assert p_ghost_duplicate(duplicate=0.01, mean_extra_delay=2.0, connection_duration=4.0) == pytest.approx(
        0.01 * 0.1353352832
    )


def test_safe_iff_the_server_remembers_longer_than_a_packet_lives() -> None:
    copies = {"duplicate": 0.1, "mean_extra_delay": 50.0, "connection_duration": 1.0, "lifetime": 120.0}
    assert p_ghost_duplicate(server_memory=119.0, **copies) == 0.0
    assert p_ghost_duplicate(server_memory=118.9, **copies) > 0.0


DELAYS = [  # mu, b, r, T, H, M
    (0.5, 0.05, 0.05, 1.0, 0.3, 0.0),
    (0.5, 0.2, 0.6, 1.0, 0.3, 0.0),  # c < T - H: some second SYNs are late enough however fast they are
    (2.0, 0.2, 0.3, 1.0, 0.3, 0.4),
    (1.0, 0.5, 0.5, 1.0, 3.0, 0.0),  # H > T, c = 0
]


@pytest.mark.parametrize(("mean", "delay", "reply", "rto", "connection_duration", "server_memory"), DELAYS)
def test_delays(
    mean: float, delay: float, reply: float, rto: float, connection_duration: float, server_memory: float
) -> None:
    rng = np.random.default_rng(52)
    first = delay + rng.exponential(mean, RUNS)
    second = rto + delay + rng.exponential(mean, RUNS)
    second[first + reply <= rto] = math.inf  # answered in time: never sent
    found = ghosts(first, second, connection_duration=connection_duration, server_memory=server_memory)
    p = p_ghost_delay(
        rto=rto,
        delay=delay,
        mean_extra_delay=mean,
        reply_delay=reply,
        connection_duration=connection_duration,
        server_memory=server_memory,
    )
    assert_agrees(int(found.sum()), p, cases=len(DELAYS))


def sent_twice(
    first: np.ndarray,
    second: np.ndarray,
    *,
    rto: float,
    reply: float,
    connection_duration: float,
    server_memory: float,
    client_timeout: float,
) -> np.ndarray:
    """As ``ghosts``, of a client that sends its second SYN unless answered in time, and times out: one ghost or two."""
    second[first + reply <= rto] = math.inf
    found = ghosts(first, second, connection_duration=connection_duration, server_memory=server_memory)
    return found | (np.minimum(first, second) > client_timeout)


PATIENT = [  # mu, b, r, T, H, M, G
    (1.0, 0.05, 0.05, 1.0, 0.3, 0.0, 3.0),
    (2.0, 0.2, 0.3, 1.0, 0.3, 0.4, 3.0),
    (2.0, 0.05, 0.05, 1.0, 5.0, 0.0, 2.0),  # H > G: nearly all ghosts come after the client's OPEN has timed out
]


@pytest.mark.parametrize("reorder", [1.0, 0.3])
@pytest.mark.parametrize(
    ("mean", "delay", "reply", "rto", "connection_duration", "server_memory", "client_timeout"), PATIENT
)
def test_a_client_that_times_out_and_delayed_syns(
    mean: float,
    delay: float,
    reply: float,
    rto: float,
    connection_duration: float,
    server_memory: float,
    client_timeout: float,
    reorder: float,
) -> None:
    rng = np.random.default_rng(53)
    held = [np.where(rng.random(RUNS) < reorder, rng.exponential(mean, RUNS), 0.0) for _ in range(2)]
    first, second = delay + held[0], rto + delay + held[1]
    late = {
        "connection_duration": connection_duration,
        "server_memory": server_memory,
        "client_timeout": client_timeout,
    }
    found = sent_twice(first, second, rto=rto, reply=reply, **late)
    p = p_ghost_delay(reorder=reorder, rto=rto, delay=delay, mean_extra_delay=mean, reply_delay=reply, **late)
    assert_agrees(int(found.sum()), p, cases=2 * len(PATIENT))
    if reorder == 1.0:
        assert p == p_ghost_delay(rto=rto, delay=delay, mean_extra_delay=mean, reply_delay=reply, **late)


def test_a_held_syn_by_hand() -> None:
    """p = .3, mu = 1, T = 1, b = r = .05, H = .3 (c = .9 > T - H = .7), no timeout.

    First held, second on time: e^-1.3 = .272532. Both held: e^-.9 (x0 = c): (e^-(.8 + .3) + e^-1.3) / 2 = .302702.
    """
    p = p_ghost_delay(reorder=0.3, rto=1.0, delay=0.05, mean_extra_delay=1.0, reply_delay=0.05, connection_duration=0.3)
    assert p == pytest.approx(0.3 * (0.7 * 0.272532 + 0.3 * 0.302702), rel=1e-5)


def test_reference_value() -> None:
    """mu = .5, b = r = .05, T = 1, H = .3 (s)."""
    p = p_ghost_delay(rto=1.0, delay=0.05, mean_extra_delay=0.5, reply_delay=0.05, connection_duration=0.3)
    assert p == pytest.approx(0.09254, abs=5e-6)


DUPLICATE = {"duplicate": 0.1, "mean_extra_delay": 1.0, "connection_duration": 1.0}
DELAY = {"rto": 1.0, "delay": 0.1, "mean_extra_delay": 1.0, "reply_delay": 0.1, "connection_duration": 1.0}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: p_ghost_duplicate(**DUPLICATE | {"duplicate": 2}), r"duplicate must be in \[0, 1\], got 2"),
        (lambda: p_ghost_duplicate(**DUPLICATE | {"mean_extra_delay": 0}), "mean_extra_delay must be .*got 0"),
        (lambda: p_ghost_duplicate(**DUPLICATE | {"connection_duration": -1}), "connection_duration must be .*got -1"),
        (lambda: p_ghost_duplicate(**DUPLICATE, server_memory=-1), "server_memory must be .*got -1"),
        (lambda: p_ghost_duplicate(**DUPLICATE, lifetime=-1), "lifetime must be .*got -1"),
        (lambda: p_ghost_delay(**DELAY | {"rto": 0}), "rto must be .*> 0, got 0"),
        (lambda: p_ghost_delay(**DELAY | {"delay": 0.95}), r"rto - delay - reply_delay must be .*got -0\.0"),
        (lambda: p_ghost_delay(**DELAY | {"reply_delay": -1}), "reply_delay must be .*got -1"),
        (lambda: p_ghost_delay(**DELAY, client_timeout=1.0), "client_timeout - delay - rto must be .*got -0"),
        (lambda: p_ghost_delay(reorder=1.5, **DELAY), r"reorder must be in \[0, 1\], got 1.5"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
