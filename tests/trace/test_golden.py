"""Ladders and digests that must not change unintentionally.

Renew both after an intended change, and read the difference: ``NETSIM_GOLDEN=renew python -m pytest tests/trace``
"""

import json
import os
from pathlib import Path

import pytest

from netsim.tcp.config.profiles import profile
from tests.trace import rfc1337, runs
from tests.trace.runs import DIGESTS, weather

LADDERS = runs.LADDERS | rfc1337.LADDERS
LADDER_FILES = Path(__file__).parent / "golden"
DIGEST_FILE = Path(__file__).parents[1] / "golden" / "digests.json"
PROFILES = ("rfc9293", "linux", "freebsd")
RENEW = os.environ.get("NETSIM_GOLDEN") == "renew"


@pytest.mark.parametrize("name", LADDERS)
def test_ladder(name: str) -> None:
    text = LADDERS[name](profile("rfc9293")).trace.ladder() + "\n"
    file = LADDER_FILES / f"{name}.txt"
    if RENEW:
        file.write_text(text, encoding="utf-8", newline="\n")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("base", PROFILES)
@pytest.mark.parametrize("name", DIGESTS)
def test_digest(name: str, base: str) -> None:
    digest = DIGESTS[name](profile(base)).trace.digest()
    key = f"{name}/{base}"
    golden = json.loads(DIGEST_FILE.read_text(encoding="utf-8")) if DIGEST_FILE.exists() else {}
    if RENEW:
        golden[key] = digest
        DIGEST_FILE.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n", encoding="utf-8")
    assert golden[key] == digest


def test_the_golden_digests_are_those_of_the_runs() -> None:
    golden = json.loads(DIGEST_FILE.read_text(encoding="utf-8"))
    assert sorted(golden) == sorted(f"{name}/{base}" for name in DIGESTS for base in PROFILES)
    assert len(set(golden.values())) == len(golden)


def test_the_same_run_twice_has_the_same_digest_and_another_seed_another() -> None:
    assert weather("linux").trace.digest() == weather("linux").trace.digest()
