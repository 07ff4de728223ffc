"""Setup latency: reference values, limits, bad input, speed."""

from typing import Any

import numpy as np
import pytest

from netsim.theory import SetupLatency, setup_latency
from netsim.theory.setup_chain import HandshakeChain

FREEBSD_SYN = [1, 2.2, 4.2, 8.2, 16.2, 32.2, 64.2]  # 200 ms of slop on each retransmission; keep-init 75 s
LINUX_SYN = [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]  # SYNs at 0 1 2 3 4 5 7 11 19 35 67, times out at 131


def doubling(retries: int) -> list[float]:
    return [2.0**i for i in range(retries + 1)]


def solve(policy: str = "ack", **changes: Any) -> SetupLatency:
    """RTT 0.1 s (0.04 there, 0.06 back), RTO 1 s, 10 % loss in each direction, 6 SYN and 5 SYN-ACK retries."""
    setting: dict[str, Any] = {
        "policy": policy,
        "syn_intervals": doubling(6),
        "synack_intervals": doubling(5),
        "loss_forward": 0.1,
        "loss_reverse": 0.1,
        "delay_forward": 0.04,
        "delay_reverse": 0.06,
    }
    return setup_latency(**(setting | changes))


@pytest.mark.parametrize(
    ("policy", "mean", "p_fail"),
    [
        ("stateless", 0.40497, 8.94e-6),
        ("ack", 0.34997, 2.90e-7),
        ("synack", 0.32989, 1.00e-7),
        ("synack-rearm", 0.32997, 1.00e-7),
    ],
)
def test_reference_means_and_failures(policy: str, mean: float, p_fail: float) -> None:
    result = solve(policy)
    assert result.client.mean == pytest.approx(mean, abs=5e-6)
    assert result.p_fail == pytest.approx(p_fail, rel=6e-3)


def test_tie_breaking_is_part_of_the_model() -> None:
    """The SYN-ACK timer expires at df + 1, df + 3, ...: exactly when the duplicate SYNs arrive."""
    timer_first, packet_first = solve("synack-rearm"), solve("synack-rearm", tie_break="packet-first")
    assert timer_first.client.mean == pytest.approx(0.32997, abs=5e-6)
    assert packet_first.client.mean == pytest.approx(0.33762, abs=5e-6)
    # By hand: .81 at once; first SYN lost: .1 x .81; SYN-ACK lost: .09, then two SYN-ACKs leave at 1.04 if
    # the duplicate SYN arrives (.9), otherwise the timer's alone.
    by_hand = 0.81 + 0.1 * 0.81 + 0.09 * (0.9 * (1 - 0.1**2) + 0.1 * 0.9)
    assert by_hand == pytest.approx(0.97929)
    assert timer_first.client.cdf(1.1) == pytest.approx(by_hand)
    assert packet_first.client.cdf(1.1) == pytest.approx(0.81 + 0.1 * 0.81 + 0.09 * 0.9)  # .97200


@pytest.mark.parametrize("policy", ["ack", "stateless", "synack", "synack-rearm"])
def test_first_try_needs_both_segments(policy: str) -> None:
    result = solve(policy, loss_forward=0.3, loss_reverse=0.2)
    assert result.client.cdf(0.1) == pytest.approx(0.7 * 0.8)
    assert result.client.cdf(0.0999) == 0.0
    assert result.server.cdf(0.14) == pytest.approx(0.7 * 0.8 * 0.7)


def test_literal_server_mean() -> None:
    result = solve(syn_intervals=doubling(7), synack_intervals=doubling(7))
    assert result.server.mean == pytest.approx(0.57088, abs=5e-6)


def test_divergence_of_a_single_syn() -> None:
    """(1 - .3) [(1 - .56)^4 - .2^4] = .7 (.03748096 - .0016) = .025116672."""
    result = solve(syn_intervals=[1000], synack_intervals=doubling(3), loss_forward=0.3, loss_reverse=0.2)
    assert result.p_diverged == pytest.approx(0.025116672)
    assert result.server.p_fail == pytest.approx(0.3 + 0.7 * 0.44**4)


def test_stateless_client_stays_alone_when_its_only_ack_is_lost() -> None:
    """After the first SYN-ACK no SYN follows and no timer runs at the server: the ACK is lost with .1."""
    assert solve("stateless").p_diverged == pytest.approx(0.1 * (1 - 0.19**7))


def test_bsd_ignores_tie_breaking_except_at_the_end() -> None:
    """One more SYN-ACK at the same time, in either order."""
    first, second = solve("synack"), solve("synack", tie_break="packet-first")
    assert first.client.cdf(31.5) == pytest.approx(second.client.cdf(31.5), rel=1e-12)


def test_no_loss_is_one_round_trip() -> None:
    result = solve("synack-rearm", loss_forward=0.0, loss_reverse=0.0)
    assert result.client.times.tolist() == [0.1]
    assert result.server.times.tolist() == [0.14]
    assert (result.p_fail, result.p_diverged) == (0.0, 0.0)


@pytest.mark.parametrize("losses", [{"loss_forward": 1.0}, {"loss_reverse": 1.0}])
def test_certain_loss_never_connects(losses: dict[str, float]) -> None:
    result = solve("synack-rearm", **losses)
    assert result.p_fail == pytest.approx(1.0)
    assert result.p_diverged == 0.0
    assert np.isnan(result.client.mean)
    assert result.client.quantile(0.01) == float("inf")


