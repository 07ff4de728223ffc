"""The table of TcpConfig: each field says what it means, in what unit, from where, and within which range."""

import dataclasses
import pickle
import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.isn import HashIsn, IsnPolicy
from netsim.tcp.config.ports import Order, Ports
from netsim.tcp.config.profiles import PROFILES, TITLES, UNVERIFIED, profile, sources
from netsim.tcp.config.syn_cookie import BernsteinCookie, TimestampCookie

HINTS = get_type_hints(TcpConfig)
FIELDS = {f.name: f for f in dataclasses.fields(TcpConfig) if f.init}
NUMBERS = [name for name in FIELDS if {int, float} & {HINTS[name], *get_args(HINTS[name])}]
CHOICES = {name: get_args(HINTS[name]) for name in FIELDS if get_origin(HINTS[name]) is Literal}
HOSTS = ("linux", "bsd", "windows", "solaris", "apple", "macos", "darwin")


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_a_meaning_and_a_source(name: str) -> None:
    about = FIELDS[name].metadata
    assert about["doc"]
    assert about["source"]


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_a_unit_and_a_range(name: str) -> None:
    assert FIELDS[name].metadata["unit"]
    assert FIELDS[name].metadata["allowed"]


@pytest.mark.parametrize("name", NUMBERS)
def test_the_range_is_enforced(name: str) -> None:
    """A number beyond either end is refused with its name, value, range and unit; the ends are allowed."""
    low, high = FIELDS[name].metadata["allowed"]
    for wrong in (low - 1, high + 1, high * 2 + 1, "1", True):
        with pytest.raises(ValueError, match=rf"^{name} = {re.escape(repr(wrong))}: must be .* \[.*\] \S+") as caught:
            TcpConfig(**{name: wrong})
        assert FIELDS[name].metadata["unit"] in str(caught.value)
    for right in (1.0, 128.0) if name in ("rto_min", "rto_max") else (low, high):  # these two limit each other
        number = int(right) if float not in (HINTS[name], *get_args(HINTS[name])) else float(right)
        assert getattr(TcpConfig(**{name: number}), name) == number


def test_relations_between_fields() -> None:
    with pytest.raises(ValueError, match=r"^rto_max = 0\.5: must be a number >= rto_min = 1\.0 s$"):
        TcpConfig(rto_max=0.5)
    with pytest.raises(ValueError, match=r"^fast_open_cookie = 5: must be an even number in \[4, 16\] bytes$"):
        TcpConfig(fast_open_cookie=5)
    with pytest.raises(ValueError, match=r"^syn_cookie_key = 'xyz': must be 0 to 64 bytes in hexadecimal"):
        TcpConfig(syn_cookie_key="xyz")


@pytest.mark.parametrize("name", CHOICES)
def test_each_choice_is_explained(name: str) -> None:
    """The meaning says of each value, by its name, what happens."""
    doc = FIELDS[name].metadata["doc"]
    for choice in CHOICES[name]:
        assert f"{choice}: " in doc or f"{choice} " in doc, choice


@pytest.mark.parametrize("name", CHOICES)
def test_values_name_behaviours_and_no_hosts(name: str) -> None:
    for choice in CHOICES[name]:
        assert not any(host in choice for host in HOSTS), choice


@pytest.mark.parametrize("name", CHOICES)
def test_another_value_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name} = 'linux': must be one of {', '.join(CHOICES[name])}$"):
        TcpConfig(**{name: "linux"})


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"isn": 3}, "isn = 3: must be an IsnPolicy"),
        ({"ports": "random"}, "ports = 'random': must be a Ports"),
        ({"syn_backoff": 1.0}, "syn_backoff = 1.0: must be a BackOff"),
        ({"timestamps": 1}, "timestamps = 1: must be True or False"),
        ({"challenge_ack_limit": (0, 1.0)}, "challenge_ack_limit = (0, 1.0): must be a tuple (an integer > 0 ACKs, "),
        ({"authentication_key": 7}, "authentication_key = 7: must be a string, or None"),
    ],
)
def test_values_of_a_wrong_type_are_refused(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(line)}"):
        TcpConfig(**values)


