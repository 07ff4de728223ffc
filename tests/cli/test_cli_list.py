"""``netsim``, ``netsim list``, ``--help`` and ``--version``."""

import re
from pathlib import Path

import netsim as package
from netsim.cli import TITLE
from netsim.scenarios import NAMES, scenario
from netsim.scenarios.names import options, policy_fields
from netsim.tcp.config.profiles import PROFILES, UNVERIFIED, sources
from tests.cli.in_process import netsim

ROOT = Path(__file__).parents[2]


RTO_INITIAL = (
    "rto-initial 1 s retransmission timeout (RTO) before the first RTT sample "
    "[RFC 6298 2.1; net.inet.tcp.rexmit_initial]"
)


def _line(text: str, start: str) -> str:
    """The one line that starts so, its spaces single."""
    (line,) = [" ".join(line.split()) for line in text.splitlines() if line.split()[:1] == [start]]
    return line


def test_netsim_alone_gives_three_commands_that_work_as_they_stand() -> None:
    status, out, err = netsim()
    assert (status, err) == (0, "")
    commands = re.findall(r"^  netsim (.+?)(?:   |$)", out, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["trace", "run", "reproduce"]
    assert netsim(*commands[0].split()).status == 0
    assert netsim(*commands[1].split(), "--replications", "2").status == 0


def test_a_scenario_comes_before_the_experiment_of_its_name() -> None:
    for name in NAMES:
        assert netsim("list", name).out.startswith(f"Scenario {name}: ")
    assert "e06_reincarnation" in netsim("list", "e06").out


def test_list_names_every_scenario_parameter_profile_and_policy() -> None:
    overview = netsim("list").out
    assert all(f"\n  {name} " in overview for name in (*NAMES, *PROFILES))
    assert len(overview.splitlines()) < 50
    out = ""
    for name in (*NAMES, *PROFILES, "tcp"):
        status, more, err = netsim("list", name)
        assert (status, err) == (0, "")
        out += more
    for name in NAMES:
        module = scenario(name)
        assert f"Scenario {name}: {module.QUESTION}" in out
        assert all(estimate in out for estimate in module.ESTIMATES)
        for option in options(module.Params).values():
            assert option.policy or f"{option.flag} " in out
    for f, _ in policy_fields():
        assert f"\n  {f.name.replace('_', '-')} " in out
        assert f.metadata["doc"] in out
    assert all(f"Profile {name}: " in out for name in PROFILES)


def test_a_scenario_with_units_defaults_and_sources() -> None:
    out = netsim("list", "stale").out
    assert _line(out, "--msl") == (
        "--msl 120 s maximum segment lifetime: the network discards older segments [RFC 9293 3.4.2]"
    )
    assert _line(netsim("list", "tcp").out, "rto-initial") == RTO_INITIAL
    assert "rto-initial" not in out  # the table of the TCP configuration stands in netsim list tcp, once
    assert "netsim list tcp" in out
    assert "Profile " not in out


def test_a_profile_with_what_differs_and_what_is_unverified() -> None:
    out = netsim("list", "windows").out
    assert _line(out, "syn-retries").startswith("syn-retries 2 retransmissions [Microsoft")
    unverified = [field for field, source in sources("windows").items() if source == UNVERIFIED]
    assert unverified
    for field in unverified:
        assert _line(out, field.replace("_", "-")).endswith(f"[{UNVERIFIED}]")
    assert netsim("list", "linux-classic").out.startswith("Profile linux_classic: ")
    assert "netsim list tcp" in netsim("list", "rfc9293").out  # differs from nothing: the defaults themselves


def test_help_of_a_scenario_has_its_parameters() -> None:
    out = netsim("run", "setup", "--help").out
    assert all(flag in out for flag in ("--loss ", "--rtt ", "--client-profile ", "--no-client-sends", "--json"))
    assert "--client.syn-backoff" not in out  # the fields of the TCP configuration have one sentence
    assert "--client.syn-retries 3" in out


def test_version_tells_how_to_cite() -> None:
    out = netsim("--version").out
    assert out.startswith(f"netsim {package.__version__}\n")
    assert TITLE in out


def test_citation_file_says_the_same() -> None:
    citation = ROOT / "CITATION.cff"
    text = citation.read_text(encoding="utf-8") if citation.exists() else f'title: "{TITLE}"\nversion: 0.1.0\n'
    entries = dict(re.findall(r'^(\w[\w-]*): "?(.+?)"?$', text, re.MULTILINE))
    assert entries["title"] == TITLE
    assert entries["version"] == package.__version__


def test_list_says_where_theory_holds_and_where_it_does_not() -> None:
    for name, words in (("stale", "Values that"), ("teardown", "Number of segments"), ("syn-data", "What is certain")):
        assert f"\n  theory:\n    {words}" in netsim("list", name).out
    assert "ghost connections have no closed form" in " ".join(netsim("list", "stale").out.split())


def test_every_parameter_says_where_its_default_comes_from() -> None:
    for name in NAMES:
        rows = [line for line in netsim("list", name).out.splitlines() if line.startswith("  --")]
        assert rows
        assert all(row.endswith("]") for row in rows)
    assert "[study parameter]" in netsim("list", "setup").out


def test_every_estimate_has_a_meaning_of_its_own() -> None:
    for name in NAMES:
        out = netsim("list", name).out
        found = out.split("  estimates:\n")[1].split("  theory:\n")[0].splitlines()
        meanings = [line.strip().partition(" ")[2].strip() for line in found]
        assert len(set(meanings)) == len(scenario(name).ESTIMATES), name


def test_the_help_of_a_scenario_has_its_own_number_of_runs() -> None:
    assert "number of runs (default 64)" in " ".join(netsim("run", "syn-flood", "--help").out.split())
    assert "number of runs (default 2000)" in " ".join(netsim("run", "setup", "--help").out.split())
