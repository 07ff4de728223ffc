"""Handshakes of two, three and four segments: ghosts counted against closed forms, and single copies by hand.

Statistical tests: two-sided alpha 1e-4 for each comparison.
"""

import math

import pytest

from netsim.link import Exponential, Fixed
from netsim.scenarios import two_way
from netsim.seeds import Seed
from netsim.studies.study import Case, differences, simulate
from netsim.sweep import Rows, sweep
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import rfc9293

Z = 3.89
HANDSHAKES = ("two-way", "three-way", "four-way")


def rows_of(n: int, **changes: object) -> Rows:
    rows = sweep(two_way.run, [two_way.Params(**changes)], replications=n, seed=8, workers=1)  # type: ignore[arg-type]
    assert not len(rows.failed())
    return rows


def share(rows: Rows, column: str) -> float:
    return sum(map(bool, rows.column(column))) / len(rows)


def assert_near(found: float, p: float, n: int) -> None:
    assert abs(found - p) <= Z * math.sqrt(p * (1 - p) / n), (found, p)


@pytest.mark.parametrize(("server_memory", "p"), [(0.0, 0.1 * math.exp(-1.1 / 5)), (3.0, 0.1 * math.exp(-4.1 / 5))])
def test_a_copy_becomes_a_ghost_with_d_times_e_to_the_minus_h_over_theta(server_memory: float, p: float) -> None:
    """d = 0.1, theta = 5 s; the server knows the connection for 1 s and one round trip of 0.1 s, and remembers it."""
    assert two_way.theory(two_way.Params(server_memory=server_memory))["p_ghost"] == pytest.approx(p, abs=1e-9)
    assert_near(share(rows_of(1500, server_memory=server_memory), "ghost"), p, 1500)


def test_delay_alone_makes_ghosts() -> None:
    """mu = .5, b = r = .05, T = 1, H = .3 (s): .09254, no segment being lost or copied.

    And e^-(5.9 - 1)/.5 (1 - e^-.6) = .000025 for both SYNs coming after the client's OPEN timed out, at 3 s.
    """
    delays = {
        "duplicate": 0.0,
        "delay_forward": Exponential(0.5, offset=0.05),
        "service_time": 0.3,
        "server_ends_with": "abort",
    }
    client = rfc9293().replace(syn_retries=1)
    assert two_way.theory(two_way.Params(client=client, **delays))["p_ghost"] == pytest.approx(0.092565, abs=6e-6)  # type: ignore[arg-type]
    assert_near(share(rows_of(2500, client=client, **delays), "ghost"), 0.09254, 2500)
    assert not share(rows_of(200, client=client, handshake="three-way", **delays), "ghost")


@pytest.mark.parametrize("handshake", ["three-way", "four-way"])
def test_the_same_copies_leave_the_real_server_half_open_and_no_more(handshake: str) -> None:
    rows = rows_of(1000, handshake=handshake)
    assert share(rows, "ghost") == share(rows, "has_wrong_bytes") == share(rows, "unconfirmed") == 0
    assert_near(share(rows, "half_open"), 0.1 * math.exp(-1.1 / 5), 1000)


@pytest.mark.parametrize(
    ("handshake", "client_after", "keepalive", "duration"),
    [
        ("two-way", "answers", False, 0.1),  # the SYN-ACK and its RST: a round trip
        ("two-way", "silent", False, math.inf),
        ("two-way", "silent", True, 7876.1),  # 7200 s and nine probes of 75 s, from the last copy (of the FIN) on
        ("three-way", "answers", False, 0.1),
        ("three-way", "silent", False, 255.0),  # 1 + 2 + ... + 128 s
    ],
)
def test_how_long_an_old_syn_is_believed(handshake: str, client_after: str, keepalive: bool, duration: float) -> None:
    """Every segment has a copy, 3 s late."""
    params = two_way.Params(
        handshake=handshake,  # type: ignore[arg-type]
        client_after=client_after,  # type: ignore[arg-type]
        duplicate=1.0,
        duplicate_delay=Fixed(3.0),
        server=rfc9293().replace(keepalive=keepalive),
    )
    row = two_way.run(params, Seed(1))
    column = "ghost_duration" if handshake == "two-way" else "half_open_duration"
    assert row[column] == pytest.approx(duration)
    assert (row["ghosts"], row["half_opens"]) == ((1, 0) if handshake == "two-way" else (0, 1))


@pytest.mark.parametrize(
    ("server_memory", "msl", "ghosts"),
    [
        (0.0, 120.0, 1),
        (0.899, 120.0, 1),  # forgotten at 0.05 + 1 + 0.1 + 0.899 = 2.049 s; the copy comes at 2.05 s
        (0.901, 120.0, 0),
        (0.0, 2.049, 0),  # the copy is 2.05 s old
        (0.0, 2.051, 1),
        (0.901, 2.051, 0),  # the server remembers longer than a packet lives: safe
    ],
)
def test_safe_exactly_when_the_server_remembers_longer(server_memory: float, msl: float, ghosts: int) -> None:
    late = {"duplicate": 1.0, "duplicate_delay": Fixed(2.0)}
    row = two_way.run(two_way.Params(server_memory=server_memory, msl=msl, **late), Seed(1))  # type: ignore[arg-type]
    assert row["ghosts"] == ghosts
    exponential = two_way.Params(server_memory=server_memory, msl=msl, duplicate=1.0)
    safe = server_memory + 1.1 >= msl - 0.05  # known for 1.1 s and remembered, against what is left of a copy's life
    assert (two_way.theory(exponential)["p_ghost"] == 0) is safe


