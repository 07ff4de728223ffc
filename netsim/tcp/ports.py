"""Choosing the local port of an active OPEN (RFC 6056)."""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, runtime_checkable

FIRST_DYNAMIC, LAST_DYNAMIC = 49152, 65535  # RFC 6335 6


@runtime_checkable
class PortPolicy(Protocol):
    """In which order a host tries its ports."""

    def candidates(
        self,
        *,
        src: str,
        dst: str,
        dport: int,
        opened: int,
        secret: Callable[[], bytes],
        stream: Callable[[], random.Random],
    ) -> Iterator[int]:
        """Ports to try, best first, each once, for a connection to ``dst``:``dport`` after ``opened`` earlier ones."""
        ...


def _check(first: int, last: int) -> None:
    if not (isinstance(first, int) and isinstance(last, int) and 1 <= first <= last <= 65535):
        raise ValueError(f"port range = {first!r} to {last!r}: allowed is 1 <= first <= last <= 65535")


def _from(start: int, first: int, last: int) -> Iterator[int]:
    start = first + start % (last - first + 1)
    return chain(range(start, last + 1), range(first, start))


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialPorts:
    """One after the other, as hosts did before RFC 6056."""

    first: int = FIRST_DYNAMIC
    last: int = LAST_DYNAMIC

    def __post_init__(self) -> None:
        _check(self.first, self.last)

    def candidates(
        self,
        *,
        src: str,
        dst: str,
        dport: int,
        opened: int,
        secret: Callable[[], bytes],
        stream: Callable[[], random.Random],
    ) -> Iterator[int]:
        """The port after the last one, and so on round the range."""
        return _from(opened, self.first, self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomPorts:
    """A random start, then upwards (RFC 6056, algorithm 1)."""

    first: int = FIRST_DYNAMIC
    last: int = LAST_DYNAMIC

    def __post_init__(self) -> None:
        _check(self.first, self.last)

    def candidates(
        self,
        *,
        src: str,
        dst: str,
        dport: int,
        opened: int,
        secret: Callable[[], bytes],
        stream: Callable[[], random.Random],
    ) -> Iterator[int]:
        """From a port drawn uniformly."""
        return _from(stream().randrange(self.last - self.first + 1), self.first, self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashPorts:
    """A keyed hash of the destination plus a counter (RFC 6056, algorithm 3): hard to guess, slow to come round."""

    first: int = FIRST_DYNAMIC
    last: int = LAST_DYNAMIC

    def __post_init__(self) -> None:
        _check(self.first, self.last)

    def candidates(
        self,
        *,
        src: str,
        dst: str,
        dport: int,
        opened: int,
        secret: Callable[[], bytes],
        stream: Callable[[], random.Random],
    ) -> Iterator[int]:
        """From offset(source, destination, key) plus the count of connections opened so far."""
        text = f"|{src}|{dst}|{dport}".encode()
        digest = hashlib.blake2b(secret() + text, digest_size=4, person=b"ports").digest()
        return _from(int.from_bytes(digest, "big") + opened, self.first, self.last)
