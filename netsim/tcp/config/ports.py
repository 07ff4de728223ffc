"""Local ports: how an active OPEN chooses one (RFC 6056)."""

import random
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, Protocol

from netsim.fields import check, field

FIRST_DYNAMIC, LAST_DYNAMIC = 49152, 65535  # RFC 6335 6

Order = Literal["sequential", "random", "hash"]


class PortSource(Protocol):
    """What the choice of a port gets from its host."""

    def secret(self) -> bytes:
        """The host's secret key, 16 bytes."""
        ...

    def port_stream(self) -> random.Random:
        """The host's random numbers for ports."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The range of a host's local ports and the order in which it tries them, until one is free.

    ValueError for an unknown order, or a range outside 1 to 65535.
    """

    order: Order = field(
        "sequential",
        "in which order ports are tried. sequential: each connection starts after the port of the one before it; "
        "random: at a random port (RFC 6056, algorithm 1); hash: at a keyed hash of the destination plus a counter "
        "(algorithm 3), which is hard to guess and returns to a port late",
        source="RFC 6056 2.1, 3.3",
    )
    first: int = field(FIRST_DYNAMIC, "first port of the range", source="RFC 6335 6", allowed=(1, 65535))
    last: int = field(LAST_DYNAMIC, "last port of the range", source="RFC 6335 6", allowed=(1, 65535))

    def __post_init__(self) -> None:
        check(self, within="ports.")
        if self.first > self.last:
            raise ValueError(f"ports.first = {self.first}: must be at most ports.last = {self.last}")

    def __len__(self) -> int:
        return self.last - self.first + 1

    def start(self, src: str, dst: str, dport: int, opened: int, source: PortSource) -> int:
        """The offset from ``first``, modulo the range, of the port to try first.

        The connection goes from ``src`` to ``dst``:``dport``; ``opened`` is the number of connections before it.
        """
        if self.order == "random":
            return source.port_stream().randrange(len(self))
        if self.order == "hash":
            text = f"|{src}|{dst}|{dport}".encode()
            digest = blake2b(source.secret() + text, digest_size=4, person=b"ports").digest()
            return opened + int.from_bytes(digest, "big")
        return opened
