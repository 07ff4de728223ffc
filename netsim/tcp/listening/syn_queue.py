"""Half-open records that give way to newer ones: who must go when one more SYN comes (RFC 4987 3.4, 3.5).

A queue of the kind "drop new" needs no more than a count, and has none of these. All cost the same however many
records they hold.
"""

import hashlib
import random
from collections import OrderedDict, deque
from typing import Protocol

from netsim.tcp.segment import FourTuple
from netsim.tcp.tcb import Tcb


class SynQueue(Protocol):
    """Keeps half-open records and says which one a new SYN drives out."""

    def add(self, tcb: Tcb) -> None:
        """A record entered SYN-RECEIVED."""
        ...

    def remove(self, tcb: Tcb) -> None:
        """It left."""
        ...

    def victim(self, flow: FourTuple) -> Tcb | None:
        """The record that must go before the SYN of ``flow`` (as this end writes it) is taken; None: there is room."""
        ...


class RecycleOldest:
    """The oldest half-open record makes room (RFC 4987 3.4)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._records: OrderedDict[int, Tcb] = OrderedDict()

    def add(self, tcb: Tcb) -> None:
        """At the end."""
        self._records[tcb.id] = tcb

    def remove(self, tcb: Tcb) -> None:
        """From wherever it is."""
        del self._records[tcb.id]

    def victim(self, flow: FourTuple) -> Tcb | None:
        """The oldest, if there is no room."""
        return next(iter(self._records.values())) if len(self._records) >= self._limit else None


class RandomDrop:
    """A random half-open record makes room (RFC 4987 3.4)."""

    def __init__(self, limit: int, stream: random.Random) -> None:
        self._limit = limit
        self._stream = stream
        self._records: list[Tcb] = []
        self._places: dict[int, int] = {}

    def add(self, tcb: Tcb) -> None:
        """At the end."""
        self._places[tcb.id] = len(self._records)
        self._records.append(tcb)

    def remove(self, tcb: Tcb) -> None:
        """The last one takes its place."""
        place = self._places.pop(tcb.id)
        last = self._records.pop()
        if last is not tcb:
            self._records[place] = last
            self._places[last.id] = place

    def victim(self, flow: FourTuple) -> Tcb | None:
        """Any, if there is no room."""
        records = self._records
        return records[int(self._stream.random() * len(records))] if len(records) >= self._limit else None


class SynCache:
    """Lemon's SYN cache: hash buckets with a secret hash; a new SYN drives out the oldest of its own full bucket.

    J. Lemon, Resisting SYN flood DoS attacks with a SYN cache, BSDCon 2002; sys/netinet/tcp_syncache.c.
    """

    def __init__(self, buckets: int, limit: int, key: bytes) -> None:
        self._limit = limit
        self._key = key
        self._count = buckets
        self._buckets: dict[int, deque[Tcb]] = {}  # those that were ever used

    def _bucket(self, flow: FourTuple) -> deque[Tcb]:
        text = f"|{flow.sport}|{flow.dst}|{flow.dport}".encode()
        digest = hashlib.blake2b(self._key + text, digest_size=8).digest()
        number = int.from_bytes(digest, "big") % self._count
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = deque()
        return bucket

    def add(self, tcb: Tcb) -> None:
        """At the end of its bucket."""
        self._bucket(tcb.flow).append(tcb)

    def remove(self, tcb: Tcb) -> None:
        """From its bucket."""
        self._bucket(tcb.flow).remove(tcb)

    def victim(self, flow: FourTuple) -> Tcb | None:
        """The oldest of the bucket, if that is full."""
        bucket = self._bucket(flow)
        return bucket[0] if len(bucket) >= self._limit else None
