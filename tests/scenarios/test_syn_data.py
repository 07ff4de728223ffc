"""Data on SYNs and Fast Open: times and sizes by hand, memory and load by arithmetic. n and seed are fixed."""

import math
from typing import Any

import pytest
from scipy import stats

from netsim.scenarios import syn_data
from netsim.seeds import Seed
from netsim.sweep import sweep
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import linux_classic

ALPHA = 1e-4  # two-sided
PLAIN = TcpConfig()
VISITOR = TcpConfig(fast_open="client")
HOST = TcpConfig(fast_open="server")
DARING = TcpConfig(fast_open="client", fast_open_without_cookie=True)


def params(client: TcpConfig = PLAIN, server: TcpConfig = PLAIN, **changes: Any) -> syn_data.Params:
    return syn_data.Params(client=client, server=server, **changes)


def without_attack(client: TcpConfig = PLAIN, server: TcpConfig = PLAIN, **changes: Any) -> dict[str, Any]:
    """One run without attackers."""
    return syn_data.run(params(client, server, attack_rate=0.0, **changes), Seed(1))


def test_fast_open_saves_one_round_trip() -> None:
    """100 ms of RTT: handshake and request, .2 s; the request on the SYN, .1 s."""
    assert without_attack()["response_time"] == pytest.approx(0.2, abs=1e-9)
    row = without_attack(VISITOR, HOST)
    assert row["response_time"] == pytest.approx(0.1, abs=1e-9)
    assert (row["served"], row["fast_open"]) == (1.0, 1.0)


@pytest.mark.parametrize("policy", ["queue", "accept", "drop"])
def test_data_on_a_syn_without_a_cookie_saves_nothing(policy: str) -> None:
    """The server may not hand it on before the final ACK (RFC 9293 3.10.7.2); dropped, it comes again with that."""
    row = without_attack(DARING, PLAIN.replace(syn_data=policy))
    assert row["response_time"] == pytest.approx(0.2, abs=1e-9)
    assert row["fast_open"] == 0.0


def test_one_end_alone_has_no_fast_open() -> None:
    for client, server in ((VISITOR, PLAIN), (PLAIN, HOST)):
        assert without_attack(client, server)["response_time"] == pytest.approx(0.2, abs=1e-9)


def test_the_pending_limit_sends_clients_back_to_the_handshake() -> None:
    """A limit of 0: all wait two round trips; with attackers who have cookies and a limit of 2, most do."""
    assert without_attack(VISITOR, HOST.replace(fast_open_queue=0))["response_time"] == pytest.approx(0.2, abs=1e-9)
    crowded = params(VISITOR, HOST.replace(fast_open_queue=2), stolen_cookies=True, attack_rate=5.0)
    times = [syn_data.run(crowded, Seed(seed))["response_time"] for seed in range(10)]
    assert sum(times) / 10 > 0.18


@pytest.mark.parametrize(
    ("policy", "text", "each"), [("queue", 1000, 1280), ("accept", 1000, 1280), ("drop", 1000, 280), ("queue", 0, 280)]
)
def test_memory_grows_with_what_is_kept(policy: str, text: int, each: int) -> None:
    """280 bytes per entry, and its data: after 10 s at 5 a second a mean of 50 of them. Poisson, alpha = 1e-4."""
    point = params(server=PLAIN.replace(syn_data=policy), attack_bytes=text, client_rate=0.0)
    exact = syn_data.theory(point)
    assert exact["half_open_memory_end"] == 50 * each
    assert exact["half_open_memory_mean"] == pytest.approx(50 * each * 61 / 120)
    rows = sweep(syn_data.run, [point], replications=100, seed=1, workers=1)
    entries = [float(x) / each for x in rows.array("half_open_memory_end")]
    assert all(x.is_integer() for x in entries)
    total = sum(entries)
    assert min(stats.poisson.cdf(total, 5000), stats.poisson.sf(total - 1, 5000)) > ALPHA / 2
    mean = [float(x) for x in rows.array("half_open_memory_mean")]
    assert abs(sum(mean) / 100 - exact["half_open_memory_mean"]) < 4.1 * stats.tstd(mean) / 10


def test_the_load_is_what_the_segments_cost() -> None:
    """5 SYNs a second of 1000 bytes: 2 ms and 1000 x 10 us each, .06 of the time."""
    point = params(client_rate=0.0, cpu_per_segment=0.002, cpu_per_byte=1e-5)
    assert syn_data.theory(point)["cpu_load"] == pytest.approx(0.06)
    rows = sweep(syn_data.run, [point], replications=100, seed=1, workers=1)
    syns = sum(map(float, rows.array("cpu_load"))) * 10 / 0.012
    assert syns == pytest.approx(round(syns))
    assert min(stats.poisson.cdf(syns, 5000), stats.poisson.sf(syns - 1, 5000)) > ALPHA / 2


def test_a_busy_server_answers_late() -> None:
    calm = without_attack(cpu_per_segment=0.001)["response_time"]
    assert calm > 0.2 + 0.002 - 1e-9  # the SYN and the request, 1 ms each
    busy = params(cpu_per_segment=0.01, cpu_per_byte=1e-4, attack_rate=6.0)
    rows = sweep(syn_data.run, [busy], replications=20, seed=1, workers=1)
    assert sum(map(float, rows.array("response_time"))) / 20 > 0.3


