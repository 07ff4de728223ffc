"""``netsim run`` of the attackers' scenarios: the counts of both RFCs, estimates and theory by the same names."""

import json
from typing import Any

import pytest

from tests.cli.in_process import netsim


def result(*words: str) -> dict[str, Any]:
    done = netsim("run", *words, "--workers", "1", "--json")
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


@pytest.mark.parametrize(("profile", "mean"), [("rfc793", 32_769.0), ("rfc9293", 2**31 + 0.5)])
def test_blind_meets_the_counts_of_both_rules(profile: str, mean: float) -> None:
    """Window 65,535: 65,538 steps under RFC 793, half of them and a half on average; under RFC 5961 2^31 + .5."""
    found = result("blind", "--profile", profile, "--replications", "200", "--max-segments", "20")
    assert found["theory"]["segments_expected"] == pytest.approx(mean, abs=1.0)
    assert found["estimates"]["segments_expected"]["value"] == found["theory"]["segments_expected"]
    assert found["estimates"]["segments_needed"]["value"] == pytest.approx(mean, rel=3.9 / (3 * 200) ** 0.5)
    assert set(found["theory"]) < set(found["estimates"])


def test_a_key_on_both_ends_is_an_option() -> None:
    words = ("--client.authentication-key", "k", "--server.authentication-key", "k", "--profile", "rfc793")
    found = result("blind", *words, "--receive-window", "1000000000", "--replications", "5")
    assert found["estimates"]["p_success"]["value"] == 0.0
    assert found["theory"]["segments_expected"] is None  # never
    assert found["params"]["server"]["authentication_key"] == "k"


def test_fast_open_is_an_option() -> None:
    words = ("--client.fast-open", "client", "--server.fast-open", "server", "--attack-duration", "3")
    found = result("syn-data", *words, "--replications", "5")
    assert found["estimates"]["response_time"]["value"] == pytest.approx(0.1)
    assert found["theory"]["response_time"] == pytest.approx(0.1)


def test_a_forged_connection() -> None:
    found = result("forged-open", "--server.isn", "constant:7", "--replications", "5")
    assert (found["estimates"]["p_opened"]["value"], found["theory"]["p_opened"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("blind", "--attack", "fin"), "attack = 'fin': must be"),
        (("blind", "--receive-window", "0"), "receive_window = 0"),
        (("blind", "--client-ports", "-1"), "client_ports = -1"),
        (("blind", "--client.authentication-key", "k"), "server.authentication_key = None: must be the client's, 'k'"),
        (("syn-data", "--stolen-cookies"), "stolen_cookies = True: must be False"),
        (("syn-data", "--server.fast-open-cookie", "5"), "server.fast_open_cookie = 5"),
        (("syn-data", "--server.fast-open", "yes"), "server.fast_open = 'yes'"),
        (("forged-open", "--guesses", "0"), "guesses = 0"),
    ],
)
def test_a_bad_attack_is_one_line(words: tuple[str, ...], line: str) -> None:
    done = netsim("run", *words)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert line in done.err
