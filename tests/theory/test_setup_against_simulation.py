"""The exact enumeration against an event simulation of the handshake that shares no code with it.

The simulation is driven in two ways: by every possible loss pattern in turn, which gives the distribution
exactly for short schedules, and by random numbers for long ones.
"""

import heapq
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import pytest

from netsim.theory import LatencyDistribution, SetupLatency, setup_latency

MS = 1_000_000  # ns
NEVER = None


@dataclass(frozen=True, kw_only=True)
class Case:
    policy: str
    tie_break: str
    syn: Sequence[float]
    synack: Sequence[float]
    pf: float
    pr: float
    df: float
    dr: float
    connect_timeout: float | None = None

    def exact(self) -> SetupLatency:
        return setup_latency(
            policy=self.policy,
            syn_intervals=self.syn,
            synack_intervals=self.synack,
            loss_forward=self.pf,
            loss_reverse=self.pr,
            delay_forward=self.df,
            delay_reverse=self.dr,
            tie_break=self.tie_break,
            connect_timeout=self.connect_timeout,
        )


class Simulation:
    """One handshake, segment by segment, with its RSTs and its incarnations of the SYN-RECEIVED entry."""

    def __init__(self, case: Case, lost: Callable[[float], bool]) -> None:
        self.case, self.lost = case, lost
        self.heap: list[tuple[int, int, int, Callable[..., None], tuple]] = []
        self.order = itertools.count()
        self.now = 0
        self.client = "SYN-SENT"
        self.client_iss_seen = -1
        self.client_at = self.server_at = NEVER
        self.entries = 0  # ISS of the newest SYN-RECEIVED entry
        self.half_open = False
        self.alarm = 0
        self.timeouts = 0
        self.last_duplicate = -(10**18)
        self.emissions: list[int] = []

    def at(self, when: int, what: Callable[..., None], *args: object, timer: bool) -> None:
        first = timer == (self.case.tie_break == "timer-first")
        heapq.heappush(self.heap, (when, 0 if first else 1, next(self.order), what, args))

    def run(self) -> None:
        if self.case.connect_timeout is not None:
            self.at(ns(self.case.connect_timeout), self.client_gives_up, timer=True)
        self.send_syn(0)
        while self.heap and self.server_at is NEVER:
            self.now, _, _, what, args = heapq.heappop(self.heap)
            what(*args)

    # client
    def send_syn(self, index: int) -> None:
        if self.client != "SYN-SENT":
            return
        if index == len(self.case.syn):
            self.client_gives_up()
            return
        self.to_server(self.server_gets_syn)
        self.at(self.now + ns(self.case.syn[index]), self.send_syn, index + 1, timer=True)

    def client_gives_up(self) -> None:
        if self.client == "SYN-SENT":
            self.client = "CLOSED"

    def client_gets_synack(self, iss: int) -> None:
        if self.client == "CLOSED":
            self.to_server(self.server_gets_rst, iss)
            return
        if self.client == "SYN-SENT":
            self.client, self.client_at, self.client_iss_seen = "ESTABLISHED", self.now, iss
        if self.client == "ESTABLISHED":
            self.to_server(self.server_gets_ack, self.client_iss_seen)

    def client_gets_rst(self) -> None:
        self.client = "RESET"

    def client_gets_bare_ack(self) -> None:
        """SYN-SENT: no SYN, no RST: dropped. ESTABLISHED: nothing new."""

    # server
    def server_gets_syn(self) -> None:
        policy = self.case.policy
        if policy == "stateless":
            self.send_synack(0)
        elif not self.half_open:
            self.half_open, self.timeouts, self.last_duplicate = True, 0, -(10**18)
            self.entries += 1
            self.send_synack(self.entries)
            self.arm()
        elif policy == "ack":
            self.to_client(self.client_gets_bare_ack)
        elif policy == "synack":
            self.send_synack(self.entries)
        elif self.now - self.last_duplicate >= 500 * MS:
            self.last_duplicate = self.now
            self.send_synack(self.entries)
            self.arm()

    def server_gets_ack(self, iss: int) -> None:
        if self.case.policy == "stateless" or (self.half_open and iss == self.entries):
            self.server_at = self.now
        else:
            self.to_client(self.client_gets_rst)

    def server_gets_rst(self, iss: int) -> None:
        if self.half_open and iss == self.entries:
            self.half_open = False

    def arm(self) -> None:
        self.alarm += 1
        self.at(self.now + ns(self.case.synack[self.timeouts]), self.synack_timer, self.alarm, timer=True)

    def synack_timer(self, alarm: int) -> None:
        if not self.half_open or alarm != self.alarm:
            return
        self.timeouts += 1
        if self.timeouts == len(self.case.synack):
            self.half_open = False
            return
        self.send_synack(self.entries)
        self.arm()

    def send_synack(self, iss: int) -> None:
        self.emissions.append(self.now)
        self.to_client(self.client_gets_synack, iss)

    # network
    def to_server(self, what: Callable[..., None], *args: object) -> None:
        if not self.lost(self.case.pf):
            self.at(self.now + ns(self.case.df), what, *args, timer=False)

    def to_client(self, what: Callable[..., None], *args: object) -> None:
        if what == self.client_gets_bare_ack or what == self.client_gets_rst:
            return  # neither changes when an end becomes ESTABLISHED: do not double the number of patterns
        if not self.lost(self.case.pr):
            self.at(self.now + ns(self.case.dr), what, *args, timer=False)


