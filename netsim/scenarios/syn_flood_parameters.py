"""The parameters of ``syn_flood``, and what follows from them: the SYN queue, the clients' SYNs, the observation."""

import itertools
import math
from functools import cached_property
from typing import Final, Literal

from netsim.fields import field
from netsim.link import Path
from netsim.scenarios import shared
from netsim.scenarios.parameters import both_directions, parameters
from netsim.scenarios.shorthands import WithLoss
from netsim.sim.attacks import Arrivals
from netsim.sim.world import TieBreak
from netsim.tcp.config.config import TcpConfig

Attack = Literal["spoofed-silent", "spoofed-reset", "botnet"]
SLOWEST: Final = 1e-9  # 1/s, of arrivals that come at all


@parameters
class Params(WithLoss):
    """Parameters of the flood study. ``forward`` is client to server. ValueError for a value out of range.

    The defences are settings of the server's TCP.
    """

    attack_rate: float = field(5.0, "rate of the attacker's SYNs; 0: no attack", unit="1/s", allowed=(0, 1e6))
    attack: Attack = field(
        "spoofed-silent",
        "who answers the SYN-ACKs of the attack: nobody (spoofed-silent), hosts with these addresses, by a RST "
        "(spoofed-reset), or the attacker, by an ACK (botnet)",
    )
    arrivals: Arrivals = field(
        "poisson",
        "when the attacker's SYNs arrive: at random times (poisson), at equal intervals (constant), or in bursts "
        "(bursts)",
    )
    burst_size: int = field(50, "number of SYNs in a burst", allowed=(1, 1_000_000))
    sources: int = field(4094, "number of source addresses that the attacker uses", allowed=(1, 1_000_000))
    backlog: int = field(128, "backlog that the server passes to listen()", allowed=(0, 1 << 31))
    service_time: float = field(
        0.0,
        "time that the server's application spends on a connection before it accepts the next",
        unit="s",
        allowed=(0, 1e6),
    )
    client_rate: float = field(
        1.0,
        "rate at which legitimate clients open connections (Poisson); their SYNs need room in the queue too",
        unit="1/s",
        allowed=(0, 1e4),
    )
    warm_up: float | None = field(
        None,
        "age of the flood when the observation begins; None: long enough for the stationary state where its "
        "distribution is known, elsewhere one lifetime of a SYN-RECEIVED entry",
        unit="s",
        allowed=(0, 1e6),
    )
    observation_time: float | None = field(
        None, "length of the observation; None: twice the lifetime of a SYN-RECEIVED entry", unit="s", allowed=(0, 1e6)
    )
    loss_forward: float = shared.loss("forward", 0.0)
    loss_reverse: float = shared.loss("reverse", 0.0)
    delay_forward: float = shared.delay("forward")
    delay_reverse: float = shared.delay("reverse")
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")
    tie_break: TieBreak = shared.tie_break()

    def check_relations(self) -> None:
        for name in ("attack_rate", "client_rate"):
            if 0 < getattr(self, name) < SLOWEST:
                raise ValueError(f"{name} = {getattr(self, name)!r}: must be 0 or at least {SLOWEST:g} 1/s")
        # All clients share one host: each keeps one of its ports for the whole observation.
        start, end = self.observation
        seconds = max(end - start, self.entry_lifetime)
        highest = ((ports := len(self.client.ports)) - 5 * math.sqrt(ports)) / seconds
        if self.client_rate > highest:
            why = f"the clients of {seconds:g} s share the {ports} ports of one host"
            raise ValueError(f"client_rate = {self.client_rate!r}: must be at most {highest:.4g} 1/s, for {why}")

    @cached_property
    def paths(self) -> tuple[Path, Path]:
        """Client to server, and back."""
        return both_directions(self)

    @cached_property
    def entry_lifetime(self) -> float:
        """Lifetime (s) of a SYN-RECEIVED entry whose SYN-ACK is never answered, pruning aside."""
        return sum(self.server.synack_intervals())

    @property
    def ages_at_once(self) -> bool:
        """Whether the first world starts from the stationary distribution of the flood (that of Erlang's system)."""
        server, plain = self.server, self.attack == "spoofed-silent" and self.arrivals == "poisson"
        drops = server.syn_queue_full == "drop" and server.syncache_hashsize is None
        return self.warm_up is None and plain and drops and server.syn_cookies == "off" and not server.synack_pruning

    @property
    def observation(self) -> tuple[float, float]:
        """Start and end (s) of the observation: the clients of the stationary estimates open in it."""
        start = self.entry_lifetime if self.warm_up is None else self.warm_up
        return start, start + (2 * self.entry_lifetime if self.observation_time is None else self.observation_time)

    @cached_property
    def syn_offsets(self) -> tuple[float, ...]:
        """When a client's SYNs are sent, seconds after the first; the last value is when its OPEN times out."""
        times = list(itertools.accumulate(self.client.syn_intervals(), initial=0.0))
        limit = self.client.open_timeout
        return tuple(times) if limit is None else (*(t for t in times[:-1] if t < limit), min(times[-1], limit))
