"""The fields that the parameters of several scenarios share: the path, the order at one instant, the ends' TCPs."""

from dataclasses import field
from typing import Any, Final, Literal

from netsim.link import DelayDistribution
from netsim.scenarios.parameters import param
from netsim.tcp.config.profiles import rfc9293

End = Literal["client", "server"]
Way = Literal["forward", "reverse"]
_WAYS: Final[dict[Way, str]] = {"forward": "client to server", "reverse": "server to client"}


def loss(way: Way, default: float, *, since: str = "") -> Any:
    """The loss probability of one direction, all the time or from a moment on."""
    return param(default, f"loss probability, {_WAYS[way]}{f', from {since} on' if since else ''}")


def delay(way: Way, default: float = 0.05, *, distribution: bool = False) -> Any:
    """The one-way delay of one direction; ``distribution``: it may also be a distribution."""
    return param(default, f"one-way delay, {_WAYS[way]}{': seconds or a distribution' if distribution else ''}", "s")


def copy_delay(distribution: DelayDistribution) -> Any:
    """How late copies of segments are."""
    return param(distribution, "how late the copy is: seconds or a distribution", "s")


def tie_break() -> Any:
    """The order of simultaneous events (``World(tie_break=...)``)."""
    return param("timer-first", "order of simultaneous events: timer-first, packet-first or random")


def tcp(end: str) -> Any:
    """The TCP of one end, RFC 9293 unless told otherwise."""
    about = {"doc": f"the {end}'s TCP", "unit": "", "source": "netsim.tcp.config.profiles"}
    return field(default_factory=rfc9293, metadata=about)