@pytest.mark.parametrize(
    ("handshake", "isn", "wrong_bytes"),
    [
        ("two-way", None, 0),  # the old request acknowledges an ISS of before: refused
        ("two-way", ConstantIsn(5), 100),
        ("three-way", None, 0),
        ("three-way", ConstantIsn(5), 100),  # the old ACK fits too: what the server's ISS is for
    ],
)
def test_bytes_given_to_the_wrong_application(handshake: str, isn: ConstantIsn | None, wrong_bytes: int) -> None:
    """Copies of SYN, ACK and request, 3 s late, and a client that has gone."""
    server = rfc9293() if isn is None else rfc9293().replace(isn=isn)
    late = {"duplicate": 1.0, "duplicate_delay": Fixed(3.0), "client_after": "silent"}
    row = two_way.run(two_way.Params(handshake=handshake, server=server, **late), Seed(1))  # type: ignore[arg-type]
    assert row["wrong_bytes"] == wrong_bytes
    assert row["has_wrong_bytes"] is (wrong_bytes > 0)


@pytest.mark.parametrize(
    ("handshake", "latency", "segments", "unconfirmed"),
    [("two-way", 0.03, 1, 0.1), ("three-way", 0.13, 3, 0.0), ("four-way", 0.13, 4, 0.0)],
)
def test_the_timetable(handshake: str, latency: float, segments: int, unconfirmed: float) -> None:
    """30 ms there, 70 ms back: the final ACK costs the server, not the client, a round trip."""
    params = two_way.Params(handshake=handshake, duplicate=0.0, delay_forward=0.03, delay_reverse=0.07)  # type: ignore[arg-type]
    row, theory = two_way.run(params, Seed(1)), two_way.theory(params)
    expected = {
        "client_latency": 0.1,
        "server_latency": latency,
        "segments_until_established": segments,
        "unconfirmed_duration": unconfirmed,
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value)
        assert theory[name] == pytest.approx(value)


def test_reordering_makes_ghosts_of_syns_sent_twice() -> None:
    """A SYN delayed by more than the RTO is retransmitted; the first arrives when the connection is over."""
    held = {"duplicate": 0.0, "reorder": 0.3, "reorder_delay": Fixed(4.0)}
    assert 0.1 < share(rows_of(200, **held), "ghost") < 0.5
    assert not share(rows_of(200, handshake="three-way", **held), "ghost")


@pytest.mark.parametrize(
    ("late", "by_hand"),
    [
        # (e^-(.8 + .3) + e^-1.3) / 2, and both after the client timed out at 3 s: e^-(5.9 - 1) (1 - e^-.3)
        ({"delay_forward": Exponential(1.0, 0.05)}, 0.302702 + 0.001930),
        ({"reorder": 0.5, "reorder_delay": Exponential(1.0)}, 0.5 * (0.5 * 0.272532 + 0.5 * 0.304632)),
    ],
    ids=["delay", "reorder"],
)
def test_ghosts_of_late_syns(late: dict[str, object], by_hand: float) -> None:
    """Two SYNs, 1 s apart, that take 50 ms and, always or if reordered, Exp(1 s); the server aborts after .3 s."""
    point = {
        "duplicate": 0.0,
        "service_time": 0.3,
        "server_ends_with": "abort",
        "client": rfc9293().replace(syn_retries=1),
        **late,
    }
    assert two_way.theory(two_way.Params(**point))["p_ghost"] == pytest.approx(by_hand, rel=1e-4)  # type: ignore[arg-type]
    assert_near(share(rows_of(2000, **point), "ghost"), by_hand, 2000)
    assert not share(rows_of(200, handshake="three-way", **point), "ghost")


def test_theory_lies_in_the_interval_at_the_stated_rate() -> None:
    """95 % intervals from 200 seeds: with misses binomial (200, 5 %), 1 to 22 are within alpha 1e-3 of both sides."""
    params = two_way.Params(duplicate=0.5)
    p, missed = two_way.theory(params)["p_ghost"], 0
    for seed in range(200):
        rows = sweep(two_way.run, [params], replications=15, seed=seed, workers=1)
        estimate = two_way.ESTIMATES["p_ghost"](rows)
        assert estimate.low is not None
        assert estimate.high is not None
        missed += not estimate.low <= p <= estimate.high
    assert 1 <= missed <= 22


def test_variants_meet_the_same_copies() -> None:
    """Common random numbers: what two-way makes a ghost, three-way keeps half-open, in the same runs."""
    cases = [Case({"handshake": h}, two_way.Params(handshake=h, duplicate=0.3)) for h in HANDSHAKES]  # type: ignore[arg-type]
    results = simulate(two_way.run, cases, replications=300, seed=2, workers=1, common=True)
    ghosts, half_open = results[0].column("ghost"), results[1].column("half_open")
    assert ghosts == half_open == results[2].column("half_open")
    assert any(ghosts)
    table = differences(cases, results, ["ghosts", "server_latency"], by="handshake", base="three-way")
    (line,) = table.where(handshake="two-way", estimate="server_latency")
    assert line["value"] == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"handshake": "one-way"}, "handshake = 'one-way': must be one of two-way, three-way, four-way"),
        ({"server_ends_with": "crash"}, "server_ends_with = 'crash'"),
        ({"service_time": -1.0}, "service_time"),
        ({"duplicate": 2.0}, "duplicate"),
        ({"server_ends_with": "abort", "server_memory": 1.0}, "server_memory = 1.0: must be 0"),
        ({"server": rfc9293().replace(handshake="two-way")}, "server.handshake = two-way: set handshake"),
        ({"server": rfc9293().replace(time_wait=1.0)}, "server.time_wait = 1.0: set server_memory"),
    ],
)
def test_bad_parameters_of_two_way_are_named(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        two_way.Params(**changes)  # type: ignore[arg-type]
