"""What it costs a host to process segments: one processor, first come first served."""

from typing import TYPE_CHECKING

from netsim.sim.events import Act
from netsim.tcp.segment import Segment
from netsim.trace.events import Packet
from netsim.units import require_number

if TYPE_CHECKING:
    from netsim.sim.host import Host

_NS = 1_000_000_000


class Processor:
    """Takes what arrives at ``host`` and hands it on (``hand_on``) when its turn is over: a busy host answers late.

    A segment costs ``per_segment`` seconds and ``per_byte`` more for each byte of its text. Nothing is dropped: the
    queue has no end. Timers and applications cost nothing. The trace shows an arrival when the TCP sees it.
    """

    def __init__(self, host: "Host", hand_on: Act, *, per_segment: float, per_byte: float) -> None:
        require_number("cpu_per_segment", per_segment, low=0.0, high=1e6, unit="s")
        require_number("cpu_per_byte", per_byte, low=0.0, high=1e6, unit="s")
        self._host = host
        self._hand_on = hand_on
        self._per_segment = per_segment * _NS
        self._per_byte = per_byte * _NS
        self._free_at = 0
        self._work = 0

    @property
    def work(self) -> float:
        """Seconds of work that have arrived so far, done or not."""
        return self._work / _NS

    @property
    def load(self) -> float:
        """The share of the time until now in which it was busy."""
        now = self._host.world.env.now
        return (self._work - max(self._free_at - now, 0)) / now if now else 0.0

    def take(self, content: Segment | Packet) -> None:
        """A packet is here: it waits for those before it."""
        segment = content.segment if isinstance(content, Packet) else content
        cost = round(self._per_segment + self._per_byte * len(segment.payload))
        world = self._host.world
        env = world.env
        self._free_at = max(self._free_at, env.now) + cost
        self._work += cost
        env.at(self._free_at, world.arrival_priority, self._hand_on, content)
