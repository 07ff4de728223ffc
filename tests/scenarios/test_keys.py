"""Every scenario with two ends refuses two keys of TCP-AO, with which nothing would get through (RFC 5925 4)."""

import pytest

from netsim.scenarios import NAMES, scenario
from netsim.tcp.config.config import TcpConfig

TWO_ENDS = [name for name in NAMES if {"client", "server"} <= set(scenario(name).Params.__dataclass_fields__)]


def test_all_but_two_scenarios_have_two_ends() -> None:
    """A forged connection has no client; the incarnations are those of stale, whose ends it chooses itself."""
    assert set(NAMES) - set(TWO_ENDS) == {"forged-open", "reincarnation"}


@pytest.mark.parametrize("name", TWO_ENDS)
@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ({"server": "k"}, "server.authentication_key = 'k': must be the client's, None"),
        ({"client": "k"}, "server.authentication_key = None: must be the client's, 'k'"),
        ({"client": "k", "server": "other"}, "server.authentication_key = 'other': must be the client's, 'k'"),
    ],
)
def test_two_keys_are_refused(name: str, ends: dict[str, str], said: str) -> None:
    params = scenario(name).Params
    with pytest.raises(ValueError, match="authentication_key") as refused:
        params(**{end: TcpConfig(authentication_key=key) for end, key in ends.items()})
    assert str(refused.value) == said


@pytest.mark.parametrize("name", TWO_ENDS)
def test_one_key_at_both_ends_is_taken(name: str) -> None:
    keyed = TcpConfig(authentication_key="k")
    assert scenario(name).Params(client=keyed, server=keyed).server is keyed
