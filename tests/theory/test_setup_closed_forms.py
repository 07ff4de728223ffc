"""Closed forms: against numbers worked by hand and against the exact enumeration with many retries."""

from collections.abc import Callable
from typing import Any

import pytest

from netsim.theory import (
    SetupLatency,
    cardwell_mean,
    rfc9293_client_distribution,
    rfc9293_client_mean,
    rfc9293_server_mean,
    setup_latency,
    single_syn_p_diverged,
    stateless_mean,
    stateless_p_fail,
)

LOSSES = [(0.1, 0.1), (0.02, 0.2), (0.25, 0.05), (0.0, 0.3)]


def enumerated(policy: str, *, pf: float, pr: float, syn: int, synack: int) -> SetupLatency:
    return setup_latency(
        policy=policy,
        syn_intervals=[2.0**i for i in range(syn + 1)],
        synack_intervals=[2.0**i for i in range(synack + 1)],
        loss_forward=pf,
        loss_reverse=pr,
        delay_forward=0.04,
        delay_reverse=0.06,
    )


def test_by_hand() -> None:
    """10 % in both directions: A(.1) = .1/.8 = .125, A(.19) = .19/.62 = .306452."""
    both = {"loss_forward": 0.1, "loss_reverse": 0.1}
    assert rfc9293_client_mean(rtt=0.1, rto=1.0, **both) == pytest.approx(0.35)
    assert cardwell_mean(rtt=0.1, **both) == pytest.approx(0.1 + 3 * 0.25)
    assert stateless_mean(rtt=0.1, rto=1.0, **both) == pytest.approx(0.406452, abs=1e-6)
    server = rfc9293_server_mean(delay_forward=0.04, delay_reverse=0.06, rto=1.0, **both)
    assert server == pytest.approx(0.57145, abs=5e-6)
    assert stateless_p_fail(**both, syn_retries=6) == pytest.approx(8.94e-6, rel=1e-3)
    diverged = single_syn_p_diverged(loss_forward=0.3, loss_reverse=0.2, synack_retries=3)
    assert diverged == pytest.approx(0.0251167, abs=5e-8)


@pytest.mark.parametrize(("pf", "pr"), LOSSES)
def test_cardwell_is_the_literal_policy_without_limits(pf: float, pr: float) -> None:
    losses = {"loss_forward": pf, "loss_reverse": pr}
    closed = cardwell_mean(rtt=0.1, rto=1.0, **losses)
    assert closed == pytest.approx(rfc9293_client_mean(rtt=0.1, rto=1.0, **losses))
    exact = enumerated("ack", pf=pf, pr=pr, syn=40, synack=40)
    assert exact.client.mean == pytest.approx(closed, rel=1e-6)
    server = rfc9293_server_mean(delay_forward=0.04, delay_reverse=0.06, rto=1.0, **losses)
    assert exact.server.mean == pytest.approx(server, rel=1e-6)


@pytest.mark.parametrize(("pf", "pr"), LOSSES)
def test_stateless(pf: float, pr: float) -> None:
    losses = {"loss_forward": pf, "loss_reverse": pr}
    exact = enumerated("stateless", pf=pf, pr=pr, syn=40, synack=0)
    assert exact.client.mean == pytest.approx(stateless_mean(rtt=0.1, rto=1.0, **losses), rel=1e-6)
    for n in (0, 3, 6):
        exact = enumerated("stateless", pf=pf, pr=pr, syn=n, synack=0)
        assert exact.p_fail == pytest.approx(stateless_p_fail(**losses, syn_retries=n))


@pytest.mark.parametrize(("pf", "pr"), [*LOSSES, (0.3, 0.2)])
@pytest.mark.parametrize("m", [0, 1, 5])
def test_divergence_with_one_syn(pf: float, pr: float, m: int) -> None:
    exact = setup_latency(
        policy="synack-rearm",
        syn_intervals=[100.0],
        synack_intervals=[2.0**i for i in range(m + 1)],
        loss_forward=pf,
        loss_reverse=pr,
        delay_forward=0.04,
        delay_reverse=0.06,
    )
    closed = single_syn_p_diverged(loss_forward=pf, loss_reverse=pr, synack_retries=m)
    assert exact.p_diverged == pytest.approx(closed, rel=1e-9, abs=1e-15)


