"""``netsim run`` and ``netsim trace``."""

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from netsim.cli.report import Result
from netsim.scenarios import setup
from netsim.seeds import Seed
from netsim.study.subject import subject
from netsim.sweep import Estimate, Estimator, estimate, point_key, read_csv, sweep
from netsim.tcp.config.profiles import rfc9293
from netsim.trace import Trace
from netsim.trace.ladder import ladder
from tests.cli.in_process import netsim

ISSUE = ["--loss", "10%", "--rtt", "100ms", "--profile", "rfc9293"]
ISSUE += ["--client.syn-retries", "6", "--server.synack-retries", "5"]


def _json(*words: str) -> dict[str, Any]:
    status, out, err = netsim("run", "setup", *words, "--json")
    assert (status, err) == (0, "")
    result: dict[str, Any] = json.loads(out)
    return result


def test_one_json_object_with_the_same_names_in_estimates_and_theory() -> None:
    result = _json(*ISSUE, "--replications", "300")
    assert list(result) == ["scenario", "params", "seed", "n", "estimates", "theory"]
    assert (result["scenario"], result["seed"], result["n"]) == ("setup", 1, 300)
    assert list(result["estimates"]) == list(setup.ESTIMATES)
    assert all(list(e) == ["value", "low", "high", "n"] for e in result["estimates"].values())
    assert result["theory"].keys() <= result["estimates"].keys()
    # literal RFC policy, pf = pr = .1, RTT .1 s, T = 1 s, 6 and 5 retries, enumerated by hand: .34997, 2.90e-7
    assert result["theory"]["setup_latency"] == pytest.approx(0.34997, abs=5e-6)
    assert result["theory"]["p_fail"] == pytest.approx(2.90e-7, abs=5e-10)


def test_params_name_what_was_asked_for_and_the_horizon() -> None:
    params = _json(*ISSUE, "--replications", "2")["params"]
    assert params["horizon"] == setup.HORIZON
    assert params["loss_forward"] == params["loss_reverse"] == 0.1
    assert params["client"] == {"profile": "rfc9293", "syn_retries": 6}
    assert params["server"] == {"profile": "rfc9293", "synack_retries": 5}


def test_the_numbers_are_those_of_the_library() -> None:
    params = setup.Params(client=rfc9293().replace(syn_retries=6), server=rfc9293().replace(synack_retries=5))
    rows = sweep(setup.run, [params], replications=200, seed=3, workers=1)
    expected = {name: e.as_dict() for name, e in estimate(rows, setup.ESTIMATES).items()}
    assert _json(*ISSUE, "--replications", "200", "--seed", "3")["estimates"] == expected


def test_means_have_an_interval_from_2000_runs_on() -> None:
    small = _json("--replications", "1999")["estimates"]
    assert small["setup_latency"]["low"] is None
    assert small["p_without_retransmission"]["low"] is not None
    assert _json("--replications", "2000", "--loss", "0")["estimates"]["setup_latency"]["low"] == 0.1


def test_the_infinite_is_null() -> None:
    result = _json("--loss", "100%", "--replications", "5")
    assert result["estimates"]["setup_latency_p50"]["value"] is None
    assert result["theory"]["setup_latency_p50"] is None
    assert result["estimates"]["p_fail"]["value"] == result["theory"]["p_fail"] == 1.0
    assert result["estimates"]["setup_latency_restricted"]["value"] == setup.HORIZON


def test_the_table_prints_seed_runs_changes_and_theory() -> None:
    status, out, err = netsim("run", "setup", "--loss", "20%", "--replications", "50", "--client.syn-retries", "2")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"setup: {setup.QUESTION}"
    assert lines[1] == "seed 1, 50 runs; loss_forward = 0.2, loss_reverse = 0.2, client = rfc9293 syn_retries=2"
    assert lines[3].split() == ["estimate", "95", "%", "interval", "n", "theory"]
    assert [line.split()[0] for line in lines[4:13]] == list(setup.ESTIMATES)
    assert lines[12].split()[-1] == "0.64"  # p_without_retransmission: .8 squared
    assert "failures counted at the horizon, 300 s" in out


def test_the_rows_go_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    assert netsim("run", "setup", "--replications", "7", "--out", str(file)).status == 0
    rows = read_csv(file)
    assert rows.column("replication") == list(range(7))
    assert set(rows.columns) >= {"client_latency", "outcome", "loss_forward", "error"}


