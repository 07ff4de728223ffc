"""Linux 6.18 as referee: each recorded scenario against the ``linux`` profile; changed recordings must differ."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netsim.referees.recordings.compare import compare, scenarios_of
from netsim.referees.recordings.scenario import RecordingError

RECORDINGS = Path(__file__).parent / "linux-6.18"
SCENARIOS = scenarios_of(RECORDINGS)


def test_there_are_28_scenarios() -> None:
    assert len(SCENARIOS) == 28


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_the_simulation_matches_the_kernel(scenario: Any) -> None:
    verdict = compare(RECORDINGS, scenario)
    assert verdict.match, verdict.difference


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("close_3seg_merged", "rfc9293"),  # the ACK of the FIN is not delayed
        ("refused", "freebsd"),  # other options on the SYN
        ("final_ack_lost_forever", "rfc9293"),  # no tail loss probe, another R2
        ("syn_lost_3x", "linux_classic"),  # SYNs at 0 1 3 7 s
    ],
)
def test_another_profile_does_not_match(name: str, profile: str) -> None:
    (scenario,) = scenarios_of(RECORDINGS, name, profile=profile)
    assert not compare(RECORDINGS, scenario, profile=profile).match


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """A folder that holds one scenario alone."""

    def make(name: str) -> Path:
        tables = json.loads((RECORDINGS / "scenarios.json").read_text())
        (tmp_path / "scenarios.json").write_text(json.dumps([t for t in tables if t["name"] == name]))
        for kind in ("packets", "states"):
            shutil.copy(RECORDINGS / f"{name}.{kind}.csv", tmp_path)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("packets", "PASS,8080,40000,FA,301,202", "PASS,8080,40000,FA,302,202", "s FA 302"),
        ("packets", "PASS,8080,40000,FA,301,202", "PASS,8080,40000,FA,301,201", "ack 201"),
        ("packets", "0.736163,0.786238", "0.636163,0.686238", "after the previous event"),
        ("packets", "0.836435,0.886508", "0.836435,0.896508", "one-way delay recorded 0.060 s, simulated 0.050 s"),
        ("packets", "FA,201,301,0", "FA,201,301,5", "len 5"),
        ("packets", "ws=10", "ws=7", "ws=7"),
        ("packets", "mss=1460;sackok;ts=281928975/0", "mss=1460;ts=281928975/0;sackok", "mss=1460 ts sackok"),
        ("packets", "0.400569,,c2s,DROP_SCRIPT", "0.400569,0.450569,c2s,PASS", "lost"),
        ("states", "s,app,recv -> EOF", "s,app,recv -> ECONNRESET", "application of s"),
        ("states", "c,app,recv -> 300B", "c,app,recv -> 301B", "301 bytes"),
        ("states", "FIN_WAIT1 -> TIME_WAIT", "FIN_WAIT1 -> CLOSING", "states of c"),
    ],
)
def test_a_changed_recording_differs(copy: Callable[[str], Path], file: str, old: str, new: str, said: str) -> None:
    folder = copy("fin_lost_once")
    path = folder / f"fin_lost_once.{file}.csv"
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    (scenario,) = scenarios_of(folder)
    verdict = compare(folder, scenario)
    assert verdict.difference is not None
    assert said in verdict.difference.description


def test_an_error_at_another_time_differs(copy: Callable[[str], Path]) -> None:
    folder = copy("keepalive_blackhole")
    path = folder / "keepalive_blackhole.states.csv"
    path.write_text(path.read_text().replace("7.301068,c,app,recv -> ETIMEDOUT", "8.761282,c,app,recv -> ETIMEDOUT"))
    (scenario,) = scenarios_of(folder)
    difference = compare(folder, scenario).difference
    assert difference is not None
    assert "error recorded 1.460 s after the previous event" in difference.description


def test_a_missing_and_an_additional_packet_differ(copy: Callable[[str], Path]) -> None:
    folder = copy("fin_lost_once")
    path = folder / "fin_lost_once.packets.csv"
    lines = path.read_text().splitlines(keepends=True)
    (scenario,) = scenarios_of(folder)
    path.write_text("".join(lines[:-1]))
    fewer = compare(folder, scenario).difference
    assert fewer is not None
    assert "simulated, but not recorded" in fewer.description
    path.write_text("".join([*lines, lines[-1].replace("0.836435,0.886508", "0.936435,0.986508")]))
    more = compare(folder, scenario).difference
    assert more is not None
    assert "recorded, but not simulated" in more.description


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the only scenario of ``folder``."""
    path = folder / "scenarios.json"
    (table,) = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps([table]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("name"), "name = None: must be a file name"),
        (lambda t: t.update(duration="5"), "duration = '5': must be a number of seconds"),
        (lambda t: t.update(one_way_delay=-1), "one_way_delay = -1: must be a number of seconds from 0"),
        (lambda t: t.update(client=[]), "client: []: must be an object"),
        (lambda t: t.update(hosts=3), "hosts: no such field; fields are client,"),
        (lambda t: t["client"].update(steps=[["jump"]]), "client.steps, step 1: ['jump']: must be a list that starts"),
        (lambda t: t["client"].update(steps=[["send"]]), "send takes 1 arguments (bytes)"),
        (lambda t: t["client"].update(steps=[["send", -3]]), "step 1 (send) = -3: must be an integer from 1"),
        (lambda t: t["client"].update(steps=[["rule", {"dir": "up"}]]), "dir = 'up': must be one of c2s, s2c"),
        (lambda t: t["client"].update(sysctl={"net.ipv4.tcp_magic": 1}), "net.ipv4.tcp_magic = 1: unknown setting"),
        (lambda t: t["client"].update(sysctl={"net.ipv4.tcp_syn_retries": 300}), "syn_retries = 300: must be"),
        (lambda t: t["server"].update(listen=None), "server: listen = None: must be a backlog where a step accepts"),
        (lambda t: t["link"][0].update(nth="0"), "link, rule 1: nth = '0'"),
        (lambda t: t["link"][0].update(match="PING"), "link, rule 1: match = 'PING': must be one of SYN,"),
        (lambda t: t["link"][0].update(do="eat"), "link, rule 1: do = 'eat': must be one of drop,"),
    ],
)
def test_malformed_scenarios(copy: Callable[[str], Path], change: Callable[[Any], object], said: str) -> None:
    folder = copy("fin_lost_once")
    edited(folder, change)
    with pytest.raises(RecordingError) as error:
        scenarios_of(folder)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("packets", "t_send", "when", "packets.csv: header: must have the columns t_send,"),
        ("packets", "0.000192,", "soon,", "packets.csv:2: t_send = 'soon': must be a number of seconds"),
        ("packets", "c2s", "up", "packets.csv:2: dir = 'up': must be one of c2s, s2c"),
        ("packets", "PASS", "GONE", "event = 'GONE': must be one of PASS, DUP, DROP_SCRIPT"),
        ("packets", ",S,0,", ",Q,0,", "flags = 'Q'"),
        ("packets", ",S,0,", ",S,x,", "seq_rel = 'x': must be an integer"),
        ("states", "c,app,connect() call", "x,app,connect() call", "end = 'x': must be one of c, s"),
        ("states", "- -> SYN_SENT", "SYN_SENT", "must be OLD -> NEW"),
        ("states", "c,state", "c,mood", "kind = 'mood': must be state or app"),
    ],
)
def test_malformed_files(copy: Callable[[str], Path], file: str, old: str, new: str, said: str) -> None:
    folder = copy("fin_lost_once")
    path = folder / f"fin_lost_once.{file}.csv"
    path.write_text(path.read_text().replace(old, new))
    (scenario,) = scenarios_of(folder)
    with pytest.raises(RecordingError) as error:
        compare(folder, scenario)
    assert said in str(error.value)
    path.unlink()
    with pytest.raises(RecordingError, match="No such file"):
        compare(folder, scenario)
