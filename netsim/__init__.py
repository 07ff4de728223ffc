"""netsim: a discrete-event simulator of the TCP connection lifecycle."""

__version__ = "0.1.0"
