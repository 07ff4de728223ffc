"""Every kind of step and rule does what a process, its kernel and the link would do, with the results of Linux."""

import json
from pathlib import Path
from typing import Any

import pytest

from netsim.referees.recordings.compare import scenarios_of
from netsim.referees.recordings.exchange import Exchange
from netsim.referees.recordings.scenario import ACCEPTED_STEPS
from netsim.referees.recordings.simulate import simulate

DROP_ALL = {"dir": "s2c", "match": "ANY", "nth": "*", "do": "drop"}
REUSE = {"net.ipv4.tcp_tw_reuse": 1}
AGAIN: list[list[Any]] = [["connect"], ["close"], ["sleep", 2], ["socket"], ["bind", 40000], ["connect"], ["close"]]

# name: client's steps, server's steps, what else is said, the results of each end
CASES: dict[str, tuple[list[Any], list[Any], dict[str, Any], list[str], list[str]]] = {
    "accept_each, socket": (
        [["connect"], ["send", 9], ["recv", 99], ["close"], ["socket"], ["connect"], ["send", 9], ["recv", 99]],
        [["accept_each", [["serve", 5], ["close"]]]],
        {},
        ["connect ok", "5 bytes", "connect ok", "5 bytes"],
        ["accept", "9 bytes", "EOF", "accept", "9 bytes"],
    ),
    "bind: the server was first to close, its TIME-WAIT takes the new SYN": (
        [["connect"], ["recv", 9], ["close"], ["sleep", 2], ["socket"], ["bind", 40000], ["connect"], ["recv", 9]],
        [["accept_each", [["close"]]]],
        {},
        ["connect ok", "EOF", "connect ok", "EOF"],
        ["accept", "accept"],
    ),
    "a four-tuple in TIME-WAIT": (
        AGAIN,
        [["accept_each", [["recv_all"], ["close"]]]],
        {},
        ["connect ok", "connect EADDRNOTAVAIL"],
        ["accept", "EOF"],
    ),
    "a four-tuple in TIME-WAIT, tcp_tw_reuse": (
        AGAIN,
        [["accept_each", [["recv_all"], ["close"]]]],
        {"client": {"sysctl": REUSE}},
        ["connect ok", "connect ok"],
        ["accept", "EOF", "accept", "EOF"],
    ),
    "accept queue of backlog + 1": (
        [["connect"], ["socket"], ["connect_nowait"], ["socket"], ["connect_nowait"]],
        [["sleep", 9]],
        {"server": {"listen": 0}},
        ["connect ok", "connect EINPROGRESS", "connect EINPROGRESS"],
        [],
    ),
    "kill_at with unread data, barrier": (
        [["connect"], ["barrier"], ["send", 200], ["sleep", 1], ["send", 200], ["recv", 9], ["close"]],
        [["accept"], ["barrier"], ["kill_at", 0.5]],
        {},
        ["connect ok", "send ECONNRESET", "EOF"],
        ["accept"],
    ),
    "listener_closed_after_accept": (
        [["connect"], ["send", 20], ["recv", 9], ["close"], ["socket"], ["connect"]],
        [["accept"], ["serve", 5], ["close"]],
        {"server": {"listener_closed_after_accept": True}},
        ["connect ok", "5 bytes", "connect ECONNREFUSED"],
        ["accept", "20 bytes", "EOF"],
    ),
    "keepalive on an open connection, rule": (
        [["connect"], ["keepalive", 2, 1, 3], ["sleep", 3], ["rule", DROP_ALL], ["recv", 10]],
        [["accept"], ["serve", 0]],
        {},
        ["connect ok", "recv ETIMEDOUT"],
        ["accept", "recv ECONNRESET"],
    ),
    "abort, at, clock, shutdown_wr": (
        [["connect"], ["at", 0.2], ["clock", 1.0], ["shutdown_wr"], ["recv_all"], ["abort"], ["send", 1]],
        [["accept"], ["recv_all"], ["send", 7], ["close"]],
        {},
        ["connect ok", "7 bytes", "EOF", "send EPIPE"],
        ["accept", "EOF"],
    ),
    "a socket that was never opened, and one that is": (
        [["send", 9], ["recv", 9], ["shutdown_wr"], ["connect"], ["connect"]],
        [["accept"]],
        {},
        ["send EPIPE", "recv ENOTCONN", "shutdown ENOTCONN", "connect ok", "connect EISCONN"],
        ["accept"],
    ),
    "listen null": ([["connect"], ["send", 9]], [], {"server": {"listen": None}}, ["connect ECONNREFUSED"], []),
    "a RST that is lost, one that is not": (
        [["connect"], ["sleep", 0.3], ["abort"]],
        [["accept"], ["sleep", 1], ["send", 9], ["sleep", 1], ["send", 9], ["recv", 9]],
        {"link": [{"dir": "c2s", "match": "RST", "nth": "1", "do": "drop"}]},
        ["connect ok"],
        ["accept", "send ECONNRESET", "EOF"],
    ),
}


