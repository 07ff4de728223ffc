"""A scenario that the command line has never seen: its ``Params`` are all it needs."""

import json
import types
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from netsim.fields import field
from netsim.link import DelayDistribution
from netsim.seeds import Seed
from netsim.sweep import Estimator
from netsim.tcp.config.isn import HashIsn, IsnPolicy
from tests.cli.in_process import netsim


@dataclass(frozen=True, kw_only=True)
class Params:
    """Fields of every kind, no TCP."""

    size_forward: int = field(3, "size, client to server", unit="bytes")
    size_reverse: int = field(4, "size, server to client", unit="bytes")
    wait: float | None = field(None, "pause", unit="s")
    delay: float | DelayDistribution = field(0.0, "delay", unit="s")
    order: Literal["up", "down"] = field("up", "direction")
    quick: bool = field(True, "no waiting")
    label: str = field("none yet", "a name")
    isn: IsnPolicy = field(HashIsn(), "the attacker's guess")

    def __post_init__(self) -> None:
        if self.size_forward < 0:
            raise ValueError(f"size_forward = {self.size_forward!r}: must be >= 0")


def run(params: Params, seed: Seed, observers: Any = ()) -> dict[str, Any]:
    return {"total": float(params.size_forward + params.size_reverse)}


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.SimpleNamespace(
        QUESTION="Which?",
        Params=Params,
        run=run,
        COLUMNS={"total": "Sum of both sizes."},
        ESTIMATES={"total": Estimator(column="total", kind="mean")},
        theory=lambda params: {"total": float("inf")},
    )
    for place in ("cli.options", "cli.listing", "study.subject"):
        monkeypatch.setattr(f"netsim.{place}.scenario", lambda name: module, raising=False)
        monkeypatch.setattr(f"netsim.{place}.NAMES", ("syn_flood",), raising=False)


@pytest.mark.parametrize("name", ["syn_flood", "syn-flood"])
def test_all_its_fields_are_options(name: str) -> None:
    words = ["--size", "9", "--wait", "50ms", "--delay", "uniform:1:2", "--order", "down"]
    words += ["--no-quick", "--label", "x", "--isn", "random"]
    status, out, err = netsim("run", name, *words, "--replications", "2", "--json", "--workers", "1")
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert result["params"] == {
        "size_forward": 9,
        "size_reverse": 9,
        "wait": 0.05,
        "delay": "uniform:1:2",
        "order": "down",
        "quick": False,
        "label": "x",
        "isn": "random",
    }
    assert result["estimates"]["total"]["value"] == 18.0
    assert result["theory"] == {"total": None}


def test_its_own_words_for_what_is_wrong() -> None:
    assert netsim("run", "syn-flood", "--size-forward", "-1").err == "netsim: size_forward = -1: must be >= 0\n"
    assert "order = 'dwn'" in netsim("run", "syn-flood", "--order", "dwn").err
    assert netsim("run", "syn-flood", "--profile", "linux").status == 2  # it has no TCP


def test_it_is_listed_by_itself() -> None:
    out = netsim("list", "syn-flood").out
    assert "--size-forward  3 bytes" in out
    assert "direction (up, down)" in out
