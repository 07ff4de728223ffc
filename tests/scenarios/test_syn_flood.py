"""SYN floods: each defence against its closed form, from worlds that know nothing of one another."""

import dataclasses
import itertools
import math
from statistics import NormalDist, fmean, stdev
from typing import Any

import pytest

from netsim.cli import main
from netsim.link import Path
from netsim.scenarios import syn_flood
from netsim.scenarios.syn_flood import Params, play, run, theory, warnings
from netsim.seeds import Seed
from netsim.sim import World
from netsim.sim.attacks import botnet
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.profiles import linux, rfc9293
from netsim.theory import erlang_b

ALPHA = 0.001
SHORT = rfc9293().replace(synack_retries=2)  # an entry lives 1 + 2 + 4 = 7 s
COOKIES = linux().replace(syn_cookies="always")


def worlds(params: Params, n: int, seed: int = 5) -> list[dict[str, Any]]:
    return [run(params, Seed(seed, replication=k)) for k in range(n)]


def assert_mean(rows: list[dict[str, Any]], name: str, expected: float, *, cases: int) -> None:
    """The mean over independent worlds, by a normal test of n >= 40; alpha shared by the cases."""
    values = [row[name] for row in rows]
    error = stdev(values) / math.sqrt(len(values))
    assert error > 0
    z = (fmean(values) - expected) / error
    assert abs(z) <= NormalDist().inv_cdf(1 - ALPHA / cases / 2), (name, fmean(values), expected, z)


# The queue that drops new SYNs


@pytest.fixture(scope="module")
def dropped() -> list[dict[str, Any]]:
    """16 places, 4 SYNs a second that hold one for 7 s: a = 28, and 0.05 erlang of clients (0.5/s, 0.1 s)."""
    return worlds(Params(attack_rate=4.0, backlog=16, client_rate=0.5, server=SHORT, observation_time=70.0), 60)


def test_erlang_b(dropped: list[dict[str, Any]]) -> None:
    blocked = erlang_b(load=28.05, slots=16)
    assert blocked == pytest.approx(0.4659, abs=5e-4)
    assert_mean(dropped, "p_first_syn_blocked", blocked, cases=3)
    assert_mean(dropped, "half_open", 28.05 * (1 - blocked), cases=3)
    # From empty: full at the 16th arrival, about 4 s of 7; E[(7 - S_16)^+] / 7, S_16 gamma(16, 4), is .4289.
    expected = theory(Params(attack_rate=4.0, backlog=16, client_rate=0.5, server=SHORT))
    assert expected["p_first_syn_blocked_from_empty"] == pytest.approx(0.4289, abs=5e-4)
    assert_mean(dropped, "p_first_syn_blocked_from_empty", 0.4289, cases=3)


def test_the_stationary_start_matters() -> None:
    """After one lifetime of an entry the queue is not yet stationary: it is still in its first period."""
    params = Params(attack_rate=4.0, backlog=16, client_rate=0.5, server=SHORT, warm_up=7.0, observation_time=14.0)
    assert not params.ages_at_once
    held = [row["half_open"] for row in worlds(params, 60)]
    expected = theory(params)["half_open"]
    assert (fmean(held) - expected) / (stdev(held) / math.sqrt(60)) < -4


def test_retries_meet_the_same_full_queue() -> None:
    """At 5 a second against 128 places of 63 s, eight SYNs all fail far more often than .5958^8 = .016 from empty.

    .1016 is the fluid limit of the first cycles; the edges of the cycles blur, so it is not reached.
    """
    server = rfc9293().replace(synack_retries=5)
    params = Params(attack_rate=5.0, server=server, client_rate=2.0, observation_time=1.0)
    rows = worlds(params, 12)
    p = theory(params)
    assert p["p_first_syn_blocked"] == pytest.approx(0.5959, abs=2e-4)
    assert p["p_never_connected_from_empty"] == pytest.approx(0.1016, abs=1e-3)
    found = fmean(row["p_never_connected_from_empty"] for row in rows)
    assert 3 * 0.016 < found <= 0.1016


