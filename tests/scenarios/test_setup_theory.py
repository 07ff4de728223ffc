"""Simulated set-up latency against the exact distribution: every policy, several losses, asymmetric paths.

One chi-square test for each cell on the whole distribution of the client's latency, failures a class of their own; and
one for the server's. The alpha of .001 is shared by all cells (Bonferroni). n and seed are fixed.
"""

import math
from collections import Counter

import numpy as np
import pytest

from netsim.scenarios import NAMES, scenario, setup
from netsim.seeds import Seed
from netsim.sweep import Rows, estimate, sweep
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import profile
from netsim.theory import LatencyDistribution
from tests.scenarios import fit

N = 3000
ALPHA = 0.001
LOSSES = ((0.1, 0.1), (0.3, 0.3), (0.05, 0.4), (0.4, 0.05))
PROFILES = ("rfc9293", "rfc793", "linux", "linux_classic", "freebsd", "windows")
CELLS = [(name, losses) for name in PROFILES for losses in LOSSES]
TESTS = 2 * len(CELLS)


def params(name: str, losses: tuple[float, float], **changes: object) -> setup.Params:
    config = profile(name)
    forward, reverse = losses
    return setup.Params(
        loss_forward=forward,
        loss_reverse=reverse,
        delay_forward=0.04,
        delay_reverse=0.06,
        client=config,
        server=config,
        **changes,  # type: ignore[arg-type]
    )


def p_value(latencies: list[float], exact: LatencyDistribution) -> float:
    """Chi-square over the latencies; failure is one too."""
    seen = Counter(math.inf if math.isnan(t) else round(t * 1e6) for t in latencies)
    atoms = dict(zip((round(t * 1e6) for t in exact.times.tolist()), exact.probabilities.tolist(), strict=True))
    atoms[math.inf] = exact.p_fail
    return fit.p_value(seen, atoms)


@pytest.mark.parametrize(("name", "losses"), CELLS)
def test_the_whole_distribution_is_the_exact_one(name: str, losses: tuple[float, float]) -> None:
    point = params(name, losses)
    exact = setup.exact_latency(point)
    assert exact is not None
    rows = sweep(setup.run, [point], replications=N, seed=20, workers=1)
    assert len(rows.failed()) == 0
    assert p_value(column(rows, "client_latency"), exact.client) > ALPHA / TESTS
    assert p_value(column(rows, "server_latency"), exact.server) > ALPHA / TESTS


def column(rows: Rows, name: str) -> list[float]:
    return [float(value) for value in rows.column(name)]  # type: ignore[arg-type]


def test_a_wrong_mechanism_would_be_seen() -> None:
    """The same runs against the theory of another policy: the test above is able to fail."""
    point = params("linux_classic", (0.3, 0.3))
    other = setup.exact_latency(params("rfc9293", (0.3, 0.3)))
    assert other is not None
    rows = sweep(setup.run, [point], replications=N, seed=20, workers=1)
    with pytest.raises(AssertionError):
        assert p_value(column(rows, "client_latency"), other.client) > ALPHA / TESTS


# Mean latency given success: RTT .04 + .06 s, RTO 1 s, 6 SYN and 5 SYN-ACK retries, loss .1, silent client.
REFERENCE = {"ack": 0.34997, "synack": 0.32989, "synack-rearm": 0.32997}
FAILURE = {"ack": 2.90e-7, "synack": 1.00e-7}


@pytest.mark.parametrize("policy", REFERENCE)
def test_reference_values(policy: str) -> None:
    config = profile("rfc9293").replace(
        syn_retries=6, synack_retries=5, duplicate_syn=policy, synack_ratelimit=0.5 if policy == "synack-rearm" else 0.0
    )
    values = setup.theory(setup.Params(delay_forward=0.04, delay_reverse=0.06, client=config, server=config))
    assert values["setup_latency"] == pytest.approx(REFERENCE[policy], abs=5e-6)
    if policy in FAILURE:
        assert values["p_fail"] == pytest.approx(FAILURE[policy], rel=5e-3)
    assert values["p_without_retransmission"] == pytest.approx(0.81)


@pytest.mark.parametrize(
    ("tie_break", "cdf", "mean"), [("timer-first", 0.97929, 0.32997), ("packet-first", 0.97200, 0.33762)]
)
def test_tie_breaks_give_their_two_values(tie_break: str, cdf: float, mean: float) -> None:
    """With constant delays and equal RTOs a duplicate SYN meets the SYN-ACK timer; the order decides F(1.1 s)."""
    config = profile("linux_classic")
    point = setup.Params(delay_forward=0.04, delay_reverse=0.06, client=config, server=config, tie_break=tie_break)  # type: ignore[arg-type]
    exact = setup.exact_latency(point)
    assert exact is not None
    assert exact.client.cdf(1.1) == pytest.approx(cdf, abs=5e-6)
    assert exact.client.mean == pytest.approx(mean, abs=5e-6)
    rows = sweep(setup.run, [point], replications=40_000, seed=3, workers=1)  # the two lie ten standard errors apart
    latencies = np.array(column(rows, "client_latency"))
    early = float(np.mean(latencies <= 1.1 + 1e-9))
    assert abs(early - cdf) < 3.9 * math.sqrt(cdf * (1 - cdf) / len(latencies))  # two-sided alpha 1e-4
    other = 0.97200 if tie_break == "timer-first" else 0.97929
    assert abs(early - other) > 3.9 * math.sqrt(cdf * (1 - cdf) / len(latencies))


