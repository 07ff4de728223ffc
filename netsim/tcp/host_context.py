"""What all connections of one host share: the actions to return, counters, secrets, clocks, rate limits."""

import random
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from netsim.tcp.actions import Action
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.counters import Counters
from netsim.tcp.segment import FourTuple
from netsim.tcp.timers import wheel_deadline

Streams = Callable[[str], random.Random]

Connection = TypeVar("Connection")  # the TCB, which names HostContext and so stands above it

_COARSEST_SLOT = 8**5  # ticks; wheel phases are drawn from 131 s at 250 Hz, a whole number of every slot in use


class HostContext(Generic[Connection]):
    """The host's part of every connection. ``tracing`` turns the actions for a trace on.

    ``streams`` returns the random stream of a name.
    """

    __slots__ = (
        "_challenges",
        "_phase",
        "_ports",
        "_secret",
        "_stream",
        "_streams",
        "_ts_offset",
        "actions",
        "connections",
        "cookies",
        "counters",
        "in_timer",
        "opened",
        "tracing",
    )

    def __init__(self, streams: Streams, secret: bytes | None = None) -> None:
        self.actions: list[Action] = []
        self.connections: dict[FourTuple, Connection] = {}  # by the four-tuple as the peer writes it
        self.cookies: dict[str, tuple[bytes, int]] = {}  # Fast Open: server -> its cookie and its MSS (RFC 7413 4.1.3)
        self.counters = Counters()
        self.tracing = False
        self.in_timer = False
        self.opened = 0
        self._streams = streams
        self._stream: random.Random | None = None
        self._ports: random.Random | None = None
        self._secret = secret
        self._ts_offset: int | None = None
        self._phase: int | None = None
        self._challenges: deque[int] | None = None  # when the last challenge ACKs were sent, ns

    def secret(self) -> bytes:
        """The host's key for ISNs and ports, drawn once (RFC 9293 MUST-9)."""
        if self._secret is None:
            self._secret = self._streams("secret").randbytes(16)
        return self._secret

    def isn_stream(self) -> random.Random:
        """The stream of random ISNs."""
        if self._stream is None:
            self._stream = self._streams("isn")
        return self._stream

    def port_stream(self) -> random.Random:
        """The stream of random ports."""
        if self._ports is None:
            self._ports = self._streams("ports")
        return self._ports

    def stream(self, name: str) -> random.Random:
        """The random stream of this host with this name, from its beginning."""
        return self._streams(name)

    def ts_clock(self, now: int, config: TcpConfig) -> int:
        """The timestamp clock: ticks since a random origin (RFC 7323 5.4)."""
        if self._ts_offset is None:
            self._ts_offset = self._streams("timestamps").getrandbits(32)
        tick: int = config.ns.ts_tick
        return (self._ts_offset + now // tick) & 0xFFFFFFFF

    def deadline(self, now: int, delay: int, config: TcpConfig) -> int:
        """When a timer armed for ``delay`` (ns) expires: exactly then, or at the end of its slot of a timer wheel."""
        hz = config.timer_hz
        if hz is None:
            return now + delay
        if self._phase is None:
            given = config.timer_phase
            self._phase = (
                round(given * 1e9)
                if given is not None
                else self._streams("wheel").randrange(_COARSEST_SLOT * (1_000_000_000 // hz))
            )
        return wheel_deadline(now, delay, hz=hz, phase=self._phase)

    def may_challenge(self, now: int, config: TcpConfig) -> bool:
        """Whether one more challenge ACK may be sent in the period that ends now (RFC 5961 7); if so, count it."""
        if config.challenge_ack_limit is None:
            return True
        count, seconds = config.challenge_ack_limit
        if self._challenges is None:
            self._challenges = deque()
        sent = self._challenges
        while sent and now - sent[0] >= seconds * 1e9:
            sent.popleft()
        if len(sent) >= count:
            return False
        sent.append(now)
        return True
