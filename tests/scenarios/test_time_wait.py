"""TIME-WAIT: how the core leaves LAST-ACK, against the exact recursion over the FINs.

One chi-square test for each cell on the joint distribution of outcome and number of FINs. The alpha of .001 is shared
by all cells (Bonferroni). n and seed are fixed.
"""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy import stats

from netsim.scenarios import time_wait
from netsim.scenarios.closing import fin_intervals
from netsim.seeds import Seed
from netsim.sweep import Rows, Scalar, estimate, sweep
from netsim.tcp.config.profiles import profile, rfc9293
from netsim.theory import TeardownOutcome, p_fin_retransmissions
from netsim.trace import Trace
from tests.scenarios import fit

N = 1200
ALPHA = 0.001
# FINs every .2 s, nine of them: the handshake's RTT of .1 s cannot move an RTO whose bounds are equal.
CONSTANT = rfc9293().replace(rto_min=0.2, rto_max=0.2, retries2=8)


def params(**changes: Any) -> time_wait.Params:
    """Losses .3 of FINs and .2 of their answers, a FIN every .2 s; ``restart``: the client's policy."""
    restart = changes.pop("restart", "fin")
    client = rfc9293().replace(time_wait_restart=restart)
    return time_wait.Params(**({"client": client, "server": CONSTANT} | changes))


CELLS = {
    "no TIME-WAIT": params(time_wait=0.0),
    "shorter than one interval": params(time_wait=0.1),
    "two intervals and a half": params(time_wait=0.5),
    "two and a half, never restarted": params(time_wait=0.5, restart="never"),
    "restarted by any segment": params(time_wait=0.5, loss_forward=0.6, loss_reverse=0.1, restart="any"),
    "five and a half, never restarted": params(time_wait=1.1, restart="never"),
    "ends as a FIN comes, timer first": params(time_wait=0.4),
    "ends as a FIN comes, packet first": params(time_wait=0.4, tie_break="packet-first"),
    "60 s": params(time_wait=60.0),
    "never restarted": params(time_wait=0.5, loss_forward=0.6, loss_reverse=0.1, restart="never"),
    "doubling intervals": params(time_wait=4.0, server=rfc9293(), restart="never"),
    "three retries": params(time_wait=2.5, server=rfc9293().replace(orphan_retries=3)),
    "Linux": params(time_wait=1.0, client=profile("linux"), server=profile("linux")),
    "the server closes first": time_wait.Params(
        closes_first="server", time_wait=0.5, client=CONSTANT, loss_forward=0.3, loss_reverse=0.2
    ),
}


def rows_of(point: time_wait.Params, n: int = N, seed: int = 31) -> Rows:
    rows = sweep(time_wait.run, [point], replications=n, seed=seed, workers=1)
    assert not len(rows.failed())
    return rows


def p_value(rows: Rows, exact: TeardownOutcome) -> float:
    """Chi-square over (outcome, FINs sent)."""
    seen = Counter(zip(rows.column("outcome"), rows.column("fins"), strict=True))
    expected: dict[tuple[Scalar, Scalar], float] = {("clean", k + 1): p for k, p in enumerate(exact.clean)}
    expected |= {("reset", k + 1): p for k, p in enumerate(exact.reset)}
    expected["timeout", len(exact.clean)] = exact.p_timeout
    return fit.p_value(seen, expected)


@pytest.mark.parametrize("cell", CELLS)
def test_outcome_and_fins_are_distributed_as_the_recursion_says(cell: str) -> None:
    point = CELLS[cell]
    exact = time_wait.exact_outcome(point)
    assert exact is not None
    assert p_value(rows_of(point), exact) > ALPHA / len(CELLS)


@pytest.mark.parametrize(
    ("real", "other"),
    [
        ("never restarted", "restarted by any segment"),
        ("ends as a FIN comes, packet first", "ends as a FIN comes, timer first"),
    ],
)
def test_a_wrong_mechanism_would_be_seen(real: str, other: str) -> None:
    """The same runs against the theory of another mechanism: the test above is able to fail."""
    exact = time_wait.exact_outcome(CELLS[other])
    assert exact is not None
    assert p_value(rows_of(CELLS[real]), exact) < ALPHA / len(CELLS)