def test_replace_refuses_a_field_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match=r"^syn_retires: no such field of TcpConfig; fields are .*syn_retries"):
        TcpConfig().replace(syn_retires=3)


# Durations in nanoseconds


def test_durations_in_nanoseconds_have_the_names_of_their_fields() -> None:
    config = TcpConfig(rto_min=0.2, delayed_ack=None, time_wait=60, ts_tick=0.004)
    assert (config.ns.rto_min, config.ns.delayed_ack, config.ns.time_wait, config.ns.ts_tick) == (
        200_000_000,
        None,
        60_000_000_000,
        4_000_000,
    )
    assert all(hasattr(config.ns, name) for name in NUMBERS if FIELDS[name].metadata["unit"] == "s")
    assert not hasattr(config.ns, "syn_retries")


def test_intervals_in_nanoseconds() -> None:
    config = TcpConfig(syn_retries=2, synack_retries=1, syn_backoff=BackOff(initial=3.0), connect_timeout=7.5)
    assert config.ns.syn_intervals == (3_000_000_000, 6_000_000_000, 12_000_000_000)
    assert config.ns.synack_intervals == (1_000_000_000, 2_000_000_000)
    assert config.ns.open_timeout == 7_500_000_000
    assert TcpConfig(user_timeout=None).ns.open_timeout is None


@pytest.mark.parametrize("name", PROFILES)
def test_a_configuration_survives_pickling(name: str) -> None:
    config = profile(name)
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    assert hash(copy) == hash(config)
    assert copy.ns == config.ns


# Profiles


def test_every_profile_has_a_title_for_people() -> None:
    assert list(TITLES) == list(PROFILES)
    assert len(set(TITLES.values())) == len(TITLES)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_differs_only_in_fields_with_a_source(name: str) -> None:
    config, base = profile(name), TcpConfig()
    differ = {field for field in FIELDS if getattr(config, field) != getattr(base, field)} - {"name"}
    assert differ <= set(sources(name))
    assert all(sources(name).values())


def test_few_values_are_unverified() -> None:
    assert {(name, field) for name in PROFILES for field, source in sources(name).items() if source == UNVERIFIED} == {
        ("windows", "duplicate_syn")
    }


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^profile = 'windows8': must be one of rfc9293, .*, windows$"):
        profile("windows8")


# The policies that are objects


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: BackOff(initial=0), "BackOff.initial = 0: must be a finite number >= 1e-9 s"),
        (lambda: BackOff(factor=0.5), "BackOff.factor = 0.5: must be a finite number >= 1"),
        (lambda: BackOff(linear=1.5), "BackOff.linear = 1.5: must be an integer >= 0 waits"),
        (
            lambda: BackOff(multipliers=(1, 0)),
            "BackOff.multipliers = (1, 0): must be a tuple, each item a finite ",
        ),
        (lambda: BackOff(slop=float("inf")), "BackOff.slop = inf: must be a finite number >= 0 s"),
        (lambda: Ports(last=70_000), "ports.last = 70000: must be an integer in [1, 65535]"),
        (lambda: HashIsn(rate=0), "HashIsn.rate = 0: must be a finite number > 0 Hz"),
        (lambda: BernsteinCookie((1, 70_000)), "BernsteinCookie.mss = (1, 70000): must be 1 to 8 rising sizes"),
    ],
)
def test_a_bad_parameter_of_a_policy_is_one_line(make: Any, line: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(line)}"):
        make()


@pytest.mark.parametrize("policy", [BackOff, Ports, HashIsn, BernsteinCookie, TimestampCookie])
def test_the_fields_of_a_policy_are_described(policy: type[Any]) -> None:
    assert all(f.metadata["doc"] for f in dataclasses.fields(policy))


def test_each_order_of_ports_is_explained() -> None:
    doc = dataclasses.fields(Ports)[0].metadata["doc"]
    assert all(f"{order}: " in doc for order in get_args(Order))
    assert isinstance(HashIsn(), IsnPolicy)