@pytest.mark.slow
def test_the_documented_command(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    command = "run syn-flood --attack-rate 5 --backlog 128 --server.synack-retries 5 --profile rfc9293 --json --seed 7"
    assert main(command.split()) == 0
    result = json.loads(capsys.readouterr().out)
    blocked = result["estimates"]["p_first_syn_blocked"]
    assert blocked["low"] <= 0.5958 <= blocked["high"]
    assert blocked["high"] - blocked["low"] < 0.04


# Eviction: every SYN is answered, but the entry may be gone when the final ACK arrives


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        # 400 + 20 SYNs a second, 0.1 s, 32 places: e^(-42/32)
        ({"syn_queue_full": "random-drop", "synack_retries": 4}, 0.2691),
        # P(Pois(42) <= 39)
        ({"syn_queue_full": "recycle-oldest"}, 0.3581),
        # 8 buckets of 5: P(Pois(42/8) <= 4)
        ({"syncache_hashsize": 8, "syncache_bucketlimit": 5}, 0.3978),
    ],
)
def test_eviction(policy: dict[str, Any], expected: float) -> None:
    backlog = 40 if policy.get("syn_queue_full") == "recycle-oldest" else 32
    server = rfc9293().replace(**policy)
    params = Params(
        attack_rate=400.0, client_rate=20.0, backlog=backlog, server=server, warm_up=0.5, observation_time=1.5
    )
    assert theory(params)["p_served"] == pytest.approx(expected, abs=5e-4)
    played = []
    for k in range(40):
        _, seen = play(params, Seed(11, replication=k), clients=params.observation)
        clients = seen.during(*params.observation)
        played.append({"p": fmean(c.port in seen.accepted for c in clients), "first": {c.syns for c in clients}})
    assert_mean(played, "p", expected, cases=3)
    assert all(row["first"] == {1} for row in played)


# Cookies


@pytest.mark.parametrize("cookies", ["always", "on-overflow"])
def test_cookies_serve_everybody(cookies: str) -> None:
    server = linux().replace(syn_cookies=cookies)
    params = Params(
        attack_rate=60.0, client_rate=5.0, backlog=32, server=server, client=linux(), warm_up=3.0, observation_time=5.0
    )
    (row,) = worlds(params, 1)
    for name, value in theory(params).items():
        assert row[name] == pytest.approx(value, abs=0.02), name
    assert row["clients"] > 10
    assert row["p_options_lost"] == 0  # the timestamps brought them back
    assert row["cookies_refused"] == 0
    assert row["half_open_max"] == (0 if cookies == "always" else 33)
    assert row["cookies_accepted"] <= row["clients"]
    bare = Params(
        attack_rate=0.0, client_rate=5.0, server=COOKIES, client=linux().replace(timestamps=False), observation_time=5.0
    )
    (row,) = worlds(bare, 1)
    assert row["p_options_lost"] == 1


def test_a_world_does_not_end_before_the_last_final_ack_has_arrived() -> None:
    """A server with SYN cookies knows nothing of a client whose ACK is under way; that client counts as served."""
    params = Params(
        attack_rate=0.0,
        client_rate=1.0,
        warm_up=0.0,
        observation_time=2.0,
        delay_forward=0.4,
        delay_reverse=0.1,
        server=rfc9293().replace(syn_cookies="always"),
    )
    served = [syn_flood.long_run(params, Seed(1, replication=k))["p_served"] for k in range(40)]
    assert {p for p in served if not math.isnan(p)} == {1.0}


@pytest.mark.parametrize(("cookies", "alone"), [("off", 0.0), ("always", 0.2)])
def test_a_lost_final_ack_leaves_only_the_client_established(cookies: str, alone: float) -> None:
    """No retransmission repeats the lost ACK of a silent client: with cookies the share is the loss, 0.2, itself.

    With an entry six SYN-ACKs ask for it: all six questions and answers fail with (1 - .8)^6 < 1e-4.
    """
    params = Params(
        attack_rate=0.0,
        loss_forward=0.2,
        client_rate=10.0,
        warm_up=0.0,
        observation_time=40.0,
        client=linux(),
        server=linux().replace(syn_cookies=cookies),
    )
    _, seen = play(params, Seed(3), clients=(0.0, 40.0))
    up = [client for client in seen.clients if not math.isnan(client.connected)]
    share = fmean(client.port not in seen.accepted for client in up)
    assert len(up) > 300
    assert abs(share - alone) <= 3.3 * math.sqrt(max(alone, 1e-4) * (1 - alone) / len(up))


# Who attacks


def test_owners_of_the_spoofed_addresses_end_the_flood() -> None:
    """A RST comes back after one round trip: lambda R = 20 entries, by Little, instead of a full queue."""
    params = Params(attack="spoofed-reset", attack_rate=200.0, server=SHORT, warm_up=1.0, observation_time=20.0)
    (row,) = worlds(params, 1)
    assert row["half_open"] == pytest.approx(20, abs=3)
    assert row["p_served_at_first_syn"] == 1
    assert theory(params) == {}


def test_a_botnet_fills_the_accept_queue_of_a_slow_server() -> None:
    fast = Params(attack="botnet", attack_rate=40.0, server=SHORT, warm_up=2.0, observation_time=10.0)
    (row,) = worlds(fast, 1)
    assert row["p_served_at_first_syn"] == 1
    (row,) = worlds(dataclasses.replace(fast, service_time=0.1, backlog=16), 1)
    assert row["p_served_at_first_syn"] < 0.5