def test_theory_lies_inside_the_interval_as_often_as_it_claims() -> None:
    """Over 200 seeds a 95 % interval holds the truth 179 to 199 times, with probability .999."""
    point = params("rfc9293", (0.2, 0.2))
    truth = setup.theory(point)
    inside = dict.fromkeys(("p_without_retransmission", "setup_latency_p50", "setup_latency_p95"), 0)
    for seed in range(200):
        rows = sweep(setup.run, [point], replications=150, seed=seed, workers=1)
        estimates = estimate(rows, {name: setup.ESTIMATES[name] for name in inside})
        for name, e in estimates.items():
            assert e.low is not None
            assert e.high is not None
            inside[name] += e.low <= truth[name] <= e.high
    assert 179 <= inside["p_without_retransmission"] <= 199
    # Order-statistic intervals on a distribution of atoms cover at least what they claim.
    assert inside["setup_latency_p50"] >= 179
    assert inside["setup_latency_p95"] >= 179


def test_the_mean_lies_inside_its_interval() -> None:
    """200 seeds of 2,100 runs: the mean's interval, 179 to 199 times."""
    point = params("rfc9293", (0.2, 0.2))
    truth = setup.theory(point)["setup_latency"]
    inside = 0
    for seed in range(200):
        rows = sweep(setup.run, [point], replications=2100, seed=1000 + seed, workers=1)
        e = setup.ESTIMATES["setup_latency"](rows)
        assert e.low is not None
        assert e.high is not None
        inside += e.low <= truth <= e.high
    assert 179 <= inside <= 199


def test_a_client_is_never_behind_its_server() -> None:
    """No server is ESTABLISHED for a client that never was: the invariant of the three-way handshake."""
    point = params("windows", (0.5, 0.5))
    rows = sweep(setup.run, [point], replications=1000, seed=5, workers=1)
    for name in ("p_fail", "p_diverged", "p_without_retransmission"):
        truth, found = setup.theory(point)[name], setup.ESTIMATES[name](rows).value
        assert 0.05 < truth < 0.5
        assert found == pytest.approx(truth, abs=3.9 * math.sqrt(truth * (1 - truth) / 1000))  # alpha 1e-4 each
    for row in rows:
        opened, accepted = (not math.isnan(float(row[f"{end}_latency"])) for end in ("client", "server"))  # type: ignore[arg-type]
        assert (row["failed"], row["diverged"]) == (not opened, opened and not accepted)
        outcome = "timed out" if not opened else "established" if accepted else "diverged"
        assert row["outcome"] == outcome
        assert not (row["failed"] and not math.isnan(float(row["server_latency"])))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("client", "server", "kept"),
    [
        ({}, {}, True),
        ({"invalid_ratelimit": 10.0}, {}, False),  # does not answer every retransmitted SYN-ACK
        ({"keepalive": True}, {}, False),  # its probes carry the missing ACK
        ({}, {"isn": ConstantIsn(1)}, False),  # an ACK of an entry that has expired fits the next one too
    ],
)
def test_the_servers_values_are_left_out_where_the_enumeration_does_not_hold(
    client: dict[str, object], server: dict[str, object], kept: bool
) -> None:
    config = profile("rfc9293")
    values = setup.theory(setup.Params(client=config.replace(**client), server=config.replace(**server)))
    assert ("server_latency" in values) is ("p_diverged" in values) is kept
    assert "setup_latency" in values


def test_cookies_leave_a_client_alone_as_often_as_its_ack_is_lost() -> None:
    """No timer recovers a lost final ACK: only the client is ESTABLISHED in pf = .2 of the runs that open."""
    cookies = profile("linux").replace(syn_cookies="always")
    point = setup.Params(loss_forward=0.2, loss_reverse=0.1, client=cookies, server=cookies)
    exact, theory = setup.exact_latency(point), setup.theory(point)
    assert exact is not None
    assert theory["p_diverged"] == pytest.approx(0.2 * (1 - theory["p_fail"]), rel=1e-12)
    assert theory["server_latency"] == pytest.approx(
        theory["setup_latency"] + 0.05, rel=1e-12
    )  # one one-way delay later
    rows = sweep(setup.run, [point], replications=N, seed=21, workers=1)
    assert p_value(column(rows, "client_latency"), exact.client) > ALPHA
    assert p_value(column(rows, "server_latency"), exact.server) > ALPHA
    slow = setup.Params(delay_forward=0.6, delay_reverse=0.6, client=cookies, server=cookies)
    assert "p_diverged" not in setup.theory(slow)  # two cookies may be under way there