@pytest.mark.parametrize(("tau", "clean", "reset"), [(60.0, 0.999382, 0.0), (0.0, 0.799984, 0.199398)])
def test_reference_values(tau: float, clean: float, reset: float) -> None:
    """q = .7 * .8 = .56, nine FINs: time-out .44^9 = .000618; without TIME-WAIT, clean .8 (1 - .3^9) = .799984."""
    point = params(time_wait=tau)
    assert fin_intervals(point.last, 100_000_000, peer=point.first) == (0.2,) * 9
    values = time_wait.theory(point)
    assert values["p_clean"] == pytest.approx(clean, abs=5e-7)
    assert values["p_reset"] == pytest.approx(reset, abs=1e-6)
    assert values["p_timeout"] == pytest.approx(0.000618, abs=5e-7)
    assert values["p_unclean"] == pytest.approx(1 - clean, abs=5e-7)
    assert values["p_no_time_wait"] == pytest.approx(0.3**9)
    assert values["p_first_fin_answered"] == pytest.approx(0.56)
    assert values["fins"] == pytest.approx((1 - 0.44**9) / 0.56)  # the mean of a geometric distribution cut off at nine
    # 2,500 runs of the core, two-sided alpha 1e-4
    rows = rows_of(point, 2500)
    for name in ("p_clean", "p_timeout"):
        e, p = time_wait.ESTIMATES[name](rows), values[name]
        assert e.value is not None
        assert stats.binomtest(round(e.value * e.n), e.n, p).pvalue > 1e-4


def test_retransmissions_are_geometric_whatever_time_wait() -> None:
    for point in (params(time_wait=0.0), params(time_wait=0.5), params(time_wait=60.0)):
        exact = time_wait.exact_outcome(point)
        assert exact is not None
        for k, p in enumerate(exact.retransmissions):
            assert p == pytest.approx(p_fin_retransmissions(k, loss_fin=0.3, loss_answer=0.2))


def test_theory_and_estimates_share_their_keys_and_the_means_agree() -> None:
    """Means within 3.9 standard errors: two-sided alpha 1e-4 for each."""
    point = params(time_wait=0.5, restart="never")
    values, rows = time_wait.theory(point), rows_of(point, 2000)
    assert set(values) <= set(time_wait.ESTIMATES)
    for name in ("fins", "segments", "last_closer_latency", "time_wait_duration"):
        sample = rows.array(time_wait.ESTIMATES[name].column)
        sample = sample[~np.isnan(sample)]
        error = float(np.std(sample)) / math.sqrt(len(sample))
        assert abs(float(np.mean(sample)) - values[name]) <= 3.9 * error + 1e-9, name


def test_theory_lies_inside_the_interval_as_often_as_it_claims() -> None:
    """Over 200 seeds a 95 % interval holds the truth 179 to 199 times, with probability .999."""
    point = params(time_wait=0.0)
    truth = time_wait.theory(point)
    inside = dict.fromkeys(("p_clean", "p_reset", "p_first_fin_answered"), 0)
    for seed in range(200):
        estimates = estimate(rows_of(point, 30, seed), {name: time_wait.ESTIMATES[name] for name in inside})
        for name, e in estimates.items():
            assert e.low is not None
            assert e.high is not None
            inside[name] += e.low <= truth[name] <= e.high
    assert all(179 <= count <= 199 for count in inside.values()), inside


def test_a_mean_latency_does_not_hang_on_those_that_give_up() -> None:
    """FINs at 0, 1, 3, 7, ... s: .44^6 of the servers are not done by 60 s, and count 60 s each, also those at 300 s.

    By hand, a = .44 and RTT .1: .56 (.1 + 1.1 a + 3.1 a^2 + 7.1 a^3 + 15.1 a^4 + 31.1 a^5) + 60 a^6 = 2.041.
    """
    point = time_wait.Params()
    by_hand = 0.56 * sum((2**k - 0.9) * 0.44**k for k in range(6)) + 60 * 0.44**6
    assert by_hand == pytest.approx(2.041, abs=0.001)
    assert time_wait.theory(point)["last_closer_latency"] == pytest.approx(by_hand)
    rows = rows_of(point, 2000)
    e = time_wait.ESTIMATES["last_closer_latency"](rows)
    assert e.value is not None
    assert abs(e.value - by_hand) < 3.9 * float(np.std(np.minimum(rows.array("last_closer_latency"), 60.0))) / 2000**0.5


