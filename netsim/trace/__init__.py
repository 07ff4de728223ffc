"""Records of a run, their digest, and the ladder a reader can follow."""

from netsim.trace.ladder import ladder
from netsim.trace.recorder import Trace

__all__ = ["Trace", "ladder"]