def played(folder: Path, client: list[Any], server: list[Any], more: dict[str, Any]) -> Exchange:
    ends = {
        "client": {"sysctl": {}, "steps": client} | more.get("client", {}),
        "server": {"sysctl": {}, "steps": server, "listen": 64} | more.get("server", {}),
    }
    table = {"name": "one", "duration": 20, "one_way_delay": 0.05, "link": more.get("link", []), **ends}
    (folder / "scenarios.json").write_text(json.dumps([table]))
    (scenario,) = scenarios_of(folder)
    return simulate(scenario, profile="linux", phase=0.1)


@pytest.mark.parametrize("name", CASES)
def test_results_of_the_calls(tmp_path: Path, name: str) -> None:
    client, server, more, at_client, at_server = CASES[name]
    assert played(tmp_path, client, server, more).results == {"c": at_client, "s": at_server}


def test_every_kind_of_step_is_tested() -> None:
    used = {step[0] for case in CASES.values() for steps in case[:2] for step in steps}
    assert used == set(ACCEPTED_STEPS)


def test_a_wrong_ack_in_syn_sent_draws_a_reset_and_an_early_retransmission(tmp_path: Path) -> None:
    """Linux 6.18: an immediate RST, and the SYN about 10 ms later, not after 1 s. The server has the old connection."""
    client = [["connect"], ["abort"], ["sleep", 1], ["socket"], ["bind", 40000], ["connect"]]
    link = [{"dir": "c2s", "match": "RST", "nth": "1", "do": "drop"}]
    exchange = played(tmp_path, client, [["accept_each", [["recv", 9]]]], {"link": link})
    flags = [(p.sender, p.flags, p.time) for p in exchange.normalized()]
    syns = [time for sender, letters, time in flags if (sender, letters) == ("c", "S")]
    challenge, reset = (
        next(time for sender, letters, time in flags if time > syns[1] and (sender, letters) == what)
        for what in (("s", "A"), ("c", "R"))
    )
    assert reset == pytest.approx(challenge + 0.05)
    assert reset + 0.008 <= syns[2] <= reset + 0.012
    assert exchange.results["c"] == ["connect ok", "connect ok"]


def test_a_retransmitted_fin_is_acknowledged_with_a_dsack(tmp_path: Path) -> None:
    """net/ipv4/tcp_input.c, tcp_send_dupack: a FIN has a sequence number, whose second arrival is reported."""
    link = [{"dir": "s2c", "match": "ACKFIN", "nth": "1", "do": "drop"}]
    exchange = played(
        tmp_path, [["connect"], ["close"]], [["accept"], ["recv", 9], ["sleep", 2], ["close"]], {"link": link}
    )
    acks = [p for p in exchange.normalized() if (p.sender, p.flags) == ("s", "A")]
    assert [p.options for p in acks] == [("ts",), ("ts", "sack")]


def test_rack_retransmits_a_lost_segment_by_time(tmp_path: Path) -> None:
    """RACK: the FIN behind the lost data is SACKed; the data is retransmitted a quarter of the RTT (25 ms) later.

    There is neither a third duplicate ACK nor a timeout; 2 ms (TCP_TIMEOUT_MIN_US) and two ticks of 4 ms are added.
    """
    link = [{"dir": "c2s", "match": "DATA", "nth": "1", "do": "drop"}]
    exchange = played(tmp_path, [["connect"], ["send", 200], ["close"]], [["accept"], ["serve", 0]], {"link": link})
    sent = [p.time for p in exchange.normalized() if p.length]
    assert 0.1 + 0.1 + 0.027 <= sent[1] <= 0.1 + 0.1 + 0.036


def test_reading_sends_no_window_update_before_the_window_doubles(tmp_path: Path) -> None:
    """net/ipv4/tcp.c, __tcp_cleanup_rbuf: four segments are four ACKs, however fast the application reads."""
    exchange = played(tmp_path, [["connect"], ["send", 5000]], [["accept"], ["recv_all"]], {})
    acks = [p.ack for p in exchange.normalized() if (p.sender, p.flags) == ("s", "A")]
    assert acks == [1449, 2897, 4345, 5001]


def test_a_server_without_an_rtt_sample_waits_three_seconds(tmp_path: Path) -> None:
    """A duplicate SYN, not a timer, caused the second SYN-ACK (tcp_init_metrics): probe after 1 s, then RTO 3 s."""
    off = {"net.ipv4.tcp_timestamps": 0}
    lost = [("SYNACK", "1"), ("DATA", "1-2")]
    exchange = played(
        tmp_path,
        [["connect"], ["send", 200], ["recv", 300]],
        [["accept"], ["serve", 300]],
        {
            "duration": 8,
            "client": {"sysctl": off},
            "link": [{"dir": "s2c", "match": kind, "nth": nth, "do": "drop"} for kind, nth in lost],
        },
    )
    first, probe, third = [p for p in exchange.normalized() if p.sender == "s" and p.length]
    assert probe.time - first.time == pytest.approx(1, abs=0.04)
    assert third.time - probe.time == pytest.approx(3, abs=0.26)
