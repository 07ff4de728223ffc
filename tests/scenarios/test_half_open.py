"""Half-open connections: every failure, everything that can reveal it, each time worked by hand."""

import math
from typing import Any

import pytest

from netsim.cli import main
from netsim.scenarios.half_open import ESTIMATES, Params, run, theory
from netsim.seeds import Seed
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.profiles import linux, profile, rfc9293


@pytest.mark.parametrize(
    ("change", "outcome", "detection"),
    [
        # RTT 0.1 s; the failure at 1.2 s; the server is ESTABLISHED at 0.15 s, the client at 0.1 s.
        ({"detected_by": "data"}, "reset", 10.1),  # figure 10
        ({"detected_by": "data", "failed_end": "server"}, "reset", 10.1),
        ({"detected_by": "open"}, "reset", 10.15),  # figure 9: SYN, ACK, RST
        ({"detected_by": "keepalive"}, "reset", 7200 - 1.05 + 0.1),
        ({"detected_by": "keepalive", "failed_end": "server"}, "reset", 7200 - 1.1 + 0.1),
        ({"detected_by": "nothing"}, "never", math.inf),
        ({"detected_by": "nothing", "failed_end": "server"}, "never", math.inf),
        ({"failure": "vanishes", "detected_by": "nothing"}, "never", math.inf),
        ({"failure": "vanishes", "detected_by": "data"}, "timeout", 310.0),  # RFC 793: user timeout of five minutes
        ({"failure": "vanishes", "detected_by": "keepalive"}, "keep-alive", 7200 - 1.05 + 9 * 75),
        (
            {"failure": "vanishes", "detected_by": "keepalive", "failed_end": "server"},
            "keep-alive",
            7200 - 1.1 + 9 * 75,
        ),
        ({"failure": "vanishes", "during": "handshake"}, "timeout", 0.05 + 255),  # eight SYN-ACKs: 2^8 - 1
        ({"failure": "crashes", "during": "handshake"}, "reset", 0.15),
    ],
)
def test_how_long_the_surviving_endpoint_keeps_the_connection(
    change: dict[str, Any], outcome: str, detection: float
) -> None:
    params = Params(**change)
    row = run(params, Seed(1))
    assert row["outcome"] == outcome
    if math.isinf(detection):
        assert math.isnan(row["time_to_detection"])
        assert theory(params) == {"p_never_detected": 1.0}
    else:
        assert row["time_to_detection"] == pytest.approx(detection, abs=1e-6)
        assert theory(params) == pytest.approx(
            {"p_never_detected": 0.0, "time_to_detection": detection, "time_to_detection_p50": detection}
        )


@pytest.mark.parametrize(
    ("name", "retries", "detection"),
    [("linux", 5, 63.0), ("linux", 2, 7.0), ("freebsd", 3, 15.6), ("rfc9293", 7, 255.0), ("rfc9293", 0, 1.0)],
)
def test_the_lifetime_of_an_entry_by_retries(name: str, retries: int, detection: float) -> None:
    """1 + 2 + 4 + ... s; FreeBSD adds 200 ms to each wait but the first."""
    server = profile(name).replace(synack_retries=retries)
    row = run(Params(failure="vanishes", during="handshake", server=server), Seed(1))
    assert row["time_to_detection"] == pytest.approx(0.05 + detection)
    assert row["segments"] == 1 + retries  # those of the surviving endpoint


def test_linux_times_out_after_fifteen_retransmissions() -> None:
    """tcp_retries2 = 15 and an RTO of 0.3 s (0.1 s + the floor of 0.2 s): .3 (2^9 - 1) + 7 * 120 = 993.3 s."""
    server = linux().replace(syn_cookies="off")
    row = run(Params(failure="vanishes", detected_by="data", server=server, client=linux()), Seed(1))
    assert row["outcome"] == "timeout"
    assert row["time_to_detection"] == pytest.approx(10 + 993.3, abs=1.0)


def test_the_failed_host_opens_again_through_the_old_connection() -> None:
    row = run(Params(detected_by="open"), Seed(1))
    assert row["reopened"]


def test_loss_delays_what_is_found() -> None:
    rows = [
        run(Params(detected_by="data", loss_forward=0.3, loss_reverse=0.3), Seed(1, replication=k)) for k in range(60)
    ]
    detections = [row["time_to_detection"] for row in rows if row["outcome"] == "reset"]
    assert min(detections) == pytest.approx(10.1)
    assert max(detections) > 11
    assert theory(Params(detected_by="data", loss_forward=0.3)) == {}


def test_who_is_established_alone() -> None:
    """One SYN, three SYN-ACK retries, pf = .3, pr = .2: (1 - pf) [(1 - q)^4 - pr^4] = .0251167, q = .56."""
    server = rfc9293().replace(synack_retries=3)
    params = Params(
        failure="none", detected_by="nothing", loss_forward=0.3, loss_reverse=0.2, server=server,
        client=rfc9293().replace(syn_retries=0, syn_backoff=BackOff(initial=100.0)),
    )  # fmt: skip
    n = 2500
    p = theory(params)["p_diverged"]
    assert p == pytest.approx(0.0251167, abs=1e-6)
    alone = sum(run(params, Seed(2, replication=k))["diverged"] for k in range(n))
    assert abs(alone - n * p) <= 3.3 * math.sqrt(n * p * (1 - p))


@pytest.mark.parametrize(
    "option",
    [
        "--failure maybe", "--failed-end nobody", "--during lunch", "--detected-by luck", "--pause -1",
        "--run-duration nan",
        "--failed-end server --during handshake", "--failure vanishes --detected-by open", "--loss 2",
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
