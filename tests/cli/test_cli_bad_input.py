"""Bad input: one line that names field, value and what is allowed; status 2; nothing written."""

from pathlib import Path

import pytest

from tests.cli.in_process import netsim

CASES = [
    ("run setup --los 1%", "--los", "Did you mean --loss?"),
    ("run setup --client.syn-retires 3", "--client.syn-retires", "Did you mean --client.syn-retries?"),
    ("run setup --loss 1.5", "loss = 1.5", "[0, 1]"),
    ("run setup --loss-forward 1.5", "loss_forward = 1.5", "[0, 1]"),
    ("run setup --loss-reverse -0.1", "loss_reverse = -0.1", "[0, 1]"),
    ("run setup --loss 150%", "loss = '150%'", "[0, 1]"),
    ("run setup --loss nan", "loss = nan", "[0, 1]"),
    ("run setup --loss abc", "loss = 'abc'", "[0, 1]"),
    ("run setup --loss", "--loss", "requires an argument"),
    ("run setup --loss 1% --loss 1%", "--loss", "multiple times"),
    ("run setup --loss 1% --loss-forward 2%", "loss = '1%'", "loss_forward"),
    ("run setup --rtt 1 --delay-forward 1", "rtt = '1'", "delay_forward"),
    ("run setup --rtt -1", "rtt = '-1'", ">= 0"),
    ("run setup --delay-forward -5ms", "delay_forward = '-5ms'", ">= 0"),
    ("run setup --delay uniform:9", "delay = 'uniform:9'", "uniform:LOW:HIGH"),
    ("run setup --delay empirical:nowhere", "nowhere", "cannot be read"),
    ("run setup --jitter inf", "jitter = 'inf'", ">= 0"),
    ("run setup --profile linx", "profile = 'linx'", "did you mean linux?"),
    ("run setup --tie-break never", "tie_break = 'never'", "timer-first, packet-first"),
    ("run setup --client.syn-retries 300", "client.syn_retries = 300", "in [0, 255]"),
    ("run setup --client.rst-policy rfc5691", "client.rst_policy = 'rfc5691'", "did you mean rfc5961?"),
    ("run setup --client.isn constnt", "client.isn = 'constnt'", "did you mean constant?"),
    ("run setup --server.rto-min 5 --server.rto-max 2", "server.rto_max = 2.0", "rto_min"),
    ("run setup --client-sends --no-client-sends", "--no-client-sends", "multiple times"),
    ("run setup more", "more", "Unused"),
    ("run setpu", "scenario = 'setpu'", "did you mean setup?"),
    ("run", "scenario", "setup, stale"),
    ("run --seed 1 setup", "scenario", "comes first"),
    ("run setup --replications 0", "replications = 0", ">= 1"),
    ("run setup --replications -5", "replications = -5", ">= 1"),
    ("run setup --replications many", "replications = many", ">= 1"),
    ("run setup --seed -1", "seed = -1", ">= 0"),
    ("run setup --seed 99999999999999999999", "seed = 99999999999999999999", ">= 0 and <= 9223372036854775807"),
    ("run setup --replications 1" + 19 * "0", "replications = 1" + 19 * "0", ">= 1 and <= 9223372036854775807"),
    ("run setup --workers 0", "workers = 0", ">= 1"),
    ("run setup --config nowhere.toml", "config = 'nowhere.toml'", "cannot be read"),
    ("trace setup --replication -1", "replication = -1", ">= 0"),
    ("trace setup --end server", "end = 'server'", "--packetdrill FILE"),
    ("reproduce e01 --out=", "out = ''", "a folder"),
    ("trace setup --limit -1", "limit = -1", ">= 0"),
    ("list setpu", "name = 'setpu'", "did you mean setup?"),
    ("rnu setup", "rnu", 'Did you mean "run"?'),
    ("stale --help", "stale", "Available commands"),
]


@pytest.mark.parametrize(("line", "named", "allowed"), CASES, ids=[case[0] for case in CASES])
def test_one_line_and_status_2(line: str, named: str, allowed: str) -> None:
    status, out, err = netsim(*line.split())
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("netsim: ")
    assert named in err
    assert allowed in err


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"loss = \n", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"los = 1\n", "bad.toml: los = 1: unknown parameter"),
        (b"los = 1\n", "did you mean loss?"),
        (b"loss = 2\n", "loss = 2"),
        (b"loss = true\n", "True"),
        (b"client = 3\n", "or a table of fields"),
        (b"[client]\nsyn_retires = 3\n", "did you mean client.syn_retries?"),
        (b"[client]\nsyn_retries = 3.5\n", "client.syn_retries = 3.5"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, named: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    status, out, err = netsim("run", "setup", "--config", str(file))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert named in err


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("old")
    assert netsim("run", "setup", "--loss", "2", "--out", str(rows)).status == 2
    assert rows.read_text() == "old"
    assert list(tmp_path.iterdir()) == [rows]


@pytest.mark.parametrize("where", ["", "nowhere/rows.csv", "file/rows.csv"])
def test_a_csv_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("netsim.cli.run.sweep", None)
    status, out, err = netsim("run", "setup", "--out", str(tmp_path / where))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "out = " in err
