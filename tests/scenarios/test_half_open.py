"""Half-open connections: every accident, everything that can find it, each time worked by hand."""

import math
from typing import Any

import pytest

from netsim.cli import main
from netsim.scenarios.half_open import ESTIMATES, Params, run, theory
from netsim.seeds import Seed
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.profiles import linux, profile, rfc9293


@pytest.mark.parametrize(
    ("change", "outcome", "life"),
    [
        # RTT 0.1 s; the accident at 1.2 s; the server is ESTABLISHED at 0.15 s, the client at 0.1 s.
        ({"found_by": "data"}, "reset", 10.1),  # figure 10
        ({"found_by": "data", "victim": "server"}, "reset", 10.1),
        ({"found_by": "open"}, "reset", 10.15),  # figure 9: SYN, ACK, RST
        ({"found_by": "keepalive"}, "reset", 7200 - 1.05 + 0.1),
        ({"found_by": "keepalive", "victim": "server"}, "reset", 7200 - 1.1 + 0.1),
        ({"found_by": "nothing"}, "never", math.inf),
        ({"found_by": "nothing", "victim": "server"}, "never", math.inf),
        ({"accident": "vanishes", "found_by": "nothing"}, "never", math.inf),
        ({"accident": "vanishes", "found_by": "data"}, "timeout", 310.0),  # RFC 793: user timeout of five minutes
        ({"accident": "vanishes", "found_by": "keepalive"}, "keep-alive", 7200 - 1.05 + 9 * 75),
        ({"accident": "vanishes", "found_by": "keepalive", "victim": "server"}, "keep-alive", 7200 - 1.1 + 9 * 75),
        ({"accident": "vanishes", "during": "handshake"}, "timeout", 0.05 + 255),  # eight SYN-ACKs: 2^8 - 1
        ({"accident": "crashes", "during": "handshake"}, "reset", 0.15),
    ],
)
def test_how_long_the_survivor_holds_it(change: dict[str, Any], outcome: str, life: float) -> None:
    params = Params(**change)
    row = run(params, Seed(1))
    assert row["outcome"] == outcome
    if math.isinf(life):
        assert math.isnan(row["life"])
        assert theory(params) == {"p_never_found": 1.0}
    else:
        assert row["life"] == pytest.approx(life, abs=1e-6)
        assert theory(params) == pytest.approx({"p_never_found": 0.0, "life": life, "life_p50": life})


@pytest.mark.parametrize(
    ("name", "retries", "life"),
    [("linux", 5, 63.0), ("linux", 2, 7.0), ("freebsd", 3, 15.6), ("rfc9293", 7, 255.0), ("rfc9293", 0, 1.0)],
)
def test_the_life_of_an_entry_by_retries(name: str, retries: int, life: float) -> None:
    """1 + 2 + 4 + ... s; FreeBSD adds 200 ms to each wait but the first."""
    server = profile(name).replace(synack_retries=retries)
    row = run(Params(accident="vanishes", during="handshake", server=server), Seed(1))
    assert row["life"] == pytest.approx(0.05 + life)
    assert row["segments"] == 1 + retries  # the survivor's


def test_linux_gives_up_after_fifteen_retransmissions() -> None:
    """tcp_retries2 = 15 and an RTO of 0.3 s (0.1 s + the floor of 0.2 s): .3 (2^9 - 1) + 7 * 120 = 993.3 s."""
    server = linux().replace(syn_cookies="off")
    row = run(Params(accident="vanishes", found_by="data", server=server, client=linux()), Seed(1))
    assert row["outcome"] == "timeout"
    assert row["life"] == pytest.approx(10 + 993.3, abs=1.0)


def test_the_victim_opens_again_through_the_old_connection() -> None:
    row = run(Params(found_by="open"), Seed(1))
    assert row["reopened"]


def test_loss_delays_what_is_found() -> None:
    rows = [run(Params(found_by="data", loss_forward=0.3, loss_reverse=0.3), Seed(1, replication=k)) for k in range(60)]
    lives = [row["life"] for row in rows if row["outcome"] == "reset"]
    assert min(lives) == pytest.approx(10.1)
    assert max(lives) > 11
    assert theory(Params(found_by="data", loss_forward=0.3)) == {}


def test_who_is_established_alone() -> None:
    """One SYN, three SYN-ACK retries, pf = .3, pr = .2: (1 - pf) [(1 - q)^4 - pr^4] = .0251167, q = .56."""
    server = rfc9293().replace(synack_retries=3)
    params = Params(
        accident="none", found_by="nothing", loss_forward=0.3, loss_reverse=0.2, server=server,
        client=rfc9293().replace(syn_retries=0, syn_backoff=BackOff(initial=100.0)),
    )  # fmt: skip
    n = 2500
    p = theory(params)["p_client_alone"]
    assert p == pytest.approx(0.0251167, abs=1e-6)
    alone = sum(run(params, Seed(2, replication=k))["client_alone"] for k in range(n))
    assert abs(alone - n * p) <= 3.3 * math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize(
    "option",
    [
        "--accident maybe", "--victim nobody", "--during lunch", "--found-by luck", "--pause -1", "--horizon nan",
        "--victim server --during handshake", "--accident vanishes --found-by open", "--loss 2",
    ],
)  # fmt: skip
def test_bad_half_open_input(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "half-open", *option.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_every_estimate_of_half_open_has_a_column() -> None:
    row = run(Params(), Seed(1))
    assert {estimator.column for estimator in ESTIMATES.values()} <= set(row)
