"""Named random streams from one root seed.

A stream is found by what it is for, never by when it was asked for: its key is a hash of the root, the
point of the parameter space, the replication and the name. So a new impairment, a different order of
calls, another machine or another number of workers does not change the draws of the other streams.
"""

from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from struct import Struct

_STREAM_BYTES = 16
_WORDS = Struct("<8Q")  # a block of 64 bytes


@dataclass(frozen=True, slots=True)
class Seed:
    """The origin of all randomness of one run.

    root: the number the user chose, >= 0. point: identity of the parameters under study (any string).
    replication: which repetition of that point, >= 0. Raises ValueError for anything else.
    """

    root: int
    point: str = ""
    replication: int = 0

    def __post_init__(self) -> None:
        root, replication = self.root, self.replication
        if not (type(root) is type(replication) is int and root >= 0 <= replication):  # every run makes one: no calls
            _require_natural("root", root)
            _require_natural("replication", replication)
        if not isinstance(self.point, str):
            raise ValueError(f"point = {self.point!r}: must be a string")

    def stream(self, name: str, *, common: bool = False) -> Random:
        """A fresh generator for `name`, always in the same initial state.

        common=True leaves the point out: the same replication of two variants then draws the same numbers
        (common random numbers), and their difference has a much smaller variance.
        """
        digest = blake2b(self._identity("stream", name, common), digest_size=_STREAM_BYTES).digest()
        return Random(int.from_bytes(digest, "big"))

    def draws(self, name: str, *, common: bool = False) -> "Draws":
        """Uniform numbers for `name`, always the same ones; `common` as for `stream`.

        For what draws a handful of numbers in a run: seeding a Random costs as much as two hundred draws.
        """
        return Draws(self._identity("draw", name, common))

    def _identity(self, use: str, name: str, common: bool) -> bytes:
        # The length before the point keeps ("a", "b:c") and ("a:b", "c") apart; "-" is no length.
        point = "-" if common else f"{len(self.point)}:{self.point}"
        return f"netsim/1:{use}:{self.root}:{self.replication}:{point}:{name}".encode("utf-8", "surrogatepass")


class Draws:
    """Uniform numbers in [0, 1), eight from each hash of 64 bytes: that of `key`, then that of the hash before."""

    __slots__ = ("_block", "_words")

    def __init__(self, key: bytes) -> None:
        self._block = key
        self._words: list[int] = []  # the next one last

    def random(self) -> float:
        """The next number; of 53 bits, as random.random() has them."""
        words = self._words
        if not words:
            self._block = block = blake2b(self._block).digest()
            words += _WORDS.unpack(block)[::-1]
        return (words.pop() >> 11) * 2.0**-53


def _require_natural(field: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{field} = {value!r}: must be an integer >= 0")