@pytest.mark.parametrize(("forward", "reverse"), [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_no_theory_of_instants_within_an_instant(forward: float, reverse: float) -> None:
    """With no delay and packets first, what a timer sends arrives while timers of that instant still wait.

    At 1 s there and nothing back, one retry each: the second SYN-ACK leaves at 3 s, when the client's OPEN times out.
    """
    config = profile("rfc9293").replace(syn_retries=1, synack_retries=1)
    point = {"delay_forward": forward, "delay_reverse": reverse, "client": config, "server": config}
    assert setup.theory(setup.Params(**point, tie_break="packet-first")) == {}  # type: ignore[arg-type]
    assert setup.theory(setup.Params(**point, tie_break="random")) == {}  # type: ignore[arg-type]
    exact = setup.exact_latency(setup.Params(**point, tie_break="timer-first"))  # type: ignore[arg-type]
    assert exact is not None
    rows = sweep(setup.run, [setup.Params(**point)], replications=N, seed=22, workers=1)  # type: ignore[arg-type]
    assert p_value(column(rows, "client_latency"), exact.client) > ALPHA / 3


@pytest.mark.parametrize(
    ("rtt", "tie_break", "first"),
    [
        (0.5, "timer-first", 0.81),
        (1.0, "timer-first", 0.0),
        (1.0, "packet-first", 0.81),
        (3.0, "timer-first", 0.0),
        (3.0, "packet-first", 0.0),
    ],
)
def test_a_timer_shorter_than_the_round_trip_always_retransmits(rtt: float, tie_break: str, first: float) -> None:
    point = setup.Params(delay_forward=rtt / 2, delay_reverse=rtt / 2, tie_break=tie_break)  # type: ignore[arg-type]
    assert setup.theory(point)["p_without_retransmission"] == pytest.approx(first)
    rows = sweep(setup.run, [point], replications=300, seed=1, workers=1)
    assert setup.ESTIMATES["p_without_retransmission"](rows).value == pytest.approx(first, abs=0.09)  # 3.9 deviations


@pytest.mark.parametrize(
    ("forward", "reverse", "counts"),
    [(0.0, 0.0, (1, 1, 3)), (1.0, 0.0, (3, 0, 3)), (0.0, 1.0, (3, 4, 8))],
)
def test_what_a_run_counts(forward: float, reverse: float, counts: tuple[int, int, int]) -> None:
    """Two SYN retries, one SYN-ACK retry: SYNs, SYN-ACKs, segments.

    In the last run the second SYN draws a bare ACK, and the third meets a listener: the entry of 0.05 s has
    ended 1 and 2 s later, in the instant in which that SYN arrives.
    """
    config = profile("rfc9293").replace(syn_retries=2, synack_retries=1)
    point = setup.Params(loss_forward=forward, loss_reverse=reverse, client=config, server=config)
    row = setup.run(point, Seed(1))
    assert (row["syns"], row["synacks"], row["segments"]) == counts


def test_theory_knows_the_policies_that_decide() -> None:
    """A time-out shorter than the way; Linux's limit of retransmitted SYN-ACKs; a limit that no policy enumerates."""
    config = profile("linux")
    hasty = setup.Params(client=config.replace(connect_timeout=0.05), server=config)
    assert setup.theory(hasty)["p_fail"] == 1.0
    slow = setup.Params(client=config, server=config.replace(synack_ratelimit=10.0))
    usual = setup.Params(client=config, server=config)
    assert setup.theory(slow)["setup_latency"] > setup.theory(usual)["setup_latency"] + 0.001
    other = config.replace(duplicate_syn="synack", synack_ratelimit=0.5)
    assert setup.theory(setup.Params(client=config, server=other)) == {}


def test_quantiles_are_those_of_their_names() -> None:
    """p99 is the .99 quantile, in every scenario; and of known rows: 98 of 0.1 s, one of 1.1 s, one of 3.1 s."""
    found = [
        (name, how.at)
        for module in map(scenario, NAMES)
        for name, how in module.ESTIMATES.items()
        if how.kind == "quantile"
    ]
    assert ("setup_latency_p99", 0.99) in found
    assert all(at == int(name.rpartition("p")[2]) / 100 for name, at in found)
    rows = Rows({"client_latency": [0.1] * 98 + [1.1, 3.1]})
    assert {
        name: setup.ESTIMATES[name](rows).value
        for name in ("setup_latency_p50", "setup_latency_p95", "setup_latency_p99")
    } == {
        "setup_latency_p50": 0.1,
        "setup_latency_p95": 0.1,
        "setup_latency_p99": 1.1,
    }


def test_a_run_with_keep_alive_ends() -> None:
    config = profile("rfc9293").replace(keepalive=True)
    row = setup.run(setup.Params(client=config, server=config), Seed(1))
    assert row["outcome"] == "established"
