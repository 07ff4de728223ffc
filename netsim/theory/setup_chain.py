"""The three-way handshake under independent loss as a finite chain, solved exactly.

Theory of operation. Delays are constant, so the only randomness is which segments survive. The chain moves from
one possible SYN arrival to the next and carries the probability of each distinct `_Run`; runs that have
become equal are added up, which keeps the number of states small (about retries at the client times retries
at the server) where enumerating the loss patterns would need 2^segments.

The fate of a SYN-ACK is decided when it leaves:

- The first SYN-ACK that survives makes the client ESTABLISHED one reverse delay later, so from then on it is
  known how many SYNs the client sends in all.
- That SYN-ACK is acknowledged, and every later one that survives is acknowledged again. The first ACK that
  survives makes the server ESTABLISHED one round trip after its SYN-ACK left, provided the SYN-RECEIVED entry
  still exists then. Later ACKs come later, so they do not matter.
- An ACK completes only the entry whose SYN-ACK it acknowledges: once the client has been answered by an entry
  and this entry has expired, the server never becomes ESTABLISHED (the ACK meets a listener, or a newer
  SYN-RECEIVED entry with another ISS, and draws a RST: RFC 9293 3.10.7.2 and 3.10.7.4).
- A client whose OPEN has timed out answers a SYN-ACK with RST, which can only end a run that has already failed.

Times are integer nanoseconds, so that equal instants are equal.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, assert_never

Policy = Literal["ack", "stateless", "synack", "synack-rearm"]
TieBreak = Literal["timer-first", "packet-first"]

_NEVER = 1 << 128  # beyond every instant `SetupModel` admits
_UNANSWERED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakePlan:
    """The handshake to solve; times in nanoseconds. `SetupModel` validates and builds it."""

    policy: Policy
    syn_times: tuple[int, ...]
    client_timeout: int
    synack_intervals: tuple[int, ...]
    duplicate_interval: int
    loss_forward: float
    loss_reverse: float
    delay_forward: int
    delay_reverse: int
    tie_break: TieBreak


class _Run(NamedTuple):
    """What the future depends on."""

    deadline: int = _NEVER  # the SYN-ACK timer of the SYN-RECEIVED entry; _NEVER: no entry
    timeouts: int = 0  # retransmissions this timer has made
    last_duplicate: int = -_NEVER  # when a duplicate SYN last drew a SYN-ACK
    syns_sent: int = _UNANSWERED  # SYNs the client sends in all; _UNANSWERED: no SYN-ACK has survived yet
    ack_arrival: int = _NEVER  # when the first surviving ACK reaches the server


_Branches = Iterator[tuple[_Run, float]]


@dataclass(slots=True, kw_only=True)
class HandshakeChain:
    """Solves a `HandshakePlan`; read the results after `solve()`."""

    plan: HandshakePlan
    client: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    server: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    p_client_failed: float = 0.0
    p_diverged: float = 0.0

    def solve(self) -> None:
        """Fill `client`, `server` (instant in ns -> probability), `p_client_failed` and `p_diverged`."""
        runs = {_Run(): 1.0}
        for index, sent_at in enumerate(self.plan.syn_times):
            arrival = sent_at + self.plan.delay_forward
            runs = self._until(runs, arrival)
            runs = self._merge(
                branch
                for run, weight in runs.items()
                for branch in self._syn_may_arrive(run, weight, index=index, now=arrival)
            )
        for run, weight in self._until(runs, _NEVER - 1).items():
            if run.syns_sent == _UNANSWERED:
                self.p_client_failed += weight
            else:  # a stateless server has no entry that could expire: nothing is left to wait for
                self.p_diverged += weight

    def _merge(self, branches: _Branches) -> dict[_Run, float]:
        """Add up equal runs; move those whose ACK is sure to meet its entry to the results."""
        merged: defaultdict[_Run, float] = defaultdict(float)
        for run, weight in branches:
            if run.ack_arrival != _NEVER and not self._expires_before(run.deadline, run.ack_arrival):
                self.server[run.ack_arrival] += weight
            elif weight > 0.0:
                merged[run] += weight
        return merged

    def _expires_before(self, deadline: int, arrival: int) -> bool:
        """Whether a timer expires before an arrival: at equal times ``tie_break`` decides."""
        return deadline <= arrival if self.plan.tie_break == "timer-first" else deadline < arrival

    def _until(self, runs: dict[_Run, float], arrival: int) -> dict[_Run, float]:
        """Let the SYN-ACK timers expire that are due before an arrival at this instant."""
        quiet: defaultdict[_Run, float] = defaultdict(float)
        while runs:
            expiring = []
            for run, weight in runs.items():
                if self._expires_before(run.deadline, arrival):
                    expiring.append((run, weight))
                else:
                    quiet[run] += weight
            runs = self._merge(branch for run, weight in expiring for branch in self._timer_expires(run, weight))
        return quiet

    def _timer_expires(self, run: _Run, weight: float) -> _Branches:
        """The SYN-ACK timer of the entry expires: retransmit, or drop the entry and send nothing."""
        intervals = self.plan.synack_intervals
        timeouts = run.timeouts + 1
        if timeouts < len(intervals):
            rearmed = run._replace(deadline=run.deadline + intervals[timeouts], timeouts=timeouts)
            yield from self._synack_leaves(rearmed, weight, now=run.deadline)
        elif run.syns_sent == _UNANSWERED:
            yield _Run(), weight
        else:
            self.p_diverged += weight

    def _syn_may_arrive(self, run: _Run, weight: float, *, index: int, now: int) -> _Branches:
        if run.syns_sent != _UNANSWERED and index >= run.syns_sent:  # ESTABLISHED before this SYN was due
            yield run, weight
            return
        yield run, weight * self.plan.loss_forward
        yield from self._syn_arrives(run, weight * (1.0 - self.plan.loss_forward), now=now)

    def _syn_arrives(self, run: _Run, weight: float, *, now: int) -> _Branches:
        """A SYN meets the server: the policies differ only in what a duplicate does."""
        plan = self.plan
        if plan.policy == "stateless":
            yield from self._synack_leaves(run, weight, now=now)
        elif run.deadline == _NEVER:
            entry = run._replace(deadline=now + plan.synack_intervals[0])
            yield from self._synack_leaves(entry, weight, now=now)
        elif plan.policy == "ack":  # RFC 9293 3.10.7.4, first: a bare ACK, which SYN-SENT drops
            yield run, weight
        elif plan.policy == "synack":
            yield from self._synack_leaves(run, weight, now=now)
        elif plan.policy == "synack-rearm":  # tcp_check_req() in net/ipv4/tcp_minisocks.c
            if now - run.last_duplicate < plan.duplicate_interval:
                yield run, weight
            else:
                deadline = now + plan.synack_intervals[run.timeouts]
                rearmed = run._replace(deadline=deadline, last_duplicate=now)
                yield from self._synack_leaves(rearmed, weight, now=now)
        else:
            assert_never(plan.policy)

    def _synack_leaves(self, run: _Run, weight: float, *, now: int) -> _Branches:
        """Decide the fate of a SYN-ACK and, if the client acknowledges it, of that ACK."""
        plan = self.plan
        at_client = now + plan.delay_reverse
        answered = run._replace(ack_arrival=at_client + plan.delay_forward)
        if run.ack_arrival != _NEVER:  # an earlier ACK is on its way and comes first
            yield run, weight
        elif run.syns_sent != _UNANSWERED:
            q = (1.0 - plan.loss_forward) * (1.0 - plan.loss_reverse)
            yield answered, weight * q
            yield run, weight * (1.0 - q)
        elif self._expires_before(plan.client_timeout, at_client):
            yield run, weight
        else:
            arriving = weight * (1.0 - plan.loss_reverse)
            self.client[at_client] += arriving
            syns_sent = self._syns_sent_by(at_client)
            yield answered._replace(syns_sent=syns_sent), arriving * (1.0 - plan.loss_forward)
            yield run._replace(syns_sent=syns_sent), arriving * plan.loss_forward
            yield run, weight * plan.loss_reverse

    def _syns_sent_by(self, established: int) -> int:
        """SYNs sent by a client ESTABLISHED at this instant; timer-first sends the one due right then."""
        count = bisect_right if self.plan.tie_break == "timer-first" else bisect_left
        return count(self.plan.syn_times, established)
