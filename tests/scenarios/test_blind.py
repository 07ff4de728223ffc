"""Blind injection: the counts of RFC 793 and RFC 5961 by hand, what the core takes, and sent against counted."""

import math
from typing import Any

import pytest
from scipy import stats

from netsim.scenarios import blind
from netsim.scenarios.blind_guesses import Field, Sweep, drawn_until_hit
from netsim.seeds import Seed
from netsim.sweep import sweep
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile, rfc793, rfc9293

ALPHA = 1e-4  # two-sided, for each estimate


def params(rules: str = "rfc5961", **changes: Any) -> blind.Params:
    config = {"rfc793": rfc793, "rfc5961": rfc9293}[rules]()
    return blind.Params(**({"client": config, "server": config} | changes))


def rows(point: blind.Params, n: int, seed: int = 1) -> Any:
    return sweep(blind.run, [point], replications=n, seed=seed, workers=1)


@pytest.mark.parametrize(
    ("rules", "attack", "window", "mean"),
    [
        ("rfc793", "rst", 32_768, 65_536.5),  # 2^32 / 32768 = 131,072 steps; RFC 5961 1.2: "65,536"
        ("rfc793", "rst", 65_536, 32_768.5),
        ("rfc793", "syn", 32_768, 65_536.5),
        ("rfc5961", "rst", 32_768, 2**31 + 0.5),
        ("rfc5961", "rst", 1 << 20, 2**31 + 0.5),
        ("rfc5961", "syn", 65_535, math.inf),
        ("rfc793", "data", 32_768, 2 * (65_536.5 - 1) + 1.5),  # two ACKs for each step, the first right half the time
    ],
)
def test_expected_counts_by_hand(rules: str, attack: str, window: int, mean: float) -> None:
    point = params(rules, attack=attack, receive_window=window, max_segments=0)
    assert blind.theory(point)["segments_expected"] == pytest.approx(mean)
    row = blind.run(point, Seed(1))
    assert row["segments_expected"] == pytest.approx(mean)  # from what the core takes, measured
    assert row["seconds_expected"] == pytest.approx(mean / 10_000)


def test_memoryless_counts_by_hand() -> None:
    """Uniform guesses: 2^32 / W, twice the sweep; exact match: 2^32."""
    expected = [
        blind.theory(params(rules, guessing="random", receive_window=32_768))["segments_expected"]
        for rules in ("rfc793", "rfc5961")
    ]
    assert expected == [131_072, 2**32]


@pytest.mark.parametrize(
    ("window", "edge"),
    [(1000, "rfc9293"), (65_536, "rfc9293"), (5_000_001, "rfc9293"), ((1 << 30) - 1, "rfc9293"), (65_535, "inclusive")],
)
@pytest.mark.parametrize("attack", ["rst", "syn", "data", "ack"])
@pytest.mark.parametrize("rules", ["rfc793", "rfc5961"])
def test_the_core_takes_what_the_rules_say(rules: str, attack: str, window: int, edge: str) -> None:
    """Every edge of what is taken, found by forged segments, is where RFC 9293 3.10.7.4 puts it."""
    config = {"rfc793": rfc793, "rfc5961": rfc9293}[rules]().replace(window_edge=edge)
    point = params(attack=attack, receive_window=window, payload_bytes=7, in_flight=300, client=config, server=config)
    taken, said = blind.measured(point), blind.fields(point)
    if not said[0].count:
        assert taken[0].count == 0
        return
    assert taken == said


def test_an_edge_that_is_elsewhere_is_found_all_the_same() -> None:
    """The search does not depend on the first guess: from a wrong idea of the edges it comes to the right ones."""
    for said in (Field(-6, 999), Field(0, 0), Field(-5000, 5000), Field(0, -1)):
        assert blind._edges(lambda distance: -6 <= distance <= 999, 0, said) == (-6, 999)
    assert blind._edges(lambda distance: distance <= 7, 0, Field(0, 0)) == (-(2**31), 7)


def test_the_rules_in_numbers() -> None:
    """W = 1000, 7 bytes forged, 300 in flight: sequence numbers -6 to 999; ACKs by each rule."""
    seq, ack = blind.fields(params("rfc793", attack="data", receive_window=1000, payload_bytes=7, in_flight=300))
    assert (seq.low, seq.high, seq.count) == (-6, 999, 1006)
    assert (ack.low, ack.high, ack.count) == (-(2**31), 300, 2**31 + 301)
    _, ack = blind.fields(params("rfc5961", attack="data", receive_window=1000, payload_bytes=7, in_flight=300))
    assert (ack.low, ack.high, ack.count) == (-1000, 300, 1301)