def ns(seconds: float) -> int:
    return round(seconds * 1e9)


def every_loss_pattern(case: Case) -> tuple[dict, dict, float]:
    """Latency -> probability for client and server (None: never), and P(diverged)."""
    client: defaultdict = defaultdict(float)
    server: defaultdict = defaultdict(float)
    diverged = 0.0
    pattern: list[bool] = []
    while True:
        weight, used = 1.0, 0

        def lost(p: float) -> bool:
            nonlocal weight, used
            if used == len(pattern):
                pattern.append(False)
            answer = pattern[used]
            used += 1
            weight *= p if answer else 1 - p
            return answer

        simulation = Simulation(case, lost)
        simulation.run()
        client[simulation.client_at] += weight
        server[simulation.server_at] += weight
        if simulation.client_at is not NEVER and simulation.server_at is NEVER:
            diverged += weight
        assert simulation.server_at is NEVER or simulation.client_at is not NEVER
        while pattern and pattern[-1]:
            pattern.pop()
        if not pattern:
            return dict(client), dict(server), diverged
        pattern[-1] = True


def assert_same(distribution: LatencyDistribution, wanted: dict[int | None, float]) -> None:
    got = {ns(t): p for t, p in zip(distribution.times, distribution.probabilities, strict=True)}
    assert sorted(got) == sorted(t for t in wanted if t is not NEVER)
    for t, p in got.items():
        assert p == pytest.approx(wanted[t], rel=1e-9), t
    assert distribution.p_fail == pytest.approx(wanted.get(NEVER, 0.0), rel=1e-9)


SHAPES = {
    "equal exponential schedules, every duplicate SYN arrives as the SYN-ACK timer expires": {
        "syn": [1, 2, 4],
        "synack": [1, 2],
        "df": 0.04,
        "dr": 0.06,
    },
    "SYNs outlive the SYN-RECEIVED entry, which expires as a SYN arrives": {
        "syn": [1, 2, 4, 8],
        "synack": [1, 2],
        "df": 0.04,
        "dr": 0.06,
    },
    "no SYN-ACK retries, round trip longer than the RTO: an old ACK meets a new entry": {
        "syn": [1, 1, 1, 3],
        "synack": [1],
        "df": 0.7,
        "dr": 0.8,
    },
    "round trip of whole RTOs: SYN-ACKs arrive as SYN timers and the client's OPEN expire": {
        "syn": [1, 1, 2],
        "synack": [1, 1],
        "df": 0.5,
        "dr": 1.5,
    },
    "two SYNs within half a second, one exactly half a second later": {
        "syn": [0.3, 0.2, 0.5, 2],
        "synack": [0.9, 1.1],
        "df": 0.1,
        "dr": 0.05,
    },
    "impatient client": {
        "syn": [1, 2, 4],
        "synack": [0.7, 1.4],
        "df": 0.2,
        "dr": 0.3,
        "connect_timeout": 3.5,
    },
    "entry that lives on only if the timer starts again": {
        "syn": [0.6, 0.6, 5],
        "synack": [0.8, 0.1],
        "df": 0.45,
        "dr": 0.45,
    },
}


@pytest.mark.parametrize("tie_break", ["timer-first", "packet-first"])
@pytest.mark.parametrize("policy", ["ack", "stateless", "synack", "synack-rearm"])
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_sum_over_every_loss_pattern(shape: str, policy: str, tie_break: str) -> None:
    case = Case(policy=policy, tie_break=tie_break, pf=0.3, pr=0.45, **SHAPES[shape])
    client, server, diverged = every_loss_pattern(case)
    exact = case.exact()
    assert_same(exact.client, client)
    assert_same(exact.server, server)
    assert exact.p_diverged == pytest.approx(diverged, rel=1e-9)
    assert exact.p_fail == exact.client.p_fail


