"""Adversaries: hosts that send segments which no TCP made. The trace marks them as forged; no TCP can tell."""

from netsim.sim.events import shuffled
from netsim.sim.host import Host
from netsim.sim.kinds import kinds
from netsim.tcp.segment import Segment
from netsim.trace.events import Packet, Sent


class Forger:
    """Sends any segment from any source address, from where ``host`` is in the network.

    It goes by the host's link to the segment's destination. What comes back goes to the address that the segment
    claims: to the host of that name if the destination has a link to it, else nowhere (a silent address).
    """

    __slots__ = ("_env", "_host", "_world")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._world = host.world
        self._env = host.world.env

    def send(self, segment: Segment) -> None:
        """Send it now. ValueError if this host has no link to its destination."""
        host, world, env = self._host, self._world, self._env
        route = host.route(segment.flow.dst)
        if route is None:
            raise ValueError(f"destination = {segment.flow.dst!r}: must be a host with a link to {host.name!r}")
        pipe, peer = route
        size = segment.wire_size if pipe.uses_size else 0
        times = pipe.send(env.now, size, kinds(segment, None) if pipe.uses_kinds else ())
        content: Segment | Packet = segment
        if world.observer is not None:
            world.packets += 1
            content = Packet(world.packets, segment, host.name, env.now, 0, 0, forged=True)
            world.observer(Sent(env.now, host.name, content, tuple(times), pipe.cause))
        for time in times:
            priority = world.arrival_priority if world.shuffle is None else shuffled(world.shuffle)
            env.at(time, priority, peer.on_arrival, content)