@pytest.mark.parametrize(
    "point",
    [
        params("rfc793", receive_window=(1 << 30) - 1, max_segments=10),
        params("rfc793", receive_window=(1 << 30) - 1, max_segments=20, attack="data", payload_bytes=1000),
        params("rfc5961", receive_window=(1 << 30) - 1, max_segments=40, attack="data"),
        params("rfc5961", sequence_space=300, max_segments=200),
        params("rfc5961", sequence_space=500, max_segments=1000, attack="ack", in_flight=30, client_ports=3),
        params("rfc793", sequence_space=1 << 20, max_segments=100, client_ports=5, attack="syn"),
    ],
    ids=lambda point: f"{point.attack}-{point.receive_window}-{point.sequence_space}-{point.client_ports}",
)
def test_sent_and_counted_agree_run_by_run(point: blind.Params) -> None:
    """Where all guesses can be sent, the counted number is the number it took, and theory's mean is near both."""
    found = rows(point, 120)
    used, needed = found.array("segments_used"), found.array("segments_needed")
    for sent, counted, succeeded in zip(used, needed, found.column("succeeded"), strict=True):
        assert succeeded == (counted <= point.max_segments)
        assert not succeeded or sent == counted
    exact = blind.theory(point)
    p, successes = exact["p_success"], sum(map(bool, found.column("succeeded")))
    assert stats.binomtest(successes, 120, min(p, 1.0)).pvalue > ALPHA
    hits = [float(x) for x in used if x == x]
    error = stats.tstd(hits) / math.sqrt(len(hits))
    assert abs(sum(hits) / len(hits) - exact["segments_used"]) < 4.2 * error  # t, more than 50 degrees: alpha = 1e-4


@pytest.mark.parametrize("window", [(1 << 30) - 1, 1 << 28])
def test_draws_played(window: int) -> None:
    """793, uniform guesses: geometric with p = W / 2^32; sent and counted come from streams of their own."""
    point = params("rfc793", guessing="random", receive_window=window, max_segments=400)
    found = rows(point, 300)
    p = window / 2**32
    for column in ("segments_used", "segments_needed"):
        mean = sum(map(float, found.array(column))) / 300
        assert abs(mean - 1 / p) < 3.9 * math.sqrt((1 - p) / p**2 / 300)


def test_what_is_too_much_to_send_is_counted_right() -> None:
    """RFC 5961 at full width: the count is uniform on 1 to 2^32 (Kolmogorov and Smirnov, n = 400)."""
    counts = rows(params(max_segments=0), 400).array("segments_needed")
    assert stats.kstest([float(c) / 2**32 for c in counts], "uniform").pvalue > ALPHA


def test_challenge_acks_are_limited() -> None:
    """RFC 5961 7: ten in five seconds, however many RSTs fall into the window; 793 sends none."""
    point = params(receive_window=(1 << 30) - 1, guessing="random", max_segments=200)
    assert {row["challenge_acks"] for row in map(dict, rows(point, 5))} == {10}
    assert blind.run(params("rfc793", receive_window=1000, max_segments=20), Seed(1))["challenge_acks"] == 0


@pytest.mark.parametrize("attack", ["rst", "syn", "data", "ack"])
def test_a_mac_keeps_everything_out(attack: str) -> None:
    """Even the right numbers: the core is asked, by forged segments that know them."""
    keyed = rfc793().replace(authentication_key="secret")
    point = params(
        "rfc793", attack=attack, in_flight=10, receive_window=(1 << 30) - 1, max_segments=20, client=keyed, server=keyed
    )
    row = blind.run(point, Seed(1))
    assert (row["succeeded"], row["p_success_expected"], row["segments_expected"]) == (False, 0.0, math.inf)
    assert blind.measured(point)[0].count == 0
    assert blind.theory(point)["p_success"] == 0.0
    open_to_all = params("rfc793", attack=attack, in_flight=10, receive_window=(1 << 30) - 1, max_segments=20)
    assert blind.theory(open_to_all)["p_success"] > 0