def test_no_count_of_segments_where_the_ack_may_ride_on_a_fin_that_is_lost() -> None:
    """Then the first FIN comes again, too, and is answered: more than the recursion counts."""
    values = time_wait.theory(CELLS["Linux"])
    assert "p_clean" in values
    assert "segments" not in values


def test_no_losses_by_hand() -> None:
    """One-way .05 s. FIN at .15, its ACK and the FIN of the server at .2, the last ACK at .25, there at .3."""
    row = time_wait.run(time_wait.Params(loss_forward=0.0, loss_reverse=0.0), Seed(1))
    assert row == {
        "outcome": "clean",
        "unclean": False,
        "fins": 1,
        "segments": 4,
        "last_closer_latency": 0.1,
        "first_closer_latency": 240.1,
        "time_wait_at": "client",
        "time_wait_duration": 240.0,
    }


@pytest.mark.parametrize(("restart", "held"), [("fin", 495.0), ("never", 240.0)])
def test_no_answer_by_hand(restart: str, held: float) -> None:
    """FINs 0, 1, 3, 7, 15, 31, 63, 127 and 255 s after the first; RFC 793's user timeout ends it at 300 s.

    All arrive. With restarts the last one, too, finds TIME-WAIT (127 + 240 > 255), which ends at 255 + 240; without,
    TIME-WAIT ends at 240 and the last FIN draws a RST, which is lost like the ACKs.
    """
    row = time_wait.run(params(server=rfc9293(), loss_forward=1.0, loss_reverse=0.0, restart=restart), Seed(1))
    assert (row["outcome"], row["fins"], row["segments"]) == ("timeout", 9, 20)
    assert row["last_closer_latency"] == pytest.approx(300.0)
    assert row["time_wait_duration"] == pytest.approx(held)


def test_no_fin_arrives_by_hand() -> None:
    """The end that closed first stays in FIN-WAIT-2 and has no timer that could end it."""
    row = time_wait.run(params(loss_reverse=1.0), Seed(1))
    assert (row["outcome"], row["fins"], row["segments"]) == ("timeout", 9, 11)
    assert row["last_closer_latency"] == pytest.approx(1.8)
    assert row["time_wait_at"] == "nobody"
    assert math.isnan(row["first_closer_latency"])
    assert math.isnan(row["time_wait_duration"])


def test_the_end_that_closes_first_has_time_wait() -> None:
    for end in ("client", "server"):
        row = time_wait.run(time_wait.Params(closes_first=end, time_wait=7.0), Seed(1))
        assert row["time_wait_at"] == end


def test_the_trace_tells_the_same_story() -> None:
    point = params(time_wait=0.0)
    for replication in range(40):
        trace = Trace()
        row = time_wait.run(point, Seed(2, "", replication), [trace.events.append])
        assert row == time_wait.run(point, Seed(2, "", replication))
        if row["outcome"] == "reset":
            assert "RST" in trace.ladder()
            return
    pytest.fail("no run that ends by a reset")


@pytest.mark.parametrize(
    "changes",
    [
        {"delay_forward": 0.5, "delay_reverse": 0.6},  # the RTT is longer than the SYN's RTO
        {"server": rfc9293().replace(timer_hz=250)},
        {"tie_break": "random"},
        {"server": rfc9293().replace(user_timeout=1.05)},  # an answer to the last FIN comes too late
    ],
)
def test_no_theory_where_the_recursion_does_not_hold(changes: dict[str, Any]) -> None:
    assert time_wait.theory(params(**changes)) == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("loss_forward", 1.5),
        ("delay_reverse", -1.0),
        ("time_wait", -1.0),
        ("time_wait", float("nan")),
        ("closes_first", "both"),
        ("tie_break", "none"),
        ("server.retries2", rfc9293().replace(user_timeout=None)),
    ],
)
def test_bad_parameters_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        time_wait.Params(**{field.partition(".")[0]: value})


def test_two_lengths_of_time_wait_contradict_each_other() -> None:
    with pytest.raises(ValueError, match=r"client\.time_wait = 3\.0.*time_wait = 4\.0"):
        time_wait.Params(client=rfc9293().replace(time_wait=3.0), time_wait=4.0)
    assert time_wait.Params(client=rfc9293().replace(time_wait=3.0)).first.time_wait == 3.0
