"""The SimPy shell: worlds, hosts, sockets. The only importer of simpy."""

from netsim.sim.connection import Connection
from netsim.sim.host import Host
from netsim.sim.socket import Socket
from netsim.sim.world import World

__all__ = ["Connection", "Host", "Socket", "World"]
