"""What it costs a host to process segments: one processor, first come, first served."""

from netsim.sim.clock import Act
from netsim.sim.network import NS, Network
from netsim.tcp.segment import Segment
from netsim.trace.events import Packet
from netsim.units import require_number


class Processor:
    """Delays what arrives at a host until the processor has worked on it, then calls ``hand_on``.

    A segment costs ``per_segment`` seconds, and ``per_byte`` seconds more for each byte of its data. Nothing is
    dropped: the queue has no limit. Timers and applications cost nothing. The trace shows an arrival when the TCP sees
    it. ValueError for costs outside [0, 1e6] s.
    """

    def __init__(self, network: Network, hand_on: Act, *, per_segment: float, per_byte: float) -> None:
        require_number("cpu_per_segment", per_segment, low=0.0, high=1e6, unit="s")
        require_number("cpu_per_byte", per_byte, low=0.0, high=1e6, unit="s")
        self._network = network
        self._hand_on = hand_on
        self._per_segment = per_segment * NS
        self._per_byte = per_byte * NS
        self._free_at = 0
        self._work = 0

    @property
    def work(self) -> float:
        """Seconds of work that have arrived so far, done or not."""
        return self._work / NS

    @property
    def load(self) -> float:
        """The share of the time until now in which it was busy."""
        now = self._network.env.time
        return (self._work - max(self._free_at - now, 0)) / now if now else 0.0

    def take(self, content: Segment | Packet) -> None:
        """A packet arrives and waits for those before it."""
        segment = content.segment if isinstance(content, Packet) else content
        cost = round(self._per_segment + self._per_byte * len(segment.payload))
        network, env = self._network, self._network.env
        self._free_at = max(self._free_at, env.time) + cost
        self._work += cost
        env.at(self._free_at, network.arrival_priority, self._hand_on, content)
