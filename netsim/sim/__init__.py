"""The SimPy shell: worlds, hosts, sockets. The only importer of simpy."""

from netsim.sim.host import Host
from netsim.sim.socket import Socket
from netsim.sim.world import World

__all__ = ["Host", "Socket", "World"]