def test_literal_distribution_is_the_enumeration_before_its_limits() -> None:
    """With 6 and 5 retransmissions nothing is cut before the SYN-RECEIVED entry expires at 63 s."""
    closed = rfc9293_client_distribution(rtt=0.1, rto=1.0, loss_forward=0.3, loss_reverse=0.2, horizon=63.0)
    exact = enumerated("ack", pf=0.3, pr=0.2, syn=6, synack=5)
    early = exact.client.times < 63.0
    assert closed.times == pytest.approx(exact.client.times[early])
    assert closed.probabilities == pytest.approx(exact.client.probabilities[early])
    assert closed.p_fail == pytest.approx(1 - exact.client.cdf(62.9))
    # i = 1, j = 0 and i = 0, j = 1 both take RTT + T: .7 .8 (.3 + .2)
    assert closed.probabilities[:2] == pytest.approx([0.56, 0.28])


def test_literal_distribution_mean_tends_to_the_closed_mean() -> None:
    losses = {"loss_forward": 0.1, "loss_reverse": 0.2}
    far = rfc9293_client_distribution(rtt=0.1, rto=1.0, horizon=1e7, **losses)
    assert far.mean == pytest.approx(rfc9293_client_mean(rtt=0.1, rto=1.0, **losses), rel=1e-6)
    assert rfc9293_client_distribution(rtt=0.1, rto=1.0, horizon=0.1, **losses).p_fail == 1.0


FORMS: list[tuple[Callable[..., Any], dict[str, float]]] = [
    (cardwell_mean, {"rtt": 0.1, "rto": 1.0}),
    (rfc9293_client_mean, {"rtt": 0.1, "rto": 1.0}),
    (rfc9293_server_mean, {"delay_forward": 0.0, "delay_reverse": 0.1, "rto": 1.0}),
    (stateless_mean, {"rtt": 0.1, "rto": 1.0}),
    (rfc9293_client_distribution, {"rtt": 0.1, "rto": 1.0, "horizon": 10.0}),
    (stateless_p_fail, {"syn_retries": 3}),
    (single_syn_p_diverged, {"synack_retries": 3}),
]


@pytest.mark.parametrize(("form", "setting"), FORMS)
@pytest.mark.parametrize("loss", [-0.1, 1.1, float("nan")])
@pytest.mark.parametrize("way", ["loss_forward", "loss_reverse"])
def test_losses_outside_their_range(form: Callable[..., Any], setting: dict[str, float], loss: float, way: str) -> None:
    losses = {"loss_forward": 0.1, "loss_reverse": 0.1} | {way: loss}
    with pytest.raises(ValueError, match=rf"{way} must be in \[0, .*got {loss}"):
        form(**setting, **losses)


@pytest.mark.parametrize(("form", "setting"), FORMS[:4])
def test_means_are_infinite_from_one_half_on(form: Callable[..., Any], setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be in \[0, 0\.5\)"):
        form(**setting, loss_forward=0.5, loss_reverse=0.0)


@pytest.mark.parametrize(
    ("form", "setting", "name"),
    [
        (cardwell_mean, {"rtt": -1.0}, "rtt"),
        (cardwell_mean, {"rtt": 0.1, "rto": 0.0}, "rto"),
        (stateless_mean, {"rtt": 0.1, "rto": float("inf")}, "rto"),
        (stateless_p_fail, {"syn_retries": -1}, "syn_retries"),
        (single_syn_p_diverged, {"synack_retries": 1.5}, "synack_retries"),
        (rfc9293_client_distribution, {"rtt": 0.1, "rto": 1.0, "horizon": 0.0}, "horizon"),
    ],
)
def test_bad_input_is_named(form: Callable[..., Any], setting: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        form(**setting, loss_forward=0.1, loss_reverse=0.1)
