"""The fields that several scenarios share: the path, the order of simultaneous events, the TCP of each end."""

import dataclasses
from typing import Any, Final, Literal

from netsim.fields import field
from netsim.link import DelayDistribution
from netsim.tcp.config.profiles import rfc9293

End = Literal["client", "server"]
Direction = Literal["forward", "reverse"]
_DIRECTIONS: Final[dict[Direction, str]] = {"forward": "client to server", "reverse": "server to client"}
STUDY: Final = "study parameter"


def loss(direction: Direction, default: float, *, since: str = "") -> Any:
    """The loss probability of one direction, all the time or from a moment on."""
    doc = f"loss probability, {_DIRECTIONS[direction]}{f', from {since} on' if since else ''}"
    return field(default, doc, source=STUDY, allowed="probability")


def delay(direction: Direction, default: float = 0.05, *, distribution: bool = False) -> Any:
    """The one-way delay of one direction; ``distribution``: it may also be a distribution."""
    doc = f"one-way delay, {_DIRECTIONS[direction]}{': seconds or a distribution' if distribution else ''}"
    return field(default, doc, unit="s", source=STUDY, allowed=(0, 1e9))


def copy_delay(distribution: DelayDistribution) -> Any:
    """How much later than its original a duplicate arrives."""
    doc = "how much later than the original the copy arrives: seconds or a distribution"
    return field(distribution, doc, unit="s", source=STUDY, allowed=(0, 1e9))


def reorder(*, to_server: bool = False) -> Any:
    """How likely a segment is to be reordered: any segment, or only one on its way to the server."""
    which = (
        "probability that a segment to the server" if to_server else "probability, in each direction, that a segment"
    )
    return field(0.0, f"{which} is delayed so that later ones arrive before it", allowed="probability")


def reorder_delay(distribution: DelayDistribution) -> Any:
    """How much longer a reordered segment takes."""
    return field(distribution, "extra delay of such a segment: seconds or a distribution", unit="s", allowed=(0, 1e9))


def msl() -> Any:
    """The maximum segment lifetime that the network keeps."""
    doc = "maximum segment lifetime: the network discards older segments"
    return field(120.0, doc, unit="s", source="RFC 9293 3.4.2", allowed=(0, 1e9))


def tie_break() -> Any:
    """The order of simultaneous events (``World(tie_break=...)``)."""
    return field("timer-first", "order of simultaneous events: timer-first, packet-first or random", source=STUDY)


def tcp(end: str) -> Any:
    """The TCP of one end; by default that of RFC 9293."""
    about = {"doc": f"the {end}'s TCP", "unit": "", "source": "netsim.tcp.config.profiles", "allowed": None}
    return dataclasses.field(default_factory=rfc9293, metadata=about)