@pytest.mark.parametrize(
    ("server", "text", "stolen", "factor"),
    [
        (linux_classic(), 0, False, 6.0),  # six SYN-ACKs as large as the SYN
        (linux_classic(), 1000, False, 264 / 1044),
        (PLAIN, 0, False, 8.0),
        (HOST, 100, True, (8 * 44 + 1000 + 40) / (44 + 12 + 100)),
        (HOST, 0, True, 8 * 44 / (44 + 12)),  # nothing was asked
        (HOST.replace(fast_open_queue=0), 100, True, 8 * 44 / (44 + 12 + 100)),
    ],
)
def test_amplification_by_hand(server: TcpConfig, text: int, stolen: bool, factor: float) -> None:
    point = params(server=server, attack_bytes=text, stolen_cookies=stolen)
    assert syn_data.amplification(point) == pytest.approx(factor)
    if server.fast_open_queue:
        assert syn_data.theory(point)["amplification"] == pytest.approx(factor)


def test_nagle_keeps_the_end_of_a_long_response_back() -> None:
    """3,000 bytes are two whole segments and 80 bytes, which wait for an ACK that a silent host never sends."""
    for nagle, text, segments in ((True, 2920, 2), (False, 3000, 3)):
        point = params(server=HOST.replace(nagle=nagle), attack_bytes=100, stolen_cookies=True, response_bytes=3000)
        factor = (8 * 44 + text + 40 * segments) / 156
        assert syn_data.amplification(point) == pytest.approx(factor)
        assert syn_data.theory(point)["amplification"] == pytest.approx(factor)


def test_a_duplicated_syn_delivers_its_data_twice_with_fast_open_only() -> None:
    """RFC 7413 2.1. The network copies every fifth segment, 3 s late; the first connection is over by then."""
    point = params(VISITOR, HOST.replace(fast_open_queue=256), duplicate=0.2, attack_rate=0.0, client_rate=5.0)
    assert syn_data.theory(point)["p_delivered_twice"] == 0.2
    rows = sweep(syn_data.run, [point], replications=20, seed=1, workers=1)
    clients = sum(map(int, rows.array("clients")))
    twice = sum(
        round(float(d) * int(n)) for d, n in zip(rows.array("delivered_twice"), rows.array("clients"), strict=True)
    )
    assert stats.binomtest(twice, clients, 0.2).pvalue > ALPHA
    for client in (PLAIN, DARING):
        held = params(client, PLAIN, duplicate=0.2, attack_rate=0.0, client_rate=5.0)
        assert syn_data.theory(held)["p_delivered_twice"] == 0.0
        assert syn_data.run(held, Seed(1))["delivered_twice"] == 0.0


def test_copied_syns_can_fill_the_pending_limit() -> None:
    """Nobody answers the SYN-ACK of a copy but with a RST a second later: too many of them, and clients wait longer."""
    crowded = params(VISITOR, HOST, duplicate=1.0, attack_rate=0.0, client_rate=40.0, attack_duration=8.0)
    assert "p_delivered_twice" not in syn_data.theory(crowded)
    row = syn_data.run(crowded, Seed(1))
    assert row["delivered_twice"] < 0.9
    assert row["response_time"] > 0.12


def test_no_theory_of_syn_data_where_it_does_not_hold() -> None:
    assert "half_open_memory_mean" not in syn_data.theory(params(attack_rate=100.0, backlog=128))  # the queue fills
    assert "response_time" not in syn_data.theory(params(cpu_per_segment=0.001))
    assert "response_time" not in syn_data.theory(params(VISITOR, HOST.replace(fast_open_queue=1), client_rate=10.0))
    assert "response_time" not in syn_data.theory(params(response_bytes=20_000))  # more than ten segments
    assert "response_time" not in syn_data.theory(params(response_bytes=2000))  # Nagle keeps the second segment back
    assert syn_data.theory(params(response_bytes=2920))["response_time"] == pytest.approx(
        without_attack(response_bytes=2920)["response_time"]
    )


def test_a_run_without_clients_has_no_response_times() -> None:
    row = syn_data.run(params(client_rate=0.0, attack_duration=1.0), Seed(1))
    assert math.isnan(row["response_time"])
    assert math.isnan(row["served"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attack_rate": -1.0}, "attack_rate = -1.0"),
        ({"attack_bytes": 1461}, "attack_bytes = 1461"),
        ({"attack_bytes": 0.5}, "attack_bytes = 0.5: must be an integer"),
        ({"request_bytes": 5}, "request_bytes = 5"),
        ({"response_bytes": 0}, "response_bytes = 0"),
        ({"backlog": 0}, "backlog = 0"),
        ({"duplicate": 1.5}, "duplicate"),
        ({"cpu_per_byte": math.inf}, "cpu_per_byte = inf"),
        ({"attack_duration": 0.0}, "attack_duration = 0.0"),
        ({"stolen_cookies": True}, "stolen_cookies = True: must be False unless server.fast_open"),
    ],
)
def test_bad_syn_data_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        syn_data.Params(**changes)


def test_memory_lies_inside_the_interval_over_worlds_as_often_as_it_claims() -> None:
    """A Poisson number of entries, 5/s for 10 s: over 60 seeds a 95 % interval of 6 worlds holds 50 to 60 times."""
    point = params(client_rate=0.0)
    truth = syn_data.theory(point)["half_open_memory_end"]
    assert truth == 5 * 10 * 1280
    inside = 0
    for seed in range(60):
        e = syn_data.ESTIMATES["half_open_memory_end"](
            sweep(syn_data.run, [point], replications=6, seed=seed, workers=1)
        )
        assert e.low is not None
        assert e.high is not None
        inside += e.low <= truth <= e.high
    assert inside >= 50, inside
