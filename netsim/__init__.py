"""netsim: a discrete-event simulator of the TCP connection lifecycle.

The names that a script or a notebook needs. Nothing runs when the package is imported, and each name is loaded when it
is first used::

    import netsim

    study = netsim.Study("setup", loss=[0.05, 0.1, 0.2], rtt="80ms", profile="linux")
    table = study.run(replications=2000, seed=1)
    table.plot("setup_latency").save("own")

A study sweeps a scenario (``Study``; ``netsim.scenario(NAME).Params`` are its parameters). A world is built by hand
from hosts, paths and processes (``World``, ``Path``, ``Loss``, ...); ``ladder(world.trace)`` shows what happened.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from netsim.link import BurstLoss, Empirical, Exponential, FunctionDelay, Loss, Path, Scripted
    from netsim.scenarios import scenario
    from netsim.seeds import Seed
    from netsim.sim import Host, Socket, World
    from netsim.study import Study, Table, ladder
    from netsim.sweep import Estimator
    from netsim.tcp.config.config import TcpConfig
    from netsim.tcp.config.isn import FunctionIsn
    from netsim.tcp.config.profiles import profile
    from netsim.tcp.errors import ConnectionRefused, ConnectionReset, ConnectionTimedOut, TcpError
    from netsim.tcp.state import State
    from netsim.trace import Trace

_HOMES = {
    "BurstLoss": "netsim.link",
    "ConnectionRefused": "netsim.tcp.errors",
    "ConnectionReset": "netsim.tcp.errors",
    "ConnectionTimedOut": "netsim.tcp.errors",
    "Empirical": "netsim.link",
    "Estimator": "netsim.sweep",
    "Exponential": "netsim.link",
    "FunctionDelay": "netsim.link",
    "FunctionIsn": "netsim.tcp.config.isn",
    "Host": "netsim.sim",
    "Loss": "netsim.link",
    "Path": "netsim.link",
    "Scripted": "netsim.link",
    "Seed": "netsim.seeds",
    "Socket": "netsim.sim",
    "State": "netsim.tcp.state",
    "Study": "netsim.study",
    "Table": "netsim.study",
    "TcpConfig": "netsim.tcp.config.config",
    "TcpError": "netsim.tcp.errors",
    "Trace": "netsim.trace",
    "World": "netsim.sim",
    "ladder": "netsim.study",
    "profile": "netsim.tcp.config.profiles",
    "scenario": "netsim.scenarios",
}

__all__ = [
    "BurstLoss",
    "ConnectionRefused",
    "ConnectionReset",
    "ConnectionTimedOut",
    "Empirical",
    "Estimator",
    "Exponential",
    "FunctionDelay",
    "FunctionIsn",
    "Host",
    "Loss",
    "Path",
    "Scripted",
    "Seed",
    "Socket",
    "State",
    "Study",
    "Table",
    "TcpConfig",
    "TcpError",
    "Trace",
    "World",
    "ladder",
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
