"""How an attacker guesses unknown numbers: a sweep that cannot miss, or independent random guesses.

The receiver accepts a number that lies from ``low`` to ``high`` beyond its own (RCV.NXT, or SND.UNA). The attacker
knows ``low`` and ``high``, and the receiver's number only to within ``space`` numbers.
"""

import math
from dataclasses import dataclass
from random import Random
from typing import Final

SEQUENCE_SPACE: Final = 1 << 32
MASK: Final = SEQUENCE_SPACE - 1


@dataclass(frozen=True, slots=True)
class Field:
    """One number of a segment: what is taken, as distances from the receiver's number; nothing if high < low."""

    low: int
    high: int
    space: int = SEQUENCE_SPACE

    @property
    def count(self) -> int:
        """How many numbers are taken, of those that the attacker thinks possible."""
        return min(max(self.high - self.low + 1, 0), self.space)

    @property
    def steps(self) -> int:
        """Guesses of a whole sweep; one where nothing is accepted, as more would not help."""
        return -(-self.space // self.count) if self.count else 1

    def guess(self, step: int, start: int) -> int:
        """The number that a sweep tries at ``step``, from 0; the receiver's number is at least ``start``."""
        return (start + self.high + step * self.count) & MASK

    def first_hit(self, taken: "Field", start: int, actual: int) -> float:
        """The first step at which this sweep meets what the receiver has been seen to take; infinite for none."""
        if not self.count or not taken.count:
            return math.inf
        ahead = (actual - start) & MASK
        for wrapped in (0, SEQUENCE_SPACE):
            step = max(-(-(ahead + wrapped + taken.low - self.high) // self.count), 0)
            distance = self.high + step * self.count - ahead - wrapped
            if step < self.steps and taken.low <= distance <= taken.high:
                return step
        return math.inf


@dataclass(frozen=True, slots=True)
class Guess:
    """One forged segment: which of the possible ports, and its two numbers."""

    port: int
    seq: int
    ack: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """All combinations: ports change slowest, acknowledgment numbers fastest. ``starts`` are those of seq and ack."""

    seq: Field
    ack: Field
    ports: int
    starts: tuple[int, int]

    def guess(self, number: int) -> Guess | None:
        """The guess of that number, from 0; None after the last."""
        rest, ack = divmod(number, self.ack.steps)
        port, seq = divmod(rest, self.seq.steps)
        if port >= self.ports:
            return None
        return Guess(port, self.seq.guess(seq, self.starts[0]), self.ack.guess(ack, self.starts[1]))

    def needed(self, taken: tuple[Field, Field], actual: tuple[int, int], port: int) -> float:
        """How many guesses it takes to meet what the receiver takes; infinite if the sweep never does."""
        seq = self.seq.first_hit(taken[0], self.starts[0], actual[0])
        ack = self.ack.first_hit(taken[1], self.starts[1], actual[1])
        return (port * self.seq.steps + seq) * self.ack.steps + ack + 1


@dataclass(frozen=True, slots=True)
class Draws:
    """Every guess is drawn anew, uniformly over all ports and all numbers."""

    ports: int
    stream: Random

    def guess(self, number: int) -> Guess | None:
        """The next guess."""
        draw = self.stream.getrandbits
        return Guess(self.stream.randrange(self.ports), draw(32), draw(32))


def drawn_until_hit(p: float, stream: Random) -> float:
    """How many independent guesses it takes when each is right with probability ``p``; infinite for 0."""
    if p <= 0:
        return math.inf
    if p >= 1:
        return 1
    return 1 + math.floor(math.log(1 - stream.random()) / math.log1p(-p))
