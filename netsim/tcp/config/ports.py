"""Choosing the local port of an active OPEN (RFC 6056)."""

import random
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal, Protocol, get_args

FIRST_DYNAMIC, LAST_DYNAMIC = 49152, 65535  # RFC 6335 6

Order = Literal["sequential", "random", "hash"]


class PortSource(Protocol):
    """What a host provides for choosing ports."""

    def secret(self) -> bytes:
        """The host's key."""
        ...

    def port_stream(self) -> random.Random:
        """The host's stream of random ports."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The local ports of a host, ``first`` to ``last``, and the ``order`` in which it tries them.

    - sequential: the one after the last, as hosts did before RFC 6056;
    - random: from one drawn uniformly, upwards (RFC 6056, algorithm 1);
    - hash: from a keyed hash of the destination plus a counter (algorithm 3): hard to guess, slow to come round.

    ValueError for another order, or a range outside 1 to 65535.
    """

    order: Order = "sequential"
    first: int = FIRST_DYNAMIC
    last: int = LAST_DYNAMIC

    def __post_init__(self) -> None:
        first, last = self.first, self.last
        if self.order not in get_args(Order):
            raise ValueError(f"order = {self.order!r}: allowed is one of {', '.join(get_args(Order))}")
        if not (isinstance(first, int) and isinstance(last, int) and 1 <= first <= last <= 65535):
            raise ValueError(f"port range = {first!r} to {last!r}: allowed is 1 <= first <= last <= 65535")

    def __len__(self) -> int:
        return self.last - self.first + 1

    def start(self, src: str, dst: str, dport: int, opened: int, source: PortSource) -> int:
        """Where to begin, for a connection to ``dst``:``dport`` after ``opened`` earlier ones: so many ports up."""
        if self.order == "random":
            return source.port_stream().randrange(len(self))
        if self.order == "hash":
            text = f"|{src}|{dst}|{dport}".encode()
            digest = blake2b(source.secret() + text, digest_size=4, person=b"ports").digest()
            return opened + int.from_bytes(digest, "big")
        return opened