def test_losses_are_not_interchangeable() -> None:
    lost_syns, lost_synacks = (solve(loss_forward=a, loss_reverse=b) for a, b in ((0.3, 0.1), (0.1, 0.3)))
    assert lost_syns.server.mean != pytest.approx(lost_synacks.server.mean, rel=1e-3)


def test_connect_timeout_cuts_the_schedule() -> None:
    """FreeBSD: SYNs at 0 1 3.2 7.4 15.6 31.8 64, but keep-init ends the attempt at 75 s, not at 128.2 s."""
    cut = solve("synack", syn_intervals=FREEBSD_SYN, connect_timeout=75.0, loss_forward=1.0)
    assert cut.p_fail == 1.0
    patient, hasty = (
        solve("stateless", syn_intervals=FREEBSD_SYN, connect_timeout=timeout) for timeout in (75.0, 64.0)
    )
    assert patient.p_fail == pytest.approx(0.19**7)  # the SYN at 64 s counts,
    assert hasty.p_fail == pytest.approx(0.19**6)  # unless the attempt ends there
    assert patient.client.times.max() == pytest.approx(64.1)


@pytest.mark.parametrize(("tie_break", "p_fail"), [("timer-first", 1.0), ("packet-first", 0.19)])
def test_a_synack_at_the_time_of_the_timeout(tie_break: str, p_fail: float) -> None:
    assert solve(connect_timeout=0.1, tie_break=tie_break).p_fail == pytest.approx(p_fail)


def test_a_later_timeout_lengthens_no_schedule() -> None:
    """The only SYN-ACK arrives after 1.2 s; the client's OPEN has timed out after 1 s, whatever its connect timeout."""
    late = {"syn_intervals": [1.0], "synack_intervals": [10.0], "delay_forward": 0.6, "delay_reverse": 0.6}
    assert solve(**late).p_fail == 1.0
    assert solve(**late, connect_timeout=30.0).p_fail == 1.0
    assert solve(**late | {"syn_intervals": [2.0]}, connect_timeout=30.0).p_fail < 1.0


def test_linux_rate_limit_counts_only_duplicate_syns() -> None:
    """SYNs at 0, .3, .6, 1 all arrive: SYN-ACKs leave at 0, .3 and 1, and none at .6."""
    result = solve(
        "synack-rearm", syn_intervals=[0.3, 0.3, 0.4, 9], synack_intervals=[50], delay_forward=0.0, loss_forward=0.0
    )
    assert result.client.times == pytest.approx([0.06, 0.36, 1.06])


@pytest.mark.parametrize("policy", ["ack", "stateless", "synack", "synack-rearm"])
@pytest.mark.parametrize("loss", [0.01, 0.5, 0.99])
def test_probabilities_add_up(policy: str, loss: float) -> None:
    result = solve(policy, syn_intervals=LINUX_SYN, loss_forward=loss, loss_reverse=loss)
    for end in (result.client, result.server):
        assert end.probabilities.sum() + end.p_fail == pytest.approx(1.0, abs=1e-12)
    assert result.server.p_fail == pytest.approx(result.client.p_fail + result.p_diverged)


def test_cheap_enough_to_draw_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven SYNs and six SYN-ACKs: runs that have become equal are one, or there would be 2^17 and more of them."""
    decided = 0
    leave = HandshakeChain._synack_leaves

    def counted(chain: HandshakeChain, *run: Any, now: int) -> Any:
        nonlocal decided
        decided += 1
        return leave(chain, *run, now=now)

    monkeypatch.setattr(HandshakeChain, "_synack_leaves", counted)
    solve("synack-rearm", syn_intervals=LINUX_SYN, loss_forward=0.3, loss_reverse=0.3)
    assert decided < 2000


@pytest.mark.parametrize("policy", ["ack", "stateless", "synack", "synack-rearm"])
def test_longest_intervals(policy: str) -> None:
    result = solve(policy, syn_intervals=[1e15] * 4, synack_intervals=[1e15, 1e15])
    assert result.client.times.max() >= 3e15
    assert result.client.probabilities.sum() + result.p_fail == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"policy": "solaris"}, ["policy", "solaris", "synack-rearm"]),
        ({"tie_break": "random"}, ["tie_break", "random", "timer-first"]),
        ({"loss_forward": 1.01}, ["loss_forward", "1.01", "[0, 1]"]),
        ({"loss_reverse": float("nan")}, ["loss_reverse", "nan", "[0, 1]"]),
        ({"delay_forward": -0.1}, ["delay_forward", "-0.1", "[0, 1e+15]"]),
        ({"delay_reverse": float("inf")}, ["delay_reverse", "inf", "[0, 1e+15]"]),
        ({"syn_intervals": []}, ["syn_intervals", "at least one"]),
        ({"syn_intervals": [1, 0]}, ["syn_intervals[1]", "got 0", "[1e-09, 1e+15]"]),
        ({"synack_intervals": [1e-12]}, ["synack_intervals[0]", "1e-12", "1e-09"]),
        ({"connect_timeout": 0.0}, ["connect_timeout", "0.0", "> 0"]),
        ({"duplicate_syn_interval": -1.0}, ["duplicate_syn_interval", "-1.0", "[0, "]),
    ],
)
def test_bad_input_is_named(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValueError, match=r"must ") as caught:
        solve(**changes)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


def test_stateless_needs_no_synack_schedule() -> None:
    assert solve("stateless", synack_intervals=[]).p_fail == pytest.approx(0.19**7)
