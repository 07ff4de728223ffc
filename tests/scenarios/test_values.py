"""Values as strings, read and shown."""

import dataclasses

import pytest

from netsim.link import DelayDistribution, Exponential, Lognormal, Pareto, TruncatedNormal, Uniform
from netsim.scenarios.names import policy_fields
from netsim.scenarios.values import read, show
from netsim.tcp.config.backoff import BackOff
from netsim.tcp.config.config import Rate
from netsim.tcp.config.isn import ClockIsn, ConstantIsn, CounterIsn, HashIsn, IsnPolicy, RandomIsn
from netsim.tcp.config.ports import Ports
from netsim.tcp.config.profiles import PROFILES
from netsim.tcp.config.syn_cookie import BernsteinCookie, SynCookie, TimestampCookie


@pytest.mark.parametrize("name", PROFILES)
def test_every_field_of_every_profile_reads_back_from_its_text(name: str) -> None:
    config = PROFILES[name]()
    for f, hint in policy_fields():
        value = getattr(config, f.name)
        assert read(hint, show(value), name=f.name, unit=f.metadata["unit"]) == value, f.name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("constant", ConstantIsn(0)),
        ("constant:7", ConstantIsn(7)),
        ("clock:1000:5", ClockIsn(1000.0, 5)),
        ("rfc6528:15625000", HashIsn(15_625_000.0)),
        ("RANDOM", RandomIsn()),
        ("counter:128:64", CounterIsn(128, 64)),
    ],
)
def test_isn_policies(text: str, value: IsnPolicy) -> None:
    assert read(IsnPolicy, text, name="isn") == value
    assert read(IsnPolicy, show(value), name="isn") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sequential", Ports()),
        ("random:1024:2047", Ports("random", 1024, 2047)),
        ("hash:32768:60999", Ports("hash", 32768, 60999)),
    ],
)
def test_port_policies(text: str, value: Ports) -> None:
    assert read(Ports, text, name="ports") == value
    assert read(Ports, show(value), name="ports") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3s", BackOff(initial=3.0)),
        ("500ms", BackOff(initial=0.5)),
        ("initial=1s,factor=3,linear=4,slop=200ms", BackOff(factor=3.0, linear=4, slop=0.2)),
        ("linear=4", BackOff(linear=4)),
        ("multipliers=1/1/2/4.5", BackOff(multipliers=(1.0, 1.0, 2.0, 4.5))),
        ({"initial": "3s", "multipliers": [1, 2]}, BackOff(initial=3.0, multipliers=(1.0, 2.0))),
        (2, BackOff(initial=2.0)),
    ],
)
def test_backoff(text: object, value: BackOff) -> None:
    assert read(BackOff, text, name="syn_backoff", unit="s") == value
    assert read(BackOff, show(value), name="syn_backoff", unit="s") == value


@pytest.mark.parametrize(
    "distribution",
    [
        Uniform(0.02, 0.08),
        Exponential(0.03, 0.02),
        Exponential(10.0),
        TruncatedNormal(0.05, 0.01),
        Lognormal(0.05, 0.5, 0.01),
        Pareto(0.01, 1.5),
    ],
)
def test_delay_distributions_read_back(distribution: DelayDistribution) -> None:
    assert read(float | DelayDistribution, show(distribution), name="delay", unit="s") == distribution


def test_syn_cookies_with_a_table_of_their_own() -> None:
    for text, value in (("timestamp", TimestampCookie()), ("bernstein:536/1460", BernsteinCookie((536, 1460)))):
        assert read(SynCookie, text, name="syn_cookie") == value
        assert show(value) == text
    with pytest.raises(ValueError, match=r"^syn_cookie: mss = 'x': must be an integer"):
        read(SynCookie, "timestamp:536/x", name="syn_cookie")


def test_a_fixed_delay_is_a_number_so_that_both_spellings_are_one_point() -> None:
    for text in ("50ms", "0.05", "fixed:50ms", 0.05):
        assert read(float | DelayDistribution, text, name="delay", unit="s") == 0.05


@pytest.mark.parametrize(
    ("hint", "text", "unit", "value"),
    [
        (float, "50ms", "s", 0.05),
        (float, "1%", "", 0.01),
        (float, "0.01", "", 0.01),
        (float, 1, "", 1.0),
        (float | None, "none", "s", None),
        (int | None, "None", "", None),
        (int, " 3 ", "", 3),
        (bool, "true", "", True),
        (Rate | None, "100/1s", "", (100, 1.0)),
        (Rate | None, [100, 0.5], "", (100, 0.5)),
    ],
)
def test_numbers_booleans_and_none(hint: object, text: object, unit: str, value: object) -> None:
    assert read(hint, text, name="x", unit=unit) == value


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, 3.5),
        (int, True),  # TOML has both, and keeps them apart
        (int, "3.5"),
        (float, "abc"),
        (float, True),
        (bool, 1),
        (IsnPolicy, "clock:x"),
        (IsnPolicy, 7),
        (BackOff, "initial=1,initial=2"),
        (BackOff, "start=1"),
        (Rate, "10"),
        (Ports, "hash:5:1"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(hint: object, value: object) -> None:
    with pytest.raises(ValueError, match=r"^field"):
        read(hint, value, name="field")


def test_the_policies_are_all_fields_but_the_name() -> None:
    names = {f.name for f in dataclasses.fields(PROFILES["linux"]()) if f.init}
    assert {f.name for f, _ in policy_fields()} == names - {"name"}