def test_timestamps_keep_out_what_has_none_but_not_a_reset() -> None:
    """RFC 7323 3.2: a segment without the timestamp that was agreed on is dropped, unless it is a RST."""
    stamped = rfc793().replace(timestamps=True)
    for attack, kept_out in (("data", True), ("rst", False)):
        point = params(attack=attack, client=stamped, server=stamped, max_segments=0)
        assert (blind.measured(point)[0].count == 0) is kept_out
        assert (blind.theory(point)["segments_expected"] == math.inf) is kept_out


@pytest.mark.parametrize("attack", ["rst", "ack"])
@pytest.mark.parametrize("name", ["linux", "freebsd", "windows"])
def test_real_hosts(name: str, attack: str) -> None:
    """Windows are offered in units of their scale: 65,535 bytes are 64 kB on Linux, whose shift is 10."""
    point = params(client=profile(name), server=profile(name), attack=attack, in_flight=10, max_segments=50)
    taken, said = blind.measured(point), blind.fields(point)
    assert taken[0].count == said[0].count == 0 or taken == said


def test_unknown_ports_multiply() -> None:
    """28,232 ports of Linux and W = 65536: 28,231 / 2 whole sweeps of 65,536 and one mean."""
    exact = blind.theory(params("rfc793", receive_window=65_536, client_ports=28_232))
    assert exact["segments_expected"] == pytest.approx(28_231 / 2 * 65_536 + 32_768.5)


def test_a_sweep_that_is_wrong_about_the_receiver_misses() -> None:
    """The count asks what is really taken: steps of 100 against a receiver that takes ten numbers."""
    plan = Sweep(Field(0, 99), Field(0, 2**32 - 1), 1, (0, 0))
    taken = (Field(0, 9), Field(-(2**31), 2**31 - 1))
    assert plan.needed(taken, (95, 0), 0) == 1  # 95 + 0..9 holds 99, the first guess
    assert plan.needed(taken, (50, 0), 0) == math.inf
    assert plan.needed(taken, (190, 0), 0) == 2


def test_guesses_wrap_round() -> None:
    plan = Sweep(Field(0, 9, 100), Field(0, 99, 100), 1, (2**32 - 50, 0))
    assert [plan.guess(k).seq for k in (0, 4, 5)] == [2**32 - 41, 2**32 - 1, 9]  # type: ignore[union-attr]
    assert plan.guess(10) is None
    taken = (Field(0, 9, 100), Field(0, 99, 100))
    assert plan.needed(taken, (5, 0), 0) == 6


def test_no_draw_hits_what_cannot_be_hit() -> None:
    stream = Seed(1).stream("x")
    assert drawn_until_hit(0.0, stream) == math.inf
    assert drawn_until_hit(1.0, stream) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attack": "fin"}, "attack = 'fin': must be one of rst, syn, data, ack"),
        ({"guessing": "all"}, "guessing = 'all': must be one of sweep, random"),
        ({"receive_window": 0}, "receive_window = 0"),
        ({"receive_window": 1 << 30}, "receive_window = 1073741824"),
        ({"receive_window": 10.5}, "receive_window = 10.5: must be an integer"),
        ({"client_ports": 0}, "client_ports = 0"),
        ({"client_ports": 40_000}, "client_ports = 40000"),
        ({"sequence_space": 0}, "sequence_space = 0"),
        ({"max_segments": -1}, "max_segments = -1"),
        ({"attack_rate": 0.0}, "attack_rate = 0.0"),
        ({"delay": math.nan}, "delay = nan"),
        ({"attack": "ack"}, "in_flight = 0: must be at least 1 for attack = ack"),
        (
            {"guessing": "random", "sequence_space": 10},
            "sequence_space = 10: must be 4294967296 where guessing is random",
        ),
        ({"receive_window": 5, "payload_bytes": 10}, "payload_bytes = 10: must be at most receive_window = 5"),
        ({"receive_window": 5, "in_flight": 10}, "in_flight = 10: must be at most receive_window = 5"),
        ({"server": TcpConfig(authentication_key="k")}, "server.authentication_key = 'k': must be the client's"),
        ({"server": TcpConfig(receive_buffer=10)}, "server.receive_buffer: set receive_window"),
    ],
)
def test_a_bad_attack_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        blind.Params(**changes)
