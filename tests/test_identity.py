"""The identity of a user's function: module, qualified name and a digest of its source, or a name."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netsim.identity import identity
from netsim.link import FunctionDelay
from netsim.scenarios import setup
from netsim.sweep import point_key, sweep
from netsim.tcp.config.isn import FunctionIsn


def _slow(rng: Any) -> float:
    return 0.05 + float(rng.expovariate(10))


def _function(folder: Path, source: str, name: str = "mine") -> Callable[..., Any]:
    """The function of that name from a file with this source."""
    path = folder / f"{abs(hash(source))}.py"
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    names: dict[str, Any] = {"__name__": "module"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    found: Callable[..., Any] = names[name]
    return found


def test_it_is_module_qualified_name_and_digest() -> None:
    place, _, digest = identity(_slow).partition(":")
    assert place == f"{__name__}._slow"
    assert len(digest) == 16
    assert identity(_slow) == identity(_slow)
    assert identity(_slow, "anything") == "anything"


def test_the_same_source_elsewhere_is_the_same_and_another_source_is_not(tmp_path: Path) -> None:
    first = _function(tmp_path, "def mine(rng):\n    return 0.1\n")
    same = _function(tmp_path, "x = 1\n\n\ndef mine(rng):\n    return 0.1\n")
    other = _function(tmp_path, "def mine(rng):\n    return 0.2\n")
    assert identity(first) == identity(same)
    assert identity(first) != identity(other)
    assert identity(first).partition(":")[0] == identity(other).partition(":")[0] == "module.mine"


def test_a_closure_counts_with_what_it_captures() -> None:
    def made(shift: Any) -> Callable[[Any], float]:
        def delay(rng: Any) -> float:
            return float(shift) + 0.1

        return delay

    assert identity(made(1)) == identity(made(1))
    assert identity(made(1)) != identity(made(2))
    with pytest.raises(ValueError, match=r"captures shift = .*; give it an identity, name=\.\.\."):
        identity(made([1]))
    assert identity(made([1]), "shifted") == "shifted"


def test_two_lambdas_of_one_line_differ() -> None:
    first, second = (lambda rng: 0.1, lambda rng: 0.2)
    assert identity(first) != identity(second)


def test_what_has_no_source_asks_for_a_name() -> None:
    names: dict[str, Any] = {}
    exec("def mine(rng):\n    return 0.1\n", names)
    with pytest.raises(ValueError, match="its source cannot be read; give it an identity"):
        identity(names["mine"])
    with pytest.raises(ValueError, match="is not a function with a source"):
        identity(len)


def test_a_delay_distribution_of_ones_own(tmp_path: Path) -> None:
    params = setup.Params(delay=_slow, loss=0)
    assert params.delay_forward == FunctionDelay(_slow)
    assert point_key(params) == point_key(setup.Params(delay=FunctionDelay(_slow), loss=0))
    other = _function(tmp_path, "def _slow(rng):\n    return 0.05\n", "_slow")
    assert point_key(params) != point_key(setup.Params(delay=other, loss=0))
    here, there = (sweep(setup.run, [params], replications=5, seed=1, workers=n) for n in (1, 2))
    assert here.floats("client_latency") == there.floats("client_latency")
    assert min(here.floats("client_latency")) > 0.1
    assert len(set(here.floats("client_latency"))) == 5


def test_a_delay_that_is_no_duration_is_a_failed_run() -> None:
    rows = sweep(setup.run, [setup.Params(delay=lambda rng: -1.0)], replications=1, seed=1)
    (error,) = rows.failed().strings("error")
    assert "= -1.0: must be a number in [0, 1e+09] s" in error


def test_a_file_of_delays(tmp_path: Path) -> None:
    (tmp_path / "delays.txt").write_text("50ms\n# a comment\n0.1\n", encoding="utf-8")
    expected = setup.Params(delay=f"empirical:{tmp_path / 'delays.txt'}")
    assert setup.Params(delay=tmp_path / "delays.txt") == expected
    assert expected.delay_forward.mean == pytest.approx(0.075)  # type: ignore[union-attr]


def test_an_isn_policy_of_ones_own() -> None:
    def every_other(now: int, flow: Any, opened: int, source: Any) -> int:
        return 2**32 + 2 * opened

    params = setup.Params(client={"isn": every_other, "profile": "linux"})
    assert params.client.isn == FunctionIsn(every_other)
    assert params.client.name == "linux"
    assert params.client.isn.initial(0, ("a", 1, "b", 2), 3, None) == 6  # type: ignore[arg-type]
    named = FunctionIsn(every_other, name="every other")
    assert point_key(setup.Params(client={"isn": named})) != point_key(params)
