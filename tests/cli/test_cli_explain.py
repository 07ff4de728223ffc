"""``netsim explain``: from the command line and from a file, as text and as JSON; bad settings in one line."""

import json
from pathlib import Path

import pytest

from tests.cli.in_process import netsim

HOST = """
backlog = 511
[sysctl]
net.core.somaxconn = 128
"net.ipv4.tcp_fin_timeout" = 15
"""


def test_a_host_of_the_command_line() -> None:
    done = netsim("explain", "--sysctl", "net.ipv4.tcp_max_syn_backlog=1024", "tcp_syncookies=0", "--backlog", "4096")
    assert done.status == 0
    assert "SYN queue" in done.out
    assert "769  SYN-RECEIVED: 3/4 of net.ipv4.tcp_max_syn_backlog 1024; a further SYN: it is dropped" in done.out
    assert "470.5/s" in done.out
    assert "pruning is off" in done.out


def test_a_host_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "host.toml"
    path.write_text(HOST)
    done = netsim("explain", str(path), "--json")
    result = json.loads(done.out)
    assert result["sysctl"] == {"net.core.somaxconn": 128, "net.ipv4.tcp_fin_timeout": 15}
    assert result["limits"]["accept_queue"] == 129
    assert result["limits"]["fill_rate"] == pytest.approx(129 / 63)
    assert [pitfall["setting"] for pitfall in result["pitfalls"]] == ["net.core.somaxconn", "net.ipv4.tcp_fin_timeout"]


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "host.toml"
    path.write_text(HOST)
    done = netsim("explain", str(path), "--json", "--sysctl", "somaxconn=256", "--backlog", "200")
    result = json.loads(done.out)
    assert result["limits"]["accept_queue"] == 201


def test_ports_and_cookies_for_every_syn() -> None:
    done = netsim("explain", "--json", "--sysctl", "ip_local_port_range=1024 65535", "tcp_syncookies=2")
    result = json.loads(done.out)
    assert result["limits"]["ports"] == 64_512
    assert result["limits"]["connect_rate"] == pytest.approx(64_512 / 60)
    assert result["limits"]["syn_queue"] is None
    assert "none  every SYN is answered with a cookie" in netsim("explain", "--sysctl", "tcp_syncookies=2").out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--sysctl", "tcp_syncookies"], "sysctl = 'tcp_syncookies': must be NAME=VALUE"),
        (["--sysctl", "tcp_syncookies=3"], "net.ipv4.tcp_syncookies = 3: must be 0, 1 or 2"),
        (["--sysctl", "tcp_syn_backlog=3"], "unknown setting"),
        (["--sysctl", "tcp_syn_backlog=3"], "did you mean net.ipv4.tcp_max_syn_backlog?"),
        (["--sysctl", "tcp_tw_recycle=1"], "removed in Linux 4.12"),
        (["--sysctl", "tcp_synack_retries=256"], "net.ipv4.tcp_synack_retries = 256"),
        (["--sysctl", "tcp_synack_retries=-1"], "net.ipv4.tcp_synack_retries = '-1'"),
        (["--sysctl", "ip_local_port_range=5"], "net.ipv4.ip_local_port_range = '5': must be two ports"),
        (["--sysctl", "ip_local_port_range=9 5"], "ports.first = 9: must be at most ports.last = 5"),
        (["--backlog", "-1"], "backlog = '-1': must be an integer from 0"),
        (["--profile", "linus"], "profile = 'linus': must be one of"),
        (["/nowhere.toml"], "host = '/nowhere.toml': cannot be read"),
    ],
)
def test_a_bad_setting_is_one_line(words: list[str], line: str) -> None:
    done = netsim("explain", *words)
    assert done.status == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert line in done.err


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("backlog = ", "malformed"),
        ("backlogs = 5", "backlogs: unknown; must be one of profile, backlog, sysctl; did you mean backlog?"),
        ("sysctl = 5", "sysctl = 5: must be a table, [sysctl]"),
        ("profile = 5", "profile = 5: must be one of"),
        ("backlog = true", "backlog = True: must be an integer"),
        ("[sysctl]\nnet.ipv4.tcp_syncookies = true", "net.ipv4.tcp_syncookies = True: must be an integer"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "host.toml"
    path.write_text(text)
    done = netsim("explain", str(path))
    assert (done.status, done.out) == (2, "")
    assert line in done.err