def synack_times(case: Case, arrives: Sequence[bool]) -> list[int]:
    """When SYN-ACKs leave if exactly these SYNs arrive and no SYN-ACK does."""
    syn_lost = iter([not a for a in arrives])
    silent = Simulation(case, lambda p: next(syn_lost) if p == case.pf else True)
    silent.run()
    return silent.emissions


@pytest.mark.parametrize("tie_break", ["timer-first", "packet-first"])
@pytest.mark.parametrize("policy", ["ack", "stateless", "synack", "synack-rearm"])
def test_client_equals_the_mean_over_syn_patterns(policy: str, tie_break: str) -> None:
    """F(t) = 1 - E[pr^N(t - dr)], N(u) the SYN-ACKs that have left by u if the client hears none of them."""
    six = [1, 2, 4, 8, 16, 32, 64]
    case = Case(policy=policy, tie_break=tie_break, syn=six, synack=six[:6], pf=0.3, pr=0.2, df=0.04, dr=0.06)
    exact = case.exact()
    patterns = [
        (math.prod(0.7 if arrives else 0.3 for arrives in pattern), synack_times(case, pattern))
        for pattern in itertools.product([True, False], repeat=7)
    ]
    for t in [*exact.client.times, 0.05, 0.5, 50.0, 126.9]:
        unheard = sum(p * 0.2 ** sum(e + ns(case.dr) <= ns(t) for e in times) for p, times in patterns)
        assert exact.client.ccdf(float(t)) == pytest.approx(unheard, rel=1e-9)
    # SYN-ACKs that arrive after 127 s find nobody.
    failed = sum(p * 0.2 ** sum(e + ns(case.dr) < ns(127) for e in times) for p, times in patterns)
    assert exact.p_fail == pytest.approx(failed, rel=1e-9)


LINUX_SYN = [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64]
LINUX_SYNACK = [1, 2, 4, 8, 16, 32]
BSD_SYN = [1, 2.2, 4.2, 8.2, 16.2, 32.2, 11]
MONTE_CARLO = [
    Case(policy=policy, tie_break=tie_break, syn=syn, synack=synack, pf=pf, pr=pr, df=df, dr=dr)
    for policy, tie_break, syn, synack, pf, pr, df, dr in [
        ("ack", "timer-first", LINUX_SYN, LINUX_SYNACK, 0.3, 0.5, 0.03, 0.08),
        ("synack-rearm", "timer-first", LINUX_SYN, LINUX_SYNACK, 0.4, 0.3, 0.03, 0.08),
        ("synack-rearm", "packet-first", [1, 2, 4, 8], [1, 2, 4], 0.5, 0.3, 0.6, 0.1),
        ("synack", "timer-first", BSD_SYN, [1, 2, 4, 8.6], 0.5, 0.4, 0.1, 0.1),
        ("stateless", "timer-first", [3, 6, 12], [3], 0.2, 0.3, 0.2, 0.1),
    ]
]
RUNS = 15_000
ALPHA = 0.001  # shared by all comparisons of this test over all cases


@pytest.mark.parametrize("case", MONTE_CARLO, ids=lambda case: f"{case.policy}-{case.tie_break}")
def test_agrees_with_random_runs(case: Case) -> None:
    rng = random.Random(20_260_101)
    clients: Counter = Counter()
    servers: Counter = Counter()
    for _ in range(RUNS):
        simulation = Simulation(case, lambda p: rng.random() < p)
        simulation.run()
        clients[simulation.client_at] += 1
        servers[simulation.server_at] += 1
    exact = case.exact()
    scores = [z for d, seen in ((exact.client, clients), (exact.server, servers)) for z in z_scores(d, seen)]
    limit = NormalDist().inv_cdf(1 - ALPHA / (2 * len(scores) * len(MONTE_CARLO)))
    assert max(map(abs, scores)) < limit
    assert {t for t in clients if t is not NEVER} <= {ns(t) for t in exact.client.times}
    assert {t for t in servers if t is not NEVER} <= {ns(t) for t in exact.server.times}


def z_scores(distribution: LatencyDistribution, seen: Counter) -> list[float]:
    """Of F(t) at every atom where the normal approximation holds."""
    scores = []
    for t in distribution.times:
        p = distribution.cdf(float(t))
        if min(p, 1 - p) * RUNS >= 20:
            k = sum(count for when, count in seen.items() if when is not NEVER and when <= ns(t))
            scores.append((k - RUNS * p) / math.sqrt(RUNS * p * (1 - p)))
    return scores
