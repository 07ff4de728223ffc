"""SYN queues in which a new SYN evicts an older SYN-RECEIVED entry (RFC 4987 3.4 and 3.5).

A queue that drops the new SYN instead needs no more than a count (``Listener.syn_queue_length``) and no class here.
Adding, removing and choosing the entry to evict cost the same however many entries a queue holds.
"""

import hashlib
import random
from collections import OrderedDict, deque
from typing import Protocol

from netsim.tcp.segment import FourTuple
from netsim.tcp.tcb import Tcb


class SynQueue(Protocol):
    """The SYN-RECEIVED entries of one listener, and which of them a new SYN evicts."""

    def add(self, tcb: Tcb) -> None:
        """``tcb`` has entered SYN-RECEIVED."""
        ...

    def remove(self, tcb: Tcb) -> None:
        """``tcb`` has left SYN-RECEIVED."""
        ...

    def to_evict(self, flow: FourTuple) -> Tcb | None:
        """The entry to evict so that the SYN of ``flow`` (as this host writes it) gets a slot; None if one is free."""
        ...


class RecycleOldest:
    """A new SYN evicts the oldest entry (RFC 4987 3.4)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[int, Tcb] = OrderedDict()

    def add(self, tcb: Tcb) -> None:
        """Append an entry."""
        self._entries[tcb.id] = tcb

    def remove(self, tcb: Tcb) -> None:
        """Remove an entry wherever it stands."""
        del self._entries[tcb.id]

    def to_evict(self, flow: FourTuple) -> Tcb | None:
        """The oldest entry if the queue is full."""
        return next(iter(self._entries.values())) if len(self._entries) >= self._limit else None


class RandomDrop:
    """A new SYN evicts a random entry (RFC 4987 3.4)."""

    def __init__(self, limit: int, stream: random.Random) -> None:
        self._limit = limit
        self._stream = stream
        self._entries: list[Tcb] = []
        self._indices: dict[int, int] = {}

    def add(self, tcb: Tcb) -> None:
        """Append an entry."""
        self._indices[tcb.id] = len(self._entries)
        self._entries.append(tcb)

    def remove(self, tcb: Tcb) -> None:
        """Remove an entry; the last one moves to its index."""
        index = self._indices.pop(tcb.id)
        last = self._entries.pop()
        if last is not tcb:
            self._entries[index] = last
            self._indices[last.id] = index

    def to_evict(self, flow: FourTuple) -> Tcb | None:
        """A random entry if the queue is full."""
        entries = self._entries
        return entries[int(self._stream.random() * len(entries))] if len(entries) >= self._limit else None


class SynCache:
    """Lemon's SYN cache: entries lie in buckets chosen by a secret hash; a new SYN evicts the oldest of a full bucket.

    J. Lemon, Resisting SYN flood DoS attacks with a SYN cache, BSDCon 2002; sys/netinet/tcp_syncache.c.
    """

    def __init__(self, buckets: int, limit: int, key: bytes) -> None:
        self._limit = limit
        self._key = key
        self._count = buckets
        self._buckets: dict[int, deque[Tcb]] = {}  # only the buckets that have been used

    def _bucket(self, flow: FourTuple) -> deque[Tcb]:
        text = f"|{flow.sport}|{flow.dst}|{flow.dport}".encode()
        digest = hashlib.blake2b(self._key + text, digest_size=8).digest()
        number = int.from_bytes(digest, "big") % self._count
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = deque()
        return bucket

    def add(self, tcb: Tcb) -> None:
        """Append an entry to its bucket."""
        self._bucket(tcb.four_tuple).append(tcb)

    def remove(self, tcb: Tcb) -> None:
        """Remove an entry from its bucket."""
        self._bucket(tcb.four_tuple).remove(tcb)

    def to_evict(self, flow: FourTuple) -> Tcb | None:
        """The oldest entry of the bucket if that is full."""
        bucket = self._bucket(flow)
        return bucket[0] if len(bucket) >= self._limit else None
