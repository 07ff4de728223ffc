"""The order of simultaneous events is decided, and a run repeats to the bit."""

import os
import subprocess
import sys
from pathlib import Path as File
from typing import Any

import pytest

from netsim.link import Path
from netsim.sim import World
from tests.sim.programs import ask, echo, pair

# Simultaneous events


def _simultaneous(**world: Any) -> tuple[float, str]:
    """RTT 1 s and a SYN timer of 1 s: the SYN-ACK arrives at the instant at which the timer expires."""
    w, a, b = pair(Path(delay=0.5), trace=True, **world)
    w.process(echo(b))
    got: list[Any] = []
    w.process(ask(a, b, b"", got))
    w.run()
    return a.counters.TcpExtTCPSynRetrans, w.trace.digest()


def test_simultaneous_events_are_ordered_by_policy_or_by_the_seed() -> None:
    assert _simultaneous()[0] == 1  # timers first
    assert _simultaneous(tie_break="packet-first")[0] == 0
    shuffled = [_simultaneous(seed=seed, tie_break="random")[0] for seed in range(40)]
    assert 8 <= sum(shuffled) <= 32  # a fair coin would leave this range with p < 1e-4
    assert _simultaneous(seed=5, tie_break="random") == _simultaneous(seed=5, tie_break="random")
    with pytest.raises(ValueError, match="tie_break = 'fair'"):
        World(tie_break="fair")  # type: ignore[arg-type]


def test_a_random_order_does_not_change_a_run_without_simultaneous_events() -> None:
    def outcome(**world: Any) -> Any:
        w, a, b = pair(Path(delay=0.0312345), Path(delay=0.0412347), **world)
        got: list[Any] = []
        w.process(echo(b))
        w.process(ask(a, b, bytes(10), got))
        w.run()
        return got

    assert (
        len({str(outcome(seed=seed, tie_break=order)) for seed in (1, 2) for order in ("random", "timer-first")}) == 1
    )


# Repeatability


def _busy(seed: int, **world: Any) -> World:
    w = World(seed=seed, **world)
    server = w.host("server", "linux")
    w.got = []  # type: ignore[attr-defined]
    for k in range(5):
        client = w.host(f"client{k}", ["linux", "rfc9293", "windows", "freebsd", "rfc793"][k])
        w.link(client, server, Path(loss=0.2, delay=0.03, jitter=0.01, reorder=0.1, duplicate=0.1))
        w.process(ask(client, server, bytes(5000), w.got))  # type: ignore[attr-defined]
    w.process(echo(server))
    w.run()
    return w


def test_equal_seeds_give_equal_runs() -> None:
    first, second, other = (_busy(seed, trace=True) for seed in (1, 1, 2))
    assert first.trace.digest() == second.trace.digest()
    assert first.trace.digest() != other.trace.digest()
    assert len(first.trace) == len(second.trace) > 500


def test_tracing_does_not_change_what_happens() -> None:
    traced, plain, watched = _busy(1, trace=True), _busy(1), _busy(1, observers=[lambda event: None])
    assert traced.got == plain.got == watched.got  # type: ignore[attr-defined]
    for name, host in traced.hosts.items():
        assert vars(host.counters) == vars(plain.hosts[name].counters) == vars(watched.hosts[name].counters)
    assert len(plain.trace) == 0


def test_every_observer_sees_every_event_in_order() -> None:
    calls: list[tuple[str, Any]] = []
    w, a, b = pair(
        Path(delay=0.05),
        trace=True,
        observers=[lambda event: calls.append(("first", event)), lambda event: calls.append(("second", event))],
    )
    w.process(echo(b))
    w.process(ask(a, b, b"x", []))
    w.run()
    assert len(w.trace) > 10
    assert calls == [(name, event) for event in w.trace for name in ("first", "second")]


def test_the_hash_seed_of_python_does_not_matter() -> None:
    code = "from test_repeatability import _busy; print(_busy(1, trace=True).trace.digest())"
    digests = set()
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(File(__file__).parent)}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        digests.add(run.stdout)
    assert digests == {_busy(1, trace=True).trace.digest() + "\n"}