def test_reflection() -> None:
    """A spoofed SYN that is admitted draws 1 + m SYN-ACKs; a cookie draws one."""
    params = Params(attack_rate=1.0, client_rate=0.0, server=SHORT, warm_up=0.0, observation_time=400.0)
    (row,) = worlds(params, 1)
    assert row["synacks_per_syn"] == pytest.approx(3, abs=0.1)
    assert math.isnan(row["p_served"])


def test_memory_is_the_profile_s() -> None:
    row = run(Params(attack_rate=60.0, backlog=32, server=linux(), warm_up=2.0, observation_time=2.0), Seed(1))
    assert row["half_open_memory_max"] == 33 * 304


# The edges


def test_the_same_seed_gives_the_same_row() -> None:
    params = Params(
        attack_rate=20.0,
        backlog=16,
        server=linux(),
        warm_up=3.0,
        observation_time=5.0,
        arrivals="bursts",
        burst_size=10,
    )
    assert run(params, Seed(4)) == run(params, Seed(4))
    assert run(params, Seed(4)) != run(params, Seed(5))


def test_forged_syns_without_the_mac_take_no_slot() -> None:
    """RFC 5925 7.3: dropped in silence, before the queue: the flood is as none."""
    keyed = rfc9293().replace(authentication_key="k", synack_retries=1)
    params = Params(attack_rate=200.0, backlog=8, client=keyed, server=keyed, warm_up=3.0, observation_time=5.0)
    assert theory(params)["p_served_at_first_syn"] == pytest.approx(1.0, abs=1e-6)
    row = run(params, Seed(3))
    assert (row["p_served_at_first_syn"], row["half_open_max"] <= 2) == (1.0, True)


def test_no_closed_form_where_retransmitted_syns_are_much_of_the_load() -> None:
    server = rfc9293().replace(synack_retries=5)
    once = rfc9293().replace(syn_retries=0)
    assert "p_first_syn_blocked" in theory(Params(server=server, client_rate=1.0))
    assert "p_first_syn_blocked" in theory(Params(server=server, client_rate=60.0, client=once))
    assert theory(Params(server=server, client_rate=60.0)) == {}


def test_a_botnet_out_of_ports_opens_no_more() -> None:
    few = rfc9293().replace(ports=Ports(first=50_000, last=50_009))
    world = World(seed=1)
    bots, server = world.host("bots", few), world.host("server")
    world.link(bots, server, Path(delay=0.05))
    server.socket().listen(80, backlog=50)
    world.process(botnet(bots, ("server", 80), gaps=itertools.repeat(0.01)))
    world.run(until=2.0)
    assert len(bots.connections) == bots.counters.TcpActiveOpens == 10


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--attack-rate -1", "attack_rate"),
        ("--attack-rate 1e9", "attack_rate"),
        ("--attack-rate 1e-10", "attack_rate = 1e-10: must be 0 or at least 1e-09 1/s"),
        ("--client-rate 1100", "client_rate = 1100.0: must be at most 30.87 1/s"),
        ("--server.authentication-key k", "server.authentication_key = 'k': must be the client's, None"),
        ("--client-rate nan", "client_rate"),
        ("--backlog -1", "backlog"),
        ("--burst-size 0", "burst_size"),
        ("--sources 0", "sources"),
        ("--attack rude", "attack"),
        ("--arrivals rarely", "arrivals"),
        ("--warm-up -1", "warm_up"),
        ("--server.syncache-hashsize 0", "syncache_hashsize"),
        ("--server.syncache-bucketlimit 0", "syncache_bucketlimit"),
        ("--server.syn-cookie linux:5/3", "syn_cookie"),
        ("--server.syn-cookie-key xyz", "syn_cookie_key"),
        ("--server.syn-cookies perhaps", "syn_cookies"),
        ("--server.max-syn-backlog -5", "max_syn_backlog"),
        ("--server.somaxconn -5", "somaxconn"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(option: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "syn-flood", *option.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


def test_what_cannot_work_as_meant_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = ["--attack-rate", "0", "--warm-up", "0", "--observation-time", "1", "--replications", "1", "--workers", "1"]
    assert main(["run", "syn-flood", "--server-profile", "linux", "--backlog", "10000", *quiet]) == 0
    assert "warning: backlog = 10000 is above somaxconn = 4096: the listener gets 4096" in capsys.readouterr().err
    assert warnings(Params()) == ()
    (warning,) = warnings(Params(server=linux().replace(syn_cookie_key="")))
    assert warning.startswith("syn_cookie_key is empty")
    for policy in ({"syncache_hashsize": 4}, {"syn_queue_full": "random-drop"}):
        (warning,) = warnings(Params(server=linux().replace(**policy)))
        assert warning.endswith("so no cookie is sent")


def test_the_scenario_has_the_four_names() -> None:
    assert set(theory(Params())) <= set(syn_flood.ESTIMATES)
    assert set(syn_flood.ESTIMATES) <= set(run(Params(attack_rate=0.0, warm_up=0.0, observation_time=1.0), Seed(1)))
