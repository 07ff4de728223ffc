"""netsim: a discrete-event simulator of the TCP connection lifecycle.

The names a notebook needs; nothing runs at import, and each is loaded when it is first used::

    from netsim import Path, World

    world = World(seed=5, trace=True)
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from netsim.link import BurstLoss, Exponential, Loss, Path, Scripted
    from netsim.scenarios import scenario
    from netsim.seeds import Seed
    from netsim.sim import Host, Socket, World
    from netsim.tcp.config.config import TcpConfig
    from netsim.tcp.config.profiles import profile
    from netsim.tcp.errors import ConnectionRefused, ConnectionReset, ConnectionTimedOut, TcpError
    from netsim.tcp.state import State
    from netsim.trace import Trace

_HOMES = {
    "BurstLoss": "netsim.link",
    "ConnectionRefused": "netsim.tcp.errors",
    "ConnectionReset": "netsim.tcp.errors",
    "ConnectionTimedOut": "netsim.tcp.errors",
    "Exponential": "netsim.link",
    "Host": "netsim.sim",
    "Loss": "netsim.link",
    "Path": "netsim.link",
    "Scripted": "netsim.link",
    "Seed": "netsim.seeds",
    "Socket": "netsim.sim",
    "State": "netsim.tcp.state",
    "TcpConfig": "netsim.tcp.config.config",
    "TcpError": "netsim.tcp.errors",
    "Trace": "netsim.trace",
    "World": "netsim.sim",
    "profile": "netsim.tcp.config.profiles",
    "scenario": "netsim.scenarios",
}

__all__ = [
    "BurstLoss",
    "ConnectionRefused",
    "ConnectionReset",
    "ConnectionTimedOut",
    "Exponential",
    "Host",
    "Loss",
    "Path",
    "Scripted",
    "Seed",
    "Socket",
    "State",
    "TcpConfig",
    "TcpError",
    "Trace",
    "World",
    "profile",
    "scenario",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'netsim' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
