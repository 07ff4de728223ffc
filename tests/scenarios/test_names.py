"""From options and files to a scenario's parameters."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netsim.link import Exponential, Uniform
from netsim.scenarios import setup, stale
from netsim.scenarios.names import as_given, build, flat, options, read_toml
from netsim.sweep import grid, point_key, sweep
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.isn import ConstantIsn
from netsim.tcp.config.profiles import freebsd, linux, linux_classic, rfc9293

Params = setup.Params


def read_file(path: str, params: type[Any]) -> dict[str, Any]:
    """The parameters in a TOML file."""
    return dict(flat(params, read_toml("config", path)))


def test_nothing_given_is_the_defaults() -> None:
    assert build(Params, {}) == Params()
    assert build(stale.Params, {}) == stale.Params()


def test_a_shorthand_sets_both_directions() -> None:
    assert build(Params, {"loss": "30%"}) == Params(loss_forward=0.3, loss_reverse=0.3)
    distribution = Uniform(0.02, 0.08)
    assert build(Params, {"delay": "uniform:20ms:80ms"}) == Params(
        delay_forward=distribution, delay_reverse=distribution
    )


def test_rtt_is_split_evenly() -> None:
    assert build(Params, {"rtt": "100ms"}) == Params(delay_forward=0.05, delay_reverse=0.05)
    assert build(Params, {"rtt": "0.3"}).delay_reverse == 0.15


def test_the_same_point_as_in_python() -> None:
    text = build(Params, {"loss": "10%", "rtt": "100ms", "profile": "linux-classic", "client.syn_retries": "3"})
    python = Params(client=linux_classic().replace(syn_retries=3), server=linux_classic())
    assert text == python
    assert point_key(text) == point_key(python)


@pytest.mark.parametrize(
    "given",
    [
        {"rtt": "1", "delay_forward": "1"},
        {"rtt": "1", "delay": "1"},
        {"delay": "1", "delay_reverse": "1"},
        {"loss": "0", "loss_reverse": "0"},
        {"profile": "linux", "server_profile": "linux"},
        {"client.profile": "linux", "client_profile": "linux"},
    ],
)
def test_two_names_for_one_field_are_an_error(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="only one of these two"):
        build(Params, given)


def test_profiles_and_policies_of_the_ends() -> None:
    given = {
        "client_profile": "linux",
        "server_profile": "freebsd",
        "client.isn": "constant:5",
        "client.syn_backoff": "3s",
        "client.delayed_ack": "none",
        "server.rto_initial": "200ms",
        "server.rto_min": "100ms",
        "server.timestamps": False,
    }
    params = build(Params, given)
    assert params.client == linux().replace(isn=ConstantIsn(5), syn_backoff=BackOff(initial=3.0), delayed_ack=None)
    assert params.server == freebsd().replace(rto_initial=0.2, rto_min=0.1, timestamps=False)


def test_a_policy_without_a_profile_varies_the_default() -> None:
    assert build(Params, {"server.synack_retries": "2"}).server == rfc9293().replace(synack_retries=2)


def test_a_later_source_wins_field_by_field() -> None:
    params = build(
        Params,
        {"rtt": "1s", "loss_forward": 0.2, "client.profile": "linux", "client.syn_retries": 3},
        {"delay_forward": "0.1", "loss": "1%", "profile": "freebsd"},
    )
    assert (params.delay_forward, params.delay_reverse) == (0.1, 0.5)
    assert (params.loss_forward, params.loss_reverse) == (0.01, 0.01)
    assert params.client == freebsd().replace(syn_retries=3)


def test_a_file_has_the_names_of_python(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        'loss_forward = "1%"\nclient_sends = true\njitter = 0.5\ndelay_reverse = "5ms+exponential:10ms"\n'
        '[client]\nprofile = "linux"\nsyn_retries = 3\nsyn_backoff = {initial = "2s", linear = 1}\n'
        "challenge_ack_limit = [5, 1.0]\n"
    )
    client = linux().replace(syn_retries=3, syn_backoff=BackOff(initial=2.0, linear=1), challenge_ack_limit=(5, 1.0))
    assert build(Params, read_file(str(file), Params)) == Params(
        loss_forward=0.01, client_sends=True, jitter=0.5, delay_reverse=Exponential(0.01, 0.005), client=client
    )


def _toml(record: dict[str, object]) -> str:
    """A record of a run as TOML: its values are numbers, booleans, strings and tables of these; none is a string."""

    def value(v: object) -> str:
        return "'none'" if v is None else repr(v).lower() if isinstance(v, bool) else repr(v)

    flat = [f"{name} = {value(v)}" for name, v in record.items() if not isinstance(v, dict)]
    for name, table in record.items():
        if isinstance(table, dict):
            flat += [f"[{name}]", *(f"{inner} = {value(v)}" for inner, v in table.items())]
    return "\n".join(flat)


def test_the_record_of_a_run_is_a_file_that_gives_the_same_parameters(tmp_path: Path) -> None:
    params = Params(
        loss_forward=0.25,
        delay_forward=Uniform(0.01, 0.02),
        client_sends=True,
        client=linux().replace(syn_retries=2, user_timeout=5.0, isn=ConstantIsn(9)),
        server=freebsd().replace(delayed_ack=None),
        tie_break="packet-first",
    )
    file = tmp_path / "again.toml"
    file.write_text(_toml(as_given(params)))
    assert build(Params, read_file(str(file), Params)) == params


def test_every_parameter_of_every_scenario_has_an_option_with_its_meaning() -> None:
    for params in (setup.Params, stale.Params):
        known = options(params)
        for name in params.__dataclass_fields__:
            own = f"{name}_profile" if name in ("client", "server") else name
            assert known[own].text, own
    assert options(Params)["loss"].fields == ("loss_forward", "loss_reverse")
    assert options(Params)["client.syn_retries"].flag == "--client.syn-retries"


def test_a_value_that_is_no_number_is_answered_with_the_range() -> None:
    with pytest.raises(ValueError, match=r"^loss = 'abc': must be a probability in \[0, 1\]$"):
        build(Params, {"loss": "abc"})
    with pytest.raises(ValueError, match=r"^client.mss = '1.5': must be an integer in \[1, 65535\] bytes$"):
        build(Params, {"client.mss": "1.5"})


def test_unknown_names_are_guessed() -> None:
    with pytest.raises(ValueError, match=r"^loss_foward = 1: .*did you mean loss_forward\?$"):
        build(Params, {"loss_foward": 1})
    with pytest.raises(ValueError, match=r"did you mean client.syn_retries\?$"):
        build(Params, {"client.syn_retires": 1})


@pytest.mark.parametrize(
    "settings",
    [
        "net.ipv4.tcp_syn_retries = 3\nnet.ipv4.tcp_syn_linear_timeouts = 0\n",
        '"net.ipv4.tcp_syn_retries" = 3\n"net.ipv4.tcp_syn_linear_timeouts" = "0"\n',
    ],
)
def test_a_file_may_give_a_host_by_its_sysctls(tmp_path: Path, settings: str) -> None:
    file = tmp_path / "a.toml"
    file.write_text(f'profile = "linux"\n[server]\nmss = 1400\n[server.sysctl]\n{settings}')
    expected = linux().replace(mss=1400, syn_retries=3, syn_backoff=BackOff(linear=0))
    assert build(Params, read_file(str(file), Params)) == Params(client=linux(), server=expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[client.sysctl]\nnet.ipv4.tcp_magic = 1\n", "client.sysctl: net.ipv4.tcp_magic = 1: unknown setting"),
        (
            "[client.sysctl]\nnet.ipv4.tcp_syn_retries = -1\n",
            "net.ipv4.tcp_syn_retries = -1: must be an integer >= 0",
        ),
        ("[client]\nsysctl = 3\n", "client.sysctl: 3: must be a table of settings"),
        (
            "[client]\nsyn_retries = 2\n[client.sysctl]\nnet.ipv4.tcp_syn_retries = 1\n",
            "client.syn_retries: client.sysctl sets it too; must be only one of these two",
        ),
    ],
)
def test_bad_sysctls_in_a_file(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(said)):
        read_file(str(file), Params)


def test_a_sweep_over_a_grid_builds_the_parameters_or_refuses_in_one_line() -> None:
    rows = sweep(setup.run, grid(loss=[0, 0.1], **{"client.syn_retries": [0, 1]}), replications=2, seed=1)
    assert len(rows) == 8
    assert not len(rows.failed())
    assert sorted(set(rows.floats("loss_forward"))) == [0.0, 0.1]
    assert set(rows.ints("client.syn_retries")) == {0, 1}
    with pytest.raises(ValueError, match=r"^los = 0: unknown parameter; netsim list names them; did you mean loss\?$"):
        sweep(setup.run, grid(los=[0, 0.1]), replications=2, seed=1)


def test_the_constructor_knows_the_names_and_the_units_of_the_command_line() -> None:
    assert Params(loss=0.1) == Params(loss="10%") == Params(loss_forward=0.1, loss_reverse=0.1)
    assert Params(rtt="80ms") == Params(delay=0.04) == Params(delay_forward=0.04, delay_reverse="40ms")
    assert Params(profile="linux") == Params(client=linux(), server=linux())
    named = Params(client={"profile": "linux", "syn_retries": 3}, server="freebsd")
    assert named == Params(client=linux().replace(syn_retries=3), server=freebsd())
    assert named == Params(client_profile="linux", server_profile="freebsd", **{"client.syn_retries": "3"})  # type: ignore[arg-type]


def test_numpy_scalars_are_plain_numbers() -> None:
    plain, numpy = (
        Params(loss=0.1, **{"client.syn_retries": 3}),
        Params(  # type: ignore[arg-type]
            loss=np.float64(0.1), client={"syn_retries": np.int64(3)}, client_sends=np.bool_(False)
        ),
    )
    assert plain == numpy
    assert type(numpy.loss_forward) is float
    assert type(numpy.client.syn_retries) is int
    assert point_key(plain) == point_key(numpy)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"loss": 1.5}, "loss = 1.5: must be a probability in [0, 1]"),
        ({"loss": "10%", "loss_forward": 0.1}, "loss_forward = 0.1: loss is given too; must be only one of these two"),
        ({"los": 0.1}, "los = 0.1: unknown parameter; netsim list names them; did you mean loss?"),
        ({"client": {"syn_retires": 1}}, "did you mean client.syn_retries?"),
        ({"profile": "linx"}, "did you mean linux?"),
        ({"client": 3}, "client = 3: must be a TcpConfig"),
        ({"client": [3]}, "client = [3]: must be a TcpConfig, a profile's name, or a table of fields"),
        ({"rtt": None}, "rtt = None: must be a number of seconds"),
        ({"tie_break": "packet"}, "tie_break = 'packet': must be one of timer-first, packet-first, random"),
        ({"client": {"isn": "constnt:0"}}, "did you mean constant?"),
    ],
)
def test_the_constructor_refuses_in_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        Params(**given)
    assert "\n" not in str(error.value)