def test_a_file_of_parameters_and_the_command_line_over_it(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('loss_forward = "1%"\nloss_reverse = 0.5\n[client]\nprofile = "linux"\nsyn_retries = 3\n')
    params = _json("--config", str(file), "--loss-reverse", "2%", "--replications", "2")["params"]
    assert (params["loss_forward"], params["loss_reverse"]) == (0.01, 0.02)
    assert params["client"] == {"profile": "linux", "syn_retries": 3}


def test_runs_that_fail_are_told_and_the_others_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    original = setup.run

    def sometimes(params: setup.Params, seed: Seed) -> dict[str, Any]:
        if seed.replication % 3 == 1:
            raise ZeroDivisionError("no luck")
        return original(params, seed)

    monkeypatch.setattr(setup, "run", sometimes)
    status, out, err = netsim("run", "setup", "--replications", "9", "--workers", "1", "--json")
    assert status == 1
    assert err == "netsim: 3 of 9 runs failed; replication 1: ZeroDivisionError: no luck\n"
    result = json.loads(out)
    assert (result["n"], result["estimates"]["p_fail"]["n"]) == (9, 6)


def test_if_all_runs_fail_there_is_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "run", lambda params, seed: {}["nothing"])
    status, out, _ = netsim("run", "setup", "--replications", "3", "--workers", "1", "--json")
    assert status == 1
    assert json.loads(out)["estimates"]["setup_latency_p50"] == {"value": None, "low": None, "high": None, "n": 0}


def test_after_an_interrupt_what_is_done_is_kept_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    original, blocks = setup.run, list[int]()

    def impatient(params: setup.Params, seed: Seed) -> dict[str, Any]:
        if blocks:  # the sweep has told of the first block of runs
            raise KeyboardInterrupt
        return original(params, seed)

    def progress(label: str) -> AbstractContextManager[Any]:
        return nullcontext(lambda done, total: blocks.append(done))

    monkeypatch.setattr(setup, "run", impatient)
    monkeypatch.setattr("netsim.cli.run.progress", progress)
    file = tmp_path / "rows.csv"
    status, out, err = netsim(
        "run", "setup", "--replications", "100000", "--workers", "1", "--json", "--out", str(file)
    )
    assert status == 130
    n = json.loads(out)["n"]
    assert n >= 1
    assert err == f"netsim: interrupted: {n} of 100000 runs are done; their rows are in {file}\n"
    assert len(read_csv(file)) == n


def test_an_interrupt_before_anything_is_done_leaves_the_file_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def never(params: setup.Params, seed: Seed) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "run", never)
    file = tmp_path / "rows.csv"
    file.write_text("old")
    status, out, err = netsim("run", "setup", "--workers", "1", "--out", str(file))
    assert (status, out) == (130, "")
    assert err == "netsim: interrupted: 0 of 2000 runs are done\n"
    assert file.read_text() == "old"


def test_a_domain_that_theory_refuses_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(params: setup.Params) -> dict[str, float]:
        raise ValueError("too long")

    monkeypatch.setattr(setup, "theory", refuse)
    status, out, err = netsim("run", "setup", "--replications", "2", "--json")
    assert (status, json.loads(out)["theory"]) == (0, {})
    assert "no theory for these parameters: too long" in err


def test_a_trace_is_the_run_of_the_same_number() -> None:
    status, out, err = netsim("trace", "setup", "--loss", "30%", "--seed", "5", "--replication", "3", "--text")
    assert (status, err) == (0, "")
    params = setup.Params(loss_forward=0.3, loss_reverse=0.3)
    rows = sweep(setup.run, [params], replications=4, seed=5, workers=1)
    trace = Trace()
    setup.run(params, Seed(5, point_key(params), 3), [trace.events.append])
    head, _, rest = out.partition("\n\n")
    assert rest == ladder(trace) + "\n"
    assert head.startswith("setup, seed 5, run 3: client_latency ")
    latency = rows.column("client_latency")[3]
    assert f"client_latency {latency:.5g}, " in head
    assert max(map(len, out.splitlines())) <= 100


def test_every_scenario_can_be_traced_and_run() -> None:
    for name in ("setup", "stale"):
        assert netsim("trace", name).status == 0
        assert netsim("run", name, "--replications", "2").status == 0


def test_a_table_of_nothing() -> None:
    nothing = Result(
        subject=replace(subject("setup"), title="x", question="why?"),
        params=setup.Params(),
        seed=1,
        n=0,
        estimators={"mean": Estimator(column="c", kind="mean")},
        estimates={"mean": Estimate(None, None, None, 0)},
        theory={},
    )
    assert "mean" in nothing.as_table()


def test_the_sysctls_of_a_file_vary_the_profile_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "host.toml"
    file.write_text('profile = "linux"\n[server.sysctl]\nnet.ipv4.tcp_synack_retries = 2\n')
    params = _json("--config", str(file), "--replications", "2")["params"]
    assert params["client"] == {"profile": "linux"}
    assert params["server"] == {"profile": "linux", "synack_retries": 2}
